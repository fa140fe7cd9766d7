//! `url`: an address on the web.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::width::has_wide;
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Url,
    ja: "URL",
    about: "A whole address that begins with `https://` or `http://`. One without scheme is held, since nobody can say which it \
            is; if all are web sites, the mapping says so: `'https://' || Website`. One that carries a user name or password is held.",
    canonical: "scheme and host in lower case, the host in ASCII (xn--…), signs that URLs do not have percent-encoded; a path at \
                least `/`",
    order: "by the numbers of its characters in Unicode",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("https://www.acme.example.jp/ir/", "https://www.acme.example.jp/ir/"),
            is("HTTPS://WWW.Acme.Example.JP", "https://www.acme.example.jp/"),
            is(" http://acme.example.jp:8080/a?b=c#d ", "http://acme.example.jp:8080/a?b=c#d"),
            is(
                "https://日本語.example.jp/会社概要",
                "https://xn--wgv71a119e.example.jp/%E4%BC%9A%E7%A4%BE%E6%A6%82%E8%A6%81",
            ),
            empty(""),
            held("www.acme.example.jp", "scheme_missing"),
            held("ｈｔｔｐｓ：／／ａｃｍｅ．ｊｐ", "full_width"),
            held("ftp://acme.example.jp/", "not_a_web_address"),
            held("mailto:a@b.jp", "not_a_web_address"),
            held("https://taro:secret@acme.example.jp/", "has_credentials"),
            held("https://", "not_a_url"),
            held("https:acme.example.jp", "not_a_url"),
            held("https://a.jp https://b.jp", "not_a_url"),
            held("なし", "scheme_missing"),
        ],
    }],
};

const FORMS: &str = "accepted: https://www.example.co.jp/";

/// Reads an address of the web.
pub(super) fn parse(text: &str) -> Result<String, Reason> {
    let text = text.trim();
    if has_wide(text) {
        return Err(Reason::new(
            "full_width",
            "full-width characters in a URL; write normalize(x), or correct it in the source",
        ));
    }
    let not_a_url = || Reason::new("not_a_url", format!("not a URL; {FORMS}"));
    let url = match url::Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return Err(Reason::new(
                "scheme_missing",
                "no https:// or http:// in front; if all of them are web sites, write 'https://' || x",
            ));
        }
        Err(_) => return Err(not_a_url()),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Reason::new("not_a_web_address", format!("neither https nor http; {FORMS}")));
    }
    // The parser mends what browsers mend: such a text is no address that somebody wrote down.
    let behind = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    let is_plain = behind.is_some_and(|rest| !rest.starts_with('/'));
    if !is_plain
        || url.host_str().is_none_or(str::is_empty)
        || text.contains(char::is_whitespace)
        || text.contains('\\')
    {
        return Err(not_a_url());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Reason::new("has_credentials", "it carries a user name or password; remove them in the source"));
    }
    Ok(url.into())
}
