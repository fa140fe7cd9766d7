use super::*;
use crate::error::ErrorKind;

pub(super) const RULES: Rules = Rules {
    lag_secs: 300,
    overlap_secs: 600,
    sweep_secs: Some(86_400),
    refresh_secs: None,
    log_secs: None,
    bulk_from: None,
    bulk_first: false,
    has_stamp: true,
};

pub(super) fn swept(swept_at: Option<Timestamp>) -> Looks {
    Looks { swept_at, ..Looks::default() }
}

pub(super) fn at(text: &str) -> Timestamp {
    format!("2026-01-01T{text}Z").parse().unwrap()
}

pub(super) fn window() -> Progress {
    Progress::window(at("12:00:00"), at("10:00:00"), Looks::default(), RULES)
}

#[test]
fn lesson_1_and_10_a_window_overlaps_the_last_one_and_ends_before_now() {
    assert_eq!(window().reading(""), Reading::Window { from: at("09:50:00"), until: at("11:55:00") });
    // The clock of the org went back: nothing is skipped, nothing is un-read.
    let back = Progress::window(at("09:00:00"), at("10:00:00"), Looks::default(), RULES);
    assert_eq!(back.reading(""), Reading::Window { from: at("09:50:00"), until: at("10:00:00") });
}

#[test]
fn what_comes_next_follows_from_the_cursor() {
    let done = Some(State::Done { until: at("10:00:00"), looks: Looks::default() });
    let step = |state, first, mode| next_step(state, first, mode, RULES);
    assert_eq!(step(None, true, ReadMode::Incremental), Step::BeginPass { since: None });
    assert_eq!(
        step(done.clone(), true, ReadMode::Incremental),
        Step::BeginWindow { since: at("10:00:00"), looks: Looks::default() }
    );
    assert_eq!(step(done.clone(), true, ReadMode::Full), Step::BeginPass { since: Some(at("10:00:00")) });
    assert_eq!(
        step(done.clone(), false, ReadMode::Full),
        Step::BeginWindow { since: at("10:00:00"), looks: Looks::default() }
    );
    let no_stamp = Rules { has_stamp: false, ..RULES };
    assert_eq!(next_step(done, true, ReadMode::Incremental, no_stamp), Step::BeginPass { since: Some(at("10:00:00")) });
    let half = Progress { locator: Some("/x".into()), read: 5, ..window() };
    let state = Some(State::Reading(half.clone()));
    assert_eq!(step(state.clone(), false, ReadMode::Incremental), Step::Continue(half.clone()));
    assert_eq!(step(state.clone(), true, ReadMode::Full), Step::BeginPass { since: Some(at("09:50:00")) });
    let Step::Continue(resumed) = step(state, true, ReadMode::Incremental) else { panic!() };
    assert_eq!((resumed.locator, resumed.read_before, resumed.resumed), (None, 5, true));
}

#[test]
fn pages_lead_to_the_end_and_totals_add_up_over_queries() {
    let first = window().advanced(2_000, 3_000, Some("/next".into()), Some((Some(at("10:01:00")), "a".into())));
    let (Some(progress), Some(3_000)) = first else { panic!("{first:?}") };
    // The locator is lost: the rest is asked for behind the last row, and is 1,000 rows.
    let progress = progress.asked_anew();
    assert_eq!(
        progress.range(Some("S")),
        Range::Window { stamp: "S", from: at("09:50:00"), until: at("11:55:00"), after: Some((at("10:01:00"), "a")) }
    );
    assert_eq!(progress.advanced(1_000, 1_000, None, None), (None, Some(3_000)));
}

#[test]
fn lesson_6_a_result_that_lacks_rows_is_asked_for_once_more_then_from_its_beginning_then_refused() {
    let advance = |progress: Progress, rows, total| progress.advanced(rows, total, None, None);
    let again = advance(window(), 9, 10).0.unwrap();
    assert!(again.rechecked && again.locator.is_none());
    // The last row was lacking: it comes behind the others.
    assert_eq!(advance(again.clone(), 1, 1), (None, Some(10)));
    // One in the middle was: only the whole reading gives it.
    let (whole, said) = advance(again, 0, 0);
    let whole = whole.unwrap();
    assert_eq!((whole.read, whole.range(Some("S")), said), (0, window().range(Some("S")), Some(10)));
    assert_eq!((whole.still_lacks(10, 10, None), advance(whole.clone(), 10, 10).0), (None, None));
    assert_eq!(whole.still_lacks(9, 10, None), None, "the rest is asked for first");
    let again = advance(whole, 9, 10).0.unwrap();
    assert_eq!((again.still_lacks(1, 1, None), again.still_lacks(0, 0, None)), (None, Some(1)));
}

#[test]
fn a_slow_window_is_halved_and_still_read_to_its_end() {
    let mut progress = window().narrowed().unwrap();
    let mut slices = 0;
    loop {
        let Kind::Window { slice_from, slice_until, .. } = progress.kind else { panic!() };
        assert!(slice_from < slice_until);
        slices += 1;
        match progress.advanced(1, 1, None, Some((Some(slice_from), "a".into()))).0 {
            Some(next) => progress = next,
            None => break,
        }
    }
    assert_eq!(slices, 2);
    let mut narrow = window();
    let mut halvings = 0;
    while let Some(next) = narrow.clone().narrowed() {
        narrow = next;
        halvings += 1;
    }
    assert_eq!(halvings, 12);
}

#[test]
fn a_slow_pass_is_read_in_slices_by_id() {
    let pass = Progress::pass("run", at("12:00:00"), None, RULES).narrowed().unwrap();
    assert!(pass.clone().narrowed().is_none());
    assert_eq!(pass.range(None), Range::Pass { after: None, limit: Some(2_000) });
    let (Some(next), None) = pass.advanced(2_000, 2_000, None, Some((None, "b".into()))) else { panic!() };
    assert_eq!(next.range(None), Range::Pass { after: Some("b"), limit: Some(2_000) });
    assert_eq!(next.advanced(1, 1, None, Some((None, "c".into()))).0, None);
}

#[test]
fn a_cursor_round_trips() {
    let (progress, _) = window().advanced(1, 2, Some("/n".into()), Some((Some(at("10:00:00")), "a".into())));
    for state in [State::Done { until: at("10:00:00"), looks: Looks::default() }, State::Reading(progress.unwrap())] {
        let position = Position { org: "o".into(), scope: "s".into(), state };
        assert_eq!(Position::parse(&position.to_cursor().unwrap()).unwrap(), position);
    }
    assert_eq!(Position::parse(&Cursor(serde_json::json!({"files": {}}))).unwrap_err().kind(), ErrorKind::Corrupt);
}
