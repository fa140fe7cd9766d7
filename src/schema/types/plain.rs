//! Text that stays text: `text`, `ref` and `enum`.

use super::Reason;

/// The text without surrounding white space (columns of fixed width are padded); inner white space and
/// line breaks stay.
pub(super) fn text(text: &str) -> Result<&str, Reason> {
    without_nul(text.trim())
}

/// A key as the other stream has it, to the byte: keys are compared, so nothing may be trimmed.
pub(super) fn reference(text: &str) -> Result<&str, Reason> {
    without_nul(text)
}

/// One of `values`, spelled exactly like there.
pub(super) fn choice<'a>(text: &'a str, values: &[String]) -> Result<&'a str, Reason> {
    let text = text.trim();
    if values.iter().any(|value| value == text) {
        return Ok(text);
    }
    if values.is_empty() {
        return Err(Reason::new("not_in_values", "the variable lists no values; add them under `values:`"));
    }
    const SHOWN: usize = 20;
    let mut list = values.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if values.len() > SHOWN {
        list.push_str(&format!(" and {} more", values.len() - SHOWN));
    }
    Err(Reason::new("not_in_values", format!("not one of the variable's values: {list}")))
}

/// PostgreSQL cannot store the character NUL, so it may not enter a typed column.
fn without_nul(text: &str) -> Result<&str, Reason> {
    if text.as_bytes().contains(&0) {
        return Err(Reason::new("nul_character", "the text contains the character NUL; remove it in the source"));
    }
    Ok(text)
}
