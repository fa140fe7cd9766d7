//! Serves a simulated system on a port of this machine.

use std::future::Future;
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

use crate::instant::http_date;
use crate::wire::gzip;
use crate::wire::reply::{Delivery, Reply, Rest};
use crate::wire::request::Request;

/// The largest request body that is read.
const LARGEST_BODY: usize = 16 << 20;
/// How much of a body is given to the connection at once.
const PIECE: usize = 64 << 10;

/// A system that can be served. Clones are the same system.
pub(crate) trait Site: Clone + Send + Sync + 'static {
    /// Answers a request to the system.
    fn answer(&self, request: Request) -> impl Future<Output = Reply> + Send;

    /// Answers a request to the simulator itself, below `/_sim/`.
    fn control(&self, request: &Request) -> Reply;

    /// What the system's clock shows, in seconds since 1970.
    fn now(&self) -> i64;

    /// Whether answers are compressed for clients that accept it.
    fn packs(&self) -> bool;
}

/// A system being served.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Serving {
    /// Serves `site` to whoever connects to the listener.
    pub(crate) fn start(listener: TcpListener, site: impl Site) -> Serving {
        let (stop, stopped) = watch::channel(false);
        Serving { stop, accepting: tokio::spawn(accept(listener, site, stopped)) }
    }

    /// Ends it, with all its connections, waiting calls included.
    pub(crate) async fn shutdown(self) {
        self.stop.send_replace(true);
        let _ = self.accepting.await;
    }
}

/// Takes a port on 127.0.0.1; 0 takes any free one.
pub(crate) async fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

async fn accept(listener: TcpListener, site: impl Site, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|&stopped| stopped) => break,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let site = site.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| serve(site.clone(), request));
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

async fn serve(site: impl Site, incoming: hyper::Request<Incoming>) -> Result<hyper::Response<Pieces>, Gone> {
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
        return respond(site.now(), site.control(&request), false, is_head);
    }
    let reply = site.answer(request).await;
    respond(site.now(), reply, takes_gzip && site.packs(), is_head)
}

fn respond(now: i64, mut reply: Reply, compress: bool, is_head: bool) -> Result<hyper::Response<Pieces>, Gone> {
    if reply.delivery == Delivery::Reset {
        return Err(Gone);
    }
    if let Delivery::CutShort(bytes) = reply.delivery {
        reply.settle(bytes);
        reply.body.truncate(bytes);
    }
    let mut rest = reply.rest.take();
    if compress && (rest.is_some() || !reply.body.is_empty()) {
        reply.headers.push(("Content-Encoding", "gzip".to_owned()));
        match rest.take() {
            None => reply.body = gzip::pack(&reply.body),
            Some(plain) => {
                let mut wrapper = gzip::Wrapper::new();
                reply.body = wrapper.wrap(&reply.body);
                rest = Some(wrapped(plain, wrapper));
            }
        }
    }
    reply.rest = rest;
    if let Delivery::CutChunked(bytes) | Delivery::CutLength(bytes) = reply.delivery {
        reply.settle(bytes);
    }
    let mut response = hyper::Response::builder()
        .status(reply.status)
        .header("Date", http_date(now))
        .header("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private");
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if is_head {
        reply.body.clear();
        reply.rest = None;
    }
    response.body(Pieces::new(reply.body, reply.rest, reply.delivery)).map_err(|_| Gone)
}

/// The pieces of a compressed file that follow those which `wrapper` has seen.
fn wrapped(mut plain: Rest, mut wrapper: gzip::Wrapper) -> Rest {
    let mut is_over = false;
    Rest::new(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        Some(match plain.next() {
            Some(piece) => wrapper.wrap(&piece),
            None => {
                is_over = true;
                wrapper.finish()
            }
        })
    }))
}

/// A body in pieces, whole or cut.
struct Pieces {
    body: Bytes,
    /// What follows a body that is whole.
    rest: Option<Rest>,
    /// How much of it is sent before the connection is cut.
    cut_at: Option<usize>,
    /// The length that is announced; without one the body is chunked.
    announced: Option<u64>,
    sent: usize,
    /// How often to wait before the cut, so that what was sent leaves the machine.
    waits: u8,
}

impl Pieces {
    fn new(body: Vec<u8>, rest: Option<Rest>, delivery: Delivery) -> Self {
        let length = body.len();
        let (cut_at, announced) = match delivery {
            Delivery::CutChunked(bytes) => (Some(bytes.min(length)), None),
            Delivery::CutLength(bytes) => (Some(bytes.min(length.saturating_sub(1))), Some(length as u64)),
            Delivery::Whole | Delivery::CutShort(_) | Delivery::Reset => {
                (None, (length == 0 && rest.is_none()).then_some(0))
            }
        };
        Pieces { body: Bytes::from(body), rest, cut_at, announced, sent: 0, waits: 3 }
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
            let next = self.rest.as_mut().and_then(Rest::next);
            return Poll::Ready(next.map(|piece| Ok(Frame::data(Bytes::from(piece)))));
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
