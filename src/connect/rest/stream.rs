//! A stream's settings, checked and ready to use.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use encoding_rs::Encoding;
use xxhash_rust::xxh3::xxh3_64;

use super::config::{Format, Method, RestConfig, StreamConfig};
use super::paging::{Pager, Paging};
use super::position::Rhythm;
use super::rules::Rules;
use super::select::Path;
use super::template::{Target, Template, Templates};
use crate::clock::Timestamp;
use crate::connect::instant::{InstantEntry, InstantField, local_instant};
use crate::connect::shape::Shape;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Field, FieldClass, Stream};

/// A stream that can be read.
#[derive(Debug, Clone)]
pub(super) struct StreamPlan {
    pub(super) name: String,
    pub(super) path: Template,
    pub(super) is_post: bool,
    pub(super) params: Vec<(String, Template)>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) body: Option<Template>,
    pub(super) format: Format,
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) records: Path,
    pub(super) records_optional: bool,
    pub(super) total: Option<Path>,
    pub(super) pager: Pager,
    pub(super) rules: Rules,
    pub(super) shape: Shape,
    pub(super) window: Option<WindowPlan>,
    pub(super) parent: Option<(String, Vec<String>)>,
    pub(super) by_key: Option<(Template, Path)>,
    pub(super) rhythm: Rhythm,
    /// What is asked for, told from anything else.
    pub(super) scope: String,
    described: Stream,
}

/// How changes alone are asked for.
#[derive(Debug, Clone)]
pub(super) struct WindowPlan {
    pub(super) params: Vec<(String, Template)>,
    pub(super) start: Option<Timestamp>,
    pub(super) step: Option<(u32, Tz)>,
}

impl WindowPlan {
    /// The end of the part of a reading that begins at `from` and may go on to `until`.
    pub(super) fn step_end(&self, from: Timestamp, until: Timestamp) -> Timestamp {
        let Some((days, zone)) = self.step else { return until };
        let first = from.to_datetime().with_timezone(&zone).date_naive();
        let next = first.checked_add_days(chrono::Days::new(days.into()));
        let end = next.and_then(|day| local_instant(day.and_time(chrono::NaiveTime::MIN), zone));
        end.unwrap_or(until).min(until)
    }

    /// Where the part of a reading begins that `from` lies in.
    pub(super) fn step_begin(&self, from: Timestamp) -> Timestamp {
        let Some((_, zone)) = self.step else { return from };
        let day = from.to_datetime().with_timezone(&zone).date_naive();
        local_instant(day.and_time(chrono::NaiveTime::MIN), zone).unwrap_or(from)
    }
}

impl StreamPlan {
    /// Checks the settings of the stream `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the setting and what it accepts.
    pub(super) fn new(name: &str, source: &RestConfig, zone: Option<Tz>, templates: &Templates) -> Result<StreamPlan> {
        let config = &source.streams[name];
        let wrong = |setting: &'static str, message: &str, help: &str| {
            Error::new(ErrorKind::Config, message.to_owned()).with("setting", setting).help(help.to_owned())
        };
        if config.key.is_empty() {
            return Err(wrong("key", "no key field is named", "list the fields that tell records apart"));
        }
        let texts = |map: &BTreeMap<String, String>, setting: &str| {
            let text = |(name, text): (&String, &String)| {
                Ok((name.clone(), templates.parse(text, format!("{setting}.{name}"), Target::Text)?))
            };
            map.iter().map(text).collect::<Result<Vec<_>>>()
        };
        let mut headers = texts(&source.headers, "headers")?;
        headers.retain(|(name, _)| !config.headers.keys().any(|own| own.eq_ignore_ascii_case(name)));
        headers.extend(texts(&config.headers, "headers")?);
        if config.body.is_some() && config.method == Method::Get {
            return Err(wrong("body", "a `get` has no body", "set `method: post`"));
        }
        if let Paging::Cursor { param: None, .. } = config.paging
            && config.body.as_ref().is_none_or(|body| !body.contains("page.cursor"))
        {
            return Err(wrong(
                "paging.param",
                "nothing takes the cursor to the API",
                "name the parameter for it, or write `{{ page.cursor }}` in `body`",
            ));
        }
        let encoding = config.encoding.as_ref().map(|label| {
            let label = if label.eq_ignore_ascii_case("cp932") { "shift_jis" } else { label.as_str() };
            Encoding::for_label(label.as_bytes())
                .ok_or_else(|| wrong("encoding", "not an encoding", "use `utf-8`, `cp932`, `euc-jp`, …"))
        });
        let stamp = config.stamp.as_ref().map(|entry| InstantField::new(entry, zone, "stamp")).transpose()?;
        let created = config.created.as_ref().map(|entry| InstantField::new(entry, zone, "created")).transpose()?;
        let window = config.window.as_ref().map(|window| {
            let start = window.start.as_ref().map(|text| start_of(text, zone)).transpose()?;
            let step = match (window.step_days, zone) {
                (None, _) => None,
                (Some(_), _) if start.is_none() => {
                    return Err(wrong(
                        "window.step_days",
                        "steps need a first day",
                        "set `window.start`, such as 2024-04-01",
                    ));
                }
                (Some(_), None) => {
                    return Err(wrong(
                        "window.step_days",
                        "days need a time zone",
                        "set `time_zone: Asia/Tokyo` of the source",
                    ));
                }
                (Some(days), Some(zone)) => Some((days, zone)),
            };
            Ok(WindowPlan { params: texts(&window.params, "window.params")?, start, step })
        });
        let parent = config.parent.as_ref().map(|parent| match source.streams.get(&parent.stream) {
            Some(stream) if stream.window.as_ref().is_some_and(|window| window.step_days.is_some()) => Err(wrong(
                "parent.stream",
                "the parent is read in steps of some days, and children need all parents",
                "describe the parents' list once more without `step_days`, as a stream of its own",
            )),
            Some(stream) if stream.parent.is_none() => Ok((parent.stream.clone(), parent.keep.clone())),
            Some(_) => Err(wrong(
                "parent.stream",
                "the parent has a parent itself",
                "read the grandchildren by a parameter, if the API has one",
            )),
            None => {
                let known: Vec<&str> = source.streams.keys().map(String::as_str).collect();
                Err(wrong("parent.stream", "there is no such stream", &format!("use one of: {}", known.join(", "))))
            }
        });
        let by_key = config.by_key.as_ref().map(|by_key| {
            let path = templates.parse(&by_key.path, "by_key.path", Target::Path)?;
            Ok::<_, Error>((path, Path::parse(&by_key.record, "by_key.record")?))
        });
        let days = config.refresh_days.unwrap_or(source.refresh_days);
        let overlap_secs = config.window.as_ref().map_or(0, |window| i64::from(window.overlap_secs));
        let rhythm = Rhythm {
            has_window: config.window.is_some(),
            lag_secs: source.lag_secs.into(),
            overlap_secs,
            refresh_secs: (days > 0).then(|| i64::from(days) * 86_400),
        };
        Ok(StreamPlan {
            name: name.to_owned(),
            path: templates.parse(&config.path, "path", Target::Path)?,
            is_post: config.method == Method::Post,
            params: texts(&config.params, "params")?,
            headers,
            body: config.body.as_ref().map(|body| templates.parse(body, "body", Target::Json)).transpose()?,
            format: config.format,
            encoding: encoding.transpose()?,
            records: Path::parse(&config.records, "records")?,
            records_optional: config.records_optional,
            total: config.total.as_ref().map(|path| Path::parse(path, "total")).transpose()?,
            pager: Pager::new(&config.paging)?,
            rules: Rules::new(&config.errors, &source.errors)?,
            shape: Shape { stamp, created, deleted: config.deleted.clone(), ..Shape::all(config.key.clone()) }
                .of(&config.allow, &config.deny),
            window: window.transpose()?,
            parent: parent.transpose()?,
            by_key: by_key.transpose()?,
            rhythm,
            scope: scope_of(source, config),
            described: described(name, config),
        })
    }

    /// The stream, with the fields that are known without asking: those that the settings name, and those seen so far.
    pub(super) fn stream(&self, seen: impl Iterator<Item = (String, &'static str)>) -> Stream {
        let mut stream = self.described.clone();
        for (name, kind) in seen {
            if !stream.fields.iter().any(|field| field.name == name) {
                stream.fields.push(Field::plain(name, kind, FieldClass::Business));
            } else if let Some(field) =
                stream.fields.iter_mut().find(|field| field.name == name && field.source_type.is_empty())
            {
                field.source_type = kind.to_owned();
            }
        }
        stream
    }

    /// Whether the whole list is read from end to end, not from some instant on only.
    pub(super) fn has_no_start(&self) -> bool {
        self.window.as_ref().is_none_or(|window| window.start.is_none())
    }

    /// The fields that every page delivers.
    pub(super) fn named_fields(&self) -> Vec<String> {
        self.described.fields.iter().map(|field| field.name.clone()).collect()
    }
}

/// The instant or the beginning of the day that a setting tells.
fn start_of(text: &str, zone: Option<Tz>) -> Result<Timestamp> {
    let wrong = |help: &str| {
        Error::new(ErrorKind::Config, "not a day or an instant")
            .with("setting", "window.start")
            .with("found", text)
            .help(help.to_owned())
    };
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let zone = zone.ok_or_else(|| wrong("set `time_zone: Asia/Tokyo` of the source: a day begins in some zone"))?;
        return local_instant(day.and_time(chrono::NaiveTime::MIN), zone).ok_or_else(|| wrong("write another day"));
    }
    Timestamp::from_str(text).map_err(|_| wrong("write it like 2024-04-01 or 2024-04-01T00:00:00+09:00"))
}

/// Everything that decides which records are seen.
fn scope_of(source: &RestConfig, config: &StreamConfig) -> String {
    let what = format!(
        "{} {:?} {} {:?} {:?} {} {:?} {:?} {:?}",
        source.base_url,
        config.method,
        config.path,
        config.params,
        config.body,
        config.records,
        config.allow,
        config.deny,
        config.parent
    );
    format!("{} ({:016x})", config.path, xxh3_64(what.as_bytes()))
}

fn described(name: &str, config: &StreamConfig) -> Stream {
    let instants = [&config.stamp, &config.created].into_iter().flatten().map(InstantEntry::name);
    let stamp = config.stamp.as_ref().map(|entry| entry.name().to_owned());
    let kept = config.parent.iter().flat_map(|parent| &parent.keep);
    let texts = config.key.iter().chain(kept).chain(config.deleted.iter().map(|deleted| &deleted.field));
    let named = texts.map(String::as_str).chain(instants).chain(config.fields.keys().map(String::as_str));
    let mut fields: Vec<Field> = Vec::new();
    for field in named {
        if fields.iter().any(|known| known.name == field) {
            continue;
        }
        let settings = config.fields.get(field).cloned().unwrap_or_default();
        let otherwise = if stamp.as_deref() == Some(field) { FieldClass::Bookkeeping } else { FieldClass::Business };
        let kind = settings.kind.unwrap_or_default();
        fields.push(Field { label: settings.label, ..Field::plain(field, kind, settings.class.unwrap_or(otherwise)) });
    }
    Stream {
        name: name.to_owned(),
        label: config.label.clone(),
        key: config.key.clone(),
        stamp,
        fields,
        dated: false,
        tells_deletes: config.deleted.is_some(),
    }
}
