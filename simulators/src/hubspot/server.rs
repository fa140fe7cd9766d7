//! Puts a portal on a port of this machine.

use std::io;
use std::time::Duration;

use crate::hubspot::fault::FaultKind;
use crate::hubspot::options::Options;
use crate::hubspot::portal::Portal;
use crate::hubspot::time::SECOND;
use crate::hubspot::{control, route};
use crate::wire::server::{Serving, Site, listen};
use crate::wire::{Call, Delivery, Reply, Request, fault};

/// A portal that answers on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    portal: Portal,
    serving: Serving,
}

impl Server {
    /// Starts a portal with these options.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Server> {
        let (listener, port) = listen(options.port).await?;
        let portal = Portal::new(options, port);
        let serving = Serving::start(listener, portal.clone());
        Ok(Server { portal, serving })
    }

    /// Where it is; stands for `https://api.hubapi.com`.
    pub fn base_url(&self) -> String {
        self.portal.base_url()
    }

    /// What a connector needs to come in: `base_url`, `private_token`, `oauth` with `client_id`, `client_secret` and
    /// `refresh_token`, `portal_id`.
    pub fn credentials(&self) -> serde_json::Value {
        self.portal.credentials()
    }

    /// The portal, to be changed and looked at.
    pub fn portal(&self) -> Portal {
        self.portal.clone()
    }

    /// Ends it, with all its connections, waiting calls included.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

/// Counts a request as running for as long as it lives, also when its connection ends early.
struct Running(Portal);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().limits.leave();
    }
}

impl Site for Portal {
    async fn answer(&self, request: Request) -> Reply {
        let parameters = described(&request);
        let line = format!("{} {}?{parameters}", request.method, request.path);
        self.run_hooks(&line);
        let strikes = {
            let mut state = self.lock();
            state.limits.enter();
            fault::strike(&mut state.faults, &line)
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
        let reply = route::answer(&mut state, &request, &strikes);
        let at = state.now.div_euclid(SECOND);
        let status = if reply.delivery == Delivery::Reset { 0 } else { reply.status };
        let (method, path) = (request.method, request.path);
        state.calls.push(Call { method, path, query: parameters, status, rows: reply.rows, at });
        reply
    }

    fn control(&self, request: &Request) -> Reply {
        control::answer(self, request)
    }

    fn now(&self) -> i64 {
        self.lock().now.div_euclid(SECOND)
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
