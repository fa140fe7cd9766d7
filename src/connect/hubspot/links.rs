//! Links: which records of one object belong to which of another, and as what.
//!
//! A link is a record of its own stream, with both ids as its key. HubSpot keeps no stamp for it, and none of the
//! records' own moves with it: those of records that changed are read with each window, all of them once in a while.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::model::Missing;
use super::page::Paging;
use crate::connect::json;
use crate::record::{Field, FieldClass, RecordHead, Records, RecordsBuilder, Stream};

/// Records whose links are asked for at a time.
pub(super) const LINK_BATCH: usize = 1_000;

/// The fields of a stream of links, in their order.
const FIELDS: [&str; 5] = ["id", "to_id", "is_primary", "type_ids", "labels"];

/// The types by which a record belongs first of all to one company, in both directions; of contact, deal and ticket.
const PRIMARY: [u64; 6] = [1, 2, 5, 6, 25, 26];

/// The stream `name` of links.
pub(super) fn stream(name: &str) -> Stream {
    let field =
        |name: &str| Field::plain(name, if name == "is_primary" { "bool" } else { "string" }, FieldClass::Business);
    Stream {
        name: name.to_owned(),
        label: None,
        key: ["id", "to_id"].map(str::to_owned).to_vec(),
        stamp: None,
        fields: FIELDS.iter().map(|name| field(name)).collect(),
        dated: false,
        tells_deletes: false,
    }
}

/// The first id in the key of a link, or of a row of history.
pub(super) fn first_of(key: &str) -> Option<String> {
    serde_json::from_str::<Vec<String>>(key).ok()?.into_iter().next()
}

/// A record whose links are asked for: all, or those behind a place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Input {
    pub(super) id: String,
    pub(super) after: Option<String>,
}

/// What a page of links says.
#[derive(Debug, Default)]
pub(super) struct LinkPage {
    links: Vec<Link>,
    /// The records that were answered.
    answered: HashSet<String>,
    /// Records that say no link without saying which.
    nameless: usize,
    /// Those with more links than a page holds, and where theirs go on.
    more: Vec<Input>,
}

#[derive(Debug)]
struct Link {
    from: String,
    to: String,
    types: Vec<Type>,
}

impl LinkPage {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// When it is not JSON of this form, or is cut.
    pub(super) fn parse(body: &[u8]) -> serde_json::Result<LinkPage> {
        json::read(body, |text, _| {
            let answer: Answer = serde_json::from_str(text)?;
            let mut page = LinkPage::default();
            for error in answer.errors.unwrap_or_default().into_iter().filter(Missing::is_absence) {
                let ids = error.context.from_object_id;
                page.nameless += usize::from(ids.is_empty());
                page.answered.extend(ids);
            }
            for result in answer.results {
                let from = result.from.id;
                page.more.extend(result.paging.next().map(|after| Input { id: from.clone(), after: Some(after) }));
                page.answered.insert(from.clone());
                page.links.extend(result.to.into_iter().map(|to| Link {
                    from: from.clone(),
                    to: to.to_object_id.into_text(),
                    types: to.association_types,
                }));
            }
            Ok(page)
        })
    }

    /// Adds what another page says of the records in `asked`. Gives those that are to be asked about next: those of which it
    /// says nothing, and those that have more; and whether there are any of the first kind.
    pub(super) fn add(&mut self, other: LinkPage, asked: Vec<Input>) -> (Vec<Input>, bool) {
        // What goes on where it was asked to go on is the page before.
        let is_stale = |input: &Input| input.after.is_some() && other.more.contains(input);
        let is_open = |input: &Input| !other.answered.contains(&input.id) || is_stale(input);
        let (mut open, told): (Vec<Input>, Vec<Input>) = asked.into_iter().partition(is_open);
        if open.len() <= other.nameless {
            open.clear();
        }
        let told: HashSet<&str> = told.iter().map(|input| input.id.as_str()).collect();
        self.links.extend(other.links.into_iter().filter(|link| told.contains(link.from.as_str())));
        let is_in_vain = !open.is_empty();
        open.extend(other.more.into_iter().filter(|input| told.contains(input.id.as_str())));
        (open, is_in_vain)
    }

    /// The links as records, each pair once.
    pub(super) fn into_records(self) -> Records {
        let mut pairs: Vec<((String, String), Vec<Type>)> = Vec::new();
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for Link { from, to, types } in self.links {
            let pair = (from, to);
            match places.get(&pair) {
                Some(&at) => pairs[at].1.extend(types),
                None => {
                    places.insert(pair.clone(), pairs.len());
                    pairs.push((pair, types));
                }
            }
        }
        let fields: Arc<[String]> = FIELDS.iter().map(|name| (*name).to_owned()).collect();
        let mut builder = RecordsBuilder::new(fields, pairs.len());
        for ((from, to), mut types) in pairs {
            types.sort();
            types.dedup();
            let ids: Vec<String> = types.iter().map(|kind| kind.type_id.to_string()).collect();
            let mut labels: Vec<&str> = types.iter().filter_map(|kind| kind.label.as_deref()).collect();
            labels.sort_unstable();
            labels.dedup();
            builder.set(0, Some(&from));
            builder.set(1, Some(&to));
            builder.set(2, Some(if types.iter().any(Type::is_primary) { "true" } else { "false" }));
            builder.set(3, Some(&ids.join(";")).filter(|ids| !ids.is_empty()).map(String::as_str));
            // People write labels, so no sign is sure not to be in one.
            let labels = (!labels.is_empty()).then(|| serde_json::json!(labels).to_string());
            builder.set(4, labels.as_deref());
            let key = serde_json::json!([from, to]).to_string();
            builder.finish_row(RecordHead { key, ..RecordHead::default() });
        }
        builder.finish()
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Linked>,
    #[serde(default)]
    errors: Option<Vec<Missing>>,
}

#[derive(Deserialize)]
struct Linked {
    from: From,
    #[serde(default)]
    to: Vec<To>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Deserialize)]
struct From {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct To {
    to_object_id: Id,
    #[serde(default)]
    association_types: Vec<Type>,
}

/// An id: a number on the wire, a text in the specification.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Id {
    fn into_text(self) -> String {
        match self {
            Id::Number(number) => number.to_string(),
            Id::Text(text) => text,
        }
    }
}

/// As what a record is linked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    type_id: u64,
    #[serde(default)]
    category: String,
    #[serde(default)]
    label: Option<String>,
}

impl Type {
    fn is_primary(&self) -> bool {
        self.category == "HUBSPOT_DEFINED"
            && (PRIMARY.contains(&self.type_id) || self.label.as_deref() == Some("Primary"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(ids: &[&str]) -> Vec<Input> {
        ids.iter().map(|id| Input { id: (*id).to_owned(), after: None }).collect()
    }

    const ANSWER: &str = r#"{"status":"COMPLETE","results":[
      {"from":{"id":"700"},"to":[
        {"toObjectId":9001,"associationTypes":[{"category":"USER_DEFINED","typeId":28,"label":"導入先"},
           {"category":"HUBSPOT_DEFINED","typeId":5,"label":"Primary"},{"category":"HUBSPOT_DEFINED","typeId":341,"label":null}]},
        {"toObjectId":"9002","associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":341,"label":null}]}],
       "paging":{"next":{"after":"MTIz","link":"https://elsewhere"}}}],
      "numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND",
        "context":{"fromObjectId":["701"],"fromObjectType":["deal"],"toObjectType":["company"]}}]}"#;

    #[test]
    fn a_pair_is_one_record_with_all_that_it_is_linked_as() {
        let mut all = LinkPage::default();
        let next = all.add(LinkPage::parse(ANSWER.as_bytes()).unwrap(), inputs(&["700", "701"]));
        assert_eq!(next, (vec![Input { id: "700".into(), after: Some("MTIz".into()) }], false));
        let records = all.into_records();
        let row = |row| (0..5).map(|at| records.value(row, at)).collect::<Vec<_>>();
        assert_eq!(
            row(0),
            [Some("700"), Some("9001"), Some("true"), Some("5;28;341"), Some(r#"["Primary","導入先"]"#)]
        );
        assert_eq!(row(1), [Some("700"), Some("9002"), Some("false"), Some("341"), None]);
        assert_eq!(records.heads()[0].key, r#"["700","9001"]"#);
    }

    #[test]
    fn a_record_without_links_is_answered_by_an_error_and_one_that_is_left_out_is_not() {
        let open = |asked| LinkPage::default().add(LinkPage::parse(ANSWER.as_bytes()).unwrap(), asked);
        assert_eq!(open(inputs(&["701"])), (Vec::new(), false));
        assert_eq!(open(inputs(&["701", "702"])), (inputs(&["702"]), true));
    }

    #[test]
    fn an_answer_that_comes_again_is_not_taken_for_the_next() {
        let asked = vec![Input { id: "700".into(), after: Some("MTIz".into()) }];
        let mut all = LinkPage::default();
        assert_eq!(all.add(LinkPage::parse(ANSWER.as_bytes()).unwrap(), asked.clone()), (asked, true));
        assert!(all.into_records().is_empty());
    }

    #[test]
    fn an_error_that_does_not_say_of_which_record_stands_for_one() {
        let body = r#"{"results":[],"errors":[{"status":"error","message":"No company is associated with deal 7."}]}"#;
        let open = |asked| LinkPage::default().add(LinkPage::parse(body.as_bytes()).unwrap(), asked);
        assert_eq!(open(inputs(&["7"])), (Vec::new(), false));
        assert_eq!(open(inputs(&["7", "8"])), (inputs(&["7", "8"]), true));
    }
}
