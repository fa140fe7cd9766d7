//! Lines of a text, read and decoded many at a time, each with its place, so that reading can go on there later.
//!
//! A block of lines is decoded in one go; only where that fails is it done line by line, and the lines that hold
//! bytes without a meaning are remembered.

use std::collections::VecDeque;
use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::encoding::{Encoding, hex};

/// A longer line is not text.
const MAX_LINE_BYTES: usize = 16 << 20;
/// So much is read at a time.
const BLOCK_BYTES: usize = 256 << 10;

/// Where a row begins: in bytes of the unpacked text (rows, for formats that are no text), and by its number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) number: u64,
}

/// A line that holds bytes which mean nothing in the encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The first such bytes, as `<81 FF>`.
    pub(super) bytes: String,
    /// Where they begin in the line, from 1.
    pub(super) at: usize,
}

/// How lines are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// Decoded.
    Text,
    /// As their bytes are.
    Bytes,
}

/// Gives line after line. A line ends with a line feed.
pub(super) struct Lines {
    reader: Box<dyn Read + Send>,
    encoding: Encoding,
    given: Given,
    /// Complete lines as they are in the file, from `start` on,
    raw: Vec<u8>,
    start: Place,
    /// what follows them,
    tail: Vec<u8>,
    /// and the lines decoded.
    text: String,
    /// Where the next line begins in what is given, and its number.
    at: usize,
    number: u64,
    /// Lines that do not fit, rising.
    misfits: VecDeque<(u64, Misfit)>,
    has_special: bool,
    is_end: bool,
}

impl Lines {
    /// Lines of `reader`, which stands at `start`.
    pub(super) fn new(reader: Box<dyn Read + Send>, encoding: Encoding, given: Given, start: Place) -> Self {
        Lines {
            reader,
            encoding,
            given,
            raw: Vec::new(),
            start,
            tail: Vec::new(),
            text: String::new(),
            at: 0,
            number: start.number,
            misfits: VecDeque::new(),
            has_special: false,
            is_end: false,
        }
    }

    /// The bytes of the lines in hand, from the next one on; several complete lines, or none.
    pub(super) fn rest(&self) -> &[u8] {
        match self.given {
            Given::Text => &self.text.as_bytes()[self.at..],
            Given::Bytes => &self.raw[self.at..],
        }
    }

    /// The same as text, where lines are given decoded.
    pub(super) fn text(&self) -> &str {
        &self.text[self.at..]
    }

    /// The number of the next line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether there may be a quote or NUL in the lines in hand.
    pub(super) fn has_special(&self) -> bool {
        self.has_special
    }

    /// Where the next line begins.
    pub(super) fn position(&self) -> Place {
        self.position_after(0, 0)
    }

    /// Where the line begins that stands `bytes` of what is given, which are `lines` lines, behind the next one.
    pub(super) fn position_after(&self, bytes: usize, lines: u64) -> Place {
        let number = self.number + lines;
        Place { offset: self.start.offset + self.raw_at(self.at + bytes, number) as u64, number }
    }

    /// How far into `raw` the line `number` begins, which is at `at` of what is given.
    fn raw_at(&self, at: usize, number: u64) -> usize {
        match self.given {
            Given::Bytes => at,
            Given::Text if at == self.text.len() => self.raw.len(),
            Given::Text => match number - self.start.number {
                0 => 0,
                lines => memchr_iter(b'\n', &self.raw)
                    .nth(usize::try_from(lines - 1).unwrap_or(usize::MAX))
                    .map_or(self.raw.len(), |at| at + 1),
            },
        }
    }

    /// Why the line `number` cannot be decoded, if it cannot. Asked for rising numbers.
    pub(super) fn misfit(&mut self, number: u64) -> Option<Misfit> {
        while self.misfits.front().is_some_and(|(line, _)| *line < number) {
            self.misfits.pop_front();
        }
        self.misfits.front().filter(|(line, _)| *line == number).map(|(_, misfit)| misfit.clone())
    }

    /// Whether all bytes of these lines, given as bytes, mean something.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        self.encoding.decode(bytes).is_some()
    }

    /// Whether one of the `count` lines from `number` on cannot be decoded.
    pub(super) fn has_misfit(&self, number: u64, count: u64) -> bool {
        self.misfits.iter().any(|(line, _)| (number..number + count).contains(line))
    }

    /// Goes on behind `bytes` of what is given, which are `lines` lines.
    pub(super) fn advance(&mut self, bytes: usize, lines: u64) {
        self.at += bytes;
        self.number += lines;
    }

    /// Takes in further lines behind those in hand; whether there were any.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or unpacked, or a line is longer than 16 MiB.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.is_end {
            return Ok(false);
        }
        let passed = self.position();
        let raw_at = self.raw_at(self.at, self.number);
        self.raw.drain(..raw_at);
        self.start = passed;
        match self.given {
            Given::Text => drop(self.text.drain(..self.at)),
            Given::Bytes => {}
        }
        self.at = 0;
        let (known, from) = (self.raw.len(), self.tail.len());
        let complete = self.fill(from)?;
        self.raw.extend_from_slice(&self.tail[..complete]);
        self.tail.drain(..complete);
        if self.given == Given::Text {
            self.decode(known);
        }
        let all = self.rest();
        self.has_special = memchr2(b'"', 0, all).is_some();
        Ok(self.raw.len() > known)
    }

    /// Reads until there is a complete line in the tail; gives where the complete ones end.
    fn fill(&mut self, from: usize) -> io::Result<usize> {
        let mut searched = from;
        loop {
            let filled = self.tail.len();
            self.tail.resize(filled + BLOCK_BYTES, 0);
            let mut length = filled;
            // Short reads are usual behind unpackers; a block is filled before it is decoded.
            while length < self.tail.len() {
                match self.reader.read(&mut self.tail[length..]) {
                    Ok(0) => {
                        self.is_end = true;
                        break;
                    }
                    Ok(count) => length += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.tail.truncate(length);
                        return Err(error);
                    }
                }
            }
            self.tail.truncate(length);
            if self.is_end {
                return Ok(length);
            }
            if let Some(at) = memrchr(b'\n', &self.tail[searched..]) {
                return Ok(searched + at + 1);
            }
            searched = length;
            if length >= MAX_LINE_BYTES {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 16 MiB"));
            }
        }
    }

    /// Decodes the lines from `known` on.
    fn decode(&mut self, known: usize) {
        let before = self.text.len();
        let new = &self.raw[known..];
        if self.encoding.decode_into(new, &mut self.text).is_none() {
            return;
        }
        self.text.truncate(before);
        let first = self.start.number + memchr_iter(b'\n', &self.raw[..known]).count() as u64;
        for (number, line) in (first..).zip(new.split_inclusive(|byte| *byte == b'\n')) {
            let (body, line_break) = match line {
                [body @ .., b'\n'] => (body, "\n"),
                body => (body, ""),
            };
            let start = self.text.len();
            if self.encoding.decode_into(body, &mut self.text).is_some() {
                self.text.truncate(start);
                let (marked, places) = self.encoding.decode_marked(body);
                self.text.push_str(&marked);
                if let Some((from, to)) = places.first() {
                    self.misfits.push_back((number, Misfit { bytes: hex(&body[*from..*to]), at: from + 1 }));
                }
            }
            self.text.push_str(line_break);
        }
    }
}

/// The next line of those in `bytes` without its line break, and its length with it.
pub(super) fn first_line(bytes: &[u8]) -> (&[u8], usize) {
    let length = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    (without_break(&bytes[..length]), length)
}

/// A line without its line break.
pub(super) fn without_break(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow(&'static [u8]);

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = out.len().min(self.0.len()).min(3);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(bytes: &'static [u8], encoding: Encoding, given: Given) -> Vec<(Place, Vec<u8>, Option<Misfit>)> {
        let mut lines = Lines::new(Box::new(Slow(bytes)), encoding, given, Place { offset: 0, number: 1 });
        let mut found = Vec::new();
        while !lines.rest().is_empty() || lines.more().unwrap() {
            let place = lines.position();
            let (body, length) = first_line(lines.rest());
            let body = body.to_vec();
            found.push((place, body, lines.misfit(place.number)));
            lines.advance(length, 1);
        }
        assert_eq!(lines.position().offset, bytes.len() as u64);
        found
    }

    #[test]
    fn lines_keep_their_places_decoded_or_not() {
        for given in [Given::Text, Given::Bytes] {
            let found = lines(b"a\r\n\nbc", Encoding::Utf8, given);
            let places: Vec<_> =
                found.iter().map(|(place, body, _)| (place.offset, place.number, body.as_slice())).collect();
            assert_eq!(places, [(0, 1, &b"a"[..]), (3, 2, b""), (4, 3, b"bc")]);
        }
    }

    #[test]
    fn a_line_that_does_not_fit_leaves_the_places_of_the_others_alone() {
        let found = lines(b"\x90\xC2\nx\xFF\xFFy\n\x90\xC2\n", Encoding::Cp932, Given::Text);
        let shown: Vec<_> =
            found.iter().map(|(place, body, _)| (place.offset, String::from_utf8(body.clone()).unwrap())).collect();
        assert_eq!(shown, [(0, "青".to_owned()), (3, "x<FF><FF>y".to_owned()), (8, "青".to_owned())]);
        assert_eq!(found[1].2, Some(Misfit { bytes: "<FF>".to_owned(), at: 2 }));
        assert_eq!((&found[0].2, &found[2].2), (&None, &None));
    }
}
