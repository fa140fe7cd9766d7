//! What is so, whatever the APIs told.

use serde_json::{Map, Value as Json};

use crate::core::kind::Kind;
use crate::core::state::State;
use crate::core::table::When;
use crate::core::time;
use crate::core::value::{Object, Value};

impl State {
    /// The lines of a contract.
    pub(crate) fn lines(&self, id: u64, when: When) -> Vec<Object> {
        let Some(Value::List(lines)) = self.bare(Kind::Lines, id, when).and_then(|mut all| all.take("lines")) else {
            return Vec::new();
        };
        lines.into_iter().filter_map(|line| if let Value::Object(line) = line { Some(line) } else { None }).collect()
    }

    /// All records of that kind as they were at that instant, in order; lines have the number of their contract.
    pub(crate) fn truth(&self, kind: Kind, at: i64) -> Vec<Map<String, Json>> {
        let when = When::Made(at);
        match kind {
            Kind::Usage => {
                let clients = self.world.clients.len() as u64;
                let last = self.world.reading_id(time::day(at), 0).map_or(0, |first| first - 1 + clients);
                (1..=last).filter_map(|id| Some(self.record(kind, id, when)?.truth())).collect()
            }
            Kind::Lines => {
                let contracts = 1..=self.table(Kind::Contracts).last();
                let there = contracts.filter(|&id| self.stamp(Kind::Contracts, id, when).is_some());
                there.flat_map(|id| self.lines(id, when).into_iter().map(move |line| numbered(id, &line))).collect()
            }
            _ => (1..=self.table(kind).last()).filter_map(|id| Some(self.record(kind, id, when)?.truth())).collect(),
        }
    }
}

fn numbered(contract: u64, line: &Object) -> Map<String, Json> {
    let mut whole = Object::new([(Kind::Lines.key_name(), Value::text(Kind::Lines.key(contract)))]);
    whole.merge(line);
    whole.truth()
}
