//! Any Singer tap: a program that writes records, schemas and its state as lines of JSON.
//!
//! Each stream is read by a tap of its own, which is told to send that stream alone, so each has a state of its own; it
//! is the stream's cursor. A tap that ends well has sent everything that it was asked for; one that dies has not.

mod catalog;
mod config;
mod message;
mod position;
mod read;
mod tap;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

pub use config::{Replication, SingerConfig, SingerStreamConfig};

use self::catalog::{Catalog, stream_of};
use self::read::Running;
use self::tap::{Tap, Task};
use super::instant::InstantField;
use super::registry::OpenArgs;
use super::source::{Finding, Offered, Others, ReadMode, Source};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Page, SourceId, Stream};

/// A tap, as configured.
pub struct Singer {
    id: SourceId,
    config: SingerConfig,
    root: PathBuf,
    clock: Arc<dyn Clock>,
    run_id: String,
    /// What the tap has; asked once. `None`: it does not say.
    catalog: OnceCell<Option<Catalog>>,
    /// Taps that run, by stream.
    running: Mutex<HashMap<String, Running>>,
}

impl Singer {
    /// Opens the source; no tap is started yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings are wrong.
    pub fn open(args: OpenArgs) -> Result<Self> {
        let config: SingerConfig = args.parse_config()?;
        let wrong = |message: &str, setting: &'static str, help: &str| {
            Err(Error::new(ErrorKind::Config, message.to_owned())
                .with("source", &args.id)
                .with("setting", setting)
                .help(help.to_owned()))
        };
        if config.command.first().is_none_or(String::is_empty) {
            return wrong("no program is named", "command", "write it like `command: [tap-x]`");
        }
        if !(config.config.is_null() || config.config.is_object()) {
            return wrong("the tap's settings are no object", "config", "write names and values below `config:`");
        }
        for (name, stream) in &config.streams {
            if let Some(stamp) = &stream.stamp {
                InstantField::new(stamp, None, "stamp")
                    .map_err(|error| error.with("stream", name).with("source", &args.id))?;
            }
        }
        Ok(Singer {
            id: args.id,
            config,
            root: args.root,
            clock: args.clock,
            run_id: args.run_id,
            catalog: OnceCell::new(),
            running: Mutex::default(),
        })
    }

    fn settings(&self, name: &str) -> Result<&SingerStreamConfig> {
        self.config.streams.get(name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the stream is not listed in the source's file").with("stream", name)
        })
    }

    /// What the tap has, from the file that the settings name or from the tap itself.
    async fn catalog(&self) -> Result<Option<&Catalog>> {
        let ask = || async {
            if let Some(file) = &self.config.catalog {
                let path = self.root.join(file);
                let text = tokio::fs::read_to_string(&path).await.map_err(|error| {
                    Error::new(ErrorKind::Config, "the catalog cannot be read")
                        .with("file", path.display())
                        .help("check `catalog` in the source's file")
                        .caused_by(error)
                })?;
                return Catalog::parse(&text).map(Some);
            }
            let tap = Tap::start(&self.config, &self.root, Task::Discover)?;
            match tap.output().await {
                Ok(text) => Catalog::parse(&text).map(Some),
                // Some taps know no catalog; they send all they have, and say themselves what tells records apart.
                Err(_) if self.config.streams.values().all(|stream| !stream.key.is_empty()) => Ok(None),
                Err(error) => Err(error.help(
                    "see what it said; if this tap knows no --discover, name the `key` of every stream, or give a `catalog` file",
                )),
            }
        };
        Ok(self.catalog.get_or_try_init(ask).await?.as_ref())
    }

    async fn described(&self, name: &str) -> Result<Stream> {
        let settings = self.settings(name)?;
        let catalog = self.catalog().await?;
        let entry = catalog.and_then(|catalog| catalog.entry(name));
        if let (Some(catalog), None) = (catalog, entry) {
            return Err(missing(name, catalog));
        }
        stream_of(name, settings, entry)
    }
}

fn missing(name: &str, catalog: &Catalog) -> Error {
    let close = catalog
        .names()
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
        .unwrap_or_default();
    Error::new(ErrorKind::NotFound, "the tap has no such stream").help(format!("did you mean `{close}`?"))
}

#[async_trait]
impl Source for Singer {
    async fn check(&self) -> Vec<Finding> {
        if let Err(error) = self.catalog().await {
            return vec![Finding { ok: false, what: "tap".to_owned(), detail: error.render() }];
        }
        let mut findings =
            vec![Finding { ok: true, what: "tap".to_owned(), detail: "it starts and tells what it has".to_owned() }];
        for name in self.config.streams.keys() {
            let what = format!("stream {name}");
            findings.push(match self.described(name).await {
                Ok(stream) => {
                    let detail = format!("{} fields, key {}", stream.fields.len(), stream.key.join(", "));
                    Finding { ok: true, what, detail }
                }
                Err(error) => Finding { ok: false, what, detail: error.render() },
            });
        }
        findings
    }

    fn streams(&self) -> Vec<String> {
        self.config.streams.keys().cloned().collect()
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        self.described(name).await.map_err(|error| error.with("stream", name).with("source", &self.id))
    }

    async fn describe_other(&self, name: &str) -> Result<Stream> {
        if self.config.streams.contains_key(name) {
            return self.describe(name).await;
        }
        let here = |error: Error| error.with("stream", name).with("source", &self.id);
        let catalog = self.catalog().await.map_err(here)?;
        match catalog.and_then(|catalog| catalog.entry(name)) {
            Some(entry) => stream_of(name, &SingerStreamConfig::default(), Some(entry)).map_err(here),
            None => Err(here(Error::new(ErrorKind::NotFound, "the tap has no such stream"))),
        }
    }

    async fn others(&self) -> Result<Others> {
        let catalog = self.catalog().await.map_err(|error| error.with("source", &self.id))?;
        let names =
            catalog.into_iter().flat_map(Catalog::names).filter(|name| !self.config.streams.contains_key(*name));
        let streams = names.map(|name| Offered { name: name.to_owned(), label: None, is_minor: false }).collect();
        let note = catalog.is_none().then(|| "the tap does not tell what it has (--discover)".to_owned());
        Ok(Others { streams, note })
    }

    async fn read_page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let here = |error: Error| error.with("stream", &stream.name).with("source", &self.id);
        self.page(stream, cursor, first_of_run, mode).await.map_err(here)
    }
}
