//! Rows of MySQL and MariaDB by the text protocol: every value as the server writes it.

use std::time::Duration;

use futures::StreamExt;
use sqlx::mysql::{MySql, MySqlConnection};
use sqlx::{AssertSqlSafe, Decode, Row, ValueRef};

use super::{Gather, Kind, Line, within};
use crate::connect::sql::form::{Form, base64};
use crate::connect::sql::link::Failure;

pub(super) async fn rows(
    link: &mut MySqlConnection,
    statement: &str,
    forms: &[Form],
    patience: Duration,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<u64, Failure> {
    let mut found = sqlx::raw_sql(AssertSqlSafe(statement)).fetch(link);
    let (mut bytes, mut gather) = (0u64, Gather::default());
    while let Some(row) = within(patience, found.next()).await? {
        let row = row?;
        if row.len() != forms.len() {
            return Err(Failure::Protocol(format!("a row has {} cells instead of {}", row.len(), forms.len())));
        }
        gather.clear();
        for (at, form) in forms.iter().enumerate() {
            let value = row.try_get_raw(at)?;
            if value.is_null() {
                gather.push(Kind::Null, &[]);
                continue;
            }
            let text = <&[u8] as Decode<MySql>>::decode(value).map_err(|error| Failure::Protocol(error.to_string()))?;
            bytes += text.len() as u64;
            if *form == Form::Bytes {
                gather.push(Kind::Bytes, base64(text).as_bytes());
            } else {
                gather.push(Kind::Text, text);
            }
        }
        take(gather.line());
    }
    Ok(bytes)
}
