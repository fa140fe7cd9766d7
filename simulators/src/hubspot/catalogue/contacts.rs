//! Contacts: people.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::population::{Population, nth_id, number};
use crate::hubspot::property::{Origin, Property};
use crate::words::{FAMILY_NAMES, GIVEN_NAMES};

pub(super) fn kind() -> ObjectKind {
    ObjectKind {
        type_id: "0-1",
        name: "contacts",
        singular: "contact",
        labels: ("コンタクト", "コンタクト"),
        full_name: None,
        scope: "crm.objects.contacts.read",
        schema_scope: "crm.schemas.contacts.read",
        created: "createdate",
        modified: "lastmodifieddate",
        defaults: &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"],
        display: "email",
        read_only: false,
    }
}

const TITLES: [&str; 6] = ["部長", "課長", "主任", "情報システム担当", "代表取締役", "営業企画"];

/// The company that the person works for, by id.
fn company(p: &Population, id: u64) -> Option<u64> {
    let nth = number(id);
    (p.counts.companies > 0 && !nth.is_multiple_of(7)).then(|| nth_id((nth - 1) % p.counts.companies + 1))
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::text("email", "Eメール")
            .unique()
            .made(|p, id| (!p.chance(id, 40, 9)).then(|| format!("u{id}.{:03x}@example.jp", p.pick(id, 41, 4_096)))),
        Property::text("lastname", "姓").made(|p, id| Some(p.word(id, 42, &FAMILY_NAMES).to_owned())),
        Property::text("firstname", "名")
            .made(|p, id| (!p.chance(id, 43, 10)).then(|| p.word(id, 44, &GIVEN_NAMES).to_owned())),
        Property::text("jobtitle", "役職")
            .made(|p, id| (!p.chance(id, 45, 4)).then(|| p.word(id, 46, &TITLES).to_owned())),
        Property::text("phone", "電話番号").entered_as("phonenumber").made(|p, id| {
            Some(format!("0{}0-{:04}-{:04}", 7 + p.pick(id, 47, 3), p.pick(id, 48, 10_000), p.pick(id, 49, 10_000)))
        }),
        Property::text("memo", "メモ").entered_as("textarea").custom(),
        Property::number("associatedcompanyid", "主たる会社ID")
            .read_only()
            .made(|p, id| company(p, id).map(|company| company.to_string())),
        Property::choice(
            "lifecyclestage",
            "ライフサイクルステージ",
            &[("lead", "リード"), ("customer", "顧客"), ("other", "その他")],
        )
        .entered_as("radio")
        .made(|p, id| Some(p.word(id, 50, &["lead", "customer", "other"]).to_owned())),
        Property::flag("hs_email_optout", "配信停止").made(|p, id| p.chance(id, 51, 6).then(|| "true".to_owned())),
        Property::number("hs_email_open", "開封数").read_only().made(|p, id| Some(p.pick(id, 52, 40).to_string())),
        Property::text("hs_calculated_merged_vids", "統合されたコンタクトID")
            .calculated("calculation_equation")
            .from(Origin::MergedVids),
    ]
}
