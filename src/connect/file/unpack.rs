//! What files are packed with: nothing, gzip or zip. Unpacked as it is read, never as a whole in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use schemars::JsonSchema;
use serde::Deserialize;
use zip::{CompressionMethod, ZipArchive};

use super::encoding::Encoding;
use super::format::unreadable;
use super::pattern::{Fit, Pattern};
use super::store::{Local, open_file};
use crate::error::{Error, ErrorKind, Result};

/// How files are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// By the ending of the file's name: `.gz`, `.zip`, anything else is not packed.
    #[default]
    Auto,
    /// Not packed.
    None,
    /// gzip, also of several parts.
    Gzip,
    /// A zip archive, of which every member that fits `members` is read.
    Zip,
}

impl Packing {
    /// How a file called `name` is packed.
    pub(super) fn of(self, name: &str) -> Packing {
        let lower = name.to_ascii_lowercase();
        match self {
            Packing::Auto if lower.ends_with(".gz") => Packing::Gzip,
            Packing::Auto if lower.ends_with(".zip") => Packing::Zip,
            Packing::Auto => Packing::None,
            declared => declared,
        }
    }
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    start: u64,
    packed_bytes: u64,
    bytes: u64,
    sum: u32,
    is_deflated: bool,
}

/// The members of an archive that fit, by name.
///
/// # Errors
///
/// Bad data when it is no archive, has a password, or is packed in an unknown way.
pub(super) fn members(local: &Local, wanted: &Pattern) -> Result<Vec<Member>> {
    let wrong = |message: &str| Error::new(ErrorKind::BadData, message);
    let damaged = |error: zip::result::ZipError| {
        wrong("the file cannot be read as a zip archive").help("it is cut or damaged: export it again").caused_by(error)
    };
    let mut archive = ZipArchive::new(BufReader::new(open_file(local.path())?)).map_err(damaged)?;
    let mut members = Vec::new();
    let mut others = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(damaged)?;
        if file.is_dir() {
            continue;
        }
        let name = member_name(file.name_raw());
        let last = name.rsplit('/').next().unwrap_or_default();
        if wanted.matches(&name) == Fit::No || last.starts_with('.') || name.starts_with("__MACOSX/") {
            others.push(name);
            continue;
        }
        if file.encrypted() {
            return Err(wrong("a file in the archive has a password")
                .with("member", &name)
                .help("export it without one: nenrin keeps no passwords for files"));
        }
        let is_deflated = match file.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                return Err(wrong("a file in the archive is packed in a way that is not read")
                    .with("member", &name)
                    .with("method", other)
                    .help("pack it with the usual method (deflate)"));
            }
        };
        let start =
            file.data_start().ok_or_else(|| wrong("a file in the archive has no place").with("member", &name))?;
        let (packed_bytes, bytes, sum) = (file.compressed_size(), file.size(), file.crc32());
        members.push(Member { name, start, packed_bytes, bytes, sum, is_deflated });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    if members.is_empty() {
        return Err(wrong("no file in the archive fits `members`")
            .with("members", wanted.as_str())
            .with("there are", others.join(", "))
            .help("mend `members` of the stream; an empty archive is not taken for 'no customers'"));
    }
    Ok(members)
}

/// The name of a member: UTF-8 where it is that, else what Windows writes in Japan.
fn member_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => Encoding::Cp932.decode_marked(raw).0,
    }
}

/// The unpacked bytes from `offset` on.
///
/// # Errors
///
/// When it cannot be opened, or ends before `offset`.
pub(super) fn open(
    local: &Local,
    packing: Packing,
    member: Option<&Member>,
    offset: u64,
) -> Result<Box<dyn Read + Send>> {
    let mut file = open_file(local.path())?;
    let mut unpacked: Box<dyn Read + Send> = match (packing, member) {
        (Packing::Gzip, _) => Box::new(MultiGzDecoder::new(BufReader::with_capacity(128 << 10, file))),
        (Packing::Zip, Some(member)) => {
            file.seek(SeekFrom::Start(member.start)).map_err(unreadable)?;
            let packed = BufReader::with_capacity(128 << 10, file).take(member.packed_bytes);
            let content: Box<dyn Read + Send> =
                if member.is_deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
            Box::new(Summed { content, crc: Crc::new(), read: 0, member: member.clone() })
        }
        _ => {
            file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
            return Ok(Box::new(file));
        }
    };
    io::copy(&mut unpacked.by_ref().take(offset), &mut io::sink()).map_err(unreadable)?;
    Ok(unpacked)
}

/// The unpacked file on this machine, for formats that jump about in it.
///
/// # Errors
///
/// When it cannot be unpacked.
pub(super) fn whole(local: &Local, packing: Packing, member: Option<&Member>) -> Result<Local> {
    if matches!(packing, Packing::None | Packing::Auto) {
        return Ok(local.clone());
    }
    let mut unpacked = open(local, packing, member, 0)?;
    let mut copy = tempfile::NamedTempFile::new().map_err(unreadable)?;
    io::copy(&mut unpacked, &mut copy).map_err(unreadable)?;
    Ok(Local::temporary(copy.into_temp_path()))
}

/// Checks at its end that a member is what the archive's directory says.
struct Summed {
    content: Box<dyn Read + Send>,
    crc: Crc,
    read: u64,
    member: Member,
}

impl Read for Summed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(out)?;
        self.crc.update(&out[..count]);
        self.read += count as u64;
        if count == 0 && !out.is_empty() && (self.read != self.member.bytes || self.crc.sum() != self.member.sum) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a file in the archive is not what its directory says",
            ));
        }
        Ok(count)
    }
}

/// A hash of all bytes as they are in the file.
///
/// # Errors
///
/// When it cannot be read.
pub(super) fn fingerprint(local: &Local) -> Result<String> {
    let mut file: File = open_file(local.path())?;
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let mut piece = vec![0; 256 << 10];
    loop {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(format!("{:032x}", hash.digest128())),
            count => hash.update(&piece[..count]),
        }
    }
}
