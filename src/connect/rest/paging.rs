//! Where the next page of a list is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::select::Path;
use crate::connect::tree::{Tree, text_of};
use crate::error::{Error, ErrorKind, Result};

/// How the next page is asked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paging {
    /// There is one page.
    #[default]
    None,
    /// By how many records to skip. Where records go while pages are read, others move up and are passed over; so a page
    /// begins with the last record of the one before.
    Offset {
        /// The parameter with the number: `offset`.
        param: String,
        /// The parameter with how many to give: `limit`.
        #[serde(default)]
        size_param: Option<String>,
        /// How many to ask for.
        size: u64,
    },
    /// By the number of the page. `keyset` or `cursor` are safer where records go while pages are read.
    Page {
        /// The parameter with the number: `page`.
        param: String,
        /// The parameter with how many records to give: `per_page`.
        #[serde(default)]
        size_param: Option<String>,
        /// How many to ask for: a page with fewer is the last.
        size: u64,
        /// The number of the first page; default 1.
        #[serde(default = "one")]
        first: u64,
    },
    /// By a text that the answer gives.
    Cursor {
        /// The parameter for it: `page_token`; without one, `page.cursor` in the body.
        #[serde(default)]
        param: Option<String>,
        /// Where it is in the answer: `$.meta.next_cursor`. Nothing there, null or an empty text: that was the last page.
        next: String,
    },
    /// By the address in the header `Link` with `rel="next"`.
    LinkHeader,
    /// By an address in the answer.
    NextUrl {
        /// Where it is: `$.paging.next`.
        next: String,
    },
    /// By the last value of a field that the list is sorted by.
    Keyset {
        /// The parameter for it: `after`.
        param: String,
        /// The field.
        field: String,
        /// The parameter with how many records to give: `limit`.
        #[serde(default)]
        size_param: Option<String>,
        /// How many to ask for: a page with fewer is the last.
        size: u64,
    },
}

fn one() -> u64 {
    1
}

/// The place of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    #[default]
    First,
    Offset(u64),
    Page(u64),
    Text(String),
    Url(String),
}

/// What pages of a list have shown so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Records on this page.
    pub(super) count: u64,
    /// Records on the page before, where there is one.
    pub(super) before: Option<u64>,
    /// Different records up to and with this page.
    pub(super) read: u64,
    /// How many there are, if the API says so.
    pub(super) total: Option<u64>,
}

impl Seen {
    /// Whether there may be more, where pages of `size` records were asked for.
    ///
    /// An API may give fewer than were asked for, and silently so. Its own limit is a round number: a first page of as
    /// many is not taken for the last.
    fn goes_on(self, size: u64) -> bool {
        let is_limit = |count: u64| count >= 10 && count.is_multiple_of(5);
        match (self.total, self.before) {
            (Some(total), _) => self.count > 0 && self.read < total,
            (None, Some(before)) => self.count >= before.min(size) && self.count > 0,
            (None, None) => self.count >= size || is_limit(self.count),
        }
    }
}

/// An answer, as far as it says where the next page is.
pub(super) struct Shown<'a> {
    /// What was asked.
    pub(super) address: &'a Url,
    /// The header `Link`.
    pub(super) link: Option<&'a str>,
    pub(super) tree: &'a Tree,
}

/// A paging whose paths were read.
#[derive(Debug, Clone)]
pub(super) struct Pager {
    paging: Paging,
    next: Option<Path>,
}

impl Pager {
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when a setting is no path, or a number none that can be.
    pub(super) fn new(paging: &Paging) -> Result<Pager> {
        let next = match paging {
            Paging::Cursor { next, .. } | Paging::NextUrl { next } => Some(Path::parse(next, "paging.next")?),
            _ => None,
        };
        if let Paging::Offset { size, .. } | Paging::Page { size, .. } | Paging::Keyset { size, .. } = paging
            && *size < 2
        {
            return Err(Error::new(ErrorKind::Config, "a page must have two records at least")
                .with("setting", "paging.size")
                .help("set the most that the API gives"));
        }
        Ok(Pager { paging: paging.clone(), next })
    }

    /// The parameters that ask for the page at `place`.
    pub(super) fn params(&self, place: &Place) -> Vec<(String, String)> {
        let mut params = Vec::new();
        let mut add = |name: &str, value: String| params.push((name.to_owned(), value));
        match (&self.paging, place) {
            (Paging::Offset { param, .. }, Place::Offset(at)) => add(param, at.to_string()),
            (Paging::Offset { param, .. }, _) => add(param, "0".to_owned()),
            (Paging::Page { param, .. }, Place::Page(number)) => add(param, number.to_string()),
            (Paging::Page { param, first, .. }, _) => add(param, first.to_string()),
            (Paging::Cursor { param: Some(param), .. } | Paging::Keyset { param, .. }, Place::Text(text)) => {
                add(param, text.clone());
            }
            _ => {}
        }
        if let Paging::Offset { size_param: Some(param), size, .. }
        | Paging::Page { size_param: Some(param), size, .. }
        | Paging::Keyset { size_param: Some(param), size, .. } = &self.paging
        {
            add(param, size.to_string());
        }
        params
    }

    /// Whether every page begins with the last record of the one before.
    pub(super) fn overlaps(&self) -> bool {
        matches!(self.paging, Paging::Offset { .. })
    }

    /// The place of the page before, where there can be one: to go back to when records moved up.
    pub(super) fn before(&self, place: &Place) -> Place {
        match (&self.paging, place) {
            (Paging::Offset { size, .. }, Place::Offset(at)) if *at > *size => Place::Offset(at - size),
            _ => Place::First,
        }
    }

    /// Where the page behind `place` is, if there is one. `items` are the records of this one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadData`] when the answer names a place that cannot be.
    pub(super) fn next(&self, place: &Place, seen: Seen, answer: &Shown<'_>, items: &[&Tree]) -> Result<Option<Place>> {
        Ok(match &self.paging {
            Paging::None => None,
            Paging::Offset { size, .. } => {
                let at = if let Place::Offset(at) = place { *at } else { 0 };
                // From the second page on, its first record was on the one before.
                let is_end = at > 0 && seen.count <= 1;
                (!is_end && seen.goes_on(*size)).then(|| Place::Offset(at + seen.count - 1))
            }
            Paging::Page { size, first, .. } => {
                let number = if let Place::Page(number) = place { *number } else { *first };
                seen.goes_on(*size).then_some(Place::Page(number + 1))
            }
            Paging::Keyset { field, size, .. } if seen.goes_on(*size) => {
                let last = items.last().and_then(|item| item.get(field)).and_then(text_of);
                let last = last.ok_or_else(|| {
                    Error::new(
                        ErrorKind::BadData,
                        "the last record of a page lacks the field that the next page begins behind",
                    )
                    .with("field", field)
                    .help("set `paging.field` to a field that every record has")
                })?;
                Some(Place::Text(last.into_owned()))
            }
            Paging::Keyset { .. } => None,
            Paging::Cursor { .. } => self.told(answer.tree).map(Place::Text),
            Paging::NextUrl { .. } => {
                self.told(answer.tree).map(|address| joined(answer.address, &address)).transpose()?
            }
            Paging::LinkHeader => {
                answer.link.and_then(next_link).map(|address| joined(answer.address, &address)).transpose()?
            }
        })
    }

    fn told(&self, tree: &Tree) -> Option<String> {
        let found = self.next.as_ref()?.first(tree)?;
        text_of(found).map(|text| text.into_owned()).filter(|text| !text.is_empty() && text != "false")
    }
}

/// The address, which may be relative, as long as it is at the same host: the credential goes with it.
fn joined(here: &Url, address: &str) -> Result<Place> {
    let next = here.join(address).ok();
    match next.filter(|next| next.origin() == here.origin()) {
        Some(next) => Ok(Place::Url(next.into())),
        None => Err(Error::new(ErrorKind::BadData, "the next page is said to be at another host")
            .with(
                "host",
                Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default(),
            )
            .help("set `base_url` to that host if it is the API's own; the credential is not sent anywhere else")),
    }
}

/// The address with `rel="next"` in a `Link` header (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().to_ascii_lowercase();
            matches!(parameter.as_str(), "rel=next" | "rel=\"next\"")
        });
        is_next.then(|| address.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_shorter_than_asked_for_may_be_what_the_api_gives_at_most() {
        let goes_on = |count, before, total| Seen { count, before, read: count, total }.goes_on(100);
        assert!(
            goes_on(100, None, None) && goes_on(50, None, None) && !goes_on(7, None, None) && !goes_on(0, None, None)
        );
        assert!(goes_on(50, Some(50), None) && !goes_on(49, Some(50), None) && !goes_on(0, Some(50), None));
        assert!(goes_on(7, None, Some(8)) && !goes_on(100, None, Some(100)) && !goes_on(0, None, Some(8)));
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let header = r#"<https://a.example/x?page=1>; rel="prev", </x?page=3>; title="n"; rel="next""#;
        assert_eq!(next_link(header).as_deref(), Some("/x?page=3"));
        assert_eq!(next_link(r#"<https://a.example/x>; rel="last""#), None);
    }

    #[test]
    fn the_next_page_is_at_the_same_host() {
        let here = Url::parse("https://a.example/api/x?page=1").unwrap();
        assert_eq!(joined(&here, "/x?page=3").unwrap(), Place::Url("https://a.example/x?page=3".into()));
        assert!(joined(&here, "https://b.example/x").is_err() && joined(&here, "http://a.example/x").is_err());
    }
}
