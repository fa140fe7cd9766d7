//! How text is written in a file: declared, or found out.

use std::borrow::Cow;
use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

/// How text is written. In all of them a line can be decoded on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    Utf8,
    Cp932,
    EucJp,
    Utf16Le,
    Utf16Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Cp932 => "cp932",
            Encoding::EucJp => "euc-jp",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
        })
    }
}

impl Encoding {
    fn decoder(self) -> &'static encoding_rs::Encoding {
        match self {
            Encoding::Utf8 => UTF_8,
            Encoding::Cp932 => SHIFT_JIS,
            Encoding::EucJp => EUC_JP,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
        }
    }

    /// The text of a line; `None` when a byte in it means nothing.
    pub(super) fn decode(self, line: &[u8]) -> Option<Cow<'_, str>> {
        self.decoder().decode_without_bom_handling_and_without_replacement(line)
    }

    /// The text of a line with `�` for what means nothing, to show to people.
    pub(super) fn decode_lossy(self, line: &[u8]) -> Cow<'_, str> {
        self.decoder().decode_without_bom_handling(line).0
    }

    /// How many bytes of `start` are a byte order mark.
    pub(super) fn mark_len(self, start: &[u8]) -> usize {
        let mark: &[u8] = match self {
            Encoding::Utf8 => b"\xEF\xBB\xBF",
            Encoding::Utf16Le => b"\xFF\xFE",
            Encoding::Utf16Be => b"\xFE\xFF",
            Encoding::Cp932 | Encoding::EucJp => return 0,
        };
        if start.starts_with(mark) { mark.len() } else { 0 }
    }
}

/// Finds out how a file is written from its lines, seen one after the other.
///
/// A byte order mark decides. Otherwise the encoding under which the fewest lines fail to decode, UTF-8
/// before the others: a UTF-8 file with one damaged line is still UTF-8, and that line is rejected. What the
/// Japanese encodings both accept is left to the statistics of the detector.
pub(super) struct Detector {
    by_mark: Option<Encoding>,
    by_zeros: Option<Encoding>,
    bad_lines: [u64; 3],
    statistics: EncodingDetector,
    looked_at_bytes: usize,
}

/// Statistics and the slower counts need no more than this.
const SAMPLE_BYTES: usize = 4 << 20;

const CANDIDATES: [Encoding; 3] = [Encoding::Utf8, Encoding::Cp932, Encoding::EucJp];

impl Detector {
    /// Looks at the first bytes of the file.
    pub(super) fn new(start: &[u8]) -> Self {
        let by_mark = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be]
            .into_iter()
            .find(|encoding| encoding.mark_len(start) > 0);
        Detector {
            by_mark,
            by_zeros: zeros(start),
            bad_lines: [0; 3],
            statistics: EncodingDetector::new(Iso2022JpDetection::Deny),
            looked_at_bytes: 0,
        }
    }

    /// Whether the lines need not be looked at.
    pub(super) fn is_sure(&self) -> bool {
        self.by_mark.is_some() || self.by_zeros.is_some()
    }

    /// Looks at a line, with its line break.
    pub(super) fn see(&mut self, line: &[u8]) {
        if line.is_ascii() || self.looked_at_bytes > SAMPLE_BYTES {
            return;
        }
        self.looked_at_bytes += line.len();
        self.statistics.feed(line, false);
        for (bad, encoding) in self.bad_lines.iter_mut().zip(CANDIDATES) {
            *bad += u64::from(encoding.decode(line).is_none());
        }
    }

    /// The encoding.
    pub(super) fn verdict(mut self) -> Encoding {
        if let Some(sure) = self.by_mark.or(self.by_zeros) {
            return sure;
        }
        let [utf8, cp932, euc_jp] = self.bad_lines;
        let fewest = utf8.min(cp932).min(euc_jp);
        if utf8 == fewest {
            return Encoding::Utf8;
        }
        self.statistics.feed(b"", true);
        let guess = self.statistics.guess(Some(b"jp"), Utf8Detection::Deny);
        let euc_is_meant = euc_jp < cp932 || (euc_jp == cp932 && guess == EUC_JP);
        if euc_is_meant { Encoding::EucJp } else { Encoding::Cp932 }
    }
}

/// UTF-16 without a mark: every other byte of ASCII text is zero.
fn zeros(start: &[u8]) -> Option<Encoding> {
    let pairs = start.len() / 2;
    let count = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (count(0), count(1));
    if pairs < 4 || even.max(odd) * 4 < pairs {
        None
    } else if odd > even {
        Some(Encoding::Utf16Le)
    } else {
        Some(Encoding::Utf16Be)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "コード,顧客名,備考\n001,株式会社アクメ,髙橋様①\n002,ソ連表示予定,～\n";

    fn detect(bytes: &[u8]) -> Encoding {
        let mut detector = Detector::new(bytes);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            detector.see(line);
        }
        detector.verdict()
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn usual_encodings_are_found_out() {
        assert_eq!(detect(TEXT.as_bytes()), Encoding::Utf8);
        assert_eq!(detect(&SHIFT_JIS.encode(TEXT).0), Encoding::Cp932);
        assert_eq!(detect(&EUC_JP.encode(&TEXT.replace('～', "-")).0), Encoding::EucJp);
        assert_eq!(detect(b"id,name\n1,plain\n"), Encoding::Utf8);
        assert_eq!(detect(&utf16(&format!("\u{feff}{TEXT}"), u16::to_le_bytes)), Encoding::Utf16Le);
        assert_eq!(detect(&utf16(&format!("\u{feff}{TEXT}"), u16::to_be_bytes)), Encoding::Utf16Be);
        assert_eq!(detect(&utf16("id,name,amount\n1,a,3\n", u16::to_le_bytes)), Encoding::Utf16Le);
        assert_eq!(detect(&utf16("id,name,amount\n1,a,3\n", u16::to_be_bytes)), Encoding::Utf16Be);
    }

    #[test]
    fn one_damaged_line_does_not_turn_a_file_into_another_encoding() {
        let mut bytes = TEXT.repeat(10).into_bytes();
        bytes.extend_from_slice(b"003,\xE6\xA0\n");
        assert_eq!(detect(&bytes), Encoding::Utf8);
        let mut bytes = SHIFT_JIS.encode(&TEXT.repeat(10)).0.into_owned();
        bytes.extend_from_slice(b"003,\x81\n");
        assert_eq!(detect(&bytes), Encoding::Cp932);
    }
}
