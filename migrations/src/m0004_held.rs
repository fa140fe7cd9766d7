//! `held` and `rejected`: values that did not convert and rows that are no records, with their reasons.
//!
//! Both are keyed by a digest of what names them: the names themselves may be longer than an index entry.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("held")
                    .col(text("held_id").primary_key())
                    .col(text("source"))
                    .col(text("stream"))
                    .col(text("key"))
                    .col(text("entity"))
                    .col(text("variable"))
                    .col(text("field"))
                    .col(text_null("raw"))
                    .col(text("reason"))
                    .col(text("code"))
                    .col(text("mapping"))
                    .col(text("mapping_place"))
                    .col(text("first_seen_run"))
                    .col(big_integer("first_seen_at"))
                    .col(text("last_seen_run"))
                    .col(big_integer("last_seen_at"))
                    .col(text("state"))
                    .col(big_integer_null("resolved_at"))
                    .col(big_integer("generation"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("held_by_mapping")
                    .table("held")
                    .col("source")
                    .col("stream")
                    .col("entity")
                    .col("mapping")
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("held_by_state").table("held").col("state").col("source").take())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("rejected")
                    .col(text("rejected_id").primary_key())
                    .col(text("source"))
                    .col(text("stream"))
                    .col(text("place"))
                    .col(text_null("key"))
                    .col(text("reason"))
                    .col(text("raw"))
                    .col(text("run_id"))
                    .col(big_integer("first_seen_at"))
                    .col(big_integer("last_seen_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("rejected_by_stream").table("rejected").col("source").col("stream").take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("rejected").take()).await?;
        manager.drop_table(Table::drop().table("held").take()).await
    }
}
