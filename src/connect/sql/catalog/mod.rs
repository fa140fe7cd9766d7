//! What a database says of its tables: columns, types, labels, keys and indexes.

mod mysql;
#[cfg(feature = "odbc")]
mod odbc;
#[cfg(feature = "odbc")]
mod oracle;
mod postgres;
mod sqlite;
#[cfg(feature = "odbc")]
mod sqlserver;

use super::config::{Engine, Origin};
use super::form::Form;
use super::link::{Failure, Link};

/// A column of a table, view or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The database's own word for its type.
    pub(super) source_type: String,
    pub(super) form: Form,
    /// Whether it may be NULL, as far as is known.
    pub(super) is_nullable: bool,
    /// Its comment in the database.
    pub(super) label: Option<String>,
    /// The values that its type offers.
    pub(super) choices: Vec<String>,
}

/// A table, view or query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Relation {
    /// Its comment in the database.
    pub(super) label: Option<String>,
    pub(super) columns: Vec<Column>,
    /// Columns that are there and may not be read.
    pub(super) hidden: Vec<String>,
    /// The columns of the primary key, in its order.
    pub(super) primary: Vec<String>,
    /// The columns of each index, in its order, and whether it keeps rows apart.
    pub(super) indexes: Vec<(Vec<String>, bool)>,
    /// Whether it is a table, which an index can be made for.
    pub(super) is_table: bool,
}

/// A table or view that the database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// As it is written in the settings.
    pub(super) name: String,
    pub(super) label: Option<String>,
    /// Whether it belongs to the database's own housekeeping.
    pub(super) is_minor: bool,
}

impl Relation {
    /// The column called `name`.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the database sees to it that no two rows have the same `key`, and none has NULL in it.
    pub(super) fn keeps_apart(&self, key: &[String]) -> bool {
        let is_within = |columns: &[String]| !columns.is_empty() && columns.iter().all(|column| key.contains(column));
        let is_never_null =
            |columns: &[String]| columns.iter().all(|name| self.column(name).is_some_and(|c| !c.is_nullable));
        is_within(&self.primary)
            || self
                .indexes
                .iter()
                .any(|(columns, is_unique)| *is_unique && is_within(columns) && is_never_null(columns))
    }

    /// Whether rows can be walked in the order of `columns` without sorting the table.
    pub(super) fn walks(&self, columns: &[String]) -> bool {
        self.primary.starts_with(columns) || self.indexes.iter().any(|(index, _)| index.starts_with(columns))
    }

    /// Whether rows can be found by `column` without reading the table.
    pub(super) fn finds(&self, column: &str) -> bool {
        self.walks(&[column.to_owned()])
    }
}

/// Describes relations, in the order asked for: `None` for what is not there.
pub(super) async fn describe(link: &mut Link, origins: &[&Origin]) -> Result<Vec<Option<Relation>>, Failure> {
    let tables: Vec<&str> = origins
        .iter()
        .filter_map(|origin| match origin {
            Origin::Table(name) => Some(name.as_str()),
            Origin::Query(_) => None,
        })
        .collect();
    let mut described = match link {
        _ if tables.is_empty() => Vec::new(),
        Link::Postgres(link) => postgres::tables(link, &tables).await?,
        Link::Mysql(link) => mysql::tables(link, &tables).await?,
        Link::Sqlite(link) => sqlite::tables(&mut link.connection, &tables).await?,
        #[cfg(feature = "odbc")]
        Link::Odbc(link) => odbc::tables(link, &tables).await?,
    }
    .into_iter();
    let mut relations = Vec::with_capacity(origins.len());
    for origin in origins {
        relations.push(match origin {
            Origin::Table(_) => described.next().flatten(),
            Origin::Query(query) => Some(match link {
                Link::Postgres(link) => postgres::query(link, query).await?,
                Link::Mysql(link) => mysql::query(link, query).await?,
                Link::Sqlite(link) => sqlite::query(&mut link.connection, query).await?,
                #[cfg(feature = "odbc")]
                Link::Odbc(link) => odbc::query(link, query).await?,
            }),
        });
    }
    Ok(relations)
}

/// All tables and views.
pub(super) async fn list(link: &mut Link) -> Result<Vec<Listed>, Failure> {
    match link {
        Link::Postgres(link) => postgres::list(link).await,
        Link::Mysql(link) => mysql::list(link).await,
        Link::Sqlite(link) => sqlite::list(&mut link.connection).await,
        #[cfg(feature = "odbc")]
        Link::Odbc(link) => odbc::list(link).await,
    }
}

/// The form of a type, by the database's own word for it without its parameters.
pub(super) fn form_of(engine: Engine, word: &str) -> Form {
    match engine {
        Engine::Postgresql => postgres::form_of(word),
        Engine::Mysql => mysql::form_of(word),
        Engine::Sqlite => Form::Dynamic,
        #[cfg(feature = "odbc")]
        Engine::Sqlserver => sqlserver::form_of(word),
        #[cfg(feature = "odbc")]
        Engine::Oracle => oracle::form_of(word),
        _ => Form::Text,
    }
}

/// A column of a query, of which only name and type are known.
fn plain(engine: Engine, name: &str, word: &str) -> Column {
    let word = word.to_lowercase();
    Column {
        name: name.to_owned(),
        form: form_of(engine, &word),
        source_type: word,
        is_nullable: true,
        label: None,
        choices: Vec::new(),
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
