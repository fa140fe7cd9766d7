//! `checkpoints`: how far each stream has been read, one row per landed batch.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, big_pk_auto, boolean, text, text_uniq};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("checkpoints")
                    .col(big_pk_auto("id"))
                    .col(text("source"))
                    .col(text("stream"))
                    .col(big_integer("n"))
                    .col(text_uniq("attempt"))
                    .col(text("lease_resource"))
                    .col(big_integer("lease_token"))
                    .col(text("cursor"))
                    .col(text("payload"))
                    .col(boolean("wrote"))
                    .col(big_integer_null("complete_through"))
                    .col(big_integer_null("verified_through"))
                    .col(text("state"))
                    .col(big_integer("prepared_at"))
                    .col(big_integer_null("committed_at"))
                    .col(text("run_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("checkpoints_by_stream")
                    .table("checkpoints")
                    .col("source")
                    .col("stream")
                    .col("n")
                    .unique()
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("checkpoints_by_state")
                    .table("checkpoints")
                    .col("source")
                    .col("stream")
                    .col("state")
                    .col("n")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("checkpoints").take()).await
    }
}
