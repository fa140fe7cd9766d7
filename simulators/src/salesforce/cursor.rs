//! Running queries: what they found is fixed when they begin, and read page by page.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::salesforce::id;
use crate::salesforce::instant::DAY;
use crate::salesforce::soql::plan::Plan;
use crate::salesforce::soql::rows::Rows;
use crate::salesforce::table::Moment;

/// How long a cursor lives.
const LIFE_SECS: i64 = 2 * DAY;

/// What the subqueries of a select list found, in their order.
pub(crate) type Families = Arc<Vec<Family>>;

/// What a subquery found.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// Its rows by the row that they belong to.
    pub(crate) rows: HashMap<u64, Vec<u64>>,
    /// What the subqueries inside it found.
    pub(crate) inner: Families,
}

/// A query in progress.
#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) plan: Plan,
    pub(crate) moment: Moment,
    pub(crate) rows: Rows,
    /// For each subquery in the select list, in order.
    pub(crate) families: Families,
    pub(crate) page_size: usize,
    /// Makes ragged pages ragged.
    pub(crate) chance: u64,
    /// As in the URL, such as `v66.0`.
    pub(crate) version: String,
}

/// All queries in progress.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    open: BTreeMap<u64, (i64, Arc<Cursor>)>,
    last: u64,
}

impl Cursors {
    /// The number of the cursor that is kept next.
    pub(crate) fn next_name(&self) -> u64 {
        self.last + 1
    }

    /// Keeps a cursor and returns its locator, without the place.
    pub(crate) fn keep(&mut self, cursor: Arc<Cursor>, now: i64) -> String {
        self.open.retain(|_, (born, _)| now - *born < LIFE_SECS);
        self.last += 1;
        self.open.insert(self.last, (now, cursor));
        id::opaque("0r8", self.last)
    }

    /// The cursor that `locator` (`0r8…-2000`) names, and the place.
    pub(crate) fn find(&self, locator: &str, now: i64) -> Option<(Arc<Cursor>, u64)> {
        let (name, place) = locator.split_once('-')?;
        let (born, cursor) = self.open.get(&id::serial("0r8", name).filter(|_| name.len() == 18)?)?;
        let place = place.parse().ok().filter(|&place| place < cursor.rows.len())?;
        (now - born < LIFE_SECS).then(|| (Arc::clone(cursor), place))
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}
