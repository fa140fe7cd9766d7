//! Lines 12 to 20: reading records.

use serde_json::{Value, json};
use simulators::kintone::{FieldSpec, Options};

use crate::client::{CUSTOMERS, Session, fields};

#[tokio::test(flavor = "multi_thread")]
async fn line_12_numbers_are_texts() {
    let session = Session::with_records(30).await;
    let page = session.get("records.json", json!({"app": 1, "totalCount": true})).json();
    assert!(page["totalCount"].is_string());
    for record in page["records"].as_array().unwrap() {
        for code in ["$id", "$revision", "資本金", "レコード番号"] {
            assert!(record[code]["value"].is_string(), "{code}");
        }
        for file in record["添付"]["value"].as_array().unwrap() {
            assert!(file["size"].is_string());
        }
        for row in record["契約"]["value"].as_array().unwrap() {
            assert!(row["id"].is_string() && row["value"]["月額"]["value"].is_string());
        }
    }
    assert!(session.get("app/form/fields.json", json!({"app": 1})).json()["revision"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_the_total_is_counted_on_request_only() {
    let session = Session::with_records(1_000).await;
    assert_eq!(session.query(CUSTOMERS, "limit 1").json()["totalCount"], Value::Null);
    let total = |query: &str| {
        session.get("records.json", json!({"app": 1, "query": query, "totalCount": true})).json()["totalCount"].clone()
    };
    assert_eq!(total("limit 1 offset 5"), "1000");
    assert_eq!(total("$id <= 10 limit 1"), "9");
    let best: usize = total("顧客ランク in (\"A\") limit 1").as_str().unwrap().parse().unwrap();
    assert_eq!(session.found(CUSTOMERS, "顧客ランク in (\"A\")").len(), best);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_14_pages_have_limits() {
    let session = Session::with_records(10_600).await;
    assert_eq!(session.query(CUSTOMERS, "").records().len(), 100);
    assert_eq!(session.query(CUSTOMERS, "limit 500").records().len(), 500);
    assert_eq!(session.query(CUSTOMERS, "limit 501").error(), (400, "GAIA_QU01".into()));
    assert_eq!(session.query(CUSTOMERS, "limit 500 offset 10000").records().len(), 500);
    assert_eq!(session.query(CUSTOMERS, "offset 10001").error(), (400, "GAIA_QU02".into()));
    for query in ["limit -1", "offset -1", "limit 0"] {
        assert_eq!(session.query(CUSTOMERS, query).error(), (400, "CB_VA01".into()), "{query}");
    }
    session.domain.assume(|open| open.limit_zero = true);
    assert_eq!(session.query(CUSTOMERS, "limit 0").records().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_15_the_usual_order_is_downwards() {
    let session = Session::with_records(12).await;
    let all = session.domain.ids(CUSTOMERS).unwrap();
    let mut down = all.clone();
    down.reverse();
    assert_eq!(session.query(CUSTOMERS, "").ids(), down);
    assert_eq!(session.query(CUSTOMERS, "order by $id").ids(), down);
    assert_eq!(session.query(CUSTOMERS, "order by $id asc").ids(), all);
    assert_eq!(session.query(CUSTOMERS, "order by 顧客コード asc").ids(), all);
    let wrong = session.query(CUSTOMERS, "limit 5 order by $id asc");
    assert_eq!(wrong.error(), (400, "CB_VA01".into()));
    assert_eq!(wrong.json()["errors"]["query"]["messages"][0], "クエリ記法が間違っています。");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_16_ties_come_in_any_order() {
    let session = Session::start(Options { records: 100, imported: 100, ..Options::default() }).await;
    let pages: Vec<Vec<u64>> = (0..3).map(|_| session.query(CUSTOMERS, "order by 更新者 asc").ids()).collect();
    assert!(pages[0] != pages[1] || pages[1] != pages[2]);
    let settled: Vec<Vec<u64>> =
        (0..3).map(|_| session.query(CUSTOMERS, "order by 更新者 asc, $id asc").ids()).collect();
    assert!(settled[0] == settled[1] && settled[1] == settled[2]);
    session.domain.set_options(|options| options.shuffle_ties = false);
    assert_eq!(
        session.query(CUSTOMERS, "order by 更新者 asc").ids(),
        session.query(CUSTOMERS, "order by 更新者 asc").ids()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_17_fields_name_exactly_the_keys() {
    let session = Session::with_records(3).await;
    let page = session.get("records.json", json!({"app": 1, "fields": ["会社名", "綴り違い", "月額"]})).json();
    let keys: Vec<&String> = page["records"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["会社名"]);
    assert_eq!(session.query(CUSTOMERS, "綴り違い = \"x\"").error(), (400, "GAIA_IQ11".into()));
    assert_eq!(session.query(CUSTOMERS, "order by 綴り違い asc").error(), (400, "GAIA_IQ11".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_18_what_is_not_there_is_named() {
    let session = Session::empty().await;
    let missing = session.get("records.json", json!({})).json();
    assert_eq!(
        (missing["code"].as_str(), missing["errors"]["app"]["messages"][0].as_str()),
        (Some("CB_VA01"), Some("必須です。"))
    );
    for app in [0, -1] {
        let wrong = session.get("records.json", json!({"app": app})).json();
        assert_eq!(wrong["errors"]["app"]["messages"][0], "最小でも1以上です。");
    }
    assert_eq!(session.get("records.json", json!({"app": 99})).error(), (404, "GAIA_AP01".into()));
    assert_eq!(session.get("record.json", json!({"app": 1, "id": 1})).error(), (404, "GAIA_RE01".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_19_ids_are_never_used_again() {
    let session = Session::with_records(3).await;
    let first = session.customer("N1", "新規");
    session.domain.delete(CUSTOMERS, first).unwrap();
    assert_eq!(session.customer("N2", "新規"), first + 1);
    assert!(session.domain.insert_as(CUSTOMERS, first, &fields(json!({}))).is_err());
    session.domain.insert_as(CUSTOMERS, 500, &fields(json!({"会社名": "番号指定"}))).unwrap();
    assert_eq!(session.customer("N3", "新規"), 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_keys_come_in_any_order_and_may_be_new() {
    let session = Session::start(Options { records: 1, extra_keys: true, ..Options::default() }).await;
    let keys = || session.query(CUSTOMERS, "").records()[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (first, second) = (keys(), keys());
    assert!(first != second && first.contains(&"$future".to_owned()));
    session.domain.add_field(CUSTOMERS, FieldSpec::text("新項目")).unwrap();
    assert_eq!(session.value(CUSTOMERS, 1, "新項目"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_records_take_no_memory_and_are_read_by_their_ids() {
    let session = Session::with_records(1_000_000).await;
    let mut last = 0;
    for _ in 0..3 {
        let ids = session.query(CUSTOMERS, &format!("$id > {last} order by $id asc limit 500")).ids();
        assert_eq!(ids.len(), 500);
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]) && ids[0] > last);
        last = ids[499];
    }
    assert_eq!(session.query(CUSTOMERS, "$id > 1111110 order by $id asc").ids(), [1_111_111]);
}
