//! Opportunity (商談): the deals.

use super::{ObjectSpec, calculated, head, owner, stored, tail, viewed};
use crate::salesforce::field::{FieldSpec, FieldType, Formula};

pub(super) fn object() -> ObjectSpec {
    use FieldType::{Boolean, Currency, Date, Datetime, Double, Int, Percent};
    let stages = ["見込み", "提案", "見積提出", "交渉", "Closed Won", "Closed Lost"];
    let forecasts = ["Omitted", "Pipeline", "BestCase", "Commit", "Closed"];
    let mut columns = head("商談");
    columns.extend([
        stored(FieldSpec::lookup("AccountId", "取引先 ID", &["Account"])),
        stored(FieldSpec::lookup("ContactId", "取引先責任者 ID", &["Contact"])),
        stored(FieldSpec::text("Name", "商談名", 120).required()),
        stored(FieldSpec::textarea("Description", "商談 説明", 32_000)),
        stored(FieldSpec::picklist("StageName", "フェーズ", &stages).required()),
        stored(FieldSpec::number("Amount", "金額", Currency, 18, 2)),
        stored(FieldSpec::number("Probability", "確度 (%)", Percent, 3, 0)),
        stored(FieldSpec::number("ExpectedRevenue", "期待収益", Currency, 18, 2).read_only()),
        stored(FieldSpec::number("TotalOpportunityQuantity", "数量", Double, 18, 2)),
        stored(FieldSpec::new("CloseDate", "完了予定日", Date).required()),
        stored(FieldSpec::picklist(
            "Type",
            "商談 種別",
            &["New Customer", "Existing Customer - Upgrade", "Existing Customer - Downgrade", "サブスク更新"],
        )),
        stored(FieldSpec::text("NextStep", "次のステップ", 255)),
        stored(FieldSpec::picklist("LeadSource", "リードソース", &["Web", "展示会", "紹介", "Phone Inquiry"])),
        stored(FieldSpec::new("IsClosed", "完了フラグ", Boolean).read_only()),
        stored(FieldSpec::new("IsWon", "成立フラグ", Boolean).read_only()),
        stored(FieldSpec {
            length: 40,
            ..FieldSpec::picklist("ForecastCategory", "売上予測分類", &forecasts).read_only()
        }),
        stored(FieldSpec::picklist("ForecastCategoryName", "売上予測分類", &forecasts)),
        stored(FieldSpec::new("HasOpportunityLineItem", "品目名あり", Boolean).read_only()),
        stored(FieldSpec::new("FiscalQuarter", "会計四半期", Int).read_only()),
        stored(FieldSpec::new("FiscalYear", "会計年度", Int).read_only()),
        stored(FieldSpec::text("Fiscal", "会計期間", 6).read_only()),
        stored(FieldSpec::new("LastStageChangeDate", "最終フェーズ変更日", Datetime).read_only()),
        owner(),
    ]);
    columns.extend(tail());
    columns.extend(viewed());
    columns.extend([
        stored(FieldSpec::number("MRR__c", "月次売上 (MRR)", Currency, 18, 2)),
        calculated(
            FieldSpec::text("AccountName__c", "取引先名 (数式)", 255),
            Formula::Parent { lookup: "AccountId".to_owned(), field: "Name".to_owned() },
        ),
    ]);
    ObjectSpec {
        name: "Opportunity",
        label: "商談",
        prefix: "006",
        deletable: true,
        mergeable: false,
        history: None,
        columns,
    }
}
