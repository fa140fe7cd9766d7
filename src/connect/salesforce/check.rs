//! What `nenrin check` finds out about an org.

use super::Salesforce;
use crate::connect::source::Finding;
use crate::error::Error;

impl Salesforce {
    /// Credentials, access and every configured object, one finding each.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let ok = |what: &str, detail: String| Finding { ok: true, what: what.to_owned(), detail };
        let bad = |what: &str, error: Error| Finding { ok: false, what: what.to_owned(), detail: error.render() };
        let mut findings = Vec::new();
        match self.api.session.identity().await {
            Ok(identity) => {
                findings.push(ok("credentials", format!("signed in to org {} as user {}", identity.org, identity.user)))
            }
            Err(error) => return vec![bad("credentials", error)],
        }
        if let Err(error) = self.api.limits().await {
            findings.push(bad("API access", error));
            return findings;
        }
        let usage = self.api.meter.usage();
        let used =
            usage.map_or(String::new(), |usage| format!("; {} of {} daily requests used", usage.used, usage.max));
        findings.push(ok("API access", format!("version {}{used}", self.config.api_version)));
        match self.api.organization().await {
            Ok(Some(org)) => {
                let sandbox = if org.is_sandbox { ", a sandbox" } else { "" };
                let kind = org.organization_type.unwrap_or_default();
                findings.push(ok("org", format!("{} ({kind}{sandbox})", org.name)));
            }
            Ok(None) => findings.push(ok("org", "the app's user may not see its name".to_owned())),
            Err(error) => findings.push(bad("org", error)),
        }
        for config in &self.streams {
            let what = format!("object {}", config.name);
            let seen = match self.described(config).await {
                Ok(stream) => self.api.probe(&config.name).await.map(|()| stream),
                Err(error) => Err(error),
            };
            findings.push(match seen {
                Ok(stream) => {
                    let by = stream.stamp.map_or("in full each time".to_owned(), |stamp| format!("by {stamp}"));
                    ok(&what, format!("{} fields visible, changes are read {by}", stream.fields.len()))
                }
                Err(error) => bad(&what, error),
            });
        }
        findings
    }
}
