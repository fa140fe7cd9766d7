//! `tokens`: refresh tokens that outside systems replace at every use, kept sealed.
//!
//! The old token is useless once the new one was sent, so the new one must be stored before it is used;
//! and of two processes that refresh at once only one may win.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use secrecy::SecretString;

use super::Control;
use super::failure::failed;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub source: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub version: i64,
        pub sealed: String,
        pub updated_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A token as kept.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token itself; cannot be printed.
    pub secret: SecretString,
    /// Rises with every replacement; [`Tokens::replace`] asks for it.
    pub version: i64,
    /// When it was stored.
    pub updated_at: Timestamp,
}

/// The table `tokens`.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a>(pub(super) &'a Control);

impl Tokens<'_> {
    /// The token `name` of `source`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the secret key is missing or not the one it was kept with.
    pub async fn get(&self, source: &str, name: &str) -> Result<Option<StoredToken>> {
        let key = (source.to_owned(), name.to_owned());
        let found = row::Entity::find_by_id(key).one(&self.0.db).await.map_err(failed("could not read a token"))?;
        let Some(found) = found else { return Ok(None) };
        let secret = self.0.key.load(false)?.open(&sealed_name(source, name), &found.sealed).ok_or_else(|| {
            Error::new(ErrorKind::Config, "a token was kept with another secret key")
                .with("source", source)
                .with("token", name)
                .help("restore the key it was kept with, or sign in to the source again")
        })?;
        Ok(Some(StoredToken { secret, version: found.version, updated_at: Timestamp::from_micros(found.updated_at) }))
    }

    /// Stores the token `name` of `source`, whatever was there: what signing in anew does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] or [`ErrorKind::Storage`] when there is no secret key and none can be made.
    pub async fn put(&self, source: &str, name: &str, secret: &SecretString) -> Result<()> {
        let stored = row::ActiveModel {
            source: Set(source.to_owned()),
            name: Set(name.to_owned()),
            version: Set(1),
            sealed: Set(self.0.key.load(true)?.seal(&sealed_name(source, name), secret)?),
            updated_at: Set(self.0.now().micros()),
        };
        let replace = OnConflict::columns([row::Column::Source, row::Column::Name])
            .update_columns([row::Column::Sealed, row::Column::UpdatedAt])
            .value(row::Column::Version, sea_orm::ExprTrait::add(Expr::col((row::Entity, row::Column::Version)), 1))
            .to_owned();
        row::Entity::insert(stored)
            .on_conflict(replace)
            .exec_without_returning(&self.0.db)
            .await
            .map_err(failed(STORING))?;
        Ok(())
    }

    /// Replaces the token of that `version` in one step.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when another process has replaced it meanwhile: read it again and use that.
    pub async fn replace(&self, source: &str, name: &str, version: i64, secret: &SecretString) -> Result<()> {
        let sealed = self.0.key.load(true)?.seal(&sealed_name(source, name), secret)?;
        let answer = row::Entity::update_many()
            .col_expr(row::Column::Sealed, Expr::value(sealed))
            .col_expr(row::Column::Version, Expr::value(version + 1))
            .col_expr(row::Column::UpdatedAt, Expr::value(self.0.now().micros()))
            .filter(row::Column::Source.eq(source))
            .filter(row::Column::Name.eq(name))
            .filter(row::Column::Version.eq(version))
            .exec(&self.0.db)
            .await
            .map_err(failed(STORING))?;
        if answer.rows_affected == 1 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "another process has replaced the token")
            .with("source", source)
            .with("token", name)
            .help("use the token that is stored now"))
    }

    /// Forgets the token `name` of `source`.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn forget(&self, source: &str, name: &str) -> Result<()> {
        let key = (source.to_owned(), name.to_owned());
        row::Entity::delete_by_id(key).exec(&self.0.db).await.map_err(failed(STORING))?;
        Ok(())
    }
}

const STORING: &str = "could not store a token";

/// What a token is sealed under, so that rows cannot be exchanged.
fn sealed_name(source: &str, name: &str) -> String {
    format!("{source}\0{name}")
}
