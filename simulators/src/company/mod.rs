//! A believable company to try nenrin on: a Japanese vendor of business software, and its customers.
//!
//! Some 340 customers are seen by two systems that know little of each other. Salesforce holds accounts,
//! contacts, opportunities and contracts; the core system (基幹システム) writes all customers under contract to a
//! CSV file in CP932 at each month's end. In thirteen months customers come, renew, buy more, pay less and leave; people
//! enter a customer twice, delete the wrong account, mistype and correct themselves.
//!
//! A [`Story`] is planned whole from its seed: the same seed gives the same edits at the same instants, the
//! same files to the byte, and the same [`truth`](Story::truth) to compare answers with. It reads no clock and
//! serves nothing: edits go through [`Crm`], files are handed out as bytes.
//!
//! How a story comes about: `population` invents who there is, `life` what happens to them, `incidents` what
//! goes wrong; `crm_accounts` and `crm_deals` write it into the `book` of edits, `export` into files.

mod book;
mod calendar;
mod corporate_number;
mod crm_accounts;
mod crm_deals;
mod customer;
mod export;
mod incidents;
mod life;
mod names;
mod population;
mod roster;
mod story;
#[cfg(test)]
mod tests;
mod truth;
mod usage;

pub use book::Crm;
pub use export::Export;
pub(crate) use roster::{Client, clients};
pub use story::Story;
pub use truth::{CustomerTruth, Mrr, SeenBy, UsageTruth, Waterfall};
