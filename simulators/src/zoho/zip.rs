//! A ZIP file with one file in it.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::wire::gzip::crc;

/// The longest file that is really compressed; longer ones are stored, for the same reason as in `wire::gzip`.
const LONGEST_PACKED: usize = 64 << 10;
/// The names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// 2026-11-01, as DOS writes it: files need a time, and nobody looks at it.
const DAY: u16 = (46 << 9) | (11 << 5) | 1;

/// A ZIP file that holds `content` under that name.
pub(crate) fn pack(name: &str, content: &[u8]) -> Vec<u8> {
    let (method, data) = compressed(content);
    let sum = !crc(u32::MAX, content);
    let mut about = Vec::new();
    for word in [FLAGS, method, 0, DAY] {
        about.extend(word.to_le_bytes());
    }
    for word in [sum, data.len() as u32, content.len() as u32] {
        about.extend(word.to_le_bytes());
    }
    about.extend((name.len() as u16).to_le_bytes());
    about.extend([0, 0]);
    let mut out = Vec::with_capacity(data.len() + 2 * name.len() + 128);
    out.extend([b'P', b'K', 3, 4, 20, 0]);
    out.extend(&about);
    out.extend(name.as_bytes());
    out.extend(&data);
    let directory = out.len() as u32;
    out.extend([b'P', b'K', 1, 2, 20, 0, 20, 0]);
    out.extend(&about);
    // No comment, first disk, no attributes, and the file begins where all begins.
    out.extend([0; 14]);
    out.extend(name.as_bytes());
    let length = out.len() as u32 - directory;
    out.extend([b'P', b'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]);
    out.extend(length.to_le_bytes());
    out.extend(directory.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// The method and the bytes.
fn compressed(content: &[u8]) -> (u16, Vec<u8>) {
    if content.len() > LONGEST_PACKED {
        return (0, content.to_vec());
    }
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(content.len() / 2 + 32), Compression::fast());
    match encoder.write_all(content).and_then(|()| encoder.finish()) {
        Ok(data) => (8, data),
        // Writing to memory does not fail; if it did, storing would do as well.
        Err(_) => (0, content.to_vec()),
    }
}
