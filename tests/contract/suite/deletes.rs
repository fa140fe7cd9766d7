//! Records that go, and those that come back.

use super::super::project::Project;
use super::super::world::{Ability, Setup, System};

/// The last word of the log on `key`: `upsert`, or how it was deleted.
async fn last_word(project: &Project, key: &str) -> String {
    let lines = project.app.lines(&project.stream()).await;
    let last = lines.iter().filter(|line| line.key == key).max_by_key(|line| line.valid_from);
    last.unwrap_or_else(|| panic!("the log knows nothing of {key}")).what.clone()
}

/// Reads until deletions must be known.
async fn settle(project: &Project) {
    if !project.system.facts.tells_deletes {
        project.pass_sweep();
    }
    project.pass_lag();
    project.sync().await;
}

pub(crate) async fn e1_deleted_records_are_gone_and_stay_what_they_were_before(system: System) {
    let project = Project::read(system, Setup::of(45)).await;
    let keys = project.world.keys();
    let before = project.world.now();
    project.advance(3_600);
    for key in &keys[10..13] {
        assert!(project.world.delete(key));
    }
    // One is edited on its last day.
    assert!(project.world.edit(&keys[13], "最後") && project.world.delete(&keys[13]));
    settle(&project).await;
    project.assert_true().await;
    for key in &keys[10..14] {
        assert_eq!(last_word(&project, key).await, format!("delete {}", system.facts.deleted));
        assert!(project.log_at(before).await[key].is_some());
    }
    // Looking once more tells nothing new.
    let lines = project.app.lines(&project.stream()).await;
    project.pass_sweep();
    project.sync().await;
    project.sync_full().await;
    assert_eq!(project.app.lines(&project.stream()).await, lines);
}

pub(crate) async fn e2_what_vanishes_without_a_trace_is_absent_after_the_next_look_at_all_keys(system: System) {
    let project = Project::read(system, Setup { no_log: true, ..Setup::of(45) }).await;
    let keys = project.world.keys();
    project.advance(3_600);
    assert!(project.world.vanish(&keys[20]) && project.world.vanish(&keys[44]));
    let made = project.world.now();
    project.pass_sweep();
    let report = project.sync().await;
    assert_eq!(report.counts.deleted_by_absence, 2);
    project.assert_true().await;
    assert_eq!(last_word(&project, &keys[20]).await, "delete absent");
    assert!(project.log_at(made).await[&keys[20]].is_some(), "e2: it is dated when it was missed, not before");
}

pub(crate) async fn e2_a_full_read_finds_what_vanished_too(system: System) {
    let project = Project::read(system, Setup::of(45)).await;
    let keys = project.world.keys();
    project.advance(3_600);
    assert!(project.world.vanish(&keys[0]) && project.world.vanish(&keys[12]));
    let report = project.sync_full().await;
    assert_eq!(report.counts.deleted_by_absence, 2);
    project.assert_true().await;
}

pub(crate) async fn a_record_that_lives_and_dies_between_two_runs_leaves_nothing_wrong(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    project.advance(3_600);
    let key = project.world.add("短命");
    project.advance(60);
    assert!(project.world.delete(&key));
    settle(&project).await;
    project.assert_true().await;
}

pub(crate) async fn an_undeleted_record_is_back(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    let key = project.world.keys()[7].clone();
    project.advance(3_600);
    assert!(project.world.delete(&key));
    settle(&project).await;
    let gone = project.world.now();
    project.advance(3_600);
    let Some(done) = project.known(Ability::Undelete, project.world.undelete(&key)) else { return };
    assert!(done);
    project.pass_lag();
    project.sync().await;
    project.assert_true().await;
    assert_eq!(last_word(&project, &key).await, "upsert");
    assert!(project.log_at(gone).await[&key].is_none(), "and was away in between");
    // Deleted and brought back between two runs: nothing happened.
    project.advance(3_600);
    assert!(project.world.delete(&key));
    project.advance(60);
    assert_eq!(project.world.undelete(&key), Some(true));
    project.pass_lag();
    project.sync().await;
    project.assert_true().await;
}

pub(crate) async fn a_merged_record_names_the_one_that_lives_on(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    let keys = project.world.keys();
    project.advance(3_600);
    let Some(done) = project.known(Ability::Merge, project.world.merge(&keys[2], &keys[3])) else { return };
    assert!(done);
    project.pass_lag();
    project.sync().await;
    project.assert_true().await;
    assert_eq!(last_word(&project, &keys[3]).await, format!("delete merged {}", keys[2]));
    assert_eq!(last_word(&project, &keys[2]).await, "upsert");
}

pub(crate) async fn an_archived_record_is_known_as_archived(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    let key = project.world.keys()[7].clone();
    project.advance(3_600);
    let Some(done) = project.known(Ability::Archive, project.world.archive(&key)) else { return };
    assert!(done);
    project.pass_lag();
    project.sync().await;
    assert_eq!(last_word(&project, &key).await, "delete archived");
}
