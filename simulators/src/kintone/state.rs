//! Everything a domain knows.

use std::collections::BTreeMap;

use crate::chance::{mix, secret};
use crate::kintone::app::App;
use crate::kintone::auth::{Auth, Rights, Token};
use crate::kintone::catalogue;
use crate::kintone::cursor::Cursors;
use crate::kintone::edit::{self, Pending};
use crate::kintone::events::Events;
use crate::kintone::fault::Armed;
use crate::kintone::files::Files;
use crate::kintone::limits::Limits;
use crate::kintone::oauth::SCOPES;
use crate::kintone::options::Options;
use crate::kintone::people::everyone;
use crate::wire::CallLog;

/// A domain.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) apps: Vec<App>,
    /// The domain's clock, in seconds since 1970.
    pub(crate) now: i64,
    pub(crate) pending: Vec<Pending>,
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    pub(crate) cursors: Cursors,
    pub(crate) files: Files,
    pub(crate) events: Events,
    pub(crate) faults: Vec<Armed>,
    pub(crate) calls: CallLog,
    /// Rises whenever something is left to chance, so that chance can be repeated.
    chance: u64,
    /// The page of records that was sent last for each app (0 for cursors), and how many it held.
    pub(crate) last_pages: BTreeMap<u64, (Vec<u8>, u64)>,
    /// `http://127.0.0.1:port`.
    pub(crate) base_url: String,
}

impl State {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        let apps = catalogue::apps(&options);
        let seed = options.seed;
        let scopes: Vec<String> = SCOPES.split(' ').map(str::to_owned).collect();
        let auth = Auth {
            people: everyone(seed),
            tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
            grants: BTreeMap::from([(format!("refresh.{}", secret(seed, 21, 60)), scopes)]),
            codes: BTreeMap::new(),
            client_secret: secret(seed, 22, 40),
            issued: 0,
        };
        let mut state = State {
            now: options.at.timestamp(),
            apps,
            pending: Vec::new(),
            auth,
            limits: Limits::default(),
            cursors: Cursors::default(),
            files: Files::new(options.records),
            events: Events::default(),
            faults: Vec::new(),
            calls: CallLog::default(),
            chance: 0,
            last_pages: BTreeMap::new(),
            base_url: format!("http://127.0.0.1:{port}"),
            options,
        };
        for app in [1, 2] {
            state.add_token(app, Rights::view());
        }
        state
    }

    /// Something that nobody can rely on, but that a second run with the same seed repeats.
    pub(crate) fn next_chance(&mut self) -> u64 {
        self.chance += 1;
        mix(self.options.seed, self.chance, 7)
    }

    /// A new token of an app, which works at once.
    pub(crate) fn add_token(&mut self, app: u64, rights: Rights) -> String {
        self.auth.issued += 1;
        let token = secret(self.options.seed, 50_000 + self.auth.issued, 40);
        self.auth.tokens.insert(token.clone(), Token { number: self.auth.issued, app, rights, is_deployed: true });
        token
    }

    /// The token that reads an app: the first that may only view it.
    pub(crate) fn reading_token(&self, app: u64) -> Option<&str> {
        let tokens = self.auth.tokens.iter().filter(|(_, token)| token.app == app && token.rights == Rights::view());
        tokens.min_by_key(|(_, token)| token.number).map(|(text, _)| text.as_str())
    }

    /// Moves the clock; what was saved late until then becomes visible.
    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
        edit::commit_pending(self);
    }
}
