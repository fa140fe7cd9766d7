//! Fields that come, go, change their names and are hidden.

use nenrin::connect::ReadMode;
use nenrin::control::RunOutcome;
use nenrin::error::ErrorKind;

use super::super::project::Project;
use super::super::world::{Ability, Setup, SignIn, System};

/// A project whose stream has one field more since it was first read, with a value in one record.
async fn with_added_field(system: System) -> (Project, String, String) {
    let setup = Setup { all_fields: true, batch_rows: 50_000, ..Setup::of(60) };
    let project = Project::read(system, setup).await;
    let key = project.world.keys()[7].clone();
    project.advance(3_600);
    let field = project.world.add_field();
    assert!(project.world.update(&key, &[(&field, "値".into())]));
    project.pass_lag();
    project.sync().await;
    (project, field, key)
}

/// Reads on after a field that was read has gone: where the system cannot be asked what became of it, the stream stops
/// before anything is read, until a person says so.
async fn read_without(project: &Project, field: &str) {
    if project.system.facts.stops_without_a_field {
        let lines = project.app.lines(&project.stream()).await;
        let report = project.run(ReadMode::Incremental).await;
        let error = report.first_error().unwrap();
        assert_eq!((report.outcome, error.kind), (RunOutcome::Failed, Some(ErrorKind::Config)));
        assert!(error.rendered.contains(field), "{}", error.rendered);
        assert_eq!(project.pages(), 0, "nothing was read");
        assert_eq!(project.app.lines(&project.stream()).await, lines);
        project.world.accept_gone(field);
    }
    project.sync().await;
}

pub(crate) async fn b5_a_field_added_is_read_for_every_record(system: System) {
    let (project, field, key) = with_added_field(system).await;
    project.assert_true().await;
    let log = project.log_at(project.world.now()).await;
    assert_eq!(log[&key].as_ref().unwrap()[&field].as_deref(), Some("値"));
    project.pass_lag();
    let report = project.sync().await;
    assert_eq!((report.mode, report.counts.changed), ("incremental", 0), "once is enough");
}

pub(crate) async fn b5_a_field_removed_keeps_what_it_was_and_changes_no_record(system: System) {
    if system.lacks(Ability::Describe) {
        return;
    }
    let (project, field, key) = with_added_field(system).await;
    let before = project.world.now();
    project.advance(3_600);
    project.world.remove_field(&field);
    assert!(project.world.edit(&key, "項目なし"));
    project.pass_lag();
    read_without(&project, &field).await;
    project.assert_true().await;
    let log = project.log_at(before).await;
    assert_eq!(log[&key].as_ref().unwrap()[&field].as_deref(), Some("値"));
    let lines = project.app.lines(&project.stream()).await;
    assert_eq!(lines.iter().filter(|line| line.key == key).count(), 3, "born, given the value, edited");
}

pub(crate) async fn b8_a_field_renamed_is_read_under_its_new_name(system: System) {
    if system.lacks(Ability::Describe) {
        return;
    }
    let (project, field, key) = with_added_field(system).await;
    project.advance(3_600);
    let renamed = project.world.rename_field(&field);
    project.pass_lag();
    read_without(&project, &field).await;
    project.assert_true().await;
    let log = project.log_at(project.world.now()).await;
    assert_eq!(log[&key].as_ref().unwrap()[&renamed].as_deref(), Some("値"));
}

pub(crate) async fn b5_a_field_hidden_loses_no_value_and_is_read_on_when_it_is_back(system: System) {
    if system.lacks(Ability::Describe) {
        return;
    }
    let setup = Setup { all_fields: true, batch_rows: 50_000, sign_in: SignIn::Person, ..Setup::of(60) };
    let project = Project::read(system, setup).await;
    let keys = project.world.keys();
    let note = project.world.note();
    let known = project.log_at(project.world.now()).await[&keys[3]].as_ref().unwrap()[note].clone();
    project.advance(3_600);
    project.world.hide_field(note, true);
    assert!(project.world.update(&keys[3], &[(project.world.quiet(), "見える".into())]));
    assert!(project.world.edit(&keys[4], "見えない"));
    project.pass_lag();
    read_without(&project, note).await;
    project.assert_true().await;
    let hidden = project.log_at(project.world.now()).await;
    assert_eq!(hidden[&keys[3]].as_ref().unwrap()[note], known, "what was known of it is not lost");
    project.advance(3_600);
    project.world.hide_field(note, false);
    project.pass_lag();
    project.sync().await;
    project.assert_true().await;
}
