//! Since when each field has been offered (semantics B5).
//!
//! A field that was there in the first complete pass counts always. One that appears later counts from the end
//! of the pass that read it for every record; one that vanishes counts until then. Outside its spans a field is
//! unknown, not empty.

use std::collections::{BTreeMap, HashSet};

use crate::clock::Timestamp;
use crate::log::{Columns, Span};

/// Field → spans; a field that is not named was offered always.
pub(crate) type Timeline = BTreeMap<String, Vec<Span>>;

fn is_open(timeline: &Timeline, field: &str) -> bool {
    timeline.get(field).is_none_or(|spans| spans.last().is_some_and(|span| span.until.is_none()))
}

/// What a page that delivered `delivered` at `observed_at` means for the timeline: fields the log knows that
/// were not delivered close, fields it does not know are on record as not counting yet. Before the first
/// complete pass every delivered field counts always.
pub(crate) fn note_page(
    timeline: &mut Timeline,
    columns: &Columns,
    delivered: &[String],
    observed_at: Timestamp,
    before_first_pass: bool,
) {
    let offered: HashSet<&str> = delivered.iter().map(String::as_str).collect();
    for field in columns.field_names() {
        if !offered.contains(field) && is_open(timeline, field) {
            let spans = timeline.entry(field.to_owned()).or_insert_with(|| vec![Span { from: None, until: None }]);
            if let Some(last) = spans.last_mut() {
                last.until = Some(observed_at);
            }
        }
    }
    if !before_first_pass {
        for field in delivered {
            if !columns.contains(field) && !timeline.contains_key(field) {
                timeline.insert(field.clone(), Vec::new());
            }
        }
    }
}

/// A complete pass that delivered `delivered` ended: fields that waited for it count from now on.
pub(crate) fn note_pass_end(timeline: &mut Timeline, delivered: &[String], ended_at: Timestamp) {
    for field in delivered {
        if !is_open(timeline, field)
            && let Some(spans) = timeline.get_mut(field)
        {
            spans.push(Span { from: Some(ended_at), until: None });
        }
    }
}

/// The fields among `offered` that need a complete pass before they count.
pub(crate) fn waiting<'a>(
    timeline: &Timeline,
    columns: &Columns,
    offered: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    offered.filter(|field| !columns.contains(field) || !is_open(timeline, field)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_a_field_counts_from_the_pass_that_read_it_until_it_vanishes() {
        let t = Timestamp::from_micros;
        let mut timeline = Timeline::new();
        let columns = Columns::default();
        let fields = ["new".to_owned()];
        note_page(&mut timeline, &columns, &fields, t(10), false);
        assert_eq!(timeline["new"], vec![]);
        note_pass_end(&mut timeline, &fields, t(20));
        assert_eq!(timeline["new"], vec![Span { from: Some(t(20)), until: None }]);
        assert!(!timeline["new"][0].contains(t(19)) && timeline["new"][0].contains(t(20)));
        // Ending another pass adds no second span.
        note_pass_end(&mut timeline, &fields, t(30));
        assert_eq!(timeline["new"].len(), 1);
    }
}
