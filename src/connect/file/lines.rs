//! Lines of a file as bytes, each with its place, so that reading can go on there later.

use std::io::{self, BufRead, Read};

use super::encoding::Encoding;

/// A longer line is not text.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A line as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// With its line break.
    pub(super) bytes: Vec<u8>,
    /// Where it begins.
    pub(super) offset: u64,
    /// From 1.
    pub(super) number: u64,
}

/// Gives line after line. A line ends with a line feed; in the encodings we know no character contains one.
pub(super) struct Lines<R> {
    reader: R,
    encoding: Encoding,
    offset: u64,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `reader`, which stands at `offset`, the start of the line `number`.
    pub(super) fn new(reader: R, encoding: Encoding, offset: u64, number: u64) -> Self {
        Lines { reader, encoding, offset, number }
    }

    /// Where the next line begins, and its number.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.offset, self.number)
    }

    /// The next line.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line is longer than 16 MiB.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        loop {
            let room = MAX_LINE_BYTES - bytes.len() as u64;
            let read = (&mut self.reader).take(room).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                if bytes.len() as u64 >= MAX_LINE_BYTES {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 16 MiB"));
                }
                break;
            }
            if bytes.last() == Some(&b'\n') && self.ends_line(&mut bytes)? {
                break;
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let line = Line { offset: self.offset, number: self.number, bytes };
        self.offset += line.bytes.len() as u64;
        self.number += 1;
        Ok(Some(line))
    }

    /// Whether the line feed byte just read is a line feed; completes it where it is the first of two bytes.
    fn ends_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let is_even = bytes.len().is_multiple_of(2);
        match self.encoding {
            Encoding::Utf16Le if is_even => Ok(false),
            Encoding::Utf16Le => {
                let high = self.reader.fill_buf()?.first().copied();
                if let Some(high) = high {
                    self.reader.consume(1);
                    bytes.push(high);
                }
                Ok(high.is_none_or(|high| high == 0))
            }
            Encoding::Utf16Be => Ok(is_even && bytes[bytes.len() - 2] == 0),
            Encoding::Utf8 | Encoding::Cp932 | Encoding::EucJp => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], encoding: Encoding) -> Vec<Line> {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, bytes), encoding, 0, 1);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn lines_keep_their_places() {
        let found = lines(b"a\r\n\nbc", Encoding::Utf8);
        let places: Vec<_> = found.iter().map(|line| (line.offset, line.number, line.bytes.as_slice())).collect();
        assert_eq!(places, [(0, 1, &b"a\r\n"[..]), (3, 2, b"\n"), (4, 3, b"bc")]);
    }

    #[test]
    fn characters_that_contain_the_byte_of_a_line_feed_do_not_end_a_line() {
        // U+0A0A and U+010A hold the byte 0x0A in UTF-16.
        let text = "\u{0A0A}x\n\u{010A}\n";
        for (encoding, bytes) in [
            (Encoding::Utf16Le, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            (Encoding::Utf16Be, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let found: Vec<String> =
                lines(&bytes, encoding).iter().map(|line| encoding.decode(&line.bytes).unwrap().into_owned()).collect();
            assert_eq!(found, ["\u{0A0A}x\n", "\u{010A}\n"], "{encoding}");
        }
    }
}
