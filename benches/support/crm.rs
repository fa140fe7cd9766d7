//! A Zoho-like org whose pages of accounts were rendered before the clock starts: 30 fields, lists of 200. It shares nothing
//! with the connectors.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::prepared::{Prepared, mixed};

/// Records on a page, as Zoho lists them.
const PAGE_RECORDS: usize = 200;

/// Name and type of the fields of an account.
const FIELDS: [(&str, &str); 30] = [
    ("id", "bigint"),
    ("Created_Time", "datetime"),
    ("Modified_Time", "datetime"),
    ("Owner", "ownerlookup"),
    ("Created_By", "ownerlookup"),
    ("Modified_By", "ownerlookup"),
    ("Account_Name", "text"),
    ("Account_Number", "text"),
    ("Account_Type", "picklist"),
    ("Phone", "phone"),
    ("Fax", "phone"),
    ("Website", "website"),
    ("Industry", "picklist"),
    ("Annual_Revenue", "currency"),
    ("Employees", "integer"),
    ("Billing_Code", "text"),
    ("Billing_State", "text"),
    ("Billing_City", "text"),
    ("Billing_Street", "text"),
    ("Parent_Account", "lookup"),
    ("Customer_Code", "text"),
    ("Corporate_Number", "text"),
    ("Plan", "picklist"),
    ("Phase", "picklist"),
    ("MRR", "currency"),
    ("Seats", "integer"),
    ("Renewal_Date", "date"),
    ("NPS", "integer"),
    ("CS_Note", "text"),
    ("Last_Review", "datetime"),
];

/// The answers of an org, ready to be sent.
pub(crate) struct Crm {
    port: u16,
    records: usize,
    fields: String,
    pages: Vec<Vec<u8>>,
}

impl Crm {
    /// Renders the pages of `records` accounts, to be served on `port`.
    pub(crate) fn render(records: usize, port: u16) -> Crm {
        let described: Vec<String> = FIELDS
            .iter()
            .map(|(name, kind)| {
                format!(
                    "{{\"api_name\":\"{name}\",\"display_label\":\"{name}\",\"data_type\":\"{kind}\",\"json_type\":\"string\",\
                     \"pick_list_values\":[]}}"
                )
            })
            .collect();
        let page = |first: usize| {
            let end = (first + PAGE_RECORDS).min(records);
            let mut page = "{\"data\":[".to_owned();
            for number in first..end {
                if number > first {
                    page.push(',');
                }
                account(&mut page, number as u64);
            }
            let more = end < records;
            let token = if more { format!("\"{end}\"") } else { "null".to_owned() };
            let _ = write!(
                page,
                "],\"info\":{{\"per_page\":{PAGE_RECORDS},\"count\":{},\"more_records\":{more},\"next_page_token\":{token}}}}}",
                end - first
            );
            page.into_bytes()
        };
        Crm {
            port,
            records,
            fields: format!("{{\"fields\":[{}]}}", described.join(",")),
            pages: (0..records).step_by(PAGE_RECORDS).map(page).collect(),
        }
    }

    fn body(&self, path: &str) -> Cow<'_, [u8]> {
        let text = |text: String| Cow::Owned(text.into_bytes());
        if path.starts_with("/oauth/") {
            let domain = format!("http://127.0.0.1:{}", self.port);
            text(format!(
                "{{\"access_token\":\"bench\",\"api_domain\":\"{domain}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}"
            ))
        } else if path.ends_with("/org") {
            text("{\"org\":[{\"zgid\":\"7\",\"company_name\":\"年輪\"}]}".into())
        } else if path.contains("/users?") {
            text("{\"users\":[{\"id\":\"9\"}]}".into())
        } else if path.contains("/settings/fields") {
            self.fields.as_bytes().into()
        } else if path.contains("/actions/count") {
            text(format!("{{\"count\":{}}}", self.records))
        } else if path.contains("/deleted") {
            text("{\"data\":[],\"info\":{\"more_records\":false}}".into())
        } else {
            let at = path.split_once("page_token=").map_or(0, |(_, at)| at.parse().unwrap_or(usize::MAX));
            self.pages.get(at / PAGE_RECORDS).map_or(b"{}".as_slice(), Vec::as_slice).into()
        }
    }
}

impl Prepared for Crm {
    fn record_bytes(&self) -> usize {
        self.pages.iter().map(Vec::len).sum::<usize>() / self.records.max(1)
    }

    fn answer(&self, path: &str, _body: &[u8]) -> (String, Cow<'_, [u8]>) {
        ("Content-Type: application/json;charset=UTF-8\r\n".to_owned(), self.body(path))
    }
}

fn account(out: &mut String, number: u64) {
    let dice = |face: u64| mixed(number.wrapping_mul(64).wrapping_add(face));
    let one_of = |face: u64, words: &[&'static str]| words[(dice(face) % words.len() as u64) as usize];
    let instant = |face: u64| {
        let at = dice(face);
        format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}+09:00",
            1 + at % 9,
            1 + (at >> 8) % 28,
            (at >> 16) % 24,
            (at >> 24) % 60,
            (at >> 32) % 60
        )
    };
    let user = |face: u64| {
        let id = 4_150_868_000_000_225_013 + dice(face) % 9;
        format!("{{\"name\":\"佐藤 美咲\",\"id\":\"{id}\",\"email\":\"u{id}@example.jp\"}}")
    };
    let trade = one_of(1, &["精密機械", "食品", "物流", "システム", "建設", "商事"]);
    let place = one_of(2, &["青葉", "みなと", "中央", "北斗", "若葉", "東"]);
    let _ = write!(
        out,
        "{{\"id\":\"{}\",\"Created_Time\":\"2024-04-01T09:00:00+09:00\",\"Modified_Time\":\"{}\",\"Owner\":{},\"Created_By\":{},\
         \"Modified_By\":{},\"Account_Name\":\"株式会社{place}{trade}{number}\",\"Account_Number\":\"{number}\",\
         \"Account_Type\":\"{}\",\"Phone\":\"03-{:04}-{:04}\",\"Fax\":null,\"Website\":\"https://www.{:x}.example.jp/\",\
         \"Industry\":\"{trade}\",\"Annual_Revenue\":{},\"Employees\":{},\"Billing_Code\":\"{:03}-{:04}\",\
         \"Billing_State\":\"{}\",\"Billing_City\":\"{place}区\",\"Billing_Street\":\"{place}{}丁目{}番{}号\",\
         \"Parent_Account\":null,\"Customer_Code\":\"C{number:08}\",\"Corporate_Number\":\"{:013}\",\"Plan\":\"{}\",\
         \"Phase\":\"{}\",\"MRR\":{},\"Seats\":{},\"Renewal_Date\":\"2027-{:02}-01\",\"NPS\":{},\
         \"CS_Note\":\"要望{}件、うち対応済み{}件。\",\"Last_Review\":\"{}\"}}",
        4_150_868_000_001_000_000 + number,
        instant(3),
        user(4),
        user(5),
        user(6),
        one_of(7, &["顧客", "見込み", "パートナー"]),
        dice(8) % 10_000,
        dice(9) % 10_000,
        dice(10) % 0xffff_ffff,
        dice(11) % 900_000_000,
        dice(12) % 5_000,
        dice(13) % 1_000,
        dice(14) % 10_000,
        one_of(15, &["東京都", "大阪府", "愛知県", "福岡県"]),
        1 + dice(16) % 9,
        1 + dice(17) % 30,
        1 + dice(18) % 20,
        dice(19) % 10_000_000_000_000,
        one_of(20, &["スターター", "スタンダード", "プレミアム"]),
        one_of(21, &["導入", "利用", "拡大"]),
        (1 + dice(22) % 90) * 10_000,
        1 + dice(23) % 500,
        1 + dice(24) % 12,
        dice(25) % 11,
        dice(26) % 40,
        dice(27) % 20,
        instant(28),
    );
}
