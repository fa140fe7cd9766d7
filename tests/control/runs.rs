//! What each sync run did.

use nenrin::control::{EventLevel, RunEvent, RunFilter, RunOutcome, StartRun};
use nenrin::error::ErrorKind;
use serde_json::json;

use super::{Bench, at};

on_both! {
    a_run_tells_how_it_ended_and_what_it_counted,
    a_run_whose_lease_is_dead_is_marked_interrupted_and_a_live_one_is_not,
    runs_are_listed_newest_first_by_source_and_outcome,
    the_story_of_a_run_keeps_its_order,
}

fn run<'a>(run_id: &'a str, source: &'a str) -> StartRun<'a> {
    StartRun { run_id, source, trigger: "cli" }
}

async fn a_run_tells_how_it_ended_and_what_it_counted(bench: Bench) {
    let lease = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let runs = bench.control.runs();
    runs.start(&run("r1", "sf"), &lease).await.unwrap();
    let going = runs.get("r1").await.unwrap().unwrap();
    assert_eq!((going.outcome, going.ended_at), (RunOutcome::Running, None));
    bench.clock.advance_secs(7);
    let counts = json!({ "streams": [{ "stream": "Account", "read": 3, "new": 1, "unchanged": 2 }] });
    runs.finish("r1", RunOutcome::CompleteWithHolds, &counts, None).await.unwrap();
    let ended = runs.get("r1").await.unwrap().unwrap();
    assert_eq!(ended.outcome, RunOutcome::CompleteWithHolds);
    assert_eq!(ended.counts, counts);
    assert_eq!(ended.trigger, "cli");
    assert_eq!(ended.started_at, at("2026-10-01T12:00:00Z"));
    assert_eq!(ended.ended_at, Some(at("2026-10-01T12:00:07Z")));
    let error = runs.finish("r2", RunOutcome::Complete, &counts, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

async fn a_run_whose_lease_is_dead_is_marked_interrupted_and_a_live_one_is_not(bench: Bench) {
    let runs = bench.control.runs();
    let short = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let long = bench.control.leases().acquire("source:core", "sync", 600).await.unwrap();
    runs.start(&run("r1", "sf"), &short).await.unwrap();
    runs.start(&run("r2", "core"), &long).await.unwrap();
    assert_eq!(runs.mark_interrupted().await.unwrap(), Vec::<String>::new());
    bench.clock.advance_secs(60);
    assert_eq!(bench.another().await.runs().mark_interrupted().await.unwrap(), ["r1"]);
    let interrupted = runs.get("r1").await.unwrap().unwrap();
    assert_eq!(interrupted.outcome, RunOutcome::Interrupted);
    assert_eq!(interrupted.ended_at, Some(at("2026-10-01T12:01:00Z")));
    assert!(interrupted.error.unwrap().contains("the next run continues"));
    assert_eq!(runs.get("r2").await.unwrap().unwrap().outcome, RunOutcome::Running);
    // A run whose lease went to another run is dead too.
    bench.control.leases().release(&long).await.unwrap();
    bench.control.leases().acquire("source:core", "sync", 600).await.unwrap();
    assert_eq!(runs.mark_interrupted().await.unwrap(), ["r2"]);
}

async fn runs_are_listed_newest_first_by_source_and_outcome(bench: Bench) {
    let runs = bench.control.runs();
    let lease = bench.control.leases().acquire("source:any", "sync", 600).await.unwrap();
    for (run_id, source, outcome) in
        [("r1", "sf", RunOutcome::Complete), ("r2", "core", RunOutcome::Failed), ("r3", "sf", RunOutcome::Partial)]
    {
        runs.start(&run(run_id, source), &lease).await.unwrap();
        runs.finish(run_id, outcome, &json!(null), None).await.unwrap();
        bench.clock.advance_secs(60);
    }
    let listed = async |filter: RunFilter<'static>| -> Vec<String> {
        runs.list(&filter).await.unwrap().into_iter().map(|run| run.run_id).collect()
    };
    assert_eq!(listed(RunFilter::default()).await, ["r3", "r2", "r1"]);
    assert_eq!(listed(RunFilter { source: Some("sf"), ..Default::default() }).await, ["r3", "r1"]);
    assert_eq!(listed(RunFilter { outcome: Some(RunOutcome::Failed), ..Default::default() }).await, ["r2"]);
    assert_eq!(listed(RunFilter { limit: Some(1), ..Default::default() }).await, ["r3"]);
    let mut counted = runs.count_by_outcome().await.unwrap();
    counted.sort_by_key(|(source, outcome, _)| (source.clone(), outcome.as_str()));
    assert_eq!(
        counted,
        [
            ("core".to_owned(), RunOutcome::Failed, 1),
            ("sf".to_owned(), RunOutcome::Complete, 1),
            ("sf".to_owned(), RunOutcome::Partial, 1),
        ]
    );
}

async fn the_story_of_a_run_keeps_its_order(bench: Bench) {
    let lease = bench.control.leases().acquire("source:sf", "sync", 60).await.unwrap();
    let runs = bench.control.runs();
    runs.start(&run("r1", "sf"), &lease).await.unwrap();
    let story = [
        RunEvent {
            at: bench.clock_now(),
            level: EventLevel::Info,
            stream: Some("Account".to_owned()),
            message: "landed batch".to_owned(),
            fields: json!({ "record_count": 2000 }),
        },
        RunEvent {
            at: bench.clock_now(),
            level: EventLevel::Warn,
            stream: None,
            message: "quota is nearly used up".to_owned(),
            fields: json!({}),
        },
    ];
    for event in &story {
        runs.add_event("r1", event).await.unwrap();
    }
    assert_eq!(runs.events("r1").await.unwrap(), story);
    runs.add_event("no such run", &story[0]).await.unwrap_err();
}

impl Bench {
    fn clock_now(&self) -> nenrin::clock::Timestamp {
        self.control.now()
    }
}
