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
            Err(problems) => render(&problems, false).replace(&self.dir.path().display().to_string(), "DIR"),
        }
    }
}

#[track_caller]
fn assert_told(files: &Files, expected: &str) {
    same(&files.told(), expected);
}

#[track_caller]
fn assert_warned(project: &Project, expected: &str) {
    same(&render(&project.warnings, false), expected);
}

#[track_caller]
fn same(told: &str, expected: &str) {
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
        &files,
        "
sources/desk.yaml:5:1  C010  unknown key `api_kye`
  api_kye: ${env:DESK_KEY}
  ^^^^^^^  did you mean `api_key`?
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
        &files,
        "
mappings/desk/accounts.yaml:7:9  C011  expected text or keys with values, found a number
  name: 007
        ^^^  write it in quotes: \"007\"
nenrin.yaml:4:18  C011  expected a whole number, found text
  batch_records: many
                 ^^^^  Records of a batch; default 50000
nenrin.yaml:5:9  C011  expected keys with values, found a number
  fiscal: 4
          ^  When the fiscal year begins, and what it is called
sources/desk.yaml:5:12  C014  must be 100 or less, found `500`
  page_size: 500
             ^^^  Records asked for per page, from 1 to 100
sources/desk.yaml:6:9  C011  expected a list, found text
  labels: vip
          ^^^  write it as a list: [vip]
",
    );
}

#[test]
fn a_missing_secret_is_told_at_its_reference_and_an_invalid_one_is_never_shown() {
    let mut files = Files::new().spoiled("sources/desk.yaml", "api_key: ${env:DESK_KEY}", "api_key: ${file:keys/desk}");
    files.env.clear();
    assert_told(
        &files,
        "
sources/desk.yaml:5:10  C021  the file `keys/desk` cannot be read: there is no such file
  api_key: ${file:keys/desk}
           ^^^^^^^^^^^^^^^^^  it was looked for at DIR/keys/desk
",
    );
    let files = files.spoiled("sources/desk.yaml", "${file:keys/desk}", "${env:DESK_KEY}");
    assert_told(
        &files,
        "
sources/desk.yaml:5:10  C020  the environment variable `DESK_KEY` is not set
  api_key: ${env:DESK_KEY}
           ^^^^^^^^^^^^^^^  set it before starting nenrin: export DESK_KEY=…
",
    );
    let files = files.spoiled("sources/desk.yaml", "${env:DESK_KEY}", "4711");
    assert_told(
        &files,
        "
sources/desk.yaml:5:10  C011  expected text, found a number
  api_key: ***
           ^^^  Its key
",
    );
}

#[test]
fn a_literal_secret_is_a_warning_that_does_not_show_it() {
    let project = Files::new().spoiled("sources/desk.yaml", "${env:DESK_KEY}", "hunter2").load().unwrap();
    assert_warned(
        &project,
        "
sources/desk.yaml:5:1  C901  warning: a secret is written into the file
  api_key: ***
  ^^^^^^^  keep it out of the file: `${env:NAME}` or `${file:path}`
",
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
        &files,
        "
identity.yaml:4:12  C013  expected one of `external_id`, `corporate_number`, `name`, found `corporate_numbr`
  - match: corporate_numbr
           ^^^^^^^^^^^^^^^  did you mean `corporate_number`?
identity.yaml:5:20  C010  unknown key `adn`
  - { match: name, adn: email }
                   ^^^  did you mean `and`?
mappings/desk/accounts.yaml:11:15  C011  expected `hold`, `null` or keys with values, found `skip`
  on_error: skip
            ^^^^
nenrin.yaml:3:11  C014  unknown time zone `Asia/Tokio`
  timezone: Asia/Tokio
            ^^^^^^^^^^  did you mean `Asia/Tokyo`?
nenrin.yaml:4:14  C014  must be 31 or less, found `32`
  closing_day: 32
               ^^  The day on which a month closes (締め日), 31 for its last day; default 31
schemas/variables/nps.yaml  C012  missing key `type`
  What its values are
sources/desk.yaml:3:12  C031  unknown connector `dsk`
  connector: dsk
             ^^^  did you mean `desk`?
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
        &files,
        "
mappings/desk/accounts.yaml:10:38  C011  expected text, found a number
  values: { 導入期間中: onboarding, 利用: 7 }
                                          ^  write it in quotes: \"7\"
",
    );
}

#[test]
fn a_duplicate_key_is_told_with_its_first_line() {
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "  name: Name", "  name: Name\n  name: Name2");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml:8:3  C003  duplicate key `name`
  name: Name2
  ^^^^  it is already in line 7; keep one
",
    );
}

#[test]
fn a_syntax_error_a_tab_and_an_empty_file_are_told_with_their_places() {
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "name: Name", "name: lower(a: b)");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml:7:16  C002  not valid YAML: mapping values are not allowed in this context
  name: lower(a: b)
               ^  quote a value that holds `: `, or check the indentation
",
    );
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "  name: Name", "\tname: Name");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml:7:1  C002  a tab indents this line
   name: Name
  ^  indent with spaces
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "# later\n");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml  C005  the file is empty
  begin with `apiVersion: nenrin/v1` and `kind: …`, or remove the file
",
    );
    let files = Files::new().spoiled("mappings/desk/accounts.yaml", "name: Name", "name: 'Name");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml:7:9  C002  not valid YAML: invalid indentation in quoted scalar
  name: 'Name
        ^  check that every quote is closed
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "a: &x 1\nb: *x\nc: !!str 1\n---\nd: 1\n");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml  C012  missing key `apiVersion`
  Write `apiVersion: nenrin/v1`
mappings/desk/accounts.yaml  C012  missing key `entity`
  The entity its records become
mappings/desk/accounts.yaml  C012  missing key `kind`
  Write `kind: Mapping`
mappings/desk/accounts.yaml  C012  missing key `source`
  The source's id
mappings/desk/accounts.yaml  C012  missing key `stream`
  The stream, by the source's name
mappings/desk/accounts.yaml  C012  missing key `variables`
  Variable name → where its value comes from
mappings/desk/accounts.yaml:1:1  C010  unknown key `a`
  a: &x 1
  ^  there is `apiVersion`, `kind`, `source`, `stream`, `entity`, `variables`, `where`, `effective`, `renamed`, `reuses_keys`
mappings/desk/accounts.yaml:1:4  C004  anchors (`&name`) are not supported
  a: &x 1
     ^^^^  write the value out each time
mappings/desk/accounts.yaml:2:1  C010  unknown key `b`
  b: *x
  ^  there is `apiVersion`, `kind`, `source`, `stream`, `entity`, `variables`, `where`, `effective`, `renamed`, `reuses_keys`
mappings/desk/accounts.yaml:2:4  C004  aliases (`*name`) are not supported
  b: *x
     ^^  write the value out
mappings/desk/accounts.yaml:3:1  C010  unknown key `c`
  c: !!str 1
  ^  there is `apiVersion`, `kind`, `source`, `stream`, `entity`, `variables`, `where`, `effective`, `renamed`, `reuses_keys`
mappings/desk/accounts.yaml:3:4  C004  tags (`!name`) are not supported
  c: !!str 1
     ^^^^^^^  quote the value to make it text
mappings/desk/accounts.yaml:4:1  C004  a second document begins here
  ---
  ^^^  put it into a file of its own
",
    );
}

#[test]
fn a_file_of_another_kind_is_told_once() {
    let files = Files::new().with("mappings/desk/nps.yaml", "apiVersion: nenrin/v1\nkind: Variable\nname: nps\n");
    assert_told(
        &files,
        "
mappings/desk/nps.yaml:2:7  C007  expected `kind: Mapping`, found `kind: Variable`
  kind: Variable
        ^^^^^^^^  mappings/ holds `Mapping`; a Variable belongs in schemas/variables/
",
    );
    let files = Files::new().with("mappings/desk/accounts.yaml", "apiversion: nenrin/v2\nkind: Mappings\n");
    assert_told(
        &files,
        "
mappings/desk/accounts.yaml  C012  missing key `entity`
  The entity its records become
mappings/desk/accounts.yaml  C012  missing key `source`
  The source's id
mappings/desk/accounts.yaml  C012  missing key `stream`
  The stream, by the source's name
mappings/desk/accounts.yaml  C012  missing key `variables`
  Variable name → where its value comes from
mappings/desk/accounts.yaml:1:1  C010  unknown key `apiversion`
  apiversion: nenrin/v2
  ^^^^^^^^^^  did you mean `apiVersion`?
mappings/desk/accounts.yaml:2:7  C013  expected `Mapping`, found `Mappings`
  kind: Mappings
        ^^^^^^^^  did you mean `Mapping`?
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
        &files,
        "
identity.yaml:4:37  C060  unknown variable `crm_id` of `customer`
  - { match: external_id, variable: crm_id, stream: crm }
                                    ^^^^^^  make schemas/variables/crm_id.yaml to add it
identity.yaml:4:53  C062  `crm` names no stream
  - { match: external_id, variable: crm_id, stream: crm }
                                                    ^^^  write it as `source/stream`
identity.yaml:5:25  C060  unknown variable `emal` of `customer`
  - { match: name, and: emal }
                        ^^^^  did you mean `email`?
identity.yaml:7:3  C060  unknown variable `mmr` of `customer`
  mmr: [desk]
  ^^^  did you mean `mrr`?
identity.yaml:8:27  C062  this names no record
  merge: [[desk/accounts#1, desk/accounts]]
                            ^^^^^^^^^^^^^  write it as `source/stream#key`
mappings/desk/accounts.yaml:4:9  M104  mappings/desk/accounts.2.yaml already maps `desk/accounts` to `customer`
  stream: accounts
          ^^^^^^^^  put all variables into one file
mappings/desk/accounts.yaml:7:3  M010  unknown variable `emial` of `customer`
  emial: Mail
  ^^^^^  did you mean `email`?
mappings/desk/accounts.yaml:8:3  M010  unknown variable `phone` of `customer`
  phone: Tel
  ^^^^^  make schemas/variables/phone.yaml to add it
mappings/desk/contracts.yaml:3:9  M101  unknown source `dask`
  source: dask
          ^^^^  did you mean `desk`?
mappings/desk/contracts.yaml:5:9  M102  unknown entity `contrakt`
  entity: contrakt
          ^^^^^^^^  did you mean `contract`?
schemas/variables/both.yaml:4:7  C041  `Both` cannot be a name
  name: Both
        ^^^^  use lower-case letters, digits and `_`, starting with a letter; people read its `label`
schemas/variables/both.yaml:6:1  M051  a variable has either `from` or `derive`
  derive: mrr
  ^^^^^^  remove one of them
schemas/variables/email.yaml:4:7  C050  `email` is a built-in variable of `customer`
  name: email
        ^^^^^  choose another name, or give it a value in a mapping
schemas/variables/email.yaml:4:7  M051  a custom variable needs `from` or `derive`
  name: email
        ^^^^^  say where its value comes from: `from: [{ source: …, stream: …, expr: … }]`
schemas/variables/email.yaml:5:7  C055  a ref needs `refers_to`
  type: ref
        ^^^  name the entity it refers to: `refers_to: customer`
schemas/variables/nps.yaml:7:29  C054  no mapping turns `desk/account` into `customer`
  - { source: desk, stream: account, expr: NPS }
                            ^^^^^^^  did you mean `accounts`?
schemas/variables/nps.yaml:8:15  C052  unknown source `deskk`
  - { source: deskk, stream: accounts, expr: NPS }
              ^^^^^  did you mean `desk`?
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
        &files,
        "
--set sync.batch_sces  C030  unknown key `batch_sces`
  did you mean `batch_secs`?
--set timezone  C014  unknown time zone `Tokyo`
  write an IANA name such as `Asia/Tokyo`
NENRIN_DESK_KEY  C030  unknown key `desk_key`
  variables that begin with NENRIN_ are settings (NENRIN_SECTION__KEY); name others differently
NENRIN_FISCAL__START_MONTH  C011  expected a whole number, found text
  The month in which the fiscal year begins, 1 to 12; default 4
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
    assert_warned(
        &project,
        "
nenrin.yaml:3:13  C901  warning: a secret is written into the file
  database: { url: *** }
              ^^^  keep it out of the file: postgres://user:${env:NAME}@host/database
",
    );
    let text = "apiVersion: nenrin/v1\nkind: Project\ndatabase: { url: 'postgres://n:${env:PW}@db/n' }\n";
    let project = Files::new().with("nenrin.yaml", text).env("PW", "geheim").load().unwrap();
    assert_eq!(project.warnings, []);
    assert_eq!(project.settings.database_url.expose(), "postgres://n:geheim@db/n");
}

#[test]
fn a_misplaced_mapping_is_a_warning() {
    let project = Files::new().with("mappings/other/konto.yaml", &MAPPING.replace("accounts", "Konto")).load().unwrap();
    assert_warned(
        &project,
        "
mappings/other/konto.yaml:3:9  M901  warning: this maps source `desk`, but lies in other
  source: desk
          ^^^^  move it to mappings/desk/
mappings/other/konto.yaml:4:9  M901  warning: this maps stream `Konto`, but is named konto
  stream: Konto
          ^^^^^  rename it to Konto.yaml
",
    );
}

#[test]
fn a_folder_without_settings_is_no_project() {
    let files = Files::new();
    fs::remove_file(files.dir.path().join("nenrin.yaml")).unwrap();
    assert_told(
        &files,
        "
nenrin.yaml  C001  this folder is no nenrin project: the file is missing
  make one with `nenrin init DIR`, or name one with `--project DIR`
",
    );
    assert_eq!(Project::find(files.dir.path()), None);
    let files = Files::new();
    let root = std::path::absolute(files.dir.path()).unwrap();
    assert_eq!(Project::find(&root.join("mappings/desk")), Some(root));
}

#[test]
fn a_place_inside_a_text_is_found_however_the_text_was_written() {
    let text = "plain: lower(emial)\nsingle: 'it''s emial'\ndouble: \"\\u6771 emial\"\nblock: |\n  lower(\n    emial)\nfolded: >\n  lower(\n  emial)\n日本: 売上 + emial\nlate: |\n\n  || emial\n";
    let parsed = yaml::parse("m.yaml", text);
    assert_eq!(parsed.problems, []);
    let value = parsed.value.unwrap();
    for (pointer, on_line, expected) in [
        ("/plain", 1, "m.yaml:1:14"),
        ("/single", 1, "m.yaml:2:16"),
        ("/double", 1, "m.yaml:3:17"),
        ("/block", 2, "m.yaml:6:5"),
        ("/日本", 1, "m.yaml:10:10"),
        ("/late", 2, "m.yaml:13:6"),
    ] {
        let value = value.pointer(pointer).unwrap().as_str().unwrap();
        let line = value.lines().nth(on_line - 1).unwrap();
        let column = line[..line.find("emial").unwrap()].chars().count() + 1;
        let place = parsed.doc.place_within(pointer, on_line, column, 5);
        assert_eq!((place.to_string().as_str(), place.width), (expected, 5), "{pointer}");
        let shown: String = parsed.doc.source_line(place.line).chars().skip(place.column - 1).take(5).collect();
        assert_eq!(shown, "emial");
    }
    assert_eq!(parsed.doc.place_within("/folded", 1, 7, 5).line, 8);
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

#[test]
fn what_a_variable_and_a_look_up_table_say_must_make_sense() {
    let head = "apiVersion: nenrin/v1\nkind: Variable\nentity: customer\n";
    let from = "from: [{ source: desk, stream: accounts, expr: NPS, currency: Cur }]\n";
    let files = Files::new()
        .with(
            "schemas/variables/phase.yaml",
            &format!("{head}name: phase\ntype: enum\nvalues: [a, b]\nvalue_labels: {{ a: {{ ja: 導入 }}, b: {{ ja: 導入 }}, c: {{ en: C }} }}\nread_as: {{ units: japanese }}\n{from}"),
        )
        .with("lookups/業種.csv", "コード,名称\n01,製造\n01,小売\n02\n");
    assert_told(
        &files,
        "
lookups/業種.csv:3:1  C081  the key of this line is already in line 2
  01,小売
  ^^^^^^^  a key stands once: delete one of the lines
lookups/業種.csv:4:1  C080  this line has 1 cells, the header 2
  02
  ^^  put cells that hold a comma into double quotes
schemas/variables/phase.yaml:7:32  C055  the label `導入` means `a` already
  value_labels: { a: { ja: 導入 }, b: { ja: 導入 }, c: { en: C } }
                                   ^  give each value labels of its own
schemas/variables/phase.yaml:7:47  C055  `c` is not one of the values
  value_labels: { a: { ja: 導入 }, b: { ja: 導入 }, c: { en: C } }
                                                    ^  did you mean `a`?
schemas/variables/phase.yaml:8:12  C055  `units` is read for an integer, decimal or money
  read_as: { units: japanese }
             ^^^^^  remove it
schemas/variables/phase.yaml:9:53  C055  only money has a `currency`; the entry of `accounts` names one
  from: [{ source: desk, stream: accounts, expr: NPS, currency: Cur }]
                                                      ^^^^^^^^  remove it, or write `type: money`
",
    );
}
