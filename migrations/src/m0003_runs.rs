//! `runs` and `run_events`: what each sync run did, and the story it told.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, big_pk_auto, text, text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("runs")
                    .col(text("run_id").primary_key())
                    .col(text("source"))
                    .col(text("triggered_by"))
                    .col(big_integer("started_at"))
                    .col(big_integer_null("ended_at"))
                    .col(text("outcome"))
                    .col(text("counts"))
                    .col(text_null("error"))
                    .col(text("lease_resource"))
                    .col(big_integer("lease_token"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("runs_by_source").table("runs").col("source").col("started_at").take())
            .await?;
        manager.create_index(Index::create().name("runs_by_outcome").table("runs").col("outcome").take()).await?;
        manager
            .create_table(
                Table::create()
                    .table("run_events")
                    .col(big_pk_auto("id"))
                    .col(text("run_id"))
                    .col(big_integer("at"))
                    .col(text("level"))
                    .col(text_null("stream"))
                    .col(text("message"))
                    .col(text("fields"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("run_events", "run_id")
                            .to("runs", "run_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("run_events_by_run").table("run_events").col("run_id").col("id").take())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("run_events").take()).await?;
        manager.drop_table(Table::drop().table("runs").take()).await
    }
}
