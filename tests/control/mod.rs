//! One suite for the control database, run against SQLite and against PostgreSQL.

use std::sync::Arc;

use nenrin::clock::{ManualClock, Timestamp};
use nenrin::control::Control;
use tempfile::TempDir;

use crate::support::postgres;

/// Makes each of the named tests, which take a [`Bench`], run on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::control::Bench::sqlite().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::control::Bench::postgres().await).await;
            })*
        }
    };
}

mod checkpoints;
mod daemon;
mod held;
mod leases;
mod opening;
mod paces;
mod publishing;
mod runs;
mod tokens;

/// A new control database with a clock that stands at noon (UTC) of 2026-10-01.
pub(crate) struct Bench {
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Bench {
    pub(crate) async fn sqlite() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("nenrin.db").display());
        Bench::open(folder, url).await
    }

    pub(crate) async fn postgres() -> Bench {
        Bench::open(tempfile::tempdir().unwrap(), postgres::new_database()).await
    }

    async fn open(folder: TempDir, url: String) -> Bench {
        let clock = ManualClock::at(at("2026-10-01T12:00:00Z"));
        let control = Control::open(&url, Arc::new(clock.clone())).await.unwrap();
        let control = control.with_key_file(folder.path().join("secret.key"));
        Bench { control, clock, url, folder }
    }

    /// The same database as another process would open it, on the same clock.
    pub(crate) async fn another(&self) -> Control {
        let control = Control::open(&self.url, Arc::new(self.clock.clone())).await.unwrap();
        control.with_key_file(self.folder.path().join("secret.key"))
    }
}

/// The instant that `text` names.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
