//! What people can get wrong in a project's files.

use super::content;
use super::files::{assert_untouched, project};

const MAPPING: &str = "mappings/core/customers.yaml";

#[tokio::test]
async fn a_typo_in_a_yaml_file() {
    let project = project().await;
    project.edit(MAPPING, "variables:", "variabels:");
    let lake = content(&project.path("lake"));
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.all(), @r#"
    mappings/core/customers.yaml:6:1  C010  unknown key `variabels`
      variabels:
      ^^^^^^^^^  did you mean `variables`?

    error[E0100]: the project has 1 problem
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
    insta::assert_snapshot!(project.nenrin(&["check"]).await.all(), @r#"
    mappings/core/customers.yaml:6:1  C010  unknown key `variabels`
      variabels:
      ^^^^^^^^^  did you mean `variables`?
    1 problem to mend
    exit 78
    "#);
    assert_eq!(content(&project.path("lake")), lake);
    assert_untouched(&project).await;
}

#[tokio::test]
async fn a_mapping_to_an_unknown_variable() {
    let project = project().await;
    project.edit(MAPPING, "  mrr:", "  mrrr:");
    let lake = content(&project.path("lake"));
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.all(), @r#"
    mappings/core/customers.yaml:9:3  M010  unknown variable `mrrr` of `customer`
      mrrr: mrr
      ^^^^  did you mean `mrr`?

    error[E0100]: the project has 1 problem
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
    assert_eq!(content(&project.path("lake")), lake);
    assert_untouched(&project).await;
}

#[tokio::test]
async fn a_mapping_of_an_unknown_field() {
    let project = project().await;
    project.edit(MAPPING, "name: name", "name: nmae");
    insta::assert_snapshot!(project.nenrin(&["check"]).await.all(), @r#"
    core  ok      stream customers: 1 files, the last is c_202501.csv with 3 columns
              c_202501.csv: utf-8 (declared)
    mappings/core/customers.yaml:7:9  M012  unknown field `nmae` in stream `customers`
      name: nmae
            ^^^^  did you mean `name`?
    1 problem to mend
    exit 78
    "#);
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.told(), @r#"
    mappings/core/customers.yaml:7:9  M012  unknown field `nmae` in stream `customers`
      name: nmae
            ^^^^  did you mean `name`?

    error[E0100]: the mappings have 1 problem
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
    assert_untouched(&project).await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let project = project().await;
    project.write("nenrin.yaml", "apiVersion: nenrin/v1\nkind: Project\ntimezone: Asia/Tokio\nclosing_day: 32\n");
    project.edit(MAPPING, "entity: customer", "entity: custmer");
    project.edit("sources/core.yaml", "path: data", "path: ${env:NO_SUCH_FOLDER}");
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.all(), @r#"
    mappings/core/customers.yaml:5:9  M102  unknown entity `custmer`
      entity: custmer
              ^^^^^^^  did you mean `customer`?
    nenrin.yaml:3:11  C014  unknown time zone `Asia/Tokio`
      timezone: Asia/Tokio
                ^^^^^^^^^^  did you mean `Asia/Tokyo`?
    nenrin.yaml:4:14  C014  must be 31 or less, found `32`
      closing_day: 32
                   ^^  The day on which a month closes (締め日), 31 for its last day; default 31
    sources/core.yaml:4:7  C020  the environment variable `NO_SUCH_FOLDER` is not set
      path: ${env:NO_SUCH_FOLDER}
            ^^^^^^^^^^^^^^^^^^^^^  set it before starting nenrin: export NO_SUCH_FOLDER=…

    error[E0100]: the project has 4 problems
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
    assert_eq!(project.published().await.len(), 3);
}

#[tokio::test]
async fn a_file_that_is_no_yaml() {
    let project = project().await;
    project.write(MAPPING, "apiVersion: nenrin/v1\nkind: Mapping\n\tsource: core\n");
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.all(), @r#"
    mappings/core/customers.yaml:3:1  C002  a tab indents this line
       source: core
      ^  indent with spaces

    error[E0100]: the project has 1 problem
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
    assert_untouched(&project).await;
}

#[tokio::test]
async fn a_project_that_is_not_there() {
    let project = project().await;
    std::fs::remove_file(project.path("nenrin.yaml")).unwrap();
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.all(), @r#"
    nenrin.yaml  C001  this folder is no nenrin project: the file is missing
      make one with `nenrin init DIR`, or name one with `--project DIR`

    error[E0100]: the project has 1 problem
      next: mend the files, then run `nenrin check`
    exit 78
    "#);
}
