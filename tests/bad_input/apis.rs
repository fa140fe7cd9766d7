//! What an HTTP API, or its description, can do to a sync.

use simulators::core::{Core, Options, Server, parse_fault};

use super::TestProject;

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: rest
base_url: ${env:CORE_URL}
auth: { type: basic, username: '${env:CORE_LOGIN}', password: '${env:CORE_PASSWORD}' }
streams:
  contracts:
    path: contracts
    records: $.result.rows
    key: [契約番号]
    paging: { type: keyset, param: after, field: 契約番号, size_param: limit, size: 20 }
  lines:
    path: contracts/{{ parent.契約番号 }}/lines
    records: $[*]
    key: [契約番号, 行]
    parent: { stream: contracts, keep: [契約番号] }
";

/// An API of thirty contracts, and a project that has not read it yet.
struct Bench {
    _server: Server,
    core: Core,
    project: TestProject,
}

impl Bench {
    async fn new() -> Bench {
        let server = Server::start(Options { records: 30, ..Options::default() }).await.unwrap();
        let (core, told) = (server.core(), server.credentials()["keiyaku"].clone());
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let project = TestProject::new(&[("sources/keiyaku.yaml", SOURCE)])
            .with_var("CORE_URL", &text("base_url"))
            .with_var("CORE_LOGIN", &text("login"))
            .with_var("CORE_PASSWORD", &text("password"))
            .showing(text("base_url"), "[api]/");
        Bench { _server: server, core, project }
    }

    async fn sync(&self) -> super::Ran {
        self.project.nenrin(&["sync", "-o", "json"]).await
    }

    async fn count(&self, stream: &str) -> usize {
        self.project.log(&format!("keiyaku/{stream}"), &["契約番号"]).await.len()
    }

    fn line_count(&self) -> usize {
        self.core.truth("lines").unwrap().len()
    }

    /// Fails unless the next run, with nothing in its way, reads everything.
    async fn assert_recovers(&self) {
        self.core.disarm();
        let ran = self.sync().await;
        assert_eq!(ran.outcome(), "complete: contracts complete, lines complete", "{}", ran.told());
        assert_eq!((self.count("contracts").await, self.count("lines").await), (30, self.line_count()));
    }
}

#[tokio::test]
async fn a_selector_that_finds_nothing() {
    let bench = Bench::new().await;
    bench.project.edit("sources/keiyaku.yaml", "$[*]", "$.lines");
    let ran = bench.sync().await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0401]: the answer has nothing where the records should be
      records: $.lines
      there_is: a list of 0
      stream: lines
      source: keiyaku
      next: mend `records` of the stream; if the API leaves it out where there is nothing, set `records_optional: true`; if this answer tells of an error, give it a rule in `errors`
    exit 65
    "#);
    assert_eq!(ran.outcome(), "partial: contracts complete, lines failed");
    assert_eq!((bench.count("contracts").await, bench.count("lines").await), (30, 0));
    bench.project.edit("sources/keiyaku.yaml", "$.lines", "$[*]");
    bench.assert_recovers().await;
}

#[tokio::test]
async fn a_parent_that_vanishes_while_its_children_are_read() {
    let bench = Bench::new().await;
    bench.core.before("K0000013/lines", 1, |core| core.delete("contracts", "K0000013").unwrap());
    let ran = bench.sync().await;
    ran.assert_well();
    assert_eq!(ran.outcome(), "complete: contracts complete, lines complete");
    assert_eq!(bench.count("lines").await, bench.line_count());
    // The next run finds the contract itself gone.
    let ran = bench.sync().await;
    ran.assert_well();
    let gone = bench.project.log("keiyaku/contracts", &["契約番号"]).await;
    assert_eq!(gone.iter().filter(|version| version.starts_with("delete")).count(), 1);
}

#[tokio::test]
async fn a_list_whose_next_page_is_always_the_same() {
    let bench = Bench::new().await;
    bench.core.arm(parse_fault("ignore=after@/contracts?#1+").unwrap());
    let ran = bench.sync().await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0401]: the list has no end: a page came again
      list: contracts
      pages: 1
      stream: contracts
      source: keiyaku
      next: see whether the API knows the parameter of `paging`, and whether `paging.next` leads to the next page, not to this one
    error[E0401]: the list has no end: a page came again
      list: contracts
      pages: 1
      stream: lines
      source: keiyaku
      next: see whether the API knows the parameter of `paging`, and whether `paging.next` leads to the next page, not to this one
    exit 65
    "#);
    assert_eq!(ran.outcome(), "failed: contracts failed, lines failed");
    bench.assert_recovers().await;
}

#[tokio::test]
async fn a_template_that_fails() {
    let bench = Bench::new().await;
    let (from, to) = ("{{ parent.契約番号 }}", "{{ parent.契約コード }}");
    bench.project.edit("sources/keiyaku.yaml", from, to);
    let ran = bench.sync().await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0100]: a template cannot be filled in
      setting: path
      line: 1
      at: parent.契約コード
      reason: a name in it has no value here
      stream: lines
      source: keiyaku
      next: in `parent`, there is `契約番号`, `顧客コード`, `顧客名`, `プラン`, `月額`, `割引率`, `契約開始日`, `契約終了日`, `状態`, `請求先`, `オプション`, `更新日時`
    exit 78
    "#);
    assert_eq!((bench.count("contracts").await, bench.count("lines").await), (30, 0));
    bench.project.edit("sources/keiyaku.yaml", to, from);
    bench.assert_recovers().await;
}

#[tokio::test]
async fn a_template_that_cannot_be_read() {
    let bench = Bench::new().await;
    bench.project.edit("sources/keiyaku.yaml", "{{ parent.契約番号 }}", "{{ parent.契約番号 }");
    insta::assert_snapshot!(bench.sync().await.told(), @r#"
    error[E0100]: a template cannot be filled in
      setting: path
      line: 1
      at: }
      reason: unexpected `}`, expected end of variable block
      stream: lines
      source: keiyaku
      next: names are `vars`, `window.from`, `window.until`, `window.last`, `parent`, `key`, `page`, `now`; filters `date`, `epoch`, `hmac_sha256`, …: see docs/connectors/rest.md
    exit 78
    "#);
    assert_eq!(bench.core.calls().len(), 0, "nothing is asked for");
}

#[tokio::test]
async fn a_parent_that_is_read_in_steps() {
    let bench = Bench::new().await;
    bench.project.edit("sources/keiyaku.yaml", "streams:\n", "time_zone: Asia/Tokyo\nstreams:\n");
    bench.project.edit(
        "sources/keiyaku.yaml",
        "  lines:\n",
        "    window: { start: 2026-10-01, step_days: 1, params: { day: '{{ window.from }}' } }\n  lines:\n",
    );
    insta::assert_snapshot!(bench.sync().await.told(), @r#"
    error[E0100]: the parent is read in steps of some days, and children need all parents
      setting: parent.stream
      stream: lines
      source: keiyaku
      next: describe the parents' list once more without `step_days`, as a stream of its own
    exit 78
    "#);
}
