//! A Salesforce-like org whose answers were rendered before the clock starts, so that what is measured is the
//! client. It shares nothing with the connectors: a token, a description, and pages that lie ready as bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::prepared::{Prepared, mixed};

/// Records on a page, as Salesforce sends them.
const PAGE_RECORDS: usize = 2_000;

/// Records on a page of a bulk job's result.
const RESULT_RECORDS: usize = 16_000;

/// Name, type, and whether it may be null, of the 30 fields of an account.
const FIELDS: [(&str, &str, bool); 30] = [
    ("Id", "id", false),
    ("IsDeleted", "boolean", false),
    ("MasterRecordId", "reference", true),
    ("Name", "string", false),
    ("Type", "picklist", true),
    ("ParentId", "reference", true),
    ("BillingStreet", "textarea", true),
    ("BillingCity", "string", true),
    ("BillingState", "string", true),
    ("BillingPostalCode", "string", true),
    ("BillingCountry", "string", true),
    ("Phone", "phone", true),
    ("Website", "url", true),
    ("Industry", "picklist", true),
    ("AnnualRevenue", "currency", true),
    ("NumberOfEmployees", "int", true),
    ("Description", "textarea", true),
    ("OwnerId", "reference", false),
    ("CreatedDate", "datetime", false),
    ("CreatedById", "reference", false),
    ("LastModifiedDate", "datetime", false),
    ("LastModifiedById", "reference", false),
    ("SystemModstamp", "datetime", false),
    ("CustomerCode__c", "string", true),
    ("CorporateNumber__c", "string", true),
    ("Plan__c", "picklist", true),
    ("Stage__c", "picklist", true),
    ("MRR__c", "currency", true),
    ("ContractedUsers__c", "double", true),
    ("RenewalDate__c", "date", true),
];

/// The answers of an org, ready to be sent.
pub(crate) struct Org {
    port: u16,
    describe: String,
    records: usize,
    by_job: bool,
    pages: Vec<Vec<u8>>,
    /// The pages of a bulk job's result, each with its number of records.
    results: Vec<(Vec<u8>, usize)>,
}

impl Org {
    /// Renders the pages of `records` accounts, to be served on `port`, to be read by REST or by a bulk job.
    pub(crate) fn render(records: usize, port: u16, by_job: bool) -> Org {
        let mut pages = Vec::with_capacity(records.div_ceil(PAGE_RECORDS));
        let mut first = 0;
        while first < records {
            let end = (first + PAGE_RECORDS).min(records);
            let mut page = format!("{{\"totalSize\":{records},\"done\":{}", end == records);
            if end < records {
                let _ = write!(page, ",\"nextRecordsUrl\":\"/services/data/v66.0/query/01gBENCH-{end}\"");
            }
            page.push_str(",\"records\":[");
            for number in first..end {
                if number > first {
                    page.push(',');
                }
                account(&mut page, number as u64);
            }
            page.push_str("]}");
            pages.push(page.into_bytes());
            first = end;
        }
        let starts = (0..if by_job { records } else { 0 }).step_by(RESULT_RECORDS);
        let results = starts.map(|first| result(first, (first + RESULT_RECORDS).min(records))).collect();
        Org { port, describe: describe(), records, by_job, pages, results }
    }

    /// A page of a bulk job's result, and the headers that say what it is.
    fn result(&self, query: &str) -> (String, Cow<'_, [u8]>) {
        let at = query.split_once("locator=").map_or(0, |(_, at)| at.parse().unwrap_or(usize::MAX));
        let Some((page, rows)) = self.results.get(at) else { return (String::new(), b"".into()) };
        let next = if at + 1 < self.results.len() { (at + 1).to_string() } else { "null".to_owned() };
        (format!("Sforce-NumberOfRecords: {rows}\r\nSforce-Locator: {next}\r\n"), page.as_slice().into())
    }

    fn body(&self, path: &str) -> Cow<'_, [u8]> {
        let text = |text: String| Cow::Owned(text.into_bytes());
        if path.starts_with("/services/oauth2/token") {
            let base = format!("http://127.0.0.1:{}", self.port);
            text(format!(
                "{{\"access_token\":\"bench\",\"instance_url\":\"{base}\",\"token_type\":\"Bearer\",\
                 \"id\":\"{base}/id/00DBENCH0000000EAA/005BENCH0000000AAA\"}}"
            ))
        } else if path.contains("/jobs/query") {
            let records = self.records;
            text(format!("{{\"id\":\"750BENCH\",\"state\":\"JobComplete\",\"numberRecordsProcessed\":{records}}}"))
        } else if path.ends_with("/describe") {
            self.describe.as_bytes().into()
        } else if path.contains("/queryAll?") {
            self.pages[0].as_slice().into()
        } else if let Some((_, place)) = path.split_once("/query/01gBENCH-") {
            let first: usize = place.parse().unwrap_or(usize::MAX);
            self.pages.get(first / PAGE_RECORDS).map_or(b"[]".as_slice(), Vec::as_slice).into()
        } else {
            text("[{\"label\":\"Winter\",\"url\":\"/services/data/v66.0\",\"version\":\"66.0\"}]".into())
        }
    }
}

/// The accounts from `first` to before `end` as a page of CSV.
fn result(first: usize, end: usize) -> (Vec<u8>, usize) {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let mut page = line(FIELDS.iter().map(|(name, ..)| quoted(name)).collect());
    for number in first..end {
        let mut json = String::new();
        account(&mut json, number as u64);
        let record: serde_json::Value = serde_json::from_str(&json).expect("we rendered it");
        let cell = |name: &str| match &record[name] {
            serde_json::Value::Null => quoted(""),
            serde_json::Value::String(text) => quoted(&text.replace("+0000", "Z")),
            other => quoted(&other.to_string()),
        };
        page += &line(FIELDS.iter().map(|(name, ..)| cell(name)).collect());
    }
    (page.into_bytes(), end - first)
}

impl Prepared for Org {
    fn record_bytes(&self) -> usize {
        let bytes: usize = if self.by_job {
            self.results.iter().map(|(page, _)| page.len()).sum()
        } else {
            self.pages.iter().map(Vec::len).sum()
        };
        bytes / self.records.max(1)
    }

    fn answer(&self, path: &str, _body: &[u8]) -> (String, Cow<'_, [u8]>) {
        let headers = "Content-Type: application/json;charset=UTF-8\r\nSforce-Limit-Info: api-usage=18/1000000\r\n";
        let (more, body) = match path.split_once("/results?") {
            Some((_, query)) => self.result(query),
            None => (String::new(), self.body(path)),
        };
        (format!("{headers}{more}"), body)
    }
}

fn describe() -> String {
    let fields: Vec<String> = FIELDS
        .iter()
        .map(|(name, kind, nillable)| {
            format!(
                "{{\"name\":\"{name}\",\"label\":\"{name}\",\"type\":\"{kind}\",\"calculated\":false,\
                 \"calculatedFormula\":null,\"nillable\":{nillable},\"filterable\":true,\"sortable\":true,\
                 \"picklistValues\":[]}}"
            )
        })
        .collect();
    format!("{{\"name\":\"Account\",\"label\":\"取引先\",\"queryable\":true,\"fields\":[{}]}}", fields.join(","))
}

fn account(out: &mut String, number: u64) {
    let dice = |face: u64| mixed(number.wrapping_mul(64).wrapping_add(face));
    let one_of = |face: u64, words: &[&'static str]| words[(dice(face) % words.len() as u64) as usize];
    let id = format!("001BE{number:010}AAA");
    let instant = |face: u64| {
        let at = dice(face);
        format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.000+0000",
            1 + at % 9,
            1 + (at >> 8) % 28,
            (at >> 16) % 24,
            (at >> 24) % 60,
            (at >> 32) % 60
        )
    };
    let owner = format!("005BE{:010}AAA", dice(1) % 40);
    let modified = instant(2);
    let trade = one_of(3, &["精密機械", "食品", "物流", "システム", "建設", "商事", "化学", "印刷"]);
    let place = one_of(4, &["青葉", "みなと", "中央", "北斗", "若葉", "富士見", "朝日", "東"]);
    let _ = write!(
        out,
        "{{\"attributes\":{{\"type\":\"Account\",\"url\":\"/services/data/v66.0/sobjects/Account/{id}\"}},\
         \"Id\":\"{id}\",\"IsDeleted\":false,\"MasterRecordId\":null,\"Name\":\"株式会社{place}{trade}{number}\",\
         \"Type\":\"{}\",\"ParentId\":null,\"BillingStreet\":\"{place}{}丁目{}番{}号 第{}ビル\",\
         \"BillingCity\":\"{place}区\",\"BillingState\":\"{}\",\"BillingPostalCode\":\"{:03}-{:04}\",\
         \"BillingCountry\":\"日本\",\"Phone\":\"03-{:04}-{:04}\",\"Website\":\"https://www.{:x}.example.co.jp/\",\
         \"Industry\":\"{trade}\",\"AnnualRevenue\":{}.0E7,\"NumberOfEmployees\":{},\
         \"Description\":\"導入担当は{}。{}年に契約、更新は毎年{}月。要望{}件、うち対応済み{}件。\",\
         \"OwnerId\":\"{owner}\",\"CreatedDate\":\"2024-{:02}-{:02}T03:12:45.000+0000\",\"CreatedById\":\"{owner}\",\
         \"LastModifiedDate\":\"{modified}\",\"LastModifiedById\":\"{owner}\",\"SystemModstamp\":\"{modified}\",\
         \"CustomerCode__c\":\"C{number:08}\",\"CorporateNumber__c\":\"{:013}\",\"Plan__c\":\"{}\",\"Stage__c\":\"{}\",\
         \"MRR__c\":{}000.0,\"ContractedUsers__c\":{}.0,\"RenewalDate__c\":\"2027-{:02}-01\"}}",
        one_of(5, &["Customer", "Prospect", "Partner"]),
        1 + dice(6) % 9,
        1 + dice(7) % 30,
        1 + dice(8) % 20,
        1 + dice(9) % 5,
        one_of(10, &["東京都", "大阪府", "愛知県", "福岡県", "北海道", "宮城県"]),
        dice(11) % 1_000,
        dice(12) % 10_000,
        dice(13) % 10_000,
        dice(14) % 10_000,
        dice(15) % 0xffff_ffff,
        dice(16) % 9_000 + 1_000,
        dice(17) % 5_000,
        one_of(18, &["佐藤様", "鈴木様", "高橋様", "田中様", "伊藤様"]),
        2018 + dice(19) % 8,
        1 + dice(20) % 12,
        dice(21) % 40,
        dice(22) % 20,
        1 + dice(23) % 12,
        1 + dice(24) % 28,
        dice(25) % 10_000_000_000_000,
        one_of(26, &["スターター", "スタンダード", "プレミアム"]),
        one_of(27, &["導入", "利用", "拡大"]),
        10 + dice(28) % 900,
        1 + dice(29) % 500,
        1 + dice(30) % 12,
    );
}
