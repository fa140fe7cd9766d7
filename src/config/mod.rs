//! Project and config files: loaded and validated once, every problem with its place.
//!
//! A project is a folder (`nenrin.yaml`, `sources/`, `mappings/`, `schemas/`, `identity.yaml`).
//! [`Project::load`] reads all of it and collects all problems over all files: YAML ([`yaml`]), the
//! schema of each kind of file ([`kind`], [`validate`]), references to secrets ([mod@reference]) and names
//! that files use of each other. A value keeps the file it came from ([`Located`]), so that whoever finds
//! something wrong with it later can still say where.

mod cross;
pub mod document;
pub mod environment;
mod files;
pub mod kind;
pub mod problem;
pub mod project;
pub mod reference;
pub mod render;
pub mod secret;
pub mod settings;
pub mod source;
pub mod suggest;
pub mod validate;
mod walk;
pub mod yaml;

#[cfg(test)]
mod tests;

pub use document::{Document, Located};
pub use environment::Environment;
pub use kind::{CustomVariable, Kind};
pub use problem::{Place, Problem};
pub use project::{Project, Shipped};
pub use render::{Problems, render};
pub use secret::Secret;
pub use settings::{HttpConfig, LakeSettings, LogConfig, LogFormat, NamedBy, Settings, SyncConfig};
pub use source::{Cadence, Connectors, Schedule, SourceConfig, SourceSettings};
