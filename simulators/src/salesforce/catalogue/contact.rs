//! Contact (取引先責任者): the people at a customer.

use super::{ObjectSpec, Origin, address, head, owner, stored, tail, viewed};
use crate::salesforce::Features;
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::table::Column;

pub(super) fn object(features: &Features) -> ObjectSpec {
    use FieldType::{Boolean, Date, Datetime, Email, Phone};
    let mut columns = head("取引先責任者");
    let name_part = |spec: FieldSpec| stored(spec.part_of("Name"));
    columns.extend([
        Column::new(FieldSpec::lookup("MasterRecordId", "マスタレコード ID", &["Contact"]).read_only(), Origin::Master),
        stored(FieldSpec::lookup("AccountId", "取引先 ID", &["Account"])),
        name_part(FieldSpec::text("LastName", "姓", 80).required()),
        name_part(FieldSpec::text("FirstName", "名", 40)),
        name_part(FieldSpec { length: 40, ..FieldSpec::picklist("Salutation", "敬称", &["様", "先生"]) }),
        stored(FieldSpec::text("Name", "氏名", 121).required().read_only()),
        stored(FieldSpec::new("Phone", "電話", Phone)),
        stored(FieldSpec::new("Fax", "Fax", Phone)),
        stored(FieldSpec::new("MobilePhone", "携帯", Phone)),
        stored(FieldSpec::new("HomePhone", "電話 (自宅)", Phone)),
        stored(FieldSpec::new("OtherPhone", "電話 (その他)", Phone)),
        stored(FieldSpec::new("AssistantPhone", "アシスタント電話", Phone)),
        stored(FieldSpec::lookup("ReportsToId", "上司 ID", &["Contact"])),
        stored(FieldSpec::new("Email", "メール", Email)),
        stored(FieldSpec::text("Title", "役職", 128)),
        stored(FieldSpec::text("Department", "部署", 80)),
        stored(FieldSpec::picklist("LeadSource", "リードソース", &["Web", "展示会", "紹介", "Phone Inquiry"])),
        stored(FieldSpec::new("Birthdate", "誕生日", Date)),
        stored(FieldSpec::textarea("Description", "取引先責任者 説明", 32_000)),
        stored(FieldSpec::new("HasOptedOutOfEmail", "メール送信除外", Boolean)),
        stored(FieldSpec::new("HasOptedOutOfFax", "Fax 送信除外", Boolean)),
        stored(FieldSpec::new("DoNotCall", "電話お断り", Boolean)),
        stored(FieldSpec::text("EmailBouncedReason", "メール不達理由", 255)),
        stored(FieldSpec::new("EmailBouncedDate", "メール不達日", Datetime)),
        stored(FieldSpec::new("IsEmailBounced", "メール不達", Boolean).read_only()),
    ]);
    if features.person_accounts {
        columns.push(stored(FieldSpec::new("IsPersonAccount", "個人取引先", Boolean).read_only()));
    }
    columns.extend(address("Mailing", "住所(郵送先)", features, None));
    columns.extend(address("Other", "その他の住所", features, None));
    columns.push(owner());
    columns.extend(tail());
    columns.extend(viewed());
    columns.extend(custom());
    ObjectSpec {
        name: "Contact",
        label: "取引先責任者",
        prefix: "003",
        deletable: true,
        mergeable: true,
        history: None,
        columns,
    }
}

/// What customer success teams add.
pub(super) fn custom() -> Vec<Column> {
    vec![
        stored(FieldSpec::picklist("Role__c", "役割", &["決裁者", "管理者", "利用者", "窓口"])),
        stored(FieldSpec::new("IsKeyPerson__c", "キーパーソン", FieldType::Boolean)),
    ]
}
