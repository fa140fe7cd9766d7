//! The migrations of nenrin's control database; never edited once merged.
//!
//! Each works on SQLite and on PostgreSQL. Instants are microseconds since 1970 in UTC, JSON is text, and
//! no table is called `jobs` or `workers`: the job queue owns these names.

use sea_orm_migration::prelude::*;

mod m0001_leases;
mod m0002_checkpoints;
mod m0003_runs;
mod m0004_held;
mod m0005_tokens;
mod m0006_published;
mod m0007_deletes_through;
mod m0008_paces;

/// All migrations, in the order they are applied.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_leases::Migration),
            Box::new(m0002_checkpoints::Migration),
            Box::new(m0003_runs::Migration),
            Box::new(m0004_held::Migration),
            Box::new(m0005_tokens::Migration),
            Box::new(m0006_published::Migration),
            Box::new(m0007_deletes_through::Migration),
            Box::new(m0008_paces::Migration),
        ]
    }
}
