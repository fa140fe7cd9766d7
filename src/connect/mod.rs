//! 1. Read an outside system, page by page.
//!
//! A connector turns the answers of one kind of system into [`Page`](crate::record::Page)s. What they
//! share is here: the [`http`] client, [canonical] text of values, where rotated [`token`]s are kept, and
//! the [`registry`] that names them all.

pub mod canonical;
pub mod file;
pub mod http;
pub mod hubspot;
pub mod instant;
mod json;
pub mod kintone;
mod oauth;
pub mod registry;
pub mod rest;
pub mod salesforce;
pub mod shape;
pub mod singer;
pub mod source;
pub mod sql;
mod taker;
pub mod token;
pub(crate) mod tree;
pub mod zoho;

pub use registry::{CONNECTORS, Calendar, Connector, OpenArgs};
pub use source::{Few, Finding, Found, Note, Offered, Others, ReadMode, Sighting, Source};
pub use token::{MemoryTokenStore, StoredToken, TokenStore};
