//! The objects that keep what others were: a row for each change of a tracked field, and one for each stage of a deal.

use super::{HistoryOf, ObjectSpec, Origin, currency, head, stored};
use crate::salesforce::Features;
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::table::Column;

/// Name, label, where its ids begin, and the object that it tells of with its label.
const FIELD_HISTORIES: [(&str, &str, &str, &str, &str); 8] = [
    ("AccountHistory", "取引先履歴", "0175a", "Account", "取引先"),
    ("ContactHistory", "取引先責任者履歴", "0175c", "Contact", "取引先責任者"),
    ("ContractHistory", "契約履歴", "0175k", "Contract", "契約"),
    ("OpportunityFieldHistory", "商談項目履歴", "0175o", "Opportunity", "商談"),
    ("CaseHistory", "ケース履歴", "0175s", "Case", "ケース"),
    ("AssetHistory", "納入商品履歴", "0175t", "Asset", "納入商品"),
    ("LeadHistory", "リード履歴", "0175l", "Lead", "リード"),
    ("CampaignHistory", "キャンペーン履歴", "0175m", "Campaign", "キャンペーン"),
];

/// The types that a tracked field may have had, as history rows name them.
const DATA_TYPES: [&str; 14] = [
    "Boolean",
    "Currency",
    "DateOnly",
    "DateTime",
    "Double",
    "DynamicEnum",
    "EntityId",
    "Integer",
    "MultiEnum",
    "Percent",
    "Text",
    "TextArea",
    "Time",
    "Url",
];

pub(super) fn objects(features: &Features) -> Vec<ObjectSpec> {
    let mut objects: Vec<ObjectSpec> = FIELD_HISTORIES
        .iter()
        .map(|&(name, label, prefix, parent, parent_label)| {
            of_fields(name, label, prefix, parent, &format!("{parent}Id"), parent_label)
        })
        .collect();
    objects.push(stages(features));
    objects
}

/// What keeps the tracked fields of an object; `lookup` points to its rows.
pub(super) fn of_fields(
    name: &'static str,
    label: &'static str,
    prefix: &'static str,
    parent: &'static str,
    lookup: &str,
    parent_label: &str,
) -> ObjectSpec {
    let mut columns = row_of(label, parent, lookup, parent_label);
    columns.extend([
        stored(FieldSpec::picklist("Field", "変更された項目", &[]).required()),
        stored(FieldSpec::picklist("DataType", "データ型", &DATA_TYPES)),
        stored(FieldSpec::new("OldValue", "古い値", FieldType::AnyType)),
        stored(FieldSpec::new("NewValue", "新しい値", FieldType::AnyType)),
    ]);
    object(name, label, prefix, parent, false, columns)
}

fn object(
    name: &'static str,
    label: &'static str,
    prefix: &'static str,
    parent: &'static str,
    of_stages: bool,
    columns: Vec<Column>,
) -> ObjectSpec {
    let history = Some(HistoryOf { parent, lookup: 2, of_stages });
    ObjectSpec { name, label, prefix, deletable: false, mergeable: false, history, columns }
}

/// The fields that all of them begin with; the third points to the row that they tell of.
fn row_of(label: &str, parent: &str, lookup: &str, parent_label: &str) -> Vec<Column> {
    let mut columns = head(label);
    let lookup = FieldSpec::lookup(lookup, &format!("{parent_label} ID"), &[parent]);
    columns.extend([
        stored(lookup.required()),
        Column::new(FieldSpec::lookup("CreatedById", "作成者 ID", &["User"]).required().read_only(), Origin::Writer),
        Column::new(
            FieldSpec::new("CreatedDate", "作成日", FieldType::Datetime).required().read_only(),
            Origin::Created,
        ),
    ]);
    columns
}

/// OpportunityHistory (商談履歴): the deal as it was from each change of its stage or its figures on.
fn stages(features: &Features) -> ObjectSpec {
    let money = |name: &str, label: &str| stored(FieldSpec::number(name, label, FieldType::Currency, 18, 2));
    let mut columns = row_of("商談履歴", "Opportunity", "OpportunityId", "商談");
    columns.extend([
        stored(FieldSpec::picklist("StageName", "フェーズ", &[])),
        money("Amount", "金額"),
        money("ExpectedRevenue", "期待収益"),
        stored(FieldSpec::new("CloseDate", "完了予定日", FieldType::Date)),
        stored(FieldSpec::number("Probability", "確度 (%)", FieldType::Percent, 3, 0)),
        stored(FieldSpec { length: 40, ..FieldSpec::picklist("ForecastCategory", "売上予測分類", &[]) }),
        money("PrevAmount", "前の金額"),
        stored(FieldSpec::new("PrevCloseDate", "前の完了予定日", FieldType::Date)),
        Column::new(
            FieldSpec::new("SystemModstamp", "System Modstamp", FieldType::Datetime).required().read_only(),
            Origin::Stamp,
        ),
    ]);
    if features.multi_currency {
        columns.push(stored(currency("商談履歴")));
    }
    object("OpportunityHistory", "商談履歴", "008", "Opportunity", true, columns)
}
