//! Full-width forms of ASCII, as Japanese input methods produce them.

use std::borrow::Cow;

/// The narrow form of a full-width ASCII sign, digit, letter or space; any other character as it is.
pub(super) fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '￥' => '¥',
        '\u{2212}' => '-', // the minus sign that full-width hyphens become on some systems
        other => other,
    }
}

/// The text without surrounding white space, in narrow forms; borrowed when it has no others.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() || text.chars().all(|c| narrow(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(narrow).collect())
    }
}

/// Whether any character is a full-width form of ASCII.
pub(super) fn has_wide(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3000}' | '\u{ff01}'..='\u{ff5e}' | '￥'))
}
