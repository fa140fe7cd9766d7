//! The names of columns, out of the rows that hold them.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, ErrorKind, Result};

/// Joins the rows of a header to a name per column, gives columns without one their number (`column_3`), and other names
/// where `rename` says so.
///
/// With several rows, an empty cell of an upper one belongs to the group that began on its left (merged cells are saved
/// like that), unless that one has nothing below it: then it is no group but a single column that spans the rows.
///
/// # Errors
///
/// Bad data when two columns have one name, or `rename` names a column that is not there.
pub(super) fn names(rows: &[Vec<Option<String>>], rename: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: usize, column: usize| -> Option<String> {
        let text = rows[row].get(column).cloned().flatten();
        // A name over two lines of a cell is one name.
        text.map(|text| text.split(['\r', '\n']).map(str::trim).collect::<String>()).filter(|text| !text.is_empty())
    };
    let has_below = |row: usize, column: usize| (row + 1..rows.len()).any(|below| cell(below, column).is_some());
    let mut names = Vec::with_capacity(width);
    let mut groups: Vec<Option<String>> = vec![None; rows.len()];
    for column in 0..width {
        let mut parts: Vec<String> = Vec::new();
        for row in 0..rows.len() {
            match cell(row, column) {
                Some(text) => {
                    groups[row] = has_below(row, column).then(|| text.clone());
                    // A group that begins ends the groups below it.
                    groups[row + 1..].fill(None);
                    if parts.last() != Some(&text) {
                        parts.push(text);
                    }
                }
                None if has_below(row, column) => parts.extend(groups[row].clone()),
                None => {}
            }
        }
        names.push(if parts.is_empty() { format!("column_{}", column + 1) } else { parts.join("/") });
    }
    renamed(names, rename)
}

fn renamed(names: Vec<String>, rename: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut used = 0;
    let mut given = Vec::with_capacity(names.len());
    for name in names {
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        let wanted = rename.get(&format!("{name}#{count}")).or_else(|| rename.get(&name).filter(|_| *count == 1));
        used += usize::from(wanted.is_some());
        given.push(wanted.cloned().unwrap_or(name));
    }
    let shown = || given.iter().take(40).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if used < rename.len() {
        let missing = rename.iter().find(|(_, to)| !given.contains(to)).or_else(|| rename.iter().next());
        return Err(Error::new(ErrorKind::BadData, "the header lacks a column that is to be renamed")
            .with("rename", missing.map_or("", |(from, _)| from))
            .with("columns", shown())
            .help("mend `rename` of the stream; if the columns above look wrong, its `encoding`, `delimiter` or `skip_rows`"));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, name) in given.iter().enumerate() {
        if let Some(first) = seen.insert(name, at) {
            return Err(Error::new(ErrorKind::BadData, "two columns have the same name")
                .with("name", name)
                .with("columns", format!("{} and {}", first + 1, at + 1))
                .help(format!(
                    "give each a name of its own, in the file or with `rename: {{ '{name}#2': … }}` in the stream"
                )));
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect()
    }

    fn joined(rows: &[&[&str]]) -> Vec<String> {
        let rows: Vec<_> = rows.iter().map(|cells| row(cells)).collect();
        names(&rows, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn two_rows_are_joined_as_people_read_them() {
        assert_eq!(
            joined(&[&["顧客コード", "売上", "", "備考", ""], &["", "4月", "5月", "", "担当"]]),
            ["顧客コード", "売上/4月", "売上/5月", "備考", "担当"]
        );
        // As a workbook tells what is merged.
        assert_eq!(joined(&[&["売上", "売上"], &["4月", "5月"]]), ["売上/4月", "売上/5月"]);
        assert_eq!(
            joined(&[&["売上", "", "", ""], &["国内", "", "海外", ""], &["数", "額", "数", "額"]]),
            ["売上/国内/数", "売上/国内/額", "売上/海外/数", "売上/海外/額"]
        );
    }

    #[test]
    fn columns_without_a_name_get_their_number() {
        assert_eq!(joined(&[&["id", "", "顧\r\n客名"]]), ["id", "column_2", "顧客名"]);
    }

    #[test]
    fn doubled_names_are_refused_until_they_are_renamed() {
        let rows = [row(&["id", "金額", "金額"])];
        let error = names(&rows, &BTreeMap::new()).unwrap_err();
        assert!(error.render().contains("columns: 2 and 3") && error.help_text().unwrap().contains("金額#2"));
        let rename = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(names(&rows, &rename(&[("金額#2", "税込")])).unwrap(), ["id", "金額", "税込"]);
        assert_eq!(names(&rows, &rename(&[("金額", "税抜"), ("金額#2", "税込")])).unwrap(), ["id", "税抜", "税込"]);
        let error = names(&rows, &rename(&[("金額#3", "x")])).unwrap_err();
        assert!(error.render().contains("rename: 金額#3"));
    }
}
