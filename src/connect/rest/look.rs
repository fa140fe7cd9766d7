//! Looking at an API without reading it: whether each stream answers, which fields its records have, a few of them.

use super::Rest;
use super::ask::Wish;
use super::position::ListAt;
use super::print::values_of;
use super::read::look_span;
use super::stream::StreamPlan;
use crate::connect::http::Tally;
use crate::connect::shape::Item;
use crate::connect::source::{Few, Finding, ReadMode, Sighting, Source};
use crate::connect::taker::Taker;
use crate::connect::tree::{Tree, type_of};
use crate::error::Result;
use crate::record::{Next, Records, Stream};

/// Of how many parents the children are looked at.
const LOOKED_AT: usize = 5;

impl Rest {
    /// Asks every stream for a page.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for plan in &self.plans {
            let what = format!("stream {}", plan.name);
            findings.push(match self.first_items(plan).await {
                Ok((items, rejected)) => {
                    let stream = self.with_fields(plan, &items);
                    let lost = if rejected > 0 { format!("; {rejected} rejected") } else { String::new() };
                    let detail =
                        format!("{} records on the first page, with {} fields{lost}", items.len(), stream.fields.len());
                    Finding { ok: rejected == 0, what, detail }
                }
                Err(error) => Finding { ok: false, what, detail: error.render() },
            });
        }
        findings
    }

    /// The stream with the fields that the records of one page show.
    pub(super) async fn described_by_looking(&self, name: &str) -> Result<Stream> {
        let plan = self.plan(name)?;
        let (items, _) = self.first_items(plan).await?;
        Ok(self.with_fields(plan, &items))
    }

    fn with_fields(&self, plan: &StreamPlan, items: &[(Tree, Vec<(String, Tree)>)]) -> Stream {
        let mut seen: Vec<(String, &'static str)> = Vec::new();
        for (tree, kept) in items {
            let own = tree.as_object().into_iter().flatten();
            for (name, value) in kept.iter().map(|(name, value)| (name, value)).chain(own) {
                let kind = type_of(value);
                match seen.iter_mut().find(|(known, _)| known == name) {
                    None if plan.shape.is_kept(name) => seen.push((name.clone(), kind.unwrap_or_default())),
                    Some((_, known)) if known.is_empty() => *known = kind.unwrap_or_default(),
                    _ => {}
                }
            }
        }
        plan.stream(seen.into_iter())
    }

    /// The records of the first page, of a child stream those of some parents; and how many are none.
    async fn first_items(&self, plan: &StreamPlan) -> Result<(Vec<(Tree, Vec<(String, Tree)>)>, usize)> {
        let wish = Wish { plan, span: look_span(plan, self.now()), parent: None };
        let Some((parent, keep)) = &plan.parent else {
            let page = self.list_page(wish, &ListAt::default()).await?;
            let rejected = page.rejected.len();
            return Ok((page.items.into_iter().map(|tree| (tree, Vec::new())).collect(), rejected));
        };
        let parent = self.plan(parent)?;
        let parents = Wish { plan: parent, span: look_span(parent, self.now()), parent: None };
        let page = self.list_page(parents, &ListAt::default()).await?;
        let (mut items, mut rejected) = (Vec::new(), 0);
        for tree in page.items.iter().take(LOOKED_AT) {
            let values = values_of(tree);
            let children = self.list_page(Wish { parent: Some(&values), ..wish }, &ListAt::default()).await?;
            let kept: Vec<(String, Tree)> =
                keep.iter().filter_map(|name| Some((name.clone(), tree.get(name)?.clone()))).collect();
            rejected += children.rejected.len();
            items.extend(children.items.into_iter().map(|tree| (tree, kept.clone())));
        }
        Ok((items, rejected))
    }

    /// A few records.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let plan = self.plan(&stream.name)?;
        let mut taker = Taker::new(stream, few);
        let mut fields: Vec<String> = stream.fields.iter().map(|field| field.name.clone()).collect();
        match few {
            Few::First(_) => {
                let (items, _) = self.first_items(plan).await?;
                let items: Vec<Item<'_>> = items
                    .iter()
                    .enumerate()
                    .map(|(nth, (tree, kept))| Item { tree, kept, place: format!("record {}", nth + 1) })
                    .collect();
                taker.take(&plan.shape.rows(&items, &mut fields, &plan.name)?.records);
                Ok(taker.finish())
            }
            Few::Key(key) if plan.by_key.is_some() => {
                let found = self.single(plan, &self.key_values(plan, key)).await?.value;
                let items: Vec<Item<'_>> =
                    found.iter().map(|tree| Item { tree, kept: &[], place: String::new() }).collect();
                taker.take(&plan.shape.rows(&items, &mut fields, &plan.name)?.records);
                Ok(taker.finish())
            }
            Few::Key(_) => {
                let mut cursor = None;
                loop {
                    let page = self.read_page(stream, cursor.as_ref(), cursor.is_none(), ReadMode::Full).await?;
                    let is_enough = taker.take(&page.records);
                    match page.next {
                        Next::More(next) if !is_enough => cursor = Some(next),
                        _ => return Ok(taker.finish()),
                    }
                }
            }
        }
    }

    /// Which of the records `keys` are there all the same, one request each.
    pub(super) async fn sighting(&self, name: &str, keys: &[String]) -> Result<Option<Sighting>> {
        let plan = self.plan(name)?;
        if plan.by_key.is_none() {
            return Ok(None);
        }
        let (mut sighting, mut tally) = (Sighting::default(), Tally::default());
        for key in keys {
            let sent = self.single(plan, &self.key_values(plan, key)).await?;
            tally.add(&sent);
            if sent.value.is_some() {
                sighting.keys.push(key.clone());
            }
        }
        (sighting.requests, sighting.bytes) = (tally.requests, tally.bytes);
        Ok(Some(sighting))
    }

    /// The fields of a key, as templates know them.
    fn key_values(&self, plan: &StreamPlan, key: &str) -> serde_json::Value {
        let parts: Vec<String> = match plan.shape.key.as_slice() {
            [_] => vec![key.to_owned()],
            _ => serde_json::from_str(key).unwrap_or_default(),
        };
        plan.shape.key.iter().cloned().zip(parts.into_iter().map(serde_json::Value::from)).collect()
    }
}
