//! What the tests stand on.

pub(crate) mod app;
pub(crate) mod cut;
pub(crate) mod mariadb;
pub(crate) mod org;
pub(crate) mod postgres;
