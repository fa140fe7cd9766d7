//! A request, as far as an org looks at it.

/// A request with its body read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path as sent.
    pub(crate) path: String,
    /// The raw query, without the question mark.
    pub(crate) query: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The first header of that (lower case) name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The parameter of that name in the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        form(self.query.as_deref()?).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The query, decoded, for people.
    pub(crate) fn decoded_query(&self) -> String {
        self.query.as_deref().map(decode).unwrap_or_default()
    }

    /// How many bytes the request line and the headers took.
    pub(crate) fn head_bytes(&self) -> usize {
        let line = self.method.len() + self.uri_bytes() + 12;
        line + self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
    }

    /// How many bytes the URI took.
    pub(crate) fn uri_bytes(&self) -> usize {
        self.path.len() + self.query.as_ref().map_or(0, |query| query.len() + 1)
    }
}

/// Name and value pairs of a form or query.
pub(crate) fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Undoes URL encoding; a plus is a space.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |place: usize| bytes.get(place).and_then(|&byte| (byte as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
        assert_eq!(super::decode("a+b%2B09%3A00%E5%B9%B4"), "a b+09:00年");
        assert_eq!(super::form("q=a%3Db&x="), [("q".into(), "a=b".into()), ("x".into(), String::new())]);
    }
}
