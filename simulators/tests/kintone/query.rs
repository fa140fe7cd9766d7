//! Lines 21 to 27: the query language.

use serde_json::json;
use simulators::kintone::Options;

use crate::client::{CUSTOMERS, DEALS, Session, fields};

fn customers(session: &Session, list: &[serde_json::Value]) -> Vec<u64> {
    let insert = |(number, values): (usize, &serde_json::Value)| {
        let mut values = fields(values.clone());
        values.entry("顧客コード").or_insert_with(|| json!(format!("T{number}")));
        session.domain.insert(CUSTOMERS, &values).unwrap()
    };
    list.iter().enumerate().map(insert).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_21_conditions_are_read_as_documented() {
    let session = Session::empty().await;
    let ids = customers(
        &session,
        &[
            json!({"会社名": "甲", "従業員数": 1}),
            json!({"会社名": "乙", "従業員数": 2}),
            json!({"会社名": "丙\"\\", "従業員数": 3}),
        ],
    );
    let found = |condition: &str| session.found(CUSTOMERS, condition);
    assert_eq!(found("会社名 = \"甲\" or 会社名 = \"乙\" and 従業員数 > 5"), [ids[0]]);
    assert_eq!(found("(会社名 = \"甲\" or 会社名 = \"乙\")　and\n従業員数>1"), [ids[1]]);
    assert_eq!(found("会社名 = \"丙\\\"\\\\\" and 従業員数 = \"3\""), [ids[2]]);
    assert_eq!(found("会社名 in (\"甲\", \"丙\\\"\\\\\") and $id >= 1 and レコード番号 < 3"), [ids[0]]);
    for bad in ["会社名 = \"a\tb\"", "会社名 = \"a\nb\"", "`会社名` = \"甲\"", "会社名 = \"甲\" AND 従業員数 = 1"]
    {
        assert_eq!(session.query(CUSTOMERS, bad).error(), (400, "CB_VA01".into()), "{bad}");
    }
    session.domain.assume(|open| open.keywords_any_case = true);
    assert_eq!(found("会社名 = \"甲\" AND 従業員数 = 1"), [ids[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_22_each_type_has_its_operators() {
    let session = Session::with_records(2).await;
    let code = |query: &str| session.query(CUSTOMERS, query).code();
    for query in [
        "顧客ランク = \"A\"",
        "対応項目 like \"電話\"",
        "営業担当 = \"sato\"",
        "備考 = \"x\"",
        "添付 = \"x\"",
        "会社名 > \"x\"",
        "従業員数 like \"1\"",
        "契約開始日 in (\"2026-01-01\")",
        "カテゴリー in (\"x\")",
        "案件一覧 = \"x\"",
        "更新日 is empty",
    ] {
        assert_eq!(code(query), "GAIA_IQ03", "{query}");
    }
    assert_eq!(
        session.query(CUSTOMERS, "顧客ランク = \"A\"").json()["message"],
        "顧客ランクフィールドのフィールドタイプには演算子=を使用できません。"
    );
    assert_eq!(code("月額 = 1"), "GAIA_IQ07");
    assert_eq!(code("プラン = \"スターター\""), "GAIA_IQ07");
    assert_eq!(code("顧客ランク in (\"Z\")"), "GAIA_IQ10");
    assert_eq!(code("営業担当 in (\"退職者\")"), "GAIA_IL26");
    assert_eq!(code("$revision = 1"), "GAIA_IQ11");
    assert_eq!(code("会社名.x = \"1\""), "GAIA_IR02");
    assert_eq!(session.query(DEALS, "ステータス = \"未処理\"").status, 200);
    for query in [
        "小計 > 0",
        "レコード番号 in (1, 2)",
        "添付 is not empty",
        "作成者 in (LOGINUSER())",
        "受付時刻 >= \"09:00\"",
        "備考 is empty",
    ] {
        assert_eq!(session.query(CUSTOMERS, query).status, 200, "{query}");
    }
    session.domain.assume(|open| {
        open.revision_filter = true;
        open.category_filter = true;
    });
    assert_eq!(session.query(CUSTOMERS, "$revision >= 1").records().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_23_conditions_on_a_table_are_about_its_rows() {
    let session = Session::empty().await;
    let row = |plan: &str, fee: i64| json!({"プラン": plan, "月額": fee, "数量": 1});
    let ids = customers(
        &session,
        &[
            json!({"会社名": "両方", "契約": [row("スターター", 1), row("スタンダード", 9)]}),
            json!({"会社名": "一行", "契約": [row("スターター", 9)]}),
            json!({"会社名": "無し"}),
        ],
    );
    let found = |condition: &str| session.found(CUSTOMERS, condition);
    assert_eq!(found("プラン in (\"スターター\")"), [ids[0], ids[1]]);
    assert_eq!(found("プラン not in (\"スタンダード\")"), [ids[1]]);
    assert_eq!(found("プラン in (\"スターター\") and 月額 > 5"), [ids[1]]);
    assert_eq!(found("(プラン in (\"スターター\")) and ($id > 0 and 月額 > 5)"), [ids[1]]);
    assert_eq!(found("プラン in (\"スターター\") or 月額 > 5"), [ids[0], ids[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_24_nothing_is_found_in_all_its_forms() {
    let session = Session::empty().await;
    let ids = customers(
        &session,
        &[
            json!({"会社名": "空", "業種": null, "顧客ランク": null}),
            json!({"会社名": "空文字", "業種": "", "顧客ランク": ""}),
            json!({"会社名": "有り", "業種": "製造", "顧客ランク": "A", "対応項目": ["電話"], "営業担当": ["sato"], "FAX": "1", "更新日": "2026-01-01", "備考": "　\n "}),
        ],
    );
    for condition in [
        "業種 in (\"\")",
        "顧客ランク in (\"\")",
        "対応項目 in (\"\")",
        "営業担当 in (\"\")",
        "FAX = \"\"",
        "更新日 = \"\"",
        "ヘルススコア = \"\" and $id < 3",
    ] {
        assert_eq!(session.found(CUSTOMERS, condition), [ids[0], ids[1]], "{condition}");
    }
    assert_eq!(session.found(CUSTOMERS, "業種 not in (\"\")"), [ids[2]]);
    assert_eq!(session.found(CUSTOMERS, "備考 is empty"), ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_25_like_lags_finds_words_and_gives_up() {
    let session = Session::start(Options { like_limit: 3, ..Options::default() }).await;
    let ids = customers(&session, &[json!({"会社名": "key 株式会社"}), json!({"会社名": "keyword"})]);
    let ask = "会社名 like \"key\" order by $id asc";
    assert_eq!(session.query(CUSTOMERS, ask).ids(), [0; 0]);
    session.domain.advance(10);
    assert_eq!(session.query(CUSTOMERS, ask).ids(), [ids[0]]);
    assert_eq!(session.found(CUSTOMERS, "会社名 not like \"key\""), [ids[1]]);
    customers(
        &session,
        &[
            json!({"会社名": "key 1", "顧客コード": "a"}),
            json!({"会社名": "key 2", "顧客コード": "b"}),
            json!({"会社名": "key 3", "顧客コード": "c"}),
        ],
    );
    session.domain.advance(10);
    let part = session.query(CUSTOMERS, ask);
    assert_eq!((part.status, part.records().len(), part.header("x-cybozu-warning").is_some()), (200, 3, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_26_stamps_have_minutes_and_perhaps_seconds_that_nobody_sees() {
    let session = Session::empty().await;
    session.domain.advance(50);
    let id = session.customer("A", "秒");
    assert_eq!(session.value(CUSTOMERS, id, "更新日時"), "2026-10-31T15:00:00Z");
    let conditions = [
        "更新日時 = \"2026-10-31T15:00:00Z\"",
        "更新日時 > \"2026-10-31T15:00:00Z\"",
        "更新日時 >= \"2026-10-31T15:00:30Z\"",
    ];
    let hits = || conditions.map(|condition| session.found(CUSTOMERS, condition).len());
    assert_eq!(hits(), [1, 0, 1]);
    session.domain.assume(|open| open.filter_sees_seconds = true);
    assert_eq!(hits(), [0, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_27_days_are_those_of_the_callers_zone() {
    let session = Session::empty().await; // 2026-11-01T00:00 in Tokyo
    session.domain.advance(-1);
    let before = session.customer("A", "前日");
    session.domain.advance(1);
    let today = session.domain.insert(CUSTOMERS, &fields(json!({"顧客コード": "B", "更新日": "2026-11-01"}))).unwrap();
    let found = |condition: &str| session.found(CUSTOMERS, condition);
    assert_eq!(found("作成日時 = TODAY()"), [today]);
    assert_eq!(found("作成日時 < TODAY()"), [before]);
    assert_eq!(
        (found("更新日 = TODAY()"), found("更新日 = THIS_MONTH()"), found("更新日 <= YESTERDAY()")),
        (vec![today], vec![today], vec![])
    );
    assert_eq!(found("作成日時 >= NOW()"), [today]);
    for literal in ["2026-10-31T15:00:00Z", "2026-11-01T00:00:00+09:00", "2026-11-01T00:00:00+0900"] {
        assert_eq!(found(&format!("更新日時 >= \"{literal}\"")), [today], "{literal}");
    }
    session.domain.set_options(|options| options.zone_secs = 0);
    assert_eq!(found("作成日時 = TODAY()"), [before, today]);
    assert_eq!(session.query(CUSTOMERS, "更新日 = FROM_TODAY(1, HOURS)").code(), "GAIA_IQ25");
}

#[tokio::test(flavor = "multi_thread")]
async fn related_records_are_filtered_by_their_fields() {
    let session = Session::empty().await;
    let (first, _) = (session.customer("C1", "甲"), session.customer("C2", "乙"));
    session.domain.insert(DEALS, &fields(json!({"案件名": "新規導入", "顧客コード": "C1"}))).unwrap();
    assert_eq!(session.found(CUSTOMERS, "案件一覧.案件名 = \"新規導入\""), [first]);
}
