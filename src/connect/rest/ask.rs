//! One request of a stream, from its templates to what the answer holds.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::Rest;
use super::config::Format;
use super::formats::{self, Parsed};
use super::paging::{Place, Seen, Shown};
use super::position::ListAt;
use super::print::print_of;
use super::rules::Meaning;
use super::stream::StreamPlan;
use crate::clock::Timestamp;
use crate::connect::http::{Answer, Request, Sent, Target, Verdict, unexpected};
use crate::connect::tree::{Tree, text_of};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Rejected;

/// How often one page is asked for again that was sent before.
const MOST_REPEATS: usize = 2;

/// A span that a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// What a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) plan: &'a StreamPlan,
    pub(super) span: Option<Span>,
    /// The values of the parent whose records are wanted.
    pub(super) parent: Option<&'a Value>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct ListPage {
    pub(super) items: Vec<Tree>,
    pub(super) rejected: Vec<Rejected>,
    /// Which page of the list it was, from 1.
    pub(super) number: u64,
    pub(super) total: Option<u64>,
    /// Where the list goes on.
    pub(super) next: Option<ListAt>,
    /// How many of the items were not on the page before.
    pub(super) new: u64,
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

/// What an answer held.
struct Held {
    parsed: Parsed,
    link: Option<String>,
}

impl Rest {
    /// The page of a list at `at`.
    ///
    /// # Errors
    ///
    /// Those of the API; [`ErrorKind::BadData`] when the answer has another shape, or the list goes round in circles.
    pub(super) async fn list_page(&self, wish: Wish<'_>, at: &ListAt) -> Result<ListPage> {
        let plan = wish.plan;
        let (mut requests, mut bytes) = (0, 0);
        for attempt in 0.. {
            let request = self.request(wish, &at.place)?;
            let address = self.address_of(&request)?;
            let sent = self.send(plan, request, wish.parent.is_some()).await?;
            requests += sent.requests;
            bytes += sent.bytes;
            let none = Held { parsed: Parsed { tree: Value::Array(Vec::new()), rejected: Vec::new() }, link: None };
            let is_nothing = sent.value.is_none();
            let Held { parsed: Parsed { tree, rejected }, link } = sent.value.unwrap_or(none);
            let found = if is_nothing { Some(Vec::new()) } else { plan.records.records(&tree) };
            let items = match found {
                Some(items) => items,
                None if plan.records_optional => Vec::new(),
                None => return Err(nothing_there(plan, &tree)),
            };
            let total = plan.total.as_ref().and_then(|path| path.first(&tree)).and_then(text_of);
            let total = total.and_then(|text| text.parse::<u64>().ok());
            let print = print_of(&items);
            let is_old = !items.is_empty() && at.print == Some(print) && items.len() > 1;
            let overlaps = plan.pager.overlaps() && at.place != Place::First;
            let new = items.len() as u64 - u64::from(overlaps && !items.is_empty());
            let seen = Seen { count: items.len() as u64, before: at.before, read: at.read + new, total };
            let shown = Shown { address: &address, link: link.as_deref(), tree: &tree };
            let next = plan.pager.next(&at.place, seen, &shown, &items)?;
            let last = items.last().map(|item| print_of(&[item]));
            let advanced = next.map(|next| at.advanced(next, items.len() as u64, new, print, last));
            if is_old || matches!(advanced, Some(None)) {
                // Somebody on the way may have sent an old answer; if it stays so, the list has no end.
                if attempt < MOST_REPEATS {
                    continue;
                }
                return Err(endless(plan, at));
            }
            // Where records have gone, others moved up: the one that should be on both pages is not on this one.
            let moved = overlaps && !items.is_empty() && !items.iter().any(|item| Some(print_of(&[item])) == at.last);
            if moved && at.retreats < 3 {
                let place = plan.pager.before(&at.place);
                let retreat = ListAt {
                    mark: place.clone(),
                    place,
                    retreats: at.retreats + 1,
                    print: None,
                    last: None,
                    read: at.read.saturating_sub(at.before.unwrap_or(0)),
                    ..at.clone()
                };
                let items = Vec::new();
                return Ok(ListPage {
                    items,
                    rejected,
                    number: at.pages,
                    total,
                    next: Some(retreat),
                    new: 0,
                    requests,
                    bytes,
                });
            }
            let next = advanced.flatten();
            return Ok(ListPage {
                items: items.into_iter().cloned().collect(),
                rejected,
                number: at.pages + 1,
                total,
                next,
                new,
                requests,
                bytes,
            });
        }
        Err(endless(plan, at))
    }

    /// A single record, if it is there.
    pub(super) async fn single(&self, plan: &StreamPlan, key: &Value) -> Result<Sent<Option<Tree>>> {
        let Some((path, record)) = &plan.by_key else {
            return Err(Error::new(ErrorKind::Internal, "the stream has no `by_key`"));
        };
        let values = self.values(&[("key", key.clone())]);
        let mut request = Request::get(Target::Absolute(self.join(&self.templates.render(path, &values)?)?));
        for (name, template) in &plan.headers {
            request = request.header(name.clone(), self.templates.render(template, &values)?);
        }
        let request = self.signed(request, "")?;
        let sent = self.send(plan, request, true).await?;
        Ok(sent.map(|held| {
            held.and_then(|held| record.first(&held.parsed.tree).filter(|found| found.is_object()).cloned())
        }))
    }

    async fn send(&self, plan: &StreamPlan, request: Request, absent_is_nothing: bool) -> Result<Sent<Option<Held>>> {
        let (rules, format, encoding) = (plan.rules.clone(), plan.format, plan.encoding);
        let judge = move |answer: Answer| match rules.judge(&answer, absent_is_nothing) {
            Meaning::Nothing => Verdict::Accept(None),
            Meaning::Verdict(verdict) => verdict,
            Meaning::Data => match formats::read(&answer, format, encoding) {
                Ok(parsed) => Verdict::Accept(Some(Held { parsed, link: answer.header("link").map(str::to_owned) })),
                Err(_) if answer.is_html() && format != Format::Xml => unexpected(&answer),
                Err(problem) => {
                    let kind = if problem.is_cut { ErrorKind::Unavailable } else { ErrorKind::BadData };
                    let error = Error::new(kind, "the answer cannot be read")
                        .with("found", &problem.what)
                        .help("run the sync again; if it stays so, set `format` and `encoding` of the stream");
                    if problem.is_cut { Verdict::Again { error, wait: None } } else { Verdict::Stop(error) }
                }
            },
        };
        let sent = self.client.send(&request, self.auth.as_deref(), judge).await?;
        self.note(sent.date);
        Ok(sent)
    }

    /// The request for the page at `place`.
    fn request(&self, wish: Wish<'_>, place: &Place) -> Result<Request> {
        let plan = wish.plan;
        let cursor = if let Place::Text(text) = place { Value::from(text.as_str()) } else { Value::Null };
        let mut more = vec![("page", json!({ "cursor": cursor }))];
        if let Some(parent) = wish.parent {
            more.push(("parent", parent.clone()));
        }
        if let Some(Span { from, until }) = wish.span {
            more.push(("window", json!({ "from": from, "until": until, "last": until.plus_micros(-1) })));
        }
        let values = self.values(&more);
        let address = match place {
            Place::Url(address) => self.join(address)?,
            _ => {
                let mut address = self.join(&self.templates.render(&plan.path, &values)?)?;
                let window = plan.window.iter().filter(|_| wish.span.is_some()).flat_map(|window| &window.params);
                let mut params = Vec::new();
                for (name, template) in plan.params.iter().chain(window) {
                    let value = self.templates.render(template, &values)?;
                    if !value.is_empty() {
                        params.push((name.clone(), value));
                    }
                }
                params.extend(plan.pager.params(place));
                if !params.is_empty() {
                    address.query_pairs_mut().extend_pairs(params);
                }
                address
            }
        };
        let address = Target::Absolute(self.keyed(address));
        let body = plan.body.as_ref().map(|body| self.templates.render(body, &values)).transpose()?.unwrap_or_default();
        let mut request =
            if plan.is_post { Request::post(address, "application/json", body.clone()) } else { Request::get(address) };
        request = request.accepting(plan.format.accepted());
        for (name, template) in &plan.headers {
            request = request.header(name.clone(), self.templates.render(template, &values)?);
        }
        self.signed(request, &body)
    }

    /// The address with the key, where that is a parameter.
    fn keyed(&self, mut address: Url) -> Url {
        if let Some((param, key)) = &self.key_param
            && !address.query_pairs().any(|(name, _)| name == *param)
        {
            address.query_pairs_mut().append_pair(param, key.expose_secret());
        }
        address
    }

    fn signed(&self, mut request: Request, body: &str) -> Result<Request> {
        if let Some((header, key)) = &self.key_header {
            request = request.header(header.clone(), key.expose_secret());
        }
        if self.signature.is_empty() {
            return Ok(request);
        }
        let address = self.address_of(&request)?;
        let query = address.query().unwrap_or_default();
        let values = self.values(&[
            ("method", if request.is_post() { "POST" } else { "GET" }.into()),
            ("path", address.path().into()),
            ("query", query.into()),
            ("url", address.as_str().into()),
            ("body", body.into()),
            ("now", self.clock.now().to_string().into()),
        ]);
        for (name, template) in &self.signature {
            request = request.header(name.clone(), self.templates.render(template, &values)?);
        }
        Ok(request)
    }

    fn address_of(&self, request: &Request) -> Result<Url> {
        request.address().cloned().ok_or_else(|| Error::new(ErrorKind::Internal, "a request without an address"))
    }

    /// What templates know.
    fn values(&self, more: &[(&str, Value)]) -> Value {
        let vars: Value =
            self.config.vars.iter().map(|(name, value)| (name.clone(), Value::from(value.expose_secret()))).collect();
        let mut values = json!({ "vars": vars });
        for (name, value) in more {
            values[*name] = value.clone();
        }
        values
    }

    /// An address below the source's, or another one at the same host.
    fn join(&self, path: &str) -> Result<Url> {
        let joined = match Url::parse(path) {
            Ok(address) => Some(address),
            Err(_) => self.base.join(path.trim_start_matches('/')).ok(),
        };
        joined.filter(|address| address.origin() == self.base.origin()).ok_or_else(|| {
            Error::new(ErrorKind::Config, "the path leads to another host than `base_url`")
                .with("host", self.base.host_str().unwrap_or_default())
                .help("read another host as a source of its own: the credential is sent to one alone")
        })
    }
}

fn nothing_there(plan: &StreamPlan, tree: &Tree) -> Error {
    let there = match tree {
        Value::Object(members) => members.keys().take(20).map(String::as_str).collect::<Vec<_>>().join(", "),
        Value::Array(items) => format!("a list of {}", items.len()),
        _ => "a single value".to_owned(),
    };
    Error::new(ErrorKind::BadData, "the answer has nothing where the records should be")
        .with("records", plan.records.as_str())
        .with("there_is", there)
        .help("mend `records` of the stream; if the API leaves it out where there is nothing, set `records_optional: true`; if this answer tells of an error, give it a rule in `errors`")
}

fn endless(plan: &StreamPlan, at: &ListAt) -> Error {
    Error::new(ErrorKind::BadData, "the list has no end: a page came again")
        .with("list", &plan.name)
        .with("pages", at.pages)
        .help("see whether the API knows the parameter of `paging`, and whether `paging.next` leads to the next page, not to this one")
}
