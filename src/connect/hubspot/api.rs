//! What we ask of HubSpot, one function per endpoint, with the edges that bite.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::catalog::{Owners, Pipeline};
use super::links::{Input, LinkPage};
use super::model::{Account, Found, Property, Results, Schema};
use super::page::{self, RecordPage};
use super::plan::Plan;
use super::refusal::{Outcome, Refusal, classify};
use crate::clock::Timestamp;
use crate::connect::http::{Ahead, Answer, Authorize, Client, Request, Sent, Target, Verdict, Way, unexpected};
use crate::connect::json;
use crate::error::{Error, ErrorKind, Result};

/// The version of the API; supported until about March 2028.
pub(super) const VERSION: &str = "2026-09";

/// Longer addresses are not tried. Reported ceilings begin at 8 kB.
const MAX_URL_BYTES: usize = 7_000;

/// The most records that can be read by id at a time; with history, half as many.
pub(super) const BATCH: usize = 100;
pub(super) const HISTORY_BATCH: usize = 50;

/// Owners asked for at a time, the most there may be.
const OWNERS_PAGE: &str = "500";

/// The most that a search gives at a time.
const FOUND: usize = 200;

/// The API of one account.
pub(super) struct Api {
    pub(super) client: Arc<Client>,
    /// Searches have a limit of their own, for all programs of an account together.
    pub(super) searcher: Client,
    pub(super) base: Url,
    pub(super) auth: Arc<dyn Authorize>,
    pub(super) meter: Arc<Meter>,
    /// Pages asked for ahead, by stream.
    pub(super) pages: Ahead<Judged<RecordPage>>,
}

/// What answers tell beside their contents.
#[derive(Debug)]
pub(super) struct Meter {
    /// The requests that the account may make a day, and those that are left; 0 and 0 where it did not tell.
    daily: AtomicU64,
    left: AtomicU64,
    /// HubSpot's clock when it last told, in microseconds.
    clock: AtomicI64,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { daily: AtomicU64::new(0), left: AtomicU64::new(0), clock: AtomicI64::new(i64::MIN) }
    }
}

impl Meter {
    fn note(&self, answer: &Answer) {
        let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
        if let (Some(daily), Some(left)) =
            (number("x-hubspot-ratelimit-daily"), number("x-hubspot-ratelimit-daily-remaining"))
        {
            self.daily.store(daily, Ordering::Relaxed);
            self.left.store(left, Ordering::Relaxed);
        }
        if let Some(date) = answer.date() {
            self.clock.fetch_max(date.micros(), Ordering::Relaxed);
        }
    }

    /// Requests of the day that were made, and that may be.
    pub(super) fn usage(&self) -> Option<(u64, u64)> {
        let (daily, left) = (self.daily.load(Ordering::Relaxed), self.left.load(Ordering::Relaxed));
        (daily > 0).then(|| (daily.saturating_sub(left), daily))
    }

    /// HubSpot's clock, not later than now; `None` when it has not told it.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        let micros = self.clock.load(Ordering::Relaxed);
        (micros != i64::MIN).then(|| Timestamp::from_micros(micros))
    }
}

pub(super) type Judged<T> = std::result::Result<T, Refusal>;

/// A list that is read page by page.
pub(super) struct List<'a> {
    pub(super) object: &'a str,
    pub(super) plan: &'a Arc<Plan>,
    pub(super) limit: u16,
    pub(super) archived: bool,
}

impl List<'_> {
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        match &self.plan.history {
            Some(history) => query.append_pair("propertiesWithHistory", &history.join(",")),
            // The one that always comes: without any, a set of HubSpot's own would.
            None if self.plan.names.is_empty() => query.append_pair("properties", super::plan::ID),
            None => query.append_pair("properties", &self.plan.names.join(",")),
        };
        if self.archived {
            query.append_pair("archived", "true");
        }
        query.finish()
    }
}

/// The changes that a search looks for.
pub(super) struct Changes<'a> {
    pub(super) object: &'a str,
    pub(super) stamp: &'a str,
    pub(super) from: Timestamp,
    pub(super) ends: Timestamp,
    /// Only records with a higher id.
    pub(super) after: Option<&'a str>,
}

impl Api {
    /// Whose data it is.
    pub(super) async fn account(&self) -> Result<Sent<Account>> {
        self.read(&format!("account-info/{VERSION}/details")).await
    }

    /// The properties of an object, as far as the credential may see them.
    pub(super) async fn properties(&self, object: &str, sensitivity: &str) -> Result<Sent<Vec<Property>>> {
        let path = format!("crm/properties/{VERSION}/{object}?archived=false&dataSensitivity={sensitivity}");
        let sent: Sent<Results<Property>> = self.read(&path).await?;
        Ok(sent.map(|listed| listed.results))
    }

    /// The custom objects; an account without any may refuse.
    pub(super) async fn schemas(&self) -> Result<Vec<Schema>> {
        let sent: Sent<Results<Schema>> = self.read(&format!("crm-object-schemas/{VERSION}/schemas")).await?;
        Ok(sent.value.results)
    }

    /// A page of all records by rising id. A live scan: what is added meanwhile comes at its end.
    ///
    /// With `ahead`, the name of a stream, the page behind it is asked for too, as soon as this one has arrived.
    pub(super) async fn list(
        &self,
        list: List<'_>,
        after: Option<&str>,
        ahead: Option<&str>,
    ) -> Result<Sent<Judged<RecordPage>>> {
        let first = self.address(&format!("crm/objects/{VERSION}/{}?{}", list.object, list.query()))?;
        let address = move |after: Option<&str>| {
            let mut address = first.clone();
            if let Some(after) = after {
                address.query_pairs_mut().append_pair("after", after);
            }
            address
        };
        let asked = |address: Url| Request::get(Target::Absolute(address));
        let here = address(after);
        if here.as_str().len() > MAX_URL_BYTES {
            return Ok(Sent { value: Err(Refusal::TooLong), date: None, requests: 0, bytes: 0 });
        }
        let (request, judge) = (asked(here), self.page_judge(list.plan));
        let Some(lane) = ahead else {
            return self.client.send(&request, Some(self.auth.as_ref()), judge).await;
        };
        let way =
            Way { client: Arc::clone(&self.client), auth: Some(Arc::clone(&self.auth)), judge, peek: page::next_after };
        self.pages.send(lane, request, way, move |next| Some(asked(address(Some(&next))))).await
    }

    /// Records by id. Those that are not there are left out; the order is none.
    pub(super) async fn batch(
        &self,
        object: &str,
        ids: &[String],
        plan: &Arc<Plan>,
    ) -> Result<Sent<Judged<RecordPage>>> {
        let inputs: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        let body = match &plan.history {
            Some(history) => json!({ "properties": [], "propertiesWithHistory": history, "inputs": inputs }),
            None => json!({ "properties": plan.names, "propertiesWithHistory": [], "inputs": inputs }),
        };
        let target = Target::Absolute(self.address(&format!("crm/objects/{VERSION}/{object}/batch/read"))?);
        let request = Request::post(target, "application/json", body.to_string());
        self.client.send(&request, Some(self.auth.as_ref()), self.page_judge(plan)).await
    }

    /// The ids of records changed in a span, by rising id. Page by page by id: an offset ends at 10,000. The body is
    /// small, since one above 3,000 characters may be refused.
    pub(super) async fn search(&self, changes: Changes<'_>) -> Result<Sent<Judged<Found>>> {
        let millis = |at: Timestamp| at.micros().div_euclid(1_000).to_string();
        let mut filters = vec![json!({
            "propertyName": changes.stamp, "operator": "BETWEEN",
            "value": millis(changes.from), "highValue": millis(changes.ends),
        })];
        if let Some(after) = changes.after {
            filters.push(json!({ "propertyName": super::plan::ID, "operator": "GT", "value": after }));
        }
        let body = json!({
            "filterGroups": [{ "filters": filters }],
            "sorts": [{ "propertyName": super::plan::ID, "direction": "ASCENDING" }],
            "properties": [changes.stamp],
            "limit": FOUND,
        });
        let target = Target::Absolute(self.address(&format!("crm/objects/{VERSION}/{}/search", changes.object))?);
        let request = Request::post(target, "application/json", body.to_string());
        let (meter, after) = (Arc::clone(&self.meter), changes.after.and_then(number));
        let judge = move |answer: Answer| {
            judge(&answer, &meter, |body| {
                let found: Found = serde_json::from_slice(body).map_err(|error| json::unreadable(&error))?;
                complete(found, after)
            })
        };
        self.searcher.send(&request, Some(self.auth.as_ref()), judge).await
    }

    /// How many records of an object there are, as far as the search knows.
    pub(super) async fn count(&self, object: &str) -> Result<Sent<Judged<Found>>> {
        let filter = json!({ "propertyName": super::plan::ID, "operator": "HAS_PROPERTY" });
        let body = json!({ "filterGroups": [{ "filters": [filter] }], "properties": [super::plan::ID], "limit": 1 });
        let target = Target::Absolute(self.address(&format!("crm/objects/{VERSION}/{object}/search"))?);
        let request = Request::post(target, "application/json", body.to_string());
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| {
            judge(&answer, &meter, |body| serde_json::from_slice(body).map_err(|error| json::unreadable(&error)))
        };
        self.searcher.send(&request, Some(self.auth.as_ref()), judge).await
    }

    /// What records are linked with, of another object.
    pub(super) async fn links(&self, from: &str, to: &str, inputs: &[Input]) -> Result<Sent<Judged<LinkPage>>> {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|Input { id, after }| match after {
                Some(after) => json!({ "id": id, "after": after }),
                None => json!({ "id": id }),
            })
            .collect();
        let target = Target::Absolute(self.address(&format!("crm/associations/{VERSION}/{from}/{to}/batch/read"))?);
        let request = Request::post(target, "application/json", json!({ "inputs": inputs }).to_string());
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| {
            judge(&answer, &meter, |body| LinkPage::parse(body).map_err(|error| json::unreadable(&error)))
        };
        self.client.send(&request, Some(self.auth.as_ref()), judge).await
    }

    /// A page of the account's owners: of those who are there, or of those who have left.
    pub(super) async fn owners(&self, archived: bool, after: Option<&str>) -> Result<Sent<Owners>> {
        let query = {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", OWNERS_PAGE).append_pair("archived", if archived { "true" } else { "false" });
            if let Some(after) = after {
                query.append_pair("after", after);
            }
            query.finish()
        };
        self.read(&format!("crm/owners/{VERSION}?{query}")).await
    }

    /// The pipelines of an object, with their stages.
    pub(super) async fn pipelines(&self, object: &str) -> Result<Sent<Vec<Pipeline>>> {
        let sent: Sent<Results<Pipeline>> = self.read(&format!("crm/pipelines/{VERSION}/{object}")).await?;
        Ok(sent.map(|listed| listed.results))
    }

    fn page_judge(
        &self,
        plan: &Arc<Plan>,
    ) -> impl Fn(Answer) -> Verdict<Judged<RecordPage>> + Clone + Send + Sync + 'static {
        let (meter, plan) = (Arc::clone(&self.meter), Arc::clone(plan));
        move |answer: Answer| {
            judge(&answer, &meter, |body| page::parse(body, &plan).map_err(|error| json::unreadable(&error)))
        }
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Result<Sent<T>> {
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| {
            let read = |body: &[u8]| T::deserialize(&mut serde_json::Deserializer::from_slice(body));
            match judge(&answer, &meter, |body| read(body).map_err(|error| json::unreadable(&error))) {
                Verdict::Accept(Ok(value)) => Verdict::Accept(value),
                Verdict::Accept(Err(refusal)) => Verdict::Again { error: refusal.into_error(), wait: None },
                Verdict::Again { error, wait } => Verdict::Again { error, wait },
                Verdict::Renew(error) => Verdict::Renew(error),
                Verdict::Stop(error) => Verdict::Stop(error),
            }
        };
        let request = Request::get(Target::Absolute(self.address(path)?));
        self.client.send(&request, Some(self.auth.as_ref()), judge).await
    }

    fn address(&self, path: &str) -> Result<Url> {
        self.base.join(path).map_err(|error| {
            Error::new(ErrorKind::Config, "not an address to ask at").with("path", path).caused_by(error)
        })
    }
}

fn judge<T>(answer: &Answer, meter: &Meter, read: impl FnOnce(&[u8]) -> Result<T>) -> Verdict<Judged<T>> {
    meter.note(answer);
    if !answer.status.is_success() {
        return match classify(answer) {
            Outcome::Refusal(refusal) => Verdict::Accept(Err(refusal)),
            Outcome::Verdict(Verdict::Accept(never)) => match never {},
            Outcome::Verdict(Verdict::Again { error, wait }) => Verdict::Again { error, wait },
            Outcome::Verdict(Verdict::Renew(error)) => Verdict::Renew(error),
            Outcome::Verdict(Verdict::Stop(error)) => Verdict::Stop(error),
        };
    }
    if answer.is_html() {
        return unexpected(answer);
    }
    match read(&answer.body) {
        Ok(value) => Verdict::Accept(Ok(value)),
        Err(error) => Verdict::Again { error, wait: None },
    }
}

/// A page of a search that lacks records is no page, and neither is one that was asked for before.
fn complete(found: Found, after: Option<u64>) -> Result<Found> {
    let ids: Vec<Option<u64>> = found.results.iter().map(|found| number(&found.id)).collect();
    let rising = ids.is_sorted_by(|a, b| a < b) && ids.first().is_none_or(|first| *first > after);
    if rising && (found.results.len() as u64) >= found.total.min(FOUND as u64) {
        return Ok(found);
    }
    Err(Error::new(ErrorKind::Unavailable, "a search gives fewer records than it says, or not by id")
        .with("records", found.results.len())
        .with("total", found.total)
        .help("run the sync again; if it stays so, report it"))
}

pub(super) fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}
