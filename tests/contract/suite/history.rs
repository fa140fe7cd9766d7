//! What the log says of the past.

use std::ops::Range;

use nenrin::clock::Timestamp;
use nenrin::connect::ReadMode;
use nenrin::record::FieldClass;

use super::super::project::{Project, differs};
use super::super::script::{play, script, shrink};
use super::super::world::{Setup, System};

pub(crate) async fn m_at_every_run_the_past_is_what_the_world_says_it_was(system: System) {
    let project = Project::read(system, Setup::of(45)).await;
    let keys = project.world.keys();
    let mut instants = Vec::new();
    for round in 0..5usize {
        project.advance(3_600);
        project.world.edit(&keys[round], &format!("第{round}版"));
        project.world.edit(&keys[0], &format!("毎回{round}"));
        project.world.add(&format!("新規{round}"));
        if round == 2 {
            project.world.update_all("全部");
        }
        if system.facts.tells_deletes {
            assert!(project.world.delete(&keys[20 + round]));
        }
        instants.push(project.world.now());
        instants.push(project.world.now().plus_micros(-1));
        project.pass_lag();
        let mode = if round == 3 { ReadMode::Full } else { ReadMode::Incremental };
        project.sync_through_trouble(mode).await;
        instants.push(project.world.now());
    }
    let states = project.app.records_at(&project.stream(), &instants, Timestamp::MAX, is_business).await;
    for (instant, state) in instants.iter().zip(&states) {
        differs(state, &project.world.truth_at(*instant))
            .unwrap_or_else(|difference| panic!("{instant}: {difference}"));
    }
}

fn is_business(class: FieldClass) -> bool {
    class == FieldClass::Business
}

/// The seeds of the random scripts that are played, and how long those are. `CONTRACT_SEEDS=100..200` plays others.
const SEEDS: Range<u64> = 0..4;
const EVENTS: usize = 40;
/// The seeds that somebody asked for, or the usual ones.
fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("CONTRACT_SEEDS") else { return SEEDS };
    let (first, end) = asked.split_once("..").expect("CONTRACT_SEEDS is like 100..200");
    first.parse().unwrap()..end.parse().unwrap()
}

/// How often a script that went wrong is played again to make it shorter.
const PLAYS: usize = 30;

pub(crate) async fn m_any_history_in_any_pieces_is_told_truly_at_every_past_instant(system: System) {
    for seed in seeds() {
        let events = script(seed, EVENTS);
        if let Err(wrong) = play(system, seed, &events).await {
            let shortest = shrink(system, seed, events, PLAYS).await;
            let again = play(system, seed, &shortest).await.err().unwrap_or(wrong);
            panic!("seed {seed}: {again}\na script that goes wrong so:\n{shortest:?}");
        }
    }
}
