//! A ZIP archive with one file in it, as bulk jobs give their results.
//!
//! An archive is opened only when it is whole: its directory stands at its end, and the file has the length and the sum
//! that the directory says. So what is read from it later cannot break off.

use std::io::{self, Cursor, Read};

use bytes::Bytes;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// The largest file that is read: 200,000 rows of many columns.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// The file in an archive.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    packed: Bytes,
    is_deflated: bool,
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
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| "it is cut, or no archive")?;
        if archive.len() != 1 {
            return Err("it does not hold one file");
        }
        let mut file = archive.by_index(0).map_err(|_| "the file is damaged, or packed in an unknown way")?;
        let is_deflated = match file.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            _ => return Err("it is packed in an unknown way"),
        };
        let begin = file.data_start().and_then(|at| usize::try_from(at).ok()).ok_or("the file has no place")?;
        let length = usize::try_from(file.compressed_size()).map_err(|_| "the file is too large")?;
        let said = file.size();
        // Reading it to its end compares its sum with that of the directory.
        let read = io::copy(&mut file.by_ref().take(MAX_FILE_BYTES), &mut io::sink());
        if read.map_err(|_| "the file is not what the directory says")? != said {
            return Err("the file is not what the directory says");
        }
        let is_inside = begin.checked_add(length).is_some_and(|end| end <= bytes.len());
        if is_inside {
            Ok(Archive { packed: bytes.slice(begin..begin + length), is_deflated })
        } else {
            Err("the file is cut")
        }
    }

    /// The file from its beginning.
    pub(super) fn file(&self) -> File {
        let packed = Cursor::new(self.packed.clone());
        if self.is_deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::DeflateEncoder;
    use flate2::{Compression, Crc};

    use super::*;

    const STORED: u16 = 0;
    const DEFLATED: u16 = 8;

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
