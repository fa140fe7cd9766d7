//! Rows of SQLite, where every value has a type of its own.

use std::time::Duration;

use futures::StreamExt;
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{AssertSqlSafe, Decode, Row, TypeInfo, ValueRef};

use super::{Gather, Kind, Line, within};
use crate::connect::canonical;
use crate::connect::sql::form::base64;
use crate::connect::sql::link::Failure;

pub(super) async fn rows(
    link: &mut SqliteConnection,
    statement: &str,
    patience: Duration,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<u64, Failure> {
    let mut found = sqlx::query(AssertSqlSafe(statement)).persistent(false).fetch(link);
    let (mut bytes, mut gather) = (0u64, Gather::default());
    while let Some(row) = within(patience, found.next()).await? {
        let row = row?;
        gather.clear();
        for at in 0..row.len() {
            let value = row.try_get_raw(at)?;
            if value.is_null() {
                gather.push(Kind::Null, &[]);
                continue;
            }
            let wrong = |error: sqlx::error::BoxDynError| Failure::Protocol(error.to_string());
            let kind = value.type_info().name().to_owned();
            match kind.as_str() {
                "INTEGER" => {
                    let number = <i64 as Decode<Sqlite>>::decode(value).map_err(wrong)?;
                    gather.push(Kind::Number, number.to_string().as_bytes());
                }
                "REAL" => {
                    let number = <f64 as Decode<Sqlite>>::decode(value).map_err(wrong)?;
                    gather.push(Kind::Number, canonical::number(&format!("{number:?}")).as_bytes());
                }
                "TEXT" => gather.push(Kind::Text, <&[u8] as Decode<Sqlite>>::decode(value).map_err(wrong)?),
                _ => {
                    let blob = <&[u8] as Decode<Sqlite>>::decode(value).map_err(wrong)?;
                    gather.push(Kind::Bytes, base64(blob).as_bytes());
                }
            }
        }
        bytes += gather.data.len() as u64;
        take(gather.line());
    }
    Ok(bytes)
}
