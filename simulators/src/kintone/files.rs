//! Files: uploaded ones, and those that the population has.

use std::collections::BTreeMap;

use crate::chance::mix;
use crate::kintone::params::Params;
use crate::kintone::refusal::{Answer, illegal_request, no_file};
use crate::kintone::value::File;
use crate::kintone::visit::Visit;
use crate::wire::{Reply, Request};

/// Numbers from here on are those of uploaded files; below, those of the population.
const FIRST_UPLOADED: u64 = 1 << 40;

/// The files of a domain.
#[derive(Debug)]
pub(crate) struct Files {
    /// How many records the population has that may have files.
    records: u64,
    uploaded: BTreeMap<u64, (File, Vec<u8>)>,
    /// Numbers by the key that an upload was answered with.
    keys: BTreeMap<String, u64>,
}

/// The key that a file is downloaded by: another one for another `chance`.
pub(crate) fn download_key(id: u64, chance: u64) -> String {
    format!("20260101{:016x}{:016x}", id ^ mix(chance, 1, 1), chance)
}

fn downloaded(key: &str) -> Option<u64> {
    let digits = key.strip_prefix("20260101").filter(|digits| digits.len() == 32)?;
    let chance = u64::from_str_radix(digits.get(16..)?, 16).ok()?;
    Some(u64::from_str_radix(digits.get(..16)?, 16).ok()? ^ mix(chance, 1, 1))
}

impl Files {
    pub(crate) fn new(records: u64) -> Self {
        Files { records, uploaded: BTreeMap::new(), keys: BTreeMap::new() }
    }

    /// The file that an upload was answered with that key for.
    pub(crate) fn uploaded(&self, key: &str) -> Option<File> {
        let id = self.keys.get(key).copied().or_else(|| downloaded(key))?;
        self.uploaded.get(&id).map(|(file, _)| file.clone())
    }

    /// Keeps a file; gives its upload key, which is not the one that it is downloaded by.
    pub(crate) fn keep(&mut self, name: &str, content_type: &str, bytes: Vec<u8>) -> String {
        let id = FIRST_UPLOADED + self.uploaded.len() as u64;
        let key = format!("up-{:016x}", mix(id, 2, 2));
        let file = File { id, name: name.into(), content_type: content_type.into(), size: bytes.len() as u64 };
        self.uploaded.insert(id, (file, bytes));
        self.keys.insert(key.clone(), id);
        key
    }

    fn content(&self, id: u64) -> Option<(String, Vec<u8>)> {
        if let Some((file, bytes)) = self.uploaded.get(&id) {
            return Some((file.content_type.to_string(), bytes.clone()));
        }
        let is_made = id > 0 && id <= self.records.saturating_mul(2);
        is_made.then(|| ("text/plain".to_owned(), format!("{:040}", id).into_bytes()))
    }
}

/// `GET file.json`.
pub(crate) fn download(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    visit.scope("k:file:read")?;
    let key = params.needed("fileKey")?;
    let found = downloaded(key).and_then(|id| visit.state.files.content(id));
    let (content_type, bytes) = found.ok_or_else(|| no_file(key))?;
    Ok(Reply::text(200, &content_type, bytes))
}

/// `POST file.json`.
pub(crate) fn upload(visit: &mut Visit<'_>, request: &Request) -> Answer<Reply> {
    visit.scope("k:file:write")?;
    let (name, content_type, bytes) = part(request).ok_or_else(illegal_request)?;
    let key = visit.state.files.keep(&name, &content_type, bytes);
    Ok(Reply::value(200, &serde_json::json!({ "fileKey": key })))
}

/// Name, type and content of the one part of a multipart body.
fn part(request: &Request) -> Option<(String, String, Vec<u8>)> {
    let boundary = request.header("content-type")?.split("boundary=").nth(1)?.trim_matches('"');
    let find = |bytes: &[u8], wanted: &[u8]| bytes.windows(wanted.len()).position(|window| window == wanted);
    let start = find(&request.body, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request.body[..start]).into_owned();
    let rest = &request.body[start + 4..];
    let end = find(rest, format!("\r\n--{boundary}").as_bytes())?;
    let name = head.split("filename=\"").nth(1)?.split('"').next()?.to_owned();
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type:")).unwrap_or("application/octet-stream");
    Some((name, kind.trim().to_owned(), rest[..end].to_vec()))
}
