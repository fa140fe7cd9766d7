//! Tickets: what customers asked.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::pipeline::{Pipeline, Stage};
use crate::hubspot::property::Property;
use crate::hubspot::time::iso;
use crate::words::NOTES;

pub(super) fn kind() -> ObjectKind {
    ObjectKind {
        type_id: "0-5",
        name: "tickets",
        singular: "ticket",
        labels: ("チケット", "チケット"),
        full_name: None,
        scope: "tickets",
        schema_scope: "crm.schemas.tickets.read",
        created: "createdate",
        modified: "hs_lastmodifieddate",
        defaults: &[
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
            "subject",
            "createdate",
            "hs_lastmodifieddate",
            "hs_object_id",
        ],
        display: "subject",
        read_only: false,
    }
}

const STAGES: [(&str, &str, &str); 4] =
    [("1", "新規", "OPEN"), ("2", "お客様の返信待ち", "OPEN"), ("3", "対応中", "OPEN"), ("4", "完了", "CLOSED")];

const SUBJECTS: [&str; 6] = [
    "ログインできない",
    "請求書の宛名を変更したい",
    "CSV の取り込みが途中で止まる",
    "管理者を追加したい",
    "画面が遅い",
    "API の利用上限について",
];

pub(super) fn pipelines() -> Vec<Pipeline> {
    let stages = STAGES.iter().map(|(id, label, state)| Stage {
        id: (*id).to_owned(),
        label: (*label).to_owned(),
        metadata: vec![("isClosed", (*state == "CLOSED").to_string()), ("ticketState", (*state).to_owned())],
        archived: false,
        created: 0,
        updated: 0,
    });
    vec![Pipeline {
        id: "0".to_owned(),
        label: "サポート".to_owned(),
        stages: stages.collect(),
        archived: false,
        created: 0,
        updated: 0,
        changes: Vec::new(),
    }]
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::text("subject", "件名").made(|p, id| Some(p.word(id, 40, &SUBJECTS).to_owned())),
        Property::text("content", "内容").entered_as("textarea").made(|p, id| Some(p.word(id, 41, &NOTES).to_owned())),
        Property::choice("hs_pipeline", "パイプライン", &[("0", "サポート")]).made(|_, _| Some("0".to_owned())),
        Property::choice("hs_pipeline_stage", "ステータス", &[])
            .entered_as("radio")
            .made(|p, id| Some(p.word(id, 42, &STAGES).0.to_owned())),
        Property::choice("hs_ticket_category", "カテゴリ", &[("PRODUCT_ISSUE", "不具合"), ("BILLING_ISSUE", "請求")])
            .entered_as("checkbox")
            .made(|p, id| p.chance(id, 43, 2).then(|| "PRODUCT_ISSUE;BILLING_ISSUE".to_owned())),
        Property::choice("hs_ticket_priority", "優先度", &[("LOW", "低"), ("MEDIUM", "中"), ("HIGH", "高")])
            .made(|p, id| Some(p.word(id, 44, &["LOW", "MEDIUM", "HIGH"]).to_owned())),
        Property::instant("closed_date", "完了日")
            .made(|p, id| (p.word(id, 42, &STAGES).0 == "4").then(|| iso(p.modified(id)))),
        Property::text("memo", "メモ").entered_as("textarea").custom(),
    ]
}
