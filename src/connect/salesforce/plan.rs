//! From an object's description to a stream, and from a stream to the columns that are read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::config::StreamConfig;
use super::model::{Describe, DescribedField};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Choice, Field, FieldClass, Stream};

const KEY: &str = "Id";
const IS_DELETED: &str = "IsDeleted";
const WINNER: &str = "MasterRecordId";
const CREATED: &str = "CreatedDate";

/// Modification stamps, best first. `SystemModstamp` moves with every change, also of the platform;
/// `LastModifiedDate` can be back-dated by imports; rows with neither are never changed.
const STAMPS: [&str; 4] = ["SystemModstamp", "LastModifiedDate", CREATED, "LoginTime"];

/// Fields of every object that tell about the record, not of the customer. `LastActivityDate` is not among
/// them: it is what a customer success manager looks at, and the stamp moves with it.
const BOOKKEEPING: [&str; 8] = [
    "SystemModstamp",
    "LastModifiedDate",
    "LastModifiedById",
    "LastViewedDate",
    "LastReferencedDate",
    "LastLoginDate",
    IS_DELETED,
    WINNER,
];

/// Computed when read, though not described as calculated: no stamp moves with them.
const SECRETLY_CALCULATED: [(&str, &str); 2] = [("ContractLineItem", "Status"), ("Opportunity", "HasOpenActivity")];

/// Depend on today's date, though not described as a formula.
const SECRETLY_TICKING: [(&str, &str); 1] = [("Opportunity", "HasOverdueTask")];

/// Types whose values may be numbers or structures.
const HAS_NUMBERS: [&str; 9] =
    ["int", "long", "double", "currency", "percent", "anytype", "location", "address", "complexvalue"];

/// The stream that `describe` offers under these settings.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when the object cannot be queried or has no id, [`ErrorKind::Config`] when the
/// settings name a field that is not there.
pub(super) fn stream_of(describe: &Describe, config: &StreamConfig) -> Result<Stream> {
    let problem = |kind, message: &str| Error::new(kind, message).with("stream", &describe.name);
    if !describe.queryable {
        return Err(problem(ErrorKind::NotFound, "Salesforce does not let this object be queried")
            .help("take it out of `streams`"));
    }
    if !describe.fields.iter().any(|field| field.name == KEY) {
        return Err(problem(ErrorKind::NotFound, "the object has no `Id`, so its records cannot be told apart")
            .help("take it out of `streams`"));
    }
    let known: HashSet<&str> = describe.fields.iter().map(|field| field.name.as_str()).collect();
    for name in config.allow.iter().chain(&config.deny).chain(config.classes.keys()) {
        if !known.contains(name.as_str()) {
            let close = known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)).then(b.cmp(a)));
            return Err(problem(ErrorKind::Config, "the settings name a field that the object does not show")
                .with("field", name)
                .help(format!(
                    "did you mean `{}`? If the field exists, give the app's user read access to it",
                    close.copied().unwrap_or_default()
                )));
        }
    }
    let stamp = stamp_of(describe);
    let needed =
        |name: &str| name == KEY || name == IS_DELETED || name == WINNER || name == CREATED || Some(name) == stamp;
    let wanted = |field: &&DescribedField| {
        let listed = config.allow.is_empty() || config.allow.contains(&field.name);
        is_readable(field) && (needed(&field.name) || (listed && !config.deny.contains(&field.name)))
    };
    let field = |field: &DescribedField| Field {
        name: field.name.clone(),
        label: field.label.clone(),
        source_type: field.kind.to_ascii_lowercase(),
        class: config.classes.get(&field.name).copied().unwrap_or_else(|| class_of(&describe.name, field)),
        choices: field
            .picklist_values
            .iter()
            .map(|entry| Choice::labelled(&entry.value, entry.label.clone()))
            .collect(),
    };
    Ok(Stream {
        name: config.name.clone(),
        label: describe.label.clone(),
        key: vec![KEY.to_owned()],
        stamp: stamp.map(str::to_owned),
        fields: describe.fields.iter().filter(wanted).map(field).collect(),
        dated: false,
        tells_deletes: known.contains(IS_DELETED),
    })
}

/// Whether a value of the field can be part of a record. Compounds are left out (their parts are fields of
/// their own; `Name` is an ordinary text), and so are blobs and metadata structures.
fn is_readable(field: &DescribedField) -> bool {
    !matches!(field.kind.to_ascii_lowercase().as_str(), "address" | "location" | "base64" | "complexvalue" | "json")
}

/// The stamp to read changes by. One that may be null would hide rows for ever, so it does not count:
/// such an object is read in full every time.
fn stamp_of(describe: &Describe) -> Option<&'static str> {
    STAMPS.into_iter().find(|stamp| {
        describe.fields.iter().any(|field| {
            field.name == *stamp && !field.nillable && field.filterable && field.sortable && field.kind == "datetime"
        })
    })
}

fn class_of(object: &str, field: &DescribedField) -> FieldClass {
    let name = field.name.as_str();
    let formula = field.calculated_formula.as_deref().unwrap_or_default().to_ascii_uppercase();
    if BOOKKEEPING.contains(&name) {
        FieldClass::Bookkeeping
    } else if SECRETLY_TICKING.contains(&(object, name)) || formula.contains("TODAY(") || formula.contains("NOW(") {
        FieldClass::Ticking
    } else if field.calculated || SECRETLY_CALCULATED.contains(&(object, name)) {
        FieldClass::Calculated
    } else {
        FieldClass::Business
    }
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// Printed with either of two suffixes, so it is brought to one.
    Datetime,
    Key,
    Stamp,
    Created,
    /// Both the stamp and the instant of birth (history objects).
    StampAndCreated,
    IsDeleted,
    Winner,
}

/// The columns to read of one stream.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) names: Arc<[String]>,
    pub(super) roles: Vec<Role>,
    /// Whether values are strings, truth values or null, by the description.
    pub(super) is_text: Vec<bool>,
    places: HashMap<String, usize>,
    /// Whether the columns become fields of the records.
    pub(super) delivers: bool,
    /// Whether CSV can carry all columns: a value of any type cannot say there which it has.
    pub(super) fits_csv: bool,
    /// Whether there are values that change without a stamp.
    pub(super) has_calculated: bool,
}

impl Plan {
    /// The columns of `stream`, without those in `dropped`.
    pub(super) fn new(stream: &Stream, dropped: &HashSet<String>) -> Plan {
        let fields: Vec<&Field> = stream.fields.iter().filter(|field| !dropped.contains(&field.name)).collect();
        let role = |field: &&Field| match field.name.as_str() {
            KEY => Role::Key,
            IS_DELETED => Role::IsDeleted,
            WINNER => Role::Winner,
            name if Some(name) == stream.stamp.as_deref() => {
                if name == CREATED {
                    Role::StampAndCreated
                } else {
                    Role::Stamp
                }
            }
            CREATED => Role::Created,
            _ if field.source_type == "datetime" => Role::Datetime,
            _ => Role::Plain,
        };
        Plan {
            names: fields.iter().map(|field| field.name.clone()).collect(),
            roles: fields.iter().map(role).collect(),
            is_text: fields.iter().map(|field| !HAS_NUMBERS.contains(&field.source_type.as_str())).collect(),
            places: fields.iter().enumerate().map(|(i, field)| (field.name.to_ascii_lowercase(), i)).collect(),
            delivers: true,
            fits_csv: !fields.iter().any(|field| field.source_type == "anytype"),
            has_calculated: fields.iter().any(|field| field.class == FieldClass::Calculated),
        }
    }

    /// The id alone, which is taken as the key and not delivered as a field.
    pub(super) fn keys() -> Plan {
        Plan {
            names: Arc::from([KEY.to_owned()]),
            roles: vec![Role::Key],
            is_text: vec![true],
            places: HashMap::from([(KEY.to_ascii_lowercase(), 0)]),
            delivers: false,
            fits_csv: true,
            has_calculated: false,
        }
    }

    /// Of these columns, the ones in `names`.
    pub(super) fn only(&self, names: &[String]) -> Plan {
        let kept: Vec<usize> = (0..self.names.len()).filter(|column| names.contains(&self.names[*column])).collect();
        Plan {
            names: kept.iter().map(|column| self.names[*column].clone()).collect(),
            roles: kept.iter().map(|column| self.roles[*column]).collect(),
            is_text: kept.iter().map(|column| self.is_text[*column]).collect(),
            places: kept.iter().enumerate().map(|(i, column)| (self.names[*column].to_ascii_lowercase(), i)).collect(),
            ..*self
        }
    }

    /// The column of a key in an answer. Keys come in the order that was asked for, so `expected` is
    /// nearly always right; some endpoints answer in the query's spelling of upper and lower case.
    pub(super) fn place(&self, key: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|name| name == key) {
            return Some(expected);
        }
        self.places.get(&key.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(in super::super) fn described(name: &str, kind: &str) -> Value {
        json!({ "name": name, "label": name, "type": kind, "calculated": false, "calculatedFormula": null,
                "nillable": !["Id", "SystemModstamp", "CreatedDate"].contains(&name), "filterable": true, "sortable": true })
    }

    /// The columns of a stream with these fields and types.
    pub(in super::super) fn plan_of(fields: &[(&str, &str)]) -> Plan {
        let field = |&(name, kind): &(&str, &str)| Field::plain(name, kind, FieldClass::Business);
        let stream = Stream {
            name: "Account".into(),
            label: None,
            key: vec!["Id".into()],
            stamp: Some("SystemModstamp".into()),
            fields: fields.iter().map(field).collect(),
            dated: false,
            tells_deletes: true,
        };
        Plan::new(&stream, &HashSet::new())
    }

    fn account(fields: Vec<Value>) -> Describe {
        serde_json::from_value(json!({ "name": "Account", "label": "取引先", "queryable": true, "fields": fields }))
            .unwrap()
    }

    fn config() -> StreamConfig {
        serde_json::from_value(json!({ "name": "Account" })).unwrap()
    }

    fn base() -> Vec<Value> {
        vec![
            described("Id", "id"),
            described("IsDeleted", "boolean"),
            described("Name", "string"),
            described("BillingAddress", "address"),
            described("SystemModstamp", "datetime"),
        ]
    }

    #[test]
    fn compounds_are_left_out_but_not_the_name() {
        let stream = stream_of(&account(base()), &config()).unwrap();
        let names: Vec<&str> = stream.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["Id", "IsDeleted", "Name", "SystemModstamp"]);
        assert_eq!(stream.stamp.as_deref(), Some("SystemModstamp"));
    }

    #[test]
    fn fields_are_classed_by_how_they_change() {
        let formula = |name: &str, text: Value| {
            let mut field = described(name, "double");
            field["calculated"] = json!(true);
            field["calculatedFormula"] = text;
            field
        };
        let mut fields = base();
        fields.extend([
            formula("Sum__c", Value::Null),
            formula("Parent__c", json!("Parent.Name")),
            formula("Age__c", json!("today() - CreatedDate")),
            described("LastViewedDate", "datetime"),
            described("LastActivityDate", "date"),
        ]);
        let mut config = config();
        config.classes.insert("LastActivityDate".into(), FieldClass::Bookkeeping);
        let stream = stream_of(&account(fields), &config).unwrap();
        let class = |name: &str| stream.fields.iter().find(|field| field.name == name).unwrap().class;
        assert_eq!(class("Name"), FieldClass::Business);
        assert_eq!(class("Sum__c"), FieldClass::Calculated);
        assert_eq!(class("Parent__c"), FieldClass::Calculated);
        assert_eq!(class("Age__c"), FieldClass::Ticking);
        assert_eq!(class("LastViewedDate"), FieldClass::Bookkeeping);
        assert_eq!(class("LastActivityDate"), FieldClass::Bookkeeping);
        assert_eq!(class("IsDeleted"), FieldClass::Bookkeeping);
    }

    #[test]
    fn lesson_2_and_30_changes_are_read_by_the_stamp_that_moves_with_all_of_them() {
        let stamp = |names: &[&str]| {
            let fields = names.iter().map(|name| described(name, "datetime")).chain([described("Id", "id")]).collect();
            let mut describe = account(fields);
            for field in &mut describe.fields {
                field.nillable = false;
            }
            stream_of(&describe, &config()).unwrap().stamp
        };
        assert_eq!(stamp(&["LastModifiedDate", "CreatedDate", "SystemModstamp"]).as_deref(), Some("SystemModstamp"));
        assert_eq!(stamp(&["CreatedDate", "LastModifiedDate"]).as_deref(), Some("LastModifiedDate"));
        // History objects: windows over their birth, with the same lag and overlap.
        assert_eq!(stamp(&["CreatedDate"]).as_deref(), Some("CreatedDate"));
    }

    #[test]
    fn a_stamp_that_may_be_null_is_not_read_by() {
        let mut fields = base();
        fields[4]["nillable"] = json!(true);
        assert_eq!(stream_of(&account(fields.clone()), &config()).unwrap().stamp, None);
        fields.push(described("CreatedDate", "datetime"));
        assert_eq!(stream_of(&account(fields), &config()).unwrap().stamp.as_deref(), Some("CreatedDate"));
    }

    #[test]
    fn denied_and_not_allowed_fields_are_left_out_but_never_key_and_stamp() {
        let names = |config: &StreamConfig| -> Vec<String> {
            stream_of(&account(base()), config).unwrap().fields.into_iter().map(|field| field.name).collect()
        };
        let deny = StreamConfig { deny: vec!["Name".into(), "Id".into()], ..config() };
        assert_eq!(names(&deny), ["Id", "IsDeleted", "SystemModstamp"]);
        let allow = StreamConfig { allow: vec!["Name".into()], ..config() };
        assert_eq!(names(&allow), ["Id", "IsDeleted", "Name", "SystemModstamp"]);
        let wrong = StreamConfig { allow: vec!["Nmae".into()], ..config() };
        let error = stream_of(&account(base()), &wrong).unwrap_err();
        assert!(error.help_text().unwrap().starts_with("did you mean `Name`?"), "{}", error.render());
    }
}
