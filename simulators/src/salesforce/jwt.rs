//! Signed statements (JWT bearer): the app's certificate is that of `app_key.pem`.

use std::sync::LazyLock;

use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// The private key of the app's certificate: worth nothing anywhere but here.
pub(crate) const PRIVATE_KEY: &str = include_str!("app_key.pem");

/// The user who may sign in with it.
pub(crate) const USERNAME: &str = "user1@cloud.example.co.jp";

/// For how long a statement may be good.
const LONGEST_LIFE_SECS: i64 = 5 * 60;

static PUBLIC_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let body: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("the shipped key is Base64");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("the shipped key is an RSA key");
    pair.public_key().as_ref().to_vec()
});

/// Why a statement is not taken: error and description; `None` when it is.
pub(crate) fn refusal(
    assertion: &str,
    client_id: &str,
    approved: bool,
    now: i64,
) -> Option<(&'static str, &'static str)> {
    let Some(claims) = claims(assertion) else { return Some(("invalid_grant", "invalid assertion")) };
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    if text("iss") != client_id {
        return Some(("invalid_client_id", "client identifier invalid"));
    }
    if !["https://login.salesforce.com", "https://test.salesforce.com"].contains(&text("aud")) {
        return Some(("invalid_grant", "audience is invalid"));
    }
    match claims["exp"].as_i64() {
        Some(expires_at) if expires_at > now && expires_at <= now + LONGEST_LIFE_SECS => {}
        _ => return Some(("invalid_grant", "expired authorization code")),
    }
    (text("sub") != USERNAME || !approved).then_some(("invalid_grant", "user hasn't approved this consumer"))
}

/// What a statement says, if the app signed it.
fn claims(assertion: &str) -> Option<Value> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, body) = signed.split_once('.')?;
    let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    if part(header)?["alg"] != "RS256" {
        return None;
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY.as_slice());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    part(body)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;
    use serde_json::json;

    use super::*;

    fn signed(claims: &Value) -> String {
        let body: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "alg": "RS256" })), part(claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn acceptance_3_statements_are_checked_and_refused_with_texts_of_their_own() {
        let good = json!({ "iss": "app", "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": 1_180 });
        let told = |change: &dyn Fn(&mut Value), approved: bool| {
            let mut claims = good.clone();
            change(&mut claims);
            refusal(&signed(&claims), "app", approved, 1_000).map(|(_, text)| text)
        };
        assert_eq!(told(&|_| (), true), None);
        assert_eq!(told(&|_| (), false), Some("user hasn't approved this consumer"));
        assert_eq!(told(&|claims| claims["sub"] = json!("other"), true), Some("user hasn't approved this consumer"));
        assert_eq!(told(&|claims| claims["aud"] = json!("https://acme.example"), true), Some("audience is invalid"));
        assert_eq!(told(&|claims| claims["exp"] = json!(1_000), true), Some("expired authorization code"));
        assert_eq!(told(&|claims| claims["exp"] = json!(1_180_000), true), Some("expired authorization code"));
        assert_eq!(told(&|claims| claims["iss"] = json!("else"), true), Some("client identifier invalid"));
        let forged = signed(&good).replacen('e', "f", 1);
        assert_eq!(refusal(&forged, "app", true, 1_000).map(|(_, text)| text), Some("invalid assertion"));
    }
}
