//! A request, and how it is shown without its secrets.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use url::{Host, Url};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To this address.
    Absolute(Url),
    /// To this path and query at the base address that comes with the credential.
    Relative(String),
}

/// One request. Sending it again must be harmless: the client repeats what got no proper answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
    pub(super) body: Option<Bytes>,
}

impl Request {
    /// Reads `target`.
    pub fn get(target: Target) -> Self {
        Request { method: Method::GET, target, headers: vec![("accept".into(), "application/json".into())], body: None }
    }

    /// Sends `body`, of the media type `content_type`.
    pub fn post(target: Target, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut request = Self::get(target);
        request.method = Method::POST;
        request.headers.push(("content-type".into(), content_type.into()));
        request.body = Some(body.into());
        request
    }

    /// Asks for another media type than JSON.
    pub fn accepting(mut self, media_type: &str) -> Self {
        self.headers.retain(|(name, _)| name != "accept");
        self.headers.push(("accept".into(), media_type.to_owned()));
        self
    }

    /// The same request with another body.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Where it goes, where that is known without a credential.
    pub fn address(&self) -> Option<&Url> {
        match &self.target {
            Target::Absolute(url) => Some(url),
            Target::Relative(_) => None,
        }
    }

    /// Whether it sends a body.
    pub fn is_post(&self) -> bool {
        self.method == Method::POST
    }
}

impl fmt::Debug for Request {
    /// Method and address only; see `shown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match &self.target {
            Target::Absolute(url) => shown(url),
            Target::Relative(path) => path.split('?').next().unwrap_or_default().to_owned(),
        };
        write!(f, "{} {target}", self.method)
    }
}

/// Whether a credential may be sent there: https, or this machine.
pub fn is_safe(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

/// An address as it may appear in logs and errors: without user, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let url = Url::parse("https://me:pw@acme.example:8443/services/query?q=SELECT+Id&token=t#f").unwrap();
        assert_eq!(shown(&url), "https://acme.example:8443/services/query?…");
        let request = Request::get(Target::Absolute(url)).header("authorization", "Bearer t");
        assert_eq!(format!("{request:?}"), "GET https://acme.example:8443/services/query?…");
    }
}
