//! From a module's fields to a stream, and from a stream to the columns that are asked for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::config::StreamConfig;
use super::model::{DescribedField, PickListValue};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Choice, Field, FieldClass, Stream};

/// The field that is the key.
pub(super) const ID: &str = "id";
/// The stamp that moves when somebody changes a record, and does not when a formula or a roll-up does.
pub(super) const STAMP: &str = "Modified_Time";
pub(super) const CREATED: &str = "Created_Time";

/// The most columns that a list gives.
const LIST_COLUMNS: usize = 50;
/// The most formulas that a query gives.
const QUERY_FORMULAS: usize = 5;

/// Types that no list and no query shows: rows of sub-forms and of links are records of their own, files are no values.
const UNREAD: [&str; 5] = ["subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload"];

const BOOKKEEPING: [&str; 3] = [STAMP, "Modified_By", "Change_Log_Time__s"];
/// Written by Zoho without moving the stamp, though not described as computed.
const SECRETLY_CALCULATED: [&str; 4] =
    ["Last_Activity_Time", "Overall_Sales_Duration", "Sales_Cycle_Duration", "Lead_Conversion_Time"];

/// The stream of a module.
///
/// # Errors
///
/// [`ErrorKind::Config`] when the settings name a field that the module does not show.
pub(super) fn stream_of(fields: &[DescribedField], config: &StreamConfig) -> Result<Stream> {
    let known: HashSet<&str> = fields.iter().map(|field| field.api_name.as_str()).chain([ID]).collect();
    for name in config.allow.iter().chain(&config.deny).chain(config.classes.keys()).chain(&config.subforms) {
        if !known.contains(name.as_str()) {
            return Err(unknown(name, &known));
        }
    }
    let is_stamped = known.contains(STAMP);
    let needed = |name: &str| [ID, STAMP, CREATED].contains(&name);
    let wanted = |field: &&DescribedField| {
        let name = &field.api_name;
        let listed = config.allow.is_empty() || config.allow.contains(name);
        let is_read = !UNREAD.contains(&field.data_type.as_deref().unwrap_or_default());
        is_read && (needed(name) || (listed && !config.deny.contains(name)))
    };
    let field = |field: &DescribedField| Field {
        name: field.api_name.clone(),
        label: field.display_label.clone(),
        source_type: type_of(field),
        class: config.classes.get(&field.api_name).copied().unwrap_or_else(|| class_of(field)),
        choices: field.pick_list_values.iter().flatten().filter_map(choice).collect(),
    };
    let mut read: Vec<Field> = fields.iter().filter(wanted).map(field).collect();
    if !read.iter().any(|field| field.name == ID) {
        // Some modules do not describe what all of them have.
        read.insert(0, plain(ID, "bigint"));
    }
    Ok(Stream {
        name: config.name.clone(),
        label: None,
        key: vec![ID.to_owned()],
        stamp: is_stamped.then(|| STAMP.to_owned()),
        fields: read,
        dated: false,
        tells_deletes: is_stamped,
    })
}

/// A field that no description tells of.
pub(super) fn plain(name: &str, source_type: &str) -> Field {
    Field::plain(name, source_type, if name == STAMP { FieldClass::Bookkeeping } else { FieldClass::Business })
}

fn choice(value: &PickListValue) -> Option<Choice> {
    Some(Choice::labelled(value.actual_value.clone()?, value.display_value.clone()))
}

fn unknown(name: &str, known: &HashSet<&str>) -> Error {
    let close = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)).then(b.cmp(a)));
    Error::new(ErrorKind::Config, "the settings name a field that the module does not show").with("field", name).help(
        format!(
            "did you mean `{}`? If the field exists, let the user's profile see it",
            close.copied().unwrap_or_default()
        ),
    )
}

/// Zoho's own word for the type, told so that it says how values come: `formula:date`, and `jsonarray` for what is
/// described as a text and is none.
fn type_of(field: &DescribedField) -> String {
    let told = field.data_type.as_deref().unwrap_or_default();
    let returned = |block: &Value| block.get("return_type").and_then(Value::as_str).map(str::to_owned);
    match (told, field.json_type.as_deref()) {
        ("formula", _) => returned(&field.formula).map_or("formula".into(), |kind| format!("formula:{kind}")),
        ("rollup_summary", _) => {
            returned(&field.rollup_summary).map_or("rollup_summary".into(), |kind| format!("rollup_summary:{kind}"))
        }
        ("text", Some("jsonarray")) if field.api_name == "Tag" => "tags".to_owned(),
        ("text", Some(kind @ ("jsonarray" | "jsonobject"))) | ("", Some(kind)) => kind.to_owned(),
        (told, _) => told.to_owned(),
    }
}

fn class_of(field: &DescribedField) -> FieldClass {
    let name = field.api_name.as_str();
    let is_computed = matches!(field.data_type.as_deref(), Some("formula" | "rollup_summary"));
    let expression = field.formula.get("expression").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if BOOKKEEPING.contains(&name) {
        FieldClass::Bookkeeping
    } else if is_computed && (expression.contains("now(") || expression.contains("today(")) {
        FieldClass::Ticking
    } else if is_computed || SECRETLY_CALCULATED.contains(&name) {
        FieldClass::Calculated
    } else {
        FieldClass::Business
    }
}

/// How a value arrives, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text,
    /// A text that lists cut to 500 characters where it is formatted.
    LongText,
    /// A decimal, written plainly; what is none stays as it is.
    Number,
    /// An instant with some offset; written in UTC.
    Datetime,
    /// A picklist: `-None-` is nothing.
    Choice,
    /// Several of these texts; sorted, one a line.
    Choices(Arc<[String]>),
    /// Names of tags; sorted, one a line.
    Tags,
    /// An object, of which the id is kept: names change without anybody touching this record.
    Reference,
    /// Anything else, as its JSON. Lists alone show it.
    Json,
}

impl Cell {
    fn of(field: &Field) -> Cell {
        let kind = field.source_type.as_str();
        let returned = kind.strip_prefix("formula:").or_else(|| kind.strip_prefix("rollup_summary:"));
        match returned.unwrap_or(kind) {
            "integer" | "double" | "percent" | "currency" | "long" | "decimal" | "formula" | "rollup_summary" => {
                Cell::Number
            }
            "datetime" => Cell::Datetime,
            "picklist" => Cell::Choice,
            "multiselectpicklist" => Cell::Choices(field.choices.iter().map(|choice| choice.value.clone()).collect()),
            "tags" => Cell::Tags,
            "lookup" | "ownerlookup" | "userlookup" | "layout" => Cell::Reference,
            "textarea" => Cell::LongText,
            "jsonarray"
            | "jsonobject"
            | "multi_module_lookup"
            | "RRULE"
            | "ALARM"
            | "multireminder"
            | "time_range"
            | "consent_lookup"
            | "module"
            | "linetax" => Cell::Json,
            _ => Cell::Text,
        }
    }
}

/// What a record is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Key,
    Stamp,
    Created,
}

impl Head {
    fn of(name: &str) -> Option<Head> {
        match name {
            ID => Some(Head::Key),
            STAMP => Some(Head::Stamp),
            CREATED => Some(Head::Created),
            _ => None,
        }
    }
}

/// Columns that are asked for together.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Arc<[String]>,
    pub(super) cells: Vec<Cell>,
    /// What a column tells of the record beside its value.
    pub(super) heads: Vec<Option<Head>>,
    places: HashMap<String, usize>,
    /// Whether they are asked for by a list, whatever the others are asked by.
    pub(super) by_list: bool,
}

impl Columns {
    fn of(fields: &[&Field], by_list: bool) -> Arc<Columns> {
        Arc::new(Columns {
            names: fields.iter().map(|field| field.name.clone()).collect(),
            cells: fields.iter().map(|field| Cell::of(field)).collect(),
            heads: fields.iter().map(|field| Head::of(&field.name)).collect(),
            places: fields.iter().enumerate().map(|(at, field)| (field.name.clone(), at)).collect(),
            by_list,
        })
    }

    /// The fields of a stream that is not read by queries.
    pub(super) fn of_stream(stream: &Stream) -> Arc<Columns> {
        Columns::of(&stream.fields.iter().collect::<Vec<_>>(), true)
    }

    /// Long texts, with the key.
    pub(super) fn texts(names: &[String]) -> Arc<Columns> {
        let fields: Vec<Field> =
            std::iter::once(plain(ID, "bigint")).chain(names.iter().map(|name| plain(name, "textarea"))).collect();
        Columns::of(&fields.iter().collect::<Vec<_>>(), true)
    }

    /// The column of that name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

/// By what the records of a reading are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    Query,
    List,
    Job,
}

/// The columns to read of one stream, in parts that can be asked for: the records of a page are those of the first.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) names: Arc<[String]>,
    pub(super) parts: Vec<Arc<Columns>>,
}

impl Plan {
    /// The columns of `stream` by an interface; those in `refused` it does not give, and lists have to.
    pub(super) fn new(stream: &Stream, by: Interface, query_columns: usize, refused: &HashSet<String>) -> Plan {
        let is_stamped = stream.stamp.is_some();
        // Each part has the key, and the stamp, so that what changes between two parts is seen.
        let is_base = |field: &&Field| field.name == ID || (is_stamped && field.name == STAMP);
        let base: Vec<&Field> = stream.fields.iter().filter(is_base).collect();
        let others = stream.fields.iter().filter(|field| !is_base(field));
        // The first part tells when a record was born.
        let (created, others): (Vec<&Field>, Vec<&Field>) = others.partition(|field| field.name == CREATED);
        let is_listed =
            |field: &&Field| by == Interface::List || Cell::of(field) == Cell::Json || refused.contains(&field.name);
        let (listed, asked): (Vec<&Field>, Vec<&Field>) =
            created.into_iter().chain(others).partition(|field| is_listed(field));
        let most = if by == Interface::Job { usize::MAX } else { query_columns - base.len() };
        let mut parts: Vec<Arc<Columns>> = Vec::new();
        let mut part = base.clone();
        let mut formulas = 0;
        for field in asked {
            let is_formula = field.source_type.starts_with("formula");
            let is_full = part.len() - base.len() >= most || (is_formula && formulas >= QUERY_FORMULAS);
            if is_full && by != Interface::Job {
                parts.push(Columns::of(&part, false));
                part = base.clone();
                formulas = 0;
            }
            formulas += usize::from(is_formula);
            part.push(field);
        }
        if by != Interface::List && (part.len() > base.len() || parts.is_empty()) {
            parts.push(Columns::of(&part, false));
        }
        for listed in listed.chunks(LIST_COLUMNS - base.len()) {
            let part: Vec<&Field> = base.iter().copied().chain(listed.iter().copied()).collect();
            parts.push(Columns::of(&part, true));
        }
        if parts.is_empty() {
            parts.push(Columns::of(&base, true));
        }
        Plan { names: stream.fields.iter().map(|field| field.name.clone()).collect(), parts }
    }

    /// The key, and the stamp where there is one: enough to know which records there are.
    pub(super) fn keys(is_stamped: bool, by_list: bool) -> Plan {
        let fields = [plain(ID, "bigint"), plain(STAMP, "datetime"), plain(CREATED, "datetime")];
        let shown: Vec<&Field> = fields.iter().take(if is_stamped { 3 } else { 1 }).collect();
        let part = Columns::of(&shown, by_list);
        Plan { names: part.names.clone(), parts: vec![part] }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn described(name: &str, kind: &str) -> DescribedField {
        serde_json::from_value(json!({ "api_name": name, "display_label": name, "data_type": kind })).unwrap()
    }

    /// The stream of a module with these fields and types, beside those that all have.
    pub(in super::super) fn stream(fields: &[(&str, &str)]) -> Stream {
        let base = [(ID, "bigint"), (CREATED, "datetime"), (STAMP, "datetime")];
        let fields: Vec<DescribedField> = base.iter().chain(fields).map(|(name, kind)| described(name, kind)).collect();
        stream_of(&fields, &StreamConfig::all_of("Accounts")).unwrap()
    }

    fn plan(stream: &Stream, by: Interface) -> Plan {
        Plan::new(stream, by, 50, &HashSet::new())
    }

    #[test]
    fn fields_are_classed_by_how_they_change() {
        let ticking = json!({ "api_name": "Days", "data_type": "formula",
                              "formula": { "return_type": "double", "expression": "Datebetween(Now(),${Accounts.Due})" } });
        let fields = [
            described("Name", "text"),
            described("Modified_Time", "datetime"),
            described("ARR", "formula"),
            described("Deals", "rollup_summary"),
            serde_json::from_value(ticking).unwrap(),
            described("Last_Activity_Time", "datetime"),
        ];
        let stream = stream_of(&fields, &StreamConfig::all_of("Accounts")).unwrap();
        let classes: Vec<FieldClass> = stream.fields.iter().skip(1).map(|field| field.class).collect();
        use FieldClass::{Bookkeeping, Business, Calculated, Ticking};
        assert_eq!(classes, [Business, Bookkeeping, Calculated, Calculated, Ticking, Calculated]);
        assert_eq!(stream.fields[0].name, ID, "added where no description tells of it");
    }

    #[test]
    fn lesson_2_a_module_without_a_stamp_is_a_stream_all_the_same() {
        let stream = stream_of(&[described("Name", "text")], &StreamConfig::all_of("Links")).unwrap();
        assert_eq!((stream.stamp.as_deref(), stream.tells_deletes), (None, false));
        assert_eq!(plan(&stream, Interface::Query).parts[0].names.to_vec(), [ID, "Name"]);
    }

    #[test]
    fn lesson_3_descriptions_are_taken_as_they_come() {
        let odd = json!({ "api_name": "Odd", "data_type": "invented_yesterday", "json_type": null, "formula": null,
                          "pick_list_values": null, "lookup": {}, "whatever": [1] });
        let fields =
            [serde_json::from_value(odd).unwrap(), serde_json::from_value(json!({ "api_name": "Bare" })).unwrap()];
        let stream = stream_of(&fields, &StreamConfig::all_of("M")).unwrap();
        let types: Vec<&str> = stream.fields.iter().map(|field| field.source_type.as_str()).collect();
        assert_eq!(types, ["bigint", "invented_yesterday", ""]);
    }

    #[test]
    fn lesson_5_more_columns_than_fit_are_asked_for_in_parts_and_none_is_dropped() {
        let names: Vec<String> = (0..120).map(|n| format!("Check_{n:03}")).collect();
        let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
        for field in &mut fields[..7] {
            field.1 = "formula";
        }
        let stream = stream(&fields);
        for by in [Interface::Query, Interface::List, Interface::Job] {
            let plan = plan(&stream, by);
            let asked: HashSet<&String> = plan.parts.iter().flat_map(|part| part.names.iter()).collect();
            assert_eq!(asked.len(), 123, "{by:?}");
            for part in &plan.parts {
                assert!(part.place(ID).is_some() && part.place(STAMP).is_some());
                assert!(by == Interface::Job || part.names.len() <= 50, "{by:?}: {}", part.names.len());
                let formulas = part.names.iter().filter(|name| names[..7].contains(name)).count();
                assert!(by != Interface::Query || formulas <= QUERY_FORMULAS);
            }
            assert!(plan.parts[0].place(CREATED).is_some());
        }
    }

    #[test]
    fn what_queries_do_not_show_is_had_from_lists() {
        let stream =
            stream(&[("Subject", "text"), ("What_Id", "multi_module_lookup"), ("Odd", "text"), ("F", "fileupload")]);
        let refused = HashSet::from(["Odd".to_owned()]);
        let plan = Plan::new(&stream, Interface::Query, 50, &refused);
        let parts: Vec<(bool, Vec<String>)> =
            plan.parts.iter().map(|part| (part.by_list, part.names.to_vec())).collect();
        assert_eq!(parts[0].1, [ID, STAMP, CREATED, "Subject"]);
        assert_eq!(parts[1], (true, vec![ID.into(), STAMP.into(), "What_Id".into(), "Odd".into()]));
        assert!(!plan.names.contains(&"F".to_owned()));
    }

    #[test]
    fn what_reading_depends_on_is_read_whatever_the_settings_say() {
        let fields = [described(STAMP, "datetime"), described("Name", "text"), described("Phone", "phone")];
        let config =
            StreamConfig { allow: vec!["Phone".into()], deny: vec![STAMP.into()], ..StreamConfig::all_of("M") };
        let stream = stream_of(&fields, &config).unwrap();
        let names: Vec<&str> = stream.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, [ID, STAMP, "Phone"]);
        let wrong = StreamConfig { deny: vec!["Fone".into()], ..StreamConfig::all_of("M") };
        let error = stream_of(&fields, &wrong).unwrap_err();
        assert!(error.help_text().unwrap().starts_with("did you mean `Phone`?"), "{}", error.render());
    }
}
