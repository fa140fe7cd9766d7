//! A HubSpot account that nobody knows: what is drafted of it.

use serde_json::Value;
use simulators::hubspot::{Options, Server};

use crate::bad_input::TestProject;

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: hubspot
base_url: ${env:HS_URL}
token: ${env:HS_TOKEN}
streams: [companies, contacts, { name: deals, history: [amount] }]
";

#[tokio::test]
async fn a_deal_is_its_primary_companys_stages_are_known_by_label_and_instants_become_days() {
    let server = Server::start(Options { records: 60, contacts: 60, deals: 60, ..Options::default() }).await.unwrap();
    let credentials = server.credentials();
    let project = TestProject::new(&[("sources/hubspot.yaml", SOURCE)])
        .with_var("HS_URL", credentials["base_url"].as_str().unwrap())
        .with_var("HS_TOKEN", credentials["private_token"].as_str().unwrap());
    for stream in ["companies", "contacts", "deals"] {
        let ran = project.nenrin(&["guess", "hubspot", stream, "--write"]).await;
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let checked = project.nenrin(&["check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.all());
    let ran = project.nenrin(&["preview", "hubspot", "deals", "-o", "json", "--limit", "20"]).await;
    let preview: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    let portal = server.portal();
    for record in preview["previews"][0]["records"].as_array().unwrap() {
        let variables = record["variables"].as_object().unwrap();
        let id = record["key"].as_str().unwrap().parse().unwrap();
        let company = portal.associations(("deals", id), "companies").unwrap().first().map(|link| link.to.to_string());
        assert_eq!(variables["customer"]["value"].as_str(), company.as_deref(), "{variables:?}");
        assert!(variables["close_date"]["held"].is_null(), "{variables:?}");
    }
    let drafted = std::fs::read_to_string(project.path("mappings/hubspot/deals.yaml")).unwrap();
    // The numbers of the renewal pipeline's stages mean what people see of them.
    assert!(drafted.contains("98303: won") || drafted.contains("'98303': won"), "{drafted}");
}
