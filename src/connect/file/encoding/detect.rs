//! Finding out how a file is written.

use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::EUC_JP;

use super::Encoding;

/// What was decided, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connect::file) struct Decided {
    pub(in crate::connect::file) encoding: Encoding,
    pub(in crate::connect::file) why: Why,
}

/// Why an encoding was decided for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connect::file) enum Why {
    /// The settings say so.
    Declared,
    /// The file begins with a byte order mark.
    Mark,
    /// Every other byte is zero.
    Zeros,
    /// All lines that were looked at are ASCII.
    Ascii,
    /// Of the lines looked at that are not ASCII, so many do not fit it; the others fit less.
    Fits { lines: u64, misfits: u64 },
    /// As many lines fit another one; letters are more usual under this one.
    Usual { lines: u64, misfits: u64 },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Declared => f.write_str("declared"),
            Why::Mark => f.write_str("by its byte order mark"),
            Why::Zeros => f.write_str("by its zeros"),
            Why::Ascii => f.write_str("all of it is ASCII so far"),
            Why::Fits { lines, misfits } => write!(f, "fits {} of {lines} lines, others fewer", lines - misfits),
            Why::Usual { lines, misfits } => {
                write!(f, "fits {} of {lines} lines, and the text is more usual so", lines - misfits)
            }
        }
    }
}

/// Finds out how a file is written from its lines, seen one after the other.
///
/// A byte order mark decides. Otherwise the encoding under which the fewest lines fail to decode, UTF-8
/// before the others: a UTF-8 file with one damaged line is still UTF-8, and that line is rejected. What the
/// Japanese encodings both accept is left to the statistics of the detector.
pub(in crate::connect::file) struct Detector {
    sure: Option<Decided>,
    lines: u64,
    bad_lines: [u64; 3],
    statistics: EncodingDetector,
    looked_at_bytes: usize,
}

/// More lines that are not ASCII are not looked at.
const SAMPLE_BYTES: usize = 4 << 20;

const CANDIDATES: [Encoding; 3] = [Encoding::Utf8, Encoding::Cp932, Encoding::EucJp];

impl Detector {
    /// Looks at the first bytes of the file.
    pub(in crate::connect::file) fn new(start: &[u8]) -> Self {
        let by_mark = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be]
            .into_iter()
            .find(|encoding| encoding.mark_len(start) > 0)
            .map(|encoding| Decided { encoding, why: Why::Mark });
        let sure = by_mark.or_else(|| zeros(start).map(|encoding| Decided { encoding, why: Why::Zeros }));
        Detector {
            sure,
            lines: 0,
            bad_lines: [0; 3],
            statistics: EncodingDetector::new(Iso2022JpDetection::Deny),
            looked_at_bytes: 0,
        }
    }

    /// Whether further lines need not be looked at.
    pub(in crate::connect::file) fn is_sure(&self) -> bool {
        self.sure.is_some() || self.looked_at_bytes > SAMPLE_BYTES
    }

    /// Looks at a line, with its line break.
    pub(in crate::connect::file) fn see(&mut self, line: &[u8]) {
        if line.is_ascii() {
            return;
        }
        self.lines += 1;
        self.looked_at_bytes += line.len();
        self.statistics.feed(line, false);
        for (bad, encoding) in self.bad_lines.iter_mut().zip(CANDIDATES) {
            *bad += u64::from(encoding.decode(line).is_none());
        }
    }

    /// The encoding.
    pub(in crate::connect::file) fn verdict(mut self) -> Decided {
        if let Some(sure) = self.sure {
            return sure;
        }
        let lines = self.lines;
        if lines == 0 {
            return Decided { encoding: Encoding::Utf8, why: Why::Ascii };
        }
        let [utf8, cp932, euc_jp] = self.bad_lines;
        if utf8 <= cp932.min(euc_jp) {
            return Decided { encoding: Encoding::Utf8, why: Why::Fits { lines, misfits: utf8 } };
        }
        if euc_jp != cp932 {
            let (encoding, misfits) = if euc_jp < cp932 { (Encoding::EucJp, euc_jp) } else { (Encoding::Cp932, cp932) };
            return Decided { encoding, why: Why::Fits { lines, misfits } };
        }
        self.statistics.feed(b"", true);
        let is_euc = self.statistics.guess(Some(b"jp"), Utf8Detection::Deny) == EUC_JP;
        let encoding = if is_euc { Encoding::EucJp } else { Encoding::Cp932 };
        Decided { encoding, why: Why::Usual { lines, misfits: cp932 } }
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
