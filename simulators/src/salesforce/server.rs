//! Puts an org on a port of this machine.

use std::io;

use crate::salesforce::options::Options;
use crate::salesforce::org::Org;
use crate::salesforce::{control, route};
use crate::wire::server::{Serving, Site, listen};
use crate::wire::{Call, Delivery, Reply, Request, fault};

/// An org that answers on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    org: Org,
    serving: Serving,
}

impl Server {
    /// Starts an org with these options.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Server> {
        let (listener, port) = listen(options.port).await?;
        let org = Org::new(options, port);
        let serving = Serving::start(listener, org.clone());
        Ok(Server { org, serving })
    }

    /// Where its data is; also its My Domain.
    pub fn base_url(&self) -> String {
        self.org.base_url()
    }

    /// What a connector needs to come in: `login_url`, `client_id`, `client_secret`, `refresh_token`, ….
    pub fn credentials(&self) -> serde_json::Value {
        self.org.credentials()
    }

    /// The org, to be changed and looked at.
    pub fn org(&self) -> Org {
        self.org.clone()
    }

    /// Ends it, with all its connections, waiting calls included.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

impl Site for Org {
    async fn answer(&self, request: Request) -> Reply {
        let query = told(&request);
        let described = format!("{} {}?{query}", request.method, request.path);
        let strikes = fault::strike(&mut self.lock().faults, &described);
        if let Some(stall) = &strikes.stall {
            stall.pass().await;
        }
        let mut state = self.lock();
        let reply = route::answer(&mut state, &request, &strikes);
        let at = state.now;
        let status = if reply.delivery == Delivery::Reset { 0 } else { reply.status };
        state.calls.push(Call { method: request.method, path: request.path, query, status, rows: reply.rows, at });
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

/// What a call asks for: its query, and for a new bulk job the body.
fn told(request: &Request) -> String {
    if request.method == "POST" && request.path.ends_with("/jobs/query") {
        return String::from_utf8_lossy(&request.body).into_owned();
    }
    request.decoded_query()
}
