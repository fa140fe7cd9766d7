//! Whether values look like what a variable holds.

use unicode_normalization::UnicodeNormalization;

use super::synonyms::ExpectedShape;
use crate::schema::VariableType;
use crate::schema::types::{TypeOptions, parse};

const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// How many of some values look as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) count: usize,
    pub(super) fitting: usize,
}

impl Fit {
    fn of(values: &[String], fits: impl Fn(&str) -> bool) -> Fit {
        Fit { count: values.len(), fitting: values.iter().filter(|value| fits(value)).count() }
    }

    /// Nearly all do; a sample has its odd ones.
    pub(super) fn is_good(self) -> bool {
        self.count > 0 && self.fitting * 10 >= self.count * 9
    }

    /// Most do not.
    pub(super) fn is_bad(self) -> bool {
        self.fitting * 2 < self.count
    }
}

/// How the values fit a variable of that type; `None` where any text does.
pub(super) fn fit(
    kind: VariableType,
    options: &TypeOptions,
    shape: Option<ExpectedShape>,
    values: &[String],
) -> Option<Fit> {
    match kind {
        VariableType::Text => shape.map(|shape| {
            Fit::of(values, |value| match shape {
                ExpectedShape::Phone => is_phone(value),
                ExpectedShape::Url => is_url(value) || is_host(value),
                ExpectedShape::Prefecture => is_prefecture(value),
            })
        }),
        // Entries of enums are compared as words, keys of records with other records.
        VariableType::Enum | VariableType::Ref => None,
        // An instant becomes its day.
        VariableType::Date => Some(Fit::of(values, |value| {
            let converts = |kind| parse(kind, options, value).is_ok();
            converts(VariableType::Date) || converts(VariableType::Datetime)
        })),
        kind => Some(Fit::of(values, |value| parse(kind, options, value).is_ok())),
    }
}

/// Ten digits, eleven for mobiles, a few more with a country's number.
fn is_phone(text: &str) -> bool {
    let text: String = text.nfkc().collect();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let others = text.chars().all(|c| c.is_ascii_digit() || "+-() ‐−ー内線extx.".contains(c));
    (9..=15).contains(&digits) && others
}

/// `https://acme.example.jp/`.
pub(super) fn is_url(text: &str) -> bool {
    text.trim().split_once("://").is_some_and(|(_, rest)| is_host(rest.split('/').next().unwrap_or_default()))
}

/// `www.acme.example.jp`.
fn is_host(text: &str) -> bool {
    let text = text.trim();
    text.contains('.')
        && !text.starts_with('.')
        && !text.ends_with('.')
        && text.chars().all(|c| c.is_alphanumeric() || ".-:".contains(c))
        && text.chars().any(char::is_alphabetic)
}

/// With or without the word for what kind it is.
fn is_prefecture(text: &str) -> bool {
    let text = text.trim();
    PREFECTURES.iter().any(|name| *name == text || name.strip_suffix(['県', '府', '都']) == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_known_when_seen() {
        assert!(["03-1234-5678", "０３（１２３４）５６７８", "+81 90 1234 5678"].into_iter().all(is_phone));
        assert!(!["2025-10-01", "1200000", "info@acme.jp", "東京"].into_iter().any(is_phone));
        assert!(is_url("https://www.acme.example.jp/ir/") && !is_url("acme.example.jp") && !is_url("未定"));
        assert!(is_host("acme.example.jp") && !is_host("1.5") && !is_host("Acme Inc."));
        assert!(["東京都", "京都", "北海道"].into_iter().all(is_prefecture) && !is_prefecture("東京都港区"));
    }

    #[test]
    fn values_that_convert_are_counted() {
        let values = ["2025/10/1", "R7.10.1", "未定"].map(str::to_owned);
        let fit = fit(VariableType::Date, &TypeOptions::default(), None, &values).unwrap();
        assert_eq!((fit.count, fit.fitting, fit.is_good(), fit.is_bad()), (3, 2, false, false));
        assert_eq!(super::fit(VariableType::Text, &TypeOptions::default(), None, &values), None);
    }
}
