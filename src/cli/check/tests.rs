use std::fs;
use std::path::Path;

use super::*;
use crate::config::{Connectors, Environment, Shipped};
use crate::connect::ReadMode;
use crate::record::{Cursor, Field, FieldClass, Page, Stream};

const CUSTOMER: &str = "\
apiVersion: nenrin/v1
kind: Entity
name: customer
variables:
  - { name: name, type: text }
  - { name: mrr, type: money }
";

const MAPPING: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: core
stream: customers
entity: customer
variables:
  name: 会社名
  mrr: 月額
";

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: file
path: data
streams:
  customers: { files: 'c_{yyyymm}.csv', key: [コード] }
";

/// A project of one source with one mapping; `files` are written over it.
fn project(dir: &Path, files: &[(&str, &str)]) -> std::result::Result<Project, Vec<Problem>> {
    let sound = [
        ("nenrin.yaml", "apiVersion: nenrin/v1\nkind: Project\n"),
        ("sources/core.yaml", SOURCE),
        ("mappings/core/customers.yaml", MAPPING),
    ];
    for (file, text) in sound.iter().chain(files) {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let shipped = Shipped {
        connectors: Connectors(crate::cli::shipped::connectors().0),
        entities: vec![("customer.yaml".to_owned(), CUSTOMER.to_owned())],
    };
    Project::load(dir, &Environment::default(), &shipped)
}

/// A source that offers these fields of `customers`, or refuses the credentials.
struct Offer(Result<&'static [&'static str]>);

#[async_trait]
impl Source for Offer {
    async fn check(&self) -> Vec<Finding> {
        let detail = self.0.as_ref().map_or_else(|error| error.render(), |_| "accepted".to_owned());
        vec![Finding { ok: self.0.is_ok(), what: "credentials".to_owned(), detail }]
    }

    fn streams(&self) -> Vec<String> {
        vec!["customers".to_owned()]
    }

    async fn describe(&self, name: &str) -> Result<Stream> {
        let names = self.0.as_ref().expect("asked only when the check passed");
        let field = |name: &&str| Field::plain(*name, "text", FieldClass::Business);
        let fields = names.iter().map(field).collect();
        let key = vec!["コード".to_owned()];
        Ok(Stream { name: name.to_owned(), label: None, key, stamp: None, fields, dated: true, tells_deletes: false })
    }

    async fn read_page(&self, _: &Stream, _: Option<&Cursor>, _: bool, _: ReadMode) -> Result<Page> {
        panic!("a check reads no records")
    }
}

async fn asked(project: &Project, offer: Offer) -> SourceReport {
    check_source(project, SourceId("core".to_owned()), Ok(Box::new(offer))).await
}

#[tokio::test]
async fn a_mapped_field_that_the_source_does_not_offer_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), &[]).unwrap();
    let report = asked(&project, Offer(Ok(&["コード", "会社名", "月額"]))).await;
    assert_eq!((report.problems, report.findings.len()), (vec![], 1));

    let report = asked(&project, Offer(Ok(&["コード", "会社名", "月額料金"]))).await;
    let places: Vec<String> = report.problems.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(places, ["mappings/core/customers.yaml:8:8"], "{:?}", report.problems);
    assert_eq!(report.problems[0].code, "M012");
}

#[tokio::test]
async fn a_stream_that_the_source_does_not_have_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let other = MAPPING.replace("stream: customers", "stream: customer");
    let project = project(dir.path(), &[("mappings/core/customer.yaml", &other)]).unwrap();
    let report = asked(&project, Offer(Ok(&["コード", "会社名", "月額"]))).await;
    assert_eq!(
        render(&report.problems, false),
        "mappings/core/customer.yaml:4:9  M106  source `core` has no stream `customer`
  stream: customer
          ^^^^^^^^  did you mean `customers`?
"
    );
}

#[tokio::test]
async fn refused_credentials_are_a_finding_and_nothing_more_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), &[]).unwrap();
    let report = asked(&project, Offer(Err(Error::new(ErrorKind::Auth, "the credential was refused")))).await;
    assert!(report.findings.iter().any(|finding| !finding.ok && finding.detail.contains("refused")));
    assert_eq!(report.problems, []);
}

#[tokio::test]
async fn sql_that_cannot_be_right_is_told_without_asking_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let mapping = MAPPING.replace("会社名", "lower(会社名").replace("月額", "sum(月額)");
    let derive = "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: x\ntype: money\nderive: mrrr * 2\n";
    let files = [("mappings/core/customers.yaml", mapping.as_str()), ("schemas/variables/x.yaml", derive)];
    let problems = mappings::offline(&project(dir.path(), &files).unwrap());
    let told: Vec<(&str, String)> = problems
        .iter()
        .map(|problem| (problem.code, problem.place.file.clone() + ":" + &problem.place.line.to_string()))
        .collect();
    let expected = [
        ("M012", "schemas/variables/x.yaml:6"),
        ("M001", "mappings/core/customers.yaml:7"),
        ("M021", "mappings/core/customers.yaml:8"),
    ];
    assert_eq!(told, expected.map(|(code, place)| (code, place.to_owned())), "{}", render(&problems, false));
}

#[tokio::test]
async fn a_lake_where_a_file_is_in_the_way_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), &[]).unwrap();
    assert_eq!(lake::check(&project), None);
    assert!(!dir.path().join("lake").exists(), "a check makes no lake");
    fs::write(dir.path().join("lake"), "").unwrap();
    let problem = lake::check(&project).unwrap();
    assert_eq!((problem.code, problem.message.ends_with("is a file, not a folder")), ("C070", true));
}

#[test]
fn the_summary_counts_what_is_to_be_mended() {
    assert_eq!(summary(0, 0), "all is well");
    assert_eq!(summary(0, 1), "all is well, with 1 warning");
    assert_eq!(summary(2, 1), "2 problems to mend, and 1 warning");
}

#[test]
fn the_mapping_templates_are_sound_with_every_line_that_they_propose() {
    for every_line in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        crate::cli::init::write(dir).unwrap();
        for source in ["hubspot", "kintone", "salesforce", "zoho"] {
            let file = dir.join(format!("sources/{source}.yaml"));
            fs::rename(file.with_extension("yaml.example"), file).unwrap();
            fs::create_dir_all(dir.join("mappings").join(source)).unwrap();
        }
        let templates = crate::guess::shipped_templates();
        for template in templates {
            let lines = template.text.lines().map(|line| match line.strip_prefix("  # ").filter(|_| every_line) {
                Some(proposed) if is_setting(proposed) => format!("  {proposed}\n"),
                _ => format!("{line}\n"),
            });
            fs::write(dir.join(template.file), lines.collect::<String>()).unwrap();
        }
        let names = [
            "HUBSPOT_TOKEN",
            "KINTONE_TOKEN_CUSTOMERS",
            "KINTONE_TOKEN_DEALS",
            "SALESFORCE_CLIENT_ID",
            "SALESFORCE_CLIENT_SECRET",
            "ZOHO_CLIENT_SECRET",
            "ZOHO_REFRESH_TOKEN",
        ];
        let env = Environment::of(names.map(|name| (name, "secret")));
        let project = Project::load(dir, &env, &crate::cli::shipped())
            .unwrap_or_else(|problems| panic!("\n{}", render(&problems, false)));
        let problems = mappings::offline(&project);
        assert!(problems.is_empty(), "{}", render(&problems, false));
        assert_eq!(project.mappings.len(), templates.len() + 1);
    }
}

/// Whether a comment is a line of YAML that waits to be used.
fn is_setting(comment: &str) -> bool {
    let key = comment.trim_start().split_once(':').map(|(key, _)| key);
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}
