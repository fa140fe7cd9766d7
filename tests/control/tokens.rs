//! Credentials that outside systems rotate.

use nenrin::error::ErrorKind;
use secrecy::{ExposeSecret, SecretString};

use super::Bench;

on_both! {
    a_token_comes_back_and_is_nowhere_in_clear,
    of_two_that_replace_a_token_one_wins,
    a_token_kept_with_another_key_says_what_to_do,
    a_missing_key_is_not_made_anew_to_read_with,
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

async fn a_token_comes_back_and_is_nowhere_in_clear(bench: Bench) {
    let tokens = bench.control.tokens();
    assert!(tokens.get("zoho", "refresh").await.unwrap().is_none());
    tokens.put("zoho", "refresh", &secret("1000.abcdef-needle")).await.unwrap();
    let found = bench.another().await.tokens().get("zoho", "refresh").await.unwrap().unwrap();
    assert_eq!(found.secret.expose_secret(), "1000.abcdef-needle");
    assert!(!format!("{found:?}").contains("needle"));
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"needle"));
    }
    tokens.forget("zoho", "refresh").await.unwrap();
    assert!(tokens.get("zoho", "refresh").await.unwrap().is_none());
}

async fn of_two_that_replace_a_token_one_wins(bench: Bench) {
    let tokens = bench.control.tokens();
    tokens.put("zoho", "refresh", &secret("old")).await.unwrap();
    let seen = tokens.get("zoho", "refresh").await.unwrap().unwrap();
    tokens.replace("zoho", "refresh", seen.version, &secret("mine")).await.unwrap();
    let error = tokens.replace("zoho", "refresh", seen.version, &secret("theirs")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let now = tokens.get("zoho", "refresh").await.unwrap().unwrap();
    assert_eq!(now.secret.expose_secret(), "mine");
    // Signing in anew goes over everything and counts as a replacement.
    tokens.put("zoho", "refresh", &secret("new")).await.unwrap();
    let error = tokens.replace("zoho", "refresh", now.version, &secret("stale")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

async fn a_token_kept_with_another_key_says_what_to_do(bench: Bench) {
    bench.control.tokens().put("zoho", "refresh", &secret("s")).await.unwrap();
    let other = bench.another().await.with_key_file(bench.folder.path().join("other.key"));
    other.tokens().put("hubspot", "refresh", &secret("s")).await.unwrap(); // makes the other key
    let error = other.tokens().get("zoho", "refresh").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.help_text().unwrap().contains("sign in to the source again"));
}

async fn a_missing_key_is_not_made_anew_to_read_with(bench: Bench) {
    bench.control.tokens().put("zoho", "refresh", &secret("s")).await.unwrap();
    let file = bench.folder.path().join("secret.key");
    std::fs::remove_file(&file).unwrap();
    let error = bench.control.tokens().get("zoho", "refresh").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!file.exists());
}
