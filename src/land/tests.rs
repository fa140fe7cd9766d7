//! Landing against naive models: whatever is read in whatever order, the log answers as the rules say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use proptest::prelude::*;

use super::{Confirm, Lander, Landing, NoConfirm};
use crate::clock::Timestamp;
use crate::log::{Entry, Lake, Pick, Wanted, system};
use crate::record::{
    Cursor, DeleteKind, Field, FieldClass, Next, Page, Reading, RecordHead, RecordsBuilder, Stream, StreamId,
};

fn t(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn stream(fields: &[&str], dated: bool) -> Stream {
    let field = |name: &&str| Field::plain(*name, "text", FieldClass::Business);
    Stream {
        name: "s".into(),
        label: None,
        key: vec!["id".into()],
        stamp: None,
        fields: fields.iter().map(field).collect(),
        dated,
        tells_deletes: false,
    }
}

/// A record of a test: key, stamp, values, deletion.
#[derive(Debug, Clone)]
struct Row {
    key: String,
    stamp: Option<i64>,
    created_at: Option<i64>,
    values: Vec<Option<String>>,
    deleted: Option<DeleteKind>,
}

fn page(fields: &[&str], rows: &[Row], reading: Reading, ends: bool, observed_at: i64) -> Page {
    let names: Arc<[String]> = fields.iter().map(|name| (*name).to_owned()).collect();
    let mut builder = RecordsBuilder::new(names, rows.len());
    for row in rows {
        for (i, value) in row.values.iter().enumerate() {
            builder.set(i, value.as_deref());
        }
        builder.finish_row(RecordHead {
            key: row.key.clone(),
            stamp: row.stamp.map(t),
            revision: None,
            created_at: row.created_at.map(t),
            deleted: row.deleted,
            winner: None,
            place: String::new(),
        });
    }
    Page {
        records: builder.finish(),
        rejected: Vec::new(),
        reading: Some(reading),
        ends_reading: ends,
        next: Next::Done { cursor: Cursor(serde_json::Value::Null), complete_through: None },
        waits: false,
        observed_at: t(observed_at),
        source_total: None,
        requests: 1,
        bytes: 0,
    }
}

/// A stream under test, landed without a control database.
struct Bench {
    lake: Lake,
    cache: std::path::PathBuf,
    id: StreamId,
    lander: Lander,
    n: i64,
    confirm: &'static dyn Confirm,
    swept_before: Option<Timestamp>,
}

/// A source that still has the record `k2`, whatever a reading showed.
#[derive(Debug)]
struct HasK2;

#[async_trait::async_trait]
impl Confirm for HasK2 {
    async fn still_there(&self, keys: &[String]) -> crate::error::Result<Option<Vec<String>>> {
        Ok(Some(keys.iter().filter(|key| *key == "k2").cloned().collect()))
    }
}

impl Bench {
    async fn new(folder: &Path, stream: &Stream) -> Bench {
        let lake = Lake::open("lake", folder).unwrap();
        let cache = folder.join("cache");
        let id = StreamId::new("src", "s");
        let lander = Lander::open(&lake, &cache, &id, stream, None).await.unwrap();
        Bench { lake, cache, id, lander, n: 0, confirm: &NoConfirm, swept_before: None }
    }

    /// Forgets everything in memory, and the change index too when `lose_cache`.
    async fn reopen(&mut self, stream: &Stream, lose_cache: bool) {
        if lose_cache {
            let _ = std::fs::remove_dir_all(&self.cache);
        }
        self.lander = Lander::open(&self.lake, &self.cache, &self.id, stream, None).await.unwrap();
    }

    async fn land(&mut self, pages: &[Page], recorded_at: i64, not_before: Option<i64>) -> super::Taken {
        let landing = Landing {
            run_id: "run",
            recorded_at: t(recorded_at),
            not_before: not_before.map(t),
            allow_deletes: true,
            swept_before: self.swept_before,
            confirm: self.confirm,
        };
        let mut taken = self.lander.take(pages, &landing).await.unwrap();
        let wrote = taken.versions.is_some();
        if wrote || taken.statement.is_some() || taken.pass.is_some() || taken.timeline.is_some() {
            self.n += 1;
            let attempt = format!("a{}", self.n);
            let entry = Entry {
                n: self.n,
                attempt: attempt.clone(),
                run_id: "run".into(),
                recorded_at: t(recorded_at),
                versions: taken.version_count,
                min_valid_from: taken.min_valid_from,
                max_seq: taken.max_seq,
                statement: taken.statement.clone(),
                pass: taken.pass.clone(),
                absences: taken.absences,
                complete_through: None,
                timeline: taken.timeline.clone(),
            };
            if let Some(versions) = taken.versions.take() {
                self.lander.log_mut().append(self.n, &attempt, versions).await.unwrap();
            }
            self.lander.ledger_mut().append(&self.lake, &self.id, entry).await.unwrap();
        }
        self.lander.applied(self.n, wrote, &mut taken).unwrap();
        taken
    }

    /// Living keys and their values at `as_of`, as known at `known_at`.
    async fn state(&self, fields: &[&str], as_of: i64, known_at: i64) -> BTreeMap<String, Vec<Option<String>>> {
        let pick = Pick::AsOf { as_of: t(as_of), known_at: t(known_at), first_complete_at: None };
        let winners = self.lander.log().winners(pick).await.unwrap();
        let wanted = Wanted {
            system: vec![system::KEY, system::OP],
            fields: fields.iter().map(|name| (*name).to_owned()).collect(),
        };
        let mut state = BTreeMap::new();
        for file in 0..winners.file_count() {
            let Some(batch) = winners.read(self.lander.log(), file, &wanted).await.unwrap() else { continue };
            for row in 0..batch.num_rows() {
                if batch.column(1).as_string::<i32>().value(row) == "upsert" {
                    let values = (0..fields.len())
                        .map(|i| {
                            let column = batch.column(2 + i).as_string::<i32>();
                            column.is_valid(row).then(|| column.value(row).to_owned())
                        })
                        .collect();
                    state.insert(batch.column(0).as_string::<i32>().value(row).to_owned(), values);
                }
            }
        }
        state
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// One reading of one key in the naive model.
#[derive(Debug, Clone)]
struct Read {
    key: u8,
    /// Offset of the stamp from the window's start; may lie before it, after the answer, or be missing.
    stamp: Option<i64>,
    value: u8,
    deleted: bool,
}

fn a_read() -> impl Strategy<Value = Read> {
    (0u8..5, proptest::option::weighted(0.9, -30i64..140), 0u8..3, prop::bool::weighted(0.2))
        .prop_map(|(key, stamp, value, deleted)| Read { key, stamp, value, deleted })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// B1 to B4 and E1, against a model that keeps plain lists: at every instant, and as known at every instant.
    #[test]
    fn b4_the_state_equals_a_naive_model_over_random_histories(
        windows in proptest::collection::vec(proptest::collection::vec(a_read(), 0..12), 1..6),
        reopen in proptest::collection::vec((prop::bool::ANY, prop::bool::ANY), 6),
        compact in proptest::collection::vec(prop::bool::weighted(0.4), 6),
        split in 1usize..5,
    ) {
        #[derive(Clone)]
        struct Version { from: i64, recorded: i64, value: Option<String> }
        let offered = stream(&["v"], false);
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let mut bench = Bench::new(folder.path(), &offered).await;
            // key → (versions in chain order, stamp and value of the last link)
            let mut model: BTreeMap<String, Vec<(Version, Option<i64>)>> = BTreeMap::new();
            for (number, reads) in windows.iter().enumerate() {
                if reopen[number].0 {
                    bench.reopen(&offered, reopen[number].1).await;
                }
                let (from, until) = (number as i64 * 100, number as i64 * 100 + 100);
                let (observed, recorded) = (until + 5, until + 10);
                let rows: Vec<Row> = reads.iter().map(|read| Row {
                    key: format!("k{}", read.key),
                    stamp: read.stamp.map(|offset| from + offset),
                    created_at: None,
                    values: vec![Some(read.value.to_string())],
                    deleted: read.deleted.then_some(DeleteKind::Deleted),
                }).collect();
                let reading = Reading::Window { from: t(from), until: t(until) };
                let pages: Vec<Page> = rows.chunks(split)
                    .map(|rows| page(&["v"], rows, reading.clone(), false, observed)).collect();
                let mut expected = (0, 0, 0, 0);
                for row in &rows {
                    let chain = model.entry(row.key.clone()).or_default();
                    let value = (row.deleted.is_none()).then(|| row.values[0].clone().unwrap());
                    let stamp = row.stamp;
                    let date = match chain.last() {
                        None => stamp.unwrap_or(observed).min(observed),
                        Some((last, last_stamp)) => {
                            let ok = stamp.is_some() && stamp != *last_stamp
                                && (from..until).contains(&stamp.unwrap());
                            (if ok { stamp.unwrap() } else { observed }).min(observed).max(last.from)
                        }
                    };
                    let same = match (chain.last().map(|(last, _)| last.value.clone()), &value) {
                        (Some(Some(before)), Some(now)) => before == *now,
                        (Some(None), None) => true,
                        _ => false,
                    };
                    if same { expected.2 += 1; continue; }
                    match (chain.is_empty(), value.is_some()) {
                        (_, false) => expected.3 += 1,
                        (true, true) => expected.0 += 1,
                        (false, true) => expected.1 += 1,
                    }
                    chain.push((Version { from: date, recorded, value }, stamp));
                }
                let taken = bench.land(&pages, recorded, None).await;
                if compact[number] {
                    bench.lander.log_mut().compact().await.unwrap();
                    prop_assert!(bench.lander.log().files().unwrap().len() <= 1);
                }
                let counts = taken.counts;
                prop_assert_eq!((counts.new, counts.changed, counts.unchanged, counts.deleted), expected);
                prop_assert!(counts.add_up());
            }
            let end = windows.len() as i64 * 100 + 50;
            let mut instants: Vec<i64> = model.values().flatten().flat_map(|(v, _)| [v.from - 1, v.from]).collect();
            instants.push(end);
            instants.sort_unstable();
            instants.dedup();
            for as_of in instants {
                for known_at in [end, 110, 210] {
                    let expected: BTreeMap<String, Vec<Option<String>>> = model.iter().filter_map(|(key, chain)| {
                        let mut best: Option<&Version> = None;
                        for (version, _) in chain {
                            if version.from <= as_of && version.recorded <= known_at
                                && best.is_none_or(|best| version.from >= best.from) {
                                best = Some(version);
                            }
                        }
                        best.and_then(|version| version.value.clone()).map(|value| (key.clone(), vec![Some(value)]))
                    }).collect();
                    prop_assert_eq!(bench.state(&["v"], as_of, known_at).await, expected, "at {} known at {}", as_of, known_at);
                }
            }
            Ok(())
        })?;
    }

    /// D1: statements landed in any order, corrected or not: at every date counts what was last stated for it, and
    /// between dates what was stated last before.
    #[test]
    fn d1_a_statement_landed_into_the_past_changes_no_later_one(
        landings in proptest::collection::vec((0i64..4, proptest::collection::btree_map(0u8..6, 0u8..3, 0..6)), 1..7),
        reopen in prop::bool::ANY,
    ) {
        let offered = stream(&["v"], true);
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let mut bench = Bench::new(folder.path(), &offered).await;
            let mut stated: BTreeMap<i64, BTreeMap<String, Vec<Option<String>>>> = BTreeMap::new();
            let mut history = Vec::new();
            for (number, (date, content)) in landings.iter().enumerate() {
                if reopen {
                    bench.reopen(&offered, number % 2 == 0).await;
                }
                let at = 1_000 + date * 100;
                let rows: Vec<Row> = content.iter().map(|(key, value)| Row {
                    key: format!("k{key}"),
                    stamp: None,
                    created_at: None,
                    values: vec![Some(value.to_string())],
                    deleted: None,
                }).collect();
                let reading = Reading::Statement { at: t(at), name: format!("f{date}"), fingerprint: number.to_string(), is_delta: false };
                let recorded = 10_000 + number as i64;
                let half = rows.len() / 2;
                let first = page(&["v"], &rows[..half], reading.clone(), false, recorded);
                let second = page(&["v"], &rows[half..], reading, true, recorded);
                // In two batches: a statement may be longer than one.
                bench.land(&[first], recorded, None).await;
                bench.land(&[second], recorded, None).await;
                stated.insert(at, rows.iter().map(|row| (row.key.clone(), row.values.clone())).collect());
                history.push((recorded, stated.clone()));
            }
            for (known_at, stated) in &history {
                for as_of in (950..1_450).step_by(50) {
                    let expected = stated.range(..=as_of).next_back().map(|(_, state)| state.clone()).unwrap_or_default();
                    prop_assert_eq!(bench.state(&["v"], as_of, *known_at).await, expected, "at {} known at {}", as_of, known_at);
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn law5_reading_the_same_again_adds_no_version_no_file_and_no_commit() {
    let offered = stream(&["v"], false);
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &offered).await;
        let rows: Vec<Row> = (0..50)
            .map(|key| Row {
                key: key.to_string(),
                stamp: Some(5),
                created_at: None,
                values: vec![Some("x".into())],
                deleted: None,
            })
            .collect();
        let pass = |id: &str| Reading::Pass { id: id.into(), started_at: t(10), scope: "all".into() };
        bench.land(&[page(&["v"], &rows, pass("1"), true, 20)], 30, None).await;
        let (version, files) = (bench.lander.log().version(), bench.lander.log().files().unwrap());
        for lose_cache in [false, true] {
            bench.reopen(&offered, lose_cache).await;
            let taken = bench.land(&[page(&["v"], &rows, pass("2"), true, 40)], 50, None).await;
            assert_eq!(taken.counts.unchanged, 50);
        }
        bench.lander.log_mut().refresh().await.unwrap();
        assert_eq!((bench.lander.log().version(), bench.lander.log().files().unwrap()), (version, files));
    });
}

#[test]
fn e2_a_key_missing_from_a_complete_pass_is_absent_since_the_pass_began() {
    let offered = stream(&["v"], false);
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &offered).await;
        let row = |key: &str| Row {
            key: key.into(),
            stamp: Some(5),
            created_at: None,
            values: vec![Some("x".into())],
            deleted: None,
        };
        let pass =
            |id: &str, at: i64, scope: &str| Reading::Pass { id: id.into(), started_at: t(at), scope: scope.into() };
        bench.land(&[page(&["v"], &[row("a"), row("b"), row("c")], pass("1", 10, "all"), true, 20)], 30, None).await;
        let taken =
            bench.land(&[page(&["v"], &[row("a"), row("b")], pass("2", 100, "all"), true, 120)], 130, None).await;
        assert_eq!(taken.counts.deleted_by_absence, 1);
        assert_eq!(bench.state(&["v"], 99, 1_000).await.len(), 3);
        assert_eq!(bench.state(&["v"], 100, 1_000).await.len(), 2);
        // Under another scope a missing key is not gone, only out of sight.
        bench.land(&[page(&["v"], &[row("a")], pass("3", 200, "some"), true, 220)], 230, None).await;
        let links = super::rebuild::last_links(bench.lander.log()).await.unwrap();
        let kinds: std::collections::BTreeSet<_> = links.iter().map(|entry| entry.link.deleted).collect();
        assert_eq!(kinds, [None, Some(DeleteKind::Unreadable), Some(DeleteKind::Absent)].into());
    });
}

#[test]
fn b5_a_field_that_is_not_delivered_keeps_its_value_and_makes_no_version() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let both = stream(&["v", "月額(税抜)"], false);
        let mut bench = Bench::new(folder.path(), &both).await;
        let row = |key: &str, stamp: i64, values: &[&str]| Row {
            key: key.into(),
            stamp: Some(stamp),
            created_at: None,
            values: values.iter().map(|value| Some((*value).to_owned())).collect(),
            deleted: None,
        };
        let fields = ["v", "月額(税抜)"];
        let pass = Reading::Pass { id: "1".into(), started_at: t(10), scope: "all".into() };
        bench
            .land(&[page(&fields, &[row("a", 5, &["1", "100"]), row("b", 5, &["1", "200"])], pass, true, 20)], 30, None)
            .await;
        // Hidden by permission: only `v` comes, unchanged for a, changed twice for b.
        let window = Reading::Window { from: t(0), until: t(200) };
        let rows = [row("a", 100, &["1"]), row("b", 100, &["2"]), row("b", 110, &["3"])];
        let taken = bench.land(&[page(&["v"], &rows, window, true, 150)], 160, None).await;
        assert_eq!((taken.counts.unchanged, taken.counts.changed), (1, 2));
        let state = bench.state(&fields, 1_000, 1_000).await;
        assert_eq!(state["b"], [Some("3".to_owned()), Some("200".to_owned())]);
        let timeline = bench.lander.ledger().timeline(Timestamp::MAX);
        assert!(timeline["月額(税抜)"][0].contains(t(149)) && !timeline["月額(税抜)"][0].contains(t(150)));
    });
}

#[test]
fn b8_fields_that_differ_only_by_case_or_hold_any_sign_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let fields = ["Name", "NAME", "_key", "a.b", "$id", "月額(税抜)", "x y;{}=,\"'[]`", "_hash", ""];
        let mut bench = Bench::new(folder.path(), &stream(&fields, false)).await;
        let values: Vec<Option<String>> = (0..fields.len()).map(|i| Some(i.to_string())).collect();
        let row = Row { key: "k".into(), stamp: Some(5), created_at: None, values: values.clone(), deleted: None };
        let pass = Reading::Pass { id: "1".into(), started_at: t(10), scope: "all".into() };
        bench.land(&[page(&fields, &[row], pass, true, 20)], 30, None).await;
        assert_eq!(bench.state(&fields, 100, 100).await["k"], values);
    });
}

/// A row that is no record.
fn rejected(key: Option<&str>) -> crate::record::Rejected {
    crate::record::Rejected {
        place: "f:1".into(),
        key: key.map(str::to_owned),
        reason: "broken".into(),
        raw: String::new(),
    }
}

#[test]
fn f5_a_rejected_row_with_a_key_keeps_the_version_before_and_is_not_absent() {
    let offered = stream(&["v"], true);
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &offered).await;
        let row = |key: &str, value: &str| Row {
            key: key.into(),
            stamp: None,
            created_at: None,
            values: vec![Some(value.into())],
            deleted: None,
        };
        let statement = |at: i64| Reading::Statement {
            at: t(at),
            name: format!("f{at}"),
            fingerprint: at.to_string(),
            is_delta: false,
        };
        let rows = [row("a", "1"), row("b", "1"), row("c", "1")];
        bench.land(&[page(&["v"], &rows, statement(100), true, 1_000)], 1_000, None).await;
        let mut second = page(&["v"], &[row("a", "2")], statement(200), true, 1_010);
        second.rejected = vec![rejected(Some("b")), rejected(Some("b"))];
        let taken = bench.land(&[second], 1_010, None).await;
        assert_eq!((taken.counts.read, taken.counts.rejected, taken.counts.deleted_by_absence), (3, 2, 1));
        let state = bench.state(&["v"], 200, 2_000).await;
        assert_eq!(state.keys().collect::<Vec<_>>(), ["a", "b"], "only c is gone");
        assert_eq!(state["b"], [Some("1".to_owned())]);
    });
}

#[test]
fn f5_a_rejected_row_without_a_key_leaves_absence_open_also_when_the_reading_goes_on_later() {
    let offered = stream(&["v"], false);
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &offered).await;
        let row = |key: &str| Row {
            key: key.into(),
            stamp: Some(5),
            created_at: None,
            values: vec![Some("x".into())],
            deleted: None,
        };
        let pass = |id: &str, at: i64| Reading::Pass { id: id.into(), started_at: t(at), scope: "all".into() };
        bench.land(&[page(&["v"], &[row("a"), row("b")], pass("1", 10), true, 20)], 30, None).await;
        let mut broken = page(&["v"], &[], pass("2", 100), false, 120);
        broken.rejected = vec![rejected(None)];
        let taken = bench.land(&[broken], 130, None).await;
        // Another process goes on with the pass: all it has is what the checkpoint kept, as JSON.
        let kept = serde_json::to_value(taken.progress.unwrap()).unwrap();
        let progress = serde_json::from_value(kept).unwrap();
        bench.lander = Lander::open(&bench.lake, &bench.cache, &bench.id, &offered, Some(progress)).await.unwrap();
        let taken = bench.land(&[page(&["v"], &[row("a")], pass("2", 100), true, 140)], 150, None).await;
        assert_eq!((taken.counts.deleted_by_absence, taken.verified_through), (0, None));
        assert_eq!(bench.state(&["v"], 1_000, 1_000).await.len(), 2);
        // The next pass without such a row settles it.
        let taken = bench.land(&[page(&["v"], &[row("a")], pass("3", 200), true, 220)], 230, None).await;
        assert_eq!((taken.counts.deleted_by_absence, taken.verified_through), (1, Some(t(200))));
    });
}

/// A record with one value.
fn plain(key: &str, value: &str) -> Row {
    Row { key: key.into(), stamp: Some(5), created_at: None, values: vec![Some(value.into())], deleted: None }
}

#[test]
fn e2_a_sweep_of_keys_finds_what_is_gone_and_says_nothing_of_values() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &stream(&["v"], false)).await;
        let pass = Reading::Pass { id: "1".into(), started_at: t(10), scope: "all".into() };
        let rows = [plain("k1", "1"), plain("k2", "2"), plain("k3", "3")];
        let taken = bench.land(&[page(&["v"], &rows, pass, true, 20)], 30, None).await;
        assert_eq!((taken.swept_through, taken.verified_through), (Some(t(10)), Some(t(10))));
        let key = |key: &str| Row { values: vec![], ..plain(key, "") };
        let sweep = || Reading::Sweep { id: "2".into(), started_at: t(100), scope: "all".into() };
        // In two batches, with a key that nobody has read yet.
        bench.swept_before = Some(t(10));
        let taken = bench.land(&[page(&[], &[key("k1"), key("new")], sweep(), false, 105)], 110, None).await;
        assert_eq!(taken.counts, crate::land::Counts::default());
        let taken = bench.land(&[page(&[], &[key("k3")], sweep(), true, 108)], 120, None).await;
        assert_eq!((taken.counts.read, taken.counts.deleted_by_absence), (0, 1));
        assert_eq!((taken.swept_through, taken.verified_through), (Some(t(100)), None));
        assert_eq!(bench.state(&["v"], 99, 1_000).await.len(), 3, "it is dated at the sweep's start");
        let after = bench.state(&["v"], 100, 1_000).await;
        assert_eq!(
            after.into_iter().collect::<Vec<_>>(),
            [("k1".to_owned(), vec![Some("1".to_owned())]), ("k3".to_owned(), vec![Some("3".to_owned())])]
        );
        assert!(bench.lander.ledger().timeline(Timestamp::MAX).values().flatten().all(|span| span.until.is_none()));
        // It may have gone any time since the look before: whoever asks about that time is told.
        let gone = |at: i64| bench.lander.ledger().gone_around(t(at), Timestamp::MAX);
        assert_eq!([gone(9), gone(10), gone(11), gone(99), gone(100)], [0, 0, 1, 1, 0]);
        assert_eq!(bench.lander.ledger().gone_around(t(50), t(119)), 0, "before it was found nobody knew");
    });
}

/// A page of records with a stamp and a revision; without fields where a record has no value.
fn revised(rows: &[(&str, i64, i64, &[&str])], reading: Reading, ends: bool, observed_at: i64) -> Page {
    let names: Arc<[String]> = if rows[0].3.is_empty() { Arc::from([]) } else { Arc::from(["v".to_owned()]) };
    let mut builder = RecordsBuilder::new(names, rows.len());
    for (key, stamp, revision, values) in rows {
        values.iter().for_each(|value| builder.set(0, Some(value)));
        let (stamp, revision) = (Some(t(*stamp)), Some(*revision));
        builder.finish_row(RecordHead { key: (*key).to_owned(), stamp, revision, ..RecordHead::default() });
    }
    Page { records: builder.finish(), ..page(&[], &[], reading, ends, observed_at) }
}

#[test]
fn b2_a_sweep_of_revisions_shows_what_changed_without_a_word_and_what_came_late() {
    let folder = tempfile::tempdir().unwrap();
    let offered = stream(&["v"], false);
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &offered).await;
        let pass = Reading::Pass { id: "1".into(), started_at: t(10), scope: "all".into() };
        let rows: [(&str, i64, i64, &[&str]); 3] = [("9", 5, 1, &["1"]), ("10", 5, 1, &["2"]), ("11", 5, 1, &["3"])];
        bench.land(&[revised(&rows, pass, true, 20)], 30, None).await;
        // 9 was saved again as it was: no version, but the revision is on record, also for the next process.
        let window = Reading::Window { from: t(20), until: t(60) };
        let taken = bench.land(&[revised(&[("9", 40, 2, &["1"])], window, true, 60)], 70, None).await;
        assert_eq!((taken.version_count, taken.counts.unchanged), (0, 1));
        bench.reopen(&offered, false).await;

        let sweep = || Reading::Sweep { id: "2".into(), started_at: t(100), scope: "all".into() };
        let shown = [revised(&[("8", 0, 1, &[]), ("9", 0, 2, &[]), ("10", 0, 2, &[])], sweep(), true, 110)];
        assert_eq!(bench.lander.outdated(&shown).unwrap(), ["8", "10"], "late, silent; 9 is as it was read");
        let read = revised(&[("8", 15, 1, &["0"]), ("10", 15, 2, &["2b"])], sweep(), false, 112);
        let taken = bench.land(&[read], 115, Some(90)).await;
        assert_eq!((taken.counts.read, taken.counts.new, taken.counts.changed), (2, 1, 1));
        let taken = bench.land(&shown, 120, Some(90)).await;
        assert_eq!((taken.counts.read, taken.counts.deleted_by_absence), (0, 1), "11 is gone, 8 and 10 are not");
        let state = bench.state(&["v"], 99, 1_000).await;
        let state: Vec<_> = state.iter().map(|(key, values)| (key.as_str(), values[0].as_deref().unwrap())).collect();
        assert_eq!(
            state,
            [("10", "2b"), ("11", "3"), ("8", "0"), ("9", "1")],
            "dated by the stamp of a revision that rose"
        );
        assert!(bench.lander.outdated(&shown).unwrap().is_empty());

        // Without its cache nobody remembers revisions: every record is read again, and nothing changes.
        bench.reopen(&offered, true).await;
        assert_eq!(bench.lander.outdated(&shown).unwrap(), ["8", "9", "10"]);
        let again: [(&str, i64, i64, &[&str]); 3] =
            [("8", 15, 1, &["0"]), ("9", 40, 2, &["1"]), ("10", 15, 2, &["2b"])];
        let taken = bench.land(&[revised(&again, sweep(), false, 130)], 140, Some(90)).await;
        assert_eq!((taken.version_count, taken.counts.unchanged), (0, 3));
        assert!(bench.lander.outdated(&shown).unwrap().is_empty());
    });
}

#[test]
fn e2_a_record_that_the_source_still_has_is_not_absent() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &stream(&["v"], false)).await;
        let pass = |id: &str, at: i64| Reading::Pass { id: id.into(), started_at: t(at), scope: "all".into() };
        let rows = [plain("k1", "1"), plain("k2", "2"), plain("k3", "3")];
        bench.land(&[page(&["v"], &rows, pass("1", 10), true, 20)], 30, None).await;
        bench.confirm = &HasK2;
        let taken = bench.land(&[page(&["v"], &[plain("k1", "1")], pass("2", 100), true, 120)], 130, None).await;
        assert_eq!((taken.counts.deleted_by_absence, taken.verified_through), (1, None), "k2 was not looked at");
        let state = bench.state(&["v"], 1_000, 1_000).await;
        assert_eq!(state.keys().collect::<Vec<_>>(), ["k1", "k2"]);
    });
}

#[test]
fn d1_a_corrected_file_replaces_its_statement_as_known_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &stream(&["v"], true)).await;
        let file = |at: i64, print: &str| Reading::Statement {
            at: t(at),
            name: format!("f{at}"),
            fingerprint: print.into(),
            is_delta: false,
        };
        bench
            .land(&[page(&["v"], &[plain("a", "1"), plain("b", "1")], file(100, "x"), true, 1_000)], 1_000, None)
            .await;
        bench
            .land(&[page(&["v"], &[plain("a", "1"), plain("b", "2")], file(200, "y"), true, 1_010)], 1_010, None)
            .await;
        // The first month is corrected: a was 7, b was not there, c was.
        let rows = [plain("a", "7"), plain("c", "9")];
        bench.land(&[page(&["v"], &rows, file(100, "z"), true, 1_020)], 1_020, None).await;
        let value = |value: &str| vec![Some(value.to_owned())];
        let known = |at, by| bench.state(&["v"], at, by);
        assert_eq!(known(100, 1_019).await, [("a".into(), value("1")), ("b".into(), value("1"))].into());
        assert_eq!(known(100, 2_000).await, [("a".into(), value("7")), ("c".into(), value("9"))].into());
        let second = [("a".to_owned(), value("1")), ("b".to_owned(), value("2"))];
        assert_eq!(known(200, 1_019).await, second.clone().into());
        assert_eq!(known(200, 2_000).await, second.into(), "what the second file stated stays");
        let fingerprint = |by: i64| bench.lander.ledger().statements(t(by))[&t(100)].fingerprint.clone();
        assert_eq!((fingerprint(1_019), fingerprint(2_000)), ("x".to_owned(), "z".to_owned()));
    });
}

#[test]
fn d1_rows_without_a_key_do_not_shift_the_numbers_of_versions() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &stream(&["v"], true)).await;
        let file = |at: i64| Reading::Statement {
            at: t(at),
            name: format!("f{at}"),
            fingerprint: at.to_string(),
            is_delta: false,
        };
        for at in [100, 300] {
            bench.land(&[page(&["v"], &[plain("a", "1")], file(at), true, 1_000 + at)], 1_000 + at, None).await;
        }
        let late = [plain("", "?"), plain("a", "0")];
        let taken = bench.land(&[page(&["v"], &late, file(200), true, 1_310)], 1_310, None).await;
        assert_eq!((taken.counts.rejected, taken.version_count), (1, 2), "300 is said once more");
        // The next one is completed from the versions by their numbers.
        bench.reopen(&stream(&["v", "w"], true), true).await;
        let row = Row { values: vec![Some("x".into())], ..plain("a", "") };
        bench.land(&[page(&["w"], &[row], file(400), true, 1_410)], 1_410, None).await;
        let value = |value: &str| Some(value.to_owned());
        for (at, then) in [(100, "1"), (200, "0"), (300, "1")] {
            assert_eq!(bench.state(&["v"], at, 2_000).await["a"], [value(then)], "{at}");
        }
        assert_eq!(bench.state(&["v", "w"], 400, 2_000).await["a"], [value("1"), value("x")]);
    });
}

#[test]
fn e3_what_is_first_seen_deleted_keeps_its_values_and_is_unknown_before() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let mut bench = Bench::new(folder.path(), &stream(&["v"], false)).await;
        let gone = Row {
            stamp: Some(50),
            created_at: Some(20),
            deleted: Some(DeleteKind::Deleted),
            ..plain("gone", "last words")
        };
        let window = Reading::Window { from: t(0), until: t(90) };
        let taken = bench.land(&[page(&["v"], &[gone], window, true, 100)], 110, None).await;
        assert_eq!((taken.counts.deleted, taken.min_valid_from), (1, Some(t(20))), "its birth changes the past");
        let log = bench.lander.log();
        let wanted = Wanted { system: vec![system::KEY, system::OP], fields: vec!["v".into()] };
        let said = async |pick: Pick| {
            let winners = log.winners(pick).await.unwrap();
            let mut told = Vec::new();
            for file in 0..winners.file_count() {
                let won = winners.read(log, file, &wanted).await.unwrap();
                let born = winners.read_born(log, file, &wanted).await.unwrap();
                for (how, batch) in [("won", won), ("born", born)] {
                    let Some(batch) = batch else { continue };
                    let text = |column: usize| batch.column(column).as_string::<i32>().value(0).to_owned();
                    told.push((how, text(1), text(2)));
                }
            }
            told
        };
        let at = |as_of: i64| Pick::AsOf { as_of: t(as_of), known_at: Timestamp::MAX, first_complete_at: None };
        assert_eq!(said(at(19)).await, []);
        assert_eq!(said(at(20)).await, [("born", "delete".to_owned(), "last words".to_owned())]);
        assert_eq!(said(at(49)).await.len(), 1);
        assert_eq!(said(at(50)).await, [("won", "delete".to_owned(), "last words".to_owned())]);
        let living = said(Pick::LastLiving { known_at: Timestamp::MAX }).await;
        assert_eq!(living, [("won", "delete".to_owned(), "last words".to_owned())]);
    });
}
