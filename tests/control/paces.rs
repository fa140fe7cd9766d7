//! `paces`: one pace for all processes.

use std::num::NonZeroU32;

use nenrin::clock::Clock;

use super::Bench;

on_both! {
    processes_keep_one_pace_together,
    turns_taken_at_the_same_moment_are_taken_once,
}

async fn processes_keep_one_pace_together(bench: Bench) {
    let (one, other) = (bench.control.clone(), bench.another().await);
    let four = NonZeroU32::new(4).unwrap();
    let mut waits = Vec::new();
    for turn in 0..8 {
        let control = if turn % 2 == 0 { &one } else { &other };
        waits.push(control.paces().take("hubspot", four, 1, bench.clock.now()).await.unwrap().as_millis());
    }
    assert_eq!(waits, [0, 0, 0, 0, 250, 500, 750, 1_000]);
    // Another system has turns of its own.
    assert_eq!(one.paces().take("zoho", four, 4, bench.clock.now()).await.unwrap().as_millis(), 0);
    bench.clock.advance_secs(10);
    assert_eq!(other.paces().take("hubspot", four, 4, bench.clock.now()).await.unwrap().as_millis(), 0);
}

async fn turns_taken_at_the_same_moment_are_taken_once(bench: Bench) {
    let others = [bench.another().await, bench.another().await, bench.another().await];
    let now = bench.clock.now();
    let ten = NonZeroU32::new(10).unwrap();
    let mut taking = Vec::new();
    for control in others {
        taking.push(tokio::spawn(async move {
            let mut waits = Vec::new();
            for _ in 0..20 {
                waits.push(control.paces().take("crm", ten, 1, now).await.unwrap().as_millis());
            }
            waits
        }));
    }
    let mut waits = Vec::new();
    for taken in taking {
        waits.extend(taken.await.unwrap());
    }
    waits.sort_unstable();
    let expected: Vec<u128> = (1..=60).map(|turn: u128| (turn * 100).saturating_sub(1_000)).collect();
    assert_eq!(waits, expected);
}
