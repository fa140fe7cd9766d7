//! Everything that can go wrong with an answer.

use std::time::Duration;

use nenrin::connect::ReadMode;
use nenrin::control::RunOutcome;
use nenrin::error::ErrorKind;

use super::super::project::Project;
use super::super::world::{Ability, Call, Form, Setup, SignIn, System, Then, Trouble};

/// Reads everything for the first time with trouble on the second of three pages, then once more for every other form
/// of it.
async fn cope_with(system: System, trouble: Trouble) {
    let forms = (system.facts.forms)(trouble);
    assert!(!forms.is_empty(), "no form of {trouble:?} is known");
    let project = Project::new(system, Setup { batch_rows: 50_000, seed: 3, ..Setup::of(45) }).await;
    for (round, form) in forms.iter().enumerate() {
        if round > 0 {
            project.world.update_all(&format!("第{round}版"));
            project.pass_lag();
        }
        project.world.arm(form.spec, "2");
        read_with(&project, form).await;
        project.world.disarm();
        project.assert_true().await;
    }
}

async fn read_with(project: &Project, form: &Form) {
    let Form { spec, then } = *form;
    match then {
        Then::Coped => {
            let report = project.sync_through_trouble(ReadMode::Incremental).await;
            assert!(report.counts.read >= 45, "{spec}: {:?}", report.counts);
        }
        Then::Ends(kind) => {
            let report = project.run(ReadMode::Incremental).await;
            let error = report.first_error().unwrap_or_else(|| panic!("{spec} went unnoticed"));
            assert_eq!(error.kind, Some(kind), "{spec}: {}", error.rendered);
            project.sync_through_trouble(ReadMode::Incremental).await;
        }
    }
}

pub(crate) async fn being_throttled_for_a_moment_costs_only_time(system: System) {
    cope_with(system, Trouble::Throttled).await;
}

pub(crate) async fn a_service_that_fails_for_a_moment_is_asked_again(system: System) {
    cope_with(system, Trouble::Unavailable).await;
}

pub(crate) async fn a_web_page_is_not_taken_for_an_answer(system: System) {
    cope_with(system, Trouble::Html).await;
}

pub(crate) async fn an_answer_that_breaks_off_is_asked_for_again(system: System) {
    cope_with(system, Trouble::Truncated).await;
}

pub(crate) async fn a_page_that_comes_twice_doubles_nothing(system: System) {
    cope_with(system, Trouble::Repeated).await;
}

pub(crate) async fn a_page_that_lacks_records_loses_none(system: System) {
    cope_with(system, Trouble::Lacking).await;
}

pub(crate) async fn trouble_that_stays_ends_the_run_and_the_next_goes_on_behind_what_was_read(system: System) {
    for trouble in [Trouble::Throttled, Trouble::Unavailable] {
        let project = Project::new(system, Setup { seed: 3, ..Setup::of(45) }).await;
        project.world.arm((system.facts.forms)(trouble)[0].spec, "2+");
        let report = project.run(ReadMode::Incremental).await;
        let expected = match trouble {
            Trouble::Throttled => (RunOutcome::Partial, 75),
            _ => (RunOutcome::Failed, 69),
        };
        assert_eq!((report.outcome, report.exit_code()), expected, "{trouble:?}");
        assert_eq!(report.streams[0].counts.read, 20, "the page before it is kept");
        assert_eq!(project.pauses().len(), 5, "patience ends: {:?}", project.pauses());
        project.world.disarm();
        let report = project.sync().await;
        assert_eq!(report.counts.read, 25, "and not read again");
        project.assert_true().await;
    }
}

pub(crate) async fn a_short_pause_asked_for_is_kept_and_a_long_one_ends_the_run(system: System) {
    let project = Project::new(system, Setup { seed: 3, ..Setup::of(45) }).await;
    let asked = project.world.ask_for_pause(40, "2");
    if project.known(Ability::AskForPause, asked).is_none() {
        return;
    }
    project.sync_through_trouble(ReadMode::Incremental).await;
    project.assert_true().await;
    assert_eq!(project.pauses(), [Duration::from_secs(40)]);
    // An hour is more than a run stays for.
    project.world.update_all("一時間後");
    project.pass_lag();
    project.world.ask_for_pause(3_600, "2");
    let report = project.run(ReadMode::Incremental).await;
    assert_eq!((report.outcome, report.exit_code()), (RunOutcome::Partial, 75));
    assert_eq!(report.first_error().unwrap().kind, Some(ErrorKind::Quota));
    assert_eq!(project.pauses().len(), 1, "nobody waits for it");
    let before = if system.facts.windows_tell_keys { 0 } else { 20 };
    assert_eq!(report.streams[0].counts.read, before);
    project.sync().await;
    project.assert_true().await;
}

pub(crate) async fn a_slow_answer_is_waited_for(system: System) {
    let project = Project::new(system, Setup { seed: 3, ..Setup::of(45) }).await;
    let gate = project.world.stall();
    let opener = tokio::spawn({
        let gate = gate.clone();
        async move {
            gate.reached().await;
            // Whoever waits for the answer has had every chance to give up.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            gate.open();
        }
    });
    let report = project.sync().await;
    opener.await.unwrap();
    assert_eq!((report.counts.read, project.pauses()), (45, Vec::new()));
    project.assert_true().await;
}

pub(crate) async fn a_session_that_ends_in_mid_run_is_renewed_and_each_token_is_used_once(system: System) {
    if system.lacks(Ability::RenewSession) {
        return;
    }
    let project = Project::new(system, Setup { sign_in: SignIn::Renewed, seed: 3, ..Setup::of(45) }).await;
    for round in 0..3 {
        project.world.expire(2);
        project.sync_through_trouble(ReadMode::Incremental).await;
        assert_eq!(project.world.count(Call::SignIn), 2, "one to begin with, one on the way");
        project.assert_true().await;
        project.world.update_all(&format!("第{round}版"));
        project.advance(7_200);
    }
}

pub(crate) async fn a_withdrawn_credential_stops_the_source_at_once_until_there_is_another(system: System) {
    let project = Project::read(system, Setup::of(25)).await;
    let lines = project.app.lines(&project.stream()).await;
    project.advance(3_600);
    project.world.add("その間に");
    project.world.revoke();
    let report = project.run(ReadMode::Incremental).await;
    let error = report.first_error().unwrap();
    assert_eq!((report.outcome, report.exit_code()), (RunOutcome::Failed, 77), "{}", error.rendered);
    assert!(error.help.is_some(), "it says what to do: {}", error.rendered);
    assert_eq!(project.world.calls().len(), 1, "no second try: {:?}", project.world.calls());
    assert_eq!(project.pauses(), Vec::<Duration>::new());
    assert_eq!(project.app.lines(&project.stream()).await, lines);
    project.world.admit();
    project.pass_lag();
    let report = project.sync().await;
    assert_eq!((report.mode, report.counts.new), ("incremental", 1));
    project.assert_true().await;
}

pub(crate) async fn a_used_up_allowance_ends_the_run_partial_and_the_next_day_goes_on(system: System) {
    if system.lacks(Ability::Ration) {
        return;
    }
    let project = Project::new(system, Setup { seed: 3, ..Setup::of(200) }).await;
    let mut read = 0;
    // Refused on the way, while we believed that there was something left.
    for form in (system.facts.forms)(Trouble::UsedUp) {
        project.world.arm(form.spec, "2");
        let report = project.run(ReadMode::Incremental).await;
        assert_eq!((report.outcome, report.exit_code()), (RunOutcome::Partial, 75), "{}", form.spec);
        assert_eq!((report.streams[0].counts.read, project.pauses().len()), (20, 0), "{}", form.spec);
        read += 20;
        project.advance(86_400);
    }
    project.world.ration(true);
    for day in 0..6 {
        let report = project.run(ReadMode::Incremental).await;
        let counts = &report.streams[0].counts;
        assert_eq!(counts.read, counts.new, "day {day}: nothing is read twice");
        read += counts.read;
        if report.outcome == RunOutcome::Complete {
            break;
        }
        assert_eq!((report.outcome, report.exit_code()), (RunOutcome::Partial, 75), "day {day}");
        assert!(counts.read > 0 || day > 0, "day {day}: {counts:?}");
        assert!(day > 0 || read < 200, "the first day does not get to the end");
        let error = report.first_error().unwrap();
        assert!(error.help.as_ref().unwrap().contains("what was read is kept"), "{}", error.rendered);
        project.advance(86_400);
    }
    assert_eq!(read, 200);
    project.world.ration(false);
    project.assert_true().await;
}
