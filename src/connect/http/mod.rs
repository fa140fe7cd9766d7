//! The HTTP client that all connectors share.
//!
//! It guarantees that an outside system is asked politely and that every answer is whole: timeouts on
//! every wait, retries with growing pauses that honour `Retry-After`, one rate limit and one concurrency
//! budget per host, bodies read to their end and no further than a limit, one renewal of a refused
//! credential per request. Tokens, queries and bodies never reach a log line or an error.
//!
//! What an answer means is the connector's business: it passes a *judge*, a plain function from an
//! [`Answer`] to a [`Verdict`].

mod ahead;
mod answer;
mod auth;
mod client;
mod hosts;
mod pace;
mod request;
mod timer;
mod verdict;

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;

pub use ahead::{Ahead, Way};
pub use answer::Answer;
pub use auth::{Authorize, Grant};
pub use client::{Client, Sent, Tally};
pub use hosts::{Certificate, Hosts, Limits, Settings};
pub use pace::SharedPace;
pub use request::{Request, Target, is_safe};
pub use timer::{ManualTimer, Timer, TokioTimer};
pub use verdict::{Verdict, retry_after, unexpected};
