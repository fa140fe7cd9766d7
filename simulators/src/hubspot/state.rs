//! Everything a portal knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::chance::mix;
use crate::hubspot::auth::Auth;
use crate::hubspot::catalogue;
use crate::hubspot::edit::{self, Pending};
use crate::hubspot::fault::Armed;
use crate::hubspot::limits::Limits;
use crate::hubspot::links::Links;
use crate::hubspot::object::Object;
use crate::hubspot::options::Options;
use crate::hubspot::owners::{self, Owner};
use crate::hubspot::time::SECOND;
use crate::wire::CallLog;

/// A portal.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) objects: Vec<Object>,
    pub(crate) links: Links,
    pub(crate) owners: Vec<Owner>,
    /// The portal's clock, in milliseconds since 1970.
    pub(crate) now: i64,
    /// As of when a search sees the records.
    indexed_at: i64,
    pub(crate) pending: Vec<Pending>,
    pub(crate) auth: Auth,
    /// Scopes that were taken from all tokens.
    pub(crate) missing_scopes: BTreeSet<String>,
    pub(crate) limits: Limits,
    pub(crate) faults: Vec<Armed>,
    pub(crate) calls: CallLog,
    /// Rises whenever something is left to chance, so that chance can be repeated.
    chance: u64,
    /// The page of records that was sent last by each path, and how many it held.
    pub(crate) last_pages: BTreeMap<String, (Vec<u8>, u64)>,
    /// `http://127.0.0.1:port`.
    pub(crate) base_url: String,
}

impl State {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        let objects = catalogue::objects(&options);
        let now = options.at.timestamp_millis();
        State {
            links: Links::new(&objects),
            owners: owners::all(now),
            now,
            indexed_at: now - options.index_lag_secs * SECOND,
            pending: Vec::new(),
            auth: Auth::new(options.seed),
            missing_scopes: objects
                .iter()
                .flat_map(|object| {
                    ["sensitive", "highly_sensitive"].map(|level| sensitive_scope(object.kind.name, level))
                })
                .collect(),
            limits: Limits::default(),
            faults: Vec::new(),
            calls: CallLog::default(),
            chance: 0,
            last_pages: BTreeMap::new(),
            base_url: format!("http://127.0.0.1:{port}"),
            objects,
            options,
        }
    }

    /// Something that nobody can rely on, but that a second run with the same seed repeats.
    pub(crate) fn next_chance(&mut self) -> u64 {
        self.chance += 1;
        mix(self.options.seed, self.chance, 7)
    }

    /// The place of the type that a path names so.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.objects.iter().position(|object| object.is_called(name))
    }

    /// As of when a search sees the records; it never goes back.
    pub(crate) fn index_moment(&mut self) -> i64 {
        self.indexed_at = self.indexed_at.max(self.now - self.options.index_lag_secs * SECOND);
        self.indexed_at
    }

    /// Brings the index up to now.
    pub(crate) fn reindex(&mut self) {
        self.indexed_at = self.now;
    }

    /// Moves the clock; what was written late until then becomes visible.
    pub(crate) fn set_now(&mut self, now: i64) {
        self.index_moment();
        self.now = now;
        edit::commit_pending(self);
    }
}

/// The scope that a type's sensitive properties are read with.
pub(crate) fn sensitive_scope(name: &str, level: &str) -> String {
    format!("crm.objects.{name}.{level}.read.v2")
}
