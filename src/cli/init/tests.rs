use super::*;
use crate::cli::{OutputFormat, shipped};
use crate::config::{Environment, Project, render};

async fn init(dir: &Path) -> Result<ExitCode> {
    run(InitArgs { dir: dir.to_path_buf() }, &Context::new(dir.to_path_buf(), OutputFormat::Table)).await
}

#[tokio::test]
async fn a_new_project_is_sound_and_its_example_is_too() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("deep/project");
    init(&dir).await.unwrap();
    let load = |env: Environment| {
        Project::load(&dir, &env, &shipped()).unwrap_or_else(|problems| panic!("\n{}", render(&problems, false)))
    };
    let project = load(Environment::default());
    assert_eq!(project.warnings, []);
    assert_eq!((project.sources.len(), project.mappings.len(), project.variables.len()), (1, 1, 1));
    let names: Vec<&str> = project.entities.iter().map(|entity| entity.value.name.as_str()).collect();
    assert_eq!(names, ["customer", "contact", "contract", "deal"]);

    fs::rename(dir.join("sources/salesforce.yaml.example"), dir.join("sources/salesforce.yaml")).unwrap();
    let project = load(Environment::of([("SALESFORCE_CLIENT_ID", "id"), ("SALESFORCE_CLIENT_SECRET", "secret")]));
    assert_eq!(project.warnings, []);
    assert_eq!(project.sources.len(), 2);

    fs::rename(dir.join("sources/kintone.yaml.example"), dir.join("sources/kintone.yaml")).unwrap();
    let project = load(Environment::of([
        ("SALESFORCE_CLIENT_ID", "id"),
        ("SALESFORCE_CLIENT_SECRET", "secret"),
        ("KINTONE_TOKEN_CUSTOMERS", "one"),
        ("KINTONE_TOKEN_DEALS", "two"),
    ]));
    assert_eq!(project.warnings, []);
    assert_eq!(project.sources.len(), 3);

    fs::rename(dir.join("sources/hubspot.yaml.example"), dir.join("sources/hubspot.yaml")).unwrap();
    fs::rename(dir.join("sources/zoho.yaml.example"), dir.join("sources/zoho.yaml")).unwrap();
    fs::rename(dir.join("sources/sql.yaml.example"), dir.join("sources/billing.yaml")).unwrap();
    let project = load(Environment::of([
        ("SALESFORCE_CLIENT_ID", "id"),
        ("SALESFORCE_CLIENT_SECRET", "secret"),
        ("KINTONE_TOKEN_CUSTOMERS", "one"),
        ("KINTONE_TOKEN_DEALS", "two"),
        ("HUBSPOT_TOKEN", "three"),
        ("ZOHO_CLIENT_SECRET", "secret"),
        ("ZOHO_REFRESH_TOKEN", "token"),
        ("BILLING_DB_URL", "postgres://nenrin@localhost/billing"),
    ]));
    assert_eq!(project.warnings, []);
    assert_eq!(project.sources.len(), 6);
}

#[tokio::test]
async fn every_template_names_a_schema_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path()).unwrap();
    for (file, text) in TEMPLATES.iter().filter(|(file, _)| file.contains(".yaml")) {
        let line = text.lines().next().unwrap();
        let schema = line.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{file}: {line}"));
        let path = dir.path().join(file).parent().unwrap().join(schema);
        assert!(path.is_file(), "{file} names {schema}");
    }
}

#[tokio::test]
async fn a_folder_that_holds_something_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine.txt"), "mine").unwrap();
    let error = init(dir.path()).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Usage, "the folder is not empty"));
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mine.txt"]);

    let file = dir.path().join("mine.txt");
    assert_eq!(init(&file).await.unwrap_err().message(), "this is a file, not a folder");
}
