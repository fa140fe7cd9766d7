//! Companies: customers, prospects and partners.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::population::Population;
use crate::hubspot::property::{Origin, Property, PropertyType, Sensitivity};
use crate::hubspot::time::{DAY, date, iso};
use crate::words::{LEGAL, NOTES, PLACES, STEMS, TRADES, corporate_number};

pub(super) fn kind() -> ObjectKind {
    ObjectKind {
        type_id: "0-2",
        name: "companies",
        singular: "company",
        labels: ("会社", "会社"),
        full_name: None,
        scope: "crm.objects.companies.read",
        schema_scope: "crm.schemas.companies.read",
        created: "createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id"],
        display: "name",
        read_only: false,
    }
}

const INDUSTRIES: [(&str, &str); 9] = [
    ("COMPUTER_SOFTWARE", "情報通信"),
    ("MACHINERY", "製造"),
    ("HOSPITAL_HEALTH_CARE", "医療・福祉"),
    ("FOOD_BEVERAGES", "食品"),
    ("WHOLESALE", "卸売・小売"),
    ("LOGISTICS_AND_SUPPLY_CHAIN", "運輸・物流"),
    ("CONSTRUCTION", "建設・不動産"),
    ("FINANCIAL_SERVICES", "金融・保険"),
    ("EDUCATION_MANAGEMENT", "教育"),
];

const STAGES: [(&str, &str); 5] =
    [("lead", "リード"), ("opportunity", "商談中"), ("customer", "顧客"), ("other", "その他"), ("135792468", "解約済")];

const PLANS: [(&str, &str); 4] =
    [("light", "ライト"), ("standard", "スタンダード"), ("pro", "プロ"), ("enterprise", "エンタープライズ")];

const SERVICES: [(&str, &str); 4] =
    [("crm", "顧客管理"), ("analytics", "分析"), ("support", "国内サポート"), ("training", "研修")];

/// The name of the company with that id.
pub(super) fn name(p: &Population, id: u64) -> String {
    let (form, is_first) = p.word(id, 40, &LEGAL);
    let stem = p.word(id, 41, &STEMS);
    let (trade, _) = p.word(id, 42, &TRADES);
    if is_first { format!("{form}{stem}{trade}") } else { format!("{stem}{trade}{form}") }
}

/// Some of the values, divided by semicolons.
fn several(p: &Population, id: u64, what: u64, of: &[(&str, &str)]) -> Option<String> {
    let bits = p.pick(id, what, 1 << of.len());
    let chosen: Vec<&str> =
        (0..).zip(of).filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, (value, _))| *value).collect();
    (!chosen.is_empty()).then(|| chosen.join(";"))
}

fn mrr(p: &Population, id: u64) -> u64 {
    (3 + p.pick(id, 51, 97)) * 10_000
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::text("name", "会社名").made(|p, id| Some(name(p, id))),
        Property::text("domain", "会社ドメイン名")
            .made(|p, id| Some(format!("c{id}-{:04x}.example.jp", p.pick(id, 43, 65_536)))),
        Property::text("website", "ウェブサイトURL")
            .made(|p, id| (!p.chance(id, 44, 6)).then(|| format!("https://www.c{id}.example.jp/?a=1&b=%E5%B9%B4"))),
        Property::text("phone", "電話番号").entered_as("phonenumber").made(|p, id| {
            let (.., area) = p.word(id, 45, &PLACES);
            Some(format!("{area}-{:04}-{:04}", p.pick(id, 46, 10_000), p.pick(id, 47, 10_000)))
        }),
        Property::of("support_phone", "サポート窓口の電話", PropertyType::PhoneNumber).custom(),
        Property::text("zip", "郵便番号").made(|p, id| {
            let (.., code, _) = p.word(id, 45, &PLACES);
            Some(format!("{code}{:02}", p.pick(id, 48, 100)))
        }),
        Property::text("state", "都道府県").made(|p, id| Some(p.word(id, 45, &PLACES).0.to_owned())),
        Property::text("city", "市区町村").made(|p, id| Some(p.word(id, 45, &PLACES).1.to_owned())),
        Property::choice("industry", "業種", &INDUSTRIES).made(|p, id| Some(p.word(id, 49, &INDUSTRIES).0.to_owned())),
        Property::choice("lifecyclestage", "ライフサイクルステージ", &STAGES)
            .entered_as("radio")
            .made(|p, id| Some(p.word(id, 50, &STAGES).0.to_owned())),
        Property::number("numberofemployees", "従業員数")
            .made(|p, id| (!p.chance(id, 52, 8)).then(|| (10 + p.pick(id, 53, 5_000)).to_string())),
        // As large as numbers get, and as HubSpot writes very large ones.
        Property::number("annualrevenue", "年間売上高").made(|p, id| match p.pick(id, 54, 12) {
            0 => None,
            1 => Some(format!("1E{}", 7 + p.pick(id, 55, 4))),
            2 => Some((100_000_000_000_000_000 + p.pick(id, 55, 900_000_000_000_000_000)).to_string()),
            _ => Some(format!("{}.5", p.pick(id, 55, 900_000_000))),
        }),
        Property::text("description", "会社概要")
            .entered_as("textarea")
            .made(|p, id| (!p.chance(id, 56, 3)).then(|| p.word(id, 57, &NOTES).to_owned())),
        Property::text("cs_memo", "CSメモ").entered_as("textarea").custom(),
        Property::text("cs_note", "面談メモ").entered_as("html").custom(),
        Property::text("customer_code", "顧客コード").unique().custom().made(|_, id| Some(format!("C-{id:07}"))),
        Property::text("corporate_number", "法人番号")
            .custom()
            .made(|p, id| (!p.chance(id, 58, 4)).then(|| corporate_number(p.pick(id, 59, 1_000_000_000_000)))),
        Property::choice("plan", "契約プラン", &PLANS).entered_as("radio").custom().made(|p, id| {
            match p.pick(id, 60, 20) {
                0 => None,
                // An option that was deleted since.
                1 => Some("trial_2021".to_owned()),
                _ => Some(p.word(id, 61, &PLANS).0.to_owned()),
            }
        }),
        Property::choice("services", "利用サービス", &SERVICES)
            .entered_as("checkbox")
            .custom()
            .made(|p, id| several(p, id, 62, &SERVICES)),
        Property::number("mrr", "月額").custom().made(|p, id| Some(mrr(p, id).to_string())).with_steps(|p, id| {
            let (first, last) = (mrr(p, id) / 2, mrr(p, id));
            vec![(p.created(id), first.to_string()), (p.day(id, 63).max(p.created(id) + 1), last.to_string())]
        }),
        Property::date("renewal_date", "契約更新日")
            .custom()
            .made(|p, id| (!p.chance(id, 64, 5)).then(|| date(p.day(id, 65) + 365 * DAY))),
        // Written by a program that did not know better, years ago.
        Property::date("first_contact_date", "初回接触日").custom().made(|p, id| Some(p.day(id, 66).to_string())),
        Property::number("legacy_account_ids", "旧システムの番号").custom().made(|p, id| match p.pick(id, 67, 3) {
            0 => Some(format!("{id};{}", id + 1)),
            1 => Some(id.to_string()),
            _ => None,
        }),
        Property::instant("last_review_at", "最終面談日時").custom().made(|p, id| match p.pick(id, 68, 4) {
            0 => None,
            1 => Some(p.day(id, 69).to_string()),
            2 => Some(iso(p.day(id, 69) + 3_723_000).replace(".000Z", "Z")),
            _ => Some(iso(p.day(id, 69) + 3_723_004)),
        }),
        Property::flag("is_key_account", "重要顧客").custom().made(|p, id| match p.pick(id, 70, 5) {
            0 => None,
            1 => Some("true".to_owned()),
            _ => Some("false".to_owned()),
        }),
        Property::number("health_score", "ヘルススコア")
            .calculated("calculation_score")
            .custom()
            .made(|p, id| Some(p.pick(id, 71, 101).to_string())),
        Property::of("usage_json", "利用状況", PropertyType::Json)
            .custom()
            .made(|p, id| p.chance(id, 72, 4).then(|| format!("{{\"logins\":{}}}", p.pick(id, 73, 900)))),
        Property::text("bank_account", "振込口座")
            .custom()
            .sensitive(Sensitivity::Sensitive)
            .made(|p, id| Some(format!("{:07}", p.pick(id, 74, 10_000_000)))),
        Property::number("num_associated_contacts", "関連するコンタクトの数")
            .calculated("calculation_rollup")
            .from(Origin::Count("contacts")),
        Property::number("num_associated_deals", "関連する取引の数")
            .calculated("calculation_rollup")
            .from(Origin::Count("deals")),
    ]
}
