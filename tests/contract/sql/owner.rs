//! The database in the hands of its owner, asked from code that cannot wait: a thread of its own talks to it.

use std::sync::mpsc;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

/// A statement, and where its rows are to be sent.
type Order = (String, mpsc::Sender<Result<Vec<Vec<Option<String>>>, String>>);

/// A connection that may do anything.
pub(super) struct Owner {
    orders: mpsc::Sender<Order>,
}

impl Owner {
    /// Connects to the database at `url`.
    pub(super) fn connect(url: &str) -> Owner {
        let options: PgConnectOptions = url.parse().unwrap();
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = options.connect().await.unwrap();
                while let Ok((statement, answer)) = inbox.recv() {
                    let _ = answer.send(ask(&mut connection, statement).await);
                }
            });
        });
        Owner { orders }
    }

    /// Runs statements; the rows of the last, as text.
    pub(super) fn ask(&self, statements: impl Into<String>) -> Vec<Vec<Option<String>>> {
        let statements = statements.into();
        let (answer, told) = mpsc::channel();
        self.orders.send((statements.clone(), answer)).unwrap();
        told.recv().unwrap().unwrap_or_else(|error| panic!("{error}: {statements}"))
    }
}

async fn ask(connection: &mut PgConnection, statements: String) -> Result<Vec<Vec<Option<String>>>, String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_all(connection).await;
    let rows = rows.map_err(|error| error.to_string())?;
    let cell = |row: &sqlx::postgres::PgRow, at| row.try_get_unchecked::<Option<String>, usize>(at).unwrap();
    Ok(rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect())
}
