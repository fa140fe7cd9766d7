//! Associations: which types of them there are, and who is associated with whom.
//!
//! The population's come from the numbers of its records: the nth child belongs to the nth parent, round and round.
//! What somebody changed lies over that.

use std::collections::{BTreeMap, BTreeSet};

use crate::hubspot::object::Object;
use crate::hubspot::population::nth_id;
use crate::hubspot::records::Moment;
use crate::hubspot::state::State;

/// A type of association, in one direction.
#[derive(Debug, Clone)]
pub(crate) struct LinkType {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) id: u32,
    pub(crate) category: &'static str,
    pub(crate) label: Option<String>,
    /// The place of the type in the other direction.
    pub(crate) inverse: usize,
}

/// How the population's children belong to their parents.
#[derive(Debug, Clone)]
struct Relation {
    child: usize,
    parent: usize,
    /// Every so many children belong to nobody; 0 for none.
    orphans: u64,
    /// Always, from the child's side.
    types: Vec<usize>,
    /// For every fifth child besides.
    label: Option<usize>,
}

/// The types of associations by their places, of one record with another.
pub(crate) type Types = BTreeSet<usize>;

/// The associations of a portal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    pub(crate) types: Vec<LinkType>,
    relations: Vec<Relation>,
    /// From a record to a type: what is associated there, where it is not as in the population.
    changed: BTreeMap<(usize, u64, usize), BTreeMap<u64, Types>>,
}

const HUBSPOT: &str = "HUBSPOT_DEFINED";
const USER: &str = "USER_DEFINED";

/// From, to, id and inverse id, label. The first of a pair without a label is what it has when nothing is said.
const PAIRS: [(&str, &str, u32, u32, Option<&str>); 16] = [
    ("contacts", "companies", 279, 280, None),
    ("contacts", "companies", 1, 2, Some("Primary")),
    ("deals", "companies", 341, 342, None),
    ("deals", "companies", 5, 6, Some("Primary")),
    ("tickets", "companies", 339, 340, None),
    ("tickets", "companies", 26, 25, Some("Primary")),
    ("deals", "contacts", 3, 4, None),
    ("contacts", "tickets", 15, 16, None),
    ("deals", "tickets", 27, 28, None),
    ("companies", "companies", 13, 14, Some("Child Company")),
    ("companies", "companies", 450, 450, None),
    ("contacts", "contacts", 449, 449, None),
    ("deals", "line_items", 19, 20, None),
    ("feedback_submissions", "companies", 930, 929, None),
    ("feedback_submissions", "contacts", 98, 97, None),
    ("feedback_submissions", "tickets", 100, 99, None),
];

/// The ids from company, contact, deal and ticket to an activity; the way back has the next number.
const ACTIVITIES: [(&str, [u32; 4]); 5] = [
    ("calls", [181, 193, 205, 219]),
    ("emails", [185, 197, 209, 223]),
    ("meetings", [187, 199, 211, 225]),
    ("notes", [189, 201, 213, 227]),
    ("tasks", [191, 203, 215, 229]),
];

impl Links {
    pub(crate) fn new(objects: &[Object]) -> Self {
        let place = |name: &str| objects.iter().position(|object| object.kind.name == name).unwrap_or_default();
        let mut links = Links::default();
        for (from, to, id, inverse, label) in PAIRS {
            links.add(place(from), place(to), (id, inverse), HUBSPOT, label);
        }
        for (activity, ids) in ACTIVITIES {
            for (with, id) in ["companies", "contacts", "deals", "tickets"].into_iter().zip(ids) {
                links.add(place(activity), place(with), (id + 1, id), HUBSPOT, None);
            }
        }
        links.add(place("environments"), place("companies"), (62, 61), USER, None);
        let sponsor = links.add(place("contacts"), place("companies"), (31, 32), USER, Some("決裁者"));
        let target = links.add(place("deals"), place("companies"), (28, 29), USER, Some("導入先"));
        let mut relate = |child: &str, parent: &str, orphans: u64, label: Option<usize>| {
            let (child, parent) = (place(child), place(parent));
            let is_usual = |kind: &LinkType| {
                let unlabelled = kind.label.as_deref().is_none_or(|label| label == "Primary");
                kind.from == child && kind.to == parent && unlabelled
            };
            let types = (0..links.types.len()).filter(|&at| is_usual(&links.types[at])).collect();
            links.relations.push(Relation { child, parent, orphans, types, label });
        };
        relate("contacts", "companies", 7, Some(sponsor));
        relate("deals", "companies", 7, Some(target));
        relate("tickets", "companies", 9, None);
        relate("deals", "contacts", 4, None);
        relate("line_items", "deals", 0, None);
        relate("environments", "companies", 0, None);
        relate("feedback_submissions", "contacts", 0, None);
        for (activity, _) in ACTIVITIES {
            relate(activity, "companies", 6, None);
        }
        links
    }

    /// Adds a type of association with its way back; gives its place.
    pub(crate) fn add(
        &mut self,
        from: usize,
        to: usize,
        (id, inverse): (u32, u32),
        category: &'static str,
        label: Option<&str>,
    ) -> usize {
        let place = self.types.len();
        let label = label.map(str::to_owned);
        if from == to && id == inverse {
            self.types.push(LinkType { from, to, id, category, label, inverse: place });
            return place;
        }
        let back =
            if label.as_deref() == Some("Child Company") { Some("Parent Company".to_owned()) } else { label.clone() };
        self.types.push(LinkType { from, to, id, category, label, inverse: place + 1 });
        self.types.push(LinkType { from: to, to: from, id: inverse, category, label: back, inverse: place });
        place
    }

    /// The types from one type of object to another, by their places.
    pub(crate) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.types.len()).filter(move |&at| self.types[at].from == from && self.types[at].to == to)
    }

    /// Says what a record is associated with, in both directions; no types for not at all.
    pub(crate) fn set(&mut self, (from, id): (usize, u64), (to, other): (usize, u64), types: Types) {
        let back = types.iter().map(|&at| self.types[at].inverse).collect();
        self.changed.entry((from, id, to)).or_default().insert(other, types);
        self.changed.entry((to, other, from)).or_default().insert(id, back);
    }
}

/// What a record of the population is associated with there from the start.
fn original(state: &State, (from, id): (usize, u64), to: usize) -> BTreeMap<u64, Types> {
    let mut found = BTreeMap::new();
    let Some(nth) = state.objects[from].records.number(id) else { return found };
    let count = |place: usize| state.objects[place].records.base.count;
    for relation in &state.links.relations {
        let types_of = |child: u64| {
            let label = relation.label.filter(|_| child.is_multiple_of(5));
            relation.types.iter().copied().chain(label)
        };
        let is_orphan = |child: u64| relation.orphans > 0 && child.is_multiple_of(relation.orphans);
        let parents = count(relation.parent);
        if parents == 0 {
            continue;
        }
        if (relation.child, relation.parent) == (from, to) && !is_orphan(nth) {
            found.insert(nth_id((nth - 1) % parents + 1), types_of(nth).collect());
        } else if (relation.parent, relation.child) == (from, to) {
            let step = usize::try_from(parents).unwrap_or(usize::MAX);
            for child in (nth..=count(relation.child)).step_by(step).filter(|&child| !is_orphan(child)) {
                let back = types_of(child).map(|at| state.links.types[at].inverse);
                found.insert(nth_id(child), back.collect());
            }
        }
    }
    found
}

/// What a record is associated with, whatever became of it.
pub(crate) fn all(state: &State, from: (usize, u64), to: usize) -> BTreeMap<u64, Types> {
    let mut found = original(state, from, to);
    if let Some(changed) = state.links.changed.get(&(from.0, from.1, to)) {
        found.extend(changed.iter().map(|(other, types)| (*other, types.clone())));
    }
    found.retain(|_, types| !types.is_empty());
    found
}

/// The live records of a type that a record is associated with; none for a record that is not live itself.
pub(crate) fn live(state: &State, from: (usize, u64), to: usize) -> BTreeMap<u64, Types> {
    if state.objects[from.0].records.live(from.1).is_none() {
        return BTreeMap::new();
    }
    let mut found = all(state, from, to);
    found.retain(|other, _| state.objects[to].records.live(*other).is_some());
    found
}

/// The live record of a type that a record is associated with by the label `Primary`.
pub(crate) fn primary(state: &State, from: (usize, u64), to: usize) -> Option<u64> {
    let is_primary = |types: &Types| types.iter().any(|&at| state.links.types[at].label.as_deref() == Some("Primary"));
    let mut linked = all(state, from, to).into_iter().filter(|(_, types)| is_primary(types)).map(|(other, _)| other);
    linked.find(|other| state.objects[to].records.live(*other).is_some())
}

/// Gives a record all associations that another has, whatever became of it.
pub(crate) fn inherit(state: &mut State, place: usize, heir: u64, old: u64) {
    for to in 0..state.objects.len() {
        let mine = all(state, (place, heir), to);
        for (other, types) in all(state, (place, old), to) {
            let is_self = to == place && other == heir;
            let exists = state.objects[to].records.view(other, Moment::Now).is_some();
            if exists && !is_self {
                let both = types.into_iter().chain(mine.get(&other).into_iter().flatten().copied()).collect();
                state.links.set((place, heir), (to, other), both);
            }
        }
    }
}
