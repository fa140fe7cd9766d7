//! Puts a domain on a port of this machine.

use std::io;
use std::time::Duration;

use crate::kintone::domain::Domain;
use crate::kintone::fault::FaultKind;
use crate::kintone::options::Options;
use crate::kintone::{control, route};
use crate::wire::server::{Serving, Site, listen};
use crate::wire::{Call, Delivery, Reply, Request, fault};

/// A domain that answers on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    domain: Domain,
    serving: Serving,
}

impl Server {
    /// Starts a domain with these options.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Server> {
        let (listener, port) = listen(options.port).await?;
        let domain = Domain::new(options, port);
        let serving = Serving::start(listener, domain.clone());
        Ok(Server { domain, serving })
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        self.domain.base_url()
    }

    /// What a connector needs to come in: `api_tokens` by app, `login`, `password`, `oauth`, ….
    pub fn credentials(&self) -> serde_json::Value {
        self.domain.credentials()
    }

    /// The domain, to be changed and looked at.
    pub fn domain(&self) -> Domain {
        self.domain.clone()
    }

    /// Ends it, with all its connections, waiting calls included.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

/// Counts a request as running for as long as it lives, also when its connection ends early.
struct Running(Domain);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().limits.leave();
    }
}

impl Site for Domain {
    async fn answer(&self, request: Request) -> Reply {
        let parameters = described(&request);
        let line = format!("{} {}?{parameters}", request.method, request.path);
        self.run_hooks(&line);
        let (strikes, running) = {
            let mut state = self.lock();
            (fault::strike(&mut state.faults, &line), state.limits.enter())
        };
        let _running = Running(self.clone());
        if let Some(stall) = &strikes.stall {
            stall.pass().await;
        }
        let slow =
            strikes.kinds.iter().find_map(|kind| if let FaultKind::Slow(millis) = kind { Some(*millis) } else { None });
        if let Some(millis) = slow {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let mut state = self.lock();
        let reply = route::answer(&mut state, &request, &strikes, running);
        let at = state.now;
        let status = if reply.delivery == Delivery::Reset { 0 } else { reply.status };
        let (method, path) = (request.method, request.path);
        state.calls.push(Call { method, path, query: parameters, status, rows: reply.rows, at });
        reply
    }

    fn control(&self, request: &Request) -> Reply {
        control::answer(self, request)
    }

    fn now(&self) -> i64 {
        self.lock().now
    }

    fn packs(&self) -> bool {
        self.lock().options.gzip
    }
}

/// The parameters of a request for people: the URL's, then the JSON body as it was sent.
fn described(request: &Request) -> String {
    let mut text = request.decoded_query();
    if request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        text.push_str(&String::from_utf8_lossy(&request.body));
    }
    text
}
