//! From a source that nobody knows to a mapping that passes: discover, guess, preview, check.

use serde_json::Value;

use super::Bench;
use crate::bad_input::Ran;

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()))
}

#[tokio::test]
async fn every_draft_passes_check_and_previews_as_it_is_written() {
    let bench = Bench::new().await;
    let streams = [
        ("salesforce", vec!["Account", "Contact", "Opportunity", "Contract"]),
        ("kintone", vec!["顧客管理", "顧客管理.契約", "案件管理"]),
    ];
    for (source, streams) in &streams {
        for stream in streams {
            let ran = bench.project.nenrin(&["guess", source, stream, "--write"]).await;
            assert_eq!(ran.code, Some(0), "{}", ran.all());
            assert!(ran.stderr.contains(&format!("wrote mappings/{source}/{stream}.yaml")), "{}", ran.all());
        }
    }
    let checked = bench.project.nenrin(&["check"]).await;
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), "all is well\n"), "{}", checked.all());
    for (source, streams) in &streams {
        for stream in streams {
            let ran = bench.project.nenrin(&["preview", source, stream, "-o", "json", "--limit", "20"]).await;
            let preview = json_of(&ran);
            let records = preview["previews"][0]["records"].as_array().unwrap();
            assert!(!records.is_empty(), "{source}/{stream}");
            let held: Vec<String> = records
                .iter()
                .flat_map(|record| record["variables"].as_object().unwrap())
                .filter(|(_, variable)| !variable["held"].is_null())
                .map(|(name, variable)| format!("{name}: {}", variable["held"]["reason"]))
                .collect();
            // Stages 未処理 and 商談中 are open questions of the draft; all else converts.
            assert!(held.iter().all(|held| held.starts_with("stage: ")), "{source}/{stream}: {held:?}");
        }
    }
    // Nothing was read: no run, no log, and the database holds no more than what it is made with.
    assert!(
        !bench.project.path("lake").exists() || bench.project.log("salesforce/Account", &["Name"]).await.is_empty()
    );
    assert_eq!(bench.project.published().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_draft_is_not_written_over_a_mapping() {
    let bench = Bench::new().await;
    bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    bench.project.edit("mappings/salesforce/Contact.yaml", "email: Email", "email: lower(Email)");
    let ran = bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    insta::assert_snapshot!(ran.all(), @"");
    let kept = std::fs::read_to_string(bench.project.path("mappings/salesforce/Contact.yaml")).unwrap();
    assert!(kept.contains("lower(Email)"));
    let ran = bench.project.nenrin(&["guess", "salesforce", "Contact", "--write", "--force"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let now = std::fs::read_to_string(bench.project.path("mappings/salesforce/Contact.yaml")).unwrap();
    assert!(!now.contains("lower(Email)"));
}

#[tokio::test]
async fn a_preview_lays_what_was_sent_beside_what_became_of_it() {
    let bench = Bench::new().await;
    bench.project.write(
        "mappings/salesforce/Contact.yaml",
        "apiVersion: nenrin/v1\nkind: Mapping\nsource: salesforce\nstream: Contact\nentity: contact\nvariables:\n  \
         name: concat(LastName, ' ', FirstName)\n  email: Phone\n  title: Title\nwhere: LastName <> '森'\n",
    );
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    insta::assert_snapshot!(ran.all(), @"");
    let key = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "-o", "json"]).await)["previews"][0]
        ["records"][1]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = bench.project.nenrin(&["preview", "salesforce", "Contact", "--key", &key, "-o", "jsonl"]).await;
    assert!(one.stdout.lines().count() == 3 && one.stdout.contains(r#""in_scope":false"#), "{}", one.all());
    let none = bench.project.nenrin(&["preview", "salesforce", "Contact", "--key", "nobody"]).await;
    insta::assert_snapshot!(none.all(), @"");
    // What was synced looks the same as what is there now, and nobody is asked for it.
    bench.project.nenrin(&["sync", "salesforce", "--stream", "Contact"]).await;
    let live = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "-o", "json"]).await);
    let calls = bench.salesforce.org().calls().len();
    let stored = json_of(&bench.project.nenrin(&["preview", "salesforce", "Contact", "--stored", "-o", "json"]).await);
    assert_eq!(bench.salesforce.org().calls().len(), calls);
    let variables = |view: &Value| {
        let records = view["previews"][0]["records"].as_array().unwrap().clone();
        records.iter().map(|record| (record["key"].clone(), record["variables"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(variables(&stored), variables(&live));
}

#[tokio::test]
async fn a_refresh_token_that_is_rotated_while_looking_is_kept() {
    let bench = Bench::new().await;
    let secret = "  client_secret: ${env:SF_SECRET}\n";
    bench.project.edit("sources/salesforce.yaml", secret, &format!("{secret}  refresh_token: ${{env:SF_REFRESH}}\n"));
    bench.salesforce.org().set_rotation(true);
    for args in [&["discover", "salesforce", "Contact"][..], &["guess", "salesforce", "Contact", "--write"]] {
        let ran = bench.project.nenrin(args).await;
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[tokio::test]
async fn discover_lists_streams_and_shows_values_only_when_asked() {
    let bench = Bench::new().await;
    let ran = bench.project.nenrin(&["discover"]).await;
    insta::assert_snapshot!(ran.all(), @"");
    let plain = bench.project.nenrin(&["discover", "salesforce", "Contact", "-o", "json"]).await;
    assert!(!plain.stdout.contains("田中"), "{}", plain.all());
    let calls = bench.salesforce.org().calls();
    assert!(!calls.iter().any(|call| call.path.contains("/query")), "no record was asked for");
    let shown = bench.project.nenrin(&["-vv", "discover", "salesforce", "Contact", "--samples=2", "-o", "json"]).await;
    let fields = json_of(&shown)["sources"][0]["streams"][0]["fields"].clone();
    let name = fields.as_array().unwrap().iter().find(|field| field["field"] == "LastName").unwrap();
    assert_eq!(name["samples"], serde_json::json!(["田中", "森"]));
    assert!(!shown.stderr.contains("田中"), "values are not logged: {}", shown.stderr);
    // An object that is not read can be looked at all the same.
    let user = bench.project.nenrin(&["discover", "salesforce", "User", "-o", "csv"]).await;
    assert!(
        user.code == Some(0) && user.stdout.contains("salesforce,User,IsActive,有効,boolean,business"),
        "{}",
        user.all()
    );
    // A user lists all apps, a token its own.
    let source = "apiVersion: nenrin/v1\nkind: Source\nconnector: kintone\nbase_url: ${env:KT_URL}\n\
                  login: { user: '${env:KT_USER}', password: '${env:KT_PASSWORD}' }\nstreams: [{ name: 顧客管理, app: 1 }]\n";
    bench.project.write("sources/kintone.yaml", source);
    let listed = json_of(&bench.project.nenrin(&["discover", "kintone", "-o", "json"]).await);
    let others = &listed["sources"][0]["not_read"];
    assert_eq!(
        (others[0]["stream"].as_str(), others[1]["stream"].as_str()),
        (Some("顧客管理.契約"), Some("2")),
        "{others}"
    );
    let app = json_of(&bench.project.nenrin(&["discover", "kintone", "2", "--samples", "-o", "json"]).await);
    assert!(app["sources"][0]["streams"][0]["fields"].as_array().unwrap().len() > 20);
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_was_meant() {
    let bench = Bench::new().await;
    let mut told = String::new();
    for args in [
        &["discover", "salesfroce"][..],
        &["discover", "salesforce", "Acount"],
        &["guess", "salesforce"],
        &["guess", "salesforce", "Contacts"],
        &["guess", "salesforce", "Contact", "--entity", "contcat"],
        &["preview", "kintone", "顧客管理"],
        &["preview", "salesforce", "Contact", "--stored"],
    ] {
        told.push_str(&format!("$ nenrin {}\n{}\n", args.join(" "), bench.project.nenrin(args).await.all()));
    }
    insta::assert_snapshot!(told, @"");
}

#[tokio::test]
async fn a_mapping_with_a_mistake_is_told_before_any_record_is_read() {
    let bench = Bench::new().await;
    bench.project.nenrin(&["guess", "salesforce", "Contact", "--write"]).await;
    bench.project.edit("mappings/salesforce/Contact.yaml", "title: Title", "title: Titel");
    let ran = bench.project.nenrin(&["preview", "salesforce", "Contact"]).await;
    insta::assert_snapshot!(ran.all(), @"");
}
