//! The webhooks that a domain would send.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::chance::mix;
use crate::kintone::output::{self, Style};
use crate::kintone::state::State;
use crate::kintone::time;

/// How many notifications a domain sends in a minute.
const PER_MINUTE: u64 = 60;

/// A webhook as it would have been posted, in the order of sending. Nothing is sent over the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The body.
    pub body: Json,
    /// When, in seconds since 1970 on the domain's clock.
    pub at: i64,
}

/// The webhooks of a domain.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) sent: VecDeque<Event>,
    /// How many were dropped for being too many in a minute.
    pub(crate) dropped: u64,
    /// Whether everything is sent twice, and also what should not be sent.
    pub(crate) storm: bool,
    minute: (i64, u64),
}

/// Tells of a change to a record by a call for one record; `is_single` is false for calls that can write several.
pub(crate) fn tell(state: &mut State, kind: &str, app: usize, id: u64, is_single: bool) {
    if !is_single && !state.events.storm {
        return;
    }
    let (now, seed) = (state.now, state.options.seed);
    let nonce = state.next_chance();
    let target = &state.apps[app];
    let url = format!("{}/k/{}/", state.base_url, target.id);
    let uuid = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        nonce as u32,
        nonce >> 48,
        nonce & 0xfff,
        nonce >> 20 & 0xfff,
        mix(seed, nonce, 3) >> 16
    );
    let mut body = json!({"id": uuid, "type": kind, "app": {"id": target.id.to_string(), "name": target.live.name}});
    match target.records.view(id, None).filter(|_| kind != "DELETE_RECORD") {
        Some(view) => {
            let style = Style::plain(&state.auth.people, &state.options);
            let columns: Vec<_> = target.live.columns.iter().collect();
            body["record"] = output::record_value(target, &view, &columns, &style);
            body["recordTitle"] = json!(id.to_string());
            body["url"] = json!(format!("{url}show#record={id}"));
        }
        None => {
            body["recordId"] = json!(id.to_string());
            body["deletedBy"] = json!({"code": "Administrator", "name": "Administrator"});
            body["deletedAt"] = json!(time::second(now));
            body["url"] = json!(url);
        }
    }
    let times = if state.events.storm { 2 } else { 1 };
    for _ in 0..times {
        post(&mut state.events, Event { body: body.clone(), at: now });
    }
}

fn post(events: &mut Events, event: Event) {
    let minute = event.at.div_euclid(60);
    if events.minute.0 != minute {
        events.minute = (minute, 0);
    }
    events.minute.1 += 1;
    if events.minute.1 > PER_MINUTE {
        events.dropped += 1;
    } else {
        events.sent.push_back(event);
    }
}
