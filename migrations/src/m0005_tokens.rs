//! `tokens`: credentials that outside systems rotate, sealed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tokens")
                    .col(text("source"))
                    .col(text("name"))
                    .col(big_integer("version"))
                    .col(text("sealed"))
                    .col(big_integer("updated_at"))
                    .primary_key(Index::create().col("source").col("name"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tokens").take()).await
    }
}
