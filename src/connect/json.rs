//! JSON bodies on their way into columns.

use serde::de::Error as _;

use crate::error::{Error, ErrorKind};

/// Reads a body with `read`, which is told whether to trust that values have the shape of their types. They are trusted
/// at first, which is faster; when one has another shape, all is read once more, every value as it stands.
///
/// # Errors
///
/// Those of `read`; and when the bytes are not UTF-8.
pub(crate) fn read<T>(body: &[u8], read: impl Fn(&str, bool) -> serde_json::Result<T>) -> serde_json::Result<T> {
    // Checked once here, so that the parser need not check each string.
    let not_utf8 = || serde_json::Error::custom("bytes that are not UTF-8");
    let text = match simdutf8::compat::from_utf8(body) {
        Ok(text) => text,
        // Cut within a character: told as the cut that it is.
        Err(cut) if cut.error_len().is_none() => {
            let whole = simdutf8::compat::from_utf8(&body[..cut.valid_up_to()]).unwrap_or_default();
            return Err(read(whole, true).err().unwrap_or_else(not_utf8));
        }
        Err(_) => return Err(not_utf8()),
    };
    match read(text, true) {
        Err(error) if error.is_data() => read(text, false),
        done => done,
    }
}

/// The error for a body that could not be read. The parser's own message may quote values: only the place is kept.
pub(crate) fn unreadable(error: &serde_json::Error) -> Error {
    let message =
        if error.is_eof() { "the answer stops in the middle" } else { "the answer is not the JSON we expect" };
    Error::new(ErrorKind::Unavailable, message)
        .with("at", format!("line {} column {}", error.line(), error.column()))
        .help("run the sync again; if it stays so, report it")
}
