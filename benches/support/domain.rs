//! A kintone-like domain with one app of customers, its answers rendered beforehand.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::prepared::{Prepared, mixed};

/// Records on a page: the most that kintone gives.
const PAGE_RECORDS: usize = 500;

/// Code and type of the fields beside those that every app has.
const FIELDS: [(&str, &str); 24] = [
    ("会社名", "SINGLE_LINE_TEXT"),
    ("会社名カナ", "SINGLE_LINE_TEXT"),
    ("法人番号", "SINGLE_LINE_TEXT"),
    ("顧客コード", "SINGLE_LINE_TEXT"),
    ("郵便番号", "SINGLE_LINE_TEXT"),
    ("住所", "SINGLE_LINE_TEXT"),
    ("電話番号", "LINK"),
    ("サイト", "LINK"),
    ("業種", "DROP_DOWN"),
    ("プラン", "RADIO_BUTTON"),
    ("ステージ", "DROP_DOWN"),
    ("月額", "NUMBER"),
    ("契約数", "NUMBER"),
    ("従業員数", "NUMBER"),
    ("年商", "NUMBER"),
    ("契約日", "DATE"),
    ("更新日", "DATE"),
    ("最終訪問", "DATETIME"),
    ("担当", "USER_SELECT"),
    ("オプション", "CHECK_BOX"),
    ("備考", "MULTI_LINE_TEXT"),
    ("満足度", "NUMBER"),
    ("紹介元", "SINGLE_LINE_TEXT"),
    ("請求先", "SINGLE_LINE_TEXT"),
];

/// Code and type of those that every app has.
const OWN: [(&str, &str); 5] = [
    ("レコード番号", "RECORD_NUMBER"),
    ("作成者", "CREATOR"),
    ("作成日時", "CREATED_TIME"),
    ("更新者", "MODIFIER"),
    ("更新日時", "UPDATED_TIME"),
];

/// The answers of a domain, ready to be sent.
pub(crate) struct Domain {
    form: String,
    records: usize,
    pages: Vec<Vec<u8>>,
}

impl Domain {
    /// Renders the pages of `records` customers.
    pub(crate) fn render(records: usize) -> Domain {
        let page = |first: usize| {
            let rows: Vec<String> =
                (first..(first + PAGE_RECORDS).min(records)).map(|row| record(row as u64)).collect();
            format!("{{\"records\":[{}],\"totalCount\":\"{records}\"}}", rows.join(",")).into_bytes()
        };
        Domain { form: form(), records, pages: (0..records).step_by(PAGE_RECORDS).map(page).collect() }
    }
}

impl Prepared for Domain {
    fn record_bytes(&self) -> usize {
        self.pages.iter().map(Vec::len).sum::<usize>() / self.records.max(1)
    }

    fn answer(&self, path: &str, body: &[u8]) -> (String, Cow<'_, [u8]>) {
        let headers = "Content-Type: application/json;charset=UTF-8\r\n".to_owned();
        let answer: Cow<'_, [u8]> = if path.contains("form/fields.json") {
            self.form.as_bytes().into()
        } else {
            let asked = String::from_utf8_lossy(body);
            let after = asked.split_once("$id > ").map_or("", |(_, rest)| rest);
            let after: usize = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse().unwrap_or(0);
            // Ids are the numbers from 1 on.
            self.pages
                .get(after / PAGE_RECORDS)
                .map_or(b"{\"records\":[],\"totalCount\":null}".as_slice(), Vec::as_slice)
                .into()
        };
        (headers, answer)
    }
}

fn form() -> String {
    let field = |(code, kind): &(&str, &str)| {
        let options = match *kind {
            "DROP_DOWN" | "RADIO_BUTTON" | "CHECK_BOX" => ",\"options\":{\"A\":{\"label\":\"A\",\"index\":\"0\"}}",
            _ => "",
        };
        format!("\"{code}\":{{\"type\":\"{kind}\",\"code\":\"{code}\",\"label\":\"{code}\"{options}}}")
    };
    let fields: Vec<String> = OWN.iter().chain(&FIELDS).map(field).collect();
    format!("{{\"properties\":{{{}}},\"revision\":\"7\"}}", fields.join(","))
}

fn record(number: u64) -> String {
    let dice = |face: u64| mixed(number.wrapping_mul(64).wrapping_add(face));
    let one_of = |face: u64, words: &[&'static str]| words[(dice(face) % words.len() as u64) as usize];
    let id = number + 1;
    let trade = one_of(1, &["精密機械", "食品", "物流", "システム", "建設", "商事", "化学", "印刷"]);
    let place = one_of(2, &["青葉", "みなと", "中央", "北斗", "若葉", "富士見", "朝日", "東"]);
    let day = |face: u64| format!("2026-{:02}-{:02}", 1 + dice(face) % 9, 1 + (dice(face) >> 8) % 28);
    let person = format!("{{\"code\":\"user{}\",\"name\":\"{}\"}}", dice(3) % 40, one_of(4, &["佐藤", "鈴木", "高橋"]));
    let mut out = format!(
        "{{\"$id\":{{\"type\":\"__ID__\",\"value\":\"{id}\"}},\"$revision\":{{\"type\":\"__REVISION__\",\"value\":\"{}\"}},\
         \"レコード番号\":{{\"type\":\"RECORD_NUMBER\",\"value\":\"{id}\"}},\
         \"作成者\":{{\"type\":\"CREATOR\",\"value\":{person}}},\"更新者\":{{\"type\":\"MODIFIER\",\"value\":{person}}},\
         \"作成日時\":{{\"type\":\"CREATED_TIME\",\"value\":\"2024-04-01T00:00:00Z\"}},\
         \"更新日時\":{{\"type\":\"UPDATED_TIME\",\"value\":\"{}T03:15:00Z\"}}",
        1 + dice(5) % 9,
        day(6),
    );
    for (face, (code, kind)) in FIELDS.iter().enumerate() {
        let face = 10 + face as u64;
        let value = match (*kind, *code) {
            ("NUMBER", _) => format!("\"{}\"", dice(face) % 9_000_000),
            ("DATE", _) => format!("\"{}\"", day(face)),
            ("DATETIME", _) => format!("\"{}T01:30:00Z\"", day(face)),
            ("USER_SELECT", _) => format!("[{person}]"),
            ("CHECK_BOX", _) => "[\"A\"]".to_owned(),
            ("DROP_DOWN" | "RADIO_BUTTON", _) => format!("\"{}\"", one_of(face, &["製造", "小売", "物流", "公共"])),
            ("LINK", _) => format!("\"https://www.{:x}.example.co.jp/\"", dice(face) % 0xffff_ffff),
            ("MULTI_LINE_TEXT", _) => {
                format!("\"導入担当は{}。更新は毎年{}月。\\n要望{}件\"", trade, 1 + dice(face) % 12, dice(face) % 40)
            }
            (_, "会社名") => format!("\"株式会社{place}{trade}{number}\""),
            _ => format!("\"{place}{trade}{}\"", dice(face) % 10_000),
        };
        let _ = write!(out, ",\"{code}\":{{\"type\":\"{kind}\",\"value\":{value}}}");
    }
    out + "}"
}
