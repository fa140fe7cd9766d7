//! The current state as ordinary SQL tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array,
};
use nenrin::error::ErrorKind;
use nenrin::publish::{PublishReport, publish};
use nenrin::schema::{EntityConfig, Label, VariableConfig, VariableType};
use nenrin::snapshot::{Cell, State};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use super::{Bench, at};

on_both! {
    every_type_arrives_without_loss,
    only_rows_that_changed_are_written,
    a_new_variable_becomes_a_column_and_a_dropped_one_goes,
    a_changed_type_makes_the_column_anew,
    a_table_that_is_not_ours_is_never_touched,
    a_column_that_is_not_ours_is_never_touched,
    a_dropped_table_comes_back_equal,
    a_view_on_a_column_that_goes_stops_publishing_and_nothing_is_lost,
    a_failure_in_mid_table_leaves_it_as_it_was,
    a_child_without_a_customer_is_kept,
    unknown_is_told_apart_from_empty,
    thousands_of_rows_go_in_chunks,
    two_that_publish_at_once_both_succeed,
}

/// A state of one entity, built row by row; every cell is a value or empty unless told otherwise.
struct Table {
    entity: EntityConfig,
    variables: Vec<VariableConfig>,
    columns: Vec<(String, ArrayRef)>,
}

fn variable(name: &str, r#type: VariableType) -> VariableConfig {
    serde_json::from_value(serde_json::json!({ "name": name, "type": r#type })).unwrap()
}

fn entity(name: &str) -> EntityConfig {
    EntityConfig { name: name.to_owned(), label: Label::default(), description: None, variables: Vec::new() }
}

impl Table {
    fn customers(ids: &[&str]) -> Table {
        let observed = UInt8Array::from(vec![0; ids.len()]);
        Table {
            entity: entity("customer"),
            variables: Vec::new(),
            columns: vec![
                ("customer_id".to_owned(), Arc::new(StringArray::from(ids.to_vec()))),
                ("_coverage".to_owned(), Arc::new(observed)),
            ],
        }
    }

    fn contacts(ids: &[(&str, Option<&str>)]) -> Table {
        let customers: Vec<Option<&str>> = ids.iter().map(|(_, customer)| *customer).collect();
        let records: Vec<&str> = ids.iter().map(|(record, _)| *record).collect();
        Table {
            entity: entity("contact"),
            variables: Vec::new(),
            columns: vec![
                ("customer_id".to_owned(), Arc::new(StringArray::from(customers))),
                ("record_id".to_owned(), Arc::new(StringArray::from(records))),
                ("_coverage".to_owned(), Arc::new(UInt8Array::from(vec![0; ids.len()]))),
            ],
        }
    }

    fn with(self, name: &str, r#type: VariableType, values: impl datafusion::arrow::array::Array + 'static) -> Table {
        let cells = (0..values.len()).map(|row| if values.is_valid(row) { Cell::Value } else { Cell::Empty }).collect();
        self.with_cells(name, r#type, values, cells)
    }

    fn with_cells(
        mut self,
        name: &str,
        r#type: VariableType,
        values: impl datafusion::arrow::array::Array + 'static,
        cells: Vec<Cell>,
    ) -> Table {
        let sources = StringArray::from(vec![None::<&str>; values.len()]);
        let cells: UInt8Array = cells.into_iter().map(|cell| Some(cell as u8)).collect();
        self.columns.push((name.to_owned(), Arc::new(values)));
        self.columns.push((format!("{name}$cell"), Arc::new(cells)));
        self.columns.push((format!("{name}$source"), Arc::new(sources)));
        self.variables.push(variable(name, r#type));
        self
    }

    fn state(&self) -> State {
        let batch = RecordBatch::try_from_iter(self.columns.clone()).unwrap();
        State {
            at: at("2026-10-01T12:00:00Z"),
            known_at: None,
            settled: true,
            provisional_because: Vec::new(),
            streams: Vec::new(),
            entities: BTreeMap::from([(self.entity.name.clone(), batch)]),
        }
    }

    async fn publish(&self, bench: &Bench) -> nenrin::error::Result<PublishReport> {
        publish(&bench.control, &self.state(), &[(self.entity.clone(), self.variables.clone())]).await
    }
}

fn money(values: Vec<Option<i128>>, scale: i8) -> Decimal128Array {
    Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap()
}

async fn database(bench: &Bench) -> DatabaseConnection {
    Database::connect(&bench.url).await.unwrap()
}

/// The answer to a query, every value cast to text by the query, as `a|b` lines; null is `∅`.
async fn ask(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter()
        .map(|row| {
            let values = row
                .column_names()
                .into_iter()
                .map(|name| row.try_get::<Option<String>>("", &name).unwrap().unwrap_or_else(|| "∅".to_owned()));
            values.collect::<Vec<_>>().join("|")
        })
        .collect()
}

fn two_customers(mrr: [Option<i128>; 2]) -> Table {
    Table::customers(&["c1", "c2"])
        .with("name", VariableType::Text, StringArray::from(vec![Some("株式会社アクメ"), Some("ACME Inc.")]))
        .with("mrr", VariableType::Money, money(mrr.to_vec(), 0))
}

async fn every_type_arrives_without_loss(bench: Bench) {
    let exact = 12_345_678_901_234_567_890_123_456_789_i128;
    let table = Table::customers(&["c1", "c2"])
        .with("name", VariableType::Text, StringArray::from(vec![Some("髙橋 ⛄ O'Neil\0"), None]))
        .with("seats", VariableType::Integer, Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX)]))
        .with("mrr", VariableType::Money, money(vec![Some(1_200_000), Some(-exact)], 0))
        .with("rate", VariableType::Percent, money(vec![Some(333_333_333_333), Some(exact)], 10))
        .with("active", VariableType::Boolean, BooleanArray::from(vec![Some(true), None]))
        .with("start", VariableType::Date, Date32Array::from(vec![Some(20_362), Some(-25_567)]))
        .with(
            "seen_at",
            VariableType::Datetime,
            TimestampMicrosecondArray::from(vec![Some(1_790_000_000_000_001), None]).with_timezone("UTC"),
        );
    let report = table.publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { inserted: 2, ..Default::default() });
    let db = database(&bench).await;
    let text = |column: &str| match (db.get_database_backend(), column) {
        (DbBackend::Postgres, "rate") => "CAST(trim_scale(rate) AS TEXT) AS rate".to_owned(),
        (DbBackend::Postgres, "seen_at") => {
            r#"to_char(seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS seen_at"#.to_owned()
        }
        (DbBackend::Postgres, "active") => "CASE WHEN active THEN '1' END AS active".to_owned(),
        _ => format!("CAST({column} AS TEXT) AS {column}"),
    };
    let columns = ["name", "seats", "mrr", "rate", "active", "start", "seen_at"].map(text).join(", ");
    let answer = ask(&db, &format!("SELECT {columns} FROM customer ORDER BY customer_id")).await;
    assert_eq!(
        answer,
        [
            "髙橋 ⛄ O'Neil␀|-9223372036854775808|1200000|33.3333333333|1|2025-10-01|2026-09-21T14:13:20.000001Z",
            "∅|9223372036854775807|-12345678901234567890123456789|1234567890123456789.0123456789|∅|1900-01-01|∅",
        ]
    );
    // Numbers compare as numbers, not as text.
    let larger = ask(&db, "SELECT customer_id FROM customer WHERE mrr > 900 AND seats < 5 AND rate > 4").await;
    assert_eq!(larger, ["c1"]);
    let types = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT name || ' ' || lower(type) AS t FROM pragma_table_info('customer') WHERE cid < 8",
        _ => {
            "SELECT attname || ' ' || format_type(atttypid, atttypmod) AS t FROM pg_attribute \
             WHERE attrelid = 'customer'::regclass AND attnum BETWEEN 1 AND 8 ORDER BY attnum"
        }
    };
    let seen_at = match db.get_database_backend() {
        DbBackend::Sqlite => "seen_at timestamp",
        _ => "seen_at timestamp with time zone",
    };
    let types: Vec<String> = ask(&db, types).await.into_iter().map(|line| line.replace(", ", ",")).collect();
    assert_eq!(
        types,
        [
            "customer_id text",
            "name text",
            if db.get_database_backend() == DbBackend::Sqlite { "seats integer" } else { "seats bigint" },
            "mrr numeric(38,0)",
            "rate numeric(38,10)",
            "active boolean",
            "start date",
            seen_at,
        ]
    );
}

async fn only_rows_that_changed_are_written(bench: Bench) {
    two_customers([Some(100), Some(200)]).publish(&bench).await.unwrap();
    let report = two_customers([Some(100), Some(200)]).publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { unchanged: 2, ..Default::default() });
    // Whoever writes a row again would lose this mark.
    let db = database(&bench).await;
    db.execute_unprepared("UPDATE customer SET name = 'mark'").await.unwrap();
    let report = two_customers([Some(100), Some(250)]).publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { updated: 1, unchanged: 1, ..Default::default() });
    let rows = ask(&db, "SELECT customer_id, name, CAST(mrr AS TEXT) AS mrr FROM customer ORDER BY 1").await;
    assert_eq!(rows, ["c1|mark|100", "c2|ACME Inc.|250"]);
    // One goes, another comes.
    let report = Table::customers(&["c2", "c3"])
        .with("name", VariableType::Text, StringArray::from(vec!["ACME Inc.", "new"]))
        .with("mrr", VariableType::Money, money(vec![Some(250), None], 0))
        .publish(&bench)
        .await
        .unwrap();
    assert_eq!(report, PublishReport { inserted: 1, deleted: 1, unchanged: 1, ..Default::default() });
    assert_eq!(ask(&db, "SELECT customer_id FROM customer ORDER BY 1").await, ["c2", "c3"]);
}

async fn a_new_variable_becomes_a_column_and_a_dropped_one_goes(bench: Bench) {
    two_customers([Some(100), None]).publish(&bench).await.unwrap();
    let mut table =
        two_customers([Some(100), None]).with("login_rate", VariableType::Percent, money(vec![Some(5), None], 10));
    table.variables[2].label = Label { ja: Some("ログイン率'; --".to_owned()), en: Some("Login rate".to_owned()) };
    let report = table.publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { updated: 1, unchanged: 1, columns_added: 1, ..Default::default() });
    let db = database(&bench).await;
    if db.get_database_backend() == DbBackend::Postgres {
        let comment = "SELECT col_description('customer'::regclass, attnum) AS c FROM pg_attribute \
                       WHERE attrelid = 'customer'::regclass AND attname = 'login_rate'";
        assert_eq!(ask(&db, comment).await, ["ログイン率'; -- (Login rate)"]);
    }
    let report = two_customers([Some(100), None]).publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { updated: 1, unchanged: 1, columns_dropped: 1, ..Default::default() });
    db.query_all_raw(Statement::from_string(db.get_database_backend(), "SELECT login_rate FROM customer"))
        .await
        .unwrap_err();
    let report = two_customers([Some(100), None]).publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { unchanged: 2, ..Default::default() });
}

async fn a_changed_type_makes_the_column_anew(bench: Bench) {
    let as_text =
        Table::customers(&["c1", "c2"]).with("seats", VariableType::Text, StringArray::from(vec![Some("12"), None]));
    as_text.publish(&bench).await.unwrap();
    let as_number =
        Table::customers(&["c1", "c2"]).with("seats", VariableType::Integer, Int64Array::from(vec![Some(12), None]));
    let report = as_number.publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { updated: 1, unchanged: 1, columns_rebuilt: 1, ..Default::default() });
    let db = database(&bench).await;
    assert_eq!(ask(&db, "SELECT CAST(seats + 1 AS TEXT) AS s FROM customer ORDER BY customer_id").await, ["13", "∅"]);
}

async fn a_table_that_is_not_ours_is_never_touched(bench: Bench) {
    let db = database(&bench).await;
    for made in ["CREATE TABLE customer (customer_id TEXT, precious TEXT)", "CREATE VIEW contact AS SELECT 1 AS one"] {
        db.execute_unprepared(made).await.unwrap();
    }
    db.execute_unprepared("INSERT INTO customer VALUES ('c1', 'keep me')").await.unwrap();
    let error = two_customers([None, None]).publish(&bench).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.render().contains("table: customer"), "{error:?}");
    assert!(error.help_text().unwrap().contains("ALTER TABLE customer RENAME TO"));
    assert_eq!(ask(&db, "SELECT precious FROM customer").await, ["keep me"]);
    let error = Table::contacts(&[("r1", None)]).publish(&bench).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    // Nor are the tables of the control database.
    let runs = Table { entity: entity("runs"), ..Table::contacts(&[("r1", None)]) };
    assert_eq!(runs.publish(&bench).await.unwrap_err().kind(), ErrorKind::Conflict);
}

async fn a_column_that_is_not_ours_is_never_touched(bench: Bench) {
    two_customers([None, None]).publish(&bench).await.unwrap();
    let db = database(&bench).await;
    db.execute_unprepared("ALTER TABLE customer ADD COLUMN note TEXT").await.unwrap();
    db.execute_unprepared("UPDATE customer SET note = 'call them'").await.unwrap();
    two_customers([Some(1), None]).publish(&bench).await.unwrap();
    assert_eq!(ask(&db, "SELECT note FROM customer").await, ["call them", "call them"]);
    let clash = two_customers([Some(1), None]).with("note", VariableType::Text, StringArray::from(vec!["a", "b"]));
    assert_eq!(clash.publish(&bench).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(ask(&db, "SELECT note FROM customer").await, ["call them", "call them"]);
}

async fn a_dropped_table_comes_back_equal(bench: Bench) {
    two_customers([Some(1), Some(2)]).publish(&bench).await.unwrap();
    let db = database(&bench).await;
    let all = "SELECT customer_id, name, CAST(mrr AS TEXT) AS mrr, _row_hash FROM customer ORDER BY 1";
    let before = ask(&db, all).await;
    db.execute_unprepared("DROP TABLE customer").await.unwrap();
    let report = two_customers([Some(1), Some(2)]).publish(&bench).await.unwrap();
    assert_eq!(report.inserted, 2);
    assert_eq!(ask(&db, all).await, before);
    // So does a column.
    db.execute_unprepared("ALTER TABLE customer DROP COLUMN mrr").await.unwrap();
    let report = two_customers([Some(1), Some(2)]).publish(&bench).await.unwrap();
    assert_eq!(report.updated, 2);
    assert_eq!(ask(&db, all).await, before);
}

async fn a_view_on_a_column_that_goes_stops_publishing_and_nothing_is_lost(bench: Bench) {
    two_customers([Some(1), Some(2)]).publish(&bench).await.unwrap();
    let db = database(&bench).await;
    db.execute_unprepared("CREATE VIEW large AS SELECT customer_id FROM customer WHERE mrr > 1").await.unwrap();
    let without = Table::customers(&["c1", "c2"]);
    let error = without.publish(&bench).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert!(error.render().contains("column: "), "{error:?}");
    assert_eq!(ask(&db, "SELECT customer_id FROM large").await, ["c2"]);
}

async fn a_failure_in_mid_table_leaves_it_as_it_was(bench: Bench) {
    two_customers([Some(1), Some(2)]).publish(&bench).await.unwrap();
    let mut ids: Vec<String> = (0..3_000).map(|i| format!("c{i}")).collect();
    ids.push("c1".to_owned()); // twice
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let error = Table::customers(&ids).publish(&bench).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let db = database(&bench).await;
    assert_eq!(ask(&db, "SELECT customer_id, CAST(mrr AS TEXT) AS m FROM customer ORDER BY 1").await, ["c1|1", "c2|2"]);
}

async fn a_child_without_a_customer_is_kept(bench: Bench) {
    let report = Table::contacts(&[("r1", Some("c1")), ("r2", None)])
        .with("email", VariableType::Email, StringArray::from(vec!["a@example.com", "b@example.com"]))
        .publish(&bench)
        .await
        .unwrap();
    assert_eq!(report.inserted, 2);
    let db = database(&bench).await;
    let rows = ask(&db, "SELECT record_id, customer_id, email FROM contact ORDER BY 1").await;
    assert_eq!(rows, ["r1|c1|a@example.com", "r2|∅|b@example.com"]);
}

async fn unknown_is_told_apart_from_empty(bench: Bench) {
    let table = |second| {
        Table::customers(&["c1", "c2"]).with_cells(
            "mrr",
            VariableType::Money,
            money(vec![None, None], 0),
            vec![Cell::Empty, second],
        )
    };
    table(Cell::Held).publish(&bench).await.unwrap();
    let db = database(&bench).await;
    let rows = ask(&db, "SELECT customer_id, _coverage, _unknown FROM customer ORDER BY 1").await;
    assert_eq!(rows, ["c1|observed|∅", "c2|observed|mrr"]);
    let report = table(Cell::Empty).publish(&bench).await.unwrap();
    assert_eq!(report, PublishReport { updated: 1, unchanged: 1, ..Default::default() });
}

async fn thousands_of_rows_go_in_chunks(bench: Bench) {
    let ids: Vec<String> = (0..5_000).map(|i| format!("c{i:05}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut table = Table::customers(&ids);
    for i in 0..40 {
        table = table.with(&format!("v{i}"), VariableType::Integer, Int64Array::from(vec![Some(i); ids.len()]));
    }
    assert_eq!(table.publish(&bench).await.unwrap().inserted, 5_000);
    assert_eq!(table.publish(&bench).await.unwrap().unchanged, 5_000);
    let none =
        Table { variables: table.variables.clone(), columns: table.columns.clone(), entity: table.entity.clone() };
    let empty = State { entities: BTreeMap::new(), ..none.state() };
    let report = publish(&bench.control, &empty, &[(none.entity, none.variables)]).await.unwrap();
    assert_eq!(report.deleted, 5_000);
}

async fn two_that_publish_at_once_both_succeed(bench: Bench) {
    let other = bench.another().await;
    let (one, two) = (two_customers([Some(1), Some(2)]), two_customers([Some(1), Some(2)]));
    let (one_state, two_state) = (one.state(), two.state());
    let entities = [(one.entity, one.variables)];
    let (first, second) =
        tokio::join!(publish(&bench.control, &one_state, &entities), publish(&other, &two_state, &entities));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.inserted + second.inserted, 2);
    assert_eq!(first.unchanged + second.unchanged, 2);
}
