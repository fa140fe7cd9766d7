//! A stream's settings, drafted from one sample answer.
//!
//! Every line says why it is there; what one answer cannot tell is named in a comment, not made up.

use std::collections::HashSet;

use serde_json::Value;

#[cfg(test)]
use super::config::StreamConfig;
use crate::connect::instant::{InstantConfig, InstantEntry, InstantField};
use crate::connect::tree::{Tree, parse, text_of};
use crate::error::{Error, ErrorKind, Result};

/// How deep records are looked for.
const DEPTH: usize = 4;
/// The forms of instants that are tried, the usual ones first.
const FORMS: [&str; 8] = [
    "rfc3339",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y%m%d%H%M%S",
];
const KEYS: [&str; 7] = ["id", "uuid", "code", "key", "番号", "コード", "no"];
const STAMPS: [&str; 8] = ["updated", "modified", "更新日時", "更新", "変更日時", "最終更新", "last_change", "changed"];
const CREATED: [&str; 5] = ["created", "作成日時", "登録日時", "作成", "登録"];
const DELETED: [&str; 4] = ["deleted", "削除", "is_removed", "archived"];
const TOTALS: [&str; 6] = ["total_count", "total", "totalcount", "count", "総件数", "件数"];
const CURSORS: [&str; 6] = ["next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "continuation", "cursor"];

/// Drafts the stream `name` from an answer in JSON.
///
/// # Errors
///
/// [`ErrorKind::BadData`] when it is no JSON, or holds no records.
pub fn draft_stream(name: &str, answer: &str) -> Result<String> {
    let tree = parse(answer).map_err(|error| {
        Error::new(ErrorKind::BadData, "the answer is not JSON")
            .with("line", error.line())
            .with("column", error.column())
            .help("give the body of one answer, as `curl` prints it; of CSV and XML no draft is made")
    })?;
    let found = lists(&tree);
    let Some((path, items)) = found.iter().max_by_key(|(_, items)| weight(items)) else {
        return Err(Error::new(ErrorKind::BadData, "the answer holds no list of records")
            .help("give an answer with some records in it"));
    };
    let mut out = format!("streams:\n  {}:\n", quoted(name));
    let mut line = |text: String, why: &str| {
        out.push_str(&format!("    {text}"));
        if !why.is_empty() {
            out.push_str(&format!(" # {why}"));
        }
        out.push('\n');
    };
    line("path: TODO".to_owned(), "what is behind `base_url`");
    line(format!("records: {}", quoted(path)), &format!("{} records", items.len()));
    let (key, why) = key_of(items);
    match key {
        Some(key) => line(format!("key: [{}]", quoted(&key)), &why),
        None => line("key: [TODO]".to_owned(), "no field is different in every record of this answer"),
    }
    if let Some((field, form)) = instant_of(items, &STAMPS) {
        line(format!("stamp: {}", instant(&field, form)), "by its name and its values");
    }
    if let Some((field, form)) = instant_of(items, &CREATED) {
        line(format!("created: {}", instant(&field, form)), "by its name and its values");
    }
    if let Some(field) = flag_of(items) {
        line(format!("deleted: {{ field: {} }}", quoted(&field)), "by its name: true or false");
    }
    let beside = beside(&tree);
    let total = beside.iter().find_map(|(path, value)| {
        let count = is_named(path, &TOTALS).then(|| count_of(value)).flatten();
        count.filter(|count| *count >= items.len()).map(|count| (path, count))
    });
    if let Some((path, _)) = total {
        line(format!("total: {}", quoted(path)), "by its name; take it out if it counts something else");
    }
    match (paging(&beside), total) {
        (Some((paging, why)), _) => line(format!("paging: {paging}"), why),
        (None, Some((_, total))) if total > items.len() => {
            let why =
                format!("the answer counts {total} records and shows {}: how are the others asked for?", items.len());
            line("paging: { type: TODO }".to_owned(), &format!("{why} see docs/connectors/rest.md"));
        }
        (None, _) => line(
            "paging: { type: none }".to_owned(),
            "nothing in the answer tells of more; if there are more pages, see docs/connectors/rest.md",
        ),
    }
    line("# window:".to_owned(), "if the API can be asked for what changed since then");
    line(r#"#   params: { updated_since: "{{ window.from }}" }"#.to_owned(), "");
    Ok(out)
}

/// Whether a draft is one that can be read.
#[cfg(test)]
fn reads(yaml: &str, name: &str) -> Option<StreamConfig> {
    use saphyr::{LoadableYamlNode, Yaml};
    fn json(node: &Yaml<'_>) -> Value {
        if let Some(map) = node.as_mapping() {
            return map.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), json(value))).collect();
        }
        if let Some(items) = node.as_sequence() {
            return items.iter().map(json).collect();
        }
        match (node.as_integer(), node.as_bool()) {
            (Some(number), _) => number.into(),
            (_, Some(flag)) => flag.into(),
            _ => node.as_str().map_or(Value::Null, Value::from),
        }
    }
    let documents = Yaml::load_from_str(yaml).ok()?;
    serde_json::from_value(json(&documents[0])["streams"][name].clone()).ok()
}

/// The lists of objects in an answer, with their paths.
fn lists(tree: &Tree) -> Vec<(String, Vec<&Tree>)> {
    let mut found = Vec::new();
    let mut open = vec![("$".to_owned(), tree, 0)];
    while let Some((path, node, depth)) = open.pop() {
        match node {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                found.push((if path == "$" { "$[*]".to_owned() } else { path }, items.iter().collect()));
            }
            Value::Object(members) if depth < DEPTH => {
                open.extend(members.iter().map(|(name, value)| (member(&path, name), value, depth + 1)));
            }
            _ => {}
        }
    }
    found
}

/// Lists of more and larger records are more likely what is wanted.
fn weight(items: &[&Tree]) -> usize {
    items.iter().map(|item| item.as_object().map_or(0, serde_json::Map::len)).sum()
}

fn member(path: &str, name: &str) -> String {
    let is_plain = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit());
    if is_plain { format!("{path}.{name}") } else { format!("{path}['{}']", name.replace('\'', "\\'")) }
}

/// Single values beside the lists, with their paths.
fn beside(tree: &Tree) -> Vec<(String, &Tree)> {
    let mut found = Vec::new();
    let mut open = vec![("$".to_owned(), tree, 0)];
    while let Some((path, node, depth)) = open.pop() {
        match node {
            Value::Object(members) if depth < DEPTH => {
                open.extend(members.iter().map(|(name, value)| (member(&path, name), value, depth + 1)));
            }
            Value::Array(_) | Value::Object(_) => {}
            value => found.push((path, value)),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn last_name(path: &str) -> String {
    path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}

fn is_named(path: &str, names: &[&str]) -> bool {
    names.contains(&last_name(path).as_str())
}

fn count_of(value: &Tree) -> Option<usize> {
    text_of(value).and_then(|text| text.parse().ok())
}

fn names<'t>(items: &[&'t Tree]) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    let all = items.iter().flat_map(|item| item.as_object().into_iter().flatten()).map(|(name, _)| name.as_str());
    all.filter(|name| seen.insert(*name)).collect()
}

fn key_of(items: &[&Tree]) -> (Option<String>, String) {
    let is_distinct = |name: &&str| {
        let mut seen = HashSet::new();
        items.iter().all(|item| {
            let text = item.get(*name).filter(|value| !value.is_object() && !value.is_array()).and_then(text_of);
            text.is_some_and(|text| !text.is_empty() && seen.insert(text.into_owned()))
        })
    };
    let distinct: Vec<&str> = names(items).into_iter().filter(is_distinct).collect();
    let rank = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let exact = KEYS.iter().position(|key| *key == lower);
        exact.or_else(|| KEYS.iter().position(|key| lower.ends_with(key)).map(|at| at + KEYS.len()))
    };
    let named = distinct.iter().filter_map(|name| rank(name).map(|rank| (rank, *name))).min();
    match (named, distinct.first()) {
        (Some((_, name)), _) => (Some(name.to_owned()), "by its name, and different in every record".to_owned()),
        (None, Some(name)) => {
            (Some((*name).to_owned()), "different in every record of this answer; is it always?".to_owned())
        }
        (None, None) => (None, String::new()),
    }
}

/// A field with such a name whose values have the form of instants.
fn instant_of(items: &[&Tree], words: &[&str]) -> Option<(String, &'static str)> {
    let is_called = |name: &&str| {
        let lower = name.to_ascii_lowercase();
        words.iter().any(|word| lower.contains(word))
    };
    names(items).into_iter().filter(is_called).find_map(|name| {
        let values: Vec<String> =
            items.iter().filter_map(|item| item.get(name).and_then(text_of)).map(|text| text.into_owned()).collect();
        let fits = |form: &&&str| {
            let entry = InstantEntry::Settings(InstantConfig { field: name.to_owned(), format: (**form).to_owned() });
            let field = InstantField::new(&entry, Some(chrono_tz::UTC), "stamp").ok();
            field.is_some_and(|field| !values.is_empty() && values.iter().all(|text| field.read(text).is_some()))
        };
        FORMS.iter().find(fits).map(|form| (name.to_owned(), *form))
    })
}

fn flag_of(items: &[&Tree]) -> Option<String> {
    let is_flag = |name: &&str| {
        let lower = name.to_ascii_lowercase();
        let called = DELETED.iter().any(|word| lower.contains(word));
        called && items.iter().filter_map(|item| item.get(*name)).all(|value| value.is_boolean() || value.is_null())
    };
    names(items).into_iter().find(is_flag).map(str::to_owned)
}

fn instant(field: &str, form: &str) -> String {
    if form == "rfc3339" {
        return quoted(field);
    }
    format!("{{ field: {}, format: \"{form}\" }}", quoted(field))
}

/// How the list goes on, where the answer tells, and why.
fn paging(beside: &[(String, &Tree)]) -> Option<(String, &'static str)> {
    let is_address = |value: &Tree| {
        text_of(value)
            .is_some_and(|text| text.starts_with("http://") || text.starts_with("https://") || text.starts_with('/'))
    };
    let has = |name: &str| beside.iter().any(|(path, _)| last_name(path) == name);
    let next = beside.iter().find(|(path, value)| last_name(path).starts_with("next") && is_address(value));
    let cursor = beside.iter().find(|(path, _)| is_named(path, &CURSORS));
    if let Some((path, _)) = next {
        return Some((format!("{{ type: next_url, next: {} }}", quoted(path)), "an address that the answer gives"));
    }
    if let Some((path, _)) = cursor {
        return Some((
            format!("{{ type: cursor, param: TODO, next: {} }}", quoted(path)),
            "`param`: what the API takes the cursor by",
        ));
    }
    if has("offset") {
        return Some((
            "{ type: offset, param: offset, size_param: limit, size: 100 }".to_owned(),
            "the answer names an offset; check the names and the most it gives",
        ));
    }
    if has("total_pages") || has("page") || has("current_page") {
        return Some((
            "{ type: page, param: page, size_param: per_page, size: 50 }".to_owned(),
            "the answer names pages; check the names and the most it gives",
        ));
    }
    None
}

/// A text as YAML.
fn quoted(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$'))
        && !text.starts_with(|letter: char| letter.is_ascii_digit());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::paging::Paging;
    use super::*;

    #[test]
    fn a_japanese_answer_gives_a_stream_that_can_be_read() {
        let answer = r#"{"result":{"rows":[
            {"顧客コード":"C1","契約番号":"K1","月額":1,"更新日時":"2026/10/01 09:00:00","削除フラグ":false},
            {"顧客コード":"C1","契約番号":"K2","月額":2,"更新日時":"2026/10/02 09:00:00","削除フラグ":true}]},"count":250}"#;
        let yaml = draft_stream("contracts", answer).unwrap();
        // It counts 250 records and shows two: a draft that said there are no more pages would lose the others.
        assert!(yaml.contains("paging: { type: TODO } # the answer counts 250 records and shows 2"), "{yaml}");
        let yaml = yaml.replace("{ type: TODO }", "{ type: none }");
        let config = reads(&yaml, "contracts").unwrap_or_else(|| panic!("{yaml}"));
        assert_eq!((config.records.as_str(), config.key.as_slice()), ("$.result.rows", &["契約番号".to_owned()][..]));
        let Some(InstantEntry::Settings(stamp)) = &config.stamp else { panic!("{yaml}") };
        assert_eq!((stamp.field.as_str(), stamp.format.as_str()), ("更新日時", "%Y/%m/%d %H:%M:%S"));
        assert_eq!(config.deleted.unwrap().field, "削除フラグ");
        assert_eq!(config.total.as_deref(), Some("$.count"));
        assert!(yaml.contains("path: TODO"), "{yaml}");
    }

    #[test]
    fn the_way_of_paging_is_read_from_what_stands_beside_the_records() {
        let paging = |beside: &str| {
            let yaml = draft_stream("x", &format!(r#"{{"data":[{{"id":1}},{{"id":2}}],{beside}}}"#)).unwrap();
            reads(&yaml, "x").unwrap_or_else(|| panic!("{yaml}")).paging
        };
        assert!(
            matches!(paging(r#""paging":{"next":"https://a.example/x?p=2"}"#), Paging::NextUrl { next } if next == "$.paging.next")
        );
        assert!(
            matches!(paging(r#""meta":{"next_cursor":"abc"}"#), Paging::Cursor { next, .. } if next == "$.meta.next_cursor")
        );
        assert!(matches!(paging(r#""meta":{"offset":0,"limit":100}"#), Paging::Offset { .. }));
        assert!(matches!(paging(r#""meta":{"total_pages":3}"#), Paging::Page { .. }));
        assert!(matches!(paging(r#""ok":true"#), Paging::None));
    }

    #[test]
    fn what_cannot_be_drafted_is_said() {
        assert!(draft_stream("x", "<html>").is_err() && draft_stream("x", r#"{"a":1}"#).is_err());
        let yaml = draft_stream("x", r#"[{"a":1},{"a":1}]"#).unwrap();
        assert!(yaml.contains("key: [TODO]") && yaml.contains(r#"records: "$[*]""#), "{yaml}");
    }
}
