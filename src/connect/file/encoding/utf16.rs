//! UTF-16 read as UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

/// What stands for half of a surrogate pair: it is no UTF-8 either, so its line is refused like any other.
const MISFIT: u8 = 0xFF;

/// Turns UTF-16 into UTF-8.
pub(in crate::connect::file) struct Utf16<R> {
    reader: R,
    decoder: Decoder,
    input: Vec<u8>,
    at: usize,
    is_last: bool,
    output: Vec<u8>,
    given: usize,
    is_done: bool,
}

impl<R: Read> Utf16<R> {
    /// `reader` stands behind the byte order mark.
    pub(in crate::connect::file) fn new(reader: R, is_big_endian: bool) -> Self {
        let encoding = if is_big_endian { UTF_16BE } else { UTF_16LE };
        let decoder = encoding.new_decoder_without_bom_handling();
        Utf16 {
            reader,
            decoder,
            input: Vec::new(),
            at: 0,
            is_last: false,
            output: Vec::new(),
            given: 0,
            is_done: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.at == self.input.len() && !self.is_last {
            self.input.resize(128 << 10, 0);
            self.at = 0;
            let read = self.reader.read(&mut self.input)?;
            self.input.truncate(read);
            self.is_last = read == 0;
        }
        self.output.resize((self.input.len() - self.at) * 3 + 16, 0);
        self.given = 0;
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.input[self.at..], &mut self.output, self.is_last);
        self.at += read;
        self.output.truncate(written);
        match result {
            DecoderResult::Malformed(..) => self.output.push(MISFIT),
            DecoderResult::InputEmpty => self.is_done = self.is_last,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() && !self.is_done {
            self.fill()?;
        }
        let count = out.len().min(self.output.len() - self.given);
        out[..count].copy_from_slice(&self.output[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
