//! Contract (契約).

use super::{ObjectSpec, head, owner, stored, tail, viewed};
use crate::salesforce::field::{FieldSpec, FieldType};

pub(super) fn object() -> ObjectSpec {
    use FieldType::{Currency, Date, Datetime, Int};
    let mut columns = head("契約");
    columns.extend([
        stored(FieldSpec::lookup("AccountId", "取引先 ID", &["Account"]).required()),
        stored(FieldSpec::text("ContractNumber", "契約番号", 30).required().read_only()),
        stored(FieldSpec::picklist("Status", "状況", &["Draft", "In Approval Process", "Activated"]).required()),
        stored(FieldSpec::picklist("StatusCode", "状況カテゴリ", &["Draft", "InApproval", "Activated"]).read_only()),
        stored(FieldSpec::new("StartDate", "契約開始日", Date)),
        stored(FieldSpec::new("EndDate", "契約終了日", Date)),
        stored(FieldSpec::new("ContractTerm", "契約期間 (ヶ月)", Int)),
        stored(FieldSpec::picklist(
            "OwnerExpirationNotice",
            "所有者への終了通知",
            &["15", "30", "45", "60", "90", "120"],
        )),
        stored(FieldSpec::lookup("CompanySignedId", "自社署名者 ID", &["User"])),
        stored(FieldSpec::new("CompanySignedDate", "自社署名日", Date)),
        stored(FieldSpec::lookup("CustomerSignedId", "顧客署名者 ID", &["Contact"])),
        stored(FieldSpec::text("CustomerSignedTitle", "顧客署名者役職", 40)),
        stored(FieldSpec::new("CustomerSignedDate", "顧客署名日", Date)),
        stored(FieldSpec::lookup("ActivatedById", "有効化担当者 ID", &["User"])),
        stored(FieldSpec::new("ActivatedDate", "有効化日", Datetime)),
        stored(FieldSpec::textarea("SpecialTerms", "特記事項", 4_000)),
        stored(FieldSpec::textarea("Description", "契約 説明", 32_000)),
        owner(),
    ]);
    columns.extend(tail());
    columns.extend(viewed());
    columns.extend([
        stored(FieldSpec::number("MRR__c", "月次売上 (MRR)", Currency, 18, 2)),
        stored(FieldSpec::picklist("Plan__c", "契約プラン", &["スターター", "スタンダード", "エンタープライズ"])),
    ]);
    ObjectSpec {
        name: "Contract",
        label: "契約",
        prefix: "800",
        deletable: true,
        mergeable: false,
        history: None,
        columns,
    }
}
