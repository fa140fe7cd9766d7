//! Custom variables that come later, and fields that come and go.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::UInt8Type;
use nenrin::schema::types::format_cell;
use nenrin::snapshot::{Cell, State};
use serde_json::json;
use simulators::salesforce::{FieldSpec, Options};

use super::{OCTOBER, SEPTEMBER};
use crate::support::app::{TestApp, at};
use crate::support::org::fields;
use crate::support::postgres;

/// A variable made from one field of the accounts.
fn variable(name: &str, kind: &str, expr: &str) -> String {
    format!(
        "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: {name}\ntype: {kind}\n\
         from:\n  - {{ source: salesforce, stream: Account, expr: \"{expr}\" }}\n"
    )
}

/// What `variable` says of each customer, by name.
fn column(state: &State, variable: &str) -> BTreeMap<String, (Cell, Option<String>)> {
    let batch = &state.entities["customer"];
    let names = batch.column_by_name("name").unwrap().as_string::<i32>();
    let values = batch.column_by_name(variable).unwrap();
    let cells = batch.column_by_name(&format!("{variable}$cell")).unwrap().as_primitive::<UInt8Type>();
    (0..batch.num_rows())
        .map(|row| {
            let name = if names.is_valid(row) { names.value(row) } else { "?" };
            (name.to_owned(), (Cell::from_u8(cells.value(row)).unwrap(), format_cell(&**values, row)))
        })
        .collect()
}

fn cell(state: &State, variable: &str, name: &str) -> (Cell, Option<String>) {
    column(state, variable).get(name).unwrap_or_else(|| panic!("{name} is not there")).clone()
}

/// An org with two customers, read in September and, after one of them changed, in October.
async fn two_customers(settings: &str) -> (TestApp, [String; 2]) {
    let app = TestApp::new("2026-08-01T00:00:00Z").with_salesforce(Options::default(), &[]).await;
    if !settings.is_empty() {
        app.write("nenrin.yaml", settings);
    }
    let org = app.org();
    let insert = |name: &str, seats: &str| {
        org.insert("Account", &fields(json!({ "Name": name, "Seats__c": seats, "Site": "東京" }))).unwrap()
    };
    let ids = [insert("青空", "10"), insert("白雲", "20")];
    app.set_now(SEPTEMBER);
    app.sync("salesforce").await;
    app.set_now("2026-09-10T00:00:00Z");
    org.update("Account", &ids[0], &fields(json!({ "Seats__c": "15" }))).unwrap();
    app.set_now(OCTOBER);
    app.sync("salesforce").await;
    (app, ids)
}

async fn a_variable_added_later_is_there_in_the_past_and_in_sql(settings: &str, type_sql: &str, number_type: &str) {
    let (app, _) = two_customers(settings).await;
    app.publish().await;
    let files = app.lake_files();
    app.org().clear_calls();
    app.write("schemas/variables/seats.yaml", &variable("seats", "integer", "Seats__c"));
    let of = |state: &State| (cell(state, "seats", "青空").1.unwrap(), cell(state, "seats", "白雲").1.unwrap());
    assert_eq!(of(&app.state("2026-08").await), ("10".to_owned(), "20".to_owned()));
    assert_eq!(of(&app.state("2026-09").await), ("15".to_owned(), "20".to_owned()));
    let report = app.publish().await;
    assert_eq!((report.columns_added, report.inserted, report.deleted), (1, 0, 0));
    assert_eq!(app.select("SELECT name || ' ' || (seats + 1) AS line FROM customer").await, ["白雲 21", "青空 16"]);
    assert_eq!(app.select(type_sql).await, [number_type]);
    assert_eq!(app.org().calls().len(), 0, "nobody asked the source");
    assert_eq!(app.lake_files(), files);
    // The definition changes: the past is restated at once.
    app.write("schemas/variables/seats.yaml", &variable("seats", "integer", "concat(Seats__c, '0')"));
    assert_eq!(cell(&app.state("2026-08").await, "seats", "青空").1.as_deref(), Some("100"));
    // It goes again, and its column with it.
    app.remove("schemas/variables/seats.yaml");
    assert_eq!(app.publish().await.columns_dropped, 1);
}

#[tokio::test]
async fn a_variable_added_later_is_there_in_the_past_and_a_typed_column_of_sqlite() {
    let types = "SELECT lower(type) AS line FROM pragma_table_info('customer') WHERE name = 'seats'";
    a_variable_added_later_is_there_in_the_past_and_in_sql("", types, "integer").await;
}

#[tokio::test]
async fn a_variable_added_later_is_there_in_the_past_and_a_typed_column_of_postgresql() {
    let settings = format!(
        "apiVersion: nenrin/v1\nkind: Project\ntimezone: Asia/Tokyo\ndatabase: {{ url: \"{}\" }}\n",
        postgres::new_database()
    );
    let types = "SELECT data_type::text AS line FROM information_schema.columns \
                 WHERE table_name = 'customer' AND column_name = 'seats'";
    a_variable_added_later_is_there_in_the_past_and_in_sql(&settings, types, "bigint").await;
}

#[tokio::test]
async fn b5_lesson_24_a_field_added_later_is_unknown_before_and_read_for_every_record_at_once() {
    let (app, ids) = two_customers("").await;
    let org = app.org();
    app.set_now("2026-10-05T00:00:00Z");
    org.add_field("Account", FieldSpec::text("Tier__c", "ランク", 20)).unwrap();
    // No stamp moves with what an administrator loads behind the scenes.
    org.change_silently("Account", &ids[1], &fields(json!({ "Tier__c": "gold" }))).unwrap();
    app.set_now("2026-10-06T00:00:00Z");
    let report = app.sync("salesforce").await;
    assert_eq!((report.mode, report.counts.read), ("full", 2), "every record is read for the new field");
    app.set_now("2026-10-07T00:00:00Z");
    assert_eq!(app.sync("salesforce").await.mode, "incremental", "and only once");
    app.write("schemas/variables/tier.yaml", &variable("tier", "text", "Tier__c"));
    for instant in ["2026-08", "2026-09", "2026-10-05T12:00:00Z"] {
        let state = app.state(instant).await;
        assert_eq!(cell(&state, "tier", "白雲"), (Cell::NotOffered, None), "{instant}");
        assert_eq!(cell(&state, "name", "白雲").0, Cell::Value, "{instant}");
    }
    let state = app.state("2026-10-06T12:00:00Z").await;
    assert_eq!(cell(&state, "tier", "白雲"), (Cell::Value, Some("gold".to_owned())));
    assert_eq!(cell(&state, "tier", "青空"), (Cell::Empty, None));
}

#[tokio::test]
async fn b5_lesson_26_a_hidden_field_is_unknown_while_it_is_hidden_and_empty_never() {
    let (app, ids) = two_customers("").await;
    let org = app.org();
    app.write("schemas/variables/site.yaml", &variable("site", "text", "Site"));
    app.set_now("2026-10-05T00:00:00Z");
    org.hide_field("Account", "Site").unwrap();
    // Nothing tells of it but a record that changes.
    org.update("Account", &ids[0], &fields(json!({ "Seats__c": "16" }))).unwrap();
    app.set_now("2026-10-06T00:00:00Z");
    let report = app.sync("salesforce").await;
    assert_eq!(report.counts.changed, 1);
    app.set_now("2026-10-10T00:00:00Z");
    org.unhide_field("Account", "Site").unwrap();
    org.change_silently("Account", &ids[1], &fields(json!({ "Site": "大阪" }))).unwrap();
    app.set_now("2026-10-11T00:00:00Z");
    assert_eq!(app.sync("salesforce").await.mode, "full", "what changed meanwhile moved no stamp");
    let expected = [
        ("2026-09", Cell::Value, Some("東京"), Some("東京")),
        ("2026-10-08T00:00:00Z", Cell::NotOffered, None, None),
        ("2026-10-11T12:00:00Z", Cell::Value, Some("東京"), Some("大阪")),
    ];
    for (instant, known, first, second) in expected {
        let state = app.state(instant).await;
        assert_eq!(cell(&state, "site", "青空"), (known, first.map(str::to_owned)), "{instant}");
        assert_eq!(cell(&state, "site", "白雲"), (known, second.map(str::to_owned)), "{instant}");
    }
    // Neither did hiding it make a version, nor showing it again where it is as before.
    let lines = app.lines(&crate::support::app::accounts()).await;
    let of = |id: &str| lines.iter().filter(|line| line.key == id).count();
    assert_eq!((of(&ids[0]), of(&ids[1])), (3, 2));
}

#[tokio::test]
async fn b8_a_renamed_field_is_two_fields_with_their_own_spans() {
    let (app, _) = two_customers("").await;
    let org = app.org();
    app.set_now("2026-10-05T00:00:00Z");
    org.rename_field("Account", "Seats__c", "Users__c").unwrap();
    app.set_now("2026-10-06T00:00:00Z");
    assert_eq!(app.sync("salesforce").await.mode, "full");
    app.write("schemas/variables/old.yaml", &variable("old", "integer", "Seats__c"));
    app.write("schemas/variables/new.yaml", &variable("new", "integer", "Users__c"));
    let both = format!(
        "{}  - {{ source: salesforce, stream: Account, expr: Seats__c }}\n",
        variable("seats", "integer", "Users__c")
    );
    app.write("schemas/variables/seats.yaml", &both);
    let (before, after) = (app.state("2026-09").await, app.state("2026-10-07T00:00:00Z").await);
    assert_eq!(cell(&before, "old", "青空"), (Cell::Value, Some("15".to_owned())));
    assert_eq!(cell(&before, "new", "青空"), (Cell::NotOffered, None));
    assert_eq!(cell(&after, "old", "青空"), (Cell::NotOffered, None));
    assert_eq!(cell(&after, "new", "青空"), (Cell::Value, Some("15".to_owned())));
    // A variable that names both has a value on either side.
    assert_eq!(cell(&before, "seats", "青空"), (Cell::Value, Some("15".to_owned())));
    assert_eq!(cell(&after, "seats", "青空"), (Cell::Value, Some("15".to_owned())));
}

#[tokio::test]
async fn g1_a_record_born_before_the_first_read_is_there_but_unknown() {
    let app = TestApp::new("2026-08-01T00:00:00Z").with_salesforce(Options::default(), &[]).await;
    let id = app.org().insert("Account", &fields(json!({ "Name": "青空" }))).unwrap();
    app.set_now("2026-09-05T00:00:00Z");
    app.org().update("Account", &id, &fields(json!({ "Seats__c": "3" }))).unwrap();
    app.set_now(OCTOBER);
    app.sync("salesforce").await;
    let state = app.state("2026-08").await;
    assert_eq!(column(&state, "mrr"), BTreeMap::from([("?".to_owned(), (Cell::NotRead, None))]));
    assert_eq!(cell(&app.state("2026-09").await, "name", "青空").0, Cell::Value);
    assert!(at(OCTOBER) > state.at);
}
