//! Everything the core systems know.

use std::collections::BTreeMap;

use crate::core::auth::Auth;
use crate::core::fault::Armed;
use crate::core::kind::Kind;
use crate::core::made::World;
use crate::core::options::Options;
use crate::core::table::{Held, Table, When};
use crate::core::time;
use crate::core::value::{Object, Value};
use crate::wire::CallLog;

/// A page as it was sent: headers, body, and how many records it held.
pub(crate) type SentPage = (Vec<(&'static str, String)>, Vec<u8>, u64);

/// The core systems.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) world: World,
    tables: BTreeMap<Kind, Table>,
    /// The clock, in seconds since 1970.
    pub(crate) now: i64,
    pub(crate) auth: Auth,
    /// The minute of the last call of the accounting API, and how many there were in it.
    pub(crate) minute: (i64, u64),
    pub(crate) faults: Vec<Armed>,
    pub(crate) calls: CallLog,
    /// The page of a list that was sent last, by its path.
    pub(crate) last_pages: BTreeMap<String, SentPage>,
    /// `http://127.0.0.1:port`.
    pub(crate) base_url: String,
}

impl State {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        let world = World::new(&options);
        State {
            tables: Kind::ALL.into_iter().map(|kind| (kind, Table::new(world.count(kind)))).collect(),
            world,
            now: options.at.timestamp(),
            auth: Auth::new(options.seed),
            minute: (0, 0),
            faults: Vec::new(),
            calls: CallLog::default(),
            last_pages: BTreeMap::new(),
            base_url: format!("http://127.0.0.1:{port}"),
            options,
        }
    }

    pub(crate) fn table(&self, kind: Kind) -> &Table {
        &self.tables[&kind]
    }

    pub(crate) fn table_mut(&mut self, kind: Kind) -> &mut Table {
        self.tables.entry(kind).or_default()
    }

    /// What callers see now.
    pub(crate) fn seen(&self) -> When {
        When::Seen(self.now)
    }

    /// The stamp of a record, where there is one.
    pub(crate) fn stamp(&self, kind: Kind, id: u64, when: When) -> Option<i64> {
        match self.table(kind).held(id, when) {
            Held::Stored(stamp, _) => Some(stamp),
            Held::MadeUp if self.is_made_up(kind, id, when) => Some(self.world.modified(kind, id)),
            Held::MadeUp | Held::Nothing => None,
        }
    }

    fn is_made_up(&self, kind: Kind, id: u64, when: When) -> bool {
        matches!(when, When::Seen(_)) || matches!(when, When::Made(at) if self.world.created(kind, id) <= at)
    }

    /// A record without its stamp.
    pub(crate) fn bare(&self, kind: Kind, id: u64, when: When) -> Option<Object> {
        match self.table(kind).held(id, when) {
            Held::Stored(_, fields) => Some(fields.clone()),
            Held::MadeUp if self.is_made_up(kind, id, when) => {
                let (When::Seen(at) | When::Made(at)) = when;
                self.world.object(kind, id, at)
            }
            Held::MadeUp | Held::Nothing => None,
        }
    }

    /// A record as the API shows it.
    pub(crate) fn record(&self, kind: Kind, id: u64, when: When) -> Option<Object> {
        let mut object = self.bare(kind, id, when)?;
        let stamp = self.stamp(kind, id, when)?;
        match kind {
            Kind::Contracts => object.set("更新日時", Value::text(time::slashed(stamp))),
            Kind::Invoices | Kind::Partners => object.set("updated_at", Value::text(time::with_offset(stamp))),
            Kind::Lines | Kind::Accounts | Kind::Plans | Kind::Usage => {}
        }
        Some(object)
    }

    /// How many records of that kind callers see now, whose stamp is wanted.
    pub(crate) fn count(&self, kind: Kind, wanted: Option<&dyn Fn(i64) -> bool>) -> u64 {
        let table = self.table(kind);
        match wanted {
            None => table.last() - table.missing(self.seen()).count() as u64,
            Some(_) => self.ids(kind, 1, wanted).count() as u64,
        }
    }

    /// The numbers from `first` on of what callers see now, whose stamp is wanted.
    pub(crate) fn ids<'a>(
        &'a self,
        kind: Kind,
        first: u64,
        wanted: Option<&'a dyn Fn(i64) -> bool>,
    ) -> impl Iterator<Item = u64> + 'a {
        let sees = move |id: &u64| {
            self.stamp(kind, *id, self.seen()).is_some_and(|stamp| wanted.is_none_or(|wanted| wanted(stamp)))
        };
        (first.max(1)..=self.table(kind).last()).filter(sees)
    }
}
