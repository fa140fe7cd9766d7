//! `paces`: how fast all processes together ask an outside system.
//!
//! One number per budget says when the next request would be due if all came evenly (the generic cell rate algorithm).
//! It may run ahead of the clock by as much as may come at once.

use std::num::NonZeroU32;
use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QuerySelect, sea_query::OnConflict};

use super::Control;
use super::failure::failed;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "paces")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub budget: String,
        pub due_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const DOING: &str = "could not take a turn to ask";
const SECOND: i64 = 1_000_000;

/// The table `paces`.
#[derive(Debug, Clone, Copy)]
pub struct Paces<'a>(pub(super) &'a Control);

impl Paces<'_> {
    /// Takes `count` turns of `budget`, which has `per_second` of them, and as many at once after a second without any;
    /// gives how long to wait from `now` before they are used.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn take(&self, budget: &str, per_second: NonZeroU32, count: u32, now: Timestamp) -> Result<Duration> {
        let transaction = self.0.begin().await?;
        let unused = row::ActiveModel { budget: Set(budget.to_owned()), due_at: Set(0) };
        row::Entity::insert(unused)
            .on_conflict(OnConflict::column(row::Column::Budget).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .map_err(failed(DOING))?;
        let found = row::Entity::find_by_id(budget).lock_exclusive().one(&transaction).await.map_err(failed(DOING))?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::Internal, "a pace vanished while a turn was taken"))?;
        let (due_at, wait) = due(found.due_at, per_second, count, now.micros());
        let taken = row::ActiveModel { budget: Set(budget.to_owned()), due_at: Set(due_at) };
        row::Entity::update(taken).exec(&transaction).await.map_err(failed(DOING))?;
        transaction.commit().await.map_err(failed(DOING))?;
        Ok(wait)
    }
}

/// When the request after these is due, and how long these must wait.
fn due(due_at: i64, per_second: NonZeroU32, count: u32, now: i64) -> (i64, Duration) {
    // A clock that was set back must not hold everybody up: what is due is never further off than a minute.
    let due_at = due_at.clamp(now, now + 60 * SECOND);
    let due_at = due_at + SECOND * i64::from(count) / i64::from(per_second.get());
    let wait = (due_at - SECOND - now).max(0);
    (due_at, Duration::from_micros(u64::try_from(wait).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_may_come_at_once_and_then_all_come_evenly() {
        let nine = NonZeroU32::new(9).unwrap();
        let (mut due_at, mut waits) = (0, Vec::new());
        for _ in 0..20 {
            let wait;
            (due_at, wait) = due(due_at, nine, 1, 5 * SECOND);
            waits.push(wait.as_millis());
        }
        assert_eq!(waits[..9], [0; 9]);
        assert_eq!(waits[9..12], [111, 222, 333]);
        // After a pause of more than a second, a second's worth may come at once again, and no more.
        let later = 60 * SECOND;
        assert_eq!(due(due_at, nine, 9, later).1, Duration::ZERO);
        assert!(due(due_at, nine, 10, later).1 > Duration::ZERO);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nobody_up_for_long() {
        let (_, wait) = due(3_600 * SECOND, NonZeroU32::MIN, 1, 0);
        assert_eq!(wait, Duration::from_secs(60));
    }
}
