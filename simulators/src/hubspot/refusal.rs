//! What the API says when it does not do what it was asked.

use serde_json::{Map, Value as Json, json};

use crate::hubspot::options::Options;
use crate::wire::Reply;

/// An error, before it has a correlation id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) category: Option<&'static str>,
    pub(crate) sub_category: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) context: Vec<(&'static str, Vec<String>)>,
    pub(crate) errors: Vec<Json>,
    pub(crate) links: Vec<(&'static str, &'static str)>,
    /// Keys that only some errors have.
    pub(crate) extra: Vec<(&'static str, Json)>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, category: Some(category), message: message.into(), ..Refusal::default() }
    }

    /// The body. The list `errors` of a batch answer holds such bodies too, without an id.
    pub(crate) fn value(&self, correlation: Option<&str>) -> Json {
        let mut body = json!({"status": "error", "message": self.message});
        if let Some(id) = correlation {
            body["correlationId"] = json!(id);
        }
        if let Some(category) = self.category {
            body["category"] = json!(category);
        }
        if let Some(sub_category) = self.sub_category {
            body["subCategory"] = json!(sub_category);
        }
        if !self.context.is_empty() {
            let context: Map<String, Json> =
                self.context.iter().map(|(name, texts)| ((*name).to_owned(), json!(texts))).collect();
            body["context"] = context.into();
        }
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        if !self.links.is_empty() {
            let links: Map<String, Json> =
                self.links.iter().map(|(name, url)| ((*name).to_owned(), json!(url))).collect();
            body["links"] = links.into();
        }
        for (name, value) in &self.extra {
            body[*name] = value.clone();
        }
        body
    }

    /// The answer: with a message alone, or with a key that no document knows, where those are wanted.
    pub(crate) fn reply(&self, correlation: &str, options: &Options) -> Reply {
        let is_bare = options.hypotheses.bare_errors;
        let mut body = if is_bare { json!({"message": self.message}) } else { self.value(Some(correlation)) };
        if options.extra_keys && !is_bare {
            body["zzHint"] = json!(["unknown"]);
        }
        let mut reply = Reply::value(self.status, &body);
        reply.headers.extend(self.headers.iter().cloned());
        reply
    }
}

/// 400 `VALIDATION_ERROR`.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "VALIDATION_ERROR", message)
}

/// 400 for a property that is not there, as writes and filters have it: a list of JSON inside a text.
pub(crate) fn unknown_property(name: &str) -> Refusal {
    let complaint = json!([{
        "isValid": false, "message": format!("Property \"{name}\" does not exist"), "error": "PROPERTY_DOESNT_EXIST",
        "name": name, "localizedErrorMessage": format!("Property \"{name}\" does not exist"),
    }]);
    let error = json!({
        "message": format!("Property \"{name}\" does not exist"), "code": "PROPERTY_DOESNT_EXIST",
        "context": {"propertyName": [name]},
    });
    Refusal { errors: vec![error], ..invalid(format!("Property values were not valid: {complaint}")) }
}

/// 404 `OBJECT_NOT_FOUND`.
pub(crate) fn not_found() -> Refusal {
    Refusal::new(404, "OBJECT_NOT_FOUND", "resource not found")
}

/// 400 for a type that is not there.
pub(crate) fn unknown_type(name: &str) -> Refusal {
    Refusal::new(400, "VALIDATION_ERROR", format!("Unable to infer object type from: {name}"))
}

/// 401 `INVALID_AUTHENTICATION`.
pub(crate) fn unauthenticated() -> Refusal {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Refusal {
        headers: vec![("X-HubSpot-Auth-Failure", "401 Unauthorized".to_owned())],
        ..Refusal::new(401, "INVALID_AUTHENTICATION", message)
    }
}

/// 401 `EXPIRED_AUTHENTICATION`, since that instant.
pub(crate) fn expired(since: i64, now: i64) -> Refusal {
    let secs = (now - since).max(0) / 1_000;
    let ago = if secs < 86_400 { format!("{secs} second(s)") } else { format!("{} day(s)", secs / 86_400) };
    Refusal {
        context: vec![("expire time", vec![crate::hubspot::time::iso(since)])],
        ..Refusal::new(
            401,
            "EXPIRED_AUTHENTICATION",
            format!("The OAuth token used to make this call expired {ago} ago."),
        )
    }
}

/// 403 `MISSING_SCOPES`.
pub(crate) fn missing_scope(scope: &str) -> Refusal {
    let error = json!({
        "message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [scope]},
    });
    let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.";
    Refusal {
        errors: vec![error],
        links: vec![("scopes", "https://developers.hubspot.com/scopes")],
        ..Refusal::new(403, "MISSING_SCOPES", message)
    }
}
