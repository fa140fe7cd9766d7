//! Names of columns and folders: any field name a source may use, made safe and back (semantics B8).
//!
//! Delta refuses names that are equal but for case, and several readers refuse spaces, `,;{}()=` and control
//! characters. A field's column name is the escaped field name (`%28` for `(`), with `~2`, `~3`, … behind it
//! when another field already took an equal one. The column name is given once, when the field is first seen;
//! the field's own name is kept in the column's metadata, and that is what people see.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

/// The key under which a column's metadata keeps the field's own name.
pub(super) const FIELD_NAME_KEY: &str = "nenrin.field";

/// Makes `name` safe as a column's name; [`unescape`] is the way back.
///
/// Escaped are control characters, ` ,;{}()=`, `%`, `~`, `/`, `\`, a leading `_` or `.`, and an empty name.
pub(super) fn escape(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (i, c) in name.chars().enumerate() {
        let bad = c.is_control()
            || matches!(
                c,
                ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '=' | '%' | '~' | '/' | '\\' | ':' | '*' | '?' | '"'
            )
            || (i == 0 && matches!(c, '_' | '.'));
        if bad {
            let mut buffer = [0u8; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                safe.push_str(&format!("%{byte:02X}"));
            }
        } else {
            safe.push(c);
        }
    }
    if safe.is_empty() { "%".to_owned() } else { safe }
}

/// The name that [`escape`] made this from; `None` when it was not made by it.
pub(super) fn unescape(safe: &str) -> Option<String> {
    if safe == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(safe.len());
    let mut rest = safe.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Makes `name` safe as a folder's name: as [`escape`] does, but with `=` in place of `%`, which the several libraries
/// that read a table take for an escape of their own, some once and some twice.
pub(super) fn folder(name: &str) -> String {
    escape(name).replace('%', "=")
}

/// The name that [`folder`] made this from; `None` when it was not made by it.
pub(super) fn of_folder(safe: &str) -> Option<String> {
    if safe.contains('%') {
        return None;
    }
    unescape(&safe.replace('=', "%"))
}

/// What two names must differ in to live in one table: NFC, lower case.
pub(super) fn fold(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}

/// A column name for the field `name` that clashes with none in `taken` (folded names), which it joins.
pub(super) fn column_name(name: &str, taken: &mut HashSet<String>) -> String {
    let safe = escape(name);
    let mut candidate = safe.clone();
    let mut n = 2;
    while !taken.insert(fold(&candidate)) {
        candidate = format!("{safe}~{n}");
        n += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn b8_names_equal_but_for_case_get_columns_of_their_own() {
        let mut taken = HashSet::new();
        assert_eq!(column_name("Name", &mut taken), "Name");
        assert_eq!(column_name("NAME", &mut taken), "NAME~2");
        assert_eq!(column_name("name", &mut taken), "name~3");
        assert_eq!(column_name("_key", &mut taken), "%5Fkey");
        assert_eq!(column_name("月額(税抜)", &mut taken), "月額%28税抜%29");
    }

    proptest! {
        #[test]
        fn b8_any_name_comes_back(name in "\\PC*|[ -~]*") {
            let safe = escape(&name);
            prop_assert_eq!(unescape(&safe), Some(name));
            let refused = safe.contains([' ', ',', ';', '{', '}', '(', ')', '=', '/', '~']);
            prop_assert!(!refused && !safe.starts_with('_'));
        }

        #[test]
        fn b8_any_name_comes_back_from_a_folder(name in "\\PC*|[ -~]*") {
            let safe = folder(&name);
            prop_assert_eq!(of_folder(&safe), Some(name));
            prop_assert!(!safe.contains([' ', '%', '/', '~', '?']));
        }
    }
}
