//! The whole story against a CRM that refuses what a real one would refuse.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use encoding_rs::SHIFT_JIS;
use serde_json::{Map, Value};

use super::calendar::{end_of, is_working_day};
use super::corporate_number;
use super::*;

/// The demo's seed first.
const SEEDS: [u64; 4] = [1, 7, 42, 987_654_321];

/// The stories of all seeds, lived to the end; told once for all tests.
static LIVED: LazyLock<Vec<(u64, Story, FakeCrm)>> = LazyLock::new(|| {
    let lived = |seed| {
        let (story, crm) = live(seed);
        (seed, story, crm)
    };
    SEEDS.into_iter().map(lived).collect()
});

#[derive(Debug, Clone, PartialEq)]
struct Held {
    object: String,
    fields: Map<String, Value>,
    gone: bool,
}

/// Keeps records and a journal, and panics at edits that make no sense.
#[derive(Debug, Default)]
struct FakeCrm {
    now: Option<DateTime<Utc>>,
    records: BTreeMap<String, Held>,
    journal: Vec<(DateTime<Utc>, &'static str, String)>,
}

impl FakeCrm {
    fn note(&mut self, what: &'static str, id: &str) {
        let now = self.now.expect("the clock is set before an edit");
        self.journal.push((now, what, id.to_owned()));
    }

    fn living(&mut self, object: &str, id: &str) -> &mut Held {
        let record = self.records.get_mut(id).expect("a known record");
        assert!(!record.gone && record.object == object, "{object} {id} is not there");
        record
    }

    fn family(&mut self, account: &str) -> Vec<&mut Held> {
        let own = |held: &Held| held.fields.get("AccountId").is_some_and(|parent| parent == account);
        self.records.values_mut().filter(|held| own(held)).collect()
    }

    fn count(&self, what: &str) -> usize {
        self.journal.iter().filter(|(_, other, _)| *other == what).count()
    }

    fn customers(&self) -> impl Iterator<Item = (&String, &Held)> {
        self.records.iter().filter(|(_, held)| {
            let text = |name: &str| held.fields.get(name).and_then(Value::as_str).unwrap_or_default();
            held.object == "Account" && !held.gone && text("Type").starts_with("Customer") && text("Stage__c") != "解約"
        })
    }
}

impl Crm for FakeCrm {
    fn insert(&mut self, object: &str, fields: Map<String, Value>) -> String {
        if let Some(parent) = fields.get("AccountId").and_then(Value::as_str) {
            self.living("Account", parent);
        }
        let id = format!("{object}-{}", self.records.len());
        self.note("insert", &id);
        self.records.insert(id.clone(), Held { object: object.to_owned(), fields, gone: false });
        id
    }

    fn update(&mut self, object: &str, id: &str, fields: Map<String, Value>) {
        assert!(!fields.is_empty());
        self.living(object, id).fields.extend(fields);
        self.note("update", id);
    }

    fn delete(&mut self, object: &str, id: &str) {
        self.living(object, id).gone = true;
        self.family(id).into_iter().for_each(|child| child.gone = true);
        self.note("delete", id);
    }

    fn undelete(&mut self, _object: &str, id: &str) {
        let record = self.records.get_mut(id).expect("a known record");
        assert!(record.gone);
        record.gone = false;
        self.family(id).into_iter().for_each(|child| child.gone = false);
        self.note("undelete", id);
    }

    fn hard_delete(&mut self, object: &str, id: &str) {
        self.living(object, id).gone = true;
        self.note("hard_delete", id);
    }

    fn merge(&mut self, object: &str, winner: &str, losers: &[String]) {
        self.living(object, winner);
        for loser in losers {
            self.living(object, loser).gone = true;
            for child in self.family(loser) {
                child.fields.insert("AccountId".into(), winner.into());
            }
        }
        self.note("merge", winner);
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        assert!(self.now.is_none_or(|before| before <= now), "the clock goes back");
        self.now = Some(now);
    }
}

fn live(seed: u64) -> (Story, FakeCrm) {
    let (mut story, mut crm) = (Story::new(seed), FakeCrm::default());
    story.start(&mut crm);
    for (year, month) in Story::months() {
        story.live_month(year, month, &mut crm);
    }
    (story, crm)
}

fn decode(export: &Export) -> Vec<Vec<String>> {
    let (text, _, broken) = SHIFT_JIS.decode(&export.bytes);
    assert!(!broken, "{}", export.file_name);
    text.lines().map(cells).collect()
}

/// Splits a line of CSV without line breaks in cells.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(letter),
        }
    }
    cells
}

/// The number in a cell, whatever the habit; `None` when there is none.
fn number(cell: &str) -> Option<i64> {
    let plain = |letter: char| match letter {
        '０'..='９' => char::from_u32(letter as u32 - '０' as u32 + '0' as u32).unwrap(),
        '▲' => '-',
        other => other,
    };
    let text: String = cell.chars().filter(|letter| !matches!(letter, ',' | '￥')).map(plain).collect();
    text.parse().ok()
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let ((_, story, crm), (again, crm_again)) = (&LIVED[0], live(SEEDS[0]));
    assert_eq!(crm.journal, crm_again.journal);
    assert_eq!(crm.records, crm_again.records);
    for (year, month) in [(2025, 10), (2025, 11), (2026, 10)] {
        assert_eq!(story.exports(year, month), again.exports(year, month));
        assert_eq!(story.truth(year, month), again.truth(year, month));
    }
    let (_, other, other_crm) = &LIVED[1];
    assert_ne!(crm.records, other_crm.records);
    assert_ne!(story.exports(2025, 10), other.exports(2025, 10));
}

#[test]
fn living_month_by_month_makes_each_edit_in_its_month_and_its_office_hours() {
    for seed in SEEDS {
        let (mut story, mut crm) = (Story::new(seed), FakeCrm::default());
        story.start(&mut crm);
        let mut begin = end_of((2025, 9));
        assert!(crm.journal.iter().all(|(at, _, _)| *at < begin));
        for (year, month) in Story::months() {
            let before = crm.journal.len();
            story.live_month(year, month, &mut crm);
            let edits = &crm.journal[before..];
            assert!(edits.len() > 60, "{year}-{month}: {} edits", edits.len());
            for (at, _, _) in edits {
                let local = (*at + chrono::TimeDelta::hours(9)).naive_utc();
                assert!(*at >= begin && *at < end_of((year, month)), "{at}");
                assert!(is_working_day(local.date()), "{local}");
            }
            begin = end_of((year, month));
        }
    }
}

#[test]
fn every_export_survives_cp932_without_a_loss() {
    for (_, story, _) in &LIVED[..2] {
        for (year, month) in Story::months() {
            for export in story.exports(year, month) {
                let (text, _, broken) = SHIFT_JIS.decode(&export.bytes);
                assert!(!broken);
                assert!(!text.contains("&#") && !text.contains('\u{fffd}') && !text.contains('\\'));
                assert_eq!(SHIFT_JIS.encode(&text).0.as_ref(), export.bytes);
                let rows = decode(&export);
                assert!(rows[0][7] == "月額(税抜)" && rows.iter().all(|row| row.len() == 15));
                let codes: HashSet<&String> = rows[1..].iter().map(|row| &row[0]).collect();
                assert_eq!(codes.len(), rows.len() - 1);
            }
        }
    }
}

#[test]
fn the_exports_are_written_in_many_habits() {
    let rows = decode(&LIVED[0].1.exports(2026, 10)[0]);
    let has = |column: usize, mark: &str| rows[1..].iter().filter(|row| row[column].contains(mark)).count();
    let habits = [
        has(1, "株式会社"),
        has(1, "(株)"),
        has(1, "㈱"),
        has(5, "令和"),
        has(5, "R"),
        has(7, "￥"),
        has(8, "０"),
        has(12, "▲"),
    ];
    assert!(habits.iter().all(|count| *count > 0), "{habits:?}");
}

#[test]
fn truth_says_what_the_files_and_the_crm_say() {
    for seed in &SEEDS[..2] {
        let seed = *seed;
        let (mut story, mut crm) = (Story::new(seed), FakeCrm::default());
        story.start(&mut crm);
        for (year, month) in Story::months() {
            story.live_month(year, month, &mut crm);
            let truth = story.truth(year, month);
            assert_file_agrees(&truth, &decode(&story.exports(year, month)[0]));
            assert_crm_agrees(&truth, &crm);
        }
    }
}

fn assert_file_agrees(truth: &[CustomerTruth], rows: &[Vec<String>]) {
    let stated: BTreeMap<&str, &CustomerTruth> =
        truth.iter().filter(|truth| truth.usage.is_some()).filter_map(|t| Some((t.code.as_deref()?, t))).collect();
    assert_eq!(stated.len(), rows.len() - 1);
    for row in &rows[1..] {
        let truth = stated[row[0].as_str()];
        let usage = truth.usage.unwrap();
        assert_eq!(number(&row[7]).map_or(Mrr::Held, Mrr::Yen), truth.mrr);
        assert_eq!((number(&row[8]), number(&row[9])), (usage.contracted_users, Some(usage.active_users)));
        assert_eq!((number(&row[10]), number(&row[11])), (Some(usage.logins), Some(usage.inquiries)));
        assert_eq!((number(&row[12]), row[4].as_str()), (usage.nps, truth.plan.unwrap()));
        assert!(usage.active_users <= usage.contracted_users.unwrap_or(i64::MAX));
    }
}

fn assert_crm_agrees(truth: &[CustomerTruth], crm: &FakeCrm) {
    let seen: Vec<&CustomerTruth> = truth.iter().filter(|truth| truth.seen_by != SeenBy::Core).collect();
    let ids: BTreeSet<&String> = seen.iter().flat_map(|truth| &truth.account_ids).collect();
    let living: BTreeSet<&String> = crm.customers().map(|(id, _)| id).collect();
    assert!(living.is_subset(&ids), "{:?}", living.difference(&ids).collect::<Vec<_>>());
    for truth in seen {
        assert!(truth.account_ids.iter().any(|id| living.contains(id)), "{}", truth.name);
        if truth.seen_by == SeenBy::Crm && truth.mrr != Mrr::Empty {
            let stated = &crm.records[&truth.account_ids[0]].fields["MRR__c"];
            assert_eq!(Mrr::Yen(stated.as_i64().unwrap()), truth.mrr);
        }
    }
}

#[test]
fn every_account_of_a_stated_customer_has_something_to_be_recognized_by() {
    for (_, story, crm) in LIVED.iter() {
        let rows = decode(&story.exports(2026, 10)[0]);
        let (mut by_code, mut by_number, mut by_name) = (0, 0, 0);
        for truth in story.truth(2026, 10).iter().filter(|truth| truth.seen_by == SeenBy::Both) {
            let row = rows.iter().find(|row| Some(&row[0]) == truth.code.as_ref()).unwrap();
            let account = &crm.records[&truth.account_ids[0]].fields;
            let same = |name: &str, column: usize| account.get(name).and_then(Value::as_str) == Some(&row[column]);
            match () {
                () if same("CustomerCode__c", 0) => by_code += 1,
                () if !row[2].is_empty() && same("CorporateNumber__c", 2) => by_number += 1,
                () if stem(account["Name"].as_str().unwrap()) == stem(&row[1]) && same("BillingState", 3) => {
                    by_name += 1
                }
                () => panic!("{} cannot be recognized", truth.name),
            }
        }
        assert!(by_code > 240 && by_number > 15 && by_name > 5, "{by_code} {by_number} {by_name}");
    }
}

fn stem(name: &str) -> String {
    let forms = ["株式会社", "(株)", "㈱", "有限会社", "(有)", "㈲", "合同会社", "(同)", "\u{3000}"];
    forms.iter().fold(name.to_owned(), |name, form| name.replace(form, ""))
}

#[test]
fn the_waterfall_adds_up_between_any_two_months() {
    for (_, story, _) in LIVED.iter() {
        let truths: Vec<_> = Story::months().into_iter().map(|(year, month)| story.truth(year, month)).collect();
        for before in &truths {
            for after in &truths {
                let w = Waterfall::between(before, after);
                assert_eq!(w.start + w.new + w.expansion - w.contraction - w.churned + w.unknown, w.end);
                assert_eq!(before.len() + w.won.len() - w.lost.len(), after.len());
            }
        }
    }
}

#[test]
fn the_vendor_is_in_sound_health_whatever_the_seed() {
    for (seed, story, _) in LIVED.iter() {
        let (before, after) = (story.truth(2025, 10), story.truth(2026, 10));
        let w = Waterfall::between(&before, &after);
        let (nrr, churn) = (w.nrr_percent(), w.lost.len() as f64 / before.len() as f64 * 100.0);
        assert!((60_000_000..=90_000_000).contains(&w.start), "{seed}: {}", w.start);
        assert!((60_000_000..=95_000_000).contains(&w.end), "{seed}: {}", w.end);
        assert!((100.0..=112.0).contains(&nrr), "{seed}: NRR {nrr}");
        assert!((5.0..=10.0).contains(&churn), "{seed}: churn {churn}");
        assert!((300..=400).contains(&before.len()) && (300..=400).contains(&after.len()));
        assert!(w.contraction > 0 && w.new > 0 && w.unknown < 0);
    }
}

#[test]
fn what_goes_wrong_in_the_crm_happens_for_every_seed() {
    for (_, _, crm) in LIVED.iter() {
        assert_eq!((crm.count("merge"), crm.count("undelete"), crm.count("hard_delete")), (5, 2, 1));
        assert!(crm.count("delete") >= 4);
        let march =
            crm.journal.iter().filter(|(at, what, _)| *what == "merge" && at.to_rfc3339().starts_with("2026-03"));
        assert_eq!(march.count(), 5);
        let values = |object: &'static str, field: &'static str| {
            crm.records
                .values()
                .filter(move |held| held.object == object)
                .filter_map(move |h| h.fields.get(field)?.as_str())
        };
        assert_eq!(values("Contact", "Email").filter(|address| !address.contains('@')).count(), 2);
        assert!(values("Account", "CorporateNumber__c").all(corporate_number::is_valid));
        assert!(values("Account", "Stage__c").any(|stage| stage == "解約"));
        for kind in ["New Customer", "サブスク更新", "Existing Customer - Upgrade"] {
            assert!(values("Opportunity", "Type").filter(|other| *other == kind).count() > 5, "{kind}");
        }
        let numbers = (values("Contact", "Email").count(), values("Contract", "Status").count());
        assert!(numbers.0 > 400 && numbers.1 > 500, "{numbers:?}");
    }
}

#[test]
fn a_handful_of_cells_cannot_be_converted() {
    for (_, story, _) in LIVED.iter() {
        let rows = decode(&story.exports(2026, 10)[0]);
        let count =
            |column: usize, is_bad: &dyn Fn(&str) -> bool| rows[1..].iter().filter(|row| is_bad(&row[column])).count();
        assert_eq!(count(2, &|cell| !cell.is_empty() && !corporate_number::is_valid(cell)), 2);
        assert_eq!(count(2, &str::is_empty), 4);
        assert_eq!(count(5, &|cell| cell == "2025/13/1"), 1);
        assert_eq!(count(7, &|cell| cell == "未定"), 1);
        assert_eq!(count(8, &|cell| number(cell).is_none()), 1);
    }
}

#[test]
fn november_corrects_three_figures_of_october_and_the_truth_with_them() {
    for seed in SEEDS {
        let (mut story, mut crm) = (Story::new(seed), FakeCrm::default());
        story.start(&mut crm);
        story.live_month(2025, 10, &mut crm);
        let (first, told_first) = (story.exports(2025, 10), story.truth(2025, 10));
        story.live_month(2025, 11, &mut crm);
        let second = story.exports(2025, 11);
        let names: Vec<&str> = second.iter().map(|export| export.file_name.as_str()).collect();
        assert_eq!(names, ["customers_202511.csv", "customers_202510.csv"]);
        assert_eq!(first.len(), 1);
        let (first_rows, second_rows) = (decode(&first[0]), decode(&second[1]));
        assert_eq!(first_rows.iter().zip(&second_rows).filter(|(first, second)| first != second).count(), 3);
        assert_file_agrees(&told_first, &first_rows);
        assert_file_agrees(&story.truth(2025, 10), &second_rows);
        assert_ne!(told_first, story.truth(2025, 10));
    }
}

#[test]
fn a_customer_that_left_comes_back_under_its_old_code() {
    let returned = LIVED.iter().map(|(_, story, _)| {
        let codes = |(year, month): (i32, u32)| -> BTreeSet<Option<String>> {
            story.truth(year, month).into_iter().map(|truth| truth.code).collect()
        };
        let months: Vec<_> = Story::months().into_iter().map(codes).collect();
        months[0]
            .iter()
            .filter(|code| {
                let there: Vec<bool> = months.iter().map(|month| month.contains(*code)).collect();
                there.windows(2).any(|pair| pair == [true, false]) && there.windows(2).any(|pair| pair == [false, true])
            })
            .count()
    });
    let returned: Vec<usize> = returned.collect();
    assert!(returned.iter().all(|count| *count == 1), "{returned:?}");
}

/// The Salesforce simulator, which refuses what its API refuses.
struct Simulated(crate::salesforce::Org);

impl Crm for Simulated {
    fn insert(&mut self, object: &str, fields: Map<String, Value>) -> String {
        self.0.insert(object, &fields).unwrap()
    }

    fn update(&mut self, object: &str, id: &str, fields: Map<String, Value>) {
        self.0.update(object, id, &fields).unwrap();
    }

    fn delete(&mut self, object: &str, id: &str) {
        self.0.delete(object, id).unwrap();
    }

    fn undelete(&mut self, object: &str, id: &str) {
        self.0.undelete(object, id).unwrap();
    }

    fn hard_delete(&mut self, object: &str, id: &str) {
        self.0.hard_delete(object, id).unwrap();
    }

    fn merge(&mut self, object: &str, winner: &str, losers: &[String]) {
        let losers: Vec<&str> = losers.iter().map(String::as_str).collect();
        self.0.merge(object, winner, &losers).unwrap();
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.0.set_now(now);
    }
}

#[test]
fn the_salesforce_simulator_takes_the_whole_story() {
    let at = super::calendar::tokyo(super::calendar::date(2019, 1, 1), 0);
    let org = crate::salesforce::Org::new(crate::salesforce::Options { at, ..Default::default() }, 0);
    let mut crm = Simulated(org.clone());
    let mut story = Story::new(SEEDS[0]);
    story.start(&mut crm);
    for (year, month) in Story::months() {
        story.live_month(year, month, &mut crm);
    }
    let expected = &LIVED[0].2;
    for object in ["Account", "Contact", "Opportunity", "Contract"] {
        let rows = org.truth(object).unwrap();
        let living = rows.iter().filter(|row| row["IsDeleted"] == false).count();
        assert_eq!(living, expected.records.values().filter(|held| held.object == object && !held.gone).count());
    }
}
