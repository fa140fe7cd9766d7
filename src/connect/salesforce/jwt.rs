//! The signed statement with which a server signs in as a user (JWT bearer, RFC 7523).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// How long a statement is good for. Salesforce takes none that is good for longer than about five minutes.
const LIFE_SECS: i64 = 180;

/// Who signs in where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claims<'a> {
    /// The app's consumer key.
    pub(super) client_id: &'a str,
    /// The user's name.
    pub(super) username: &'a str,
    /// `https://login.salesforce.com`, or the same for sandboxes.
    pub(super) audience: &'a str,
}

/// Reads a private key in PEM, to see that it is one.
///
/// # Errors
///
/// Config when it is none; the message never shows it.
pub(super) fn key(pem: &SecretString) -> Result<RsaKeyPair> {
    let wrong = |message: &str| {
        Error::new(ErrorKind::Config, message).with("setting", "auth.private_key").help(
            "give the PEM file that belongs to the certificate of the app: `openssl genpkey -algorithm RSA \
             -pkeyopt rsa_keygen_bits:2048 -out key.pem`, then `private_key: ${file:key.pem}`",
        )
    };
    let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes())
        .map_err(|_| wrong("the private key is not in PEM form, or is encrypted"))?;
    let pair = match &der {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(wrong("the private key is not an RSA key")),
    };
    pair.map_err(|_| wrong("the private key is not an RSA key"))
}

/// The statement, signed; `now` is our own clock, since nobody has answered yet.
///
/// # Errors
///
/// As [`key`].
pub(super) fn assertion(claims: Claims<'_>, pem: &SecretString, now: Timestamp) -> Result<SecretString> {
    let key = key(pem)?;
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "RS256", "typ": "JWT" }));
    let expires_at = now.micros().div_euclid(1_000_000) + LIFE_SECS;
    let body = part(json!({
        "iss": claims.client_id, "sub": claims.username, "aud": claims.audience, "exp": expires_at,
    }));
    let signed = format!("{header}.{body}");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Error::new(ErrorKind::Internal, "the statement could not be signed"))?;
    Ok(SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_statement_is_signed_and_short_lived() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let body = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let claims = Claims { client_id: "app", username: "a@example.jp", audience: "https://login.salesforce.com" };
        let now = "2026-10-31T15:00:00.9Z".parse().unwrap();
        let signed = assertion(claims, &SecretString::from(pem), now).unwrap();
        let parts: Vec<&str> = signed.expose_secret().split('.').collect();
        let told: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(
            told,
            json!({ "iss": "app", "sub": "a@example.jp", "aud": "https://login.salesforce.com", "exp": 1_793_458_980 })
        );
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        public.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for text in ["hunter2", "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"] {
            let error = key(&SecretString::from(text)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(
                !error.render().contains("hunter2") && !error.render().contains("aHVudGVyMg"),
                "{}",
                error.render()
            );
        }
    }
}
