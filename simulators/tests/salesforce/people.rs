//! Line 14: orgs where people are accounts, and orgs with several currencies.

use serde_json::{Value, json};
use simulators::salesforce::{Features, FieldSpec, FieldType, Options};

use crate::client::{Session, fields};

async fn with_people() -> Session {
    let features = Features { person_accounts: true, ..Features::default() };
    Session::start(Options { features, ..Options::default() }).await
}

fn accounts(session: &Session) -> Vec<Value> {
    let soql = "SELECT Id, Name, IsPersonAccount, PersonContactId, LastName, FirstName, PersonEmail, PersonMailingCity, \
                Role__pc, SystemModstamp, MasterRecordId, IsDeleted FROM Account ORDER BY Id";
    session.drain(session.query_all(soql))
}

fn contacts(session: &Session) -> Vec<Value> {
    let soql = "SELECT Id, Name, AccountId, IsPersonAccount, LastName, Email, MailingCity, Role__c, SystemModstamp, \
                MasterRecordId, IsDeleted FROM Contact ORDER BY Id";
    session.drain(session.query_all(soql))
}

fn person(session: &Session, family: &str, given: &str) -> String {
    let values =
        json!({"LastName": family, "FirstName": given, "PersonEmail": "a@example.co.jp", "PersonMailingCity": "港区"});
    session.org.insert("Account", &fields(values)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_a_person_is_an_account_and_a_contact() {
    let session = with_people().await;
    let company = session.account("会社");
    let id = person(&session, "山田", "花子");
    let (account, contact) = (accounts(&session).remove(1), contacts(&session).remove(0));
    assert_eq!((&account["Name"], &account["IsPersonAccount"]), (&json!("山田 花子"), &json!(true)));
    assert_eq!((&account["PersonContactId"], &contact["AccountId"]), (&contact["Id"], &json!(id)));
    assert_eq!((&contact["Name"], &contact["IsPersonAccount"]), (&json!("山田 花子"), &json!(true)));
    assert_eq!((&contact["Email"], &contact["MailingCity"]), (&json!("a@example.co.jp"), &json!("港区")));
    assert_eq!(
        (accounts(&session)[0]["Id"].clone(), accounts(&session)[0]["IsPersonAccount"].clone()),
        (json!(company), json!(false))
    );

    session.org.advance(60);
    session.org.update("Account", &id, &fields(json!({"LastName": "佐藤", "Role__pc": "窓口"}))).unwrap();
    let (account, contact) = (accounts(&session).remove(1), contacts(&session).remove(0));
    assert_eq!(
        (&account["Name"], &contact["Name"], &contact["Role__c"]),
        (&json!("佐藤 花子"), &json!("佐藤 花子"), &json!("窓口"))
    );
    assert_eq!(account["SystemModstamp"], contact["SystemModstamp"]);
    let shadow = contact["Id"].as_str().unwrap();
    session.org.update("Contact", shadow, &fields(json!({"Email": "b@example.co.jp"}))).unwrap();
    assert_eq!(accounts(&session)[1]["PersonEmail"], "b@example.co.jp");
    session.org.add_field("Contact", FieldSpec::new("Hobby__c", "趣味", FieldType::String)).unwrap();
    session.org.update("Account", &id, &fields(json!({"Hobby__pc": "山"}))).unwrap();
    assert_eq!(session.column("SELECT Hobby__c FROM Contact", "Hobby__c"), [json!("山")]);

    assert_eq!(session.org.delete("Contact", shadow).unwrap_err().code, "INVALID_OPERATION");
    session.org.delete("Account", &id).unwrap();
    assert_eq!(
        (&accounts(&session)[1]["IsDeleted"], &contacts(&session)[0]["IsDeleted"]),
        (&json!(true), &json!(true))
    );
    session.org.undelete("Account", &id).unwrap();
    assert_eq!(contacts(&session)[0]["IsDeleted"], false);
    session.org.delete("Account", &id).unwrap();
    session.org.purge("Account").unwrap();
    assert!(contacts(&session).is_empty());
    let plain = session.org.insert("Account", &fields(json!({"FirstName": "名だけ"}))).unwrap_err();
    assert_eq!(plain.code, "REQUIRED_FIELD_MISSING");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_contacts_of_merged_people_merge_too() {
    let session = with_people().await;
    let [winner, loser] = [person(&session, "勝", "一"), person(&session, "負", "二")];
    session.org.merge("Account", &winner, &[&loser]).unwrap();
    let (accounts, contacts) = (accounts(&session), contacts(&session));
    assert_eq!((&accounts[1]["MasterRecordId"], &accounts[1]["IsDeleted"]), (&json!(winner), &json!(true)));
    assert_eq!((&contacts[1]["MasterRecordId"], &contacts[1]["IsDeleted"]), (&contacts[0]["Id"], &json!(true)));
    assert_eq!((&contacts[0]["AccountId"], &contacts[1]["AccountId"]), (&json!(winner), &json!(loser)));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_amounts_may_be_in_other_currencies() {
    let features = Features { multi_currency: true, ..Features::default() };
    let options = Options { features, records: 400, foreign_percent: 30, ..Options::default() };
    let session = Session::start(options).await;
    let count = |code: &str| {
        let soql = format!("SELECT COUNT() FROM Account WHERE CurrencyIsoCode = '{code}'");
        session.query(&soql).json()["totalSize"].as_u64().unwrap()
    };
    let (yen, dollars, euros) = (count("JPY"), count("USD"), count("EUR"));
    assert!(yen > 200 && dollars > 20 && euros > 20 && yen + dollars + euros == 400, "{yen} {dollars} {euros}");
    let deal = |values: Value| session.org.insert("Opportunity", &fields(values)).unwrap();
    let base = json!({"Name": "更新", "StageName": "提案", "CloseDate": "2026-12-31", "Amount": 100});
    let mut foreign = base.clone();
    foreign["CurrencyIsoCode"] = json!("USD");
    let _ = (deal(base), deal(foreign));
    for object in ["Opportunity", "OpportunityHistory"] {
        let codes = session.column(&format!("SELECT CurrencyIsoCode FROM {object} ORDER BY Id"), "CurrencyIsoCode");
        assert_eq!(codes, [json!("JPY"), json!("USD")], "{object}");
    }
    let rates = session.records("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType ORDER BY IsoCode");
    assert_eq!((rates.len(), &rates[1]["ConversionRate"]), (3, &json!(1.0)));
    let rate =
        json!({"IsoCode": "USD", "StartDate": "2026-10-01", "NextStartDate": "2026-11-01", "ConversionRate": "0.0065"});
    session.org.insert("DatedConversionRate", &fields(rate)).unwrap();
    assert_eq!(session.records("SELECT Id FROM DatedConversionRate").len(), 1);
    let plain = Session::empty().await;
    assert_eq!(plain.query("SELECT Id FROM DatedConversionRate").code(), "INVALID_TYPE");
}
