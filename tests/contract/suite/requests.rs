//! No request more than needed.

use super::super::project::Project;
use super::super::world::{Call, Setup, System};

/// More than this many requests, in percent, are allowed above the fewest that the pages' size permits.
const TOLERATED_PERCENT: usize = 5;

/// Fails unless the run asked for pages and for what every such run has to ask, and hardly anything else.
#[track_caller]
fn assert_few(project: &Project, fewest_pages: usize, is_pass: bool) {
    let facts = project.system.facts;
    let by_passes = if is_pass { facts.asked_by_passes } else { &[] };
    let besides = || facts.asked_besides.iter().chain(by_passes);
    let fewest = fewest_pages + besides().map(|(_, count)| count).sum::<usize>();
    let calls = project.world.calls();
    assert!(calls.len() * 100 <= fewest * (100 + TOLERATED_PERCENT), "{} instead of {fewest}: {calls:?}", calls.len());
    for (call, count) in besides() {
        assert_eq!(project.world.count(*call), *count, "{call:?}: {calls:?}");
    }
    assert_eq!(project.pages(), fewest_pages, "{calls:?}");
}

pub(crate) async fn a_first_load_and_a_quiet_run_ask_for_no_more_than_the_pages(system: System) {
    let rows = system.facts.most_rows;
    let records = rows * 7 + 1;
    let setup = Setup { page_rows: rows, batch_rows: 50_000, no_log: true, ..Setup::of(records) };
    let project = Project::new(system, Setup { seed: 3, ..setup }).await;
    project.sync().await;
    assert_few(&project, 8, true);
    project.advance(3_600);
    project.sync().await;
    let quiet = usize::from(!system.facts.windows_tell_keys);
    assert_few(&project, quiet, false);
    assert_eq!(project.world.count(Call::Keys), 0);
    // When it is time for a look at all keys, that takes as many pages again, of keys or of whole records.
    project.pass_sweep();
    project.sync().await;
    let expected = if system.facts.sweeps_are_passes { (quiet + 8, 0) } else { (quiet, 8) };
    assert_eq!((project.pages(), project.world.count(Call::Keys)), expected);
}

pub(crate) async fn a_stream_that_fills_its_last_page_costs_no_request_for_an_empty_one(system: System) {
    let rows = system.facts.most_rows;
    let project = Project::new(system, Setup { page_rows: rows, batch_rows: 50_000, ..Setup::of(2 * rows) }).await;
    project.sync().await;
    assert_few(&project, 2, true);
}
