//! Where reading goes on (semantics F).

use nenrin::clock::Timestamp;
use nenrin::control::{Checkpoint, CheckpointState, Lease, Prepare, Reach};
use nenrin::error::ErrorKind;
use nenrin::record::{Cursor, StreamId};
use serde_json::json;

use super::{Bench, at};

on_both! {
    f4_a_checkpoint_is_prepared_then_committed_and_comes_back_whole,
    f4_a_lost_lease_prepares_nothing,
    f4_an_expired_lease_prepares_nothing,
    f4_marking_goes_by_attempt_and_twice_is_once,
    f4_a_dropped_attempt_cannot_be_committed_and_its_number_is_not_given_again,
    f4_a_committed_checkpoint_cannot_be_dropped,
    f4_one_checkpoint_of_a_stream_is_undecided_at_a_time,
    f4_a_number_given_before_is_refused,
    f4_a_database_ahead_of_the_lake_goes_back,
    f2_reach_counts_what_was_committed_by_then,
    streams_that_differ_only_by_case_are_two,
}

fn account() -> StreamId {
    StreamId::new("sf", "Account")
}

fn prepare(n: i64) -> Prepare {
    Prepare {
        stream: account(),
        n,
        attempt: format!("run-1:Account:{n}"),
        run_id: "run-1".to_owned(),
        cursor: Cursor(json!({ "after": format!("00{n}"), "until": "2026-10-01T11:55:00Z" })),
        payload: json!({ "tables": ["Account"], "ledger": [{ "n": n }] }),
        wrote: true,
        complete_through: None,
        verified_through: None,
        deletes_through: None,
    }
}

async fn lease(bench: &Bench) -> Lease {
    bench.control.leases().acquire("source:sf", "sync", 600).await.unwrap()
}

async fn commit(bench: &Bench, lease: &Lease, prepare: &Prepare) {
    bench.control.checkpoints().prepare(prepare, lease).await.unwrap();
    bench.control.checkpoints().commit(&prepare.attempt).await.unwrap();
}

async fn f4_a_checkpoint_is_prepared_then_committed_and_comes_back_whole(bench: Bench) {
    let checkpoints = bench.control.checkpoints();
    let lease = lease(&bench).await;
    let wanted = Prepare {
        complete_through: Some(at("2026-10-01T11:55:00.000001Z")),
        verified_through: Some(at("2026-09-30T00:00:00Z")),
        ..prepare(1)
    };
    checkpoints.prepare(&wanted, &lease).await.unwrap();
    assert_eq!(checkpoints.latest_committed(&account()).await.unwrap(), None);
    let prepared = checkpoints.prepared(&account()).await.unwrap().unwrap();
    assert_eq!(prepared.state, CheckpointState::Prepared);
    bench.clock.advance_secs(5);
    checkpoints.commit(&wanted.attempt).await.unwrap();
    assert_eq!(checkpoints.prepared(&account()).await.unwrap(), None);
    let found = bench.another().await.checkpoints().latest_committed(&account()).await.unwrap().unwrap();
    assert_eq!(
        found,
        Checkpoint {
            stream: account(),
            n: 1,
            attempt: wanted.attempt,
            lease_token: lease.token(),
            cursor: wanted.cursor,
            payload: wanted.payload,
            wrote: true,
            complete_through: wanted.complete_through,
            verified_through: wanted.verified_through,
            state: CheckpointState::Committed,
            prepared_at: at("2026-10-01T12:00:00Z"),
            committed_at: Some(at("2026-10-01T12:00:05Z")),
            run_id: "run-1".to_owned(),
        }
    );
}

async fn f4_a_lost_lease_prepares_nothing(bench: Bench) {
    let old = lease(&bench).await;
    bench.control.leases().release(&old).await.unwrap();
    lease(&bench).await;
    let error = bench.control.checkpoints().prepare(&prepare(1), &old).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(bench.control.checkpoints().max_n(&account()).await.unwrap(), None);
}

async fn f4_an_expired_lease_prepares_nothing(bench: Bench) {
    let lease = lease(&bench).await;
    bench.clock.advance_secs(600);
    let error = bench.control.checkpoints().prepare(&prepare(1), &lease).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    bench.control.leases().renew(&lease, 600).await.unwrap();
    bench.control.checkpoints().prepare(&prepare(1), &lease).await.unwrap();
}

async fn f4_marking_goes_by_attempt_and_twice_is_once(bench: Bench) {
    let checkpoints = bench.control.checkpoints();
    let lease = lease(&bench).await;
    checkpoints.prepare(&prepare(1), &lease).await.unwrap();
    assert_eq!(checkpoints.commit("another attempt").await.unwrap_err().kind(), ErrorKind::Conflict);
    checkpoints.commit(&prepare(1).attempt).await.unwrap();
    bench.clock.advance_secs(60);
    checkpoints.commit(&prepare(1).attempt).await.unwrap();
    let found = checkpoints.latest_committed(&account()).await.unwrap().unwrap();
    assert_eq!(found.committed_at, Some(at("2026-10-01T12:00:00Z")));
}

async fn f4_a_dropped_attempt_cannot_be_committed_and_its_number_is_not_given_again(bench: Bench) {
    let checkpoints = bench.control.checkpoints();
    let lease = lease(&bench).await;
    checkpoints.prepare(&prepare(1), &lease).await.unwrap();
    assert!(checkpoints.drop_prepared(&prepare(1).attempt).await.unwrap());
    assert!(!checkpoints.drop_prepared(&prepare(1).attempt).await.unwrap());
    assert_eq!(checkpoints.prepared(&account()).await.unwrap(), None);
    assert_eq!(checkpoints.commit(&prepare(1).attempt).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(checkpoints.latest_committed(&account()).await.unwrap(), None);
    assert_eq!(checkpoints.max_n(&account()).await.unwrap(), Some(1));
    let again = Prepare { attempt: "run-2:Account:1".to_owned(), ..prepare(1) };
    assert_eq!(checkpoints.prepare(&again, &lease).await.unwrap_err().kind(), ErrorKind::Conflict);
    commit(&bench, &lease, &prepare(2)).await;
}

async fn f4_a_committed_checkpoint_cannot_be_dropped(bench: Bench) {
    let lease = lease(&bench).await;
    commit(&bench, &lease, &prepare(1)).await;
    assert!(!bench.control.checkpoints().drop_prepared(&prepare(1).attempt).await.unwrap());
    assert_eq!(bench.control.checkpoints().latest_committed(&account()).await.unwrap().unwrap().n, 1);
}

async fn f4_one_checkpoint_of_a_stream_is_undecided_at_a_time(bench: Bench) {
    let lease = lease(&bench).await;
    bench.control.checkpoints().prepare(&prepare(1), &lease).await.unwrap();
    let error = bench.control.checkpoints().prepare(&prepare(2), &lease).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let other = Prepare { stream: StreamId::new("sf", "Contact"), attempt: "c".to_owned(), ..prepare(1) };
    bench.control.checkpoints().prepare(&other, &lease).await.unwrap();
}

async fn f4_a_number_given_before_is_refused(bench: Bench) {
    let lease = lease(&bench).await;
    commit(&bench, &lease, &prepare(5)).await;
    for n in [4, 5] {
        let again = Prepare { attempt: format!("again-{n}"), ..prepare(n) };
        let error = bench.control.checkpoints().prepare(&again, &lease).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{n}");
    }
    // A stale handle may try an attempt's name again.
    let again = Prepare { n: 6, ..prepare(5) };
    bench.control.checkpoints().prepare(&again, &lease).await.unwrap_err();
    assert_eq!(bench.control.checkpoints().max_n(&account()).await.unwrap(), Some(5));
}

async fn f4_a_database_ahead_of_the_lake_goes_back(bench: Bench) {
    let checkpoints = bench.control.checkpoints();
    let lease = lease(&bench).await;
    for n in 1..=4 {
        commit(&bench, &lease, &Prepare { wrote: n != 4, ..prepare(n) }).await;
    }
    checkpoints.prepare(&prepare(5), &lease).await.unwrap();
    assert_eq!(checkpoints.max_wrote_n(&account()).await.unwrap(), Some(3));
    // The restored lake has transaction 2.
    let newest = checkpoints.newest_at_or_below(&account(), 2).await.unwrap().unwrap();
    assert_eq!(newest.n, 2);
    assert_eq!(checkpoints.roll_back_above(&account(), 2).await.unwrap(), 3);
    assert_eq!(checkpoints.latest_committed(&account()).await.unwrap().unwrap().n, 2);
    assert_eq!(checkpoints.prepared(&account()).await.unwrap(), None);
    assert_eq!(checkpoints.max_wrote_n(&account()).await.unwrap(), Some(2));
    assert_eq!(checkpoints.max_n(&account()).await.unwrap(), Some(5), "no number is given twice");
    assert_eq!(checkpoints.newest_at_or_below(&account(), 0).await.unwrap(), None);
}

async fn f2_reach_counts_what_was_committed_by_then(bench: Bench) {
    let checkpoints = bench.control.checkpoints();
    let lease = lease(&bench).await;
    assert_eq!(checkpoints.reach(&account(), None).await.unwrap(), Reach::default());
    commit(&bench, &lease, &prepare(1)).await;
    bench.clock.advance_secs(60);
    let until = at("2026-10-01T11:55:00Z");
    commit(&bench, &lease, &Prepare { complete_through: Some(until), ..prepare(2) }).await;
    bench.clock.advance_secs(60);
    let later = at("2026-10-01T11:57:00Z");
    let verified = at("2026-10-01T11:56:00Z");
    commit(&bench, &lease, &Prepare { complete_through: Some(later), verified_through: Some(verified), ..prepare(3) })
        .await;
    commit(&bench, &lease, &prepare(4)).await;

    let through =
        async |known_at: Option<Timestamp>| checkpoints.complete_through_at(&account(), known_at).await.unwrap();
    assert_eq!(through(Some(at("2026-10-01T12:00:59Z"))).await, None);
    assert_eq!(through(Some(at("2026-10-01T12:01:00Z"))).await, Some(until));
    assert_eq!(through(Some(at("2026-10-01T12:02:00Z"))).await, Some(later));
    assert_eq!(through(None).await, Some(later));
    assert_eq!(
        checkpoints.reach(&account(), None).await.unwrap(),
        Reach {
            complete_through: Some(later),
            verified_through: Some(verified),
            deletes_through: None,
            first_complete_at: Some(at("2026-10-01T12:01:00Z")),
        }
    );
    checkpoints.roll_back_above(&account(), 2).await.unwrap();
    assert_eq!(through(None).await, Some(until));
}

async fn streams_that_differ_only_by_case_are_two(bench: Bench) {
    let lease = lease(&bench).await;
    commit(&bench, &lease, &prepare(1)).await;
    let other = Prepare { stream: StreamId::new("sf", "account"), attempt: "lower".to_owned(), ..prepare(1) };
    commit(&bench, &lease, &other).await;
    assert_eq!(
        bench.control.checkpoints().latest_committed(&account()).await.unwrap().unwrap().attempt,
        prepare(1).attempt
    );
}
