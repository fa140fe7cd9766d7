//! `checkpoints.deletes_through`: up to when every deletion is known, which is not always how far changes are.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table("checkpoints").add_column(big_integer_null("deletes_through")).take();
        manager.alter_table(add).await?;
        // What was read before came from sources whose windows tell of deletions, or was read whole each time.
        let mut known = Query::update();
        known.table("checkpoints").value("deletes_through", Expr::col("complete_through"));
        manager.get_connection().execute(&known).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::alter().table("checkpoints").drop_column("deletes_through").take();
        manager.alter_table(drop).await
    }
}
