//! Puts an org on a port of this machine.

use std::io;
use std::time::Duration;

use crate::wire::server::{Serving, Site, listen};
use crate::wire::{Call, Delivery, Reply, Request, fault};
use crate::zoho::fault::FaultKind;
use crate::zoho::options::Options;
use crate::zoho::org::Org;
use crate::zoho::{control, route};

/// An org that answers on 127.0.0.1, with its accounts host at `localhost` of the same port.
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

    /// Where the API is; tokens come from the `accounts_url` of the credentials.
    pub fn base_url(&self) -> String {
        self.org.base_url()
    }

    /// What a connector needs to come in: `accounts_url`, `client_id`, `client_secret`, `refresh_token`, ….
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

/// Counts a request as running for as long as it lives, also when its connection ends early.
struct Running(Org, bool);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().limits.leave(self.1);
    }
}

impl Site for Org {
    async fn answer(&self, request: Request) -> Reply {
        let parameters = described(&request);
        let line = format!("{} {}?{parameters}", request.method, request.path);
        self.run_hooks(&line);
        let is_heavy = route::is_heavy(&request);
        let (strikes, running) = {
            let mut state = self.lock();
            (fault::strike(&mut state.faults, &line), state.limits.enter(is_heavy))
        };
        let _running = Running(self.clone(), is_heavy);
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

/// The parameters of a request for people: the URL's, then the header that is like one, then the JSON body as it was
/// sent. Forms are left out, since they hold secrets.
fn described(request: &Request) -> String {
    let mut text = request.decoded_query();
    if let Some(since) = request.header("if-modified-since") {
        text.push_str(" If-Modified-Since: ");
        text.push_str(since);
    }
    if request.path.starts_with("/crm/") {
        text.push_str(&String::from_utf8_lossy(&request.body));
    }
    text
}
