//! Where files are: a folder, or an object store by URL.
//!
//! Files of an object store are brought to a temporary file as they are read, in one piece of one version, so that
//! they can be looked at before a row of them is given away.

use std::fs::{File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, ObjectStore};
use tempfile::TempPath;
use url::Url;

use super::pattern::{FileDate, Fit, Pattern};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// A file that fits a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Relative to the source's folder, with `/`.
    pub(super) name: String,
    /// What it states; `None` for undated files, and until the cell that tells it was read.
    pub(super) date: Option<FileDate>,
    pub(super) size_bytes: u64,
    /// When it was last written.
    pub(super) modified_at: Timestamp,
    /// What an object store calls this version of it.
    pub(super) tag: Option<String>,
}

/// What a look at the folder gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// The files that fit, by date and name.
    pub(super) found: Vec<Found>,
    /// Files that fit but for their date, and why.
    pub(super) undated: Vec<(String, String)>,
}

/// Where the files of a source are.
pub(super) enum Store {
    Folder(PathBuf),
    Objects { store: Arc<dyn ObjectStore>, prefix: ObjectPath, url: String },
}

/// A file that lies on this machine.
#[derive(Debug, Clone)]
pub(super) struct Local {
    path: PathBuf,
    /// Set where it is a copy, which goes away with this.
    copy: Option<Arc<TempPath>>,
}

impl Local {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file that was written here to be read, gone with this.
    pub(super) fn temporary(path: TempPath) -> Local {
        Local { path: path.to_path_buf(), copy: Some(Arc::new(path)) }
    }
}

impl Store {
    /// The store at `path`: a folder (relative to `root`), or the URL of an object store with `options` for it.
    ///
    /// # Errors
    ///
    /// Config when the URL makes no sense or its scheme is not built in.
    pub(super) fn open(path: &str, root: &Path, options: Vec<(String, String)>) -> Result<Store> {
        let url = match Url::parse(path) {
            // One letter is a drive.
            Ok(url) if url.scheme().len() > 1 => url,
            _ => return Ok(Store::Folder(root.join(path))),
        };
        if url.scheme() == "file" {
            let folder = url.to_file_path().map_err(|()| {
                Error::new(ErrorKind::Config, "the URL of the files is no path on this machine").with("path", path)
            })?;
            return Ok(Store::Folder(folder));
        }
        let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| {
            Error::new(ErrorKind::Config, "the URL of the files cannot be used")
                .with("path", path)
                .help(
                    "give a folder, or a URL whose driver is built in (cargo build --features aws, gcp, azure or http); \
                     credentials go into `options` or the environment",
                )
                .caused_by(error)
        })?;
        Ok(Store::Objects { store: Arc::from(store), prefix, url: path.to_owned() })
    }

    /// Where it is, for messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Store::Folder(folder) => folder.display().to_string(),
            Store::Objects { url, .. } => url.clone(),
        }
    }

    /// The files that fit `pattern`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there is no such folder, [`ErrorKind::Unavailable`] when it cannot be read.
    pub(super) fn list(&self, pattern: &Pattern) -> Result<Listing> {
        let mut listing = Listing::default();
        self.each(pattern.depth(), &mut |file| match pattern.matches(&file.name) {
            Fit::No => {}
            Fit::Undated => listing.found.push(file),
            Fit::Dated(date) => listing.found.push(Found { date: Some(date), ..file }),
            Fit::NoDate(reason) => listing.undated.push((file.name, reason)),
        })?;
        sort(&mut listing.found);
        listing.undated.sort();
        Ok(listing)
    }

    /// The names of all files in the folder itself.
    ///
    /// # Errors
    ///
    /// As for listing.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        self.each(0, &mut |file| names.push(file.name))?;
        names.sort();
        Ok(names)
    }

    /// Visits every file at most `depth` folders down. What spreadsheets leave beside an open workbook, and hidden
    /// files, are none.
    fn each(&self, depth: usize, visit: &mut dyn FnMut(Found)) -> Result<()> {
        let mut visit = |file: Found| {
            let last = file.name.rsplit('/').next().unwrap_or_default();
            if !last.starts_with("~$") && !last.starts_with('.') {
                visit(file);
            }
        };
        match self {
            Store::Folder(folder) => {
                if !folder.is_dir() {
                    return Err(Error::new(ErrorKind::Config, "the folder of the files is not there")
                        .with("path", folder.display())
                        .help("check `path` in the source's file, and that the folder is mounted"));
                }
                walk(folder, "", depth, &mut visit)
            }
            Store::Objects { store, prefix, .. } => {
                let objects = runtime()?.block_on(store.list(Some(prefix)).try_collect::<Vec<_>>());
                for object in objects.map_err(|error| self.failed("the files cannot be listed", error))? {
                    let Some(parts) = object.location.prefix_match(prefix) else { continue };
                    let name = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
                    if name.is_empty() || name.matches('/').count() > depth {
                        continue;
                    }
                    let modified_at = Timestamp::from(object.last_modified);
                    let tag = object.e_tag.or(object.version);
                    visit(Found { name, date: None, size_bytes: object.size, modified_at, tag });
                }
                Ok(())
            }
        }
    }

    /// The file on this machine, brought here if it is not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when it cannot be read, or is no longer the one that was listed.
    pub(super) fn bring(&self, found: &Found) -> Result<Local> {
        match self {
            Store::Folder(folder) => Ok(Local { path: folder.join(&found.name), copy: None }),
            Store::Objects { store, prefix, .. } => {
                let mut copy = tempfile::NamedTempFile::new().map_err(unkept)?;
                let path = found.name.split('/').fold(prefix.clone(), |path, part| path.join(part));
                let options = GetOptions { if_match: found.tag.clone(), ..GetOptions::default() };
                let fetched: Result<()> = runtime()?.block_on(async {
                    let answer = match store.get_opts(&path, options).await {
                        Err(object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. }) => {
                            return Err(changed(&found.name));
                        }
                        answer => answer.map_err(|error| self.failed("the file cannot be fetched", error))?,
                    };
                    let mut pieces = answer.into_stream();
                    while let Some(piece) = pieces.next().await {
                        let piece = piece.map_err(|error| self.failed("the file cannot be fetched", error))?;
                        copy.write_all(&piece).map_err(unkept)?;
                    }
                    copy.flush().map_err(unkept)
                });
                fetched?;
                Ok(Local::temporary(copy.into_temp_path()))
            }
        }
    }

    /// That `local` still is what `found` says, unless it was written to in between.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when it is not.
    pub(super) fn check_unchanged(&self, found: &Found, local: &Local) -> Result<()> {
        if local.copy.is_some() {
            return Ok(());
        }
        let now = std::fs::metadata(&local.path).map(|metadata| stamp(&metadata)).ok();
        if now == Some((found.size_bytes, found.modified_at)) { Ok(()) } else { Err(changed(&found.name)) }
    }

    fn failed(&self, message: &str, error: object_store::Error) -> Error {
        let kind = match &error {
            object_store::Error::PermissionDenied { .. } => ErrorKind::Permission,
            object_store::Error::Unauthenticated { .. } => ErrorKind::Auth,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, message)
            .with("path", self.shown())
            .help("check `path` and `options` of the source, and that its credentials may list and read")
            .caused_by(error)
    }
}

/// By date and name.
pub(super) fn sort(found: &mut [Found]) {
    found.sort_by(|a, b| (a.date, &a.name).cmp(&(b.date, &b.name)));
}

/// Files are read on a blocking thread of a runtime.
fn runtime() -> Result<tokio::runtime::Handle> {
    tokio::runtime::Handle::try_current()
        .map_err(|error| Error::new(ErrorKind::Internal, "object stores are read within a runtime").caused_by(error))
}

fn unkept(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "a temporary copy of a file cannot be written")
        .with("folder", std::env::temp_dir().display())
        .help("free some disk, or point TMPDIR to a larger one")
        .caused_by(error)
}

/// That a file is not what it was when it was looked at.
pub(super) fn changed(file: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "a file changed while it was read")
        .with("file", file)
        .help("run the sync again when the export has finished; write to another name and rename to avoid this")
}

fn walk(folder: &Path, prefix: &str, depth: usize, visit: &mut dyn FnMut(Found)) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Unavailable, "the folder cannot be read")
            .with("path", folder.display())
            .help("check `path` in the source's file, and that the folder is mounted")
            .caused_by(error)
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{part}");
        // Follows links, unlike the entry's own metadata; what vanished meanwhile is not there.
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if metadata.is_dir() {
            if prefix.matches('/').count() < depth {
                walk(&entry.path(), &format!("{name}/"), depth, visit)?;
            }
        } else {
            let (size_bytes, modified_at) = stamp(&metadata);
            visit(Found { name, date: None, size_bytes, modified_at, tag: None });
        }
    }
    Ok(())
}

/// Size and time of last writing.
fn stamp(metadata: &Metadata) -> (u64, Timestamp) {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (metadata.len(), Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}

/// Opens a file of this machine.
///
/// # Errors
///
/// Permission or availability.
pub(super) fn open_file(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, "the file cannot be opened").help("check that nenrin may read it").caused_by(error)
    })
}
