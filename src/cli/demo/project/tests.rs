//! The project's files against what the two simulated systems really send.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field as ArrowField, Int64Type, Schema};
use encoding_rs::SHIFT_JIS;
use serde_json::{Map, Value};
use simulators::company::{Crm, CustomerTruth, Mrr, SeenBy, Story};
use simulators::salesforce::{Options, Org, Server};

use super::{FILES, LATER, SECRETS};
use crate::cli::shipped;
use crate::clock::Timestamp;
use crate::config::{Environment, Project, render};
use crate::map::{CompiledMapping, MappedBatch, StreamFields, compile, compile_custom, run};
use crate::record::{Field, FieldClass, StreamId};

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The project as the demo has written it, with the later variable if asked for.
fn project(with_later: bool) -> Project {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in FILES {
        write(folder.path(), file, text);
    }
    for (file, _) in SECRETS {
        write(folder.path(), file, "http://127.0.0.1:1");
    }
    if with_later {
        write(folder.path(), LATER.0, LATER.1);
    }
    let no_variables: [(String, String); 0] = [];
    let project = Project::load(folder.path(), &Environment::of(no_variables), &shipped());
    project.unwrap_or_else(|problems| panic!("{}", render(&problems, false)))
}

/// The mapping of a stream with its custom variables, compiled against these fields.
fn compiled(project: &Project, source: &str, stream: &str, names: &[String]) -> CompiledMapping {
    let field = |name: &String| Field::plain(name, "text", FieldClass::Business);
    let fields: Vec<Field> = names.iter().map(field).collect();
    let stream_id = StreamId::new(source, stream);
    let fields = StreamFields { stream: &stream_id, fields: &fields };
    let settings = project.map_settings();
    let mut mappings = project.mappings.iter();
    let mapping = mappings.find(|m| m.value.source == source && m.value.stream == stream).unwrap();
    let variables = project.entity_variables(&mapping.value.entity);
    let mut compiled = compile(&mapping.value, mapping.doc.as_ref(), &fields, &variables, &settings)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    for custom in project.variables.iter().filter(|custom| custom.value.entity == mapping.value.entity) {
        for (index, from) in custom.value.variable.from.iter().enumerate() {
            if from.source == source && from.stream == stream {
                let variable =
                    compile_custom(&custom.value.variable, index, custom.doc.as_ref(), "", &fields, &settings);
                compiled.add(variable.unwrap_or_else(|problems| panic!("{}", render(&problems, false))));
            }
        }
    }
    compiled
}

fn batch(names: &[String], rows: &[Vec<Option<String>>]) -> RecordBatch {
    let column = |at: usize| Arc::new(rows.iter().map(|row| row[at].as_deref()).collect::<StringArray>()) as ArrayRef;
    let schema: Vec<ArrowField> = names.iter().map(|name| ArrowField::new(name, DataType::Utf8, true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(schema)), (0..names.len()).map(column).collect()).unwrap()
}

fn as_of() -> Timestamp {
    "2026-10-31T23:59:59.999999+09:00".parse().unwrap()
}

fn column<'a>(mapping: &CompiledMapping, mapped: &'a MappedBatch, name: &str) -> &'a ArrayRef {
    &mapped.columns[mapping.variables.iter().position(|variable| variable.name == name).unwrap()]
}

/// What is held, by variable and reason, with how often.
fn held(mapped: &MappedBatch) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for held in &mapped.held {
        *counts.entry(format!("{}: {}", held.variable, held.raw)).or_default() += 1;
    }
    counts
}

struct Simulated(Org);

impl Crm for Simulated {
    fn insert(&mut self, object: &str, fields: Map<String, Value>) -> String {
        self.0.insert(object, &fields).unwrap()
    }

    fn update(&mut self, object: &str, id: &str, fields: Map<String, Value>) {
        self.0.update(object, id, &fields).unwrap();
    }

    fn delete(&mut self, object: &str, id: &str) {
        self.0.delete(object, id).unwrap();
    }

    fn undelete(&mut self, object: &str, id: &str) {
        self.0.undelete(object, id).unwrap();
    }

    fn hard_delete(&mut self, object: &str, id: &str) {
        self.0.hard_delete(object, id).unwrap();
    }

    fn merge(&mut self, object: &str, winner: &str, losers: &[String]) {
        let losers: Vec<&str> = losers.iter().map(String::as_str).collect();
        self.0.merge(object, winner, &losers).unwrap();
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.0.set_now(now);
    }
}

#[test]
fn the_folder_is_a_sound_project_without_warnings_before_and_after_the_later_variable() {
    for with_later in [false, true] {
        let project = project(with_later);
        assert!(project.warnings.is_empty(), "{}", render(&project.warnings, false));
        let names = project.entity_variables("customer");
        assert_eq!(names.iter().any(|variable| variable.name == "health_score"), with_later);
    }
}

#[test]
fn the_core_mapping_reads_every_export_as_the_truth_says() {
    let project = project(true);
    let story = Story::new(1);
    for (year, month) in Story::months() {
        let export = &story.exports(year, month)[0];
        let (text, _, _) = SHIFT_JIS.decode(&export.bytes);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let cell = |cell: &str| Some(cell.to_owned()).filter(|cell| !cell.is_empty());
        let rows: Vec<Vec<Option<String>>> =
            reader.records().map(|record| record.unwrap().iter().map(cell).collect()).collect();
        let mapping = compiled(&project, "core", "customers", &names);
        let mapped = run(&mapping, &batch(&names, &rows), as_of()).unwrap();

        let truth: BTreeMap<String, CustomerTruth> = story
            .truth(year, month)
            .into_iter()
            .filter(|truth| truth.seen_by != SeenBy::Crm)
            .map(|truth| (truth.code.clone().unwrap(), truth))
            .collect();
        let yen = column(&mapping, &mapped, "mrr").as_primitive::<Decimal128Type>();
        let integer = |name: &str| column(&mapping, &mapped, name).as_primitive::<Int64Type>().clone();
        let (users, active, nps) = (integer("contracted_users"), integer("active_users"), integer("nps"));
        for (row, cells) in rows.iter().enumerate() {
            let truth = &truth[cells[0].as_ref().unwrap()];
            let usage = truth.usage.unwrap();
            let mrr = if yen.is_null(row) { Mrr::Held } else { Mrr::Yen(yen.value(row) as i64) };
            assert_eq!(mrr, truth.mrr);
            assert_eq!(users.is_valid(row).then(|| users.value(row)), usage.contracted_users);
            assert_eq!(active.value(row), usage.active_users);
            assert_eq!(nps.is_valid(row).then(|| nps.value(row)), usage.nps);
        }
        let held = held(&mapped);
        assert_eq!(held.get("contract_start: 2025/13/1"), Some(&1));
        assert_eq!(held.get("mrr: 未定"), ((year, month) >= (2026, 9)).then_some(&1));
        assert!((3..=6).contains(&held.values().sum::<usize>()), "{held:?}");
    }
}

#[tokio::test]
async fn the_salesforce_mappings_read_what_the_simulator_holds_and_hold_a_handful() {
    let project = project(true);
    let at = Utc.timestamp_opt(1_500_000_000, 0).unwrap();
    let server = Server::start(Options { at, ..Options::default() }).await.unwrap();
    let mut crm = Simulated(server.org());
    let mut story = Story::new(1);
    story.start(&mut crm);
    for (year, month) in Story::months() {
        story.live_month(year, month, &mut crm);
    }
    let mut all_held = BTreeMap::new();
    let mut in_scope = BTreeMap::new();
    for object in ["Account", "Contact", "Contract", "Opportunity"] {
        let rows: Vec<_> = server.org().truth(object).unwrap();
        let rows: Vec<_> = rows.into_iter().filter(|row| row["IsDeleted"] == false).collect();
        let names: Vec<String> = rows[0].keys().cloned().collect();
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let cells: Vec<Vec<Option<String>>> =
            rows.iter().map(|row| names.iter().map(|name| text(&row[name])).collect()).collect();
        let mapping = compiled(&project, "salesforce", object, &names);
        let mapped = run(&mapping, &batch(&names, &cells), as_of()).unwrap();
        for variable in &mapping.variables {
            let found = column(&mapping, &mapped, &variable.name);
            assert!(found.null_count() < found.len() / 2, "{object}.{} is mostly empty", variable.name);
        }
        in_scope.insert(object, mapped.in_scope.true_count());
        all_held.extend(held(&mapped).into_iter().map(|(what, count)| (format!("{object}.{what}"), count)));
    }
    let seen = story.truth(2026, 10).iter().filter(|truth| truth.seen_by != SeenBy::Core).count();
    assert_eq!(in_scope["Account"], seen);
    assert_eq!(all_held.values().sum::<usize>(), 2, "{all_held:?}");
    assert!(all_held.keys().all(|what| what.starts_with("Contact.email: ")), "{all_held:?}");
    server.shutdown().await;
}
