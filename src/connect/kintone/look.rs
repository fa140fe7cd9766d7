//! Looking at a domain without reading it: which apps and tables it has, and a few of their records.

use std::collections::HashSet;
use std::sync::Arc;

use super::config::AppConfig;
use super::plan::{self, Offer, Plan};
use super::query::{Range, Select};
use super::refusal::Refusal;
use super::{Kintone, page};
use crate::connect::http::Tally;
use crate::connect::source::{Few, Offered, Others};
use crate::connect::taker::Taker;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Records, Stream};

/// The most apps that one answer lists.
const APPS_AT_A_TIME: u32 = 100;

impl Kintone {
    /// The tables of apps that are read, and where the credential may list them, the apps that are not.
    pub(super) async fn other_apps(&self) -> Result<Others> {
        let mut others = Others::default();
        for app in &self.config.streams {
            // An app that cannot be asked is told where it is described.
            let Ok(offer) = self.offer(&app.name, &mut Tally::default()).await else { continue };
            let unread = offer.tables().into_iter().filter(|table| !app.tables.iter().any(|known| known == table));
            others.streams.extend(unread.map(|table| Offered {
                name: format!("{}.{table}", app.name),
                label: Some(format!("a table of {}: list `{table}` under its `tables`", app.name)),
                is_minor: false,
            }));
        }
        if !self.may_list() {
            others.note = Some(
                "an API token knows its own app only; with `login` or `oauth` in the source's file, the other apps are \
                 listed too"
                    .to_owned(),
            );
            return Ok(others);
        }
        let asked_as = AppConfig::all_of(String::new(), 0);
        let mut offset = 0;
        loop {
            let apps = self.api.apps(&asked_as, offset, APPS_AT_A_TIME).await?;
            let count = apps.len();
            let unread = apps.into_iter().filter(|app| !self.config.streams.iter().any(|read| read.app == app.id));
            others.streams.extend(unread.map(|app| Offered {
                name: app.id.to_string(),
                label: Some(app.name),
                is_minor: false,
            }));
            offset += APPS_AT_A_TIME;
            if count < APPS_AT_A_TIME as usize {
                return Ok(others);
            }
        }
    }

    /// A few records: one request.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        let (app, offer) = self.offer_of_any(&stream.name).await?;
        let plan = Arc::new(Plan::new(&offer, &HashSet::new()));
        let ids: Vec<String> = match few {
            Few::First(_) => Vec::new(),
            Few::Key(key) if offer.stream.key.len() > 1 => page::parent_of(key).into_iter().collect(),
            Few::Key(key) => vec![key.to_owned()],
        };
        // kintone refuses a condition on `$id` that is no number; such a record there is not.
        if matches!(few, Few::Key(_)) && !ids.iter().any(|id| id.parse::<u64>().is_ok()) {
            return Ok(Taker::new(stream, few).finish());
        }
        let (range, limit) = match few {
            Few::First(count) => (Range::All, count.clamp(1, self.config.page_size)),
            Few::Key(_) => (Range::Ids(&ids), 1),
        };
        let select = Select { filter: app.filter.as_deref(), range, after: 0, limit };
        let sent = self.api.records(&app, &select, &plan, false, None).await?;
        let mut taker = Taker::new(stream, few);
        taker.take(&sent.value.map_err(Refusal::into_error)?.records);
        Ok(taker.finish())
    }

    /// What a stream offers that is read, or another table of an app that is read, or another app by its number.
    pub(super) async fn offer_of_any(&self, name: &str) -> Result<(AppConfig, Arc<Offer>)> {
        if let Ok(place) = self.place(name) {
            return Ok((place.app.clone(), self.offer(name, &mut Tally::default()).await?));
        }
        let of_table = self.config.streams.iter().find_map(|app| {
            let table = name.strip_prefix(&app.name)?.strip_prefix('.')?;
            Some((app.clone(), Some(table.to_owned())))
        });
        let number = name.parse().ok().filter(|_| self.may_list());
        let of_number = || number.map(|number| (AppConfig::all_of(name.to_owned(), number), None));
        let (app, table) = of_table.or_else(of_number).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the source's file names no such app")
                .help("add the app with its number and an API token to `streams` of the source's file")
        })?;
        let form = self.api.form(&app).await?.value;
        Ok((app.clone(), Arc::new(plan::offer_of(&form, &app, table.as_deref())?)))
    }

    fn may_list(&self) -> bool {
        self.config.login.is_some() || self.config.oauth.is_some()
    }
}
