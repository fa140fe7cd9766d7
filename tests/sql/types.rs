//! Every type arrives as exact text.

use nenrin::sync::SyncOptions;

use super::{KINDS, Kind, Lab, Way};
use crate::support::app::assert_complete;

/// Reads the table `t` with one row, whose key is `id`, and compares its fields.
pub(super) async fn assert_kept(lab: &Lab, expected: &[(&str, Option<&str>)]) {
    lab.source("streams: { t: {} }\n");
    assert_complete(&lab.sync(&SyncOptions::default()).await);
    let records = lab.living("t").await;
    let record = &records["1"];
    for (field, kept) in expected {
        assert_eq!(record[*field].as_deref(), *kept, "{field}");
    }
    let report = lab.sync(&SyncOptions::default()).await;
    let counts = &report.streams[0].counts;
    assert_eq!((counts.new, counts.changed, counts.unchanged), (0, 0, records.len() as u64));
}

/// In which ways a kind of database is talked to.
fn ways(kind: Kind) -> impl Iterator<Item = Way> {
    KINDS.iter().filter(move |(known, _)| *known == kind).map(|(_, way)| *way)
}

#[tokio::test]
async fn postgresql_keeps_the_text_of_every_type() {
    for way in ways(Kind::Postgres) {
        postgres_keeps(way).await;
    }
}

async fn postgres_keeps(way: Way) {
    let lab = Lab::over(Kind::Postgres, way).await;
    lab.run(
        "CREATE TYPE phase AS ENUM ('導入', '利用');
         CREATE DOMAIN code AS char(6);
         CREATE TYPE pair AS (a int, b text);
         CREATE TABLE t (id bigint PRIMARY KEY, b boolean, i2 smallint, i8 bigint, n numeric(30, 4), nn numeric,
           f4 real, f8 double precision, m money, c char(8), d code, v varchar(200), ts timestamp, tz timestamptz, dt date, tm time,
           iv interval, by bytea, by0 bytea, j json, jb jsonb, a int[], ta text[], u uuid, ip inet, e phase, r numrange, x xml, bits bit(5),
           p pair, inf timestamptz, bc date, nul text, emp text, \"列 \"\"名\" text, nan double precision);
         INSERT INTO t VALUES (1, true, -32768, 9223372036854775807, 12345678901234567890123456.7800, 0.000000000000000000001,
           0.1, 1e300, 1234567.89, 'C01', 'X1', E'タブ\\t改行\\n円\\\\N😀''\"', '2025-10-01 09:00:00.120', '2025-10-01 09:00:00+09', '2025-10-01',
           '23:59:59.5', '1 year 2 mons 3 days 04:05:06', '\\x00ff68', '', '{\"b\": 1.50, \"a\":  [1, 2]}', '{\"b\": 1, \"a\": null}',
           '{1,NULL,3}', '{\"a,b\",NULL,\"\"}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '192.168.0.1/24', '利用', '[1.5,2.5)', '<a>x</a>',
           B'10110', '(1,\"x y\")', 'infinity', '0044-03-15 BC', NULL, '', '値', 'NaN')",
    )
    .await;
    assert_kept(
        &lab,
        &[
            ("b", Some("true")),
            ("i2", Some("-32768")),
            ("i8", Some("9223372036854775807")),
            ("n", Some("12345678901234567890123456.7800")),
            ("nn", Some("0.000000000000000000001")),
            ("f4", Some("0.1")),
            ("f8", Some(&format!("1{}", "0".repeat(300)))),
            ("m", Some("1234567.89")),
            ("c", Some("C01")),
            ("d", Some("X1")),
            ("v", Some("タブ\t改行\n円\\N😀'\"")),
            ("ts", Some("2025-10-01T09:00:00.12")),
            ("tz", Some("2025-10-01T00:00:00Z")),
            ("dt", Some("2025-10-01")),
            ("tm", Some("23:59:59.5")),
            ("iv", Some("P1Y2M3DT4H5M6S")),
            ("by", Some("AP9o")),
            ("by0", Some("")),
            ("j", Some("{\"a\":[1,2],\"b\":1.5}")),
            ("jb", Some("{\"a\":null,\"b\":1}")),
            ("a", Some("{1,NULL,3}")),
            ("ta", Some("{\"a,b\",NULL,\"\"}")),
            ("u", Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
            ("ip", Some("192.168.0.1/24")),
            ("e", Some("利用")),
            ("r", Some("[1.5,2.5)")),
            ("x", Some("<a>x</a>")),
            ("bits", Some("10110")),
            ("p", Some("(1,\"x y\")")),
            ("inf", Some("infinity")),
            ("bc", Some("0044-03-15 BC")),
            ("nul", None),
            ("emp", Some("")),
            ("列 \"名", Some("値")),
            ("nan", Some("NaN")),
        ],
    )
    .await;
}

#[tokio::test]
async fn mariadb_keeps_the_text_of_every_type() {
    for way in ways(Kind::Maria) {
        maria_keeps(way).await;
    }
}

async fn maria_keeps(way: Way) {
    let lab = Lab::over(Kind::Maria, way).await;
    lab.run(
        "SET sql_mode = '', time_zone = '+09:00';
         CREATE TABLE t (id bigint unsigned PRIMARY KEY, b tinyint(1), u8 bigint unsigned, n decimal(30, 4), f4 float, f44 float, f8 double,
           c char(8), v varchar(200), s varchar(20) CHARACTER SET cp932, l varchar(20) CHARACTER SET latin1, dt datetime(6), ts timestamp(3), d date,
           zero datetime, tm time(3), y year, bt bit(10), bn binary(4), bl blob, j json, e enum('導入', '利用'), st set('a', 'b'),
           g point, nul text, emp text, `列 ``名` text);
         INSERT INTO t VALUES (1, 1, 18446744073709551615, 12345678901234567890123456.7800, 0.1, 16777216, 1e20,
           'C01', 'タブ\\t改行\\n円\\\\N😀\\'\"', '表示ソ', 'café', '2025-10-01 09:00:00.120000', '2025-10-01 09:00:00.500', '2025-10-01',
           '0000-00-00', '-838:59:59.000', 2025, b'1000000001', 'ab', 0x00ff68, '{\"b\": 1, \"a\": [1, 2]}', '利用', 'a,b',
           ST_PointFromText('POINT(139.75 35.5)'), NULL, '', '値')",
    )
    .await;
    assert_kept(
        &lab,
        &[
            ("b", Some("1")),
            ("u8", Some("18446744073709551615")),
            ("n", Some("12345678901234567890123456.7800")),
            ("f4", Some("0.1")),
            ("f44", Some("16777216")),
            ("f8", Some("100000000000000000000")),
            ("c", Some("C01")),
            ("v", Some("タブ\t改行\n円\\N😀'\"")),
            ("s", Some("表示ソ")),
            ("l", Some("café")),
            ("dt", Some("2025-10-01T09:00:00.12")),
            ("ts", Some("2025-10-01T00:00:00.5Z")),
            ("d", Some("2025-10-01")),
            ("zero", Some("0000-00-00T00:00:00")),
            ("tm", Some("-838:59:59.000")),
            ("y", Some("2025")),
            ("bt", Some("513")),
            ("bn", Some("YWIAAA==")),
            ("bl", Some("AP9o")),
            // MariaDB's JSON is text.
            ("j", Some("{\"b\": 1, \"a\": [1, 2]}")),
            ("e", Some("利用")),
            ("st", Some("a,b")),
            ("g", Some("POINT(139.75 35.5)")),
            ("nul", None),
            ("emp", Some("")),
            ("列 `名", Some("値")),
        ],
    )
    .await;
}

#[tokio::test]
async fn sqlite_keeps_values_by_their_own_type() {
    for way in ways(Kind::Sqlite) {
        sqlite_keeps(way).await;
    }
}

async fn sqlite_keeps(way: Way) {
    let lab = Lab::over(Kind::Sqlite, way).await;
    lab.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, x TEXT, b BLOB, n NUMERIC, d, nul TEXT, emp TEXT, \"列 \"\"名\" TEXT);
         INSERT INTO t VALUES (1, 9223372036854775807, 0.1, 'タブ\t改行\n😀''', x'00ff68', '12.50', 'any', NULL, '', '値')",
    )
    .await;
    assert_kept(
        &lab,
        &[
            ("i", Some("9223372036854775807")),
            ("r", Some("0.1")),
            ("x", Some("タブ\t改行\n😀'")),
            ("b", Some("AP9o")),
            ("n", Some("12.5")),
            ("d", Some("any")),
            ("nul", None),
            ("emp", Some("")),
            ("列 \"名", Some("値")),
        ],
    )
    .await;
}
