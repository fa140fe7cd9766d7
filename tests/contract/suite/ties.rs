//! Thousands of records with one stamp.

use nenrin::connect::ReadMode;

use super::super::project::Project;
use super::super::world::{Setup, System, before_pages};

pub(crate) async fn twelve_thousand_records_with_one_stamp_are_all_read(system: System) {
    let rows = system.facts.most_rows;
    let project = Project::read(system, Setup { page_rows: rows, batch_rows: 50_000, ..Setup::of(12_000) }).await;
    project.advance(3_600);
    project.world.update_all("一括");
    project.pass_lag();
    // Places in the result are forgotten before every page: what is left has the very stamp that was reached.
    let forgotten = before_pages(&project.world, 2..=6, |world| world.forget_places());
    let report = project.sync_through_trouble(ReadMode::Incremental).await;
    assert!(forgotten.is_finished());
    assert_eq!((report.mode, report.counts.changed), ("incremental", 12_000));
    project.assert_true().await;
}
