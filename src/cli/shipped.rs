//! What this program brings along for every project: its connectors and the built-in entities.

use crate::config::{Connectors, Shipped};
use crate::connect::CONNECTORS;

/// The built-in entities, in the order in which they are shown: file and text.
const ENTITIES: &[(&str, &str)] = &[
    ("schemas/entities/customer.yaml", include_str!("../../schemas/entities/customer.yaml")),
    ("schemas/entities/contact.yaml", include_str!("../../schemas/entities/contact.yaml")),
    ("schemas/entities/contract.yaml", include_str!("../../schemas/entities/contract.yaml")),
    ("schemas/entities/deal.yaml", include_str!("../../schemas/entities/deal.yaml")),
];

/// The connectors and built-in entities of this program.
pub fn shipped() -> Shipped {
    let entities = ENTITIES.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    Shipped { connectors: connectors(), entities: entities.collect() }
}

/// What each connector reads from a source file.
pub fn connectors() -> Connectors {
    Connectors(CONNECTORS.iter().map(|connector| (connector.name.to_owned(), (connector.schema)())).collect())
}
