//! Pages asked for ahead: while one is read into columns, the next is already on its way.
//!
//! Where the next page is can be seen on an answer long before the answer is read as a whole. So the connector gives a
//! *peek* that finds the place, and the next request is sent as soon as an answer has arrived. What is read, and in
//! what order, does not change by it: when the connector asks for the next page, it gets the answer that is there if
//! it asks exactly what was asked ahead, and any other answer is thrown away. One page is asked for ahead of the one
//! that the connector waits for, never more.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinHandle;

use super::answer::Answer;
use super::auth::Authorize;
use super::client::{Client, Sent};
use super::request::Request;
use super::verdict::Verdict;
use crate::error::{Error, ErrorKind, Result};

/// Pages on their way, at most one a lane.
pub struct Ahead<T> {
    lanes: Arc<Mutex<Lanes<T>>>,
}

type Lanes<T> = HashMap<String, Waiting<T>>;

/// A page that was asked for ahead.
struct Waiting<T> {
    request: Request,
    answer: JoinHandle<Result<Sent<T>>>,
    gate: Arc<Gate>,
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

/// How pages of a kind are asked for.
#[derive(Clone)]
pub struct Way<J> {
    /// The client that sends.
    pub client: Arc<Client>,
    /// The credential.
    pub auth: Option<Arc<dyn Authorize>>,
    /// What the answer means.
    pub judge: J,
    /// Finds on a good answer where the next page is.
    pub peek: fn(&Answer) -> Option<String>,
}

/// Where the place of the next page and the wish for it meet, whichever comes first.
#[derive(Default)]
struct Gate(Mutex<Meeting>);

#[derive(Default)]
struct Meeting {
    place: Option<String>,
    then: Option<Then>,
}

/// Asks for the page at a place.
type Then = Box<dyn FnOnce(String) + Send>;

impl Gate {
    fn meet(&self, place: Option<String>, then: Option<Then>) {
        let mut meeting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meeting.place = place.or_else(|| meeting.place.take());
        meeting.then = then.or_else(|| meeting.then.take());
        if meeting.place.is_some()
            && let (Some(then), Some(place)) = (meeting.then.take(), meeting.place.take())
        {
            drop(meeting);
            then(place);
        }
    }
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Ahead { lanes: Arc::default() }
    }
}

impl<T> fmt::Debug for Ahead<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ahead({} lanes)", locked(&self.lanes).len())
    }
}

impl<T: Send + 'static> Ahead<T> {
    /// The answer to `request`, as [`Client::send`] gives it; and meanwhile asks for what `follow` makes of the place
    /// of the next page, where there is one and `follow` wants it. Pages of one reading share a `lane`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::send`].
    pub async fn send<J>(
        &self,
        lane: &str,
        request: Request,
        way: Way<J>,
        follow: impl FnOnce(String) -> Option<Request> + Send + 'static,
    ) -> Result<Sent<T>>
    where
        J: Fn(Answer) -> Verdict<T> + Clone + Send + Sync + 'static,
    {
        let then = {
            let (lanes, lane, way) = (Arc::downgrade(&self.lanes), lane.to_owned(), way.clone());
            Box::new(move |place| {
                if let Some(request) = follow(place) {
                    begin(&lanes, lane, request, way);
                }
            })
        };
        let waiting = locked(&self.lanes).remove(lane);
        let mut in_vain = 0;
        if let Some(mut waiting) = waiting {
            if waiting.request == request {
                waiting.gate.meet(None, Some(then));
                return (&mut waiting.answer).await.map_err(|error| {
                    Error::new(ErrorKind::Internal, "a page that was asked for ahead was lost").caused_by(error)
                })?;
            }
            in_vain = 1;
        }
        let gate = Arc::new(Gate::default());
        gate.meet(None, Some(then));
        let mut sent = ask(&way, &request, gate).await?;
        sent.requests += in_vain;
        Ok(sent)
    }
}

/// Asks ahead.
fn begin<T, J>(lanes: &Weak<Mutex<Lanes<T>>>, lane: String, request: Request, way: Way<J>)
where
    T: Send + 'static,
    J: Fn(Answer) -> Verdict<T> + Clone + Send + Sync + 'static,
{
    let Some(lanes) = lanes.upgrade() else { return };
    let gate = Arc::new(Gate::default());
    let answer = {
        let (request, gate) = (request.clone(), Arc::clone(&gate));
        tokio::spawn(async move { ask(&way, &request, gate).await })
    };
    locked(&lanes).insert(lane, Waiting { request, answer, gate });
}

async fn ask<T, J>(way: &Way<J>, request: &Request, gate: Arc<Gate>) -> Result<Sent<T>>
where
    T: Send + 'static,
    J: Fn(Answer) -> Verdict<T> + Clone + Send + Sync + 'static,
{
    let (judge, peek) = (way.judge.clone(), way.peek);
    let judge = move |answer: Answer| {
        if answer.status.is_success()
            && let Some(place) = peek(&answer)
        {
            gate.meet(Some(place), None);
        }
        judge(answer)
    };
    way.client.send(request, way.auth.as_deref(), judge).await
}

fn locked<T>(lanes: &Mutex<Lanes<T>>) -> MutexGuard<'_, Lanes<T>> {
    lanes.lock().unwrap_or_else(PoisonError::into_inner)
}
