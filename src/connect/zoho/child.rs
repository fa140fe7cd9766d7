//! What belongs to a record: the rows of its sub-forms, and the stages that a deal has been through.
//!
//! No list shows rows of sub-forms: each record that changed is asked for on its own, for one credit. A row that was
//! taken out is missing from then on, which the next complete reading finds. The stages of a deal are a module where the
//! org's edition lets it be read; where it does not, they are asked for deal by deal, too. They are facts (semantics C):
//! written once, and what Zoho forgets of them we keep.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use serde_json::Value;

use super::api::Judged;
use super::config::StreamConfig;
use super::model::DescribedField;
use super::page;
use super::plan::{self, Columns, ID, STAMP, plain};
use super::read::keys;
use super::refusal::Refusal;
use super::{Place, Zoho};
use crate::connect::http::Tally;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{FactShape, Facts, Field, FieldClass, Records, Stream};

/// The module whose stages are kept.
pub(super) const DEALS: &str = "Deals";
/// The module that holds them, in some editions.
pub(super) const HISTORY_MODULE: &str = "DealHistory";
/// The related list that holds them in all.
const HISTORY_LIST: &str = "Stage_History";
/// The field with the deal.
pub(super) const DEAL: &str = "Deal";
/// What a stage tells of its deal.
const TOLD: [(&str, &str); 4] =
    [("Stage", "picklist"), ("Amount", "currency"), ("Probability", "integer"), ("Closing_Date", "date")];
/// The field of a row with the record that it belongs to.
const PARENT: &str = "Parent_Id";

/// What belongs to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child<'a> {
    /// The rows of this sub-form.
    SubForm(&'a str),
    /// The stages of a deal.
    Stages,
}

/// The name of the stream of a sub-form's rows.
pub(super) fn subform_stream(module: &str, field: &str) -> String {
    format!("{module}.{field}")
}

/// The name of the stream of stages.
pub(super) fn stages_stream() -> String {
    format!("{DEALS}.{HISTORY_LIST}")
}

/// The streams that hold facts about the records of `module`.
pub fn facts_about(module: &str) -> Vec<Facts> {
    if module != DEALS {
        return Vec::new();
    }
    let fields = TOLD.map(|(name, _)| (name.to_owned(), name.to_owned())).to_vec();
    vec![Facts { stream: stages_stream(), key: DEAL.into(), at: STAMP.into(), shape: FactShape::State { fields } }]
}

/// The stream of stages; the deal's field is called `deal`.
pub(super) fn stages(name: &str, deal: &str) -> Stream {
    let told = TOLD.iter().map(|(name, kind)| plain(name, kind));
    let fields = [plain(ID, "bigint"), plain(deal, "lookup")].into_iter().chain(told).chain([plain(STAMP, "datetime")]);
    Stream {
        name: name.to_owned(),
        label: None,
        key: vec![ID.to_owned()],
        stamp: Some(STAMP.to_owned()),
        fields: fields.collect(),
        dated: false,
        tells_deletes: false,
    }
}

/// The lookup by which the module of stages names the deal, when it tells what we need.
pub(super) fn deal_lookup(fields: &[DescribedField]) -> Option<String> {
    let has = |name: &str| fields.iter().any(|field| field.api_name == name);
    let is_whole = has(STAMP) && TOLD.iter().all(|(name, _)| has(name));
    let module = |field: &DescribedField| {
        field.lookup.pointer("/module/api_name").and_then(Value::as_str).is_some_and(|name| name == DEALS)
    };
    fields.iter().find(|field| is_whole && module(field)).map(|field| field.api_name.clone())
}

/// The module that a sub-form's rows are records of.
fn rows_module(fields: &[DescribedField], subform: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.api_name == subform)?;
    let module = field.subform.get("module")?;
    module.as_str().or_else(|| module.get("api_name")?.as_str()).map(str::to_owned)
}

impl Zoho {
    /// What the stages of deals offer, and how they are read: noted for the pages of this run.
    pub(super) async fn described_stages(&self, name: &str) -> Result<Stream> {
        let sent = self.api.fields(HISTORY_MODULE).await?;
        self.owe(name, &sent);
        let lookup = match sent.value {
            Ok(fields) => deal_lookup(&fields),
            Err(refusal) if refusal.is_closed_module() => None,
            Err(refusal) => return Err(refusal.into_error()),
        };
        self.note_history(lookup);
        Ok(stages(name, DEAL))
    }

    /// What the rows of a sub-form offer.
    pub(super) async fn described_rows(&self, name: &str, config: &StreamConfig, subform: &str) -> Result<Stream> {
        let sent = self.api.fields(&config.name).await?;
        self.owe(name, &sent);
        let fields = sent.value.map_err(Refusal::into_error)?;
        let module = rows_module(&fields, subform).ok_or_else(|| {
            Error::new(ErrorKind::Config, "the field is no sub-form")
                .with("field", subform)
                .help("list only sub-forms under `subforms`")
        })?;
        let sent = self.api.fields(&module).await?;
        self.owe(name, &sent);
        let fields = sent.value.map_err(Refusal::into_error)?;
        let mut rows = plan::stream_of(&fields, &StreamConfig::all_of(name))?;
        if !rows.fields.iter().any(|field| field.name == PARENT) {
            rows.fields.insert(1, plain(PARENT, "lookup"));
        }
        // A row has no reading of its own: what counts is when its record changed.
        let is_bookkeeping = |field: &Field| ["Created_By", "Owner"].contains(&field.name.as_str());
        for field in rows.fields.iter_mut().filter(|field| is_bookkeeping(field)) {
            field.class = FieldClass::Bookkeeping;
        }
        rows.tells_deletes = false;
        Ok(rows)
    }

    /// What belongs to the records `parents`, asked for one by one, several at a time.
    pub(super) async fn children(
        &self,
        stream: &Stream,
        place: Place<'_>,
        child: Child<'_>,
        parents: &Records,
        tally: &mut Tally,
    ) -> Result<Records> {
        let columns = Columns::of_stream(stream);
        let asked = stream::iter(keys(parents)).map(|id| {
            let columns = Arc::clone(&columns);
            async move {
                match child {
                    Child::SubForm(field) => self.rows_of(place.module, field, &id, &columns).await,
                    Child::Stages => self.stages_of(&id, &columns).await,
                }
            }
        });
        let mut asked = asked.buffered(self.config.concurrency);
        let mut all = Vec::new();
        while let Some(answer) = asked.next().await {
            let (records, cost) = answer?;
            tally.requests += cost.requests;
            tally.bytes += cost.bytes;
            all.push(page::only(records, &columns.names, |_| true));
        }
        Ok(if all.is_empty() { page::none(&columns.names) } else { Records::in_one(all) })
    }

    async fn rows_of(&self, module: &str, field: &str, id: &str, columns: &Arc<Columns>) -> Result<(Records, Tally)> {
        let mut tally = Tally::default();
        let sent = self.api.single(module, field, id, columns).await?;
        tally.add(&sent);
        let (rows, has_more) = gone_or(sent.value)?.unwrap_or_default();
        if has_more {
            return Err(Error::new(ErrorKind::BadData, "a sub-form has more rows than its record shows")
                .with("id", id)
                .help("take the sub-form out of `subforms`, and read its module as a stream of its own"));
        }
        Ok((page::with(&rows, PARENT, id), tally))
    }

    async fn stages_of(&self, id: &str, columns: &Arc<Columns>) -> Result<(Records, Tally)> {
        let (mut tally, mut found) = (Tally::default(), Vec::new());
        for number in 1.. {
            let sent = self.api.related(DEALS, id, HISTORY_LIST, columns, number).await?;
            tally.add(&sent);
            let Some(page) = gone_or(sent.value)? else { break };
            found.push(page::with(&page.records, DEAL, id));
            if !page.more {
                break;
            }
        }
        let found = found.into_iter().map(|records| page::only(records, &columns.names, |_| true)).collect();
        Ok((Records::in_one(found), tally))
    }
}

/// The answer, unless the record that was asked for is not there: Zoho says so in three ways.
fn gone_or<T>(value: Judged<Option<T>>) -> Result<Option<T>> {
    match value {
        Ok(value) => Ok(value),
        Err(refusal) if refusal.code == "INVALID_DATA" => Ok(None),
        Err(refusal) => Err(refusal.into_error()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lesson_9_deals_have_facts_from_the_first_day() {
        let [facts] = facts_about("Deals").try_into().unwrap();
        assert_eq!(
            (facts.stream.as_str(), facts.key.as_str(), facts.at.as_str()),
            ("Deals.Stage_History", "Deal", "Modified_Time")
        );
        assert!(facts_about("Accounts").is_empty());
        let stream = stages("Deals.Stage_History", DEAL);
        let names: Vec<&str> = stream.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["id", "Deal", "Stage", "Amount", "Probability", "Closing_Date", "Modified_Time"]);
    }

    #[test]
    fn the_lookup_of_the_deal_is_found_whatever_it_is_called() {
        let field = |name: &str, lookup: Value| -> DescribedField {
            serde_json::from_value(json!({ "api_name": name, "lookup": lookup })).unwrap()
        };
        let told =
            ["Stage", "Amount", "Probability", "Closing_Date", "Modified_Time"].map(|name| field(name, json!({})));
        let lookup = field("Potential_Name", json!({ "module": { "api_name": "Deals" } }));
        let other = field("Modified_By", json!({ "module": { "api_name": "users" } }));
        let whole: Vec<DescribedField> = told.iter().cloned().chain([other, lookup.clone()]).collect();
        assert_eq!(deal_lookup(&whole).as_deref(), Some("Potential_Name"));
        assert_eq!(deal_lookup(&told), None);
        assert_eq!(deal_lookup(&[lookup]), None);
    }
}
