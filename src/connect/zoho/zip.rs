//! A ZIP archive with one file in it, as bulk jobs give their results.
//!
//! An archive is opened only when it is whole: its directory stands at its end, and the file has the length and the sum
//! that the directory says. So what is read from it later cannot break off.

use std::io::{self, Cursor, Read};

use bytes::Bytes;
use flate2::Crc;
use flate2::read::DeflateDecoder;

/// The largest file that is read: 200,000 rows of many columns.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// The end of an archive without a comment, and how long the comment may be.
const END_BYTES: usize = 22;
const MAX_COMMENT_BYTES: usize = 65_535;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The file in an archive.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    packed: Bytes,
    method: u16,
}

/// Reads the file.
pub(super) type File = Box<dyn Read + Send>;

impl Archive {
    /// Opens an archive that holds one file.
    ///
    /// # Errors
    ///
    /// What is wrong with it: cut, damaged, several files, packed in an unknown way.
    pub(super) fn open(bytes: &Bytes) -> Result<Archive, &'static str> {
        let tail = bytes.len().saturating_sub(END_BYTES + MAX_COMMENT_BYTES);
        let end = (tail..bytes.len().saturating_sub(END_BYTES - 1))
            .rev()
            .find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))
            .ok_or("it has no end")?;
        if short(bytes, end + 10)? != 1 {
            return Err("it does not hold one file");
        }
        let entry = long(bytes, end + 16)?;
        if bytes.get(entry..entry + 4) != Some(b"PK\x01\x02") {
            return Err("its directory is not where it says");
        }
        let (method, sum) = (short(bytes, entry + 10)?, long(bytes, entry + 16)?);
        let (packed, length, start) = (long(bytes, entry + 20)?, long(bytes, entry + 24)?, long(bytes, entry + 42)?);
        if bytes.get(start..start + 4) != Some(b"PK\x03\x04") {
            return Err("the file is not where it says");
        }
        let begin = start + 30 + usize::from(short(bytes, start + 26)?) + usize::from(short(bytes, start + 28)?);
        if !matches!(method, STORED | DEFLATED) {
            return Err("it is packed in an unknown way");
        }
        let is_inside = begin.checked_add(packed).is_some_and(|end| end <= bytes.len());
        let packed = if is_inside { bytes.slice(begin..begin + packed) } else { return Err("the file is cut") };
        let archive = Archive { packed, method };
        archive.verify(sum, length)?;
        Ok(archive)
    }

    /// The file from its beginning.
    pub(super) fn file(&self) -> File {
        let packed = Cursor::new(self.packed.clone());
        if self.method == STORED { Box::new(packed) } else { Box::new(DeflateDecoder::new(packed)) }
    }

    fn verify(&self, sum: usize, length: usize) -> Result<(), &'static str> {
        struct Sum(Crc);
        impl io::Write for Sum {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut found = Sum(Crc::new());
        let read = io::copy(&mut self.file().take(MAX_FILE_BYTES), &mut found).map_err(|_| "the file is damaged")?;
        // The sum's own count of bytes wraps at 4 GiB.
        if read != length as u64 || found.0.sum() as usize != sum {
            return Err("the file is not what the directory says");
        }
        Ok(())
    }
}

fn short(bytes: &Bytes, at: usize) -> Result<u16, &'static str> {
    let piece = bytes.get(at..at + 2).and_then(|piece| piece.try_into().ok());
    piece.map(u16::from_le_bytes).ok_or("it is cut")
}

fn long(bytes: &Bytes, at: usize) -> Result<usize, &'static str> {
    let piece = bytes.get(at..at + 4).and_then(|piece| piece.try_into().ok());
    piece.map(u32::from_le_bytes).and_then(|number| usize::try_from(number).ok()).ok_or("it is cut")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// An archive with that file, packed or not.
    fn archive(content: &[u8], method: u16) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(content);
        let data = if method == STORED {
            content.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        let mut about = Vec::new();
        for word in [0, method, 0, 0] {
            about.extend(word.to_le_bytes());
        }
        for word in [crc.sum(), data.len() as u32, content.len() as u32] {
            about.extend(word.to_le_bytes());
        }
        about.extend([5, 0, 0, 0]);
        let mut out = b"PK\x03\x04\x14\x00".to_vec();
        out.extend(&about);
        out.extend(b"1.csv");
        out.extend(&data);
        let directory = out.len() as u32;
        out.extend(b"PK\x01\x02\x14\x00\x14\x00");
        out.extend(&about);
        out.extend([0; 14]);
        out.extend(b"1.csv");
        let length = out.len() as u32 - directory;
        out.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
        out.extend(length.to_le_bytes());
        out.extend(directory.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    fn read(bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
        let archive = Archive::open(&Bytes::from(bytes))?;
        let mut content = Vec::new();
        archive.file().read_to_end(&mut content).unwrap();
        Ok(content)
    }

    #[test]
    fn the_file_comes_out_as_it_went_in() {
        let content = "Id,名\n1,年輪\n".repeat(1_000).into_bytes();
        for method in [STORED, DEFLATED] {
            assert_eq!(read(archive(&content, method)).unwrap(), content);
        }
        assert_eq!(read(archive(b"", DEFLATED)).unwrap(), b"");
    }

    #[test]
    fn an_archive_that_is_cut_or_damaged_is_not_opened() {
        let whole = archive(&"Id,Name\n1,x\n".repeat(50).into_bytes(), STORED);
        for end in [0, 3, 30, 200, whole.len() - 1] {
            assert!(read(whole[..end].to_vec()).is_err(), "cut at {end}");
        }
        let mut damaged = whole.clone();
        damaged[60] ^= 1;
        assert_eq!(read(damaged), Err("the file is not what the directory says"));
        assert!(read(archive(b"x", 12)).is_err());
        assert!(read(b"<html>".repeat(20)).is_err());
    }
}
