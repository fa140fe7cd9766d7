//! The sql connector against a real PostgreSQL server, seen through a proxy that counts and disturbs; what is a matter of
//! databases alone is in `tests/sql`.

mod owner;
mod proxy;
mod world;

#[cfg(feature = "odbc")]
pub(crate) use world::OVER_ODBC;
pub(crate) use world::SYSTEM;
