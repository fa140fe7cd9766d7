//! The secret key that tokens are sealed with, and the sealing.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, ErrorKind, Result};

/// The environment variable that holds the key; it goes before the file.
const VARIABLE: &str = "NENRIN_SECRET_KEY";

/// The first byte of what is sealed: which way.
const SCHEME: u8 = 1;

/// Bytes of a nonce.
const NONCE_SIZE_BYTES: usize = 24;

/// Where the key comes from: the environment, else a file that only its owner can read.
#[derive(Debug)]
pub(super) struct KeySource {
    file: Option<PathBuf>,
}

/// The key, ready to seal with.
pub(super) struct Sealer(XChaCha20Poly1305);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

impl KeySource {
    /// A key file beside the database: `nenrin.db` has `nenrin.db.key`. Without a file of the database, only
    /// the environment can give the key.
    pub(super) fn beside(database: Option<&Path>) -> Self {
        let file = database.map(|database| {
            let mut name = database.as_os_str().to_owned();
            name.push(".key");
            PathBuf::from(name)
        });
        KeySource { file }
    }

    /// A key file of that name.
    pub(super) fn in_file(file: PathBuf) -> Self {
        KeySource { file: Some(file) }
    }

    /// The key; `make` says whether a missing key file is made.
    pub(super) fn load(&self, make: bool) -> Result<Sealer> {
        if let Ok(text) = std::env::var(VARIABLE) {
            return Sealer::parse(&text).ok_or_else(|| unreadable(VARIABLE));
        }
        let Some(file) = &self.file else {
            return Err(Error::new(ErrorKind::Config, "no secret key to keep tokens with")
                .help(format!("set {VARIABLE} to the output of `openssl rand -base64 32`")));
        };
        if !file.exists() {
            if !make {
                return Err(Error::new(ErrorKind::Config, "the secret key that tokens were kept with is missing")
                    .with("file", file.display())
                    .help("restore the file from a backup, or sign in to the source again"));
            }
            make_file(file)?;
        }
        refuse_open_file(file)?;
        let text = fs::read_to_string(file).map_err(|error| file_error(file).caused_by(error))?;
        Sealer::parse(&text).ok_or_else(|| unreadable(&file.display().to_string()))
    }
}

impl Sealer {
    /// Reads 32 bytes in base64.
    fn parse(text: &str) -> Option<Sealer> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
        XChaCha20Poly1305::new_from_slice(&bytes).ok().map(Sealer)
    }

    /// Seals `secret`; it opens only under the same `name`.
    pub(super) fn seal(&self, name: &str, secret: &SecretString) -> Result<String> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: name.as_bytes() };
        let sealed =
            self.0.encrypt(&nonce, payload).map_err(|_| Error::new(ErrorKind::Internal, "could not seal a token"))?;
        let mut bytes = vec![SCHEME];
        bytes.extend_from_slice(nonce.as_slice());
        bytes.extend_from_slice(&sealed);
        Ok(BASE64_STANDARD.encode(bytes))
    }

    /// Opens what was sealed under `name`; `None` when it was sealed with another key or name, or changed.
    pub(super) fn open(&self, name: &str, sealed: &str) -> Option<SecretString> {
        let bytes = BASE64_STANDARD.decode(sealed).ok()?;
        let (scheme, rest) = bytes.split_first()?;
        if *scheme != SCHEME {
            return None;
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE_SIZE_BYTES)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let opened = self.0.decrypt(&nonce, Payload { msg: sealed, aad: name.as_bytes() }).ok()?;
        String::from_utf8(opened).ok().map(SecretString::from)
    }
}

/// Makes the key file in one step, so that two processes agree on one key.
fn make_file(file: &Path) -> Result<()> {
    let failed = |error: std::io::Error| file_error(file).caused_by(error);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?; // only the owner can read it
    let key = Key::<XChaCha20Poly1305>::generate();
    writeln!(draft, "{}", BASE64_STANDARD.encode(key.as_slice())).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    match draft.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

#[cfg(unix)]
fn refuse_open_file(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file).map_err(|error| file_error(file).caused_by(error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::new(ErrorKind::Permission, "others can read the secret key")
            .with("file", file.display())
            .help(format!("run chmod 600 {}", file.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_file(_file: &Path) -> Result<()> {
    Ok(())
}

fn file_error(file: &Path) -> Error {
    Error::new(ErrorKind::Storage, "could not read or make the file with the secret key").with("file", file.display())
}

fn unreadable(place: &str) -> Error {
    Error::new(ErrorKind::Config, "the secret key is not 32 bytes in base64")
        .with("place", place)
        .help("make one with `openssl rand -base64 32`; tokens kept with another key must be signed in again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::parse(&BASE64_STANDARD.encode([byte; 32])).unwrap()
    }

    #[test]
    fn a_sealed_token_opens_only_with_its_key_and_under_its_name() {
        let sealed = sealer(1).seal("zoho/refresh", &"s3cret".to_owned().into()).unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(sealer(1).open("zoho/refresh", &sealed).unwrap().expose_secret(), "s3cret");
        assert!(sealer(2).open("zoho/refresh", &sealed).is_none());
        assert!(sealer(1).open("zoho/other", &sealed).is_none());
    }

    #[test]
    fn the_same_token_is_never_sealed_alike() {
        let secret = SecretString::from("s3cret".to_owned());
        assert_ne!(sealer(1).seal("a", &secret).unwrap(), sealer(1).seal("a", &secret).unwrap());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(Sealer::parse(&BASE64_STANDARD.encode([1; 16])).is_none());
        assert!(Sealer::parse("not base64!").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nenrin.db.key");
        make_file(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        refuse_open_file(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refuse_open_file(&file).unwrap_err().kind(), ErrorKind::Permission);
    }
}
