//! What `nenrin check` finds out about an org.

use super::Zoho;
use crate::connect::source::Finding;
use crate::error::ErrorKind;

impl Zoho {
    /// One finding for the org, one for each module.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.api.org().await {
            Ok(sent) => {
                let org = sent.value;
                let left = self.api.meter.credits().map(|left| format!(", {left} credits left")).unwrap_or_default();
                let told = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
                let detail = format!(
                    "org {} {} ({}, {}){left}",
                    org.zgid,
                    told(org.company_name),
                    told(org.time_zone),
                    told(org.iso_code)
                );
                findings.push(Finding { ok: true, what: "credentials".to_owned(), detail });
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
            let what = format!("module {}", config.name);
            findings.push(match self.described(&config.name, config).await {
                Ok(stream) => {
                    let changes = match &stream.stamp {
                        Some(stamp) => format!("changes are read by {stamp}"),
                        None => "no time of change, so everything is read in every run".to_owned(),
                    };
                    Finding { ok: true, what, detail: format!("{} fields visible, {changes}", stream.fields.len()) }
                }
                Err(error) => Finding { ok: false, what, detail: error.render() },
            });
        }
        findings
    }
}
