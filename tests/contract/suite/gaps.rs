//! What each system does not know is written down, so that nobody takes a skipped case for a passed one.

use super::super::world::{Ability, System};

/// The page that lists it.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/connectors/contract.md");

/// The table of the page: a line per ability, a column per system.
pub(crate) fn table(systems: &[System]) -> String {
    let names = systems.iter().map(|system| format!(" {} |", system.facts.name)).collect::<String>();
    let rule = " --- |".repeat(systems.len());
    let mut lines = vec![format!("| |{names}"), format!("| --- |{rule}")];
    for ability in Ability::ALL {
        let told = systems.iter().map(|system| {
            let lack = system.facts.lacks.iter().find(|(lacking, _)| *lacking == ability);
            lack.map_or(" yes |".to_owned(), |(_, why)| format!(" no: {why} |"))
        });
        lines.push(format!("| {ability} |{}", told.collect::<String>()));
    }
    lines.push(line("deletions are told by", systems, |system| {
        if system.facts.tells_deletes { "windows".into() } else { "looks at all keys".into() }
    }));
    lines.push(line("stamps are as fine as", systems, |system| format!("{} s", system.facts.grain_secs)));
    lines.push(line("a field that has gone", systems, |system| {
        if system.facts.stops_without_a_field { "stops the stream".into() } else { "is no longer read".into() }
    }));
    lines.join("\n")
}

fn line(what: &str, systems: &[System], told: impl Fn(&System) -> String) -> String {
    let cells = systems.iter().map(|system| format!(" {} |", told(system))).collect::<String>();
    format!("| {what} |{cells}")
}

/// Fails unless the page lists what the systems are declared to know, and every case of the suite.
pub(crate) fn assert_written_down(systems: &[System], cases: &[&str]) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let table = table(systems);
    assert!(page.contains(&table), "docs/connectors/contract.md must hold this table:\n\n{table}\n");
    for case in cases {
        assert!(page.contains(&format!("`{case}`")), "docs/connectors/contract.md must list the case `{case}`");
    }
}
