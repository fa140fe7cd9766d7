//! A Zoho CRM org that nobody has drafted yet: what is drafted of it, by the templates.

use serde_json::Value;
use simulators::zoho::{Options, Server};

use crate::bad_input::TestProject;

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: zoho
accounts_url: ${env:ZOHO_ACCOUNTS}
auth:
  client_id: ${env:ZOHO_CLIENT_ID}
  client_secret: ${env:ZOHO_SECRET}
  refresh_token: ${env:ZOHO_TOKEN}
streams: [Accounts, Contacts, { name: Deals, stage_history: true }]
";

/// A project that reads `server`.
fn connected(server: &Server) -> TestProject {
    let credentials = server.credentials();
    let mut project = TestProject::new(&[("sources/zoho.yaml", SOURCE)]);
    for (name, credential) in [
        ("ZOHO_ACCOUNTS", "accounts_url"),
        ("ZOHO_CLIENT_ID", "client_id"),
        ("ZOHO_SECRET", "client_secret"),
        ("ZOHO_TOKEN", "refresh_token"),
    ] {
        project = project.with_var(name, credentials[credential].as_str().unwrap());
    }
    project
}

#[tokio::test]
async fn a_subscription_that_is_renewed_is_drafted_as_a_renewal() {
    let options = Options { records: 40, contacts: 40, deals: 120, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let project = connected(&server);
    for stream in ["Accounts", "Contacts", "Deals"] {
        let ran = project.nenrin(&["guess", "zoho", stream, "--write"]).await;
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let accounts = std::fs::read_to_string(project.path("mappings/zoho/Accounts.yaml")).unwrap();
    for line in ["  mrr: MRR", "  renewal_date: Renewal_Date", "  customer_code: Account_Number"] {
        assert!(accounts.lines().any(|drafted| drafted.starts_with(line)), "{line} in {accounts}");
    }
    let checked = project.nenrin(&["check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.all());
    let ran = project.nenrin(&["preview", "zoho", "Deals", "-o", "json", "--limit", "60"]).await;
    let preview: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    let records = preview["previews"][0]["records"].as_array().unwrap();
    let types: Vec<&str> = records.iter().filter_map(|record| record["variables"]["type"]["value"].as_str()).collect();
    assert!(types.contains(&"renewal") && types.contains(&"new"), "{types:?}");
}

/// The project with all templates as they stand, and the variable that their page shows.
fn with_templates(project: TestProject) -> TestProject {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/zoho");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for name in ["Accounts.yaml", "Contacts.yaml", "Deals.yaml"] {
        project.write(&format!("mappings/zoho/{name}"), text(name));
    }
    let page = text("README.md");
    let variable = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    project.write("schemas/variables/renewal_kind.yaml", variable);
    project
}

#[tokio::test]
async fn every_template_passes_check_as_it_stands_with_a_custom_variable_beside_it() {
    let server = Server::start(Options { records: 10, deals: 30, ..Options::default() }).await.unwrap();
    let project = with_templates(connected(&server));
    let ran = project.nenrin(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stderr.ends_with("all is well\n"), "{}", ran.all());
}
