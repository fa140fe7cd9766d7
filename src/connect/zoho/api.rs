//! What we ask of Zoho, one function per endpoint, with the edges that bite.
//!
//! Nothing found is 204 without a body, everywhere, and 304 where something newer was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use serde::de::DeserializeOwned;
use serde_json::json;
use url::form_urlencoded;

use super::bulk::Shelf;
use super::coql::{self, Range};
use super::model::{Count, DeletedPage, DescribedField, DescribedFields, Module, Modules, Org, Orgs, Users};
use super::page::{self, RecordPage};
use super::plan::{Columns, ID, STAMP};
use super::refusal::{Outcome, Refusal, classify};
use crate::clock::Timestamp;
use crate::connect::http::{Ahead, Answer, Authorize, Client, Request, Sent, Target, Verdict, Way, unexpected};
use crate::connect::json;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Records;

/// The version of the API.
pub(super) const VERSION: &str = "v8";

/// The most records of a page of a list, and the most ids that a list takes.
pub(super) const LISTED: u16 = 200;
pub(super) const LISTED_IDS: usize = 100;

/// What lists leave out unless asked: records that wait for approval, and leads that were converted. Only leads know the
/// second.
fn all_states(module: &str) -> &'static [(&'static str, &'static str)] {
    match module {
        "Leads" => &[("approved", "both"), ("converted", "both")],
        _ => &[("approved", "both")],
    }
}

/// The API of one org.
pub(super) struct Api {
    pub(super) client: Arc<Client>,
    pub(super) auth: Arc<dyn Authorize>,
    pub(super) meter: Arc<Meter>,
    pub(super) shelf: Shelf,
    /// Pages of lists that were asked for ahead.
    pub(super) pages: Ahead<Judged<Option<RecordPage>>>,
}

/// What answers tell beside their contents.
#[derive(Debug)]
pub(super) struct Meter {
    /// Credits that are left; negative while nobody told, which Zoho does from half of them on.
    credits: AtomicI64,
    /// Zoho's clock when it last told, in microseconds.
    clock: AtomicI64,
    /// Whether an answer came without a word.
    pub(super) silent: AtomicBool,
    /// Whether the present access token was ever accepted.
    pub(super) accepted: AtomicBool,
}

impl Default for Meter {
    fn default() -> Self {
        Meter {
            credits: AtomicI64::new(-1),
            clock: AtomicI64::new(i64::MIN),
            silent: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
        }
    }
}

impl Meter {
    pub(super) fn note(&self, answer: &Answer) {
        let left = answer.header("x-api-credits-remaining").and_then(|text| text.trim().parse::<i64>().ok());
        if let Some(left) = left {
            self.credits.store(left.max(0), Ordering::Relaxed);
        }
        if let Some(date) = answer.date() {
            self.clock.fetch_max(date.micros(), Ordering::Relaxed);
        }
        if answer.status.as_u16() < 400 {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Credits that are left, if Zoho told.
    pub(super) fn credits(&self) -> Option<u64> {
        u64::try_from(self.credits.load(Ordering::Relaxed)).ok()
    }

    /// Zoho's clock, not later than now; `None` when it has not told it.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        let micros = self.clock.load(Ordering::Relaxed);
        (micros != i64::MIN).then(|| Timestamp::from_micros(micros))
    }
}

pub(super) type Judged<T> = std::result::Result<T, Refusal>;

/// Which records a list is asked for.
pub(super) struct List<'a> {
    pub(super) module: &'a str,
    pub(super) columns: &'a Arc<Columns>,
    /// Those changed then or later, by their stamps; all by id without.
    pub(super) since: Option<Timestamp>,
    pub(super) limit: u16,
    /// Where the last page said that the list goes on.
    pub(super) token: Option<&'a str>,
    /// The stream that all of the list is read for: the page behind is asked for as soon as one has arrived.
    pub(super) ahead: Option<&'a str>,
}

impl Api {
    /// Whose data it is.
    pub(super) async fn org(&self) -> Result<Sent<Org>> {
        let sent = self.read::<Orgs>(&format!("/crm/{VERSION}/org")).await?;
        told(sent, |orgs| orgs.and_then(|orgs| orgs.org.into_iter().next()).ok_or_else(|| missing("org")))
    }

    /// Who reads it: what can be seen depends on it. `None` where the token may not ask.
    pub(super) async fn user(&self) -> Result<Sent<Option<String>>> {
        let request = get(&format!("/crm/{VERSION}/users"), &[("type", "CurrentUser")]);
        let sent = self.ask(&request, |body| serde_json::from_slice::<Users>(body)).await?;
        told(sent, |users| match users {
            Ok(users) => Ok(users.and_then(|users| users.users.into_iter().next()).map(|user| user.id)),
            Err(refusal) if refusal.is_closed_module() => Ok(None),
            Err(refusal) => Err(refusal.into_error()),
        })
    }

    /// The modules that the org has, readable or not.
    pub(super) async fn modules(&self) -> Result<Sent<Vec<Module>>> {
        let sent = self.read::<Modules>(&format!("/crm/{VERSION}/settings/modules")).await?;
        told(sent, |modules| Ok(modules.map(|modules| modules.modules).unwrap_or_default()))
    }

    /// The fields of a module, as far as the user sees them; none of some modules.
    pub(super) async fn fields(&self, module: &str) -> Result<Sent<Judged<Vec<DescribedField>>>> {
        let request = get(&format!("/crm/{VERSION}/settings/fields"), &[("module", module)]);
        let sent = self.ask(&request, |body| serde_json::from_slice::<DescribedFields>(body)).await?;
        told(sent, |fields| Ok(fields.map(|fields| fields.map(|fields| fields.fields).unwrap_or_default())))
    }

    /// How many records a module has, by query or by list.
    pub(super) async fn count(&self, module: &str, by_list: bool) -> Result<Sent<Judged<u64>>> {
        if by_list {
            let request = get(&format!("/crm/{VERSION}/{module}/actions/count"), all_states(module));
            let sent = self.ask(&request, |body| serde_json::from_slice::<Count>(body)).await?;
            return told(sent, |count| Ok(count.map(|count| count.map_or(0, |count| count.count))));
        }
        let sent = self.ask(&query(&coql::count(module)), page::parse_count).await?;
        told(sent, |count| Ok(count.map(Option::unwrap_or_default)))
    }

    /// A page of a query. What is asked in the order that it says must come in it, behind `after`: a page that was
    /// sent before is none.
    pub(super) async fn select(
        &self,
        module: &str,
        columns: &Arc<Columns>,
        range: &Range<'_>,
        limit: usize,
    ) -> Result<Sent<Judged<RecordPage>>> {
        let (after, by_stamp) = match range {
            Range::All { after, .. } => (after.map(|id| (None, id.to_owned())), false),
            Range::Window { after, .. } => (after.map(|(at, id)| (Some(at), id.to_owned())), true),
            Range::Ids(_) => (None, false),
        };
        let request = query(&coql::select(module, &columns.names, range, limit));
        let columns = Arc::clone(columns);
        let read = move |body: &[u8]| {
            let page = page::parse(body, &columns)?;
            let after = after.as_ref().map(|(at, id)| (*at, id.as_str()));
            if page.records.len() > limit || !page::is_in_order(&page.records, after, by_stamp) {
                return Err(serde::de::Error::custom("other records than were asked for"));
            }
            Ok(page)
        };
        let sent = self.ask(&request, read).await?;
        told(sent, |page| Ok(page.map(Option::unwrap_or_default)))
    }

    /// A page of a list, from the oldest on. Lists are live: a record that changes meanwhile comes again at the end.
    ///
    /// Only the first 2,000 records can be had by number, so every page but the first is asked for by the token that
    /// came with the one before; all else must stay as it was.
    pub(super) async fn list(&self, list: List<'_>) -> Result<Sent<Judged<RecordPage>>> {
        let limit = list.limit.min(LISTED).to_string();
        let fields = fields_of(list.columns);
        let sort = if list.since.is_some() { STAMP } else { ID };
        let (module, all, since) = (list.module.to_owned(), all_states(list.module), list.since);
        let asked = move |token: Option<&str>| {
            let mut parameters =
                vec![("fields", fields.as_str()), ("per_page", &limit), ("sort_by", sort), ("sort_order", "asc")];
            parameters.extend(all);
            parameters.extend(token.map(|token| ("page_token", token)));
            let request = get(&format!("/crm/{VERSION}/{module}"), &parameters);
            match since {
                Some(since) => request.header("if-modified-since", coql::instant(since)),
                None => request,
            }
        };
        // A page that names itself as the next, or says that there is more and not where, was sent before.
        let is_old = |page: &RecordPage, here: Option<&str>| {
            page.more && page.token.as_deref().is_none_or(|next| Some(next) == here)
        };
        let read = |here: Option<String>| {
            let columns = Arc::clone(list.columns);
            move |body: &[u8]| {
                let page = page::parse(body, &columns)?;
                if is_old(&page, here.as_deref()) || !page::is_distinct(&page.records) {
                    return Err(serde::de::Error::custom("other records than were asked for"));
                }
                Ok(page)
            }
        };
        let (request, here) = (asked(list.token), list.token.map(str::to_owned));
        let mut before = (0, 0);
        if let Some(lane) = list.ahead {
            let (client, auth) = (Arc::clone(&self.client), Some(Arc::clone(&self.auth)));
            let way = Way { client, auth, judge: self.judge(read(None)), peek: page::next_after };
            let sent = self.pages.send(lane, request.clone(), way, move |token| Some(asked(Some(&token)))).await?;
            let came_before = matches!(&sent.value, Ok(Some(page)) if is_old(page, here.as_deref()));
            if !came_before {
                return told(sent, |page| Ok(page.map(Option::unwrap_or_default)));
            }
            before = (sent.requests, sent.bytes);
        }
        let mut sent = self.ask(&request, read(here)).await?;
        sent.requests += before.0;
        sent.bytes += before.1;
        told(sent, |page| Ok(page.map(Option::unwrap_or_default)))
    }

    /// Records by id, as lists show them. Those that are not there are left out; the order is none.
    pub(super) async fn listed(
        &self,
        module: &str,
        columns: &Arc<Columns>,
        ids: &[String],
    ) -> Result<Sent<Judged<RecordPage>>> {
        let (fields, joined) = (fields_of(columns), ids.join(","));
        let mut parameters = vec![("fields", fields.as_str()), ("ids", &joined)];
        parameters.extend(all_states(module));
        self.those(&get(&format!("/crm/{VERSION}/{module}"), &parameters), columns, ids).await
    }

    /// The whole formatted texts of some records, which lists cut.
    pub(super) async fn whole_texts(
        &self,
        module: &str,
        columns: &Arc<Columns>,
        names: &[String],
        ids: &[String],
    ) -> Result<Sent<Judged<RecordPage>>> {
        let (fields, joined) = (names.join(","), ids.join(","));
        let path = format!("/crm/{VERSION}/{module}/actions/fetch_full_data");
        self.those(&get(&path, &[("fields", &fields), ("ids", &joined)]), columns, ids).await
    }

    /// An answer with some of these records and no other: an answer to another question is none.
    async fn those(
        &self,
        request: &Request,
        columns: &Arc<Columns>,
        ids: &[String],
    ) -> Result<Sent<Judged<RecordPage>>> {
        let (columns, ids) = (Arc::clone(columns), ids.to_vec());
        let read = move |body: &[u8]| {
            let page = page::parse(body, &columns)?;
            let is_asked = page.records.heads().iter().all(|head| ids.contains(&head.key));
            if is_asked { Ok(page) } else { Err(serde::de::Error::custom("other records than were asked for")) }
        };
        let sent = self.ask(request, read).await?;
        told(sent, |page| Ok(page.map(Option::unwrap_or_default)))
    }

    /// A page of the records that were deleted, whether they can be brought back or not, in no order.
    pub(super) async fn deleted(&self, module: &str, since: Timestamp, page: u32) -> Result<Sent<Judged<DeletedPage>>> {
        let (page, limit) = (page.to_string(), LISTED.to_string());
        let path = format!("/crm/{VERSION}/{module}/deleted");
        let request = get(&path, &[("type", "all"), ("page", &page), ("per_page", &limit)]);
        let request = request.header("if-modified-since", coql::instant(since));
        let sent = self.ask(&request, |body| serde_json::from_slice::<DeletedPage>(body)).await?;
        told(sent, |page| Ok(page.map(Option::unwrap_or_default)))
    }

    /// The rows of a sub-form of one record, and whether there are more; `None` when there is no such record.
    pub(super) async fn single(
        &self,
        module: &str,
        field: &str,
        id: &str,
        columns: &Arc<Columns>,
    ) -> Result<Sent<Judged<Option<(Records, bool)>>>> {
        let request = get(&format!("/crm/{VERSION}/{module}/{id}"), &[("fields", field)]);
        let (field, columns) = (field.to_owned(), Arc::clone(columns));
        self.ask(&request, move |body| page::parse_rows(body, &field, &columns)).await
    }

    /// A page, from 1 on, of what belongs to one record; `None` when there is nothing, or no such record.
    pub(super) async fn related(
        &self,
        module: &str,
        id: &str,
        list: &str,
        columns: &Arc<Columns>,
        number: u32,
    ) -> Result<Sent<Judged<Option<RecordPage>>>> {
        let (fields, number, limit) = (fields_of(columns), number.to_string(), LISTED.to_string());
        let parameters = [("fields", fields.as_str()), ("page", &number), ("per_page", &limit)];
        let request = get(&format!("/crm/{VERSION}/{module}/{id}/{list}"), &parameters);
        let columns = Arc::clone(columns);
        self.ask(&request, move |body| page::parse(body, &columns)).await
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Result<Sent<Option<T>>> {
        let sent = self.ask(&get(path, &[]), |body| serde_json::from_slice::<T>(body)).await?;
        told(sent, |value| value.map_err(Refusal::into_error))
    }

    /// Sends a request; `None` where there is nothing.
    pub(super) async fn ask<T, R>(&self, request: &Request, read: R) -> Result<Sent<Judged<Option<T>>>>
    where
        T: Send + 'static,
        R: Fn(&[u8]) -> serde_json::Result<T> + Clone + Send + Sync + 'static,
    {
        self.client.send(request, Some(self.auth.as_ref()), self.judge(read)).await
    }

    /// What an answer means, of which `read` reads the body.
    fn judge<T, R>(&self, read: R) -> impl Fn(Answer) -> Verdict<Judged<Option<T>>> + Clone + Send + Sync + use<T, R>
    where
        R: Fn(&[u8]) -> serde_json::Result<T> + Clone + Send + Sync,
    {
        let meter = Arc::clone(&self.meter);
        move |answer: Answer| {
            meter.note(&answer);
            match answer.status.as_u16() {
                204 | 304 => return Verdict::Accept(Ok(None)),
                _ if !answer.status.is_success() => return classified(&answer),
                _ if answer.body.is_empty() => {
                    meter.silent.store(true, Ordering::Relaxed);
                    return unexpected(&answer);
                }
                _ if answer.is_html() => return unexpected(&answer),
                _ => {}
            }
            match read(&answer.body) {
                Ok(value) => Verdict::Accept(Ok(Some(value))),
                Err(error) => Verdict::Again { error: json::unreadable(&error), wait: None },
            }
        }
    }
}

/// What a refused answer means.
pub(super) fn classified<T>(answer: &Answer) -> Verdict<Judged<T>> {
    match classify(answer) {
        Outcome::Refusal(refusal) => Verdict::Accept(Err(refusal)),
        Outcome::Verdict(Verdict::Accept(never)) => match never {},
        Outcome::Verdict(Verdict::Again { error, wait }) => Verdict::Again { error, wait },
        Outcome::Verdict(Verdict::Renew(error)) => Verdict::Renew(error),
        Outcome::Verdict(Verdict::Stop(error)) => Verdict::Stop(error),
    }
}

/// An answer that there must be.
pub(super) fn present<T>(sent: Sent<Judged<Option<T>>>) -> Result<Sent<Judged<T>>> {
    told(sent, |value| match value {
        Ok(Some(value)) => Ok(Ok(value)),
        Ok(None) => Err(missing("job")),
        Err(refusal) => Ok(Err(refusal)),
    })
}

/// The same answer with what is made of its value.
fn told<T, U>(sent: Sent<T>, make: impl FnOnce(T) -> Result<U>) -> Result<Sent<U>> {
    Ok(Sent { value: make(sent.value)?, date: sent.date, requests: sent.requests, bytes: sent.bytes })
}

fn missing(what: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, "the answer is empty")
        .with("asked_for", what)
        .help("run the sync again; if it stays so, report it")
}

fn fields_of(columns: &Columns) -> String {
    columns.names.join(",")
}

fn get(path: &str, parameters: &[(&str, &str)]) -> Request {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    Request::get(Target::Relative(path))
}

fn query(statement: &str) -> Request {
    let body = json!({ "select_query": statement }).to_string();
    Request::post(Target::Relative(format!("/crm/{VERSION}/coql")), "application/json", body)
}
