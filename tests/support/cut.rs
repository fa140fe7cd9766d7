//! Cutting a run off at a step, as a power cut would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nenrin::connect::ReadMode;
use nenrin::error::Result;
use nenrin::record::SourceId;
use nenrin::sync::{Step, Steps, SyncOptions, sync};

use super::app::TestApp;

/// Counts the steps of a run, and ends it at one of them without giving it a chance to tidy up: neither is
/// the run marked as ended nor its lease given back.
#[derive(Debug, Default)]
struct Cutter {
    cut_at: Option<usize>,
    /// Counts only steps of this kind.
    of: Option<Step>,
    count: AtomicUsize,
    seen: Mutex<Vec<Step>>,
}

impl Steps for Cutter {
    fn reached(&self, step: Step) -> Result<()> {
        self.seen.lock().unwrap().push(step);
        if self.of.is_some_and(|kind| kind != step) {
            return Ok(());
        }
        if Some(self.count.fetch_add(1, Ordering::SeqCst)) == self.cut_at {
            // Unwinds the run's task; unlike a panic, it tells nobody.
            std::panic::resume_unwind(Box::new("cut off"));
        }
        Ok(())
    }
}

impl TestApp {
    /// Runs `source` to its end, which must be complete; the steps it took.
    pub(crate) async fn steps(&self, source: &str, mode: ReadMode) -> Vec<Step> {
        let cutter = Cutter::default();
        let report = self.sync_with(source, &SyncOptions { mode, steps: &cutter, ..SyncOptions::default() }).await;
        super::app::assert_complete(&report.unwrap());
        cutter.seen.into_inner().unwrap()
    }

    /// Runs `source` and cuts it off at its step number `cut_at`; whether it came that far.
    pub(crate) async fn cut_off(&self, source: &str, mode: ReadMode, cut_at: usize) -> bool {
        self.cut(source, mode, Cutter { cut_at: Some(cut_at), ..Cutter::default() }).await
    }

    /// Runs `source` and cuts it off when it comes to a step of that kind for the time number `nth`, from 0.
    pub(crate) async fn cut_off_when(&self, source: &str, mode: ReadMode, kind: Step, nth: usize) -> bool {
        self.cut(source, mode, Cutter { cut_at: Some(nth), of: Some(kind), ..Cutter::default() }).await
    }

    async fn cut(&self, source: &str, mode: ReadMode, cutter: Cutter) -> bool {
        let workspace = self.open().await;
        let id = SourceId(source.into());
        let cutter = Arc::new(cutter);
        let task = tokio::spawn(async move {
            sync(&workspace, &id, &SyncOptions { mode, steps: &*cutter, ..SyncOptions::default() }).await
        });
        match task.await {
            Err(ended) => ended.is_panic(),
            Ok(report) => {
                report.unwrap();
                false
            }
        }
    }
}
