//! Texts with places for values: paths, parameters, headers, bodies, signatures.
//!
//! A name that nothing has, and a filter that fails, end the request before it is sent: what would be asked for is not
//! what was meant. In a path a value is one segment of it (or one value of a query); in a body it is JSON.

use std::fmt::Write as _;
use std::str::FromStr;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use chrono_tz::Tz;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, ErrorKind as TemplateErrorKind, UndefinedBehavior};

use crate::clock::Timestamp;
use crate::config::suggest;
use crate::error::{Error, ErrorKind, Result};

/// Where a text goes, which decides how values are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A path: everything but letters, digits and `-._~` of a value is encoded.
    Path,
    /// A parameter or a header: values as they are.
    Text,
    /// A JSON body.
    Json,
}

/// What templates need to be rendered.
pub(super) struct Templates {
    paths: Environment<'static>,
    texts: Environment<'static>,
    bodies: Environment<'static>,
}

/// A template that was read.
#[derive(Debug, Clone)]
pub(super) struct Template {
    source: String,
    setting: String,
    target: Target,
}

impl Templates {
    /// Dates without a zone of their own are written in `zone`.
    pub(super) fn new(zone: Option<Tz>) -> Templates {
        let environment = || {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
            environment.add_filter("date", move |at: String, format: String, other: Option<String>| {
                date(&at, &format, other.as_deref(), zone)
            });
            environment.add_filter("epoch", |at: String| instant(&at).map(|at| at.micros().div_euclid(1_000_000)));
            environment.add_filter("epoch_ms", |at: String| instant(&at).map(|at| at.micros().div_euclid(1_000)));
            environment.add_filter("base64", |text: String| STANDARD.encode(text));
            environment
                .add_filter("sha256", |text: String| hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()));
            environment.add_filter("hmac_sha256", |text: String, key: String, form: Option<String>| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                let tag = hmac::sign(&key, text.as_bytes());
                match form.as_deref() {
                    None | Some("hex") => Ok(hex(tag.as_ref())),
                    Some("base64") => Ok(STANDARD.encode(tag.as_ref())),
                    Some(_) => Err(wrong("`hmac_sha256` gives `hex` or `base64`")),
                }
            });
            environment
        };
        let (mut paths, texts, mut bodies) = (environment(), environment(), environment());
        paths.set_formatter(|out, _, value| {
            if value.is_undefined() || value.is_none() {
                return Err(wrong("a value of the path is empty"));
            }
            out.write_str(&encoded(&value.to_string())).map_err(|_| wrong("cannot be written"))
        });
        bodies.set_auto_escape_callback(|_| AutoEscape::Json);
        Templates { paths, texts, bodies }
    }

    fn of(&self, target: Target) -> &Environment<'static> {
        match target {
            Target::Path => &self.paths,
            Target::Text => &self.texts,
            Target::Json => &self.bodies,
        }
    }

    /// Reads a template, to find its mistakes before anything is asked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names setting, line and what is wrong.
    pub(super) fn parse(&self, source: &str, setting: impl Into<String>, target: Target) -> Result<Template> {
        let setting = setting.into();
        match self.of(target).template_from_str(source) {
            Ok(_) => Ok(Template { source: source.to_owned(), setting, target }),
            Err(error) => Err(told(&setting, source, &error)),
        }
    }

    /// The text with its values.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when a name has no value, or a filter fails.
    pub(super) fn render(&self, template: &Template, values: &serde_json::Value) -> Result<String> {
        self.of(template.target).render_str(&template.source, Value::from(Serde(values))).map_err(|error| {
            let advice = advice(at(&template.source, &error), values);
            let error = told(&template.setting, &template.source, &error);
            match advice {
                Some(advice) => error.help(advice),
                None => error,
            }
        })
    }
}

/// The part of a template that an error is about.
fn at<'s>(source: &'s str, error: &minijinja::Error) -> &'s str {
    error.range().and_then(|range| source.get(range)).unwrap_or(source)
}

/// Which names there are in the place of one without a value, such as `parent.code`; names only, never values.
fn advice(at: &str, values: &serde_json::Value) -> Option<String> {
    let (of, name) = at.trim().split_once('.')?;
    let members = values.get(of)?.as_object()?;
    if members.contains_key(name) {
        return None;
    }
    suggest::advice(name, members.keys().map(String::as_str)).map(|advice| format!("in `{of}`, {advice}"))
}

fn told(setting: &str, source: &str, error: &minijinja::Error) -> Error {
    let reason = match error.kind() {
        TemplateErrorKind::UndefinedError => "a name in it has no value here".to_owned(),
        _ => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    let at: String = at(source, error).chars().take(80).collect();
    Error::new(ErrorKind::Config, "a template cannot be filled in")
        .with("setting", setting)
        .with("line", error.line().unwrap_or(1))
        .with("at", at)
        .with("reason", reason)
        .help("names are `vars`, `window.from`, `window.until`, `window.last`, `parent`, `key`, `page`, `now`; filters `date`, `epoch`, `hmac_sha256`, …: see docs/connectors/rest.md")
}

fn wrong(message: &'static str) -> minijinja::Error {
    minijinja::Error::new(TemplateErrorKind::InvalidOperation, message)
}

fn instant(text: &str) -> std::result::Result<Timestamp, minijinja::Error> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().into());
    }
    Timestamp::from_str(text).map_err(|_| wrong("the value is no instant"))
}

fn date(
    at: &str,
    format: &str,
    other: Option<&str>,
    zone: Option<Tz>,
) -> std::result::Result<String, minijinja::Error> {
    let zone = match other {
        Some(name) => Some(Tz::from_str(name).map_err(|_| wrong("`date` was given no time zone such as Asia/Tokyo"))?),
        None => zone,
    };
    let zone = zone.ok_or_else(|| wrong("`date` needs a zone: set `time_zone` of the source"))?;
    let mut text = String::new();
    write!(text, "{}", instant(at)?.to_datetime().with_timezone(&zone).format(format))
        .map_err(|_| wrong("`date` was given a form that is none, such as %Y/%m/%d"))?;
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A value as one segment of a path.
fn encoded(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(source: &str, target: Target) -> Result<String> {
        let templates = Templates::new(Some(chrono_tz::Asia::Tokyo));
        let template = templates.parse(source, "params.x", target)?;
        let values = json!({
            "window": { "from": "2026-09-30T15:00:00Z" }, "parent": { "契約番号": "K 1/2", "n": null },
            "vars": { "secret": "key" }, "page": { "cursor": null },
        });
        templates.render(&template, &values)
    }

    #[test]
    fn values_are_written_as_the_place_needs_them() {
        assert_eq!(rendered("a/{{ parent.契約番号 }}/b", Target::Path).unwrap(), "a/K%201%2F2/b");
        assert_eq!(rendered("{{ parent.契約番号 }}", Target::Text).unwrap(), "K 1/2");
        let body = rendered(r#"{"c":{{ page.cursor }},"k":{{ parent["契約番号"] }}}"#, Target::Json).unwrap();
        assert_eq!(body, r#"{"c":null,"k":"K 1/2"}"#);
    }

    #[test]
    fn instants_are_written_in_the_zone_of_the_source() {
        assert_eq!(rendered("{{ window.from | date('%Y/%m/%d %H:%M') }}", Target::Text).unwrap(), "2026/10/01 00:00");
        assert_eq!(rendered("{{ window.from | date('%d', 'UTC') }}", Target::Text).unwrap(), "30");
        assert_eq!(rendered("{{ window.from | epoch }}", Target::Text).unwrap(), "1790780400");
    }

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        // Test case 2 there.
        let text = rendered("{{ 'what do ya want for nothing?' | hmac_sha256('Jefe') }}", Target::Text).unwrap();
        assert_eq!(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_template_that_fails_says_where() {
        for (source, target, part) in [
            ("{{ parent.id }}", Target::Text, "no value"),
            ("{{ parent.n }}", Target::Path, "empty"),
            ("{{ window.from | date('%Y', 'Mars') }}", Target::Text, "time zone"),
            ("{% if %}", Target::Text, "params.x"),
            ("{{ nobody | nothing }}", Target::Text, "params.x"),
        ] {
            let error = rendered(source, target).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.render().contains(part), "{source}: {}", error.render());
        }
    }
}
