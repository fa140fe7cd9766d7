//! What the API says instead of an answer.

use serde_json::{Value as Json, json};

use crate::wire::Reply;

/// An error of the API: one object, always with the same four keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) details: Json,
    pub(crate) message: String,
}

/// An answer, or why there is none.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Refusal {
        Refusal { status, code: code.to_owned(), details: json!({}), message: message.to_owned() }
    }

    pub(crate) fn with(self, details: Json) -> Refusal {
        Refusal { details, ..self }
    }

    pub(crate) fn body(&self) -> Json {
        json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"})
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::value(self.status, &self.body())
    }
}

/// The value, or the refusal.
pub(crate) fn require<T>(value: Option<T>, refusal: impl FnOnce() -> Refusal) -> Answer<T> {
    value.ok_or_else(refusal)
}

pub(crate) fn missing(name: &str) -> Refusal {
    let refusal = Refusal::new(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing");
    refusal.with(json!({ "param_name": name }))
}

pub(crate) fn invalid_module() -> Refusal {
    let refusal = Refusal::new(400, "INVALID_MODULE", "the module name given seems to be invalid");
    refusal.with(json!({ "resource_path_index": 0 }))
}

pub(crate) fn invalid_data(name: &str) -> Refusal {
    let refusal = Refusal::new(400, "INVALID_DATA", "the value given seems to be invalid");
    refusal.with(json!({ "param_name": name }))
}

pub(crate) fn invalid_id(status: u16) -> Refusal {
    let refusal = Refusal::new(status, "INVALID_DATA", "the id given seems to be invalid");
    refusal.with(json!({ "resource_path_index": 1 }))
}

pub(crate) fn limit(name: &str, most: u64) -> Refusal {
    let refusal = Refusal::new(400, "LIMIT_EXCEEDED", "the limit of the parameter is exceeded");
    refusal.with(json!({ "limit": most, "param_name": name }))
}

pub(crate) fn ambiguous(first: &str, second: &str) -> Refusal {
    let refusal = Refusal::new(400, "AMBIGUITY_DURING_PROCESSING", "Ambiguity while processing the request");
    refusal.with(json!({ "ambiguity_due_to": [{"param_name": first}, {"param_name": second}] }))
}

pub(crate) fn invalid_token() -> Refusal {
    Refusal::new(401, "INVALID_TOKEN", "invalid oauth token")
}

pub(crate) fn unauthenticated() -> Refusal {
    Refusal::new(401, "AUTHENTICATION_FAILURE", "Authentication failed")
}

pub(crate) fn scope_mismatch() -> Refusal {
    Refusal::new(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
}

pub(crate) fn no_permission() -> Refusal {
    Refusal::new(403, "NO_PERMISSION", "permission denied")
}

pub(crate) fn not_supported() -> Refusal {
    Refusal::new(403, "NOT_SUPPORTED", "the module is not supported for this user")
}

pub(crate) fn no_such_url() -> Refusal {
    Refusal::new(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
}

pub(crate) fn wrong_method() -> Refusal {
    Refusal::new(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
}

pub(crate) fn too_many() -> Refusal {
    Refusal::new(429, "TOO_MANY_REQUESTS", "You have made too many requests. Please try again after some time.")
}

pub(crate) fn used_up(code: &str) -> Refusal {
    Refusal::new(429, code, "Your API credits of the last 24 hours are used up.")
}

pub(crate) fn internal() -> Refusal {
    Refusal::new(500, "INTERNAL_ERROR", "Internal server error occurred.")
}

pub(crate) fn invalid_query(message: &str, details: Json) -> Refusal {
    Refusal::new(400, "INVALID_QUERY", message).with(details)
}
