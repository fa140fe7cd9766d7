//! Puts the core systems on a port of this machine.

use std::io;
use std::time::Duration;

use crate::core::fault::FaultKind;
use crate::core::options::Options;
use crate::core::systems::Core;
use crate::core::{control, route};
use crate::wire::server::{Serving, Site, listen};
use crate::wire::{Call, Delivery, Reply, Request, fault};

/// Core systems that answer on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    core: Core,
    serving: Serving,
}

impl Server {
    /// Starts the systems with these options.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Server> {
        let (listener, port) = listen(options.port).await?;
        let core = Core::new(options, port);
        let serving = Serving::start(listener, core.clone());
        Ok(Server { core, serving })
    }

    /// Where they are; each API is below it.
    pub fn base_url(&self) -> String {
        self.core.base_url()
    }

    /// What a connector needs to come in: `keiyaku`, `kaikei` and `usage`, each with its `base_url`.
    pub fn credentials(&self) -> serde_json::Value {
        self.core.credentials()
    }

    /// The systems, to be changed and looked at.
    pub fn core(&self) -> Core {
        self.core.clone()
    }

    /// Ends it, with all its connections, waiting calls included.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

impl Site for Core {
    async fn answer(&self, request: Request) -> Reply {
        let parameters = described(&request);
        let line = format!("{} {}?{parameters}", request.method, request.path);
        self.run_hooks(&line);
        let strikes = fault::strike(&mut self.lock().faults, &line);
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
