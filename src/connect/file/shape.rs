//! A stream's settings, checked and ready to use.

use std::collections::BTreeMap;

use super::config::{ColumnConfig, FileStreamConfig, Mode, PlacedColumn, Sheet, Units};
use super::encoding::Encoding;
use super::format::{FixedColumn, Format};
use super::pattern::Pattern;
use super::unpack::Packing;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// A stream's settings.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) key: Vec<String>,
    pub(super) format: Format,
    pub(super) packed: Packing,
    pub(super) members: Pattern,
    pub(super) encoding: Option<Encoding>,
    /// `None`: a comma, or a tab for TSV.
    pub(super) delimiter: Option<u8>,
    pub(super) sheet: Option<String>,
    pub(super) skip_rows: u32,
    pub(super) skip_footer: u32,
    pub(super) total_rows: Vec<Pattern>,
    pub(super) header_rows: u32,
    /// `None`: the header row says.
    pub(super) columns: Option<Vec<String>>,
    pub(super) fixed: Vec<FixedColumn>,
    pub(super) by_characters: bool,
    pub(super) rename: BTreeMap<String, String>,
    pub(super) date_cell: Option<DateCell>,
    pub(super) is_delta: bool,
    pub(super) deletes: Option<(String, Vec<String>)>,
    pub(super) classes: BTreeMap<String, FieldClass>,
}

/// Where in a file its date stands, and what it looks like.
#[derive(Debug, Clone)]
pub(super) struct DateCell {
    /// As written, for messages.
    pub(super) cell: String,
    /// From 1.
    pub(super) row: u32,
    /// From 0.
    pub(super) column: usize,
    pub(super) like: Vec<Pattern>,
}

/// What a date looks like where nobody says.
const USUAL_DATES: [&str; 3] = ["{yyyy}/{m}/{d}", "{yyyy}-{m}-{d}", "{yyyy}年{m}月{d}日"];

impl Shape {
    /// Whether each file states a date of its own.
    pub(super) fn is_dated(&self) -> bool {
        self.pattern.is_dated() || self.date_cell.is_some()
    }

    /// Checks the settings of the stream `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub(super) fn new(name: &str, config: &FileStreamConfig) -> Result<Shape> {
        let wrong = |setting: &'static str, message: &str, help: &str| {
            Error::new(ErrorKind::Config, message).with("stream", name).with("setting", setting).help(help)
        };
        let pattern = |setting, text: &str, help| {
            Pattern::parse(text)
                .map_err(|reason| wrong(setting, &format!("this pattern cannot be used: {reason}"), help))
        };
        let files = pattern("files", &config.files, "write it like customers_{yyyymm}.csv")?;
        if config.key.is_empty() {
            return Err(wrong("key", "no key column is named", "list the columns that tell records apart"));
        }
        let (columns, fixed) = columns(config, &wrong)?;
        let format = if !fixed.is_empty() { Format::Fixed } else { config.format };
        let date_cell = config.date.as_ref().map(|date| {
            if files.is_dated() {
                return Err(wrong("date", "the date is given twice", "leave it out of `files`, or leave out `date`"));
            }
            let like: Vec<&str> = date.like.as_deref().map_or(USUAL_DATES.to_vec(), |like| vec![like]);
            let like = like
                .into_iter()
                .map(|like| pattern("date.like", like, "write it like '基準日：{yyyy}年{m}月{d}日*'"))
                .collect::<Result<Vec<_>>>()?;
            if like.iter().any(|like| !like.is_dated()) {
                return Err(wrong("date.like", "it holds no date", "write it like '基準日：{yyyy}年{m}月{d}日*'"));
            }
            let Some((row, column)) = cell_place(&date.cell) else {
                return Err(wrong("date.cell", "this is no cell", "write it as in a sheet, such as B2"));
            };
            Ok(DateCell { cell: date.cell.clone(), row, column, like })
        });
        let shape = Shape {
            name: name.to_owned(),
            key: config.key.clone(),
            format,
            packed: config.packed,
            members: pattern("members", &config.members, "write it like '*.csv'")?,
            encoding: config.encoding.declared(),
            delimiter: config.delimiter.as_deref().map(|text| delimiter(text, &wrong)).transpose()?,
            sheet: config.sheet.as_ref().map(|sheet| match sheet {
                Sheet::Number(number) => number.to_string(),
                Sheet::Name(name) => name.clone(),
            }),
            skip_rows: config.skip_rows,
            skip_footer: config.skip_footer,
            total_rows: config
                .total_rows
                .iter()
                .map(|text| pattern("total_rows", text, "write texts such as 合計 or '*計'"))
                .collect::<Result<_>>()?,
            header_rows: if config.header { config.header_rows.max(1) } else { 0 },
            columns,
            fixed,
            by_characters: config.units == Units::Characters,
            rename: config.rename.clone(),
            date_cell: date_cell.transpose()?,
            is_delta: config.mode == Mode::Delta,
            deletes: config.deletes.as_ref().map(|deletes| (deletes.column.clone(), deletes.values.clone())),
            classes: config.classes.clone(),
            pattern: files,
        };
        if shape.is_delta && !shape.is_dated() {
            let help = "put the date into `files`, or say in `date` where it stands; of undated files nobody could tell which is later";
            return Err(wrong("mode", "a delta needs a date", help));
        }
        if shape.deletes.is_some() && !shape.is_delta {
            let help = "set `mode: delta`; a full file tells who is gone by leaving them out";
            return Err(wrong("deletes", "only a delta has rows that delete", help));
        }
        if shape.deletes.as_ref().is_some_and(|(_, values)| values.is_empty()) {
            return Err(wrong("deletes.values", "no value is named", "list what the column holds, such as [削除]"));
        }
        Ok(shape)
    }
}

fn delimiter(text: &str, wrong: &dyn Fn(&'static str, &str, &str) -> Error) -> Result<u8> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n' | 0) => Ok(*one),
        _ => Err(wrong("delimiter", "not a delimiter", "use one ASCII character, such as `,` or `;`, or `tab`")),
    }
}

type Columns = (Option<Vec<String>>, Vec<FixedColumn>);

/// The names of columns that no header gives, and their places where the format needs them.
fn columns(config: &FileStreamConfig, wrong: &dyn Fn(&'static str, &str, &str) -> Error) -> Result<Columns> {
    let is_placed = config.columns.iter().any(|column| matches!(column, ColumnConfig::Placed(_)));
    if config.format == Format::Fixed || is_placed {
        if !matches!(config.format, Format::Fixed | Format::Auto) {
            return Err(wrong(
                "columns",
                "only `fixed` has columns with a width",
                "leave out `width`, or set `format: fixed`",
            ));
        }
        let mut placed = Vec::new();
        let mut end = 0;
        for column in &config.columns {
            let ColumnConfig::Placed(PlacedColumn { name, start, width }) = column else {
                let help = "write each as { name: 顧客コード, width: 10 }, with `start` where there is a gap";
                return Err(wrong("columns", "a column of `fixed` has no width", help));
            };
            let start = match start {
                Some(0) => return Err(wrong("columns", "places are counted from 1", "write `start: 1` for the first")),
                Some(start) => *start as usize - 1,
                None => end,
            };
            if *width == 0 || placed.iter().any(|before: &FixedColumn| before.name == *name) {
                return Err(wrong("columns", "two columns have one name, or a width is 0", "mend `columns`"));
            }
            end = start + *width as usize;
            placed.push(FixedColumn { name: name.clone(), start, width: *width as usize });
        }
        if placed.is_empty() {
            let help = "write each as { name: 顧客コード, width: 10 }";
            return Err(wrong("columns", "a `fixed` file needs its columns", help));
        }
        return Ok((Some(placed.iter().map(|column| column.name.clone()).collect()), placed));
    }
    if matches!(config.format, Format::Jsonl | Format::Parquet) && !config.columns.is_empty() {
        return Err(wrong(
            "columns",
            "this format names its columns itself",
            "leave out `columns`; `rename` gives other names",
        ));
    }
    if config.header != config.columns.is_empty() {
        let message = if config.header { "columns are named twice" } else { "columns have no names" };
        let help = "either `header: true`, with `rename` for other names, or `header: false` and `columns: […]`";
        return Err(wrong("columns", message, help));
    }
    let names = config.columns.iter().filter_map(|column| match column {
        ColumnConfig::Name(name) => Some(name.clone()),
        ColumnConfig::Placed(_) => None,
    });
    Ok(((!config.header).then(|| names.collect()), Vec::new()))
}

/// Row from 1 and column from 0 of `B2`.
fn cell_place(cell: &str) -> Option<(u32, usize)> {
    let digits = cell.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = cell.split_at(digits);
    let row = number.parse::<u32>().ok().filter(|row| *row > 0)?;
    let column = letters.chars().try_fold(0_usize, |sum, letter| {
        let digit = letter.to_ascii_uppercase();
        digit.is_ascii_uppercase().then(|| sum * 26 + (digit as usize - 'A' as usize) + 1)
    })?;
    (1..=16_384).contains(&column).then(|| (row, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(settings: serde_json::Value) -> Result<Shape> {
        let mut all = serde_json::json!({ "files": "c.csv", "key": ["id"] });
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        Shape::new("customers", &serde_json::from_value(all).unwrap())
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_advice() {
        use serde_json::json;
        for (settings, setting) in [
            (json!({ "key": [] }), "key"),
            (json!({ "delimiter": "ab" }), "delimiter"),
            (json!({ "header": false }), "columns"),
            (json!({ "columns": ["id"] }), "columns"),
            (json!({ "format": "fixed" }), "columns"),
            (json!({ "format": "fixed", "columns": ["id"] }), "columns"),
            (json!({ "format": "jsonl", "columns": ["id"], "header": false }), "columns"),
            (json!({ "format": "csv", "columns": [{ "name": "id", "width": 3 }] }), "columns"),
            (json!({ "mode": "delta" }), "mode"),
            (json!({ "files": "c_{yyyymm}.csv", "deletes": { "column": "d", "values": ["1"] } }), "deletes"),
            (json!({ "files": "c_{yyyymm}.csv", "date": { "cell": "A1" } }), "date"),
            (json!({ "date": { "cell": "1A" } }), "date.cell"),
            (json!({ "date": { "cell": "A1", "like": "基準日" } }), "date.like"),
            (json!({ "files": "c_{yyyy}.csv" }), "files"),
        ] {
            let error = shape(settings.clone()).unwrap_err();
            assert!(error.context().contains(&("setting", setting.to_owned())), "{settings}: {}", error.render());
            assert!(error.help_text().is_some());
        }
    }

    #[test]
    fn columns_of_fixed_files_follow_each_other_unless_told_otherwise() {
        let columns = serde_json::json!([
            { "name": "id", "width": 5 }, { "name": "name", "width": 20 }, { "name": "mrr", "start": 31, "width": 10 }
        ]);
        let shape = shape(serde_json::json!({ "columns": columns })).unwrap();
        assert_eq!(shape.format, Format::Fixed);
        let places: Vec<_> = shape.fixed.iter().map(|column| (column.start, column.width)).collect();
        assert_eq!(places, [(0, 5), (5, 20), (30, 10)]);
    }

    #[test]
    fn cells_are_named_as_in_a_sheet() {
        assert_eq!(cell_place("B2"), Some((2, 1)));
        assert_eq!(cell_place("aa10"), Some((10, 26)));
        for wrong in ["", "B", "2", "B0", "2B", "あ1"] {
            assert_eq!(cell_place(wrong), None, "{wrong}");
        }
    }
}
