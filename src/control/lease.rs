//! `leases`: who may work on what, with a fencing number.
//!
//! One run per source is one lease (`source:<id>`). Each time it changes hands its number rises, and the
//! steps that must not come from a displaced holder compare that number in their own transaction. A lease
//! is free when it was released, has run out, or its process is known to have died.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QuerySelect, sea_query::OnConflict};

use super::Control;
use super::failure::failed;
use super::process::Process;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
pub(super) mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "leases")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub resource: String,
        pub token: i64,
        pub holder: String,
        pub process: String,
        pub acquired_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The right to work on a resource, until it expires or is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    resource: String,
    token: i64,
    holder: String,
    expires_at: Timestamp,
}

impl Lease {
    /// What it is a lease of.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The fencing number: whoever holds a greater one came later.
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Who holds it, for people.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Until when it holds without being renewed.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The table `leases`.
#[derive(Debug, Clone, Copy)]
pub struct Leases<'a>(pub(super) &'a Control);

impl Leases<'_> {
    /// Takes the lease of `resource` for `ttl_secs`; `holder` says what for (`sync`, `serve`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when it is held, naming the holder and until when.
    pub async fn acquire(&self, resource: &str, holder: &str, ttl_secs: u32) -> Result<Lease> {
        const DOING: &str = "could not take a lease";
        let now = self.0.now();
        let transaction = self.0.begin().await?;
        let unheld = row::ActiveModel {
            resource: Set(resource.to_owned()),
            token: Set(0),
            holder: Set(String::new()),
            process: Set(String::new()),
            acquired_at: Set(now.micros()),
            expires_at: Set(0),
        };
        row::Entity::insert(unheld)
            .on_conflict(OnConflict::column(row::Column::Resource).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .map_err(failed(DOING))?;
        let found = row::Entity::find_by_id(resource)
            .lock_exclusive()
            .one(&transaction)
            .await
            .map_err(failed(DOING))?
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a lease vanished while it was taken"))?;
        if !is_free(&found, now, &self.0.process) {
            return Err(Error::new(ErrorKind::Conflict, "someone else is working on this")
                .with("resource", resource)
                .with("holder", &found.holder)
                .with("until", Timestamp::from_micros(found.expires_at))
                .help("wait until it has finished; a process that died loses it at that instant"));
        }
        let lease = Lease {
            resource: resource.to_owned(),
            token: found.token + 1,
            holder: format!("{holder} on {}", self.0.process.label()),
            expires_at: now.plus_secs(i64::from(ttl_secs)),
        };
        let taken = row::ActiveModel {
            resource: Set(lease.resource.clone()),
            token: Set(lease.token),
            holder: Set(lease.holder.clone()),
            process: Set(self.0.process.to_string()),
            acquired_at: Set(now.micros()),
            expires_at: Set(lease.expires_at.micros()),
        };
        row::Entity::update(taken).exec(&transaction).await.map_err(failed(DOING))?;
        transaction.commit().await.map_err(failed(DOING))?;
        Ok(lease)
    }

    /// Moves the end of a lease to `ttl_secs` from now. One that ran out is revived as long as nobody took it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when another holder has taken it, or it was released.
    pub async fn renew(&self, lease: &Lease, ttl_secs: u32) -> Result<Lease> {
        let expires_at = self.0.now().plus_secs(i64::from(ttl_secs));
        let answer = row::Entity::update_many()
            .col_expr(row::Column::ExpiresAt, Expr::value(expires_at.micros()))
            .filter(row::Column::Resource.eq(&lease.resource))
            .filter(row::Column::Token.eq(lease.token))
            .filter(row::Column::ExpiresAt.gt(0))
            .exec(&self.0.db)
            .await
            .map_err(failed("could not renew a lease"))?;
        if answer.rows_affected == 0 { Err(lost(lease)) } else { Ok(Lease { expires_at, ..lease.clone() }) }
    }

    /// Gives a lease back; one that another holder has taken meanwhile stays theirs.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        row::Entity::update_many()
            .col_expr(row::Column::ExpiresAt, Expr::value(0_i64))
            .col_expr(row::Column::Process, Expr::value(""))
            .filter(row::Column::Resource.eq(&lease.resource))
            .filter(row::Column::Token.eq(lease.token))
            .exec(&self.0.db)
            .await
            .map_err(failed("could not release a lease"))?;
        Ok(())
    }

    /// Confirms that a lease is still held and has not run out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when it is not.
    pub async fn check(&self, lease: &Lease) -> Result<()> {
        let found = row::Entity::find_by_id(&lease.resource).one(&self.0.db).await.map_err(failed(CHECKING))?;
        if found.is_some_and(|found| is_live(&found, lease.token, self.0.now())) { Ok(()) } else { Err(lost(lease)) }
    }
}

const CHECKING: &str = "could not check a lease";

/// Confirms, inside a transaction, that `lease` is live, and keeps others from taking it before the end.
pub(super) async fn require(transaction: &impl ConnectionTrait, lease: &Lease, now: Timestamp) -> Result<()> {
    let found =
        row::Entity::find_by_id(&lease.resource).lock_exclusive().one(transaction).await.map_err(failed(CHECKING))?;
    if found.is_some_and(|found| is_live(&found, lease.token, now)) { Ok(()) } else { Err(lost(lease)) }
}

/// Whether the holder of `token` still holds the lease.
pub(super) fn is_live(found: &row::Model, token: i64, now: Timestamp) -> bool {
    found.token == token && found.expires_at > now.micros()
}

/// Whether the lease can be taken: released, run out, or its process has died.
pub(super) fn is_free(found: &row::Model, now: Timestamp, seen_from: &Process) -> bool {
    found.expires_at <= now.micros() || seen_from.knows_dead(&found.process)
}

fn lost(lease: &Lease) -> Error {
    Error::new(ErrorKind::Conflict, "the lease was lost while working")
        .with("resource", &lease.resource)
        .with("token", lease.token)
        .help("nothing was lost: what was landed stays, and the next run continues after it")
}
