//! Rows of every format that is text.

use super::*;
use crate::connect::file::encoding::Encoding;
use crate::connect::file::lines::{Given, Lines};

const START: Place = Place { offset: 0, number: 1 };

fn lines(bytes: impl AsRef<[u8]>, encoding: Encoding, given: Given) -> Lines {
    Lines::new(Box::new(std::io::Cursor::new(bytes.as_ref().to_vec())), encoding, given, START)
}

/// Every row and what is none, one after the other.
fn shown(rows: &mut dyn Rows) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(step) = rows.next().unwrap() {
        found.push(match step {
            Step::Bad(bad) => {
                let misfit = bad.misfit.map_or(String::new(), |misfit| format!(" [{misfit}]"));
                format!("{}{}! {}{misfit} | {}", rows.number(), bad.place, bad.reason, bad.raw)
            }
            Step::Row => {
                let cells: Vec<String> =
                    (0..rows.len()).map(|i| rows.cell(i).map_or("-".to_owned(), |cell| format!("{cell:?}"))).collect();
                format!("{}: {}", rows.number(), cells.join(" "))
            }
        });
    }
    found
}

fn csv(text: &str, width: usize) -> Vec<String> {
    let found = shown(&mut Csv::new(lines(text, Encoding::Utf8, Given::Text), Given::Text, b',', Some(width)));
    // Undecoded, rows begin at the same lines and have the same keys.
    let mut decoded = Csv::new(lines(text, Encoding::Utf8, Given::Text), Given::Text, b',', Some(width));
    let mut bytes = Csv::new(lines(text, Encoding::Utf8, Given::Bytes), Given::Bytes, b',', Some(width));
    while let Some(step) = decoded.next().unwrap() {
        let other = bytes.next().unwrap().unwrap();
        assert_eq!((other == Step::Row, bytes.number()), (step == Step::Row, decoded.number()));
        assert_eq!(bytes.position(), decoded.position());
        if step == Step::Row {
            assert_eq!(bytes.key_hash(&[0]), decoded.key_hash(&[0]));
            assert_eq!(bytes.key_hash(&[0, 1]), decoded.key_hash(&[0, 1]));
            assert_eq!(bytes.is_blank(), decoded.is_blank());
        }
    }
    assert_eq!(bytes.next().unwrap(), None);
    found
}

#[test]
fn cells_are_read_as_written() {
    assert_eq!(
        csv("1,\"a,b\",\"say \"\"hi\"\"\"\r\n\r\n2,,\"\"\n3,\"two\r\nlines\",5\" pipe\n4,x,y\u{1a}", 3),
        [r#"1: "1" "a,b" "say \"hi\"""#, r#"3: "2" - -"#, r#"4: "3" "two\r\nlines" "5\" pipe""#, r#"6: "4" "x" "y""#,]
    );
    assert_eq!(csv("1,2\n\u{1a}", 2), [r#"1: "1" "2""#]);
    assert_eq!(csv("\"a\"\"\",\"\"\"b\"\r\n", 2), [r#"1: "a\"" "\"b""#]);
    assert_eq!(csv("\"\",x\n\"k\",\"\"\"\"", 2), [r#"1: - "x""#, r#"2: "k" "\"""#]);
}

#[test]
fn a_forgotten_quote_costs_one_line_and_not_the_rest_of_the_file() {
    assert_eq!(
        csv("1,\"a\n2,b\n3,\"c\"\n4,d\n", 2),
        [
            "1! a quote is opened in this line and not closed properly | 1,\"a",
            r#"2: "2" "b""#,
            r#"3: "3" "c""#,
            r#"4: "4" "d""#,
        ]
    );
    assert_eq!(
        csv("1,\"a\n2,b\n", 2),
        ["1! a quote is opened in this line and not closed properly | 1,\"a", r#"2: "2" "b""#]
    );
}

#[test]
fn rows_of_another_width_and_damaged_lines_are_bad_with_their_line() {
    assert_eq!(
        csv("1,a,b\n2\n3,\"x\"y\n4,n\0l\n5,ok\n", 2),
        [
            "1! the row has 3 cells, the header 2 | 1,a,b",
            "2! the row has 1 cells, the header 2 | 2",
            "3! text follows a closing quote; a quote inside a cell is written twice | 3,\"x\"y",
            "4! the line holds a NUL character: it is damaged, or in another encoding | 4,n\0l",
            r#"5: "5" "ok""#,
        ]
    );
}

#[test]
fn bytes_that_mean_nothing_are_told_with_their_cell() {
    let mut bytes = encoding_rs::SHIFT_JIS.encode("1,青葉,x\n2,").0.into_owned();
    bytes.extend_from_slice(b"\xFF,y\n\"3\n\xFF\",a,b\n4,c,d\n");
    let found = shown(&mut Csv::new(lines(&bytes, Encoding::Cp932, Given::Text), Given::Text, b',', Some(3)));
    assert_eq!(
        found,
        [
            r#"1: "1" "青葉" "x""#,
            "2, cell 2! bytes that the encoding does not have [<FF> at byte 3] | 2,<FF>,y",
            "3! a quote is opened in this line and not closed properly | \"3",
            "4, cell 1! bytes that the encoding does not have [<FF> at byte 1] | <FF>\",a,b",
            r#"5: "4" "c" "d""#,
        ]
    );
}

#[test]
fn a_delimiter_that_may_be_half_of_a_character_is_looked_for_in_the_text() {
    // 0x7C, the bar, is the second byte of ポ.
    let bytes = encoding_rs::SHIFT_JIS.encode("1|ポータル|a\n").0.into_owned();
    assert!(!Encoding::Cp932.keeps_apart(b'|') && Encoding::Cp932.keeps_apart(b';'));
    let found = shown(&mut Csv::new(lines(bytes, Encoding::Cp932, Given::Text), Given::Text, b'|', Some(3)));
    assert_eq!(found, [r#"1: "1" "ポータル" "a""#]);
}

#[test]
fn rows_that_span_the_blocks_in_which_lines_are_read_stay_whole() {
    let long = "x".repeat(200 << 10);
    let text = format!("1,\"{long}\n{long}\"\n2,b\n\"3\",\"{long}\"\"\n{long}\"\n");
    let found = csv(&text, 2);
    assert_eq!(found.len(), 3);
    assert_eq!(found[1], r#"3: "2" "b""#);
    assert!(found[2].starts_with("4: \"3\"") && found[2].len() > 400 << 10);
}

fn fixed(bytes: &[u8], widths: &[usize], by_characters: bool) -> Vec<String> {
    let mut start = 0;
    let columns = widths.iter().enumerate().map(|(at, width)| {
        start += width;
        FixedColumn { name: format!("c{at}"), start: start - width, width: *width }
    });
    let lines = lines(bytes, Encoding::Cp932, Given::Bytes);
    shown(&mut FixedRows::new(lines, Encoding::Cp932, columns.collect(), by_characters))
}

#[test]
fn fixed_places_count_bytes_as_hosts_do_or_characters() {
    let text = "C001青葉商事　　001200\r\nC002ｱｸﾒ         98\r\nC003\r\nC004桜0000000000000000000000\n";
    let bytes = encoding_rs::SHIFT_JIS.encode(text).0;
    assert_eq!(
        fixed(&bytes, &[4, 12, 6], false),
        [
            r#"1: "C001" "青葉商事" "001200""#,
            r#"2: "C002" "ｱｸﾒ" "98""#,
            "3! the line is too short: 4 bytes, the last column begins behind 16 | C003",
            "4! the line is too long: text stands behind the last column (22 bytes) | C004桜0000000000000000000000",
        ]
    );
    let bytes = encoding_rs::SHIFT_JIS.encode("C001青葉001\n").0;
    assert_eq!(fixed(&bytes, &[4, 2, 3], true), [r#"1: "C001" "青葉" "001""#]);
    // A column that ends within a character does not fit, and says which.
    assert_eq!(
        fixed(&bytes, &[4, 3, 4], false),
        [
            "1, cell 2! a column ends in the middle of a character: `start` and `width` do not fit this line | C001青葉001"
        ]
    );
    assert_eq!(
        fixed(b"C0\xFF1ab\n", &[4, 2], false),
        ["1, cell 1! bytes that the encoding does not have [<FF> at byte 3] | C0<FF>1ab"]
    );
}

fn json(text: &str) -> Vec<String> {
    let columns = json_columns(lines(text, Encoding::Utf8, Given::Text), u64::MAX).unwrap();
    shown(&mut JsonRows::new(lines(text, Encoding::Utf8, Given::Text), &columns))
}

#[test]
fn json_lines_keep_the_text_of_numbers_and_order_what_is_nested() {
    assert_eq!(
        json(
            "{\"id\":\"1\",\"mrr\":1.10,\"tags\":[\"b\",\"a\"]}\n\n{\"id\":2,\"at\":{\"z\":1,\"a\":null},\"ok\":true,\"mrr\":null}\n"
        ),
        [r#"1: "1" "1.10" "[\"b\",\"a\"]" - -"#, r#"3: "2" - - "{\"a\":null,\"z\":1}" "true""#,]
    );
    assert_eq!(
        json("{\"id\":\"\\u9752\\n\",\"big\":123456789012345678901234567890}\n"),
        [r#"1: "青\n" "123456789012345678901234567890""#]
    );
}

#[test]
fn lines_that_are_no_object_are_bad_with_what_is_wrong() {
    assert_eq!(
        json("{\"id\":1}\n[1]\n{\"id\":2,\n{\"id\":3,\"id\":4}\n{\"id\":5} x\n"),
        [
            r#"1: "1""#,
            "2! the line is no JSON object: invalid type: sequence, expected an object | [1]",
            "3! the line is no JSON object: EOF while parsing a value | {\"id\":2,",
            "4! `id` stands there twice | {\"id\":3,\"id\":4}",
            "5! the line is no JSON object: trailing characters | {\"id\":5} x",
        ]
    );
}
