//! `published`: which tables of the unified schema we made in this database, and from what.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use serde_json::Value;

use super::Control;
use super::failure::failed;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "published")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub entity: String,
        pub fingerprint: String,
        pub columns: String,
        pub published_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A published table.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedTable {
    /// The entity, which is also the table's name.
    pub entity: String,
    /// What it was made from.
    pub fingerprint: String,
    /// Its columns, as `publish` wrote them.
    pub columns: Value,
    /// When it was last written.
    pub published_at: Timestamp,
}

/// The table `published`.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a>(pub(super) &'a Control);

impl Published<'_> {
    /// The published table of `entity`, if we made one.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn get(&self, entity: &str) -> Result<Option<PublishedTable>> {
        get(&self.0.db, entity).await
    }

    /// All tables that we made, sorted by entity.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn all(&self) -> Result<Vec<PublishedTable>> {
        use sea_orm::QueryOrder;
        let found =
            row::Entity::find().order_by_asc(row::Column::Entity).all(&self.0.db).await.map_err(failed(READING))?;
        found.into_iter().map(PublishedTable::try_from).collect()
    }
}

const READING: &str = "could not read what is published";
const STORING: &str = "could not store what is published";

/// The published table of `entity`, read in the caller's transaction.
pub(crate) async fn get(db: &impl ConnectionTrait, entity: &str) -> Result<Option<PublishedTable>> {
    let found = row::Entity::find_by_id(entity).one(db).await.map_err(failed(READING))?;
    found.map(PublishedTable::try_from).transpose()
}

/// Stores, in the caller's transaction, that we made this table.
pub(crate) async fn put(db: &impl ConnectionTrait, table: &PublishedTable) -> Result<()> {
    let stored = row::ActiveModel {
        entity: Set(table.entity.clone()),
        fingerprint: Set(table.fingerprint.clone()),
        columns: Set(table.columns.to_string()),
        published_at: Set(table.published_at.micros()),
    };
    let replace = OnConflict::column(row::Column::Entity)
        .update_columns([row::Column::Fingerprint, row::Column::Columns, row::Column::PublishedAt])
        .to_owned();
    row::Entity::insert(stored).on_conflict(replace).exec_without_returning(db).await.map_err(failed(STORING))?;
    Ok(())
}

impl TryFrom<row::Model> for PublishedTable {
    type Error = Error;

    fn try_from(row: row::Model) -> Result<Self> {
        let columns = serde_json::from_str(&row.columns).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the list of a published table's columns cannot be read")
                .with("entity", &row.entity)
                .caused_by(error)
        })?;
        Ok(PublishedTable {
            entity: row.entity,
            fingerprint: row.fingerprint,
            columns,
            published_at: Timestamp::from_micros(row.published_at),
        })
    }
}
