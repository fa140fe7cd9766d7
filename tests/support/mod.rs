//! What the tests stand on.

pub(crate) mod app;
pub(crate) mod cut;
pub(crate) mod mariadb;
#[cfg(feature = "odbc")]
pub(crate) mod odbc;
pub(crate) mod org;
pub(crate) mod postgres;
