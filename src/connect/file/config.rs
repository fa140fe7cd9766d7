//! What a person fills in to read files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::encoding::Encoding;
use super::pattern::Pattern;
use crate::error::{Error, ErrorKind, Result};
use crate::record::FieldClass;

/// CSV files in a folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The folder, absolute or relative to the project folder.
    pub path: String,
    /// The streams by name, and which files each is read from.
    pub streams: BTreeMap<String, FileStreamConfig>,
}

/// One stream of files that look alike.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStreamConfig {
    /// The file names, relative to the folder: `customers_{yyyymm}.csv`. `*` and `?` stand for anything.
    /// With `{yyyymm}`, `{yyyymmdd}`, or `{yyyy}` and `{mm}` (and `{dd}`) each file is the full state at the
    /// end of that month or day. Without, all files together are the full state at the time they were written.
    pub files: String,
    /// The columns that tell records apart.
    pub key: Vec<String>,
    /// How text is written: `utf-8`, `cp932`, `euc-jp`, `utf-16le`, `utf-16be`; default `auto`: by byte order
    /// mark, then whichever decodes.
    #[serde(default)]
    pub encoding: EncodingSetting,
    /// What separates cells; default `,`. Write `tab` for tabs.
    #[serde(default = "default_delimiter")]
    pub delimiter: String,
    /// Lines before the header row, such as titles; default 0.
    #[serde(default)]
    pub skip_rows: u32,
    /// Whether there is a header row; default yes. Without one, `columns` gives the names.
    #[serde(default = "default_header")]
    pub header: bool,
    /// The names of the columns, in order, for files without a header row.
    #[serde(default)]
    pub columns: Vec<String>,
    /// How these columns change, where it is not by people: `business`, `calculated`, `bookkeeping` or
    /// `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

/// How text is written, as configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum EncodingSetting {
    /// Found out for each file.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8, with or without byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows code page 932 (Shift_JIS with the usual additions).
    #[serde(rename = "cp932")]
    Cp932,
    /// EUC-JP.
    #[serde(rename = "euc-jp")]
    EucJp,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl EncodingSetting {
    pub(super) fn declared(self) -> Option<Encoding> {
        match self {
            EncodingSetting::Auto => None,
            EncodingSetting::Utf8 => Some(Encoding::Utf8),
            EncodingSetting::Cp932 => Some(Encoding::Cp932),
            EncodingSetting::EucJp => Some(Encoding::EucJp),
            EncodingSetting::Utf16Le => Some(Encoding::Utf16Le),
            EncodingSetting::Utf16Be => Some(Encoding::Utf16Be),
        }
    }
}

fn default_delimiter() -> String {
    ",".to_owned()
}

fn default_header() -> bool {
    true
}

/// A stream's settings, checked and ready to use.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) key: Vec<String>,
    pub(super) encoding: Option<Encoding>,
    pub(super) delimiter: char,
    pub(super) skip_rows: u32,
    /// `None`: the header row says.
    pub(super) columns: Option<Vec<String>>,
    pub(super) classes: BTreeMap<String, FieldClass>,
}

impl Shape {
    /// Checks the settings of the stream `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub(super) fn new(name: &str, config: &FileStreamConfig) -> Result<Shape> {
        let wrong = |setting: &'static str, message: &str, help: &str| {
            Error::new(ErrorKind::Config, message).with("stream", name).with("setting", setting).help(help)
        };
        let pattern = Pattern::parse(&config.files)
            .map_err(|reason| wrong("files", &reason, "write it like customers_{yyyymm}.csv"))?;
        if config.key.is_empty() {
            return Err(wrong("key", "no key column is named", "list the columns that tell records apart"));
        }
        let mut delimiter = config.delimiter.chars();
        let delimiter = match (config.delimiter.as_str(), delimiter.next(), delimiter.next()) {
            ("tab", ..) => '\t',
            (_, Some(one), None) if one.is_ascii() && !matches!(one, '"' | '\r' | '\n' | '\0') => one,
            _ => {
                return Err(wrong(
                    "delimiter",
                    "not a delimiter",
                    "use one ASCII character, such as `,` or `;`, or `tab`",
                ));
            }
        };
        if config.header != config.columns.is_empty() {
            let message = if config.header { "columns are named twice" } else { "columns have no names" };
            return Err(wrong("columns", message, "either `header: true`, or `header: false` and `columns: […]`"));
        }
        Ok(Shape {
            name: name.to_owned(),
            pattern,
            key: config.key.clone(),
            encoding: config.encoding.declared(),
            delimiter,
            skip_rows: config.skip_rows,
            columns: (!config.header).then(|| config.columns.clone()),
            classes: config.classes.clone(),
        })
    }
}
