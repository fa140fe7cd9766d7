//! The simulated Salesforce of a demo folder: edited by the story, and brought back for later commands.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use simulators::company::Crm;
use simulators::salesforce::{Org, Server};

use super::files::write_file;
use super::project::SECRETS;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// An org as the story writes into it.
pub(super) struct OrgCrm(pub(super) Org);

/// The story only edits what it made; a refusal is a bug of the demo.
const PLANNED: &str = "the story only makes edits that the org accepts";

impl Crm for OrgCrm {
    fn insert(&mut self, object: &str, fields: Map<String, Value>) -> String {
        self.0.insert(object, &fields).expect(PLANNED)
    }

    fn update(&mut self, object: &str, id: &str, fields: Map<String, Value>) {
        self.0.update(object, id, &fields).expect(PLANNED);
    }

    fn delete(&mut self, object: &str, id: &str) {
        self.0.delete(object, id).expect(PLANNED);
    }

    fn undelete(&mut self, object: &str, id: &str) {
        self.0.undelete(object, id).expect(PLANNED);
    }

    fn hard_delete(&mut self, object: &str, id: &str) {
        self.0.hard_delete(object, id).expect(PLANNED);
    }

    fn merge(&mut self, object: &str, winner: &str, losers: &[String]) {
        let losers: Vec<&str> = losers.iter().map(String::as_str).collect();
        self.0.merge(object, winner, &losers).expect(PLANNED);
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.0.set_now(now);
    }
}

/// What brings the org back.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    seed: u64,
}

fn memory(folder: &Path) -> PathBuf {
    folder.join(".nenrin").join("demo.json")
}

/// Keeps what brings the org back.
pub(super) fn remember(folder: &Path, seed: u64) -> Result<()> {
    let text = serde_json::to_vec(&Remembered { seed })
        .map_err(|error| Error::new(ErrorKind::Internal, "the demo cannot be remembered").caused_by(error))?;
    write_file(&memory(folder), &text)
}

/// Writes where the org is and how to come in, where the source's file refers to.
pub(super) fn write_credentials(folder: &Path, server: &Server) -> Result<()> {
    let credentials = server.credentials();
    for (file, name) in SECRETS {
        let text = credentials.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = folder.join(file);
        write_file(&path, text.as_bytes())?;
        restrict(&path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| Error::new(ErrorKind::Storage, "a secret cannot be protected").caused_by(error))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<()> {
    Ok(())
}

/// The simulated org of a demo folder, alive as long as this is.
pub(crate) struct Revived(#[allow(dead_code)] Server);

impl Revived {
    /// Brings back the org of the demo folder `folder`; `None` for any other folder.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) async fn of(folder: &Path, clock: &dyn Clock) -> Result<Option<Revived>> {
        let Ok(text) = std::fs::read(memory(folder)) else { return Ok(None) };
        let Ok(remembered) = serde_json::from_slice::<Remembered>(&text) else { return Ok(None) };
        let server = super::story::revive(remembered.seed, clock.now()).await?;
        write_credentials(folder, &server)?;
        tracing::info!("this is a demo folder: its simulated Salesforce is back");
        Ok(Some(Revived(server)))
    }
}
