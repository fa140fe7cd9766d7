//! Survivorship: which of a customer's records gives a variable its value.

use std::cmp::Ordering;

use super::model::IdentityConfig;
use crate::clock::Timestamp;
use crate::record::SourceId;
use crate::snapshot::Cell;

/// A record's offer for a variable.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The position of its expression in the variable's own `from`; lower comes first.
    pub rank: usize,
    /// The source it comes from.
    pub source: &'a SourceId,
    /// Since when the record's value has been what it is (K3); the more recent comes first.
    pub since: Timestamp,
    /// The stream and the key, to decide what nothing else decides.
    pub name: (&'a str, &'a str),
    /// What is known of the cell.
    pub cell: Cell,
}

/// Whose value wins, variable by variable.
#[derive(Debug, Clone)]
pub struct Priority<'a> {
    order: &'a [String],
}

impl<'a> Priority<'a> {
    /// The order of sources for `variable` of `entity`; sources that are not named come last, as equals.
    pub fn of(config: &'a IdentityConfig, entity: &str, variable: &str) -> Self {
        let own = (entity == "customer").then(|| config.variable_priority.get(variable)).flatten();
        Priority { order: own.unwrap_or(&config.priority) }
    }

    /// Where `source` stands in the order; equal numbers mean that recency decides.
    pub fn place(&self, source: &SourceId) -> usize {
        self.order.iter().position(|name| *name == source.0).unwrap_or(usize::MAX)
    }

    fn compare(&self, a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
        a.rank
            .cmp(&b.rank)
            .then_with(|| self.place(a.source).cmp(&self.place(b.source)))
            .then_with(|| b.since.cmp(&a.since))
            .then_with(|| a.source.cmp(b.source))
            .then_with(|| a.name.cmp(&b.name))
    }
}

/// Chooses among `candidates` (any order): the position of the one whose cell stands, and what is known.
///
/// The first that has a value wins. Without any value, the variable is unknown when some record's cell is
/// unknown (the first one's reason is told), empty when some record knows it to be empty, else nobody's.
pub fn choose(candidates: &[Candidate<'_>], priority: &Priority<'_>) -> (Option<usize>, Cell) {
    let best = |wanted: &dyn Fn(Cell) -> bool| {
        (0..candidates.len())
            .filter(|i| wanted(candidates[*i].cell))
            .min_by(|a, b| priority.compare(&candidates[*a], &candidates[*b]))
    };
    if let Some(index) = best(&|cell| cell == Cell::Value) {
        return (Some(index), Cell::Value);
    }
    if let Some(index) = best(&Cell::is_unknown) {
        return (None, candidates[index].cell);
    }
    match best(&|cell| cell == Cell::Empty) {
        Some(_) => (None, Cell::Empty),
        None => (None, Cell::NoSource),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_that_has_a_value_wins_and_unknown_is_not_empty() {
        let (core, crm) = (SourceId("core".into()), SourceId("crm".into()));
        let config = IdentityConfig { priority: vec!["core".into(), "crm".into()], ..IdentityConfig::default() };
        let priority = Priority::of(&config, "customer", "mrr");
        let candidate =
            |source, at, cell| Candidate { rank: 0, source, since: Timestamp::from_micros(at), name: ("s", "k"), cell };
        let list = [candidate(&crm, 9, Cell::Value), candidate(&core, 1, Cell::Value)];
        assert_eq!(choose(&list, &priority), (Some(1), Cell::Value));
        let list = [candidate(&crm, 9, Cell::Value), candidate(&core, 1, Cell::Empty)];
        assert_eq!(choose(&list, &priority), (Some(0), Cell::Value));
        let list = [candidate(&crm, 9, Cell::Empty), candidate(&core, 1, Cell::Held)];
        assert_eq!(choose(&list, &priority), (None, Cell::Held));
        let list = [candidate(&core, 1, Cell::Value), candidate(&core, 2, Cell::Value)];
        assert_eq!(choose(&list, &priority), (Some(1), Cell::Value));
        assert_eq!(choose(&[], &priority), (None, Cell::NoSource));
    }
}
