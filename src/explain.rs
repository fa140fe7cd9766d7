//! What the codes of errors and warnings mean, in English and Japanese.
//!
//! The pages in `docs/guides/` are the catalogue: what a person reads there and what `nenrin explain-error` prints cannot
//! differ. Each row of their tables has the code, what it says, why it happens and the next step.

/// A language that explanations are there in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// What the process's locale says (`LC_ALL`, else `LC_MESSAGES`, else `LANG`); English for any but Japanese.
    pub fn of_locale(var: impl Fn(&str) -> Option<String>) -> Language {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| var(name).filter(|text| !text.is_empty()));
        match said {
            Some(text) if text == "ja" || text.starts_with("ja_") || text.starts_with("ja-") => Language::Ja,
            _ => Language::En,
        }
    }

    fn page(self) -> &'static str {
        match self {
            Language::En => include_str!("../docs/guides/errors.md"),
            Language::Ja => include_str!("../docs/guides/errors.ja.md"),
        }
    }
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code, such as `E0401`.
    pub code: &'static str,
    /// What it says, with the exit code in brackets where it ends a command.
    pub what: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// The next step.
    pub next: &'static str,
}

/// Every code, in the order of the page.
pub fn explanations(language: Language) -> impl Iterator<Item = Explanation> {
    language.page().lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let explanation = Explanation {
            code: cells.next().filter(|cell| is_code(cell))?,
            what: cells.next()?,
            why: cells.next()?,
            next: cells.next()?,
        };
        cells.next().is_none().then_some(explanation)
    })
}

/// What `code` means, written in any case.
pub fn explanation(code: &str, language: Language) -> Option<Explanation> {
    explanations(language).find(|known| known.code.eq_ignore_ascii_case(code.trim()))
}

fn is_code(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['C', 'E', 'M']) else { return false };
    (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_explain_the_same_codes_in_the_same_order_with_every_cell_filled() {
        let of = |language| explanations(language).map(|known| known.code).collect::<Vec<_>>();
        let english = of(Language::En);
        assert!(english.len() > 80, "the page was not read");
        assert_eq!(english, of(Language::Ja));
        for language in [Language::En, Language::Ja] {
            // A row that cannot be read would be left out of both alike.
            let rows = language
                .page()
                .lines()
                .filter(|line| line.strip_prefix("| ").and_then(|rest| rest.split(' ').next()).is_some_and(is_code));
            assert_eq!(rows.count(), english.len());
            for known in explanations(language) {
                assert!([known.what, known.why, known.next].iter().all(|cell| !cell.trim().is_empty()), "{known:?}");
            }
        }
        let is_japanese = |text: &str| text.chars().any(|letter| ('\u{3040}'..='\u{9fff}').contains(&letter));
        for known in explanations(Language::Ja) {
            assert!(is_japanese(known.what) && is_japanese(known.why) && is_japanese(known.next), "{known:?}");
        }
    }

    #[test]
    fn a_code_is_found_in_any_case_and_another_is_not() {
        assert_eq!(explanation("e0540", Language::En).unwrap().code, "E0540");
        assert_eq!(explanation("E9999", Language::En), None);
    }

    #[test]
    fn the_locale_chooses_the_language() {
        let of = |vars: &[(&str, &str)]| {
            Language::of_locale(|name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("LANG", "ja_JP.UTF-8")]), Language::Ja);
        assert_eq!(of(&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C")]), Language::En);
        assert_eq!(of(&[("LANG", "ja"), ("LC_ALL", "")]), Language::Ja);
        assert_eq!(of(&[("LANG", "jam_JM")]), Language::En);
        assert_eq!(of(&[]), Language::En);
    }
}
