//! Products, and the lines of deals that sell them.

use crate::hubspot::object::ObjectKind;
use crate::hubspot::population::{Population, nth_id, number};
use crate::hubspot::property::{Property, PropertyType};
use crate::hubspot::time::{DAY, date};

/// Name, code and price.
pub(super) const PRODUCTS: [(&str, &str, &str); 6] = [
    ("ライトプラン", "NR-L", "30000"),
    ("スタンダードプラン", "NR-S", "80000"),
    ("プロプラン", "NR-P", "150000"),
    ("エンタープライズプラン", "NR-E", "400000"),
    ("導入支援", "NR-ONB", "300000"),
    ("追加ユーザー（10 名）", "NR-U10", "9800.5"),
];

pub(super) fn products() -> ObjectKind {
    ObjectKind {
        type_id: "0-7",
        name: "products",
        singular: "product",
        labels: ("製品", "製品"),
        full_name: None,
        scope: "crm.objects.products.read",
        schema_scope: "crm.schemas.products.read",
        created: "createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["name", "description", "price", "createdate", "hs_lastmodifieddate"],
        display: "name",
        read_only: false,
    }
}

pub(super) fn kind() -> ObjectKind {
    ObjectKind {
        type_id: "0-8",
        name: "line_items",
        singular: "line_item",
        labels: ("商品項目", "商品項目"),
        full_name: None,
        scope: "crm.objects.line_items.read",
        schema_scope: "crm.schemas.line_items.read",
        created: "createdate",
        modified: "hs_lastmodifieddate",
        defaults: &["quantity", "amount", "price", "createdate", "hs_lastmodifieddate"],
        display: "name",
        read_only: false,
    }
}

fn product(p: &Population, id: u64) -> (&'static str, &'static str, &'static str) {
    p.word(id, 40, &PRODUCTS)
}

fn quantity(p: &Population, id: u64) -> u64 {
    1 + p.pick(id, 41, 9)
}

/// The product with that id.
fn sold(id: u64) -> Option<&'static (&'static str, &'static str, &'static str)> {
    PRODUCTS.get(usize::try_from(number(id)).ok()?.checked_sub(1)?)
}

pub(super) fn product_properties() -> Vec<Property> {
    vec![
        Property::text("name", "名前").made(|_, id| sold(id).map(|known| known.0.to_owned())),
        Property::text("hs_sku", "SKU").made(|_, id| sold(id).map(|known| known.1.to_owned())),
        Property::number("price", "単価").made(|_, id| sold(id).map(|known| known.2.to_owned())),
        Property::text("description", "説明").entered_as("textarea"),
    ]
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::text("name", "名前").made(|p, id| Some(product(p, id).0.to_owned())),
        Property::text("hs_sku", "SKU").made(|p, id| Some(product(p, id).1.to_owned())),
        Property::number("hs_product_id", "製品ID").made(|p, id| {
            let place = p.pick(id, 40, PRODUCTS.len() as u64);
            (p.counts.products > 0).then(|| nth_id(place + 1).to_string())
        }),
        Property::number("quantity", "数量").made(|p, id| Some(quantity(p, id).to_string())),
        Property::number("price", "単価").made(|p, id| Some(product(p, id).2.to_owned())),
        Property::number("amount", "正味価格").read_only().made(|p, id| {
            let price = crate::number::Decimal::parse(product(p, id).2)?;
            let count = crate::number::Decimal::new(i128::from(quantity(p, id)), 0);
            price.times(count, 2).map(|amount| amount.trimmed().plain())
        }),
        Property::choice("hs_line_item_currency_code", "通貨", &[("JPY", "日本円")])
            .made(|_, _| Some("JPY".to_owned())),
        Property::choice("recurringbillingfrequency", "請求の頻度", &[("monthly", "毎月"), ("annually", "毎年")])
            .made(|p, id| Some(p.word(id, 42, &["monthly", "annually"]).to_owned())),
        Property::of("hs_recurring_billing_period", "契約期間", PropertyType::String)
            .made(|p, id| Some(p.word(id, 43, &["P12M", "P24M", "P1M"]).to_owned())),
        Property::date("hs_recurring_billing_start_date", "請求開始日").made(|p, id| Some(date(p.day(id, 44)))),
        Property::date("hs_recurring_billing_end_date", "請求終了日")
            .made(|p, id| Some(date(p.day(id, 44) + 365 * DAY))),
    ]
}
