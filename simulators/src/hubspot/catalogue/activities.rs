//! Calls, emails, meetings, notes and tasks.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::property::{Property, Sensitivity};
use crate::hubspot::time::iso;
use crate::words::NOTES;

/// The scope that what emails say is read with.
pub(crate) const EMAIL_SCOPE: &str = "sales-email-read";

fn kind(type_id: &'static str, name: &'static str, singular: &'static str, label: &'static str) -> ObjectKind {
    ObjectKind {
        type_id,
        name,
        singular,
        labels: (label, label),
        full_name: None,
        scope: "crm.objects.contacts.read",
        schema_scope: "crm.schemas.contacts.read",
        created: "hs_createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        display: "hs_timestamp",
        read_only: false,
    }
}

/// What all of them have.
fn shared() -> Vec<Property> {
    vec![
        Property::instant("hs_timestamp", "日時").made(|p, id| Some(iso(p.created(id) - 3_600_000))),
        Property::text("hs_attachment_ids", "添付ファイル"),
    ]
}

fn with(mut properties: Vec<Property>) -> Vec<Property> {
    properties.extend(shared());
    properties
}

fn html(text: &str) -> String {
    format!("<p>{}</p>", text.replace('&', "&amp;").replace('\n', "<br>"))
}

fn body(name: &str, label: &str) -> Property {
    Property::text(name, label).entered_as("html").made(|p, id| Some(html(p.word(id, 40, &NOTES))))
}

fn calls() -> Vec<Property> {
    with(vec![
        Property::text("hs_call_title", "件名").made(|_, _| Some("定例の電話".to_owned())),
        body("hs_call_body", "内容"),
        Property::choice("hs_call_direction", "発着信", &[("INBOUND", "着信"), ("OUTBOUND", "発信")])
            .made(|p, id| Some(p.word(id, 41, &["INBOUND", "OUTBOUND"]).to_owned())),
        Property::text("hs_call_disposition", "結果")
            .made(|_, _| Some("f240bbac-87c9-4f6e-bf70-924b57d47db7".to_owned())),
        Property::number("hs_call_duration", "時間（ミリ秒）")
            .made(|p, id| Some(p.pick(id, 42, 3_600_000).to_string())),
        Property::choice("hs_call_status", "状態", &[("COMPLETED", "完了")]).made(|_, _| Some("COMPLETED".to_owned())),
    ])
}

fn emails() -> Vec<Property> {
    with(vec![
        Property::text("hs_email_subject", "件名").made(|_, _| Some("ご利用状況のご案内".to_owned())),
        Property::text("hs_email_text", "本文")
            .entered_as("textarea")
            .made(|p, id| Some(p.word(id, 40, &NOTES).to_owned())),
        body("hs_email_html", "本文（HTML）"),
        Property::choice("hs_email_direction", "送受信", &[("EMAIL", "送信"), ("INCOMING_EMAIL", "受信")])
            .made(|p, id| Some(p.word(id, 41, &["EMAIL", "INCOMING_EMAIL"]).to_owned())),
        Property::choice("hs_email_status", "状態", &[("SENT", "送信済")]).made(|_, _| Some("SENT".to_owned())),
        Property::text("hs_email_from_email", "差出人").made(|_, _| Some("cs@example.jp".to_owned())),
        Property::text("hs_email_to_email", "宛先").made(|_, id| Some(format!("u{id}@example.jp"))),
    ])
}

fn meetings() -> Vec<Property> {
    with(vec![
        Property::text("hs_meeting_title", "件名").made(|_, _| Some("月次定例会".to_owned())),
        body("hs_meeting_body", "内容"),
        Property::instant("hs_meeting_start_time", "開始").made(|p, id| Some(iso(p.day(id, 42) + 3_600_000))),
        Property::instant("hs_meeting_end_time", "終了").made(|p, id| Some(iso(p.day(id, 42) + 7_200_000))),
        Property::choice(
            "hs_meeting_outcome",
            "結果",
            &[("SCHEDULED", "予定"), ("COMPLETED", "完了"), ("NO_SHOW", "欠席")],
        )
        .made(|p, id| Some(p.word(id, 43, &["SCHEDULED", "COMPLETED", "NO_SHOW"]).to_owned())),
    ])
}

fn tasks() -> Vec<Property> {
    with(vec![
        Property::text("hs_task_subject", "件名").made(|_, _| Some("更新の提案書を送る".to_owned())),
        body("hs_task_body", "内容"),
        Property::choice("hs_task_status", "状態", &[("NOT_STARTED", "未着手"), ("COMPLETED", "完了")])
            .made(|p, id| Some(p.word(id, 41, &["NOT_STARTED", "COMPLETED"]).to_owned())),
        Property::choice("hs_task_priority", "優先度", &[("LOW", "低"), ("HIGH", "高")])
            .made(|p, id| p.chance(id, 42, 2).then(|| "HIGH".to_owned())),
        Property::choice("hs_task_type", "種類", &[("TODO", "ToDo"), ("CALL", "電話")])
            .made(|_, _| Some("TODO".to_owned())),
    ])
}

/// All of them with what they hold.
pub(super) fn all() -> Vec<(ObjectKind, Vec<Property>)> {
    vec![
        (kind("0-48", "calls", "call", "コール"), calls()),
        (kind("0-49", "emails", "email", "Eメール"), emails()),
        (kind("0-47", "meetings", "meeting", "ミーティング"), meetings()),
        (kind("0-46", "notes", "note", "メモ"), with(vec![body("hs_note_body", "内容")])),
        (kind("0-27", "tasks", "task", "タスク"), tasks()),
    ]
}

/// Whether a property is what an email says.
pub(crate) fn is_email_content(property: &Property) -> bool {
    property.sensitivity() == Sensitivity::NonSensitive
        && matches!(property.spec.name.as_str(), "hs_email_subject" | "hs_email_text" | "hs_email_html")
}
