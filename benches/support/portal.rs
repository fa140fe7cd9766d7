//! A HubSpot-like portal whose pages of contacts were rendered before the clock starts: 27 properties, about 780 bytes a
//! record, pages of 100, as what other tools were measured on. It shares nothing with the connectors.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::prepared::{Prepared, mixed};

/// Records on a page, as HubSpot sends them.
const PAGE_RECORDS: usize = 100;

/// Name and type of the properties of a contact.
const PROPERTIES: [(&str, &str); 27] = [
    ("hs_object_id", "number"),
    ("lastmodifieddate", "datetime"),
    ("createdate", "datetime"),
    ("email", "string"),
    ("firstname", "string"),
    ("lastname", "string"),
    ("company", "string"),
    ("jobtitle", "string"),
    ("phone", "string"),
    ("mobilephone", "string"),
    ("lifecyclestage", "enumeration"),
    ("hs_lead_status", "enumeration"),
    ("hubspot_owner_id", "enumeration"),
    ("associatedcompanyid", "number"),
    ("city", "string"),
    ("state", "string"),
    ("zip", "string"),
    ("country", "string"),
    ("website", "string"),
    ("industry", "string"),
    ("annualrevenue", "number"),
    ("numemployees", "number"),
    ("plan", "enumeration"),
    ("mrr", "number"),
    ("renewal_date", "date"),
    ("nps", "number"),
    ("cs_note", "string"),
];

/// The answers of a portal, ready to be sent.
pub(crate) struct Portal {
    records: usize,
    properties: String,
    pages: Vec<Vec<u8>>,
}

impl Portal {
    /// Renders the pages of `records` contacts.
    pub(crate) fn render(records: usize) -> Portal {
        let described: Vec<String> = PROPERTIES
            .iter()
            .map(|(name, kind)| {
                format!("{{\"name\":\"{name}\",\"label\":\"{name}\",\"type\":\"{kind}\",\"options\":[]}}")
            })
            .collect();
        let page = |first: usize| {
            let end = (first + PAGE_RECORDS).min(records);
            let mut page = "{\"results\":[".to_owned();
            for number in first..end {
                if number > first {
                    page.push(',');
                }
                contact(&mut page, number as u64);
            }
            page.push(']');
            if end < records {
                let _ = write!(
                    page,
                    ",\"paging\":{{\"next\":{{\"after\":\"{end}\",\"link\":\"https://api.hubapi.com/\"}}}}"
                );
            }
            page.push('}');
            page.into_bytes()
        };
        Portal {
            records,
            properties: format!("{{\"results\":[{}]}}", described.join(",")),
            pages: (0..records).step_by(PAGE_RECORDS).map(page).collect(),
        }
    }

    fn body(&self, path: &str) -> Cow<'_, [u8]> {
        let text = |text: String| Cow::Owned(text.into_bytes());
        if path.starts_with("/account-info/") {
            text(
                "{\"portalId\":7,\"accountType\":\"STANDARD\",\"timeZone\":\"Asia/Tokyo\",\"companyCurrency\":\"JPY\"}"
                    .into(),
            )
        } else if path.starts_with("/crm/properties/") {
            self.properties.as_bytes().into()
        } else if path.contains("/search") {
            text(format!("{{\"total\":{},\"results\":[]}}", self.records))
        } else if path.contains("archived=true") {
            text("{\"results\":[]}".into())
        } else {
            let after = path.split_once("after=").map_or(0, |(_, after)| after.parse().unwrap_or(usize::MAX));
            self.pages.get(after / PAGE_RECORDS).map_or(b"{}".as_slice(), Vec::as_slice).into()
        }
    }
}

impl Prepared for Portal {
    fn record_bytes(&self) -> usize {
        self.pages.iter().map(Vec::len).sum::<usize>() / self.records.max(1)
    }

    fn answer(&self, path: &str, _body: &[u8]) -> (String, Cow<'_, [u8]>) {
        let headers = "Content-Type: application/json;charset=utf-8\r\nX-HubSpot-RateLimit-Daily: 1000000\r\n\
                       X-HubSpot-RateLimit-Daily-Remaining: 999000\r\n";
        (headers.to_owned(), self.body(path))
    }
}

fn contact(out: &mut String, number: u64) {
    let dice = |face: u64| mixed(number.wrapping_mul(64).wrapping_add(face));
    let one_of = |face: u64, words: &[&'static str]| words[(dice(face) % words.len() as u64) as usize];
    let id = number + 1;
    let modified = format!(
        "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        1 + dice(1) % 9,
        1 + dice(2) % 28,
        dice(3) % 24,
        dice(4) % 60,
        dice(5) % 60,
        dice(6) % 1_000
    );
    let created = format!("2024-{:02}-{:02}T01:02:03.004Z", 1 + dice(7) % 12, 1 + dice(8) % 28);
    let trade = one_of(9, &["精密", "食品", "物流", "商事", "化学", "印刷"]);
    let _ = write!(
        out,
        "{{\"id\":\"{id}\",\"properties\":{{\"annualrevenue\":\"{}\",\"associatedcompanyid\":\"{}\",\"city\":\"{}\",\
         \"company\":\"株式会社{trade}{}\",\"country\":\"日本\",\"createdate\":\"{created}\",\"cs_note\":\"{}\",\
         \"email\":\"u{id}@example.jp\",\"firstname\":\"{}\",\"hs_lead_status\":null,\"hs_object_id\":\"{id}\",\
         \"hubspot_owner_id\":\"{}\",\"industry\":\"{trade}\",\"jobtitle\":\"{}\",\"lastmodifieddate\":\"{modified}\",\
         \"lastname\":\"{}\",\"lifecyclestage\":\"customer\",\"mobilephone\":null,\"mrr\":\"{}\",\"nps\":\"{}\",\
         \"numemployees\":\"{}\",\"phone\":\"03-{:04}-{:04}\",\"plan\":\"{}\",\"renewal_date\":\"2027-{:02}-01\",\
         \"state\":\"{}\",\"website\":null,\"zip\":\"{:03}-{:04}\"}},\"createdAt\":\"{created}\",\"updatedAt\":\"{modified}\",\
         \"archived\":false,\"url\":\"https://app.hubspot.com/contacts/7/record/0-1/{id}\"}}",
        dice(10) % 900_000_000,
        dice(11) % 20_000,
        one_of(12, &["中央区", "青葉区", "北区", "港区"]),
        dice(13) % 9_000,
        one_of(14, &["要望あり。次回面談で確認", "更新は問題なし", "管理者の交代あり"]),
        one_of(15, &["美咲", "健一", "葵", "翔太"]),
        41_629_779 + dice(16) % 9,
        one_of(17, &["部長", "課長", "主任"]),
        one_of(18, &["佐藤", "鈴木", "髙橋", "田中"]),
        (1 + dice(19) % 90) * 10_000,
        dice(20) % 11,
        1 + dice(21) % 5_000,
        dice(22) % 10_000,
        dice(23) % 10_000,
        one_of(24, &["light", "standard", "pro"]),
        1 + dice(25) % 12,
        one_of(26, &["東京都", "大阪府", "愛知県", "福岡県"]),
        dice(27) % 1_000,
        dice(28) % 10_000,
    );
}
