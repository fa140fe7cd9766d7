//! Company names, e-mail domains and corporate numbers in the form in which records are compared.
//!
//! The same company is written 株式会社アクメ, (株)アクメ, ㈱ｱｸﾒ and アクメ Inc.; compared, all are アクメ. What tells
//! companies or their places apart stays: branches (アクメ東京支店), long marks (サーバ, サーバー), small kana (キャノン,
//! キヤノン), and kanji that are different letters rather than older shapes (斎藤, 斉藤). A link that is missed can be
//! declared by a person; one that is wrong shows one customer the figures of another.

use unicode_normalization::UnicodeNormalization;

use super::kanji;
use super::legal_form;
use crate::schema::VariableType;
use crate::schema::types::{TypeOptions, Value, parse};

pub use super::free_mail::is_free_mail;
pub use crate::schema::types::check_digit;

/// The form of a company name in which names are compared; empty if nothing of it identifies a company.
///
/// Without regard to width, case, accents, hiragana or katakana, spaces, punctuation, old or new kanji, and the
/// legal form before or after the name. Normalizing twice changes nothing.
pub fn company_name(text: &str) -> String {
    // What one pass leaves can look like a legal form again (アクメ 株 式 会 社), so passes go on until nothing changes.
    // Those after the first only take away, so there are not more of them than characters.
    let mut name = pass(text);
    for _ in 0..name.len() {
        let next = pass(&name);
        if next == name {
            break;
        }
        name = next;
    }
    name
}

fn pass(text: &str) -> String {
    let folded: String = legal_form::uncircle(text)
        .nfkd()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c)) // accents of Latin letters; those of kana are others
        .flat_map(char::to_lowercase)
        .nfkc()
        .map(|c| kanji::modern(katakana(c)))
        .collect::<String>()
        .replace('ß', "ss");
    legal_form::strip(&long_marks(&folded)).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Hiragana as katakana; ヶ and ヵ, which are written for ケ and カ (霞ヶ関), as those.
fn katakana(c: char) -> char {
    let c = match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        other => other,
    };
    match c {
        'ヶ' => 'ケ',
        'ヵ' => 'カ',
        other => other,
    }
}

/// Hyphens between katakana as long marks: where systems had no ー, サーバー was typed サ-バ-.
fn long_marks(text: &str) -> String {
    let mut before = None;
    text.chars()
        .map(|c| {
            let is_hyphen = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}');
            let c = if is_hyphen && before.is_some_and(is_katakana) { 'ー' } else { c };
            before = Some(c);
            c
        })
        .collect()
}

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ')
}

/// The 13 digits of a valid corporate number, however it is written; `None` if it is none.
pub fn corporate_number(text: &str) -> Option<String> {
    match parse(VariableType::CorporateNumber, &TypeOptions::default(), text) {
        Ok(Some(Value::Text(number))) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names that are one company, then those that are others.
    const SAME: [&[&str]; 13] = [
        &[
            "アクメ",
            "株式会社アクメ",
            "アクメ株式会社",
            "(株)アクメ",
            "（株）アクメ",
            "㈱アクメ",
            "㍿アクメ",
            "㊑アクメ",
            "アクメ㈱",
            "〔株〕アクメ",
            "【株】アクメ",
            "株式會社アクメ",
            "株式会社 アクメ",
            "株式会社　アクメ　",
            "(株)ｱｸﾒ",
            "ｶ)ｱｸﾒ",
            "ｱｸﾒ(ｶ",
            "ｱｸﾒ(ｶ)",
            "あくめ",
            "アクメ有限会社",
            "㈲アクメ",
            "合同会社アクメ",
            "アクメ Inc.",
            "アクメInc.",
            "アクメ, Inc.",
            "アクメCo.,Ltd.",
            "アクメ Co., Ltd.",
            "アクメ K.K.",
            "KK アクメ",
            "一般社団法人アクメ",
            "NPO法人アクメ",
            "特定非営利活動法人 アクメ",
            "「アクメ」",
            "アクメ 株 式 会 社",
            "カブシキガイシャ アクメ",
            "株式会社「アクメ」",
        ],
        &[
            "acme",
            "ACME Inc.",
            "Acme Corporation",
            "acme corp",
            "ＡＣＭＥ，ＩＮＣ．",
            "Acme, LLC",
            "ACME Co.,Ltd.",
            "Acme Company Limited",
            "Acme K.K.",
            "Ácme",
            "株式会社ACME",
            "Acme Kabushiki Kaisha",
            "Acme Co. Ltd",
            "ACME CO.LTD.",
        ],
        &[
            "㈱アクメ東京支店",
            "株式会社アクメ 東京支店",
            "アクメ株式会社東京支店",
            "アクメ(株)東京支店",
            "アクメ株式会社　東京支店",
        ],
        &["髙島屋", "高島屋", "株式会社髙島屋"],
        &["山﨑製作所", "山崎製作所"],
        &["渡邊商店", "渡邉商店", "渡辺商店"],
        &["齋藤工業", "斎藤工業"],
        &["齊藤工業", "斉藤工業"],
        &["霞ヶ関商事", "霞ケ関商事"],
        &["サーバーワークス", "サ-バ-ワ-クス", "ｻｰﾊﾞｰﾜｰｸｽ", "サ－バ－ワ－クス"],
        &["ぱんや", "パンヤ", "ﾊﾟﾝﾔ", "は\u{309a}んや"],
        &["医療法人社団誠心会", "誠心会", "(医)誠心会"],
        &["有限責任監査法人トーマツ", "トーマツ", "監査法人トーマツ"],
    ];

    #[test]
    fn one_company_has_one_name_however_it_is_written() {
        for names in SAME {
            for name in names {
                assert_eq!(company_name(name), company_name(names[0]), "{name} and {}", names[0]);
            }
        }
    }

    #[test]
    fn branches_long_marks_and_kanji_stay() {
        assert_eq!(company_name("㈱ｱｸﾒ　東京支店"), "アクメ東京支店");
        assert_eq!(company_name("サーバー・ワークス(株)"), "サーバーワークス");
        assert_eq!(company_name("學校法人 佐々木學園"), "佐々木学園");
        assert_eq!(company_name("アクメ 株 式 会 社"), "アクメ");
    }

    #[test]
    fn different_companies_and_places_stay_apart() {
        let names: Vec<String> = SAME.iter().map(|names| company_name(names[0])).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!name.is_empty());
            assert!(!names[..i].contains(name), "{name}");
        }
        for (a, b) in [
            ("斎藤工業", "斉藤工業"),
            ("サーバ", "サーバー"),
            ("キャノン", "キヤノン"),
            ("ハハ", "パパ"),
            ("㈱アクメ東京支店", "㈱アクメ大阪支店"),
            ("アクメホールディングス", "アクメ"),
            ("Zinc", "Z"),
            ("Arco", "Ar"),
            ("Tokyo Gas Company East", "Tokyo Gas"),
            ("島田", "嶋田"),
        ] {
            assert_ne!(company_name(a), company_name(b), "{a} and {b}");
        }
    }

    #[test]
    fn a_name_that_is_only_a_legal_form_is_kept_and_one_of_signs_is_empty() {
        assert_eq!(company_name("株式会社"), "株式会社");
        assert_eq!(company_name("Inc."), "inc");
        assert_eq!(company_name("☆☆ ・"), "");
        assert_eq!(company_name(""), "");
    }

    #[test]
    fn a_corporate_number_is_normalized_or_none() {
        assert_eq!(corporate_number(" ７-0000-1205-0002 ").as_deref(), Some("7000012050002"));
        assert_eq!(corporate_number("8000012050002"), None);
        assert_eq!(corporate_number(""), None);
        assert_eq!(check_digit("000012050002"), Some(7));
    }

    fn any_name() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(
            "株式会社|(株)|㈱|㊑|有限会社|アクメ|あくめ|ｱｸﾒ|acme|Inc.|inc|Co|.|,|Ltd|K|k|-|ー|東京支店|(カ|カ)|(|)| |髙|齋|ß|İ|é|が|゛|法人|医療法人|社団|corp|oration|々|ヶ|Ǆ|ﬁ"
                .split('|')
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        );
        prop_oneof![prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()), any::<String>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn normalizing_twice_changes_nothing(name in any_name()) {
            let once = company_name(&name);
            prop_assert_eq!(company_name(&once), once);
        }

        #[test]
        fn width_and_spaces_do_not_matter(name in "[a-z]{3,8}( [a-z]{3,8})?") {
            let wide: String = name.chars().map(|c| if c == ' ' { '\u{3000}' } else { char::from_u32(u32::from(c) + 0xfee0).unwrap() }).collect();
            prop_assert_eq!(company_name(&format!("㈱{wide}")), company_name(&name));
            prop_assert_eq!(company_name(&format!("{} 株式会社", name.to_uppercase())), company_name(&name));
        }
    }
}
