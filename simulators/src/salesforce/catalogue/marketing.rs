//! Who may become a customer: Lead (リード), Campaign (キャンペーン) and its members.

use super::lines::Kind::{Long, Money, Number, Percent, Pick, Plain, Ref, Text};
use super::lines::{Traits, object};
use super::{ObjectSpec, address};
use crate::salesforce::Features;
use crate::salesforce::field::FieldType::{Boolean, Currency, Date, Email, Int, Phone, Url};
use crate::words;

pub(super) fn lead(features: &Features) -> ObjectSpec {
    let traits = Traits {
        required: &["LastName", "Company", "Status"],
        read_only: &["Name"],
        mergeable: true,
        ..Traits::default()
    };
    object(
        ("Lead", "リード", "00Q"),
        traits,
        &[
            ("LastName", "姓", Text(80)),
            ("FirstName", "名", Text(40)),
            ("Salutation", "敬称", Pick(&["様", "先生"])),
            ("Name", "氏名", Text(121)),
            ("Title", "役職", Text(128)),
            ("Company", "会社名", Text(255)),
            ("Phone", "電話", Plain(Phone)),
            ("MobilePhone", "携帯", Plain(Phone)),
            ("Email", "メール", Plain(Email)),
            ("Website", "Web サイト", Plain(Url)),
            ("Description", "説明", Long(32_000)),
            ("LeadSource", "リードソース", Pick(&["Web", "展示会", "紹介", "Phone Inquiry"])),
            ("Status", "リード 状況", Pick(&["Open", "Contacted", "Qualified", "Unqualified"])),
            ("Industry", "業種", Pick(&words::INDUSTRIES)),
            ("Rating", "評価", Pick(&["Hot", "Warm", "Cold"])),
            ("AnnualRevenue", "年間売上", Plain(Currency)),
            ("NumberOfEmployees", "従業員数", Plain(Int)),
            ("IsConverted", "取引の開始済み", Plain(Boolean)),
            ("ConvertedDate", "取引の開始日", Plain(Date)),
            ("ConvertedAccountId", "取引の開始 取引先 ID", Ref(&["Account"])),
            ("ConvertedContactId", "取引の開始 取引先責任者 ID", Ref(&["Contact"])),
            ("ConvertedOpportunityId", "取引の開始 商談 ID", Ref(&["Opportunity"])),
            ("HasOptedOutOfEmail", "メール送信除外", Plain(Boolean)),
        ],
        address("", "住所", features, None),
    )
}

pub(super) fn campaign() -> ObjectSpec {
    object(
        ("Campaign", "キャンペーン", "701"),
        Traits { required: &["Name"], ..Traits::default() },
        &[
            ("Name", "キャンペーン名", Text(80)),
            ("ParentId", "親キャンペーン ID", Ref(&["Campaign"])),
            ("Type", "種別", Pick(&["セミナー", "展示会", "メール", "その他"])),
            ("Status", "状況", Pick(&["Planned", "In Progress", "Completed", "Aborted"])),
            ("StartDate", "開始日", Plain(Date)),
            ("EndDate", "終了日", Plain(Date)),
            ("ExpectedRevenue", "期待収益", Money),
            ("BudgetedCost", "予算", Money),
            ("ActualCost", "実費", Money),
            ("ExpectedResponse", "期待値 (%)", Percent),
            ("NumberSent", "送信数", Number(18, 0)),
            ("IsActive", "有効", Plain(Boolean)),
            ("Description", "説明", Long(32_000)),
        ],
        Vec::new(),
    )
}

pub(super) fn member() -> ObjectSpec {
    object(
        ("CampaignMember", "キャンペーンメンバー", "00v"),
        Traits {
            required: &["CampaignId"],
            read_only: &["HasResponded", "LeadOrContactId", "Type"],
            mergeable: false,
            plain: true,
        },
        &[
            ("CampaignId", "キャンペーン ID", Ref(&["Campaign"])),
            ("LeadId", "リード ID", Ref(&["Lead"])),
            ("ContactId", "取引先責任者 ID", Ref(&["Contact"])),
            ("Status", "状況", Pick(&["Sent", "Responded"])),
            ("HasResponded", "レスポンスあり", Plain(Boolean)),
            ("FirstRespondedDate", "最初のレスポンス日", Plain(Date)),
            ("LeadOrContactId", "関連レコード ID", Ref(&["Contact", "Lead"])),
            ("Type", "種別", Pick(&["Contact", "Lead"])),
        ],
        Vec::new(),
    )
}
