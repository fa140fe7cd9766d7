//! Which API a call is for, and how each says no.

use serde_json::json;

use crate::wire::Reply;

/// One of the three APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Api {
    Keiyaku,
    Kaikei,
    Usage,
}

impl Api {
    /// The API that a path belongs to.
    pub(crate) fn of(path: &str) -> Option<Api> {
        match path.split('/').nth(1)? {
            "keiyaku" => Some(Api::Keiyaku),
            "kaikei" => Some(Api::Kaikei),
            "usage" => Some(Api::Usage),
            _ => None,
        }
    }
}

/// What an API gives instead of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// A word for it, where the API has words.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after: Option<u64>,
}

pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, kind, message: message.into(), retry_after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Refusal::new(400, "validation", message)
    }

    pub(crate) fn not_found() -> Self {
        Refusal::new(404, "not_found", "指定されたデータは存在しません。")
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Refusal::new(401, "unauthorized", message)
    }

    pub(crate) fn too_many(retry_after: Option<u64>) -> Self {
        Refusal {
            retry_after, ..Refusal::new(429, "too_many_requests", "リクエスト数が上限を超えました。")
        }
    }

    /// A failure with that status, for whatever reason.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 => Refusal::unauthorized("認証に失敗しました。"),
            403 => Refusal::new(403, "forbidden", "権限がありません。"),
            404 => Refusal::not_found(),
            429 => Refusal::too_many(None),
            400..500 => Refusal { status, ..Refusal::invalid("リクエストが正しくありません。") },
            _ => Refusal::new(status, "internal", "システムエラーが発生しました。"),
        }
    }

    /// It in the words of an API; `silent`: with status 200.
    pub(crate) fn reply(&self, api: Api, silent: bool) -> Reply {
        let Refusal { status, kind, message, .. } = self;
        let body = match api {
            Api::Keiyaku => json!({"error": {"code": format!("E{status}"), "message": message}}),
            Api::Kaikei => json!({"errors": [{"type": kind, "messages": [message]}]}),
            Api::Usage => json!({"error": kind, "message": message}),
        };
        let reply = Reply::value(if silent { 200 } else { *status }, &body);
        match self.retry_after {
            Some(secs) => reply.with("Retry-After", secs.to_string()),
            None => reply,
        }
    }
}
