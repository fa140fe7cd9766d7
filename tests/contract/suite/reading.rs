//! What is read first, what is read after it, and what moves meanwhile.

use nenrin::connect::ReadMode;

use super::super::project::Project;
use super::super::world::{Call, Setup, System, before_pages};

pub(crate) async fn a_first_load_is_all_there_is(system: System) {
    let project = Project::new(system, Setup::of(45)).await;
    let report = project.sync().await;
    assert_eq!((report.mode, report.counts.new, report.counts.read), ("first", 45, 45));
    project.assert_true().await;
    // Nothing happens: nothing is read but what the windows overlap, and that is nothing new.
    project.pass_lag();
    let report = project.sync().await;
    assert_eq!((report.mode, report.counts.new, report.counts.changed), ("incremental", 0, 0));
    project.assert_true().await;
}

pub(crate) async fn an_empty_stream_is_read_and_then_filled(system: System) {
    let project = Project::new(system, Setup::of(0)).await;
    assert_eq!(project.sync().await.counts.read, 0);
    project.advance(60);
    let key = project.world.add("最初");
    project.pass_lag();
    assert_eq!(project.sync().await.counts.new, 1);
    project.assert_true().await;
    assert!(project.log_at(project.world.now()).await.contains_key(&key));
}

pub(crate) async fn changes_are_read_alone(system: System) {
    let project = Project::read(system, Setup::of(45)).await;
    let keys = project.world.keys();
    for round in 1..=3 {
        project.advance(3_600);
        for key in &keys[round..round + 5] {
            assert!(project.world.edit(key, &format!("第{round}版")));
        }
        project.world.add(&format!("新規{round}"));
        project.pass_lag();
        let report = project.sync().await;
        assert_eq!((report.mode, report.counts.new, report.counts.changed), ("incremental", 1, 5));
        assert!(report.counts.read <= 6 + 6, "what was read before is read again at most once: {:?}", report.counts);
        project.assert_true().await;
    }
}

pub(crate) async fn what_moves_between_two_pages_is_neither_lost_nor_doubled(system: System) {
    let project = Project::new(system, Setup::of(45)).await;
    let keys = project.world.keys();
    let (early, late, gone) = (keys[3].clone(), keys[44].clone(), keys[43].clone());
    // During the first load: behind the place that was reached, before it, at its end.
    let moved = before_pages(&project.world, [2], move |world| {
        assert!(world.edit(&early, "移動") && world.edit(&late, "移動") && world.delete(&gone));
        world.add("割り込み");
    });
    project.sync_through_trouble(ReadMode::Incremental).await;
    assert!(moved.is_finished());
    project.pass_lag();
    project.sync().await;
    project.pass_sweep();
    project.sync().await;
    project.assert_true().await;
    // During a window of three pages: records move in it, and out of what is left of it.
    project.world.update_all("全部");
    project.pass_lag();
    let (early, late, gone) = (keys[5].clone(), keys[42].clone(), keys[41].clone());
    let moved = before_pages(&project.world, [2], move |world| {
        assert!(world.edit(&early, "再移動") && world.edit(&late, "再移動") && world.delete(&gone));
        world.add("再割り込み");
    });
    project.sync_through_trouble(ReadMode::Incremental).await;
    assert!(moved.is_finished());
    project.pass_lag();
    project.sync().await;
    project.pass_sweep();
    project.sync().await;
    project.assert_true().await;
}

pub(crate) async fn what_becomes_visible_late_is_read_by_a_window_and_dated_by_its_stamp(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    let keys = project.world.keys();
    project.advance(3_600);
    let late = system.facts.late_secs;
    let stamped = project.world.now();
    let new = project.world.insert_late("遅れて追加", late);
    assert!(project.world.update_late(&keys[7], "遅れて変更", late));
    project.advance(late - 60);
    // A run comes first that cannot see them.
    project.sync().await;
    assert!(!project.log_at(project.world.now()).await.contains_key(&new));
    project.advance(60);
    project.pass_lag();
    let report = project.sync().await;
    assert_eq!((report.counts.new, report.counts.changed, project.world.count(Call::Keys)), (1, 1, 0));
    project.assert_true().await;
    let log = project.log_at(stamped).await;
    assert!(log[&new].is_some(), "dated by its stamp");
    let note = log[&keys[7]].as_ref().unwrap()[project.world.note()].clone();
    assert_eq!(note.as_deref(), Some("遅れて変更"));
}

pub(crate) async fn what_becomes_visible_too_late_for_any_window_is_found_by_looking_at_everything(system: System) {
    let project = Project::read(system, Setup::of(50)).await;
    let key = project.world.keys()[7].clone();
    project.advance(3_600);
    let late = 3 * system.facts.late_secs;
    assert!(project.world.update_late(&key, "ずっと後", late));
    for _ in 0..3 {
        // Others change, so that the windows move past it.
        project.world.add("先に見える");
        project.advance(system.facts.late_secs);
        project.sync().await;
    }
    project.pass_lag();
    if system.facts.sweep_finds_changes {
        project.pass_sweep();
        project.sync().await;
    } else {
        project.sync_full().await;
    }
    project.assert_true().await;
}

pub(crate) async fn what_changes_without_a_stamp_is_found_by_a_full_read_and_dated_by_it(system: System) {
    let project = Project::read(system, Setup::of(25)).await;
    let key = project.world.keys()[7].clone();
    project.advance(3_600);
    assert!(project.world.change_silently(&key, "黙って"));
    project.pass_lag();
    let before = project.world.now();
    let report = project.sync().await;
    assert_eq!(report.counts.changed, 0, "no window tells of it");
    project.advance(3_600);
    let report = project.sync_full().await;
    assert_eq!((report.mode, report.counts.changed), ("full", 1));
    project.assert_true().await;
    let quiet = project.log_at(before).await[&key].as_ref().unwrap()[project.world.quiet()].clone();
    assert_ne!(quiet.as_deref(), Some("黙って"), "b2: it counts from its reading on");
}
