//! What customers ask and what they have: Case (ケース) and Asset (納入商品).

use super::ObjectSpec;
use super::lines::Kind::{Long, Money, Number, Pick, Plain, Ref, Text};
use super::lines::{Traits, object};
use crate::salesforce::field::FieldType::{Boolean, Date, Datetime, Email, Int};

pub(super) fn case() -> ObjectSpec {
    let traits = Traits {
        required: &["CaseNumber", "Status"],
        read_only: &["CaseNumber", "IsClosed", "ClosedDate"],
        ..Traits::default()
    };
    object(
        ("Case", "ケース", "500"),
        traits,
        &[
            ("CaseNumber", "ケース番号", Text(30)),
            ("ContactId", "取引先責任者 ID", Ref(&["Contact"])),
            ("AccountId", "取引先 ID", Ref(&["Account"])),
            ("AssetId", "納入商品 ID", Ref(&["Asset"])),
            ("ProductId", "商品 ID", Ref(&["Product2"])),
            ("ParentId", "親ケース ID", Ref(&["Case"])),
            ("SuppliedName", "名前", Text(80)),
            ("SuppliedEmail", "メールアドレス", Plain(Email)),
            ("SuppliedPhone", "電話", Text(40)),
            ("SuppliedCompany", "会社名", Text(80)),
            ("Type", "種別", Pick(&["質問", "要望", "不具合", "Problem"])),
            ("Status", "状況", Pick(&["New", "Working", "Escalated", "Closed"])),
            ("Reason", "原因", Pick(&["操作", "設定", "障害", "契約"])),
            ("Origin", "発生源", Pick(&["Email", "Phone", "Web"])),
            ("Subject", "件名", Text(255)),
            ("Priority", "優先度", Pick(&["High", "Medium", "Low"])),
            ("Description", "説明", Long(32_000)),
            ("IsClosed", "完了", Plain(Boolean)),
            ("ClosedDate", "完了日時", Plain(Datetime)),
            ("IsEscalated", "エスカレーション済み", Plain(Boolean)),
            ("SlaStartDate", "エンタイトルメントプロセスの開始時間", Plain(Datetime)),
            ("SlaExitDate", "エンタイトルメントプロセスの終了時間", Plain(Datetime)),
            ("IsStopped", "停止", Plain(Boolean)),
            ("Comments", "内部コメント", Long(4_000)),
        ],
        Vec::new(),
    )
}

pub(super) fn asset() -> ObjectSpec {
    object(
        ("Asset", "納入商品", "02i"),
        Traits { required: &["Name"], ..Traits::default() },
        &[
            ("ContactId", "取引先責任者 ID", Ref(&["Contact"])),
            ("AccountId", "取引先 ID", Ref(&["Account"])),
            ("ParentId", "親納入商品 ID", Ref(&["Asset"])),
            ("RootAssetId", "ルート納入商品 ID", Ref(&["Asset"])),
            ("Product2Id", "商品 ID", Ref(&["Product2"])),
            ("ProductCode", "商品コード", Text(255)),
            ("IsCompetitorProduct", "競合商品", Plain(Boolean)),
            ("IsInternal", "社内", Plain(Boolean)),
            ("AssetLevel", "納入商品レベル", Plain(Int)),
            ("Name", "納入商品名", Text(255)),
            ("SerialNumber", "シリアル番号", Text(80)),
            ("InstallDate", "設置日", Plain(Date)),
            ("PurchaseDate", "購入日", Plain(Date)),
            ("UsageEndDate", "使用終了日", Plain(Date)),
            ("LifecycleStartDate", "ライフサイクル開始日", Plain(Datetime)),
            ("LifecycleEndDate", "ライフサイクル終了日", Plain(Datetime)),
            ("Status", "状況", Pick(&["Purchased", "Shipped", "Installed", "Registered", "Obsolete"])),
            ("Price", "価格", Money),
            ("Quantity", "数量", Number(12, 2)),
            ("HasLifecycleManagement", "ライフサイクル管理あり", Plain(Boolean)),
            ("CurrentMrr", "現在の月次経常収益", Money),
            ("CurrentAmount", "現在の金額", Money),
            ("TotalLifecycleAmount", "ライフサイクル合計金額", Money),
            ("CurrentQuantity", "現在の数量", Number(12, 2)),
            ("Description", "説明", Long(32_000)),
        ],
        Vec::new(),
    )
}
