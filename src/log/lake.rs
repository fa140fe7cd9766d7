//! The lake: where logs, ledgers and snapshots lie, on a local folder or an object store.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use deltalake::DeltaTableBuilder;
use deltalake::logstore::LogStoreRef;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use url::Url;

use super::durable::DurableFileSystem;
use super::names::{folder, of_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::record::StreamId;

/// Where everything durable but the control database lies.
#[derive(Debug, Clone)]
pub struct Lake {
    root: Url,
    /// Set for a lake on the local file system.
    local: Option<PathBuf>,
    store: Arc<dyn ObjectStore>,
}

impl Lake {
    /// The lake at `url`: a path (relative to `base`), `file://…`, or the URL of an object store.
    ///
    /// # Errors
    ///
    /// Config when the URL makes no sense or its scheme is not built in, storage when a local folder cannot
    /// be made.
    pub fn open(url: &str, base: &FsPath) -> Result<Lake> {
        let bad = |error: String| {
            Error::new(ErrorKind::Config, "the lake's URL cannot be used")
                .code("E0510")
                .with("lake", url)
                .help("give lake.url a folder such as ./lake; this build has no drivers for object stores")
                .caused_by(error)
        };
        let local = match Url::parse(url) {
            Ok(parsed) if parsed.scheme() == "file" => {
                Some(parsed.to_file_path().map_err(|()| bad("not a local path".into()))?)
            }
            Ok(parsed) if parsed.scheme().len() > 1 => {
                let logs = DeltaTableBuilder::from_url(parsed.clone())
                    .and_then(|builder| builder.build_storage())
                    .map_err(|error| bad(error.to_string()))?;
                return Ok(Lake { root: parsed, local: None, store: logs.object_store(None) });
            }
            _ => Some(base.join(url)),
        };
        let folder = local.unwrap_or_default();
        std::fs::create_dir_all(&folder).and_then(|()| folder.canonicalize()).map_or_else(
            |error| {
                Err(Error::new(ErrorKind::Storage, "the lake's folder cannot be made or opened")
                    .code("E0511")
                    .with("lake", folder.display())
                    .help("check that the folder exists and that this user may write there")
                    .caused_by(error))
            },
            |folder| {
                let root = Url::from_directory_path(&folder).map_err(|()| bad("not an absolute path".into()))?;
                let prefix = Path::from_absolute_path(&folder).map_err(|error| bad(error.to_string()))?;
                let store = object_store::prefix::PrefixStore::new(DurableFileSystem::new(), prefix);
                Ok(Lake { root, local: Some(folder), store: Arc::new(store) })
            },
        )
    }

    /// The lake's root, for messages.
    pub fn url(&self) -> &Url {
        &self.root
    }

    /// The folder of a local lake.
    pub fn local_folder(&self) -> Option<&FsPath> {
        self.local.as_deref()
    }

    /// Where the log of `stream` lies: `log/<source>/<stream>`, names escaped.
    pub(super) fn log_path(stream: &StreamId) -> String {
        format!("log/{}/{}", folder(&stream.source.0), folder(&stream.stream))
    }

    /// Where the ledger of `stream` lies.
    pub(super) fn ledger_path(stream: &StreamId) -> String {
        format!("ledger/{}/{}", folder(&stream.source.0), folder(&stream.stream))
    }

    /// The Delta log store of the table at `path` below the root.
    pub(super) fn log_store(&self, path: &str) -> Result<LogStoreRef> {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            segments.extend(path.split('/'));
            segments.push("");
        }
        let builder = DeltaTableBuilder::from_url(url.clone()).map_err(|error| storage(path, error))?;
        let builder = if self.local.is_some() {
            builder.with_storage_backend(Arc::new(DurableFileSystem::new()), url)
        } else {
            builder
        };
        builder.build_storage().map_err(|error| storage(path, error))
    }

    /// Reads the object at `path` below the root; `None` when there is none.
    pub async fn get(&self, path: &str) -> Result<Option<Bytes>> {
        match self.store.get(&Path::from(path)).await {
            Ok(answer) => Ok(Some(answer.bytes().await.map_err(|error| storage(path, error))?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(storage(path, error)),
        }
    }

    /// Writes the object at `path` below the root, whole or not at all, durable when this returns.
    pub async fn put(&self, path: &str, bytes: impl Into<Bytes>) -> Result<()> {
        let options = PutOptions { mode: PutMode::Overwrite, ..PutOptions::default() };
        self.store
            .put_opts(&Path::from(path), bytes.into().into(), options)
            .await
            .map(|_| ())
            .map_err(|error| storage(path, error))
    }

    /// Removes the object at `path` below the root, if there is one.
    pub async fn delete(&self, path: &str) -> Result<()> {
        match self.store.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(storage(path, error)),
        }
    }

    /// The streams that have a log here, sorted.
    pub async fn streams(&self) -> Result<Vec<StreamId>> {
        let mut streams = Vec::new();
        for source in self.folders("log").await? {
            for stream in self.folders(&format!("log/{source}")).await? {
                if let (Some(source), Some(stream)) = (of_folder(&source), of_folder(&stream)) {
                    streams.push(StreamId::new(source, stream));
                }
            }
        }
        streams.sort();
        Ok(streams)
    }

    /// The names of the folders directly in the folder `path` below the root.
    async fn folders(&self, path: &str) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&Path::from(path))).await;
        let folders = listed.map_err(|error| storage(path, error))?.common_prefixes;
        Ok(folders.iter().filter_map(|folder| folder.filename().map(str::to_owned)).collect())
    }

    /// The names of the objects directly in the folder `path` below the root, sorted.
    pub async fn list(&self, path: &str) -> Result<Vec<String>> {
        let prefix = Path::from(path);
        let objects: Vec<_> =
            self.store.list(Some(&prefix)).try_collect().await.map_err(|error| storage(path, error))?;
        let mut names: Vec<String> = objects
            .iter()
            .filter_map(|object| {
                let parts: Vec<_> = object.location.prefix_match(&prefix)?.collect();
                match parts.as_slice() {
                    [name] => Some(name.as_ref().to_owned()),
                    _ => None,
                }
            })
            .collect();
        names.sort();
        Ok(names)
    }
}

/// A failure of our storage at `path`, told so that the operator knows what to look at.
pub(super) fn storage(path: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = error.into();
    let text = error.to_string();
    // Text is all that is left of the cause: the store wraps it more than once.
    let is = |code: u32| text.contains(&format!("(os error {code})"));
    let help = if is(28) {
        "the disk is full: free some room and run the sync again, nothing is lost"
    } else if is(27) || is(122) {
        "a limit on the size of files or the room of this user is reached: raise it and run the sync again, nothing is lost"
    } else if is(13) || is(30) {
        "check that this user may write to the lake"
    } else {
        "look at the lake's folder or store, then run the command again: what was committed stands"
    };
    Error::new(ErrorKind::Storage, "the lake could not be read or written")
        .with("path", path)
        .help(help)
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogTable;

    #[tokio::test]
    async fn the_streams_of_a_lake_have_the_names_that_they_were_given() {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open("lake", dir.path()).unwrap();
        assert_eq!(lake.streams().await.unwrap(), []);
        let mut streams: Vec<StreamId> =
            ["Account", "顧客管理.契約", "月額 (税抜)", "100%/年", "a=b", "#1", "[x]^`|", ".x", ""]
                .map(|name| StreamId::new("crm", name))
                .into();
        streams.push(StreamId::new("core", "customers"));
        for stream in &streams {
            LogTable::open_or_create(&lake, stream).await.unwrap();
        }
        streams.sort();
        assert_eq!(lake.streams().await.unwrap(), streams);
    }
}
