//! Legal forms of companies (株式会社, ㈱, カ), Inc., …) and where names carry them.
//!
//! Texts come folded: narrow letters, lower case, katakana for hiragana, new kanji; punctuation and spaces still
//! there. A form is never removed when nothing would be left.

/// Written out, before or after the name; those that contain another come first.
const SPELLED: [&str; 42] = [
    "特定非営利活動法人",
    "非営利活動法人",
    "社会保険労務士法人",
    "地方独立行政法人",
    "国立研究開発法人",
    "社会医療法人社団",
    "社会医療法人財団",
    "農業協同組合法人",
    "有限責任事業組合",
    "有限責任監査法人",
    "カブシキガイシャ",
    "カブシキカイシャ",
    "ユウゲンガイシャ",
    "ゴウドウガイシャ",
    "認定npo法人",
    "一般社団法人",
    "一般財団法人",
    "公益社団法人",
    "公益財団法人",
    "医療法人社団",
    "医療法人財団",
    "社会医療法人",
    "社会福祉法人",
    "独立行政法人",
    "国立大学法人",
    "公立大学法人",
    "土地家屋調査士法人",
    "司法書士法人",
    "行政書士法人",
    "特許業務法人",
    "農事組合法人",
    "特定目的会社",
    "npo法人",
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "合名会社",
    "相互会社",
    "医療法人",
    "学校法人",
    "宗教法人",
];

/// Shorter ones, tried after all of [`SPELLED`].
const SPELLED_SHORT: [&str; 5] = ["社団法人", "財団法人", "監査法人", "弁護士法人", "税理士法人"];

/// In brackets, anywhere: (株), and in the kana of bank statements (カ).
const ABBREVIATED: [&str; 36] = [
    "株",
    "有",
    "合",
    "同",
    "名",
    "資",
    "相",
    "社",
    "財",
    "医",
    "学",
    "宗",
    "福",
    "独",
    "特",
    "特非",
    "一社",
    "一財",
    "公社",
    "公財",
    "弁",
    "税",
    "監",
    "協",
    "代",
    "カ",
    "ユ",
    "ド",
    "メ",
    "シ",
    "イ",
    "ザイ",
    "シャ",
    "ガク",
    "フク",
    "トクヒ",
];

/// Latin words after the name. Words that also end ordinary names (spa, as, sa) count only with dots.
const LATIN: [&str; 20] = [
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "coltd",
    "llc",
    "llp",
    "plc",
    "gmbh",
    "pty",
    "pte",
    "kk",
    "gk",
    "yk",
    "sdn",
    "bhd",
];
const LATIN_DOTTED: [&str; 8] = ["sa", "spa", "srl", "sas", "ab", "as", "bv", "nv"];

/// Forms of several Latin words, before or after the name.
const LATIN_PHRASES: [&str; 6] =
    ["kabushiki kaisha", "kabushiki gaisha", "kabushikikaisha", "kabushikigaisha", "yugen kaisha", "godo kaisha"];

/// What a place or part of a company ends with; a form before it belongs to the company.
const PLACES: [&str; 16] = [
    "支店",
    "支社",
    "本店",
    "本社",
    "支部",
    "営業所",
    "出張所",
    "事業所",
    "事業部",
    "営業部",
    "工場",
    "研究所",
    "部",
    "課",
    "センター",
    "オフィス",
];

/// Circled kanji as the bracketed abbreviation that they stand for; compatibility folding would drop the circle.
pub(super) fn uncircle(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        plain.push_str(match c {
            '㊑' => "(株)",
            '㊒' => "(有)",
            '㊓' => "(社)",
            '㊔' => "(名)",
            '㊖' => "(財)",
            '㊩' => "(医)",
            '㊪' => "(宗)",
            '㊫' => "(学)",
            other => {
                plain.push(other);
                continue;
            }
        });
    }
    plain
}

/// The name without its legal forms.
pub(super) fn strip(text: &str) -> String {
    let mut name = without_brackets(&unify_brackets(text));
    loop {
        let ends = trim(&name);
        let shorter = strip_end(ends).or_else(|| strip_middle(ends));
        match shorter.filter(|shorter| !trim(shorter).is_empty()) {
            Some(shorter) => name = shorter,
            None => return ends.to_owned(),
        }
    }
}

/// Without anything but letters and digits at its ends.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

fn unify_brackets(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '〔' | '【' | '[' | '{' | '<' | '〈' | '《' | '「' | '『' | '〖' | '〘' => '(',
            '〕' | '】' | ']' | '}' | '>' | '〉' | '》' | '」' | '』' | '〗' | '〙' => ')',
            other => other,
        })
        .collect()
}

/// With a space in place of bracketed abbreviations; at the ends one bracket is enough, as banks write it.
fn without_brackets(text: &str) -> String {
    let is_form = |inner: &str| ABBREVIATED.contains(&inner.trim());
    let mut rest = text.trim();
    if let Some((_, after)) = rest.split_once(')').filter(|(inner, after)| is_form(inner) && has_letter(after)) {
        rest = after;
    }
    if let Some((before, _)) = rest.rsplit_once('(').filter(|(before, inner)| is_form(inner) && has_letter(before)) {
        rest = before;
    }
    let mut name = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('(') {
        name.push_str(before);
        match after.split_once(')').filter(|(inner, _)| is_form(inner)) {
            Some((_, after)) => {
                name.push(' ');
                rest = after;
            }
            None => {
                name.push('(');
                rest = after;
            }
        }
    }
    name.push_str(rest);
    if has_letter(&name) { name } else { text.to_owned() }
}

fn has_letter(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Without one legal form at one of the ends.
fn strip_end(text: &str) -> Option<String> {
    let spelled = if may_spell(text) { &SPELLED[..] } else { &[] };
    let short = if may_spell(text) { &SPELLED_SHORT[..] } else { &[] };
    spelled
        .iter()
        .chain(short)
        .filter_map(|form| text.strip_prefix(form).or_else(|| text.strip_suffix(form)))
        .chain(LATIN_PHRASES.iter().filter_map(|form| {
            let after = text.strip_prefix(form).filter(|rest| !rest.starts_with(is_word));
            after.or_else(|| text.strip_suffix(form).filter(|rest| !rest.ends_with(is_word)))
        }))
        .chain(strip_latin_suffix(text))
        .chain(strip_latin_prefix(text))
        .find(|rest| has_letter(rest))
        .map(str::to_owned)
}

/// Whether any of the spelled forms can be in it; all of them contain one of these.
fn may_spell(text: &str) -> bool {
    ["会社", "法人", "組合", "イシャ"].iter().any(|end| text.contains(end))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Without a last word such as `inc`, `k.k` or `co.ltd`.
fn strip_latin_suffix(text: &str) -> Option<&str> {
    let before = text.trim_end_matches(|c: char| is_word(c) || c == '.');
    let word = &text[before.len()..];
    let joined = word.replace('.', "");
    let is_initials = word.contains('.') && word.split('.').all(|part| part.len() <= 1);
    if LATIN.contains(&joined.as_str()) || (is_initials && LATIN_DOTTED.contains(&joined.as_str())) {
        return Some(before);
    }
    let (name, last) = word.rsplit_once('.')?;
    LATIN.contains(&last).then(|| &text[..before.len() + name.len()])
}

/// Without a first `k.k.` or `kk`, which some write in front.
fn strip_latin_prefix(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("k.k").or_else(|| text.strip_prefix("kk"))?;
    (!rest.starts_with(is_word)).then_some(rest)
}

/// Without a form between the name and a place (アクメ株式会社東京支店), or before a space.
fn strip_middle(text: &str) -> Option<String> {
    if !may_spell(text) {
        return None;
    }
    SPELLED.iter().find_map(|form| {
        let (before, after) = text.split_once(form)?;
        let ends_company = after.starts_with(char::is_whitespace) || PLACES.iter().any(|place| after.ends_with(place));
        (ends_company && has_letter(before)).then(|| format!("{before} {after}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_look_overlooks_no_form_and_no_form_hides_another() {
        let forms: Vec<&str> = SPELLED.iter().chain(&SPELLED_SHORT).copied().collect();
        for (at, form) in forms.iter().enumerate() {
            assert!(may_spell(form), "{form}");
            for earlier in &forms[..at] {
                let hides = form != earlier && (form.starts_with(earlier) || form.ends_with(earlier));
                assert!(!hides, "{earlier} stands before {form}, which contains it");
            }
        }
    }
}
