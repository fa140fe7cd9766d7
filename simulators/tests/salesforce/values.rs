//! Lines 29 to 31: how values are written.

use serde_json::json;
use simulators::salesforce::{Features, Options};

use crate::client::{Session, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_29_values_have_the_form_of_the_rest_api() {
    let values = json!({
        "Name": "形式", "MRR__c": "98000", "AnnualRevenue": "99213206", "LoginRate__c": "75", "Products__c": "顧客管理;分析",
        "SupportStart__c": "08:30:00.000Z", "LastLoginAt__c": "2026-01-01T09:00:00+09:00", "RenewalDate__c": "2026-01-31",
        "NumberOfEmployees": 12, "HealthScore__c": "87.5",
    });
    let soql = "SELECT Id, MRR__c, AnnualizedMRR__c, AnnualRevenue, LoginRate__c, Products__c, SupportStart__c, LastLoginAt__c, \
                RenewalDate__c, NumberOfEmployees, HealthScore__c FROM Account";
    let session = Session::empty().await;
    let id = session.org.insert("Account", &fields(values.clone())).unwrap();
    assert!(id.len() == 18 && id.starts_with("001"));
    let record = format!(
        r#""Id":"{id}","MRR__c":98000.0,"AnnualizedMRR__c":1176000.0,"AnnualRevenue":9.9213206E7,"LoginRate__c":75.0,"Products__c":"顧客管理;分析","SupportStart__c":"08:30:00.000Z","LastLoginAt__c":"2026-01-01T00:00:00.000+0000","RenewalDate__c":"2026-01-31","NumberOfEmployees":12,"HealthScore__c":87.5}}"#
    );
    let text = session.query(soql).text();
    assert!(text.contains(&record), "{text}");

    let plain = Session::start(Options { exponents: false, ..Options::default() }).await;
    plain.org.insert("Account", &fields(values)).unwrap();
    assert!(plain.query(soql).text().contains(r#""AnnualRevenue":99213206.0"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_29_eighteen_digits_stay_exact() {
    let session = Session::empty().await;
    let values = fields(json!({"Name": "桁", "MRR__c": "1234567890123456.78"}));
    session.org.insert("Account", &values).unwrap();
    let text = session.query("SELECT MRR__c FROM Account WHERE MRR__c = 1234567890123456.78").text();
    assert!(text.contains(r#""MRR__c":1.23456789012345678E15}"#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_30_an_address_has_all_its_keys_or_is_null() {
    let insert = json!({"Name": "住所", "BillingCity": "港区"});
    let session = Session::empty().await;
    session.org.insert("Account", &fields(insert.clone())).unwrap();
    let record = session.records("SELECT BillingAddress, ShippingAddress FROM Account").remove(0);
    let expected = json!({"city": "港区", "country": null, "geocodeAccuracy": null, "latitude": null, "longitude": null,
        "postalCode": null, "state": null, "street": null});
    assert_eq!(record["BillingAddress"], expected);
    assert!(record["ShippingAddress"].is_null());
    assert_eq!(session.query("SELECT Id FROM Account WHERE BillingAddress != null").code(), "INVALID_FIELD");

    let features = Features { state_and_country_codes: true, ..Features::default() };
    let coded = Session::start(Options { features, ..Options::default() }).await;
    coded.org.insert("Account", &fields(insert)).unwrap();
    let record = coded.records("SELECT BillingAddress FROM Account").remove(0);
    assert!(
        record["BillingAddress"].get("countryCode").is_some() && record["BillingAddress"].get("stateCode").is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_31_odd_texts_survive() {
    let session = Session::empty().await;
    for odd in
        ["引用\"符\"", "行1\n行2\r\n", "a,b;c\td", "😀年輪", "nul\u{0}!", "N/A", "null", "007", " 空白 ", "\\n", ""]
    {
        let id = session.account("名前");
        session.org.update("Account", &id, &fields(json!({ "Description": odd }))).unwrap();
        let found = session.column(&format!("SELECT Description FROM Account WHERE Id = '{id}'"), "Description");
        assert_eq!(found, [json!(odd)]);
    }
}
