//! Lines 15 to 28: queries and their pages.

use std::collections::HashSet;

use serde_json::{Value, json};
use simulators::salesforce::Options;

use crate::client::{Session, encode, fields, send};

fn set(values: &[Value]) -> HashSet<String> {
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_queries_are_read_only_and_a_plus_is_a_space() {
    let session = Session::with_accounts(3).await;
    let path = format!("{}/services/data/v66.0/query?q=SELECT+Id+FROM+Account", session.base);
    let bearer = format!("Bearer {}", session.token);
    let posted = send(&path, "POST", &[("Authorization", bearer.as_str())], b"");
    assert_eq!((posted.status, posted.code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    let zoned = "SELECT+Id+FROM+Account+WHERE+CreatedDate%3E2020-01-01T00:00:00";
    assert_eq!(session.data(&format!("query?q={zoned}%2B09:00")).status, 200);
    let broken = session.data(&format!("query?q={zoned}+09:00"));
    assert_eq!((broken.status, broken.code().as_str()), (400, "MALFORMED_QUERY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_16_pages_have_their_shape() {
    let session = Session::with_accounts(450).await;
    let options = [("Sforce-Query-Options", "batchSize=200")];
    let path = format!("/services/data/v66.0/query?q={}", encode("SELECT Id FROM Account"));
    let first = session.get_with(&path, &options).json();
    assert_eq!((&first["totalSize"], &first["done"]), (&json!(450), &json!(false)));
    assert_eq!(first["records"].as_array().unwrap().len(), 200);
    let next = first["nextRecordsUrl"].as_str().unwrap();
    assert!(next.starts_with("/services/data/v66.0/query/0r8") && next.ends_with("-200"), "{next}");
    let second = session.get(next).json();
    assert_eq!(second["totalSize"], 450);
    let third = session.get(second["nextRecordsUrl"].as_str().unwrap()).json();
    assert_eq!((&third["done"], third["records"].as_array().unwrap().len()), (&json!(true), 50));
    assert!(third.get("nextRecordsUrl").is_none());
    let empty = session.query("SELECT Id FROM Contact").text();
    assert_eq!(empty, r#"{"totalSize":0,"done":true,"records":[]}"#);
}
