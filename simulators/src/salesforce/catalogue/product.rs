//! What is sold: Product2 (商品), price books, and the lines and people of deals.

use super::ObjectSpec;
use super::lines::Kind::{Long, Money, Number, Percent, Pick, Plain, Ref, Text};
use super::lines::{Traits, object};
use crate::salesforce::field::FieldType::{Boolean, Date, Int};

const PLAIN: Traits = Traits { required: &[], read_only: &[], mergeable: false, plain: true };

pub(super) fn objects() -> Vec<ObjectSpec> {
    let product = object(
        ("Product2", "商品", "01t"),
        Traits { required: &["Name"], ..PLAIN },
        &[
            ("Name", "商品名", Text(255)),
            ("ProductCode", "商品コード", Text(255)),
            ("Description", "商品の説明", Long(4_000)),
            ("IsActive", "有効", Plain(Boolean)),
            ("Family", "商品ファミリ", Pick(&["基本", "オプション", "導入支援"])),
            ("QuantityUnitOfMeasure", "数量の単位", Pick(&["ライセンス", "月"])),
            ("StockKeepingUnit", "商品 SKU", Text(180)),
        ],
        Vec::new(),
    );
    let book = object(
        ("Pricebook2", "価格表", "01s"),
        Traits { required: &["Name"], ..PLAIN },
        &[
            ("Name", "価格表名", Text(255)),
            ("IsActive", "有効", Plain(Boolean)),
            ("IsStandard", "標準価格表", Plain(Boolean)),
            ("Description", "説明", Text(255)),
        ],
        Vec::new(),
    );
    let entry = object(
        ("PricebookEntry", "価格表エントリ", "01u"),
        Traits { required: &["Pricebook2Id", "Product2Id", "UnitPrice"], ..PLAIN },
        &[
            ("Pricebook2Id", "価格表 ID", Ref(&["Pricebook2"])),
            ("Product2Id", "商品 ID", Ref(&["Product2"])),
            ("UnitPrice", "リスト価格", Money),
            ("IsActive", "有効", Plain(Boolean)),
            ("UseStandardPrice", "標準価格を使用", Plain(Boolean)),
        ],
        Vec::new(),
    );
    let line = object(
        ("OpportunityLineItem", "商談商品", "00k"),
        Traits { required: &["OpportunityId", "Quantity"], read_only: &["TotalPrice"], ..PLAIN },
        &[
            ("OpportunityId", "商談 ID", Ref(&["Opportunity"])),
            ("SortOrder", "並び替え順", Plain(Int)),
            ("PricebookEntryId", "価格表エントリ ID", Ref(&["PricebookEntry"])),
            ("Product2Id", "商品 ID", Ref(&["Product2"])),
            ("ProductCode", "商品コード", Text(255)),
            ("Name", "商談商品名", Text(376)),
            ("Quantity", "数量", Number(12, 2)),
            ("Discount", "割引", Percent),
            ("TotalPrice", "合計金額", Money),
            ("UnitPrice", "販売価格", Money),
            ("ListPrice", "リスト価格", Money),
            ("ServiceDate", "提供日", Plain(Date)),
            ("Description", "明細の説明", Text(255)),
        ],
        Vec::new(),
    );
    let role = object(
        ("OpportunityContactRole", "商談 取引先責任者の役割", "00K"),
        Traits { required: &["OpportunityId", "ContactId"], ..PLAIN },
        &[
            ("OpportunityId", "商談 ID", Ref(&["Opportunity"])),
            ("ContactId", "取引先責任者 ID", Ref(&["Contact"])),
            ("Role", "役割", Pick(&["決裁者", "評価者", "利用者"])),
            ("IsPrimary", "主", Plain(Boolean)),
        ],
        Vec::new(),
    );
    vec![product, book, entry, line, role]
}
