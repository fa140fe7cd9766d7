//! What `nenrin check` finds out about a domain.

use super::{AppConfig, Kintone};
use crate::connect::source::Finding;
use crate::error::{ErrorKind, Result};

impl Kintone {
    /// One finding for each app, and one for what is left out of it.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for app in &self.config.streams {
            let (what, seen) = self.check_app(app).await;
            // A refused password is asked with once: a domain may lock its user.
            let hopeless = seen.as_ref().is_err_and(|error| error.kind() == ErrorKind::Auth);
            let (ok, detail) = match seen {
                Ok(detail) => (true, detail),
                Err(error) => (false, error.render()),
            };
            findings.push(Finding { ok, what, detail });
            if hopeless {
                return findings;
            }
            for table in app.tables.iter().filter(|_| ok) {
                let what = format!("table {table} of app {}", app.app);
                findings.push(match self.described(&format!("{}.{table}", app.name)).await {
                    Ok(offer) => {
                        Finding { ok: true, what, detail: format!("{} fields visible", offer.stream.fields.len()) }
                    }
                    Err(error) => Finding { ok: false, what, detail: error.render() },
                });
            }
        }
        findings
    }

    async fn check_app(&self, app: &AppConfig) -> (String, Result<String>) {
        let mut what = format!("app {}", app.app);
        let offer = match self.described(&app.name).await {
            Ok(offer) => offer,
            Err(error) => return (what, Err(error)),
        };
        // Not every credential may see it, and nothing depends on it.
        if let Ok(found) = self.api.app(app).await
            && !found.name.is_empty()
        {
            what = format!("app {} ({})", app.app, found.name);
        }
        let count = match self.api.count(app).await {
            Ok(count) => count.map(|count| format!("{count} records, ")).unwrap_or_default(),
            Err(error) => return (what, Err(error)),
        };
        let by = offer.stamp.as_deref().map_or("in full each time".to_owned(), |stamp| format!("by {stamp}"));
        let mut detail = format!("{count}{} fields visible, changes are read {by}", offer.stream.fields.len());
        let unread: Vec<&str> =
            offer.tables().into_iter().filter(|table| !app.tables.iter().any(|known| known == table)).collect();
        if !unread.is_empty() {
            detail.push_str(&format!("; not read, list them under `tables`: {}", unread.join(", ")));
        }
        (what, Ok(detail))
    }
}
