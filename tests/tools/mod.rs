//! What a person connects a source with: `discover`, `guess`, `preview`, against the simulated systems.

mod guess_rate;
mod hubspot;
mod templates;
mod walk;
mod zoho;

use serde_json::{Value, json};
use simulators::{hubspot as portals, kintone, salesforce};

use crate::bad_input::TestProject;

const SALESFORCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: salesforce
login_url: ${env:SF_URL}
auth:
  client_id: ${env:SF_ID}
  client_secret: ${env:SF_SECRET}
streams: [Account, Contact, Opportunity, Contract]
";

const KINTONE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: kintone
base_url: ${env:KT_URL}
streams:
  - { name: 顧客管理, app: 1, token: '${env:KT_1}', tables: [契約] }
  - { name: 案件管理, app: 2, token: '${env:KT_2}' }
";

/// The systems, and a project that reads the first two.
pub(crate) struct Bench {
    pub(crate) salesforce: salesforce::Server,
    pub(crate) kintone: kintone::Server,
    pub(crate) hubspot: portals::Server,
    pub(crate) project: TestProject,
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        let at = "2026-10-31T15:00:00Z".parse().unwrap();
        let options = salesforce::Options { at, records: 60, ..salesforce::Options::default() };
        let salesforce = salesforce::Server::start(options).await.unwrap();
        let options = kintone::Options { at, records: 60, deals: 40, ..kintone::Options::default() };
        let kintone = kintone::Server::start(options).await.unwrap();
        let options = portals::Options { at, records: 60, contacts: 60, deals: 60, ..portals::Options::default() };
        let hubspot = portals::Server::start(options).await.unwrap();
        let (sf, kt) = (salesforce.credentials(), kintone.credentials());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let project = TestProject::new(&[("sources/salesforce.yaml", SALESFORCE), ("sources/kintone.yaml", KINTONE)])
            .with_var("SF_URL", &text(&sf["login_url"]))
            .with_var("SF_ID", &text(&sf["client_id"]))
            .with_var("SF_SECRET", &text(&sf["client_secret"]))
            .with_var("SF_REFRESH", &text(&sf["refresh_token"]))
            .with_var("KT_URL", &text(&kt["base_url"]))
            .with_var("KT_1", &text(&kt["api_tokens"]["1"]))
            .with_var("KT_2", &text(&kt["api_tokens"]["2"]))
            .with_var("KT_USER", &text(&kt["admin_login"]))
            .with_var("KT_PASSWORD", &text(&kt["admin_password"]))
            .showing(text(&sf["login_url"]), "[login]")
            .showing(salesforce.base_url(), "[org]")
            .showing(kintone.base_url(), "[domain]");
        let org = salesforce.org();
        let account = org.truth("Account").unwrap()[0]["Id"].clone();
        let insert = |object: &str, fields: Value| org.insert(object, fields.as_object().unwrap()).unwrap();
        for (family, given, mail) in
            [("田中", "直樹", "tanaka@c1.example.co.jp"), ("森", "千尋", "mori@c1.example.co.jp")]
        {
            insert(
                "Contact",
                json!({ "AccountId": account, "LastName": family, "FirstName": given, "Email": mail,
                        "Phone": "03-1234-5678", "Department": "情報システム部", "Title": "部長", "Role__c": "決裁者" }),
            );
        }
        for (stage, kind) in [("見込み", "New Customer"), ("Closed Won", "サブスク更新")] {
            insert(
                "Opportunity",
                json!({ "AccountId": account, "Name": "アクメ 2027 年度", "StageName": stage, "Type": kind,
                        "Amount": 1_200_000, "Probability": 40, "CloseDate": "2027-03-31" }),
            );
        }
        insert(
            "Contract",
            json!({ "AccountId": account, "Status": "Draft", "StartDate": "2026-04-01", "EndDate": "2027-03-31",
                    "ContractTerm": 12, "MRR__c": 100_000, "Plan__c": "スタンダード" }),
        );
        org.advance(3_600);
        Bench { salesforce, kintone, hubspot, project }
    }
}
