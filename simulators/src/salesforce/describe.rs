//! Describe: the objects of an org and their fields, with all the keys that the service sends.

use serde_json::{Map, Value, json};

use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::instant;
use crate::salesforce::reply;
use crate::salesforce::soql::kin::child_relationships;
use crate::salesforce::state::State;
use crate::salesforce::store::Store;
use crate::salesforce::table::Table;
use crate::wire::Reply;
use crate::wire::Request;

/// `GET …/sobjects`.
pub(crate) fn global(state: &State, version: &str) -> Reply {
    let objects: Vec<Value> = state.store.tables.iter().map(|table| Value::Object(summary(table, version))).collect();
    Reply::value(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}))
}

/// `GET …/sobjects/X/describe`, with `If-Modified-Since`.
pub(crate) fn object(state: &State, request: &Request, version: &str, name: &str) -> Reply {
    let Some(index) = state.store.find(name) else { return reply::not_found() };
    let table = &state.store.tables[index];
    let modified = instant::http_date(table.metadata_at);
    let known_since = request
        .header("if-modified-since")
        .and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok())
        .map(|instant| instant.timestamp());
    if known_since.is_some_and(|since| since >= table.metadata_at) {
        return Reply::empty(304).with("Last-Modified", modified);
    }
    let mut described = summary(table, version);
    let fields: Vec<Value> = table
        .columns
        .iter()
        .filter(|column| column.is_visible())
        .map(|column| Value::Object(field(&column.spec)))
        .collect();
    described.insert("fields".to_owned(), Value::Array(fields));
    described.insert("childRelationships".to_owned(), Value::Array(children(&state.store, index)));
    for key in ["recordTypeInfos", "namedLayoutInfos", "actionOverrides"] {
        described.insert(key.to_owned(), json!([]));
    }
    described.insert("supportedScopes".to_owned(), json!([{"label": "すべて", "name": "everything"}]));
    for key in ["searchLayoutable", "listviewable", "lookupLayoutable", "compactLayoutable"] {
        described.insert(key.to_owned(), Value::Bool(true));
    }
    for key in [
        "defaultImplementation",
        "implementedBy",
        "extendedBy",
        "extendsInterfaces",
        "implementsInterfaces",
        "networkScopeFieldName",
        "sobjectDescribeOption",
    ] {
        described.insert(key.to_owned(), Value::Null);
    }
    Reply::value(200, &Value::Object(described)).with("Last-Modified", modified)
}

fn summary(table: &Table, version: &str) -> Map<String, Value> {
    let url = format!("/services/data/{version}/sobjects/{}", table.name);
    let custom = table.history.map(|history| history.parent).filter(|parent| parent.ends_with("__c"));
    let members = json!({
        "activateable": false, "associateEntityType": custom.map(|_| "History"), "associateParentEntity": custom, "createable": table.deletable,
        "custom": table.name.ends_with("__c"), "customSetting": false, "deepCloneable": false,
        "deletable": table.deletable, "deprecatedAndHidden": false, "feedEnabled": table.deletable,
        "hasSubtypes": false, "isInterface": false, "isSubtype": false, "keyPrefix": table.prefix.get(..3),
        "label": table.label, "labelPlural": table.label, "layoutable": true, "mergeable": table.mergeable,
        "mruEnabled": table.deletable, "name": table.name, "queryable": true, "replicateable": true,
        "retrieveable": true, "searchable": table.deletable, "triggerable": true, "undeletable": table.deletable && !table.has_no_bin(),
        "updateable": table.history.is_none(),
        "urls": {"sobject": url, "describe": format!("{url}/describe"), "rowTemplate": format!("{url}/{{ID}}")},
    });
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn children(store: &Store, parent: usize) -> Vec<Value> {
    child_relationships(store, parent)
        .into_iter()
        .map(|(name, table, lookup)| {
            json!({
                "cascadeDelete": false, "childSObject": store.tables[table].name, "deprecatedAndHidden": false,
                "field": store.tables[table].columns[lookup].spec.name, "junctionIdListNames": [], "junctionReferenceTo": [],
                "relationshipName": name, "restrictedDelete": false,
            })
        })
        .collect()
}

/// Fields that rows are numbered by.
const NUMBERS: [&str; 2] = ["ContractNumber", "CaseNumber"];

/// A field with all keys, those that do not apply included.
fn field(spec: &FieldSpec) -> Map<String, Value> {
    use FieldType as T;
    let kind = spec.field_type;
    let is_id = kind == T::Id;
    let is_number = kind.is_number() && kind != T::Int;
    let choices: Vec<Value> = spec
        .values
        .iter()
        .map(|value| json!({"active": true, "defaultValue": false, "label": value, "validFor": null, "value": value}))
        .collect();
    let writable = !spec.read_only && !is_id;
    let groupable = spec.is_sortable() && !is_number && !matches!(kind, T::Datetime | T::Time);
    let pairs: Vec<(&str, Value)> = vec![
        ("aggregatable", json!(spec.is_sortable() && kind != T::Boolean)),
        ("aiPredictionField", json!(false)),
        ("autoNumber", json!(NUMBERS.contains(&spec.name.as_str()))),
        ("byteLength", json!(spec.length * 3)),
        ("calculated", json!(spec.formula.is_some())),
        ("calculatedFormula", json!(spec.formula.as_ref().map(|formula| formula.text()))),
        ("cascadeDelete", json!(false)),
        ("caseSensitive", json!(false)),
        ("compoundFieldName", json!(spec.compound)),
        ("controllerName", Value::Null),
        ("createable", json!(writable)),
        ("custom", json!(spec.is_custom())),
        ("defaultValue", if kind == T::Boolean { json!(false) } else { Value::Null }),
        ("defaultValueFormula", Value::Null),
        ("defaultedOnCreate", json!(is_id || kind == T::Boolean || (spec.read_only && !spec.nillable))),
        ("dependentPicklist", json!(false)),
        ("deprecatedAndHidden", json!(false)),
        ("digits", json!(if kind == T::Int { spec.precision } else { 0 })),
        ("displayLocationInDecimal", json!(kind == T::Location)),
        ("encrypted", json!(false)),
        ("externalId", json!(spec.external_id)),
        ("extraTypeInfo", if spec.is_long_text() { json!("plaintextarea") } else { Value::Null }),
        ("filterable", json!(spec.is_filterable())),
        ("filteredLookupInfo", Value::Null),
        ("formulaTreatNullNumberAsZero", json!(false)),
        ("groupable", json!(groupable)),
        ("highScaleNumber", json!(false)),
        ("htmlFormatted", json!(false)),
        ("idLookup", json!(is_id || spec.external_id)),
        ("inlineHelpText", Value::Null),
        ("label", json!(spec.label)),
        ("length", json!(spec.length)),
        ("mask", Value::Null),
        ("maskType", Value::Null),
        ("name", json!(spec.name)),
        ("nameField", json!(spec.name == "Name" || NUMBERS.contains(&spec.name.as_str()))),
        ("namePointing", json!(false)),
        ("nillable", json!(spec.nillable)),
        ("permissionable", json!(spec.nillable && !is_id)),
        ("picklistValues", Value::Array(choices)),
        ("polymorphicForeignKey", json!(spec.reference_to.len() > 1)),
        ("precision", json!(if is_number { spec.precision } else { 0 })),
        ("queryByDistance", json!(kind == T::Location)),
        ("referenceTargetField", Value::Null),
        ("referenceTo", json!(spec.reference_to)),
        ("relationshipName", json!(spec.relationship())),
        ("relationshipOrder", Value::Null),
        ("restrictedDelete", json!(false)),
        ("restrictedPicklist", json!(false)),
        ("scale", json!(if is_number { spec.scale } else { 0 })),
        ("searchPrefilterable", json!(kind == T::Reference)),
        ("soapType", json!(kind.soap())),
        ("sortable", json!(spec.is_sortable())),
        ("type", json!(kind.name())),
        ("unique", json!(false)),
        ("updateable", json!(writable)),
        ("writeRequiresMasterRead", json!(false)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
