//! What the vendor's people write into the accounts and contacts of Salesforce.

use chrono::{DateTime, NaiveDate, Utc};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::book::{Book, Fields, RecordNo};
use super::calendar::{FIRST, add_days, date, first_day, month_of, months, months_between, tokyo, working_day};
use super::customer::{Customer, Link, Price};
use super::incidents::Incidents;
use super::names::invent_person;
use super::population::Prospect;
use super::usage::health;

/// The Salesforce users behind the CSMs, in their order.
const OWNER_IDS: [&str; 8] = [
    "0055g00000AbC01AAF",
    "0055g00000AbC02AAF",
    "0055g00000AbC03AAF",
    "0055g00000AbC04AAF",
    "0055g00000AbC05AAF",
    "0055g00000AbC06AAF",
    "0055g00000AbC07AAF",
    "0055g00000AbC08AAF",
];

const TITLES: [&str; 7] = ["部長", "課長", "主任", "係長", "マネージャー", "担当", "取締役"];
const ROLES: [&str; 4] = ["決裁者", "管理者", "利用者", "窓口"];
const DEPARTMENTS: [&str; 6] =
    ["情報システム部", "営業企画部", "総務部", "経営企画室", "業務改革推進室", "カスタマーサポート部"];

/// Fields from pairs of name and value.
pub(super) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A moment in the office hours of that day, or of the next working day of its month.
pub(super) fn office_hours(day: NaiveDate, dice: &mut ChaCha8Rng) -> DateTime<Utc> {
    tokyo(working_day(day), dice.random_range(9 * 3600..18 * 3600 + 1800))
}

/// How a day is written in Salesforce.
pub(super) fn iso(day: NaiveDate) -> Value {
    json!(day.format("%Y-%m-%d").to_string())
}

/// Enters a customer's account with its whole life; returns it.
pub(super) fn enter(customer: &Customer, incidents: &Incidents, book: &mut Book, dice: &mut ChaCha8Rng) -> RecordNo {
    let start = customer.spells[0].from;
    let is_newcomer = start >= first_day(FIRST);
    let lead_days = if is_newcomer { dice.random_range(60..150) } else { 20 };
    let met_on = add_days(start, -lead_days);
    let mut base = base_fields(customer, incidents, met_on);
    if is_newcomer {
        let prospect = fields([("Type", json!("Prospect"))]);
        base.retain(|name, _| !matches!(name.as_str(), "CustomerCode__c" | "TouchModel__c"));
        base.extend(prospect);
    }
    let account = book.insert(office_hours(met_on, dice), "Account", base, vec![]);
    let touched_on = match is_newcomer {
        true => start,
        false => add_days(date(2025, 4, 1), dice.random_range(0..182)).max(add_days(met_on, 1)),
    };
    book.update(office_hours(touched_on, dice), account, conversion(customer, incidents, touched_on, is_newcomer));
    review_each_month(customer, account, month_of(touched_on.max(first_day(FIRST))), book, dice);
    follow_prices(customer, account, book, dice);
    follow_spells(customer, account, book, dice);
    put_right(customer, incidents, account, book, dice);
    enter_contacts(customer, incidents, account, met_on, book, dice);
    account
}

fn base_fields(customer: &Customer, incidents: &Incidents, day: NaiveDate) -> Fields {
    let channel = if customer.code.is_some() { "Customer - Direct" } else { "Customer - Channel" };
    let mut base = fields([
        ("Name", json!(customer.name.write(customer.habits.crm_name))),
        ("Type", json!(channel)),
        ("Phone", json!(customer.phone)),
        ("Website", json!(format!("https://www.{}/", customer.domain()))),
        ("BillingState", json!(customer.prefecture)),
        ("Industry", json!(customer.industry)),
        ("NumberOfEmployees", json!(customer.employees)),
        ("OwnerId", json!(OWNER_IDS[customer.csm])),
        ("TouchModel__c", json!(customer.price_at(day).plan.touch_model())),
    ]);
    let has_number = match customer.link {
        Link::Code => !customer.index.is_multiple_of(7),
        Link::CorporateNumber => true,
        Link::Name => false,
    };
    if has_number {
        base.extend(fields([("CorporateNumber__c", json!(customer.corporate_number))]));
    }
    if let (Some(code), Link::Code) = (&customer.code, customer.link) {
        base.extend(fields([("CustomerCode__c", json!(code))]));
    }
    if incidents.misplaced.0 == customer.index {
        base.extend(fields([("BillingState", json!(incidents.misplaced.1))]));
    }
    if incidents.mistyped_in_crm.0 == customer.index {
        let wrong = super::corporate_number::mistype(&customer.corporate_number);
        base.extend(fields([("CorporateNumber__c", json!(wrong))]));
    }
    base
}

/// What is written when a prospect has signed, or when the account of an old customer was last gone through.
fn conversion(customer: &Customer, incidents: &Incidents, day: NaiveDate, is_newcomer: bool) -> Fields {
    let mut all = money(customer.price_at(day));
    all.extend(fields([("Stage__c", json!(stage(customer, day))), ("HealthScore__c", score(customer, day))]));
    if let Some(term) = customer.term_at(day) {
        all.extend(fields([("RenewalDate__c", iso(add_days(term.to, 1)))]));
    }
    if is_newcomer {
        let base = base_fields(customer, incidents, day);
        all.extend(base.into_iter().filter(|(name, _)| matches!(name.as_str(), "Type" | "CustomerCode__c")));
    }
    all
}

fn money(price: Price) -> Fields {
    fields([
        ("MRR__c", json!(price.mrr)),
        ("Plan__c", json!(price.plan.name())),
        ("TouchModel__c", json!(price.plan.touch_model())),
    ])
}

fn score(customer: &Customer, day: NaiveDate) -> Value {
    json!(health(customer, month_of(day)))
}

/// 導入 for three months, then 利用; 拡大 for those who use much of it, or have bought more.
fn stage(customer: &Customer, day: NaiveDate) -> &'static str {
    let begun = customer.spell_at(day).unwrap_or(customer.spells[0]).from;
    let bought_more = customer.prices.windows(2).any(|pair| pair[1].from <= day && pair[1].mrr > pair[0].mrr);
    match months_between(begun, day) {
        ..3 => "導入",
        age if bought_more || (age >= 18 && customer.engagement > 0.78) => "拡大",
        _ => "利用",
    }
}

/// Once a month the CSM looks at stage and health, and writes down what has changed noticeably.
fn review_each_month(
    customer: &Customer,
    account: RecordNo,
    after: super::calendar::Month,
    book: &mut Book,
    dice: &mut ChaCha8Rng,
) {
    let first = first_day(after);
    let (mut known_stage, mut known_health) = (stage(customer, first), health(customer, after));
    for month in months().into_iter().filter(|month| first_day(*month) > first) {
        let day = working_day(add_days(first_day(month), dice.random_range(4..25)));
        if !customer.is_active(day) || !customer.is_active(add_days(first_day(month), -1)) {
            continue;
        }
        let (new_stage, new_health) = (stage(customer, day), health(customer, month));
        let mut news = Fields::new();
        if new_stage != known_stage {
            news.extend(fields([("Stage__c", json!(new_stage))]));
            known_stage = new_stage;
        }
        if (new_health - known_health).abs() >= 10 {
            news.extend(fields([("HealthScore__c", json!(new_health))]));
            known_health = new_health;
        }
        if !news.is_empty() {
            book.update(office_hours(day, dice), account, news);
        }
    }
}

/// New prices are written down when they begin; one in ten is forgotten for a month. At each renewal the
/// next one is noted.
fn follow_prices(customer: &Customer, account: RecordNo, book: &mut Book, dice: &mut ChaCha8Rng) {
    for price in customer.prices.iter().skip(1).filter(|price| price.from >= first_day(FIRST)) {
        let forgotten = if dice.random_bool(0.1) { 30 } else { 0 };
        let day = working_day(add_days(price.from, forgotten));
        if customer.is_active(day) {
            book.update(office_hours(day, dice), account, money(*price));
        }
    }
    for term in customer.terms(date(2026, 11, 1)) {
        if term.from >= first_day(FIRST) && !term.is_first {
            let renewal = fields([("RenewalDate__c", iso(add_days(term.to, 1)))]);
            book.update(office_hours(term.from, dice), account, renewal);
        }
    }
}

/// Those who leave get the stage 解約; who comes back starts again.
fn follow_spells(customer: &Customer, account: RecordNo, book: &mut Book, dice: &mut ChaCha8Rng) {
    for spell in &customer.spells {
        if spell.from >= first_day(FIRST) && *spell != customer.spells[0] {
            let mut again = money(customer.price_at(spell.from));
            again.extend(fields([
                ("Stage__c", json!("導入")),
                ("ChurnDate__c", Value::Null),
                ("HealthScore__c", score(customer, spell.from)),
            ]));
            book.update(office_hours(spell.from, dice), account, again);
        }
        if let Some(last_day) = spell.last_day {
            let gone = [
                ("Stage__c", json!("解約")),
                ("ChurnDate__c", iso(last_day)),
                ("MRR__c", json!(0)),
                ("RenewalDate__c", Value::Null),
            ];
            book.update(office_hours(add_days(last_day, 1), dice), account, fields(gone));
        }
    }
}

/// What an incident has made wrong is noticed, and what an incident takes away goes.
fn put_right(customer: &Customer, incidents: &Incidents, account: RecordNo, book: &mut Book, dice: &mut ChaCha8Rng) {
    let index = customer.index;
    if let Some((day, name)) = &customer.renamed {
        let name = name.write(customer.habits.crm_name);
        book.update(office_hours(*day, dice), account, fields([("Name", json!(name))]));
    }
    if incidents.misplaced.0 == index {
        let right = fields([("BillingState", json!(customer.prefecture))]);
        book.update(office_hours(incidents.misplaced.2, dice), account, right);
    }
    if incidents.mistyped_in_crm.0 == index {
        let right = fields([("CorporateNumber__c", json!(customer.corporate_number))]);
        book.update(office_hours(incidents.mistyped_in_crm.1, dice), account, right);
    }
    if incidents.unpriced.0 == index {
        let day = first_day(incidents.unpriced.1);
        book.update(office_hours(day, dice), account, fields([("MRR__c", Value::Null)]));
    }
    for delete in incidents.mistaken_deletes.iter().filter(|delete| delete.customer == index) {
        let (from, until) = (office_hours(delete.deleted_on, dice), office_hours(delete.undeleted_on, dice));
        book.lose(from, until, account);
    }
}

/// One to three people, some of whom change or leave; now and then a new one.
fn enter_contacts(
    customer: &Customer,
    incidents: &Incidents,
    account: RecordNo,
    met_on: NaiveDate,
    book: &mut Book,
    dice: &mut ChaCha8Rng,
) {
    let domain = customer.domain();
    let bad = incidents.bad_addresses.iter().find(|(index, _)| *index == customer.index);
    let mut contacts = Vec::new();
    for place in 0..dice.random_range(1..4) {
        let (mut contact, address) = contact_fields(&domain, &customer.phone, dice);
        if let (Some((_, put_right_on)), 0) = (bad, place) {
            contact.extend(fields([("Email", json!(address.replace('@', "")))]));
            let entered = book.insert(office_hours(met_on, dice), "Contact", contact, vec![("AccountId", account)]);
            if let Some(day) = put_right_on {
                book.update(office_hours(*day, dice), entered, fields([("Email", json!(address))]));
            }
            continue;
        }
        contacts.push(book.insert(office_hours(met_on, dice), "Contact", contact, vec![("AccountId", account)]));
    }
    for month in months() {
        let day = add_days(first_day(month), dice.random_range(0..28));
        if !customer.is_active(day) {
            continue;
        }
        match dice.random_range(0..1000) {
            0..15 => {
                let (contact, _) = contact_fields(&domain, &customer.phone, dice);
                contacts.push(book.insert(office_hours(day, dice), "Contact", contact, vec![("AccountId", account)]));
            }
            15..27 if !contacts.is_empty() => {
                let contact = contacts[dice.random_range(0..contacts.len())];
                let title = TITLES[dice.random_range(0..TITLES.len())];
                book.update(office_hours(day, dice), contact, fields([("Title", json!(title))]));
            }
            27..31 => {
                if let Some(contact) = contacts.pop() {
                    book.delete(office_hours(day, dice), contact);
                }
            }
            _ => {}
        }
    }
}

/// A contact and its right address.
fn contact_fields(domain: &str, phone: &str, dice: &mut ChaCha8Rng) -> (Fields, String) {
    let person = invent_person(dice);
    let address = format!("{}@{domain}", person.mailbox);
    let contact = fields([
        ("LastName", json!(person.family)),
        ("FirstName", json!(person.given)),
        ("Email", json!(address)),
        ("Phone", json!(phone)),
        ("Title", json!(TITLES[dice.random_range(0..TITLES.len())])),
        ("Department", json!(DEPARTMENTS[dice.random_range(0..DEPARTMENTS.len())])),
        ("Role__c", json!(ROLES[dice.random_range(0..ROLES.len())])),
    ]);
    (contact, address)
}

/// Second accounts of some customers, each with a contact of its own, until they are merged.
pub(super) fn enter_duplicates(
    customers: &[Customer],
    incidents: &Incidents,
    accounts: &[Option<RecordNo>],
    book: &mut Book,
    dice: &mut ChaCha8Rng,
) -> Vec<(usize, RecordNo)> {
    let mut entered = Vec::new();
    for duplicate in &incidents.duplicates {
        let customer = &customers[duplicate.customer];
        let Some(winner) = accounts[duplicate.customer] else { continue };
        let account = fields([
            ("Name", json!(duplicate.name)),
            ("Type", json!("Customer - Direct")),
            ("Industry", json!(customer.industry)),
            ("OwnerId", json!(OWNER_IDS[(customer.csm + 1) % OWNER_IDS.len()])),
        ]);
        let at = office_hours(duplicate.entered_on, dice);
        let loser = book.insert(at, "Account", account, vec![]);
        let (contact, _) = contact_fields(&customer.domain(), &customer.phone, dice);
        book.insert(at, "Contact", contact, vec![("AccountId", loser)]);
        book.merge(office_hours(duplicate.merged_on, dice), winner, loser);
        entered.push((duplicate.customer, loser));
    }
    entered
}

/// The account with which somebody tried things out.
pub(super) fn enter_test_account(incidents: &Incidents, book: &mut Book, dice: &mut ChaCha8Rng) -> RecordNo {
    let test = fields([
        ("Name", json!("【テスト】株式会社サンプル")),
        ("Type", json!("Customer - Direct")),
        ("OwnerId", json!(OWNER_IDS[0])),
    ]);
    let account = book.insert(office_hours(date(2025, 7, 8), dice), "Account", test, vec![]);
    book.hard_delete(office_hours(incidents.test_account_removed_on, dice), account);
    account
}

/// A company that is being courted; returns its account.
pub(super) fn enter_prospect(prospect: &Prospect, book: &mut Book, dice: &mut ChaCha8Rng) -> RecordNo {
    let domain = format!("{}.example.jp", prospect.name.slug);
    let account = fields([
        ("Name", json!(prospect.name.write(super::names::Notation::Full))),
        ("Type", json!("Prospect")),
        ("Phone", json!(prospect.phone)),
        ("Website", json!(format!("https://www.{domain}/"))),
        ("BillingState", json!(prospect.prefecture)),
        ("Industry", json!(prospect.industry)),
        ("NumberOfEmployees", json!(prospect.employees)),
        ("OwnerId", json!(OWNER_IDS[dice.random_range(0..OWNER_IDS.len())])),
    ]);
    let at = office_hours(prospect.met_on, dice);
    let account = book.insert(at, "Account", account, vec![]);
    let (contact, _) = contact_fields(&domain, &prospect.phone, dice);
    book.insert(at, "Contact", contact, vec![("AccountId", account)]);
    account
}
