//! Lines 19 to 29: searches.

use serde_json::{Value, json};
use simulators::hubspot::Options;

use crate::client::{Session, fields, filter};

/// A portal with these five companies, whose index does not lag; gives their ids.
async fn five() -> (Session, Vec<u64>) {
    let session = Session::with_companies(0).await;
    let companies = [
        json!({"name": "青葉システム", "mrr": 5, "plan": "light", "services": "crm;analytics", "domain": "Aoba.example.jp"}),
        json!({"name": "北斗物流", "mrr": 50, "plan": "pro", "renewal_date": "2026-04-30", "domain": "hokuto.example.jp"}),
        json!({"name": "Midori Foods", "mrr": "500", "plan": "pro", "renewal_date": "1777593600000", "is_key_account": true}),
        json!({"name": "midori 建設", "mrr": 7, "services": "training", "is_key_account": false}),
        json!({"name": "無印"}),
    ];
    let ids = companies.into_iter().map(|values| {
        session.portal.advance(60);
        session.company(values)
    });
    let ids = ids.collect();
    (session, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn line_19_filters_join_by_and_groups_by_or() {
    let (session, ids) = five().await;
    let at = |places: &[usize]| places.iter().map(|&place| ids[place]).collect::<Vec<_>>();
    let cases: [(Value, &[usize]); 21] = [
        (filter("plan", "EQ", "pro"), &[1, 2]),
        (filter("plan", "EQ", "PRO"), &[]),
        (filter("name", "EQ", "midori foods"), &[2]),
        (filter("plan", "NEQ", "pro"), &[0]),
        (filter("mrr", "LT", "50"), &[0, 3]),
        (filter("mrr", "LTE", "50"), &[0, 1, 3]),
        (filter("mrr", "GT", 7), &[1, 2]),
        (filter("mrr", "GTE", "7"), &[1, 2, 3]),
        (json!({"propertyName": "mrr", "operator": "BETWEEN", "value": "6", "highValue": "50"}), &[1, 3]),
        (filter("domain", "IN", json!(["aoba.example.jp", "x"])), &[0]),
        (filter("domain", "IN", json!(["Aoba.example.jp"])), &[]),
        (filter("plan", "NOT_IN", json!(["light"])), &[1, 2]),
        (filter("services", "IN", json!(["analytics"])), &[0]),
        (json!({"propertyName": "plan", "operator": "HAS_PROPERTY"}), &[0, 1, 2]),
        (json!({"propertyName": "plan", "operator": "NOT_HAS_PROPERTY"}), &[3, 4]),
        (filter("name", "CONTAINS_TOKEN", "midori"), &[2, 3]),
        (filter("name", "CONTAINS_TOKEN", "*物流"), &[1]),
        (filter("name", "NOT_CONTAINS_TOKEN", "midori"), &[0, 1, 4]),
        (filter("is_key_account", "EQ", "false"), &[3]),
        (filter("hs_object_id", "GTE", ids[3]), &[3, 4]),
        (filter("renewal_date", "GTE", "2026-05-01"), &[2]),
    ];
    for (filter, places) in cases {
        assert_eq!(session.found("companies", json!([filter])), at(places), "{filter}");
    }
    let pro = filter("plan", "EQ", "pro");
    assert_eq!(session.found("companies", json!([pro, filter("mrr", "GT", 100)])), at(&[2]));
    let groups = json!([{"filters": [pro, filter("mrr", "GT", 100)]}, {"filters": [filter("mrr", "EQ", 5)]}]);
    let either = session.search("companies", json!({"filterGroups": groups}));
    assert_eq!((either.ids(), &either.json()["total"]), (at(&[0, 2]), &json!(2)));
    assert_eq!(session.search("companies", json!({"query": "midori"})).ids(), at(&[2, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_look_at_associations() {
    let session = Session::with_all().await;
    let linked = session.found("deals", json!([filter("associations.companies", "EQ", "501")]));
    assert!(!linked.is_empty());
    let companies = session.get(&format!("/crm/objects/2026-09/deals/{}/associations/companies", linked[0]));
    assert_eq!(companies.results()[0]["toObjectId"], 501);
    assert_eq!(
        session.search("environments", json!({"filters": [filter("associations.companies", "EQ", "501")]})).status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_20_there_are_only_so_many_filters() {
    let session = Session::with_companies(3).await;
    let status = |sizes: &[usize]| {
        let groups: Vec<Value> =
            sizes.iter().map(|&size| json!({"filters": vec![filter("mrr", "GT", "1"); size]})).collect();
        session.search("companies", json!({"filterGroups": groups})).status
    };
    assert_eq!([status(&[1; 5]), status(&[1; 6])], [200, 400]);
    assert_eq!([status(&[6]), status(&[7])], [200, 400]);
    assert_eq!([status(&[6, 6, 6]), status(&[6, 6, 6, 1])], [200, 400]);
    let long = json!({"properties": vec!["hs_lastmodifieddate"; 200]});
    assert_eq!(session.search("companies", long.clone()).status, 400);
    session.portal.assume(|open| open.search_body_limit = None);
    assert_eq!(session.search("companies", long).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_21_searches_page_by_offset() {
    let session = Session::with_companies(450).await;
    let first = session.search("companies", json!({}));
    assert_eq!((first.ids().len(), first.after().as_deref()), (10, Some("10")));
    assert_eq!(session.search("companies", json!({"limit": 201})).status, 400);
    let last = session.search("companies", json!({"limit": 200, "after": "400"}));
    assert_eq!((last.ids().len(), &last.json()["total"], last.after()), (50, &json!(450), None));
    assert_eq!(session.search("companies", json!({"after": "abc"})).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_22_no_search_goes_beyond_ten_thousand() {
    let session = Session::with_companies(10_300).await;
    let page = |after: u64| session.search("companies", json!({"limit": 200, "after": after.to_string()}));
    let last = page(9_800);
    assert_eq!(
        (last.ids().len(), &last.json()["total"], last.after().as_deref()),
        (200, &json!(10_300), Some("10000"))
    );
    assert_eq!(page(9_801).error(), (400, "VALIDATION_ERROR".into()));
    session.portal.assume(|open| open.cap_is_quiet = true);
    assert_eq!((page(9_800).after(), page(9_900).ids().len(), page(10_000).ids().len()), (None, 100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_23_the_index_lags_behind() {
    let session = Session::start(Options { records: 3, ..Options::default() }).await;
    let start = session.portal.now();
    session.portal.advance(100);
    session.update("companies", 502, json!({"name": "改名"}));
    let new = session.company(json!({"name": "新規"}));
    let since =
        |millis: i64| session.found("companies", json!([filter("hs_lastmodifieddate", "GTE", millis.to_string())]));
    let edited = start.timestamp_millis() + 100_000;
    assert_eq!(session.record("companies", 502, "")["properties"]["name"], "改名");
    assert!(session.listed("companies", "").contains(&new));
    session.portal.advance(9);
    assert!(since(edited).is_empty());
    // What the index holds is older than the record, which matches an older window.
    let stale =
        session.found("companies", json!([filter("hs_lastmodifieddate", "LT", start.timestamp_millis().to_string())]));
    assert_eq!(stale, [501, 502, 503]);
    session.portal.advance(1);
    assert_eq!(since(edited), [502, new]);
    session.portal.set_index_lag(300);
    session.update("companies", 501, json!({"name": "遅い"}));
    session.portal.advance(299);
    assert_eq!(since(edited), [502, new]);
    session.portal.advance(1);
    assert_eq!(since(edited), [501, 502, new]);
    session.portal.straggle("companies", 503, 7_200).unwrap();
    session.portal.advance(10);
    session.update("companies", 503, json!({"name": "取り残し"}));
    session.portal.advance(7_100);
    assert_eq!(since(edited), [501, 502, new]);
    session.portal.advance(100);
    assert_eq!(since(edited), [501, 502, 503, new]);
    session.update("companies", 503, json!({"name": "すぐ"}));
    session.portal.reindex();
    assert_eq!(session.search("companies", json!({"filters": [filter("name", "EQ", "すぐ")]})).ids(), [503]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_24_searches_show_neither_archived_nor_history_nor_associations() {
    let session = Session::start(Options { records: 4, contacts: 8, ..Options::default() }).await;
    session.portal.archive("companies", 502).unwrap();
    let body = json!({"propertiesWithHistory": ["name"], "associations": ["contacts"], "archived": true});
    // An index that lags still has it; one that is told at once does not.
    assert_eq!(session.search("companies", body.clone()).ids(), [501, 502, 503, 504]);
    session.portal.assume(|open| open.index_keeps_removed = false);
    let found = session.search("companies", body.clone());
    assert_eq!(found.ids(), [501, 503, 504]);
    assert!(
        found
            .results()
            .iter()
            .all(|record| record.get("propertiesWithHistory").is_none() && record.get("associations").is_none())
    );
    session.portal.assume(|open| open.index_keeps_removed = true);
    session.portal.advance(10);
    assert_eq!(session.search("companies", body).ids(), [501, 503, 504]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_25_one_sort_counts() {
    let (session, ids) = five().await;
    let sorted = |sorts: Value| session.search("companies", json!({"sorts": sorts})).ids();
    let by_mrr = [ids[0], ids[3], ids[1], ids[2], ids[4]];
    assert_eq!(sorted(json!([{"propertyName": "mrr", "direction": "ASCENDING"}, {"propertyName": "name"}])), by_mrr);
    assert_eq!(sorted(json!(["mrr"])), by_mrr);
    assert_eq!(sorted(json!(["-mrr"])), [ids[2], ids[1], ids[3], ids[0], ids[4]]);
    assert_eq!(
        sorted(json!([{"propertyName": "hs_object_id", "direction": "DESCENDING"}])),
        ids.iter().rev().copied().collect::<Vec<_>>()
    );
    let early = session.company(json!({"name": "昔から", "createdate": "2020-01-01T00:00:00Z"}));
    assert_eq!(sorted(json!([]))[0], early);
    assert_eq!(session.search("companies", json!({"sorts": ["nothing"]})).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_26_filters_name_known_properties_and_take_both_forms_of_dates() {
    let session = Session::with_companies(20).await;
    let unknown = session.search("companies", json!({"filters": [filter("no_such_thing", "EQ", "1")]}));
    assert_eq!(unknown.error(), (400, "VALIDATION_ERROR".into()));
    assert!(unknown.text().contains("PROPERTY_DOESNT_EXIST"));
    let stamp = session.value("companies", 507, "hs_lastmodifieddate").as_str().unwrap().to_owned();
    let millis = stamp.parse::<chrono_free::Iso>().unwrap().0;
    let by_iso = session.found("companies", json!([filter("hs_lastmodifieddate", "EQ", stamp)]));
    assert_eq!(by_iso, [507]);
    assert_eq!(session.found("companies", json!([filter("hs_lastmodifieddate", "EQ", millis.to_string())])), [507]);
    assert_eq!(session.search("companies", json!({"filters": [filter("createdate", "GT", "tomorrow")]})).status, 400);
    assert_eq!(session.search("companies", json!({"filters": [filter("name", "LIKE", "x")]})).status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_29_thousands_with_one_stamp_are_read_by_id() {
    let session =
        Session::start(Options { records: 12_100, imported: 12_000, index_lag_secs: 0, ..Options::default() }).await;
    let stamp = session.value("companies", 501, "hs_lastmodifieddate");
    let (mut last, mut count, mut pages) = (0, 0, 0);
    loop {
        let filters = json!([filter("hs_lastmodifieddate", "EQ", stamp.clone()), filter("hs_object_id", "GT", last)]);
        let body = json!({"filters": filters, "sorts": ["hs_object_id"], "limit": 200});
        let page = session.search("companies", body);
        assert_eq!(page.json()["total"], 12_000 - count);
        count += page.ids().len() as u64;
        pages += 1;
        match page.ids().last() {
            Some(id) if page.ids().len() == 200 => last = *id,
            _ => break,
        }
        // A few pages show the way; the rest is the same.
        if pages == 12 {
            break;
        }
    }
    assert_eq!(count, 2_400);
    let late = session.portal.update_all("companies", &fields(json!({"cs_memo": "一括"}))).unwrap();
    let now = session.portal.now().timestamp_millis().to_string();
    let found = session.search("companies", json!({"filters": [filter("hs_lastmodifieddate", "EQ", now)]}));
    assert_eq!((late, &found.json()["total"]), (12_100, &json!(12_100)));
}

/// Instants without a library for them.
mod chrono_free {
    /// Milliseconds since 1970 of `2026-01-05T01:02:03.004Z`.
    pub(crate) struct Iso(pub(crate) i64);

    impl std::str::FromStr for Iso {
        type Err = std::num::ParseIntError;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            let part = |range: std::ops::Range<usize>| text[range].parse::<i64>();
            let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
            let shifted = if month > 2 { year } else { year - 1 };
            let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
            let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
            let secs = days * 86_400 + part(11..13)? * 3_600 + part(14..16)? * 60 + part(17..19)?;
            Ok(Iso(secs * 1_000 + part(20..23)?))
        }
    }
}
