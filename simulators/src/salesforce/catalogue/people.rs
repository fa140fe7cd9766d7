//! The objects an org keeps about itself: users, the organization, and currencies where there are several.

use super::{ObjectSpec, Origin, head, stored, tail};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::population;
use crate::salesforce::table::Column;

/// User (ユーザー): never deleted, so it has no `IsDeleted`.
pub(super) fn user() -> ObjectSpec {
    let mut columns = vec![head("ユーザー").swap_remove(0)];
    columns.extend([
        stored(FieldSpec::text("Username", "ユーザー名", 80).required()),
        stored(FieldSpec::text("LastName", "姓", 80).part_of("Name")),
        stored(FieldSpec::text("FirstName", "名", 40).part_of("Name")),
        stored(FieldSpec::text("Name", "氏名", 121).required()),
        stored(FieldSpec::text("Department", "部署", 80)),
        stored(FieldSpec::text("Title", "役職", 80)),
        stored(FieldSpec::new("Email", "メール", FieldType::Email).required()),
        stored(FieldSpec::new("IsActive", "有効", FieldType::Boolean)),
        stored(FieldSpec::lookup("ManagerId", "マネージャー ID", &["User"])),
        stored(FieldSpec {
            length: 40, ..FieldSpec::picklist("TimeZoneSidKey", "タイムゾーン", &["Asia/Tokyo"])
        }),
        stored(FieldSpec { length: 40, ..FieldSpec::picklist("LocaleSidKey", "地域", &["ja_JP"]) }),
        stored(FieldSpec { length: 40, ..FieldSpec::picklist("LanguageLocaleKey", "言語", &["ja"]) }),
    ]);
    columns.extend(tail());
    ObjectSpec {
        name: "User",
        label: "ユーザー",
        prefix: "005",
        deletable: false,
        mergeable: false,
        history: None,
        columns,
    }
}

/// Organization (組織): one row.
pub(super) fn organization() -> ObjectSpec {
    let mut columns = vec![head("組織").swap_remove(0)];
    columns.extend([
        stored(FieldSpec::text("Name", "組織名", 80).required()),
        stored(FieldSpec {
            length: 40,
            ..FieldSpec::picklist("OrganizationType", "エディション", &["Enterprise Edition"])
        }),
        stored(FieldSpec::new("IsSandbox", "Sandbox", FieldType::Boolean)),
        stored(FieldSpec::text("InstanceName", "インスタンス名", 5)),
        stored(FieldSpec {
            length: 40, ..FieldSpec::picklist("TimeZoneSidKey", "タイムゾーン", &["Asia/Tokyo"])
        }),
        stored(FieldSpec { length: 40, ..FieldSpec::picklist("DefaultLocaleSidKey", "地域", &["ja_JP"]) }),
        stored(FieldSpec::new("FiscalYearStartMonth", "会計年度期首月", FieldType::Int)),
    ]);
    columns.extend(tail());
    ObjectSpec {
        name: "Organization",
        label: "組織",
        prefix: "00D",
        deletable: false,
        mergeable: false,
        history: None,
        columns,
    }
}

/// CurrencyType (通貨): only where an org has several.
pub(super) fn currency_type() -> ObjectSpec {
    let mut columns = vec![Column::new(FieldSpec::new("Id", "通貨 ID", FieldType::Id).read_only(), Origin::Id)];
    columns.extend([
        stored(FieldSpec { length: 3, ..FieldSpec::picklist("IsoCode", "通貨コード", &population::CURRENCIES) }),
        stored(FieldSpec::number("ConversionRate", "換算レート", FieldType::Double, 18, 6)),
        stored(FieldSpec::new("DecimalPlaces", "小数点の位置", FieldType::Int)),
        stored(FieldSpec::new("IsActive", "有効", FieldType::Boolean)),
        stored(FieldSpec::new("IsCorporate", "マスタ通貨", FieldType::Boolean)),
    ]);
    columns.extend(tail());
    ObjectSpec {
        name: "CurrencyType",
        label: "通貨",
        prefix: "01L",
        deletable: false,
        mergeable: false,
        history: None,
        columns,
    }
}

/// DatedConversionRate (期間指定換算レート): rates that hold for a while, where an org keeps them.
pub(super) fn dated_rate() -> ObjectSpec {
    let mut columns = vec![Column::new(FieldSpec::new("Id", "換算レート ID", FieldType::Id).read_only(), Origin::Id)];
    columns.extend([
        stored(FieldSpec { length: 3, ..FieldSpec::picklist("IsoCode", "通貨コード", &population::CURRENCIES) }),
        stored(FieldSpec::new("StartDate", "開始日", FieldType::Date)),
        stored(FieldSpec::new("NextStartDate", "次の開始日", FieldType::Date)),
        stored(FieldSpec::number("ConversionRate", "換算レート", FieldType::Double, 18, 6)),
    ]);
    columns.extend(tail());
    ObjectSpec {
        name: "DatedConversionRate",
        label: "期間指定換算レート",
        prefix: "04w",
        deletable: true,
        mergeable: false,
        history: None,
        columns,
    }
}
