//! What a person fills in to read files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::encoding::Encoding;
use super::format::Format;
use super::unpack::Packing;
use crate::record::FieldClass;

/// Files in a folder or an object store.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The folder, absolute or relative to the project folder; or the URL of an object store, such as
    /// `s3://bucket/exports`.
    pub path: String,
    /// What the object store needs, by the names of its driver (`aws_region`, `aws_access_key_id`, …), beside what the
    /// environment says. Write secrets as `${env:NAME}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub options: BTreeMap<String, SecretString>,
    /// The streams by name, and which files each is read from.
    pub streams: BTreeMap<String, FileStreamConfig>,
}

/// One stream of files that look alike.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStreamConfig {
    /// The file names, relative to the folder: `customers_{yyyymm}.csv`. `*` and `?` stand for anything but `/`.
    /// With a date (`{yyyymm}`, `{yyyymmdd}`, `{yyyy}`, `{yy}`, `{mm}`, `{m}`, `{dd}`, `{d}`, and `{era}{yy}` or
    /// `{era}{y}` for 令和7年 and R07) each file states what was so at the end of that month or day. Without, all files
    /// together are the full state at the time they were written.
    pub files: String,
    /// The columns that tell records apart.
    pub key: Vec<String>,
    /// `csv`, `tsv`, `fixed`, `jsonl`, `excel`, `parquet`; default `auto`, by the ending of the name.
    #[serde(default)]
    pub format: Format,
    /// `none`, `gzip`, `zip`; default `auto`, by the ending of the name.
    #[serde(default)]
    pub packed: Packing,
    /// Which files of a zip archive are read; default `*`. All of them together are what the archive states.
    #[serde(default = "default_members")]
    pub members: String,
    /// How text is written: `utf-8`, `cp932`, `euc-jp`, `shift_jis-2004`, `euc-jis-2004`, `utf-16le`, `utf-16be`; default
    /// `auto`: by byte order mark, then whichever decodes.
    #[serde(default)]
    pub encoding: EncodingSetting,
    /// What separates the cells of CSV; default `,`. Write `tab` for tabs.
    #[serde(default)]
    pub delimiter: Option<String>,
    /// The sheet of a workbook, by name or number from 1; default the first.
    #[serde(default)]
    pub sheet: Option<Sheet>,
    /// Lines (of a workbook: rows) before the header row, such as titles; default 0.
    #[serde(default)]
    pub skip_rows: u32,
    /// Rows at the end that are no records, such as totals or remarks; default 0.
    #[serde(default)]
    pub skip_footer: u32,
    /// Rows that are totals: those whose first cell that is not empty is one of these texts, in which `*` and `?` stand
    /// for anything: `[合計, 小計, '*計']`.
    #[serde(default)]
    pub total_rows: Vec<String>,
    /// Whether there is a header row; default yes. Without one, `columns` gives the names.
    #[serde(default = "default_header")]
    pub header: bool,
    /// How many rows the header has; default 1. With 2 the names are joined: 売上 over 4月 is `売上/4月`.
    #[serde(default = "default_header_rows")]
    #[schemars(range(min = 1, max = 5))]
    pub header_rows: u32,
    /// The columns in order, for files without a header row: names; for `fixed` also where each is.
    #[serde(default)]
    pub columns: Vec<ColumnConfig>,
    /// Other names for columns of the header: `{ 金額: 金額_税抜, '金額#2': 金額_税込 }`; `#2` is the second one of that
    /// name.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// What `start` and `width` of `fixed` count: `bytes` of the file's encoding (default) or `characters`.
    #[serde(default)]
    pub units: Units,
    /// Where in the file its date stands, when its name has none.
    #[serde(default)]
    pub date: Option<DateConfig>,
    /// What a dated file holds: `full` (default), all records that there were; or `delta`, those that changed.
    #[serde(default)]
    pub mode: Mode,
    /// In a `delta`, which rows say that their record is gone.
    #[serde(default)]
    pub deletes: Option<DeletesConfig>,
    /// How these columns change, where it is not by people: `business`, `calculated`, `bookkeeping` or
    /// `ticking`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub classes: BTreeMap<String, FieldClass>,
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Sheet {
    /// Its place, from 1.
    Number(u32),
    /// Its name.
    Name(String),
}

/// A column that no header names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ColumnConfig {
    /// Its name.
    Name(String),
    /// Its name and place.
    Placed(PlacedColumn),
}

/// A column of a `fixed` file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedColumn {
    /// Its name.
    pub name: String,
    /// Where it begins, from 1; default behind the column before.
    #[serde(default)]
    pub start: Option<u32>,
    /// How wide it is.
    pub width: u32,
}

/// What places in lines count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Bytes of the file's encoding.
    #[default]
    Bytes,
    /// Characters.
    Characters,
}

/// Where in a file its date stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateConfig {
    /// The cell, as in a sheet: `B2` is the second cell of the second line.
    pub cell: String,
    /// What stands there: `'基準日：{era}{y}年{m}月{d}日*'`, by the words of `files`; default `{yyyy}/{m}/{d}`,
    /// `{yyyy}-{m}-{d}` or `{yyyy}年{m}月{d}日`.
    #[serde(default)]
    pub like: Option<String>,
}

/// What a dated file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All records that there were.
    #[default]
    Full,
    /// Those that changed since the file before.
    Delta,
}

/// Which rows say that their record is gone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletesConfig {
    /// The column that tells.
    pub column: String,
    /// What it holds then: `[削除, D, '9']`.
    pub values: Vec<String>,
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
    /// Shift_JIS-2004: the characters of JIS X 0213.
    #[serde(rename = "shift_jis-2004")]
    ShiftJis2004,
    /// EUC-JIS-2004: the characters of JIS X 0213.
    #[serde(rename = "euc-jis-2004")]
    EucJis2004,
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
            EncodingSetting::ShiftJis2004 => Some(Encoding::ShiftJis2004),
            EncodingSetting::EucJis2004 => Some(Encoding::EucJis2004),
            EncodingSetting::Utf16Le => Some(Encoding::Utf16Le),
            EncodingSetting::Utf16Be => Some(Encoding::Utf16Be),
        }
    }
}

fn default_members() -> String {
    "*".to_owned()
}

fn default_header() -> bool {
    true
}

fn default_header_rows() -> u32 {
    1
}
