//! Which database a URL names.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Where the control database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file; made when it is missing.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its URL with the password in it.
    Postgres(secret::Url),
}

/// Keeps a URL with its password from being printed.
mod secret {
    use std::fmt;

    use secrecy::{ExposeSecret, SecretString};

    /// A URL that may hold a password; printed without it.
    #[derive(Clone)]
    pub struct Url {
        full: SecretString,
        shown: String,
    }

    impl Url {
        pub(super) fn new(full: &str) -> Self {
            let shown = match url::Url::parse(full) {
                Ok(mut url) => {
                    if url.password().is_some() {
                        let _ = url.set_password(Some("***"));
                    }
                    url.set_query(None);
                    url.to_string()
                }
                Err(_) => "postgres://…".to_owned(),
            };
            Url { full: SecretString::from(full), shown }
        }

        pub(crate) fn expose(&self) -> &str {
            self.full.expose_secret()
        }
    }

    impl fmt::Display for Url {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.shown)
        }
    }

    impl fmt::Debug for Url {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.shown)
        }
    }

    impl PartialEq for Url {
        fn eq(&self, other: &Self) -> bool {
            self.expose() == other.expose()
        }
    }

    impl Eq for Url {}
}

impl Address {
    /// Reads `sqlite:PATH` (also `sqlite://PATH`) or `postgres://…` (also `postgresql://…`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for any other scheme and for SQLite in memory, which would forget everything.
    pub fn parse(url: &str) -> Result<Address> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split('?').next().unwrap_or_default();
            if path.is_empty() || path.contains(":memory:") {
                return Err(Error::new(ErrorKind::Config, "the control database needs a file")
                    .help("write it like sqlite:nenrin.db"));
            }
            return Ok(Address::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Address::Postgres(secret::Url::new(url)));
        }
        let scheme = url.split(':').next().unwrap_or_default();
        Err(Error::new(ErrorKind::Config, "not the URL of a database that nenrin can use")
            .with("scheme", scheme)
            .help("write sqlite:nenrin.db or postgres://user@host/database"))
    }

    /// The SQLite file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Address::Sqlite(path) => Some(path),
            Address::Postgres(_) => None,
        }
    }
}

impl std::fmt::Display for Address {
    /// The address without a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Address::Postgres(url) => write!(f, "{url}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_a_file_with_one_colon_or_two_slashes() {
        assert_eq!(Address::parse("sqlite:nenrin.db").unwrap(), Address::Sqlite("nenrin.db".into()));
        assert_eq!(Address::parse("sqlite:///var/n.db?mode=rwc").unwrap(), Address::Sqlite("/var/n.db".into()));
    }

    #[test]
    fn a_password_is_never_shown() {
        let address = Address::parse("postgres://app:hunter2@db.example/nenrin?sslpassword=hunter3").unwrap();
        assert_eq!(address.to_string(), "postgres://app:***@db.example/nenrin");
        assert!(!format!("{address:?}").contains("hunter"));
    }

    #[test]
    fn other_databases_and_memory_are_refused_with_advice() {
        for url in ["mysql://x/y", "nenrin.db", "sqlite::memory:", "sqlite:"] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.help_text().unwrap().contains("sqlite:nenrin.db"));
        }
    }
}
