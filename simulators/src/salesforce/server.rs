//! Puts an org on a port of this machine.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::salesforce::calls::Call;
use crate::salesforce::fault;
use crate::salesforce::options::Options;
use crate::salesforce::org::Org;
use crate::salesforce::reply::{Delivery, Reply};
use crate::salesforce::request::Request;
use crate::salesforce::{control, gzip, instant, route};

/// The largest request body that is read.
const LARGEST_BODY: usize = 16 << 20;
/// How much of a body is given to the connection at once.
const PIECE: usize = 64 << 10;

/// An org that answers on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    org: Org,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts an org with these options.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(options: Options) -> io::Result<Server> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let org = Org::new(options, listener.local_addr()?.port());
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, org.clone(), stopped));
        Ok(Server { org, stop, accepting })
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
        self.stop.send_replace(true);
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, org: Org, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|&stopped| stopped) => break,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let org = org.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| serve(org.clone(), request));
            // A connection that ends early is the client's business, or a fault that was asked for.
            let _ = hyper::server::conn::http1::Builder::new()
                .auto_date_header(false)
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
    connections.shutdown().await;
}

/// Why a connection ends without an answer.
#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was cut on purpose")
    }
}

impl std::error::Error for Gone {}

async fn serve(org: Org, incoming: hyper::Request<Incoming>) -> Result<hyper::Response<Pieces>, Gone> {
    let (parts, body) = incoming.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else { return Err(Gone) };
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_bytes().to_vec(),
    };
    let takes_gzip = request.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
    let is_head = request.method == "HEAD";
    if request.path.starts_with("/_sim/") {
        return respond(&org, control::answer(&org, &request), false, is_head);
    }
    let described = format!("{} {}?{}", request.method, request.path, request.decoded_query());
    let strikes = fault::strike(&mut org.lock().faults, &described);
    if let Some(stall) = &strikes.stall {
        stall.pass().await;
    }
    let reply = {
        let mut state = org.lock();
        let reply = route::answer(&mut state, &request, &strikes);
        let at = state.now;
        let query = request.decoded_query();
        let status = if reply.delivery == Delivery::Reset { 0 } else { reply.status };
        state.log_call(Call { method: request.method, path: request.path, query, status, rows: reply.rows, at });
        reply
    };
    let compress = takes_gzip && org.lock().options.gzip;
    respond(&org, reply, compress, is_head)
}

fn respond(org: &Org, mut reply: Reply, compress: bool, is_head: bool) -> Result<hyper::Response<Pieces>, Gone> {
    if reply.delivery == Delivery::Reset {
        return Err(Gone);
    }
    if compress && !reply.body.is_empty() {
        reply.body = gzip::pack(&reply.body);
        reply.headers.push(("Content-Encoding", "gzip".to_owned()));
    }
    let mut response = hyper::Response::builder()
        .status(reply.status)
        .header("Date", instant::http_date(org.lock().now))
        .header("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private");
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if is_head {
        reply.body.clear();
    }
    response.body(Pieces::new(reply.body, reply.delivery)).map_err(|_| Gone)
}

/// A body in pieces, whole or cut.
struct Pieces {
    body: Bytes,
    /// How much of it is sent before the connection is cut.
    cut_at: Option<usize>,
    /// The length that is announced; without one the body is chunked.
    announced: Option<u64>,
    sent: usize,
    /// How often to wait before the cut, so that what was sent leaves the machine.
    waits: u8,
}

impl Pieces {
    fn new(body: Vec<u8>, delivery: Delivery) -> Self {
        let length = body.len();
        let (cut_at, announced) = match delivery {
            Delivery::CutChunked(bytes) => (Some(bytes.min(length)), None),
            Delivery::CutLength(bytes) => (Some(bytes.min(length.saturating_sub(1))), Some(length as u64)),
            Delivery::Whole | Delivery::Reset => (None, (length == 0).then_some(0)),
        };
        Pieces { body: Bytes::from(body), cut_at, announced, sent: 0, waits: 3 }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Gone;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        let end = self.cut_at.unwrap_or(self.body.len());
        if self.sent < end {
            let until = end.min(self.sent + PIECE);
            let piece = self.body.slice(self.sent..until);
            self.sent = until;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if self.cut_at.is_none() {
            return Poll::Ready(None);
        }
        if self.waits > 0 {
            self.waits -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Gone)))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
