//! Answers that say what is wrong, the way the REST API says it.

use serde_json::json;

use crate::wire::Reply;

/// The array form of errors.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::value(status, &json!([{"message": message, "errorCode": code}]))
}

pub(crate) fn not_found() -> Reply {
    error(404, "NOT_FOUND", "The requested resource does not exist")
}
