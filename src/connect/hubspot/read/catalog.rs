//! Reading what an account lists whole.

use std::sync::Arc;

use super::came_before;
use crate::clock::Timestamp;
use crate::connect::ReadMode;
use crate::connect::http::Tally;
use crate::connect::hubspot::config::StreamConfig;
use crate::connect::hubspot::place::{Catalog, Place};
use crate::connect::hubspot::position::{Looks, Position, Progress, Rules, State};
use crate::connect::hubspot::{Hubspot, Listed};
use crate::error::Result;
use crate::record::{Next, Page, Records};

impl Hubspot {
    /// The whole of a catalog as one page: as a complete reading where the last one is too long ago, else as what
    /// changed since the last run.
    pub(in crate::connect::hubspot) async fn catalog_page(
        &self,
        place: Place<'_>,
        catalog: Catalog,
        before: Option<Position>,
        mode: ReadMode,
        (portal, rules): (u64, Rules),
        mut tally: Tally,
    ) -> Result<Page> {
        let (records, observed_at) = self.catalog(place, catalog, &mut tally).await?;
        let done = before.and_then(|before| match before.state {
            State::Done { until, looks } => Some((until, looks)),
            State::Reading(_) => None,
        });
        let is_due = |looks: Looks| {
            let swept = looks.refreshed_at;
            rules.refresh_secs.is_some_and(|secs| swept.is_none_or(|at| observed_at >= at.plus_secs(secs)))
        };
        // A list is no index: what it shows is as of now.
        let rules = Rules { lag_secs: 0, ..rules };
        let progress = match done {
            Some((since, looks)) if mode == ReadMode::Incremental && !is_due(looks) => {
                Progress::window(observed_at, since, looks, rules)
            }
            since => Progress::pass(&self.run_id, observed_at, since.map(|(since, _)| since), rules),
        };
        let scope = place.scope();
        let reading = Some(progress.reading(&scope));
        let cursor = Position { portal, scope, state: progress.done() }.to_cursor()?;
        Ok(Page {
            source_total: Some(records.len() as u64),
            records,
            rejected: Vec::new(),
            reading,
            ends_reading: true,
            next: Next::Done { cursor, complete_through: Some(progress.until) },
            waits: false,
            observed_at,
            requests: tally.requests,
            bytes: tally.bytes,
        })
    }

    /// All that a catalog lists, and when it was listed.
    pub(in crate::connect::hubspot) async fn catalog(
        &self,
        place: Place<'_>,
        catalog: Catalog,
        tally: &mut Tally,
    ) -> Result<(Records, Timestamp)> {
        let mut rows = catalog.rows();
        if catalog == Catalog::Owners {
            let mut observed_at = None;
            for archived in [false, true] {
                let mut after: Option<String> = None;
                loop {
                    let sent = self.api.owners(archived, after.as_deref()).await?;
                    tally.add(&sent);
                    observed_at = observed_at.or(sent.date);
                    sent.value.results.iter().for_each(|owner| rows.owner(owner));
                    match sent.value.paging.next() {
                        None => break,
                        Some(next) if after.as_ref() == Some(&next) => {
                            return Err(came_before());
                        }
                        next => after = next,
                    }
                }
            }
            return Ok((rows.finish(), self.observed(observed_at)));
        }
        let known = self.pipelines(place.config, tally).await?;
        for pipeline in &known.0 {
            match catalog {
                Catalog::Stages => pipeline.stages.iter().for_each(|stage| rows.stage(pipeline, stage)),
                _ => rows.pipeline(pipeline),
            }
        }
        Ok((rows.finish(), known.1))
    }

    /// The pipelines of an object, and when they were listed; asked once in a run.
    pub(in crate::connect::hubspot) async fn pipelines(
        &self,
        config: &StreamConfig,
        tally: &mut Tally,
    ) -> Result<Listed> {
        let object = &config.name;
        let mut known = self.pipelines.lock().await;
        if let Some(pipelines) = known.get(object) {
            return Ok(Arc::clone(pipelines));
        }
        let sent = self.api.pipelines(object).await?;
        tally.add(&sent);
        let pipelines = Arc::new((sent.value, self.observed(sent.date)));
        known.insert(object.clone(), Arc::clone(&pipelines));
        Ok(pipelines)
    }
}
