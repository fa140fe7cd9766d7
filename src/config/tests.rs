//! Whole projects, and the words in which their problems are told.

use std::fs;

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::schema::VariableType;

const CUSTOMER: &str = "\
apiVersion: nenrin/v1
kind: Entity
name: customer
label: { ja: 顧客, en: Customer }
variables:
  - { name: name, type: text }
  - { name: corporate_number, type: corporate_number }
  - { name: email, type: email }
  - { name: mrr, type: money }
  - { name: stage, type: enum, values: [onboarding, adoption, expansion] }
";

const CONTRACT: &str = "\
apiVersion: nenrin/v1
kind: Entity
name: contract
variables:
  - { name: customer, type: ref, entity: customer }
  - { name: mrr, type: money }
";

const SETTINGS: &str = "apiVersion: nenrin/v1\nkind: Project\n";

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: desk
url: https://desk.example
api_key: ${env:DESK_KEY}
";

const MAPPING: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: desk
stream: accounts
entity: customer
variables:
  name: Name
  stage:
    from: Stage
    values: { 導入: onboarding }
    on_error: null
";

/// The settings of a connector that exists only here.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct DeskConfig {
    /// Where the desk is.
    url: String,
    /// Its key.
    api_key: String,
    /// Records asked for per page, from 1 to 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<u32>,
    /// Labels to read.
    #[serde(default)]
    labels: Vec<String>,
}

/// A sound project, to be spoiled in one point per test.
struct Files {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
    flags: Vec<(String, String)>,
}

impl Files {
    fn new() -> Self {
        let files = Files {
            dir: tempfile::tempdir().unwrap(),
            env: vec![("DESK_KEY".into(), "hunter2".into()), ("HOME".into(), "/root".into())],
            flags: Vec::new(),
        };
        files
            .with("nenrin.yaml", SETTINGS)
            .with("sources/desk.yaml", SOURCE)
            .with("mappings/desk/accounts.yaml", MAPPING)
    }

    fn with(self, file: &str, text: &str) -> Self {
        let path = self.dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A file with `from` replaced by `to`.
    fn spoiled(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.dir.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        self.with(file, &text.replace(from, to))
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.into(), value.into()));
        self
    }

    fn load(&self) -> Result<Project, Vec<Problem>> {
        let shipped = Shipped {
            connectors: Connectors::default().with::<DeskConfig>("desk"),
            entities: vec![
                ("built-in customer.yaml".into(), CUSTOMER.into()),
                ("built-in contract.yaml".into(), CONTRACT.into()),
            ],
        };
        let environment = Environment::of(self.env.clone()).with_flags(self.flags.clone());
        Project::load(self.dir.path(), &environment, &shipped)
    }

    /// What a person reads about a project that does not load.
    fn told(&self) -> String {
        match self.load() {
            Ok(project) => panic!("the project is sound: {project:?}"),
            Err(problems) => render(&problems, false),
        }
    }
}

#[track_caller]
fn assert_told(files: &Files, expected: &str) {
    let told = files.told();
    assert_eq!(told.trim_end(), expected.trim_matches('\n'), "\n--- told\n{told}---");
}

#[test]
fn a_sound_project_loads_with_defaults_and_resolved_secrets() {
    let project = Files::new().load().unwrap();
    assert_eq!(project.warnings, []);
    assert_eq!(project.settings.timezone, chrono_tz::Asia::Tokyo);
    assert_eq!(project.settings.sync.batch_records, 50_000);
    assert_eq!(project.settings.lake.folder.as_deref(), Some(project.root.join("lake").as_path()));
    let database = format!("sqlite://{}", project.root.join("nenrin.db").display());
    assert_eq!(project.settings.database_url.expose(), database);
    let source = &project.source("desk").unwrap().value;
    assert_eq!(source.settings.expose(), &serde_json::json!({"url": "https://desk.example", "api_key": "hunter2"}));
    assert!(!format!("{project:?}").contains("hunter2"), "a secret shows in debug output");
    let stage = &project.mappings[0].value.variables["stage"];
    let crate::map::VariableMapping::Full(stage) = stage else { panic!("{stage:?}") };
    assert_eq!(stage.on_error, crate::schema::model::OnError::Null);
}

#[test]
fn an_unknown_key_is_told_with_the_key_that_was_meant() {
    let files = Files::new().spoiled("sources/desk.yaml", "api_key:", "api_kye:");
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_wrong_type_is_told_with_what_is_expected() {
    let files = Files::new()
        .with("nenrin.yaml", "apiVersion: nenrin/v1\nkind: Project\nsync:\n  batch_records: many\nfiscal: 4\n")
        .spoiled("mappings/desk/accounts.yaml", "name: Name", "name: 007")
        .spoiled("sources/desk.yaml", "api_key", "page_size: 500\nlabels: vip\napi_key");
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_missing_secret_is_told_at_its_reference_and_an_invalid_one_is_never_shown() {
    let mut files = Files::new().spoiled("sources/desk.yaml", "api_key: ${env:DESK_KEY}", "api_key: ${file:keys/desk}");
    files.env.clear();
    assert_told(
        &files, "
",
    );
    let files = files.spoiled("sources/desk.yaml", "${file:keys/desk}", "${env:DESK_KEY}");
    assert_told(
        &files, "
",
    );
    let files = files.spoiled("sources/desk.yaml", "${env:DESK_KEY}", "4711");
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_literal_secret_is_a_warning_that_does_not_show_it() {
    let project = Files::new().spoiled("sources/desk.yaml", "${env:DESK_KEY}", "hunter2").load().unwrap();
    assert_eq!(
        render(&project.warnings, false).trim_end(),
        "
"
        .trim_matches('\n')
    );
}

#[test]
fn several_problems_in_several_files_are_told_at_once() {
    let files = Files::new()
        .with("nenrin.yaml", "apiVersion: nenrin/v1\nkind: Project\ntimezone: Asia/Tokio\nclosing_day: 32\n")
        .spoiled("sources/desk.yaml", "connector: desk", "connector: dsk")
        .spoiled("mappings/desk/accounts.yaml", "on_error: null", "on_error: skip")
        .with("identity.yaml", "apiVersion: nenrin/v1\nkind: Identity\nrules:\n  - match: corporate_numbr\n  - { match: name, adn: email }\npriority: [dsk]\n")
        .with("schemas/variables/nps.yaml", "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: nps\n");
    assert_told(
        &files, "
",
    );
}

#[test]
fn japanese_before_the_caret_takes_two_columns_a_character() {
    let files = Files::new().spoiled(
        "mappings/desk/accounts.yaml",
        "values: { 導入: onboarding }",
        "values: { 導入期間中: onboarding, 利用: 7 }",
    );
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_duplicate_key_is_told_with_its_first_line() {
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "  name: Name", "  name: Name\n  name: Name2");
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_syntax_error_a_tab_and_an_empty_file_are_told_with_their_places() {
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "name: Name", "name: lower(a: b)");
    assert_told(
        &files, "
",
    );
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "  name: Name", "\tname: Name");
    assert_told(
        &files, "
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "# later\n");
    assert_told(
        &files, "
",
    );
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "name: Name", "name: 'Name");
    assert_told(
        &files, "
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "a: &x 1\nb: *x\nc: !!str 1\n---\nd: 1\n");
    assert_told(
        &files, "
",
    );
}

#[test]
fn a_file_of_another_kind_is_told_once() {
    let files = Files::new().with("mappings/desk/nps.yaml", "apiVersion: nenrin/v1\nkind: Variable\nname: nps\n");
    assert_told(
        &files, "
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "apiversion: nenrin/v2\nkind: Mappings\n");
    assert_told(
        &files, "
",
    );
}

#[test]
fn names_that_do_not_exist_are_told_with_the_names_that_were_meant() {
    let files = Files::new()
        .spoiled("mappings/desk/accounts.yaml", "  name: Name", "  emial: Mail\n  phone: Tel")
        .with(
            "mappings/desk/contracts.yaml",
            "apiVersion: nenrin/v1\nkind: Mapping\nsource: dask\nstream: contracts\nentity: contrakt\nvariables: {}\n",
        )
        .with(
            "mappings/desk/accounts.2.yaml",
            "apiVersion: nenrin/v1\nkind: Mapping\nsource: desk\nstream: accounts\nentity: customer\nvariables: {}\n",
        )
        .with(
            "schemas/variables/nps.yaml",
            "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: nps\ntype: integer\nfrom:\n  - { source: desk, stream: account, expr: NPS }\n  - { source: deskk, stream: accounts, expr: NPS }\n",
        )
        .with(
            "schemas/variables/email.yaml",
            "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: email\ntype: ref\n",
        )
        .with(
            "schemas/variables/both.yaml",
            "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: Both\ntype: integer\nderive: mrr\nfrom: [{ source: desk, stream: accounts, expr: NPS }]\n",
        )
        .with(
            "identity.yaml",
            "apiVersion: nenrin/v1\nkind: Identity\nrules:\n  - { match: external_id, variable: crm_id, stream: crm }\n  - { match: name, and: emal }\nvariable_priority:\n  mmr: [desk]\nmerge: [[desk/accounts#1, desk/accounts]]\n",
        );
    assert_told(
        &files, "
",
    );
}

#[test]
fn environment_and_flags_go_before_the_file_and_are_checked_like_it() {
    let mut files = Files::new()
        .with("nenrin.yaml", "apiVersion: nenrin/v1\nkind: Project\nsync: { batch_secs: 5, batch_records: 7 }\n")
        .env("NENRIN_SYNC__BATCH_SECS", "6")
        .env("NENRIN_FISCAL__START_MONTH", "10")
        .env("NENRIN_LAKE__URL", "s3://bucket/lake")
        .env("NENRIN_PROJECT", "/elsewhere");
    files.flags = vec![("fiscal.start_month".into(), "1".into())];
    let settings = files.load().unwrap().settings;
    assert_eq!((settings.sync.batch_secs, settings.sync.batch_records), (6, 7));
    assert_eq!(settings.fiscal.start_month, 1);
    assert_eq!((settings.lake.url.as_str(), settings.lake.folder), ("s3://bucket/lake/", None));

    files.flags = vec![("sync.batch_sces".into(), "1".into()), ("timezone".into(), "Tokyo".into())];
    let files = files.env("NENRIN_FISCAL__START_MONTH", "spring").env("NENRIN_DESK_KEY", "x");
    assert_told(
        &files, "
",
    );
}

#[test]
fn the_project_extends_entities_and_custom_variables_come_last_by_name() {
    let variable = |name: &str| {
        format!("apiVersion: nenrin/v1\nkind: Variable\nentity: customer\nname: {name}\ntype: decimal\nderive: mrr\n")
    };
    let project = Files::new()
        .with(
            "schemas/entities/customer.yaml",
            "apiVersion: nenrin/v1\nkind: Entity\nname: customer\nvariables:\n  - { name: mrr, type: decimal }\n  - { name: region, type: text }\n",
        )
        .with(
            "schemas/entities/store.yaml",
            "apiVersion: nenrin/v1\nkind: Entity\nname: store\nvariables:\n  - { name: customer, type: ref, entity: customer }\n",
        )
        .with("schemas/variables/b.yaml", &variable("beta"))
        .with("schemas/variables/c.yaml", &variable("alpha"))
        .load()
        .unwrap();
    let variables = project.entity_variables("customer");
    let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["name", "corporate_number", "email", "mrr", "stage", "region", "alpha", "beta"]);
    assert_eq!(variables[3].r#type, VariableType::Decimal);
    assert_eq!(project.entity("customer").unwrap().label.ja.as_deref(), Some("顧客"));
    assert!(project.entity("store").is_some());
    assert!(project.entity_variables("nothing").is_empty());
}

#[test]
fn a_password_in_the_database_url_is_a_warning_and_a_reference_is_not() {
    let text = "apiVersion: nenrin/v1\nkind: Project\ndatabase: { url: 'postgres://n:geheim@db/n' }\n";
    let project = Files::new().with("nenrin.yaml", text).load().unwrap();
    assert_eq!(
        render(&project.warnings, false).trim_end(),
        "
"
        .trim_matches('\n')
    );
    let text = "apiVersion: nenrin/v1\nkind: Project\ndatabase: { url: 'postgres://n:${env:PW}@db/n' }\n";
    let project = Files::new().with("nenrin.yaml", text).env("PW", "geheim").load().unwrap();
    assert_eq!(project.warnings, []);
    assert_eq!(project.settings.database_url.expose(), "postgres://n:geheim@db/n");
}

#[test]
fn a_misplaced_mapping_is_a_warning() {
    let project = Files::new().with("mappings/other/konto.yaml", &MAPPING.replace("accounts", "Konto")).load().unwrap();
    assert_eq!(
        render(&project.warnings, false).trim_end(),
        "
"
        .trim_matches('\n')
    );
}

#[test]
fn a_folder_without_settings_is_no_project() {
    let files = Files::new();
    fs::remove_file(files.dir.path().join("nenrin.yaml")).unwrap();
    assert_told(
        &files, "
",
    );
    assert_eq!(Project::find(files.dir.path()), None);
    let files = Files::new();
    let root = std::path::absolute(files.dir.path()).unwrap();
    assert_eq!(Project::find(&root.join("mappings/desk")), Some(root));
}

#[test]
fn a_place_inside_a_text_is_found_however_the_text_was_written() {
    let text = "plain: lower(emial)\nsingle: 'it''s emial'\ndouble: \"\\u6771 emial\"\nblock: |\n  lower(\n    emial)\nfolded: >\n  lower(\n  emial)\n日本: 売上 + emial\n";
    let parsed = yaml::parse("m.yaml", text);
    assert_eq!(parsed.problems, []);
    let value = parsed.value.unwrap();
    for (pointer, on_line, expected) in [
        ("/plain", 1, "m.yaml:1:14"),
        ("/single", 1, "m.yaml:2:16"),
        ("/double", 1, "m.yaml:3:18"),
        ("/block", 2, "m.yaml:6:5"),
        ("/日本", 1, "m.yaml:10:10"),
    ] {
        let value = value.pointer(pointer).unwrap().as_str().unwrap();
        let line = value.lines().nth(on_line - 1).unwrap();
        let column = line[..line.find("emial").unwrap()].chars().count() + 1;
        let place = parsed.doc.place_within(pointer, on_line, column, 5);
        assert_eq!((place.to_string().as_str(), place.width), (expected, 5), "{pointer}");
        let shown: String = parsed.doc.source_line(place.line).chars().skip(place.column - 1).take(5).collect();
        assert_eq!(shown, "emial");
    }
    assert_eq!(parsed.doc.place_within("/folded", 1, 7, 5).line, 7);
}

#[test]
fn yaml_scalars_are_those_of_version_1_2() {
    let parsed = yaml::parse("m.yaml", "[yes, no, on, 010, 1.50, ~, 'true', true, 0x1f, 1_000, .inf, 2025-10-01, 1e3]");
    let expected =
        serde_json::json!(["yes", "no", "on", 10, 1.5, null, "true", true, 31, "1_000", ".inf", "2025-10-01", 1000.0]);
    assert_eq!(parsed.value.unwrap(), expected);
    assert_eq!(parsed.doc.written("/3"), Some("010"));
}

#[test]
fn deep_nesting_is_refused_instead_of_exhausting_the_stack() {
    let text = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let problems = yaml::parse("m.yaml", &text).problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "the nesting is too deep");
}
