//! What can be wrong with the places we write to.

use rand::{RngExt, SeedableRng};

use super::TestProject;
use super::files::{assert_untouched, log, project};

/// February, with notes that no compression makes small: a data file of some megabytes.
fn february() -> String {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut text = "code,name,mrr,note\nC1,アクメ,110,\nC2,青葉,200,\nC3,桜,300,\n".to_owned();
    for number in 0..1_500 {
        let note: String = (0..200).map(|_| format!("{:016x}", random.random::<u64>())).collect();
        text.push_str(&format!("K{number},客,1,{note}\n"));
    }
    text
}

#[tokio::test]
async fn a_disk_that_is_full() {
    let project = project().await;
    project.write("data/c_202502.csv", february());
    let ran = project.nenrin_with_files_up_to(1 << 20, &["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0502]: the lake could not be read or written
      path: log/core/customers/part-00000000000000000002-core-[time]-2-2-0471428d.parquet
      stream: core/customers
      why: Generic LocalFileSystem error: Unable to copy data to file: File too large (os error 27)
      next: a limit on the size of files or the room of this user is reached: raise it and run the sync again, nothing is lost
    exit 1
    "#);
    assert_eq!(ran.outcome(), "failed: customers failed");
    assert_untouched(&project).await;
    // With room again, the same run goes through, and everything is there once.
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    assert_eq!((ran.outcome().as_str(), ran.code), ("complete: customers complete", Some(0)), "{}", ran.stderr);
    assert_eq!(log(&project).await.len(), 3 + 1 + 1_500);
}

#[tokio::test]
async fn no_room_for_the_control_database() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,青葉,200\nC3,桜,300\n");
    let ran = project.nenrin_with_files_up_to(2048, &["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0502]: could not open the control database
      database: [project]/nenrin.db
      why: error returned from database: (code: 4874) disk I/O error
      next: see that the folder exists, has room and may be written
    exit 1
    "#);
    assert_untouched(&project).await;
    project.nenrin(&["sync"]).await.assert_well();
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}

/// Puts a file where `folder` is, which neither a user nor root can write into.
fn block(project: &TestProject, folder: &str) {
    std::fs::rename(project.path(folder), project.path("aside")).unwrap();
    project.write(folder, "");
}

fn unblock(project: &TestProject, folder: &str) {
    std::fs::remove_file(project.path(folder)).unwrap();
    std::fs::rename(project.path("aside"), project.path(folder)).unwrap();
}

#[tokio::test]
async fn a_lake_that_cannot_be_written() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,青葉,200\nC3,桜,300\n");
    block(&project, "lake");
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.told(), @r#"
    error[E0511]: the lake's folder cannot be made or opened
      lake: [project]/lake/
      why: File exists (os error 17)
      next: check that the folder exists and that this user may write there
    exit 1
    "#);
    insta::assert_snapshot!(project.nenrin(&["check"]).await.all(), @r#"
    nenrin.yaml (lake.url)  C070  [project]/lake is a file, not a folder
      choose another place, or move the file away
    the sources were not asked: mend the files first
    1 problem to mend
    exit 78
    "#);
    assert_eq!(project.published().await, ["アクメ 100", "桜 300", "青葉 200"]);
    unblock(&project, "lake");
    assert_untouched(&project).await;
    project.nenrin(&["sync"]).await.assert_well();
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}

#[tokio::test]
async fn a_lake_that_cannot_be_written_after_the_log_was() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,青葉,200\nC3,桜,300\n");
    // What cannot be written is the entry that follows the commit: the next run finds the commit and goes on.
    let ledger = project.path("lake/ledger/core/customers");
    let next = std::fs::read_dir(&ledger).unwrap().count() + 1;
    let in_the_way = format!("lake/ledger/core/customers/{next:020}.json");
    project.write(&format!("{in_the_way}/file"), "");
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0502]: the lake could not be read or written
      path: ledger/core/customers/00000000000000000002.json
      stream: core/customers
      why: Generic LocalFileSystem error: Unable to rename file: Is a directory (os error 21)
      next: look at the lake's folder or store, then run the command again: what was committed stands
    exit 1
    "#);
    assert_eq!(ran.outcome(), "failed: customers failed");
    std::fs::remove_dir_all(project.path(&in_the_way)).unwrap();
    project.nenrin(&["sync"]).await.assert_well();
    assert_eq!(
        log(&project).await,
        ["upsert C1 アクメ 100", "upsert C2 青葉 200", "upsert C3 桜 300", "upsert C1 アクメ 110"]
    );
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}

#[tokio::test]
async fn a_log_that_is_damaged() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,青葉,200\nC3,桜,300\n");
    let entry = "lake/ledger/core/customers/00000000000000000001.json";
    let sound = std::fs::read(project.path(entry)).unwrap();
    project.write(entry, "{");
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.told(), @r#"
    error[E0521]: an entry of a ledger cannot be read
      path: ledger/core/customers/00000000000000000001.json
      why: EOF while parsing an object at line 1 column 1
      next: restore the file from a backup of the lake
    exit 65
    "#);
    assert_eq!(project.published().await, ["アクメ 100", "桜 300", "青葉 200"]);
    project.write(entry, sound);
    project.nenrin(&["sync"]).await.assert_well();
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}
