//! Edits, as people in the three systems make them, and some that nobody should.

use crate::core::kind::Kind;
use crate::core::state::State;
use crate::core::table::{Version, When};
use crate::core::time;
use crate::core::value::{Object, Value};

/// Why an edit was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError(pub(crate) String);

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EditError {}

pub(crate) type Edited<T> = Result<T, EditError>;

fn wrong<T>(message: String) -> Edited<T> {
    Err(EditError(message))
}

/// How an edit is told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// The stamp stays as it is.
    pub(crate) silent: bool,
    /// Callers see it only so many seconds after it is stamped.
    pub(crate) delay_secs: i64,
}

/// The kind of that name.
pub(crate) fn kind(name: &str) -> Edited<Kind> {
    Kind::named(name).map_or_else(|| wrong(format!("there is no collection `{name}`")), Ok)
}

fn fields(text: &str) -> Edited<Object> {
    match Value::parse(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => wrong("the fields are no JSON object".to_owned()),
        Err(why) => wrong(format!("the fields are no JSON: {why}")),
    }
}

impl State {
    /// The number behind a key, also of a record that is gone.
    pub(crate) fn id(&self, kind: Kind, key: &str) -> Edited<u64> {
        let found = match kind {
            Kind::Usage => key.split_once('/').and_then(|(code, day)| {
                let client = self.world.clients.iter().position(|client| client.code() == code)?;
                self.world.reading_id(time::read_day(day)?, client)
            }),
            _ => kind.id(key),
        };
        found.map_or_else(|| wrong(format!("`{key}` is no key of {}", kind.name())), Ok)
    }

    /// The record as it is, seen or not.
    fn newest(&self, kind: Kind, key: &str) -> Edited<(u64, i64, Object)> {
        let id = self.id(kind, key)?;
        let when = When::Made(self.now);
        let found = self.stamp(kind, id, when).zip(self.bare(kind, id, when));
        found.map_or_else(
            || wrong(format!("there is no `{key}` in {}", kind.name())),
            |(stamp, object)| Ok((id, stamp, object)),
        )
    }

    fn put(&mut self, kind: Kind, id: u64, stamp: i64, manner: Manner, fields: Option<Object>) {
        let at = self.now;
        self.table_mut(kind).push(id, Version { at, seen_from: at + manner.delay_secs, stamp, fields });
    }

    /// A new record; gives its key.
    pub(crate) fn add(&mut self, kind: Kind, text: &str, manner: Manner) -> Edited<String> {
        if matches!(kind, Kind::Lines | Kind::Usage) {
            return wrong(format!("{} are not added, but edited by their keys", kind.name()));
        }
        let given = fields(text)?;
        let id = self.table_mut(kind).next_id();
        let key = kind.key(id);
        let own = match kind {
            Kind::Contracts | Kind::Plans => Value::text(&key),
            _ => Value::number(id),
        };
        let mut object = Object::new([(kind.key_name(), own)]);
        if kind == Kind::Invoices {
            object.set("deleted", Value::Bool(false));
        }
        object.merge(&given);
        self.put(kind, id, self.now, manner, Some(object));
        Ok(key)
    }

    /// Changes some fields of a record; members of objects in it are not merged.
    pub(crate) fn edit(&mut self, kind: Kind, key: &str, text: &str, manner: Manner) -> Edited<()> {
        let given = fields(text)?;
        let (id, stamp, mut object) = self.newest(kind, key)?;
        object.merge(&given);
        let stamp = if manner.silent { stamp } else { self.now };
        self.put(kind, id, stamp, manner, Some(object));
        Ok(())
    }

    /// Puts other lines in a contract; its stamp stays.
    pub(crate) fn set_lines(&mut self, number: &str, text: &str) -> Edited<()> {
        let lines = match Value::parse(text) {
            Ok(lines @ Value::List(_)) => lines,
            _ => return wrong("the lines are no JSON array".to_owned()),
        };
        let (id, _, _) = self.newest(Kind::Contracts, number)?;
        self.put(Kind::Lines, id, self.now, Manner::default(), Some(Object::new([("lines", lines)])));
        Ok(())
    }

    /// Removes a record as its system does: invoices stay with a mark, all others vanish.
    pub(crate) fn delete(&mut self, kind: Kind, key: &str) -> Edited<()> {
        if kind == Kind::Invoices {
            self.edit(kind, key, r#"{"deleted":true}"#, Manner::default())
        } else {
            self.erase(kind, key)
        }
    }

    /// Removes a record without a trace.
    pub(crate) fn erase(&mut self, kind: Kind, key: &str) -> Edited<()> {
        let (id, stamp, _) = self.newest(kind, key)?;
        self.put(kind, id, stamp, Manner::default(), None);
        Ok(())
    }
}
