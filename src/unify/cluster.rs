//! Clusters: which nodes are one customer.
//!
//! Connected components over links that explicit decisions, merges in the source and the rules of
//! `identity.yaml` give. The result depends on the set of nodes only, never on their order: nodes and values are
//! taken in an order of their own.

use std::collections::{BTreeMap, HashMap};

use super::model::{IdentityConfig, Rule};
use super::node::Node;
use crate::clock::Timestamp;
use crate::record::StreamId;

/// A cluster of more records than this loses the links of the value that bridges it.
const MAX_CLUSTER: usize = 50;
/// A value held by more records than this never links.
const MAX_COMMON: usize = 20;

/// A value whose links were left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The rule, by its position in `identity.yaml`.
    pub rule: usize,
    /// How many records hold the value.
    pub records: usize,
    /// Why.
    pub reason: &'static str,
}

/// Stream → key → its nodes, by incarnation.
type ByKey = HashMap<StreamId, HashMap<String, Vec<usize>>>;

/// Which node is which customer.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    nodes: Vec<Node>,
    /// Per node, the first node of its cluster.
    first: Vec<usize>,
    by_key: ByKey,
    left_out: Vec<LeftOut>,
}

impl Identity {
    /// Links `nodes` (any order) by the rules of `config`.
    pub fn resolve(mut nodes: Vec<Node>, config: &IdentityConfig) -> Identity {
        nodes.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut by_key: ByKey = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            by_key.entry(node.stream.clone()).or_default().entry(node.key.clone()).or_default().push(index);
        }
        for records in by_key.values_mut().flat_map(HashMap::values_mut) {
            records.sort_unstable_by_key(|index| nodes[*index].incarnation);
        }
        let find = |name: &str| find_record(&by_key, name);
        let mut sets = Sets::new(nodes.len());
        for (list, names) in config.keep_apart.iter().enumerate() {
            for (side, name) in names.iter().enumerate() {
                if let Some(node) = find(name) {
                    sets.keep_apart(node, list, side);
                }
            }
        }
        for names in &config.merge {
            let members: Vec<usize> = names.iter().filter_map(|name| find(name)).collect();
            for other in members.iter().skip(1) {
                sets.union(members[0], *other);
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            if let Some(winner) = node.merged_into.as_ref().and_then(|key| last_of(&by_key, &node.stream, key)) {
                sets.union(index, winner);
            }
        }
        let mut left_out = Vec::new();
        let max_cluster = config.max_cluster.unwrap_or(MAX_CLUSTER);
        let max_common = config.max_common.unwrap_or(MAX_COMMON);
        for (position, rule) in config.rules.iter().enumerate() {
            for members in values(&nodes, position, rule, &by_key).into_values() {
                if members.len() < 2 {
                    continue;
                }
                let reason = if members.len() > max_common && !matches!(rule, Rule::ExternalId { .. }) {
                    Some("the value is too common")
                } else if sets.size_together(&members) > max_cluster {
                    Some("it would bridge too many records into one customer")
                } else {
                    None
                };
                match reason {
                    Some(reason) => left_out.push(LeftOut { rule: position, records: members.len(), reason }),
                    None => {
                        for (at, one) in members.iter().enumerate() {
                            for other in &members[at + 1..] {
                                sets.union(*one, *other);
                            }
                        }
                    }
                }
            }
        }
        let first = (0..nodes.len()).map(|node| sets.find(node)).collect();
        Identity { nodes, first, by_key, left_out }
    }

    /// All nodes, first-born first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of the record `key` of `stream`, its last incarnation.
    pub fn node(&self, stream: &StreamId, key: &str) -> Option<usize> {
        last_of(&self.by_key, stream, key)
    }

    /// The node that the key stood for at an instant; before its first record, that one.
    pub fn node_at(&self, stream: &StreamId, key: &str, at: Timestamp) -> Option<usize> {
        let records = self.by_key.get(stream)?.get(key)?;
        let begun = |index: &&usize| self.nodes[**index].since.is_none_or(|since| since <= at);
        records.iter().rev().find(begun).or(records.first()).copied()
    }

    /// The position of the first node of the cluster of `node`; the same for all its nodes.
    pub fn cluster(&self, node: usize) -> usize {
        self.first[node]
    }

    /// The id of the customer that `node` belongs to now.
    pub fn customer_id(&self, node: usize) -> String {
        self.nodes[self.first[node]].id().0
    }

    /// The values whose links were left out by a guard.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

/// The last incarnation, which answers for the key where no instant is given.
fn last_of(by_key: &ByKey, stream: &StreamId, key: &str) -> Option<usize> {
    by_key.get(stream)?.get(key)?.last().copied()
}

/// Finds `source/stream#key`; streams and keys may themselves hold `/` and `#`.
fn find_record(by_key: &ByKey, name: &str) -> Option<usize> {
    let (source, rest) = name.split_once('/')?;
    rest.match_indices('#').find_map(|(at, _)| {
        let stream = StreamId::new(source, &rest[..at]);
        last_of(by_key, &stream, &rest[at + 1..])
    })
}

/// Value → nodes that it links, in a fixed order.
fn values(nodes: &[Node], position: usize, rule: &Rule, by_key: &ByKey) -> BTreeMap<String, Vec<usize>> {
    let mut values: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(value) = node.evidence.get(position).and_then(Option::as_ref) {
            values.entry(value.clone()).or_default().push(index);
        }
    }
    if let Rule::ExternalId { stream, .. } = rule {
        let target = stream.split_once('/').map(|(source, stream)| StreamId::new(source, stream));
        values.retain(|value, members| match target.as_ref().and_then(|target| last_of(by_key, target, value)) {
            Some(target) => {
                if !members.contains(&target) {
                    members.push(target);
                    members.sort_unstable();
                }
                true
            }
            // Two records that name a third which does not exist are not one by that.
            None => false,
        });
    }
    values
}

/// Disjoint sets whose representative is the smallest member, with pairs that must not meet.
struct Sets {
    parent: Vec<usize>,
    size: Vec<usize>,
    /// Per representative: `keep_apart` list → side.
    apart: HashMap<usize, BTreeMap<usize, usize>>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Sets { parent: (0..count).collect(), size: vec![1; count], apart: HashMap::new() }
    }

    fn keep_apart(&mut self, node: usize, list: usize, side: usize) {
        self.apart.entry(node).or_default().insert(list, side);
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    /// Joins two sets, unless a person declared them different.
    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (low, high) = (a.min(b), a.max(b));
        let clash = match (self.apart.get(&low), self.apart.get(&high)) {
            (Some(left), Some(right)) => {
                left.iter().any(|(list, side)| right.get(list).is_some_and(|other| other != side))
            }
            _ => false,
        };
        if clash {
            return;
        }
        self.parent[high] = low;
        self.size[low] += self.size[high];
        if let Some(sides) = self.apart.remove(&high) {
            self.apart.entry(low).or_default().extend(sides);
        }
    }

    fn size_together(&mut self, members: &[usize]) -> usize {
        let mut roots: Vec<usize> = members.iter().map(|member| self.find(*member)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots.iter().map(|root| self.size[*root]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use proptest::prelude::*;

    fn node(stream: &str, key: &str, born: i64, evidence: &[Option<&str>]) -> Node {
        Node {
            stream: StreamId::new("s", stream),
            key: key.to_owned(),
            incarnation: 0,
            since: None,
            created_at: (born > 0).then(|| Timestamp::from_micros(born)),
            merged_into: None,
            evidence: evidence.iter().map(|value| value.map(str::to_owned)).collect(),
        }
    }

    fn by_number() -> IdentityConfig {
        IdentityConfig { rules: vec![Rule::CorporateNumber { variable: None }], ..IdentityConfig::default() }
    }

    fn customer<'a>(identity: &'a Identity, stream: &str, key: &str) -> &'a str {
        let node = identity.node(&StreamId::new("s", stream), key).unwrap();
        &identity.nodes()[identity.cluster(node)].key
    }

    #[test]
    fn i2_a_cluster_shows_the_id_of_its_first_record() {
        let nodes = vec![node("b", "2", 5, &[Some("x")]), node("a", "1", 9, &[Some("x")]), node("a", "3", 0, &[None])];
        let identity = Identity::resolve(nodes, &by_number());
        assert_eq!(customer(&identity, "a", "1"), "2");
        assert_eq!(customer(&identity, "b", "2"), "2");
        assert_eq!(customer(&identity, "a", "3"), "3");
    }

    #[test]
    fn i1_a_source_merge_is_an_edge_while_the_loser_says_so() {
        let mut loser = node("a", "1", 5, &[None]);
        loser.merged_into = Some("2".into());
        let identity = Identity::resolve(vec![loser, node("a", "2", 9, &[None])], &by_number());
        assert_eq!(customer(&identity, "a", "2"), "1");
    }

    #[test]
    fn i3_a_value_that_bridges_too_much_loses_its_links_only() {
        let config = IdentityConfig { max_cluster: Some(3), ..by_number() };
        let mut nodes: Vec<Node> = (1..=4).map(|n| node("a", &n.to_string(), n, &[Some("big")])).collect();
        nodes.push(node("a", "5", 5, &[Some("small")]));
        nodes.push(node("a", "6", 6, &[Some("small")]));
        let identity = Identity::resolve(nodes, &config);
        assert_eq!(customer(&identity, "a", "4"), "4");
        assert_eq!(customer(&identity, "a", "6"), "5");
        assert_eq!(identity.left_out().len(), 1);
    }

    #[test]
    fn a_person_who_keeps_records_apart_is_obeyed_whatever_links_them() {
        let config = IdentityConfig { keep_apart: vec![vec!["s/a#1".into(), "s/a#2".into()]], ..by_number() };
        let nodes =
            vec![node("a", "1", 1, &[Some("x")]), node("a", "2", 2, &[Some("x")]), node("a", "3", 3, &[Some("x")])];
        let identity = Identity::resolve(nodes, &config);
        assert_ne!(customer(&identity, "a", "1"), customer(&identity, "a", "2"));
    }

    #[test]
    fn an_external_id_links_to_the_record_it_names_and_only_if_that_exists() {
        let rule = Rule::ExternalId { variable: "code".into(), stream: "s/core".into() };
        let config = IdentityConfig { rules: vec![rule], ..IdentityConfig::default() };
        let nodes = vec![
            node("core", "C1", 1, &[None]),
            node("a", "1", 2, &[Some("C1")]),
            node("a", "2", 3, &[Some("C9")]),
            node("a", "3", 4, &[Some("C9")]),
        ];
        let identity = Identity::resolve(nodes, &config);
        assert_eq!(customer(&identity, "a", "1"), "C1");
        assert_ne!(customer(&identity, "a", "2"), customer(&identity, "a", "3"));
    }

    proptest! {
        #[test]
        fn law7_the_order_of_nodes_changes_no_customer(
            values in proptest::collection::vec((0i64..5, proptest::option::of(0u8..6), proptest::option::of(0u8..6)), 1..30),
            seed in 0usize..1_000,
        ) {
            let config = IdentityConfig {
                rules: vec![Rule::CorporateNumber { variable: None }, Rule::Name { variable: None, and: None }],
                max_cluster: Some(6),
                max_common: Some(5),
                ..IdentityConfig::default()
            };
            let nodes: Vec<Node> = values.iter().enumerate().map(|(i, (born, a, b))| {
                let text = |v: &Option<u8>| v.map(|v| v.to_string());
                let (a, b) = (text(a), text(b));
                node("a", &i.to_string(), *born, &[a.as_deref(), b.as_deref()])
            }).collect();
            let mut other = nodes.clone();
            let count = other.len();
            for i in 0..count {
                other.swap(i, (i * 7 + seed) % count);
            }
            let (left, right) = (Identity::resolve(nodes, &config), Identity::resolve(other, &config));
            for i in 0..count {
                prop_assert_eq!(customer(&left, "a", &i.to_string()), customer(&right, "a", &i.to_string()));
            }
        }
    }
}
