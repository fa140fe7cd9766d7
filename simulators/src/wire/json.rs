//! JSON text, written straight into a string: a page of 2,000 records is too large for a tree.

/// Appends `text` as a JSON string.
pub(crate) fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[clean..at]);
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                out.push_str("\\u00");
                for digit in [other >> 4, other & 15] {
                    out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

/// Appends `"name":`.
pub(crate) fn key(name: &str, out: &mut String) {
    string(name, out);
    out.push(':');
}

#[cfg(test)]
mod tests {
    #[test]
    fn odd_characters_survive() {
        let text = "a\"b\\c\nd\u{0}é年輪😀\u{1f}";
        let mut out = String::new();
        super::string(text, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
