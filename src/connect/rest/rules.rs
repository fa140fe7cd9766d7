//! What an answer means: data, nothing, or trouble of some kind.

use super::config::{Action, ErrorRule};
use super::select::Path;
use crate::connect::http::{Answer, Verdict, retry_after, unexpected};
use crate::connect::tree::{Tree, parse, text_of};
use crate::error::{Error, ErrorKind, Result};

/// Rules that were read, in their order.
#[derive(Debug, Clone)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    config: ErrorRule,
    path: Option<Path>,
}

/// What a rule says of an answer.
#[derive(Debug)]
pub(super) enum Meaning<T> {
    /// It is data, as far as the rules know.
    Data,
    /// There is nothing.
    Nothing,
    /// Something else.
    Verdict(Verdict<T>),
}

impl Rules {
    /// The rules of a stream and, after them, those of its source.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when one has a path that is none, or fits everything.
    pub(super) fn new(own: &[ErrorRule], source: &[ErrorRule]) -> Result<Rules> {
        let rules = own.iter().chain(source).map(|config| {
            if config.status.is_empty() && config.body.is_none() {
                return Err(Error::new(ErrorKind::Config, "a rule fits every answer")
                    .with("setting", "errors")
                    .help("say which answers it is about: `status: [404]`, or `body: { path: $.error }`"));
            }
            let path = config.body.as_ref().map(|body| Path::parse(&body.path, "errors.body.path")).transpose()?;
            Ok(Rule { config: config.clone(), path })
        });
        Ok(Rules(rules.collect::<Result<Vec<Rule>>>()?))
    }

    /// What the answer means. `absent_is_nothing`: 404 and 410 are nothing, as for the children of a parent that is gone.
    pub(super) fn judge<T>(&self, answer: &Answer, absent_is_nothing: bool) -> Meaning<T> {
        let status = answer.status.as_u16();
        let tree = if self.0.iter().any(|rule| rule.path.is_some()) {
            std::str::from_utf8(&answer.body).ok().and_then(|text| parse(text).ok())
        } else {
            None
        };
        if let Some(rule) = self.0.iter().find(|rule| rule.fits(status, tree.as_ref())) {
            return rule.meaning(answer, tree.as_ref());
        }
        match status {
            204 => Meaning::Nothing,
            404 | 410 if absent_is_nothing => Meaning::Nothing,
            200..=299 if !answer.body.is_empty() => Meaning::Data,
            _ => Meaning::Verdict(unexpected(answer)),
        }
    }
}

impl Rule {
    fn fits(&self, status: u16, tree: Option<&Tree>) -> bool {
        let is_status = self.config.status.is_empty() || self.config.status.contains(&status);
        let is_body = match (&self.config.body, &self.path) {
            (Some(body), Some(path)) => tree.and_then(|tree| path.first(tree)).is_some_and(|found| {
                let found = text_of(found);
                body.is.is_empty() && found.is_some() || body.is.iter().any(|is| Some(is.as_str()) == found.as_deref())
            }),
            _ => true,
        };
        is_status && is_body
    }

    fn meaning<T>(&self, answer: &Answer, tree: Option<&Tree>) -> Meaning<T> {
        let found = self.path.as_ref().zip(tree).and_then(|(path, tree)| path.first(tree)).and_then(text_of);
        let error = |kind, otherwise: &str| {
            let message = self.config.message.clone().unwrap_or_else(|| otherwise.to_owned());
            let error = Error::new(kind, message).with("status", answer.status.as_u16());
            match &found {
                Some(found) => error.with("answer", found.chars().take(200).collect::<String>()),
                None => error,
            }
        };
        let later = "run the sync again later; what was read is kept";
        match self.config.then {
            Action::Skip => Meaning::Nothing,
            Action::Retry => Meaning::Verdict(Verdict::Again {
                error: error(ErrorKind::Unavailable, "the service is not available").help(later),
                wait: retry_after(answer),
            }),
            Action::Renew => Meaning::Verdict(Verdict::Renew(
                error(ErrorKind::Auth, "the credential was refused").help("check the credentials in the source's file"),
            )),
            Action::Quota => {
                Meaning::Verdict(Verdict::Stop(error(ErrorKind::Quota, "the allowance is used up").help(later)))
            }
            Action::Fail => Meaning::Verdict(Verdict::Stop(
                error(ErrorKind::Rejected, "the request was refused")
                    .help("check the stream's settings in the source's file against the API's documents"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            transferred_bytes: 0,
        }
    }

    fn meaning(rules: &str, status: u16, body: &str, absent_is_nothing: bool) -> String {
        let rules: Vec<ErrorRule> = serde_json::from_str(rules).unwrap();
        match Rules::new(&rules, &[]).unwrap().judge::<()>(&answer(status, body), absent_is_nothing) {
            Meaning::Data => "data".into(),
            Meaning::Nothing => "nothing".into(),
            Meaning::Verdict(Verdict::Again { .. }) => "again".into(),
            Meaning::Verdict(Verdict::Renew(_)) => "renew".into(),
            Meaning::Verdict(Verdict::Stop(error)) => error.render(),
            Meaning::Verdict(Verdict::Accept(())) => "accept".into(),
        }
    }

    #[test]
    fn errors_in_answers_of_200_are_seen_by_rules() {
        let rules = r#"[{"body":{"path":"$.error.code","is":["E503"]},"then":"retry"},
                        {"status":[200],"body":{"path":"$.error"},"then":"fail","message":"契約APIのエラー"}]"#;
        assert_eq!(meaning(rules, 200, r#"{"error":{"code":"E503"}}"#, false), "again");
        assert!(meaning(rules, 200, r#"{"error":{"code":"E9"}}"#, false).contains("契約APIのエラー"));
        assert_eq!(meaning(rules, 200, r#"{"error":null,"data":[]}"#, false), "data");
        assert_eq!(meaning(rules, 503, "", false), "again");
    }

    #[test]
    fn what_is_not_there_is_nothing_for_children_alone() {
        assert_eq!(meaning("[]", 404, "x", true), "nothing");
        assert!(meaning("[]", 404, "x", false).contains("nothing at this address"));
        assert_eq!(meaning(r#"[{"status":[404],"then":"skip"}]"#, 404, "", false), "nothing");
        assert_eq!(meaning("[]", 200, "", false), "again", "an empty body is no data");
        let rules: Vec<ErrorRule> = serde_json::from_str(r#"[{"then":"skip"}]"#).unwrap();
        assert!(Rules::new(&rules, &[]).is_err());
    }
}
