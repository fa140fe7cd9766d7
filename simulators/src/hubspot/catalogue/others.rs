//! Answers to surveys, and the custom object 利用環境.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::property::Property;
use crate::hubspot::time::{date, iso};
use crate::words::NOTES;

pub(super) fn feedback() -> ObjectKind {
    ObjectKind {
        type_id: "0-19",
        name: "feedback_submissions",
        singular: "feedback_submission",
        labels: ("フィードバックの送信", "フィードバックの送信"),
        full_name: None,
        scope: "crm.objects.feedback_submissions.read",
        schema_scope: "crm.objects.feedback_submissions.read",
        created: "hs_createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        display: "hs_survey_name",
        read_only: true,
    }
}

pub(super) fn feedback_properties() -> Vec<Property> {
    vec![
        Property::choice("hs_survey_type", "種類", &[("NPS", "NPS"), ("CSAT", "CSAT")])
            .made(|p, id| Some(p.word(id, 40, &["NPS", "CSAT"]).to_owned())),
        Property::text("hs_survey_name", "名前").made(|_, _| Some("半期アンケート".to_owned())),
        Property::number("hs_value", "評価").made(|p, id| Some(p.pick(id, 41, 11).to_string())),
        Property::text("hs_content", "自由記述")
            .entered_as("textarea")
            .made(|p, id| p.chance(id, 42, 2).then(|| p.word(id, 43, &NOTES).to_owned())),
        Property::choice(
            "hs_sentiment",
            "気持ち",
            &[("Promoter", "推奨者"), ("Passive", "中立者"), ("Detractor", "批判者")],
        )
        .made(|p, id| {
            let sentiment = match p.pick(id, 41, 11) {
                9.. => "Promoter",
                7..=8 => "Passive",
                _ => "Detractor",
            };
            Some(sentiment.to_owned())
        }),
        Property::instant("hs_submission_timestamp", "回答日時").made(|p, id| Some(iso(p.created(id)))),
    ]
}

pub(super) fn environments(portal: u64) -> ObjectKind {
    ObjectKind {
        type_id: "2-4471823",
        name: "environments",
        singular: "environment",
        labels: ("利用環境", "利用環境"),
        full_name: Some(format!("p{portal}_environments")),
        scope: "crm.objects.custom.read",
        schema_scope: "crm.schemas.custom.read",
        created: "hs_createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        display: "tenant_name",
        read_only: false,
    }
}

pub(super) fn environment_properties() -> Vec<Property> {
    vec![
        Property::text("tenant_name", "テナント名").custom().made(|_, id| Some(format!("tenant-{id:05}"))),
        Property::choice("region", "リージョン", &[("tokyo", "東京"), ("osaka", "大阪")])
            .custom()
            .made(|p, id| Some(p.word(id, 40, &["tokyo", "osaka"]).to_owned())),
        Property::number("active_users", "利用者数").custom().made(|p, id| Some(p.pick(id, 41, 900).to_string())),
        Property::date("started_on", "利用開始日").custom().made(|p, id| Some(date(p.day(id, 42)))),
        Property::text("memo", "備考").entered_as("textarea").custom(),
    ]
}
