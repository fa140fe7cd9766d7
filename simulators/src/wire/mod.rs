//! What all simulated systems share: HTTP on loopback, the calls they got, and faults on order.

pub(crate) mod calls;
pub(crate) mod fault;
pub(crate) mod gzip;
pub(crate) mod json;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod server;

pub use calls::Call;
pub(crate) use calls::CallLog;
pub(crate) use fault::Fault;
pub use fault::Stall;
pub(crate) use reply::{Delivery, Reply, Rest};
pub(crate) use request::Request;
