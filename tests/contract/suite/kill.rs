//! A run that dies at any page is gone on with: nothing is lost, nothing doubled.

use nenrin::connect::ReadMode;
use nenrin::sync::Step;

use super::super::project::{LEASE_SECS, Project};
use super::super::world::{Setup, System};

/// Runs `project` to its end, and copies of it that die whenever they come to one of `deadly`.
async fn die_at_every_page(project: &Project, mode: ReadMode, deadly: &[Step]) {
    let name = project.system.facts.name;
    let before = project.fork();
    let steps = project.app.steps(name, mode).await;
    let lines = project.app.lines(&project.stream()).await;
    project.assert_true().await;
    let cuts: Vec<usize> = (0..steps.len()).filter(|at| deadly.contains(&steps[*at])).collect();
    assert!(cuts.len() >= 3, "{steps:?}");
    for cut_at in cuts {
        let what = format!("died at step {cut_at} of {}, {:?}", steps.len(), steps[cut_at]);
        let victim = before.fork();
        assert!(victim.app.cut_off(name, mode, cut_at).await, "{what}");
        victim.app.clock.advance_secs(LEASE_SECS);
        victim.go_on(mode).await;
        assert_eq!(victim.app.lines(&project.stream()).await, lines, "{what}");
    }
}

pub(crate) async fn a_first_load_killed_at_any_page_is_gone_on_with(system: System) {
    let project = Project::new(system, Setup { seed: 3, ..Setup::of(45) }).await;
    die_at_every_page(&project, ReadMode::Incremental, &[Step::PageRead, Step::Appended]).await;
}

pub(crate) async fn a_window_and_a_sweep_killed_at_any_page_are_gone_on_with(system: System) {
    let project = Project::read(system, Setup { seed: 3, ..Setup::of(45) }).await;
    let keys = project.world.keys();
    project.advance(3_600);
    project.world.update_all("全部");
    assert!(project.world.vanish(&keys[30]) && project.world.delete(&keys[31]));
    project.world.add("新規");
    project.pass_sweep();
    die_at_every_page(&project, ReadMode::Incremental, &[Step::PageRead, Step::Committed]).await;
}

pub(crate) async fn a_full_read_killed_at_any_page_is_gone_on_with(system: System) {
    let project = Project::read(system, Setup { seed: 3, ..Setup::of(45) }).await;
    let keys = project.world.keys();
    project.advance(3_600);
    assert!(project.world.edit(&keys[3], "変更") && project.world.delete(&keys[4]));
    project.pass_lag();
    die_at_every_page(&project, ReadMode::Full, &[Step::PageRead]).await;
}

pub(crate) async fn the_world_goes_on_while_a_run_lies_dead(system: System) {
    let project = Project::new(system, Setup { seed: 3, ..Setup::of(85) }).await;
    let name = system.facts.name;
    for page in 0..4 {
        project.write_source();
        assert!(project.app.cut_off_when(name, ReadMode::Incremental, Step::Applied, 0).await);
        project.advance(7_200);
        let keys = project.world.keys();
        // Before and behind the place that was reached.
        for key in [&keys[page], &keys[20 * page + 10], &keys[keys.len() - 1 - page]] {
            assert!(project.world.edit(key, &format!("第{page}版")));
        }
        assert!(project.world.delete(&keys[20 * page + 5]));
        project.world.add("その間に");
    }
    project.go_on(ReadMode::Incremental).await;
    project.pass_lag();
    project.sync().await;
    if !system.facts.tells_deletes {
        project.pass_sweep();
        project.sync().await;
    }
    project.assert_true().await;
}
