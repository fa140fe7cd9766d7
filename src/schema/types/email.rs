//! `email`: one address, as mail systems take it.

use std::borrow::Cow;

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::width::has_wide;
use super::{Reason, VariableType};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Email,
    ja: "メールアドレス",
    about: "One address. Dots may stand anywhere before the @, since Japanese mobile carriers gave out such addresses.",
    canonical: "the address with its domain in lower case",
    order: "by the numbers of its characters in Unicode",
    cases: &[Cases {
        declared: "",
        options: plain_options,
        forms: &[
            is("taro@example.co.jp", "taro@example.co.jp"),
            is("Taro.Yamada+cs@EXAMPLE.CO.JP", "Taro.Yamada+cs@example.co.jp"),
            is(" a@b.jp ", "a@b.jp"),
            is("foo..bar.@docomo.ne.jp", "foo..bar.@docomo.ne.jp"),
            is("x@xn--wgv71a.jp", "x@xn--wgv71a.jp"),
            empty(""),
            held("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "full_width"),
            held("taro@example。jp", "not_an_email"),
            held("taro.example.jp", "not_an_email"),
            held("a@b@c.jp", "not_an_email"),
            held("a@b.jp; c@d.jp", "not_an_email"),
            held("Taro <a@b.jp>", "not_an_email"),
            held("taro@localhost", "not_an_email"),
            held("taro@-a.jp", "not_an_email"),
            held("@b.jp", "not_an_email"),
            held("a@192.168.0.1", "not_an_email"),
        ],
    }],
};

/// Reads an address; its domain is lower-cased, since domains are the same in any case.
pub(super) fn parse(text: &str) -> Result<Cow<'_, str>, Reason> {
    let text = text.trim();
    if has_wide(text) {
        return Err(Reason::new("full_width", "full-width characters in an e-mail address; correct it in the source"));
    }
    let Some((local, domain)) = text.split_once('@') else {
        return Err(not_an_email("an e-mail address needs an @"));
    };
    if domain.contains('@') {
        return Err(not_an_email("more than one @: only one e-mail address fits"));
    }
    if text.len() > 254 || !is_local_part(local) {
        return Err(not_an_email("the part before the @ is not one of an e-mail address"));
    }
    if !is_domain(domain) {
        return Err(not_an_email("the part behind the @ is not a domain (international ones are written xn--…)"));
    }
    if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Cow::Owned(format!("{local}@{}", domain.to_ascii_lowercase())));
    }
    Ok(Cow::Borrowed(text))
}

/// Dots may stand anywhere: Japanese mobile carriers gave out addresses that end in one or have two in a row.
fn is_local_part(local: &str) -> bool {
    (1..=64).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let mut labels = domain.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let named_top = top.len() >= 2 && is_label(top) && !top.bytes().all(|byte| byte.is_ascii_digit());
    let mut rest = labels.peekable();
    named_top && rest.peek().is_some() && rest.all(is_label)
}

fn not_an_email(what: &str) -> Reason {
    Reason::new("not_an_email", format!("{what}; accepted: name@example.co.jp"))
}
