//! How many lines of a draft are right as drafted.
//!
//! The drafts measured here are made *without* templates, from names, labels, types and values alone; what is right is
//! what the shipped template says, with its proposals, for the very fields of the simulated stream.

use nenrin::config::Environment;
use nenrin::config::Project;
use nenrin::connect::Few;
use nenrin::guess::{Draft, Input, Line, State, Template, draft, open_variables, shipped_templates};
use nenrin::map::Settings;
use nenrin::record::{Records, Stream, StreamId};
use serde_json::{Value, json};

use super::Bench;
use crate::contract::reader::Reader;

/// What is drafted of a stream.
struct Case {
    connector: &'static str,
    stream: Stream,
    records: Records,
    entity: &'static str,
}

/// Lines of a draft: how many there are, how many of them are right, and how many should be there.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Score {
    drafted: usize,
    right: usize,
    wanted: usize,
}

async fn cases(bench: &Bench) -> Vec<Case> {
    let (sf, kt, hs) = (bench.salesforce.credentials(), bench.kintone.credentials(), bench.hubspot.credentials());
    let salesforce = json!({
        "login_url": sf["login_url"],
        "auth": { "client_id": sf["client_id"], "client_secret": sf["client_secret"] },
        "streams": ["Account", "Contact", "Opportunity", "Contract"],
    });
    let kintone = json!({
        "base_url": kt["base_url"],
        "streams": [
            { "name": "顧客管理", "app": 1, "token": kt["api_tokens"]["1"], "tables": ["契約"] },
            { "name": "案件管理", "app": 2, "token": kt["api_tokens"]["2"] },
        ],
    });
    let hubspot = json!({
        "base_url": hs["base_url"],
        "token": hs["private_token"],
        "streams": ["companies", "contacts", "deals"],
    });
    let mut cases = Vec::new();
    for (connector, config, stream, entity) in [
        ("salesforce", &salesforce, "Account", "customer"),
        ("salesforce", &salesforce, "Contact", "contact"),
        ("salesforce", &salesforce, "Opportunity", "deal"),
        ("salesforce", &salesforce, "Contract", "contract"),
        ("kintone", &kintone, "顧客管理", "customer"),
        ("kintone", &kintone, "顧客管理.契約", "contract"),
        ("kintone", &kintone, "案件管理", "deal"),
        ("hubspot", &hubspot, "companies", "customer"),
        ("hubspot", &hubspot, "contacts", "contact"),
        ("hubspot", &hubspot, "deals", "deal"),
    ] {
        cases.push(case(connector, config, stream, entity).await);
    }
    cases
}

async fn case(connector: &'static str, config: &Value, name: &'static str, entity: &'static str) -> Case {
    let mut reader = Reader::new(connector, config.clone(), name);
    let source = reader.open().await;
    let stream = source.describe(name).await.unwrap();
    let records = source.sample(&stream, Few::First(50)).await.unwrap();
    Case { connector, stream, records, entity }
}

fn drafted(project: &Project, case: &Case, templates: &[Template], records: &Records) -> Draft {
    let variables = open_variables(project, case.entity);
    draft(&Input {
        stream: &case.stream,
        id: &StreamId::new(case.connector, &case.stream.name),
        entity: case.entity,
        variables: &variables,
        records,
        templates,
        neighbours: &[],
        settings: &Settings { timezone: chrono_tz(), ..Settings::default() },
    })
    .unwrap()
}

fn chrono_tz() -> chrono_tz::Tz {
    chrono_tz::Asia::Tokyo
}

/// The lines of the template for this stream.
fn wanted(project: &Project, case: &Case) -> Vec<Line> {
    let of_connector: Vec<Template> =
        shipped_templates().iter().filter(|template| template.connector == case.connector).copied().collect();
    let draft = drafted(project, case, &of_connector, &case.records);
    draft.lines.into_iter().filter(|line| line.is_of_template && line.state == State::Drafted).collect()
}

/// The same field, read the same way, and no entry of a picklist given another meaning.
fn is_right(line: &Line, template: &Line) -> bool {
    let meaning = |from: &String| template.values.iter().find(|value| value.from == *from).map(|value| &value.to);
    line.expression == template.expression
        && line.values.iter().all(|value| meaning(&value.from).is_none_or(|to| *to == value.to))
        && line.stream == template.stream
}

fn score(project: &Project, case: &Case, records: &Records, wrong: &mut Vec<String>) -> Score {
    let template = wanted(project, case);
    let draft = drafted(project, case, &[], records);
    let mut score = Score { wanted: template.len(), ..Score::default() };
    for line in draft.drafted() {
        score.drafted += 1;
        let of_template = template.iter().find(|wanted| wanted.variable == line.variable);
        if of_template.is_some_and(|wanted| is_right(line, wanted)) {
            score.right += 1;
        } else {
            let wanted = of_template.map_or("nothing", |wanted| wanted.expression.as_str());
            wrong.push(format!(
                "{}.{}: {} ({}: {}), not {wanted}",
                case.stream.name, line.variable, line.expression, line.confidence, line.reason
            ));
        }
    }
    for line in template.iter().filter(|line| !draft.drafted().any(|found| found.variable == line.variable)) {
        wrong.push(format!("{}.{}: nothing, not {}", case.stream.name, line.variable, line.expression));
    }
    score
}

fn built_in() -> Project {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("nenrin.yaml"), "apiVersion: nenrin/v1\nkind: Project\n").unwrap();
    Project::load(dir.path(), &Environment::default(), &nenrin::cli::shipped()).unwrap()
}

#[tokio::test]
async fn nine_of_ten_lines_are_right_as_drafted_on_standard_objects() {
    let bench = Bench::new().await;
    let project = built_in();
    for (how, with_records) in [("with 50 records", true), ("without records", false)] {
        let (mut total, mut report, mut wrong) = (Score::default(), String::new(), Vec::new());
        for case in cases(&bench).await {
            let none = Records::default();
            let score = score(&project, &case, if with_records { &case.records } else { &none }, &mut wrong);
            report.push_str(&format!("{}/{}: {score:?}\n", case.connector, case.stream.name));
            total.drafted += score.drafted;
            total.right += score.right;
            total.wanted += score.wanted;
        }
        let told = format!("{how}: {total:?}\n{report}{}", wrong.join("\n"));
        println!("{told}");
        assert!(total.wanted >= 50, "the templates say little: {told}");
        assert!(total.right * 100 >= total.drafted * 90, "of what is drafted, too much is wrong: {told}");
        assert!(total.right * 100 >= total.wanted * 90, "too much is not found: {told}");
    }
}
