//! What single values of a file can be like.

use super::TestProject;
use super::files::project;

/// Adds a day to the mapping, and reads `rows` as February.
async fn february(rows: &str) -> (TestProject, super::Ran) {
    let project = project().await;
    project.edit("mappings/core/customers.yaml", "  mrr: mrr\n", "  mrr: mrr\n  contract_start: since\n");
    project.write("data/c_202502.csv", format!("code,name,mrr,since\n{rows}"));
    let ran = project.nenrin(&["sync"]).await;
    (project, ran)
}

#[tokio::test]
async fn a_nul_character() {
    let (project, ran) = february("C1,アクメ,110,2025-01-01\nC2,青\0葉,200,2025-01-01\nC3,桜,300,2025-01-01\n").await;
    insta::assert_snapshot!(ran.told(), @r#"
    [time]  WARN rows without a key were rejected: records that are missing from this reading may be those rows, so none of them is taken for gone stream=core/customers reading="c_202502.csv" missing_count=1
    warning[E0403]: 1 row is no record: it is kept aside, and what was known before stays
      source: core
      row: c_202502.csv:3 the line holds a NUL character: it is damaged, or in another encoding
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      rejected: 1 of 3 rows
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}
