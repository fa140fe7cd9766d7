//! The contract API.

use encoding_rs::SHIFT_JIS;
use serde_json::json;
use simulators::core::Options;

use crate::client::{Session, basic, encode, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_or_a_password_lets_in_and_nothing_else() {
    let session = Session::with_records(1).await;
    let ask = |headers: &[(&str, &str)]| session.get("/keiyaku/v1/contracts", headers);
    let (login, password) = (session.credential("keiyaku", "login"), session.credential("keiyaku", "password"));
    assert_eq!(session.keiyaku("contracts").status, 200);
    assert_eq!(ask(&[("Authorization", &basic(&login, &password))]).status, 200);
    for headers in [
        vec![],
        vec![("X-Api-Key", "nonsense")],
        vec![("Authorization", "Basic %%%")],
        vec![("X-Api-Key", "nonsense"), ("Authorization", &basic(&login, &password))],
        vec![("Authorization", &basic(&login, "wrong"))],
    ] {
        let refused = ask(&headers);
        assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (401, json!("E401")), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_are_read_behind_a_key_until_none_is_left() {
    let session = Session::with_records(250).await;
    let (mut numbers, mut after) = (Vec::new(), String::new());
    loop {
        let page = session.keiyaku(&format!("contracts?limit=100{after}"));
        assert_eq!(page.json()["count"], 250);
        let rows = page.rows();
        let Some(last) = rows.last() else { break };
        after = format!("&after={}", last["契約番号"].as_str().unwrap());
        numbers.extend(texts(&rows, "契約番号"));
    }
    assert_eq!((numbers.len(), numbers[0].as_str(), numbers[249].as_str()), (250, "K0000001", "K0000250"));
    assert_eq!(
        numbers,
        session.truth("contracts").iter().map(|row| row["契約番号"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    );
    for query in
        ["limit=101", "limit=0", "limit=ten", "after=12", "updated_from=2026-10-01", "updated_to=2026/10/1%209:00:00"]
    {
        let refused = session.keiyaku(&format!("contracts?{query}"));
        assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (400, json!("E400")), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_includes_its_begin_and_not_its_end() {
    let session = Session::with_records(30).await;
    session.core.advance(3_600); // 2026-11-01 01:00:00 in Japan
    for key in ["K0000007", "K0000003"] {
        session.core.edit("contracts", key, json!({"月額": 1})).unwrap();
    }
    session.core.advance(1);
    session.core.edit("contracts", "K0000005", r#"{"月額":1000.50}"#).unwrap();
    let found = |from: &str, to: &str| {
        let query = format!("contracts?updated_from={}&updated_to={}", encode(from), encode(to));
        let page = session.keiyaku(&query);
        assert_eq!(page.json()["count"], page.rows().len());
        texts(&page.rows(), "契約番号")
    };
    let (first, second, third) = ("2026/11/01 01:00:00", "2026/11/01 01:00:01", "2026/11/01 01:00:02");
    assert_eq!(found(first, second), ["K0000003", "K0000007"]);
    assert_eq!(found(first, third), ["K0000003", "K0000005", "K0000007"]);
    assert_eq!(found(first, first), Vec::<String>::new());
    assert_eq!(found("2020/01/01 00:00:00", first).len(), 27);
    let one = session.keiyaku("contracts/K0000005");
    assert!(one.text().contains("\"月額\":1000.50,"), "{}", one.text());
    assert_eq!(one.json()["result"]["row"]["更新日時"], second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_has_the_shape_that_was_agreed() {
    let session = Session::with_records(60).await;
    let rows = session.keiyaku("contracts").rows();
    let row = &rows[0];
    assert!(row["月額"].is_u64() && row["割引率"].is_number() && row["オプション"].is_array());
    assert!(row["請求先"]["部署"].is_string() && row["請求先"].get("担当").is_some());
    assert_eq!(row["契約開始日"].as_str().unwrap().len(), 10);
    assert!(rows.iter().any(|row| row["割引率"] == json!(0.125)));
    assert!(rows.iter().any(|row| row["請求先"]["担当"].is_null()));
    assert!(rows.iter().any(|row| row["契約終了日"].is_string()) && rows.iter().any(|row| row["契約終了日"].is_null()));
    let states = texts(&rows, "状態");
    assert!(states.iter().any(|state| state == "有効") && states.iter().any(|state| state == "解約"), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_vanished_has_no_lines_and_nobody_tells() {
    let session = Session::with_records(12).await;
    let lines: Vec<usize> = (1..=12)
        .map(|id| session.keiyaku(&format!("contracts/K{id:07}/lines")).json().as_array().unwrap().len())
        .collect();
    assert!(lines.contains(&0) && lines.iter().sum::<usize>() == session.truth("lines").len(), "{lines:?}");
    session.core.set_lines("K0000002", r#"[{"行":1,"商品":"分析","数量":3,"単価":1000.50}]"#).unwrap();
    assert_eq!(
        session.keiyaku("contracts/K0000002/lines").text(),
        r#"[{"単価":1000.50,"商品":"分析","数量":3,"行":1}]"#
    );
    session.core.delete("contracts", "K0000002").unwrap();
    for path in ["contracts/K0000002", "contracts/K0000002/lines", "contracts/K0000099/lines", "nothing"] {
        let gone = session.keiyaku(path);
        assert_eq!((gone.status, gone.json()["error"]["code"].clone()), (404, json!("E404")), "{path}");
    }
    let page = session.keiyaku("contracts");
    assert_eq!((page.rows().len(), page.json()["count"].clone()), (11, json!(11)));
    assert!(session.truth("lines").iter().all(|line| line["契約番号"] != "K0000002"));
    let key = session.core.add("contracts", json!({"顧客コード": "C09999", "月額": 5})).unwrap();
    assert_eq!((key.as_str(), session.keiyaku("contracts/K0000013").status), ("K0000013", 200));
    assert_eq!(session.keiyaku("contracts/K0000013/lines").text(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_come_as_xml_and_as_csv_in_cp932() {
    let session = Session::with_records(1).await;
    let xml = session.keiyaku("plans.xml");
    assert!(xml.header("content-type").unwrap().starts_with("application/xml"));
    assert!(xml.text().contains("<plan id=\"P1\"><name>スターター</name><price currency=\"JPY\">1,500</price></plan>"));
    assert!(xml.text().contains("<name>分析 &amp; 自動化</name>"));
    assert_eq!(xml.text().matches("<plan ").count(), 5);
    let csv = session.keiyaku("plans.csv");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=Shift_JIS"));
    assert!(String::from_utf8(csv.body.clone()).is_err());
    let (text, _, had_errors) = SHIFT_JIS.decode(&csv.body);
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!((had_errors, lines[0], lines[1]), (false, "プランID,プラン名,単価,通貨", "P1,スターター,\"1,500\",JPY"));
    assert_eq!((lines.len(), lines[5]), (6, "P5,連携オプション①,980,JPY"));
    let single = Session::start(Options { single_plan: true, ..Options::default() }).await;
    assert_eq!(single.keiyaku("plans.xml").text().matches("<plan ").count(), 1);
}
