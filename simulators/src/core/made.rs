//! The records that are there before anyone touches them: computed from the seed and their number whenever they are
//! looked at, so that a million of them take no memory.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::chance::mix;
use crate::company::{Client, clients};
use crate::core::kind::Kind;
use crate::core::options::Options;
use crate::core::time;
use crate::core::value::{Object, Value};
use crate::instant::DAY;
use crate::words;

/// For how long before the first instant contracts and invoices were entered.
const SPAN: i64 = 2 * 365 * DAY;

/// Id, name and price of the plans.
const PLANS: [(&str, i64); 5] = [
    ("スターター", 1_500),
    ("スタンダード", 1_800),
    ("エンタープライズ", 2_200),
    ("分析 & 自動化", 1_200),
    ("連携オプション①", 980),
];

/// Code, name and category of the accounts.
const ACCOUNTS: [(&str, &str, &str); 24] = [
    ("1110", "現金", "asset"),
    ("1120", "普通預金", "asset"),
    ("1130", "当座預金", "asset"),
    ("1310", "売掛金", "asset"),
    ("1320", "未収入金", "asset"),
    ("1410", "前払費用", "asset"),
    ("1510", "工具器具備品", "asset"),
    ("1610", "ソフトウェア", "asset"),
    ("2110", "買掛金", "liability"),
    ("2120", "未払金", "liability"),
    ("2130", "未払費用", "liability"),
    ("2210", "前受収益", "liability"),
    ("2310", "仮受消費税", "liability"),
    ("3110", "資本金", "equity"),
    ("3210", "利益剰余金", "equity"),
    ("4110", "売上高", "revenue"),
    ("4120", "初期費用売上", "revenue"),
    ("4130", "従量課金売上", "revenue"),
    ("5110", "外注費", "expense"),
    ("5120", "通信費", "expense"),
    ("5130", "クラウド利用料", "expense"),
    ("5210", "給料手当", "expense"),
    ("5310", "地代家賃", "expense"),
    ("5990", "雑費", "expense"),
];

/// What was there before the first instant.
#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    /// The first instant: all records are older.
    at: i64,
    pub(crate) clients: Vec<Client>,
    contracts: u64,
    invoices: u64,
    imported: u64,
    single_plan: bool,
    usage_since: NaiveDate,
    corrected_days: i64,
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let mut clients = clients(options.seed);
        clients.truncate(usize::try_from(options.records).unwrap_or(usize::MAX));
        let invoices = options.invoices.unwrap_or(options.records);
        World {
            seed: options.seed,
            at: options.at.timestamp(),
            contracts: options.records,
            invoices: if clients.is_empty() { 0 } else { invoices },
            clients,
            imported: options.imported,
            single_plan: options.single_plan,
            usage_since: options.usage_since,
            corrected_days: i64::from(options.corrected_days),
        }
    }

    /// How many records of that kind are made up; their ids begin at 1.
    pub(crate) fn count(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Contracts | Kind::Lines => self.contracts,
            Kind::Invoices => self.invoices,
            Kind::Partners => self.clients.len() as u64,
            Kind::Accounts => ACCOUNTS.len() as u64,
            Kind::Plans if self.single_plan => 1,
            Kind::Plans => PLANS.len() as u64,
            Kind::Usage => u64::MAX,
        }
    }

    fn pick(&self, id: u64, what: u64, below: u64) -> u64 {
        mix(self.seed, id, 9_000 + what) % below.max(1)
    }

    fn word<T: Copy>(&self, id: u64, what: u64, words: &[T]) -> T {
        words[self.pick(id, what, words.len() as u64) as usize]
    }

    fn client(&self, id: u64) -> &Client {
        &self.clients[self.place(id)]
    }

    /// Contracts and invoices go round the customers.
    fn place(&self, id: u64) -> usize {
        (id.saturating_sub(1) % self.clients.len().max(1) as u64) as usize
    }

    /// How many times they went round before this one.
    fn round(&self, id: u64) -> u64 {
        id.saturating_sub(1) / self.clients.len().max(1) as u64
    }

    /// When the record was entered: later ids later.
    pub(crate) fn created(&self, kind: Kind, id: u64) -> i64 {
        match kind {
            Kind::Contracts | Kind::Lines | Kind::Invoices if id > self.imported => {
                let share = i128::from(SPAN - DAY) * i128::from(id) / i128::from(self.count(kind) + 1);
                self.at - SPAN + 60 + i64::try_from(share).unwrap_or_default()
            }
            Kind::Usage => self.day_of(id).map_or(self.at, first_second),
            _ => self.at - SPAN,
        }
    }

    /// When the record was last changed, as far as the API tells.
    pub(crate) fn modified(&self, kind: Kind, id: u64) -> i64 {
        let created = self.created(kind, id);
        let is_fresh = id <= self.imported || self.pick(id, 2, 3) == 0;
        match kind {
            Kind::Contracts | Kind::Invoices if !is_fresh => {
                created + self.pick(id, 1, (self.at - DAY / 2 - created).max(1).unsigned_abs()) as i64
            }
            _ => created,
        }
    }

    /// The record of that id as it was at that instant, without its stamp; `None` where there is none.
    pub(crate) fn object(&self, kind: Kind, id: u64, at: i64) -> Option<Object> {
        Some(match kind {
            Kind::Contracts => self.contract(id),
            Kind::Lines => Object::new([("lines", self.lines(id))]),
            Kind::Invoices => self.invoice(id),
            Kind::Partners => self.partner(id),
            Kind::Accounts => {
                let (code, name, category) = ACCOUNTS[id as usize - 1];
                Object::new([
                    ("id", Value::number(id)),
                    ("code", Value::text(code)),
                    ("name", Value::text(name)),
                    ("category", Value::text(category)),
                ])
            }
            Kind::Plans => {
                let (name, price) = PLANS[id as usize - 1];
                Object::new([
                    ("id", Value::text(kind.key(id))),
                    ("name", Value::text(name)),
                    ("price", Value::number(price)),
                ])
            }
            Kind::Usage => return self.reading(id, at),
        })
    }

    fn contract(&self, id: u64) -> Object {
        let (client, day) = (self.client(id), time::day(self.at));
        let is_first = self.round(id) == 0;
        let plan = if is_first { client.plan(day) } else { PLANS[3 + self.pick(id, 3, 2) as usize].0 };
        let yen = if is_first { client.monthly_yen(day) } else { (1 + self.pick(id, 4, 40) as i64) * 5_000 };
        let state = match client.is_active(day) {
            true => "有効",
            false if day < client.first_day() => "申込",
            false => "解約",
        };
        let ends = client.last_day().map_or(Value::Null, |day| Value::text(time::slashed_day(day)));
        let person = match self.pick(id, 5, 5) {
            0 => Value::Null,
            _ => Value::text(format!("{} 様", self.word(id, 6, &words::FAMILY_NAMES))),
        };
        Object::new([
            ("契約番号", Value::text(Kind::Contracts.key(id))),
            ("顧客コード", Value::text(client.code())),
            ("顧客名", Value::text(client.name(day))),
            ("プラン", Value::text(plan)),
            ("月額", Value::number(yen)),
            ("割引率", Value::number(self.word(id, 7, &["0", "0.05", "0.1", "0.125"]))),
            ("契約開始日", Value::text(time::slashed_day(client.first_day()))),
            ("契約終了日", ends),
            ("状態", Value::text(state)),
            (
                "請求先",
                Value::Object(Object::new([
                    ("部署", Value::text(self.word(id, 8, &["経理部", "情報システム部", "総務部", ""]))),
                    ("担当", person),
                ])),
            ),
            ("オプション", Value::List(self.options(id))),
        ])
    }

    fn options(&self, id: u64) -> Vec<Value> {
        let bits = self.pick(id, 10, 8);
        let words = ["分析", "自動化", "API"].iter().enumerate();
        words.filter(|(place, _)| bits >> place & 1 == 1).map(|(_, word)| Value::text(*word)).collect()
    }

    fn lines(&self, id: u64) -> Value {
        let count = [1, 2, 1, 3, 0][self.pick(id, 11, 5) as usize];
        let line = |nth: u64| {
            let cents = (1 + self.pick(id, 20 + nth, 60) as i64) * 10_025;
            Value::Object(Object::new([
                ("行", Value::number(nth)),
                ("商品", Value::text(self.word(id, 30 + nth, &PLANS).0)),
                ("数量", Value::number(1 + self.pick(id, 40 + nth, 50))),
                ("単価", Value::hundredths(cents)),
            ]))
        };
        Value::List((1..=count).map(line).collect())
    }

    fn invoice(&self, id: u64) -> Object {
        let (client, place) = (self.client(id), self.place(id) as u64 + 1);
        // The newest are of last month, those of earlier rounds of months before; after two years it begins anew.
        let back = self.round(self.invoices).saturating_sub(self.round(id)) % 24;
        let today = time::day(self.at);
        let this_month = today - Days::new(u64::from(today.day0()));
        let issued = this_month - Months::new(back as u32) - Days::new(1);
        let extra = self.pick(id, 50, 4) as i64 * 50;
        let base = client.monthly_yen(issued) * 100;
        let line = |text: &str, cents: i64| {
            Value::Object(Object::new([
                ("description", Value::text(text)),
                ("quantity", Value::number(1)),
                ("amount", Value::hundredths(cents)),
            ]))
        };
        let mut lines = vec![line(&format!("{} 月額利用料", client.plan(issued)), base)];
        if extra > 0 {
            lines.push(line("従量課金", extra));
        }
        let contract = if place <= self.contracts { Value::text(Kind::Contracts.key(place)) } else { Value::Null };
        Object::new([
            ("id", Value::number(id)),
            ("number", Value::text(format!("INV-{}-{id:06}", issued.format("%Y%m")))),
            ("partner_id", Value::number(place)),
            ("customer_code", Value::text(client.code())),
            ("contract_number", contract),
            ("amount", Value::hundredths(base + extra)),
            ("tax", Value::hundredths((base + extra) / 10)),
            ("issued_on", Value::text(issued.to_string())),
            ("due_on", Value::text((issued + Days::new(30)).to_string())),
            ("status", Value::text(self.word(id, 51, &["paid", "paid", "unpaid", "overdue"]))),
            ("deleted", Value::Bool(false)),
            ("lines", Value::List(lines)),
        ])
    }

    fn partner(&self, id: u64) -> Object {
        let client = self.client(id);
        Object::new([
            ("id", Value::number(id)),
            ("code", Value::text(client.code())),
            ("name", Value::text(client.name(time::day(self.at)))),
            ("invoice_registration_number", Value::text(format!("T{}", client.corporate_number()))),
            ("prefecture", Value::text(client.prefecture())),
            ("available", Value::Bool(true)),
        ])
    }

    /// The number of a customer's reading on a day; `None` before the first day with readings.
    pub(crate) fn reading_id(&self, day: NaiveDate, place: usize) -> Option<u64> {
        let days = u64::try_from((day - self.usage_since).num_days()).ok()?;
        (place < self.clients.len()).then(|| days * self.clients.len() as u64 + place as u64 + 1)
    }

    /// The day of a reading.
    pub(crate) fn day_of(&self, id: u64) -> Option<NaiveDate> {
        self.usage_since.checked_add_days(Days::new(self.round(id)))
    }

    /// What was counted for a customer on a day, as far as it was counted at that instant: a day's figures grow while
    /// late counts come in.
    fn reading(&self, id: u64, at: i64) -> Option<Object> {
        let (day, client) = (self.day_of(id)?, self.clients.get(self.place(id))?);
        let age = (time::day(at) - day).num_days();
        if age < 0 || !client.is_active(day) {
            return None;
        }
        let percent: i128 = match age {
            _ if age >= self.corrected_days => 100,
            0 => 45,
            1 => 90,
            _ => 97,
        };
        let so_far = |number: i128| Value::number(number * percent / 100);
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let share = if is_weekend { self.pick(id, 60, 20) } else { 60 + self.pick(id, 60, 35) };
        let users = i128::from(client.monthly_users(day)) * i128::from(share) / 100;
        let logins = users * (1 + i128::from(self.pick(id, 61, 3))) + i128::from(self.pick(id, 62, 3));
        // One customer's machines call more often than fits into 63 bits.
        let calls = match self.place(id) {
            0 => 12_345_678_901_234_567_890 + i128::from(self.pick(id, 63, 1_000_000_000)),
            _ => logins * (20 + i128::from(self.pick(id, 63, 400))),
        };
        Some(Object::new([
            ("customer", Value::text(client.code())),
            ("date", Value::text(day.to_string())),
            ("active_users", so_far(users)),
            ("logins", so_far(logins)),
            ("api_calls", so_far(calls)),
        ]))
    }
}

/// The first second of a day in Japan.
fn first_second(day: NaiveDate) -> i64 {
    time::read_slashed(&format!("{} 00:00:00", time::slashed_day(day))).unwrap_or_default()
}
