//! What `nenrin check` finds out about an account.

use super::Hubspot;
use super::config::StreamConfig;
use super::place::{Catalog, Part, Place};
use crate::connect::http::Tally;
use crate::connect::source::Finding;
use crate::error::ErrorKind;

impl Hubspot {
    /// One finding for the account, one for each object.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.api.account().await {
            Ok(sent) => {
                let account = sent.value;
                let usage =
                    self.api.meter.usage().map(|(used, daily)| format!(", {used} of {daily} requests used today"));
                findings.push(Finding {
                    ok: true,
                    what: "credentials".to_owned(),
                    detail: format!(
                        "account {} ({}, {}, {}){}",
                        account.portal_id,
                        account.account_type,
                        account.time_zone,
                        account.company_currency,
                        usage.unwrap_or_default()
                    ),
                });
            }
            Err(error) => {
                let hopeless = error.kind() == ErrorKind::Auth;
                findings.push(Finding { ok: false, what: "credentials".to_owned(), detail: error.render() });
                if hopeless {
                    return findings;
                }
            }
        }
        for config in &self.streams {
            if config.is_owners() {
                findings.push(self.owners_found(config).await);
                continue;
            }
            let what = format!("object {}", config.name);
            findings.push(match self.described(&config.name, config).await {
                Ok(stream) => Finding {
                    ok: true,
                    what,
                    detail: format!(
                        "{} properties visible, changes are read by {}",
                        stream.fields.len(),
                        stream.stamp.unwrap_or_default()
                    ),
                },
                Err(error) => Finding { ok: false, what, detail: error.render() },
            });
        }
        findings
    }

    async fn owners_found(&self, config: &StreamConfig) -> Finding {
        let what = config.name.clone();
        let place = Place { config, part: Part::Catalog(Catalog::Owners) };
        match self.catalog(place, Catalog::Owners, &mut Tally::default()).await {
            Ok((records, _)) => {
                Finding { ok: true, what, detail: format!("{} owners, with those who left", records.len()) }
            }
            Err(error) => Finding { ok: false, what, detail: error.render() },
        }
    }
}
