//! Look-up tables: `lookups/*.csv` of a project, for `lookup('table', key, 'column')` in expressions.
//!
//! The first column is the key, each key stands once; the first line names the columns. What a table says is part of what
//! a kept snapshot was made from: changing it restates the past.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::diagnostic::{did_you_mean, nearest};
use crate::config::{Place, Problem};

/// The tables of a project, by name.
#[derive(Debug, Default)]
pub struct Lookups {
    tables: BTreeMap<String, Arc<Table>>,
}

impl Lookups {
    /// These tables.
    pub fn of(tables: impl IntoIterator<Item = Table>) -> Self {
        Lookups { tables: tables.into_iter().map(|table| (table.name.clone(), Arc::new(table))).collect() }
    }

    /// The table called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// What to do where there is no table of that name.
    pub(crate) fn advice(&self, name: &str) -> String {
        let near = nearest(name, self.tables.keys().map(String::as_str)).map(did_you_mean);
        near.unwrap_or_else(|| format!("make lookups/{name}.csv: a line with the columns' names, the key first"))
    }

    /// A hash of each table's text, by name.
    pub fn hashes(&self) -> BTreeMap<&str, &str> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table.hash.as_str())).collect()
    }
}

/// One table.
#[derive(Debug)]
pub struct Table {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The columns' names, that of the key first.
    pub(crate) columns: Vec<String>,
    rows: HashMap<String, Vec<Option<String>>>,
    pub(crate) hash: String,
}

impl Table {
    /// Reads a CSV file; `file` is how problems name it.
    ///
    /// # Errors
    ///
    /// All problems: no header, too few columns, rows of another width, a key that is missing or stands twice.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Table, Vec<Problem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reading = Reading { file, text, problems: Vec::new() };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut lines = reader.records();
        let header = match lines.next() {
            Some(Ok(header)) => header,
            Some(Err(error)) => return Err(reading.broken(&error)),
            None => {
                return Err(reading.only(
                    "C080",
                    1,
                    "the look-up table is empty",
                    "write a line with the columns' names, the key first",
                ));
            }
        };
        let columns: Vec<String> = header.iter().map(str::to_owned).collect();
        reading.header(&columns);
        let mut rows = HashMap::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for line in lines {
            let line = match line {
                Ok(line) => line,
                Err(error) => return Err(reading.broken(&error)),
            };
            let number = line.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
            if line.len() != columns.len() {
                let message = format!("this line has {} cells, the header {}", line.len(), columns.len());
                reading.push("C080", number, message, "put cells that hold a comma into double quotes");
                continue;
            }
            let Some(key) = line.get(0).filter(|key| !key.is_empty()) else {
                reading.push("C080", number, "the key of this line is empty".to_owned(), "the first cell is the key");
                continue;
            };
            if let Some(first) = seen.insert(key.to_owned(), number) {
                let message = format!("the key of this line is already in line {first}");
                reading.push("C081", number, message, "a key stands once: delete one of the lines");
                continue;
            }
            let cell = |cell: &str| if cell.is_empty() { None } else { Some(cell.to_owned()) };
            rows.insert(key.to_owned(), line.iter().map(cell).collect());
        }
        if !reading.problems.is_empty() {
            return Err(reading.problems);
        }
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()));
        Ok(Table { name: name.to_owned(), columns, rows, hash })
    }

    /// The cell of a key's row; `None` where there is no such key or the cell is empty.
    pub(crate) fn get(&self, key: &str, column: usize) -> Option<&str> {
        self.rows.get(key.trim())?.get(column)?.as_deref()
    }
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn header(&mut self, columns: &[String]) {
        if columns.len() < 2 {
            let message = "a look-up table needs a key and at least one more column";
            self.push("C080", 1, message.to_owned(), "separate columns by commas");
        }
        for (at, name) in columns.iter().enumerate() {
            if name.is_empty() {
                self.push("C080", 1, format!("column {} has no name", at + 1), "name every column in the first line");
            } else if columns[..at].contains(name) {
                self.push("C081", 1, format!("the column `{name}` stands twice"), "rename one");
            }
        }
    }

    fn push(&mut self, code: &'static str, line: usize, message: String, advice: &str) {
        let source_line = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        let width = source_line.chars().count().max(1);
        let place = Place { file: self.file.to_owned(), line, column: 1, width };
        self.problems.push(Problem { code, place, message, source_line, suggestion: Some(advice.to_owned()) });
    }

    fn only(mut self, code: &'static str, line: usize, message: &str, advice: &str) -> Vec<Problem> {
        self.push(code, line, message.to_owned(), advice);
        self.problems
    }

    fn broken(mut self, error: &csv::Error) -> Vec<Problem> {
        let line = error.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
        self.push("C080", line, "this is no CSV".to_owned(), "save it as CSV in UTF-8, with commas");
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let problems = Table::parse("業種", "lookups/業種.csv", text).map(|_| Vec::new()).unwrap_or_else(|found| found);
        problems.iter().map(|problem| format!("{} {} {}", problem.code, problem.place, problem.message)).collect()
    }

    #[test]
    fn a_table_is_read_by_its_key() {
        let table = Table::parse("業種", "lookups/業種.csv", "\u{feff}コード,名称\n 01 ,\"製造,加工\"\n02,\n").unwrap();
        assert_eq!(table.columns, ["コード", "名称"]);
        assert_eq!(table.get("01", 1), Some("製造,加工"));
        assert_eq!(table.get(" 01", 1), Some("製造,加工"));
        assert_eq!(table.get("02", 1), None);
        assert_eq!(table.get("03", 1), None);
    }

    #[test]
    fn all_problems_of_a_table_are_told_with_their_lines() {
        assert_eq!(told(""), ["C080 lookups/業種.csv:1:1 the look-up table is empty"]);
        assert_eq!(
            told("コード\n01\n"),
            ["C080 lookups/業種.csv:1:1 a look-up table needs a key and at least one more column"]
        );
        assert_eq!(
            told("コード,名称,名称\n01,a,b\n01,c,d\n,e,f\n02,g\n"),
            [
                "C081 lookups/業種.csv:1:1 the column `名称` stands twice",
                "C081 lookups/業種.csv:3:1 the key of this line is already in line 2",
                "C080 lookups/業種.csv:4:1 the key of this line is empty",
                "C080 lookups/業種.csv:5:1 this line has 2 cells, the header 3",
            ]
        );
    }

    #[test]
    fn another_cell_is_another_hash() {
        let hash = |text| Table::parse("t", "lookups/t.csv", text).unwrap().hash;
        assert_ne!(hash("a,b\n1,2\n"), hash("a,b\n1,3\n"));
        assert_eq!(hash("\u{feff}a,b\n1,2\n"), hash("a,b\n1,2\n"));
    }
}
