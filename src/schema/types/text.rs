//! `text`: what a source wrote, without the white space around it.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Text,
    ja: "文字列",
    about: "Any text. White space around it goes, since columns of fixed width are padded; inner white space and line \
            breaks stay, and so does the width of letters (`normalize(x)` makes them alike).",
    canonical: "the text",
    order: "by the numbers of its characters in Unicode",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("株式会社アクメ", "株式会社アクメ"),
            is("  padded\u{3000}", "padded"),
            is("ＡＢＣ　１２３", "ＡＢＣ　１２３"),
            empty(""),
            empty("\u{3000} "),
            held("a\0b", "nul_character"),
        ],
    }],
};

/// The text without surrounding white space.
pub(super) fn parse(text: &str) -> Result<&str, Reason> {
    without_nul(text.trim())
}

/// PostgreSQL cannot store the character NUL, so it may not enter a typed column.
pub(super) fn without_nul(text: &str) -> Result<&str, Reason> {
    if text.as_bytes().contains(&0) {
        return Err(Reason::new("nul_character", "the text contains the character NUL; remove it in the source"));
    }
    Ok(text)
}
