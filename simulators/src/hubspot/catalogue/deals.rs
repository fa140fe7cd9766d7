//! Deals: new business, renewals and upsells, in two pipelines.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::pipeline::{Pipeline, Stage};
use crate::hubspot::population::Population;
use crate::hubspot::property::{Origin, Property, StageFact};
use crate::hubspot::time::{DAY, iso};
use crate::words::{STEMS, TRADES};

pub(super) fn kind() -> ObjectKind {
    ObjectKind {
        type_id: "0-3",
        name: "deals",
        singular: "deal",
        labels: ("取引", "取引"),
        full_name: None,
        scope: "crm.objects.deals.read",
        schema_scope: "crm.schemas.deals.read",
        created: "createdate",
        modified: "hs_lastmodifieddate",
        defaults: &[
            "dealname",
            "amount",
            "closedate",
            "pipeline",
            "dealstage",
            "createdate",
            "hs_lastmodifieddate",
            "hs_object_id",
        ],
        display: "dealname",
        read_only: false,
    }
}

/// Id, label, probability. What is over ends with 0 or 1.
const SALES: [(&str, &str, &str); 6] = [
    ("appointmentscheduled", "初回商談", "0.2"),
    ("qualifiedtobuy", "提案", "0.4"),
    ("decisionmakerboughtin", "決裁者合意", "0.8"),
    ("contractsent", "契約書送付", "0.9"),
    ("closedwon", "受注", "1.0"),
    ("closedlost", "失注", "0.0"),
];
const RENEWAL: [(&str, &str, &str); 4] = [
    ("98301", "更新予定", "0.5"),
    ("98302", "更新交渉中", "0.7"),
    ("98303", "更新済", "1.0"),
    ("98304", "解約", "0.0"),
];
const RENEWAL_PIPELINE: &str = "7654321";

fn stages(of: &[(&str, &str, &str)], created: i64) -> Vec<Stage> {
    let stage = |&(id, label, probability): &(&str, &str, &str)| Stage {
        id: id.to_owned(),
        label: label.to_owned(),
        metadata: vec![
            ("isClosed", matches!(probability, "1.0" | "0.0").to_string()),
            ("probability", probability.to_owned()),
        ],
        archived: false,
        created,
        updated: created,
    };
    of.iter().map(stage).collect()
}

pub(super) fn pipelines() -> Vec<Pipeline> {
    let pipeline = |id: &str, label: &str, stages: Vec<Stage>, created: i64| Pipeline {
        id: id.to_owned(),
        label: label.to_owned(),
        stages,
        archived: false,
        created,
        updated: created,
        changes: Vec::new(),
    };
    let later = 1_704_067_200_000;
    vec![
        pipeline("default", "新規商談", stages(&SALES, 0), 0),
        pipeline(RENEWAL_PIPELINE, "契約更新", stages(&RENEWAL, later), later),
    ]
}

fn is_renewal(p: &Population, id: u64) -> bool {
    p.chance(id, 40, 3)
}

/// The stages that the deal went through, the last is where it is.
fn path(p: &Population, id: u64) -> Vec<&'static str> {
    let all = if is_renewal(p, id) { &RENEWAL[..] } else { &SALES[..] };
    let end = p.pick(id, 41, all.len() as u64) as usize;
    let open = all.len() - 2;
    let mut path: Vec<&str> = all[..open.min(end + 1)].iter().map(|stage| stage.0).collect();
    if end >= open {
        path.push(all[end].0);
    }
    path
}

fn steps(p: &Population, id: u64) -> Vec<(i64, String)> {
    let (path, created) = (path(p, id), p.created(id));
    let span = p.modified(id) - created;
    let count = path.len() as i64;
    (0..).zip(path).map(|(nth, stage)| (created + span / count * nth, stage.to_owned())).collect()
}

fn amount(p: &Population, id: u64) -> Option<String> {
    match p.pick(id, 42, 10) {
        0 => None,
        1 => Some(format!("{}.25", 1 + p.pick(id, 43, 90_000))),
        _ => Some(((5 + p.pick(id, 43, 500)) * 10_000).to_string()),
    }
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::text("dealname", "取引名").made(|p, id| {
            let kind = if is_renewal(p, id) { "契約更新" } else { "新規導入" };
            Some(format!("{}{} {kind}", p.word(id, 44, &STEMS), p.word(id, 45, &TRADES).0))
        }),
        Property::number("amount", "金額").made(amount),
        Property::number("amount_in_home_currency", "会社の通貨での金額")
            .calculated("calculation_equation")
            .from(Origin::Copy("amount")),
        Property::choice("deal_currency_code", "通貨", &[("JPY", "日本円"), ("USD", "米ドル")])
            .made(|p, id| Some(if p.chance(id, 46, 8) { "USD" } else { "JPY" }.to_owned())),
        Property::choice("pipeline", "パイプライン", &[("default", "新規商談"), (RENEWAL_PIPELINE, "契約更新")])
            .made(|p, id| Some(if is_renewal(p, id) { RENEWAL_PIPELINE } else { "default" }.to_owned())),
        Property::choice("dealstage", "取引ステージ", &[])
            .entered_as("radio")
            .made(|p, id| path(p, id).last().map(|stage| (*stage).to_owned()))
            .with_steps(steps),
        Property::instant("closedate", "完了予定日").made(|p, id| Some(iso(p.day(id, 47) + 30 * DAY + 53_999_999))),
        Property::choice("dealtype", "取引タイプ", &[("newbusiness", "新規"), ("existingbusiness", "既存")])
            .entered_as("radio")
            .made(|p, id| Some(if is_renewal(p, id) { "existingbusiness" } else { "newbusiness" }.to_owned())),
        Property::choice(
            "renewal_type",
            "更新区分",
            &[("renewal", "サブスク更新"), ("upsell", "アップセル"), ("downsell", "ダウンセル")],
        )
        .custom()
        .made(|p, id| is_renewal(p, id).then(|| p.word(id, 48, &["renewal", "upsell", "downsell"]).to_owned())),
        Property::number("hs_primary_associated_company", "主たる会社")
            .calculated("calculation_equation")
            .from(Origin::Primary("companies")),
        Property::number("hs_mrr", "MRR")
            .read_only()
            .made(|p, id| Some(((1 + p.pick(id, 49, 40)) * 10_000).to_string())),
        Property::number("hs_arr", "ARR")
            .read_only()
            .made(|p, id| Some(((1 + p.pick(id, 49, 40)) * 120_000).to_string())),
        Property::text("hs_closed_lost_reason", "失注理由").entered_as("textarea"),
        Property::text("memo", "メモ").entered_as("textarea").custom(),
        Property::flag("hs_is_closed", "完了済み")
            .calculated("calculation_equation")
            .from(Origin::OfStage(StageFact::Closed)),
        Property::flag("hs_is_closed_won", "成約")
            .calculated("calculation_equation")
            .from(Origin::OfStage(StageFact::Won)),
        Property::flag("hs_is_closed_lost", "不成約")
            .calculated("calculation_equation")
            .from(Origin::OfStage(StageFact::Lost)),
        Property::number("hs_deal_stage_probability", "受注確度")
            .calculated("calculation_equation")
            .from(Origin::OfStage(StageFact::Probability)),
    ]
}
