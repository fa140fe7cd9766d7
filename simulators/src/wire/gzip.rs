//! Compresses answers. Long ones are only wrapped: an unoptimized compressor would take longer than
//! everything else together, and a client that unwraps the one unwraps the other.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The longest body that is really compressed.
const LONGEST_PACKED: usize = 64 << 10;

/// The body as a gzip file.
pub(crate) fn pack(body: &[u8]) -> Vec<u8> {
    if body.len() > LONGEST_PACKED {
        return wrap(body);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2 + 32), Compression::fast());
    match encoder.write_all(body).and_then(|()| encoder.finish()) {
        Ok(packed) => packed,
        // Writing to memory does not fail; if it did, wrapping would do as well.
        Err(_) => wrap(body),
    }
}

/// A gzip file of stored blocks.
fn wrap(body: &[u8]) -> Vec<u8> {
    let mut wrapper = Wrapper::new();
    let mut out = wrapper.wrap(body);
    out.extend(wrapper.finish());
    out
}

/// Makes a gzip file of stored blocks, piece by piece.
#[derive(Debug)]
pub(crate) struct Wrapper {
    has_begun: bool,
    crc: u32,
    length: u32,
}

impl Wrapper {
    pub(crate) fn new() -> Self {
        Wrapper { has_begun: false, crc: u32::MAX, length: 0 }
    }

    /// The next part of the file, which holds `body`.
    pub(crate) fn wrap(&mut self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len() + body.len() / 1_000 + 64);
        if !self.has_begun {
            self.has_begun = true;
            out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        }
        for block in body.chunks(usize::from(u16::MAX)) {
            let length = block.len() as u16;
            out.push(0);
            out.extend(length.to_le_bytes());
            out.extend((!length).to_le_bytes());
            out.extend_from_slice(block);
        }
        self.crc = crc(self.crc, body);
        self.length = self.length.wrapping_add(body.len() as u32);
        out
    }

    /// The end of the file.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let mut out = vec![1, 0, 0, 255, 255];
        out.extend((!self.crc).to_le_bytes());
        out.extend(self.length.to_le_bytes());
        out
    }
}

const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};

/// The checksum `crc`, carried on over `bytes`; it begins with all bits set and ends with them flipped.
pub(crate) fn crc(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 255) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    #[test]
    fn short_and_long_bodies_unpack() {
        for length in [1usize, 1_000, 65_535, 65_536, 65_537, 300_000] {
            let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(super::pack(&body).as_slice()).read_to_end(&mut plain).unwrap();
            assert!(plain == body, "{length}");
        }
    }
}
