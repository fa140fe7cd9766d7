//! Every type of field, empty and extreme.

use std::collections::BTreeSet;

use super::super::project::Project;
use super::super::world::{Setup, System};

pub(crate) async fn b7_values_of_every_type_are_kept_as_they_were_given(system: System) {
    for seed in [1, 2] {
        let setup = Setup { seed, all_fields: true, batch_rows: 50_000, ..Setup::of(60) };
        let project = Project::new(system, setup).await;
        let samples = project.world.samples();
        let keys: Vec<String> =
            samples.iter().map(|sample| project.world.insert(&[(&sample.field, sample.given.clone())])).collect();
        project.sync().await;
        project.assert_true().await;
        let log = project.log_at(project.world.now()).await;
        for (sample, key) in samples.iter().zip(&keys) {
            let kept = &log[key].as_ref().unwrap()[&sample.field];
            assert!(*kept == sample.kept, "{} given as {} is {kept:?}", sample.field, sample.given);
        }
        let sizes: BTreeSet<usize> =
            samples.iter().filter_map(|sample| sample.kept.as_ref()).map(String::len).collect();
        assert!(*sizes.last().unwrap() > 64 << 10, "one is larger than 64 KB");
        // Read again, in another order of keys and choices maybe: nothing has changed.
        let lines = project.app.lines(&project.stream()).await;
        project.advance(3_600);
        let report = project.sync_full().await;
        assert_eq!((report.counts.changed, report.counts.unchanged), (0, 60 + samples.len() as u64));
        assert_eq!(project.app.lines(&project.stream()).await, lines);
        // Each value gives way to the next, and to none.
        project.advance(3_600);
        for (sample, key) in samples.iter().zip(keys.iter().skip(1)) {
            assert!(project.world.update(key, &[(&sample.field, sample.given.clone())]), "{}", sample.field);
        }
        project.pass_lag();
        project.sync().await;
        project.assert_true().await;
    }
}
