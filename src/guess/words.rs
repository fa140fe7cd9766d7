//! Names and labels in the form in which they are compared.

use unicode_normalization::UnicodeNormalization;

/// A text without width, case, spaces, signs, and hiragana or katakana: `請求先 住所（都道府県）` and `契約ﾌﾟﾗﾝ` compare as
/// 請求先住所都道府県 and 契約プラン.
pub(super) fn fold(text: &str) -> String {
    Form::of(text, 0).text
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        other => other,
    }
}

/// One way to read a name or label, and how much less sure it is than the whole, in hundredths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) text: String,
    pub(super) doubt: u8,
    /// Where words begin and end, as bytes of `text`: `OwnerId` has them at 0, 5 and 7.
    edges: Vec<usize>,
}

impl Form {
    /// The text, folded.
    pub(super) fn of(text: &str, doubt: u8) -> Form {
        let (mut folded, mut edges) = (String::new(), Vec::new());
        let mut before: Option<char> = None;
        for c in text.nfkc() {
            if !c.is_alphanumeric() {
                before = None;
                continue;
            }
            let begins = before.is_none_or(|before| {
                (c.is_uppercase() && !before.is_uppercase()) || c.is_ascii_alphabetic() != before.is_ascii_alphabetic()
            });
            if begins {
                edges.push(folded.len());
            }
            folded.extend(c.to_lowercase().map(katakana));
            before = Some(c);
        }
        edges.push(folded.len());
        Form { text: folded, doubt, edges }
    }

    /// Whether a word stands within the text: one of Latin letters as whole words (`owner` is not in `Ownership`), one
    /// of Japanese signs, which are written without spaces, anywhere.
    pub(super) fn has(&self, word: &str) -> bool {
        let is_whole = |at: usize| self.edges.contains(&at) && self.edges.contains(&(at + word.len()));
        self.text.match_indices(word).any(|(at, _)| !word.is_ascii() || is_whole(at))
    }

    /// Whether the text ends in a word.
    pub(super) fn ends_in(&self, word: &str) -> bool {
        self.text.ends_with(word) && (!word.is_ascii() || self.edges.contains(&(self.text.len() - word.len())))
    }

    /// What comes after the beginning `start`, unless that is only one sign (取引先名 → 名), which says too little.
    fn without(&self, start: &str, doubt: u8) -> Option<Form> {
        let rest = self.text.strip_prefix(start).filter(|rest| !start.is_empty() && rest.chars().count() > 1)?;
        let edges = self.edges.iter().filter_map(|edge| edge.checked_sub(start.len())).collect();
        Some(Form { text: rest.to_owned(), doubt, edges })
    }
}

/// The ways to read a field's API name or code: without what marks custom fields, and without a package's prefix.
pub(super) fn forms_of_name(name: &str) -> Vec<Form> {
    let bare = ["__pc", "__c"].into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let mut forms = forms_of_label(bare, None);
    if let Some((_, own)) = bare.split_once("__") {
        push(&mut forms, Form::of(own, 4));
    }
    forms
}

/// The ways to read a label: whole, without what stands in brackets, what stands in them, and without the name of the
/// stream in front (`取引先 種別` of 取引先 is 種別).
pub(super) fn forms_of_label(label: &str, stream: Option<&str>) -> Vec<Form> {
    let mut forms = Vec::new();
    push(&mut forms, Form::of(label, 0));
    let (outside, inside) = brackets(label);
    if !inside.is_empty() {
        push(&mut forms, Form::of(&outside, 2));
    }
    if let Some(rest) = stream.and_then(|stream| Form::of(&outside, 0).without(&fold(stream), 3)) {
        push(&mut forms, rest);
    }
    for part in inside {
        push(&mut forms, Form::of(&part, 8));
    }
    forms
}

fn push(forms: &mut Vec<Form>, form: Form) {
    if !form.text.is_empty() && !forms.iter().any(|known| known.text == form.text) {
        forms.push(form);
    }
}

/// What stands outside of brackets, and what in each pair.
fn brackets(text: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut depth = 0u32;
    for c in text.chars() {
        match c {
            '(' | '（' | '[' | '［' | '【' | '〔' => {
                depth += 1;
                if depth == 1 {
                    inside.push(String::new());
                }
            }
            ')' | '）' | ']' | '］' | '】' | '〕' => depth = depth.saturating_sub(1),
            c if depth == 0 => outside.push(c),
            c => inside.iter_mut().last().into_iter().for_each(|part| part.push(c)),
        }
    }
    (outside, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(forms: Vec<Form>) -> Vec<String> {
        forms.into_iter().map(|form| form.text).collect()
    }

    #[test]
    fn width_case_signs_and_kana_do_not_matter() {
        assert_eq!(fold("ＣＳ担当 ｵｰﾅｰ"), "cs担当オーナー");
        assert_eq!(fold("contract_start_date"), fold("ContractStartDate"));
        assert_eq!(fold("おんぼーでぃんぐ"), fold("オンボーディング"));
        assert_eq!(fold("E-mail"), "email");
    }

    #[test]
    fn words_of_latin_letters_are_found_whole() {
        assert!(Form::of("Current MRR (JPY)", 0).has("mrr") && Form::of("CurrentOwner", 0).ends_in("owner"));
        assert!(!Form::of("Ownership", 0).has("owner") && !Form::of("Cowner", 0).ends_in("owner"));
        assert!(Form::of("現在の担当CSM", 0).ends_in("担当csm") && Form::of("現在のCSM", 0).ends_in("csm"));
    }

    #[test]
    fn a_custom_field_of_a_package_is_read_by_its_own_name() {
        assert_eq!(texts(forms_of_name("acme__CustomerCode__c")), ["acmecustomercode", "customercode"]);
        assert_eq!(texts(forms_of_name("CustomerCode__c")), ["customercode"]);
    }

    #[test]
    fn brackets_and_the_name_of_the_stream_are_taken_off() {
        assert_eq!(texts(forms_of_label("月次売上 (MRR)", None)), ["月次売上mrr", "月次売上", "mrr"]);
        assert_eq!(texts(forms_of_label("取引先 種別", Some("取引先"))), ["取引先種別", "種別"]);
        assert_eq!(texts(forms_of_label("取引先名", Some("取引先"))), ["取引先名"]);
        assert_eq!(
            texts(forms_of_label("住所(請求先)(都道府県)", None)),
            ["住所請求先都道府県", "住所", "請求先", "都道府県"]
        );
    }
}
