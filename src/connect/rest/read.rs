//! Reading a page of a stream: of its own list, or of the lists of some of its parents.

use std::sync::PoisonError;

use futures::{StreamExt, stream};
use tracing::info;

use super::Rest;
use super::ask::{ListPage, Span, Wish};
use super::position::{Kind, ListAt, Position, Progress, State};
use super::print::values_of;
use super::stream::StreamPlan;
use crate::clock::Timestamp;
use crate::connect::http::Tally;
use crate::connect::shape::Item;
use crate::connect::source::ReadMode;
use crate::connect::tree::Tree;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Rejected};

/// Parents at a time whose children are asked for, each with requests of its own.
const PARENTS: usize = 50;

/// A page of parents.
#[derive(Debug, Clone)]
pub(super) struct Parents {
    stream: String,
    at: ListAt,
    items: Vec<Tree>,
    next: Option<ListAt>,
    total: Option<u64>,
    /// How many of them were not on the page before.
    new: u64,
}

/// What was read, and where the reading stands behind it.
struct Read {
    items: Vec<Owned>,
    rejected: Vec<Rejected>,
    rest: Progress,
    ends: bool,
    /// How many records the API counts on the list that was read, the stream's own or that of its parents, where that
    /// list is read from end to end.
    total: Option<u64>,
}

/// A record with what its parent adds, and where it was.
struct Owned {
    tree: Tree,
    kept: Vec<(String, Tree)>,
    at: (u64, usize),
}

impl Owned {
    fn item(&self) -> Item<'_> {
        let place = format!("page {}, record {}", self.at.0, self.at.1);
        Item { tree: &self.tree, kept: &self.kept, place }
    }
}

impl Rest {
    /// The next page of a stream.
    pub(super) async fn page(
        &self,
        name: &str,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let plan = self.plan(name)?;
        let position = cursor.map(|cursor| cursor.read::<Position>()).transpose()?;
        let position = position.filter(|position| position.scope == plan.scope);
        let mut fields = plan.named_fields();
        for field in position.iter().flat_map(|position| &position.fields) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        let state = position.map(|position| position.state);
        let is_resumed = first_of_run && matches!(state, Some(State::Reading(_)));
        let mut progress = Progress::next(state, first_of_run, mode, plan.rhythm, self.now(), &self.run_id);
        let mut tally = Tally::default();
        let read = match self.part(plan, &progress, &mut tally).await {
            Err(error) if is_resumed && progress != progress.begun_again() && is_place_gone(&error) => {
                info!(source_id = %self.id, stream = name, error = %error, "the place in the list is gone, reading it from its beginning");
                progress = progress.begun_again();
                self.part(plan, &progress, &mut tally).await?
            }
            read => read?,
        };
        self.finish(plan, progress, read, fields, tally)
    }

    async fn part(&self, plan: &StreamPlan, progress: &Progress, tally: &mut Tally) -> Result<Read> {
        match &plan.parent {
            None => self.own_list(plan, progress, tally).await,
            Some((parent, keep)) => self.children(plan, self.plan(parent)?, keep, progress, tally).await,
        }
    }

    fn finish(
        &self,
        plan: &StreamPlan,
        mut asked: Progress,
        read: Read,
        mut fields: Vec<String>,
        tally: Tally,
    ) -> Result<Page> {
        let Read { items, rejected, mut rest, mut ends, total } = read;
        let known = fields.len();
        let items: Vec<Item<'_>> = items.iter().map(Owned::item).collect();
        let mut rows = plan.shape.rows(&items, &mut fields, &plan.name)?;
        rows.rejected.extend(rejected);
        let observed_at = self.now();
        if asked.is_begin()
            && let Kind::Pass { started_at, .. } = &mut asked.kind
        {
            // Only the answer told what time it is there; ours may be another.
            *started_at = observed_at;
        }
        rest.kind = asked.kind.clone();
        if !asked.is_pass() && fields.len() > known {
            rest.new_field = true;
        }
        rest.read += rows.records.len() as u64;
        let list = plan.parent.as_ref().map_or(&plan.name, |(parent, _)| parent);
        if let Some(total) = total.filter(|total| ends && rest.list.read < *total) {
            let read = rest.list.read;
            if rest.repeated {
                return Err(Error::new(ErrorKind::BadData, "the API counts more records than it shows, also when read twice")
                    .with("list", list)
                    .with("total", total)
                    .with("read", read)
                    .help("see whether it sorts its list, and whether `total` leads to the number of these records; take `total` out if it does not"));
            }
            info!(source_id = %self.id, stream = plan.name, list, total, read, "the API counts more records than it showed, reading them once more");
            rest = Progress { repeated: true, ..asked.begun_again() };
            ends = false;
        }
        let (scope, until) = (plan.scope.clone(), rest.until);
        let follow_up = ends && rest.is_followed(plan.rhythm, observed_at);
        let state = match (ends, follow_up) {
            (false, _) => State::Reading(Box::new(rest)),
            (true, true) => {
                if rest.new_field {
                    info!(source_id = %self.id, stream = plan.name, "records have a field that none had before, reading everything once more");
                }
                let pass = Progress::pass(observed_at, rest.until, rest.refreshed_at, plan.rhythm, &self.run_id);
                State::Reading(Box::new(pass))
            }
            (true, false) => rest.done(),
        };
        let cursor = Cursor::of(&Position { scope: scope.clone(), fields, state })?;
        let next =
            if ends && !follow_up { Next::Done { cursor, complete_through: Some(until) } } else { Next::More(cursor) };
        Ok(Page {
            records: rows.records,
            rejected: rows.rejected,
            reading: Some(asked.reading(&scope)),
            ends_reading: ends,
            next,
            waits: false,
            observed_at,
            source_total: total.filter(|_| plan.parent.is_none()),
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }

    /// The part of the reading that one list shows.
    fn span(&self, plan: &StreamPlan, progress: &Progress) -> Option<Span> {
        let window = plan.window.as_ref()?;
        let from = match &progress.kind {
            Kind::Pass { .. } => progress.step.or(window.start)?,
            Kind::Window { from } => match (progress.step, window.start) {
                (Some(step), _) => step,
                (None, Some(start)) => window.step_begin(*from).max(start),
                (None, None) => *from,
            },
        };
        Some(Span { from, until: window.step_end(from, progress.until).max(from) })
    }

    /// The progress behind a page whose list goes on at `next`, or is at its end; and whether all is read.
    fn behind(&self, plan: &StreamPlan, progress: &Progress, next: Option<ListAt>) -> (Progress, bool) {
        let mut rest = progress.clone();
        if let Some(next) = next {
            rest.list = next;
            return (rest, false);
        }
        match self.span(plan, progress).filter(|span| span.until < progress.until) {
            Some(span) => {
                rest.step = Some(span.until);
                rest.list = ListAt::default();
                (rest, false)
            }
            None => (rest, true),
        }
    }

    async fn own_list(&self, plan: &StreamPlan, progress: &Progress, tally: &mut Tally) -> Result<Read> {
        let wish = Wish { plan, span: self.span(plan, progress), parent: None };
        let page = self.list_page(wish, &progress.list).await?;
        *tally += Tally { requests: page.requests, bytes: page.bytes };
        let ListPage { items, rejected, number, total, next, new, .. } = page;
        let total = total.filter(|_| progress.is_pass() && plan.has_no_start());
        let is_last = next.is_none();
        let (mut rest, ends) = self.behind(plan, progress, next);
        if progress.is_pass() && progress.list.pages == 0 && wish.span.is_none() {
            // The API has told its own clock by now.
            rest.until = self.now().plus_secs(-plan.rhythm.lag_secs);
        }
        if is_last && ends {
            rest.list.read = progress.list.read + new;
        }
        Ok(Read { items: owned(items, &[], number).collect(), rejected, rest, ends, total })
    }

    /// The children of some parents. Those of a parent that is gone by now are none.
    async fn children(
        &self,
        plan: &StreamPlan,
        parent: &StreamPlan,
        keep: &[String],
        progress: &Progress,
        tally: &mut Tally,
    ) -> Result<Read> {
        let parents = self.parents(parent, progress, tally).await?;
        let begin = progress.parents.min(parents.items.len());
        let end = (begin + PARENTS).min(parents.items.len());
        let span = self.span(plan, progress);
        let asked: Vec<_> = parents.items[begin..end]
            .iter()
            .map(|tree| self.children_of(Wish { plan, span, parent: None }, tree, keep))
            .collect();
        let mut answers = stream::iter(asked).buffered(self.config.concurrency);
        let (mut items, mut rejected) = (Vec::new(), Vec::new());
        while let Some(answer) = answers.next().await {
            let (own, bad, cost) = answer?;
            items.extend(own);
            rejected.extend(bad);
            *tally += cost;
        }
        let (mut rest, ends) = if end < parents.items.len() {
            (Progress { parents: end, ..progress.clone() }, false)
        } else {
            let (rest, ends) = self.behind(plan, progress, parents.next.clone());
            (Progress { parents: 0, ..rest }, ends)
        };
        if ends {
            rest.list.read = progress.list.read + parents.new;
        }
        Ok(Read { items, rejected, rest, ends, total: parents.total.filter(|_| parent.has_no_start()) })
    }

    async fn children_of(
        &self,
        wish: Wish<'_>,
        parent: &Tree,
        keep: &[String],
    ) -> Result<(Vec<Owned>, Vec<Rejected>, Tally)> {
        let values = values_of(parent);
        let wish = Wish { parent: Some(&values), ..wish };
        let kept: Vec<(String, Tree)> =
            keep.iter().filter_map(|name| Some((name.clone(), parent.get(name)?.clone()))).collect();
        let (mut items, mut rejected, mut tally) = (Vec::new(), Vec::new(), Tally::default());
        let mut at = Some(ListAt::default());
        while let Some(here) = at {
            let page = self.list_page(wish, &here).await?;
            tally += Tally { requests: page.requests, bytes: page.bytes };
            items.extend(owned(page.items, &kept, page.number));
            rejected.extend(page.rejected);
            at = page.next;
        }
        Ok((items, rejected, tally))
    }

    /// The page of parents at which the reading stands; the last one is kept, since it serves several times.
    async fn parents(&self, parent: &StreamPlan, progress: &Progress, tally: &mut Tally) -> Result<Parents> {
        let kept = self.parents.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) =
            kept.filter(|kept| kept.stream == parent.name && kept.at == progress.list && progress.parents > 0)
        {
            return Ok(kept);
        }
        // All parents, whenever they were changed: their children have no part in that.
        let whole = Progress {
            kind: Kind::Pass { id: String::new(), started_at: progress.until },
            step: None,
            ..progress.clone()
        };
        let wish = Wish { plan: parent, span: self.span(parent, &whole), parent: None };
        let page = self.list_page(wish, &progress.list).await?;
        *tally += Tally { requests: page.requests, bytes: page.bytes };
        let parents = Parents {
            stream: parent.name.clone(),
            at: progress.list.clone(),
            items: page.items,
            next: page.next,
            total: page.total,
            new: page.new,
        };
        *self.parents.lock().unwrap_or_else(PoisonError::into_inner) = Some(parents.clone());
        Ok(parents)
    }
}

/// The records of page `number`, with what their parent adds.
fn owned(items: Vec<Tree>, kept: &[(String, Tree)], number: u64) -> impl Iterator<Item = Owned> {
    items.into_iter().enumerate().map(move |(nth, tree)| Owned { tree, kept: kept.to_vec(), at: (number, nth + 1) })
}

/// Whether a request may have been refused because the place in the list was kept for too long.
fn is_place_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Rejected | ErrorKind::NotFound | ErrorKind::BadData)
}

/// The end of a window that begins at `from`, for the look at a stream.
pub(super) fn look_span(plan: &StreamPlan, now: Timestamp) -> Option<Span> {
    let window = plan.window.as_ref()?;
    let start = window.start?;
    let from = match window.step {
        // The last day that is over.
        Some(_) => window.step_begin(now.plus_secs(-86_400)).max(start),
        None => start,
    };
    Some(Span { from, until: window.step_end(from, now).max(from) })
}
