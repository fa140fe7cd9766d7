//! What was done with customers: Task (ToDo) and Event (行動).

use super::lines::Kind::{Combo, Long, Pick, Plain, Ref, Text};
use super::lines::{Line, Traits, object};
use super::{ObjectSpec, Origin};
use crate::salesforce::field::FieldType::{Boolean, Date, Datetime, Int};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::table::Column;

const SUBJECTS: &[&str] = &["電話", "送信", "定例会", "その他"];
const WHO: Line = ("WhoId", "名前 ID", Ref(&["Contact", "Lead"]));
const WHAT: Line = ("WhatId", "関連先 ID", Ref(&["Account", "Opportunity", "Contract", "Case", "Asset", "Campaign"]));
const ACCOUNT: Line = ("AccountId", "取引先 ID", Ref(&["Account"]));

/// Whether the platform has put it away for its age; derived from the clock.
fn archived() -> Vec<Column> {
    vec![Column::new(FieldSpec::new("IsArchived", "アーカイブ済み", FieldType::Boolean).read_only(), Origin::Archived)]
}

pub(super) fn task() -> ObjectSpec {
    let traits = Traits {
        required: &["Status", "Priority"],
        read_only: &["AccountId", "IsClosed", "IsHighPriority", "CompletedDateTime"],
        ..Traits::default()
    };
    object(
        ("Task", "ToDo", "00T"),
        traits,
        &[
            WHO,
            WHAT,
            ACCOUNT,
            ("Subject", "件名", Combo(SUBJECTS)),
            ("ActivityDate", "期日のみ", Plain(Date)),
            (
                "Status",
                "状況",
                Pick(&["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"]),
            ),
            ("Priority", "優先度", Pick(&["High", "Normal", "Low"])),
            ("IsHighPriority", "高優先度", Plain(Boolean)),
            ("Description", "説明", Long(32_000)),
            ("IsClosed", "完了", Plain(Boolean)),
            ("CompletedDateTime", "完了日時", Plain(Datetime)),
            ("TaskSubtype", "ToDo サブタイプ", Pick(&["Task", "Email", "Call", "ListEmail"])),
            ("CallDurationInSeconds", "コール時間", Plain(Int)),
            ("CallType", "コール種別", Pick(&["Internal", "Inbound", "Outbound"])),
            ("CallDisposition", "コールの結果", Text(255)),
            ("IsRecurrence", "定期的な ToDo の作成", Plain(Boolean)),
        ],
        archived(),
    )
}

pub(super) fn event() -> ObjectSpec {
    let traits = Traits { read_only: &["AccountId", "ActivityDate", "EndDateTime"], ..Traits::default() };
    object(
        ("Event", "行動", "00U"),
        traits,
        &[
            WHO,
            WHAT,
            ACCOUNT,
            ("Subject", "件名", Combo(SUBJECTS)),
            ("Location", "場所", Text(255)),
            ("IsAllDayEvent", "終日", Plain(Boolean)),
            ("ActivityDateTime", "期日の時間", Plain(Datetime)),
            ("ActivityDate", "期日のみ", Plain(Date)),
            ("StartDateTime", "開始日時", Plain(Datetime)),
            ("EndDateTime", "終了日時", Plain(Datetime)),
            ("DurationInMinutes", "時間 (分)", Plain(Int)),
            ("Description", "説明", Long(32_000)),
            ("IsPrivate", "非公開", Plain(Boolean)),
            ("IsChild", "子", Plain(Boolean)),
            ("IsGroupEvent", "グループ行動", Plain(Boolean)),
            ("ShowAs", "公開方法", Pick(&["Busy", "OutOfOffice", "Free"])),
            ("EventSubtype", "行動サブタイプ", Pick(&["Event"])),
            ("IsRecurrence", "定期的な行動の作成", Plain(Boolean)),
        ],
        archived(),
    )
}
