//! How text is written in a file: declared, or found out, and told.

mod detect;
mod jis2004;
mod utf16;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{DecoderResult, EUC_JP, SHIFT_JIS, UTF_8};

pub(super) use detect::{Decided, Detector, Why};
pub(super) use utf16::Utf16;

/// How text is written. In all of them but UTF-16 a line can be decoded on its own, and the byte of a line feed,
/// a comma, a tab, a semicolon or a quote is always that character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Cp932,
    EucJp,
    ShiftJis2004,
    EucJis2004,
    Utf16Le,
    Utf16Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Cp932 => "cp932",
            Encoding::EucJp => "euc-jp",
            Encoding::ShiftJis2004 => "shift_jis-2004",
            Encoding::EucJis2004 => "euc-jis-2004",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
        })
    }
}

impl Encoding {
    /// How many bytes of `start` are a byte order mark.
    pub(super) fn mark_len(self, start: &[u8]) -> usize {
        let mark: &[u8] = match self {
            Encoding::Utf8 => b"\xEF\xBB\xBF",
            Encoding::Utf16Le => b"\xFF\xFE",
            Encoding::Utf16Be => b"\xFE\xFF",
            Encoding::Cp932 | Encoding::EucJp | Encoding::ShiftJis2004 | Encoding::EucJis2004 => return 0,
        };
        if start.starts_with(mark) { mark.len() } else { 0 }
    }

    /// Whether a file is turned into UTF-8 as it is read, so that places in it are those of the UTF-8.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// Whether the byte of this ASCII character is never a part of another one.
    pub(super) fn keeps_apart(self, character: u8) -> bool {
        match self {
            Encoding::Cp932 | Encoding::ShiftJis2004 => character < 0x40,
            Encoding::Utf8 | Encoding::EucJp | Encoding::EucJis2004 => true,
            Encoding::Utf16Le | Encoding::Utf16Be => false,
        }
    }

    /// Appends the text of `bytes` to `out`, up to the first bytes that mean nothing; gives where those are.
    pub(super) fn decode_into(self, bytes: &[u8], out: &mut String) -> Option<(usize, usize)> {
        let by_rules = match self {
            Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => {
                if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
                    out.push_str(text);
                    return None;
                }
                UTF_8
            }
            Encoding::Cp932 => SHIFT_JIS,
            Encoding::EucJp => EUC_JP,
            Encoding::ShiftJis2004 => return jis2004::decode_shift_jis(bytes, out),
            Encoding::EucJis2004 => return jis2004::decode_euc(bytes, out),
        };
        let mut decoder = by_rules.new_decoder_without_bom_handling();
        out.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3));
        match decoder.decode_to_string_without_replacement(bytes, out, true) {
            (DecoderResult::InputEmpty | DecoderResult::OutputFull, _) => None,
            (DecoderResult::Malformed(bad, after), read) => {
                let end = read - usize::from(after);
                Some((end - usize::from(bad), end))
            }
        }
    }

    /// The text of `bytes`; `None` when a byte in it means nothing.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if bytes.is_ascii() && !matches!(self, Encoding::ShiftJis2004) {
            return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
        }
        let mut text = String::with_capacity(bytes.len() * 2);
        match self.decode_into(bytes, &mut text) {
            None => Some(Cow::Owned(text)),
            Some(_) => None,
        }
    }

    /// The text of `bytes` with what means nothing written as `<81 FF>`, to show to people, and where those are.
    pub(super) fn decode_marked(self, bytes: &[u8]) -> (String, Vec<(usize, usize)>) {
        let (mut text, mut misfits, mut at) = (String::with_capacity(bytes.len() * 2), Vec::new(), 0);
        while let Some((start, end)) = self.decode_into(&bytes[at..], &mut text) {
            let (start, end) = (at + start, at + end);
            text.push_str(&hex(&bytes[start..end]));
            misfits.push((start, end));
            at = end;
        }
        (text, misfits)
    }
}

/// `<81 FF>`.
pub(super) fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("<{}>", bytes.join(" "))
}
