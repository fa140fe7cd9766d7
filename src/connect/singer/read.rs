//! Reading a page: lines of the tap that runs for the stream, up to a state that it says.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::Singer;
use super::catalog::spoken_name;
use super::message::{Message, read};
use super::position::{Position, Progress, Stage};
use super::tap::{Tap, Task};
use crate::connect::instant::InstantField;
use crate::connect::shape::{DeletedConfig, Item, Shape};
use crate::connect::source::ReadMode;
use crate::connect::tree::Tree;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, Next, Page, Rejected, Stream};

/// From so many records on, a page ends with the next state.
const RECORDS: usize = 2_000;
/// With so many records or bytes it ends without one; should the run stop there, the tap sends them again.
const MOST_RECORDS: usize = 20_000;
const MOST_BYTES: u64 = 32 << 20;
/// With so many lines on one page that are no messages, the program is not a tap.
const MOST_RUBBISH: usize = 1_000;
/// How taps that read a database's log mark what was deleted.
const DELETED_AT: &str = "_sdc_deleted_at";

/// A tap that runs for a stream.
#[derive(Debug)]
pub(super) struct Running {
    tap: Tap,
    /// The reading it was started for, and how many pages of it were read.
    progress: Progress,
    /// The name that its messages have the stream under.
    name: String,
}

/// What a page's lines said.
#[derive(Default)]
struct Heard {
    records: Vec<(Tree, u64)>,
    rejected: Vec<Rejected>,
    state: Option<Value>,
    is_versioned: bool,
    ended: bool,
    bytes: u64,
}

impl Singer {
    pub(super) async fn page(
        &self,
        stream: &Stream,
        cursor: Option<&Cursor>,
        first_of_run: bool,
        mode: ReadMode,
    ) -> Result<Page> {
        let settings = self.settings(&stream.name)?;
        let scope = self.scope(stream);
        let position = cursor.map(|cursor| cursor.read::<Position>()).transpose()?;
        let position = position.filter(|position| position.scope == scope);
        let catalog = self.catalog().await?;
        let known = position.clone().map(|position| (position.stage, position.state, position.is_versioned));
        let (stage, state, is_versioned) = match known {
            Some((stage, state, is_versioned)) => (Some(stage), state, is_versioned),
            None => (None, None, false),
        };
        let told = catalog.and_then(|catalog| catalog.is_full_table(&stream.name, settings));
        let is_full_table = told.unwrap_or(is_versioned);
        let refresh_secs = (self.config.refresh_days > 0).then(|| i64::from(self.config.refresh_days) * 86_400);
        let now = self.clock.now();
        let (progress, from_state) =
            Progress::next(stage, first_of_run, mode, is_full_table, refresh_secs, now, &self.run_id);
        let state = state.filter(|_| from_state);
        let mut running = match self.running.lock().await.remove(&stream.name) {
            Some(running) if running.progress == progress => running,
            _ => {
                let selected = catalog.and_then(|catalog| catalog.selecting(&stream.name, settings));
                let entry = catalog.and_then(|catalog| catalog.entry(&stream.name));
                let task = Task::Read { catalog: selected.as_ref(), state: state.as_ref() };
                let name = spoken_name(entry, &stream.name).to_owned();
                Running { tap: Tap::start(&self.config, &self.root, task)?, progress: progress.clone(), name }
            }
        };
        let mut heard = running.hear(state).await?;
        let mut fields: Vec<String> = stream.fields.iter().map(|field| field.name.clone()).collect();
        for field in position.iter().flat_map(|position| &position.fields) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        let known = fields.len();
        let stamp = settings.stamp.as_ref().map(|entry| InstantField::new(entry, None, "stamp")).transpose()?;
        let deleted = Some(DeletedConfig { field: DELETED_AT.to_owned(), is: Vec::new() });
        let shape = Shape { stamp, deleted, ..Shape::all(stream.key.clone()) }.of(&settings.allow, &settings.deny);
        let place = |line: u64| format!("line {line} of the tap's output");
        let items: Vec<Item<'_>> =
            heard.records.iter().map(|(tree, line)| Item { tree, kept: &[], place: place(*line) }).collect();
        let mut rows = shape.rows(&items, &mut fields, &stream.name)?;
        rows.rejected.append(&mut heard.rejected);
        let mut rest = Progress { pages: progress.pages + 1, ..progress.clone() };
        rest.new_field |= !progress.is_pass() && fields.len() > known;
        let is_versioned = is_versioned || heard.is_versioned;
        // A field that is new is read for every record at once.
        let again = heard.ended && rest.new_field;
        let (stage, next_state) = match (heard.ended, again) {
            (false, _) => (Stage::Reading(rest.clone()), heard.state),
            (true, true) => (Stage::Reading(Progress::pass(self.clock.now(), rest.refreshed_at, &self.run_id)), None),
            (true, false) => (rest.done(), heard.state),
        };
        let cursor = Cursor::of(&Position { scope: scope.clone(), fields, state: next_state, is_versioned, stage })?;
        if !heard.ended {
            running.progress = rest;
            self.running.lock().await.insert(stream.name.clone(), running);
        }
        let next = if heard.ended && !again {
            Next::Done { cursor, complete_through: Some(progress.started_at) }
        } else {
            Next::More(cursor)
        };
        Ok(Page {
            records: rows.records,
            rejected: rows.rejected,
            reading: Some(progress.reading(&scope)),
            ends_reading: heard.ended,
            next,
            waits: false,
            observed_at: self.clock.now(),
            source_total: None,
            requests: u64::from(progress.pages == 0),
            bytes: heard.bytes,
        })
    }

    /// The tap and what it is told, without its secrets' values.
    fn scope(&self, stream: &Stream) -> String {
        let what = format!("{:?} {} {:?}", self.config.command, self.config.config, stream.key);
        format!("{} of {} ({:016x})", stream.name, self.config.command[0], xxh3_64(what.as_bytes()))
    }
}

impl Running {
    /// Listens until there is a page.
    async fn hear(&mut self, state: Option<Value>) -> Result<Heard> {
        let mut heard = Heard { state, ..Heard::default() };
        let begun = self.tap.bytes;
        loop {
            let Some(line) = self.tap.line().await? else {
                heard.ended = true;
                break;
            };
            if line.trim().is_empty() {
                continue;
            }
            match read(&line) {
                Ok(Message::Record { stream, record }) if stream == self.name => {
                    heard.records.push((record, self.tap.lines));
                }
                Ok(Message::State(state)) => {
                    heard.state = Some(state);
                    if heard.records.len() >= RECORDS {
                        break;
                    }
                }
                Ok(Message::ActivateVersion { stream }) if stream == self.name => heard.is_versioned = true,
                Ok(_) => {}
                Err(reason) => {
                    let place = format!("line {} of the tap's output", self.tap.lines);
                    let raw = line.chars().take(1_000).collect();
                    heard.rejected.push(Rejected { place, key: None, reason, raw });
                    if heard.rejected.len() > MOST_RUBBISH {
                        return Err(Error::new(
                            ErrorKind::BadData,
                            "the program writes other things than messages of a tap",
                        )
                        .with("line", self.tap.lines)
                        .help("run it by hand: what is not a message belongs on its standard error"));
                    }
                }
            }
            if heard.records.len() >= MOST_RECORDS || self.tap.bytes - begun >= MOST_BYTES {
                break;
            }
        }
        heard.bytes = self.tap.bytes - begun;
        Ok(heard)
    }
}
