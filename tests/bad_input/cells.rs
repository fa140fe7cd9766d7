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

#[tokio::test]
async fn a_year_that_an_era_cannot_have() {
    let (project, ran) = february("C1,アクメ,110,令和99年4月1日\nC2,青葉,210,令和7年4月1日\nC3,桜,300,\n").await;
    for part in [
        "warning[E0404]: 1 value does not convert: it is held, and unknown until mended",
        "value: mappings/core/customers.yaml:10:19 customer.contract_start: 令和 is accepted up to its year 64",
        "next: `nenrin held --source core --list` shows all",
    ] {
        assert!(ran.told().contains(part), "{part}\n{}", ran.told());
    }
    // The rest of the record counts, and so does every other record.
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 210"]);
    let list = project.nenrin(&["held", "--list"]).await.all();
    assert!(list.contains("C1") && list.contains("令和99年4月1日"), "{list}");
}
