//! `boolean`: the usual pairs of words and signs.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::width::fold;
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Boolean,
    ja: "真偽",
    about: "Yes or no by the usual pairs of words and signs, letters in any case and width. Other words (済, 未) are translated \
            by `values:` in the mapping: `values: { 済: 'true', 未: 'false' }`.",
    canonical: "`true` or `false`",
    order: "`false` before `true`",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("true", "true"),
            is("FALSE", "false"),
            is("1", "true"),
            is("０", "false"),
            is("yes", "true"),
            is("N", "false"),
            is("はい", "true"),
            is("いいえ", "false"),
            is("有", "true"),
            is("無", "false"),
            is("あり", "true"),
            is("なし", "false"),
            is("○", "true"),
            is("◯", "true"),
            is("×", "false"),
            empty(""),
            held("2", "not_a_boolean"),
            held("△", "not_a_boolean"),
            held("済", "not_a_boolean"),
        ],
    }],
};

const TRUE: [&str; 11] = ["true", "1", "yes", "y", "t", "はい", "有", "有り", "あり", "○", "〇"];
const FALSE: [&str; 11] = ["false", "0", "no", "n", "f", "いいえ", "無", "無し", "なし", "×", "✕"];

/// Reads a yes or no; letters in any case and width.
pub(super) fn parse(text: &str) -> Result<bool, Reason> {
    match text {
        "true" | "1" => return Ok(true),
        "false" | "0" => return Ok(false),
        _ => {}
    }
    let word = fold(text);
    // The large circle is drawn like the small one, but is another character.
    let word = if word == "◯" { "○" } else { word.as_ref() };
    if TRUE.iter().any(|form| form.eq_ignore_ascii_case(word)) {
        Ok(true)
    } else if FALSE.iter().any(|form| form.eq_ignore_ascii_case(word)) {
        Ok(false)
    } else {
        Err(Reason::new(
            "not_a_boolean",
            "neither yes nor no; accepted: true/false, 1/0, yes/no, y/n, t/f, はい/いいえ, 有/無, あり/なし, ○/×",
        ))
    }
}
