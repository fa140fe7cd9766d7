//! Everything an org knows.

use std::collections::BTreeMap;

use crate::chance::mix;
use crate::wire::CallLog;
use crate::zoho::auth::Auth;
use crate::zoho::bulk::Jobs;
use crate::zoho::catalogue;
use crate::zoho::credit::Limits;
use crate::zoho::edit::{self, Pending};
use crate::zoho::fault::Armed;
use crate::zoho::id;
use crate::zoho::list::PageTokens;
use crate::zoho::module::Module;
use crate::zoho::options::Options;

/// An org.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) modules: Vec<Module>,
    /// What all ids begin with.
    pub(crate) prefix: u64,
    /// The number of the org.
    pub(crate) zgid: u64,
    /// The org's clock, in seconds since 1970.
    pub(crate) now: i64,
    /// How many changes there were.
    pub(crate) changes: u64,
    pub(crate) pending: Vec<Pending>,
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    pub(crate) pages: PageTokens,
    pub(crate) jobs: Jobs,
    pub(crate) faults: Vec<Armed>,
    pub(crate) calls: CallLog,
    /// Rises whenever something is left to chance, so that chance can be repeated.
    chance: u64,
    /// The page of records that was sent last for each path, and how many it held.
    pub(crate) last_pages: BTreeMap<String, (Vec<u8>, u64)>,
    pub(crate) port: u16,
}

impl State {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        let prefix = id::prefix(options.seed);
        State {
            now: options.at.timestamp(),
            modules: catalogue::modules(&options, prefix),
            prefix,
            zgid: 90_000_000_000 + mix(options.seed, 2, 0x1D) % 9_000_000_000,
            changes: 0,
            pending: Vec::new(),
            auth: Auth::new(options.seed),
            limits: Limits::default(),
            pages: PageTokens::default(),
            jobs: Jobs::default(),
            faults: Vec::new(),
            calls: CallLog::default(),
            chance: 0,
            last_pages: BTreeMap::new(),
            port,
            options,
        }
    }

    /// Something that nobody can rely on, but that a second run with the same seed repeats.
    pub(crate) fn next_chance(&mut self) -> u64 {
        self.chance += 1;
        mix(self.options.seed, self.chance, 7)
    }

    /// The place of the module with that name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| module.api_name == name)
    }

    /// The id of a record.
    pub(crate) fn id_of(&self, module: usize, number: u64) -> u64 {
        id::full(self.prefix, self.modules[module].number, number)
    }

    /// The place of the module and the number of the record with that id.
    pub(crate) fn place_of(&self, id: u64) -> Option<(usize, u64)> {
        let (module, number) = id::parts(self.prefix, id)?;
        Some((self.modules.iter().position(|known| known.number == module)?, number))
    }

    /// The number of the record with that id, if it is one of that module.
    pub(crate) fn number_in(&self, module: usize, id: &str) -> Option<u64> {
        let (place, number) = self.place_of(id.parse().ok()?)?;
        (place == module).then_some(number)
    }

    /// Moves the clock; what was saved late until then becomes visible.
    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
        edit::commit_pending(self);
        crate::zoho::deleted::age(self);
    }

    /// Where the API is, and where tokens come from.
    pub(crate) fn urls(&self) -> (String, String) {
        (format!("http://127.0.0.1:{}", self.port), format!("http://localhost:{}", self.port))
    }
}
