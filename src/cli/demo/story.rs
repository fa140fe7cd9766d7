//! Living through the story: edits in the simulated Salesforce, files from the core system, the passing of time.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use simulators::company::Story;
use simulators::salesforce::{Options, Server};

use super::files::write_file;
use super::org::{OrgCrm, remember, write_credentials};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The months of the story, in order.
pub(super) fn months() -> Vec<(i32, u32)> {
    Story::months()
}

/// The company and its two systems, at a moment of the story.
pub(super) struct Life {
    story: Story,
    seed: u64,
    server: Server,
    folder: std::path::PathBuf,
}

/// The hour at which a month's sync runs: ten past midnight in Tokyo, on the first of the next month.
fn sync_time(year: i32, month: u32) -> DateTime<Utc> {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let midnight = chrono::NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
    midnight.and_utc() - TimeDelta::hours(9) + TimeDelta::minutes(10)
}

impl Life {
    /// Starts the systems as they are when the story begins.
    pub(super) async fn begin(folder: &Path, seed: u64) -> Result<Life> {
        let server = start(seed, 0).await?;
        let mut story = Story::new(seed);
        story.start(&mut OrgCrm(server.org()));
        write_credentials(folder, &server)?;
        std::fs::create_dir_all(folder.join("core"))
            .map_err(|error| Error::new(ErrorKind::Storage, "the demo's folder cannot be written").caused_by(error))?;
        Ok(Life { story, seed, server, folder: folder.to_path_buf() })
    }

    /// What time it is in the story.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from(self.server.org().now())
    }

    /// Lives through a month, up to the moment of its sync.
    pub(super) fn live(&mut self, year: i32, month: u32) -> Result<()> {
        let org = self.server.org();
        self.story.live_month(year, month, &mut OrgCrm(org.clone()));
        for export in self.story.exports(year, month) {
            write_file(&self.folder.join("core").join(&export.file_name), &export.bytes)?;
        }
        org.set_now(sync_time(year, month));
        Ok(())
    }

    /// Ends the demo: what a later command needs to bring the simulated org back is kept in the folder.
    pub(super) async fn end(self, folder: &Path) -> Result<()> {
        remember(folder, self.seed)?;
        self.server.shutdown().await;
        Ok(())
    }
}

/// Starts a simulated org.
pub(super) async fn start(seed: u64, port: u16) -> Result<Server> {
    let at = sync_time(2025, 9) - TimeDelta::minutes(10);
    let options = Options { seed, at, port, daily_requests: 100_000, ..Options::default() };
    Server::start(options).await.map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the simulated Salesforce cannot be started").caused_by(error)
    })
}

/// Brings the org back as it was when the demo ended, or with time gone on to `now` if that is later.
pub(super) async fn revive(seed: u64, now: Timestamp) -> Result<Server> {
    let server = start(seed, 0).await?;
    let org = server.org();
    let mut story = Story::new(seed);
    story.start(&mut OrgCrm(org.clone()));
    let mut end = org.now();
    for (year, month) in Story::months() {
        story.live_month(year, month, &mut OrgCrm(org.clone()));
        end = sync_time(year, month);
    }
    org.set_now(end.max(now.to_datetime()));
    Ok(server)
}
