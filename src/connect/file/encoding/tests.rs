//! Encodings found out, and read.

use super::*;

const TEXT: &str = "コード,顧客名,備考\n001,株式会社アクメ,髙橋様①\n002,ソ連表示予定,～\n";

fn detect(bytes: &[u8]) -> Decided {
    let mut detector = Detector::new(bytes);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        detector.see(line);
    }
    detector.verdict()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn usual_encodings_are_found_out_and_why_is_told() {
    let found = |bytes: &[u8]| {
        let Decided { encoding, why } = detect(bytes);
        format!("{encoding}: {why}")
    };
    assert_eq!(found(TEXT.as_bytes()), "utf-8: fits 3 of 3 lines, others fewer");
    assert_eq!(found(&SHIFT_JIS.encode(TEXT).0), "cp932: fits 3 of 3 lines, others fewer");
    assert_eq!(found(&EUC_JP.encode(&TEXT.replace('～', "-")).0), "euc-jp: fits 3 of 3 lines, others fewer");
    assert_eq!(found(b"id,name\n1,plain\n"), "utf-8: all of it is ASCII so far");
    assert_eq!(found(&utf16(&format!("\u{feff}{TEXT}"), u16::to_le_bytes)), "utf-16le: by its byte order mark");
    assert_eq!(found(&utf16(&format!("\u{feff}{TEXT}"), u16::to_be_bytes)), "utf-16be: by its byte order mark");
    assert_eq!(found(&utf16("id,name,amount\n1,a,3\n", u16::to_le_bytes)), "utf-16le: by its zeros");
    assert_eq!(found(&utf16("id,name,amount\n1,a,3\n", u16::to_be_bytes)), "utf-16be: by its zeros");
}

#[test]
fn one_damaged_line_does_not_turn_a_file_into_another_encoding() {
    let mut bytes = TEXT.repeat(10).into_bytes();
    bytes.extend_from_slice(b"003,\xE6\xA0\n");
    assert_eq!(detect(&bytes).encoding, Encoding::Utf8);
    let mut bytes = SHIFT_JIS.encode(&TEXT.repeat(10)).0.into_owned();
    bytes.extend_from_slice(b"003,\x81\n");
    assert_eq!(detect(&bytes).encoding, Encoding::Cp932);
}

#[test]
fn bytes_that_do_not_fit_are_shown_where_they_stand() {
    let mut bytes = SHIFT_JIS.encode("青").0.into_owned();
    bytes.extend_from_slice(b"\xFFx\x81");
    assert_eq!(Encoding::Cp932.decode_marked(&bytes), ("青<FF>x<81>".to_owned(), vec![(2, 3), (4, 5)]));
    assert_eq!(Encoding::Utf8.decode_marked(b"a\xE6\xA0b"), ("a<E6 A0>b".to_owned(), vec![(1, 3)]));
    assert_eq!(Encoding::EucJis2004.decode_marked(b"a\xA4\n"), ("a<A4>\n".to_owned(), vec![(1, 2)]));
    assert_eq!(Encoding::ShiftJis2004.decode_marked(b"a\x82\xFAb"), ("a<82 FA>b".to_owned(), vec![(1, 3)]));
}

#[test]
fn characters_of_nec_and_ibm_and_the_wave_dash_are_read_as_windows_reads_them() {
    for (bytes, text) in [
        (&b"\xFB\xFC"[..], "髙"),
        (b"\xED\x95", "﨑"),
        (b"\x87\x40", "①"),
        (b"\x87\x8A", "㈱"),
        (b"\x81\x60", "～"),
        (b"\x81\x7C", "－"),
        (b"\x5C\x7E", "\\~"),
        (b"\xB1", "ｱ"),
    ] {
        assert_eq!(Encoding::Cp932.decode(bytes).as_deref(), Some(text));
    }
}

#[test]
fn jis_x_0213_has_all_its_characters() {
    let mut count = 0;
    for plane in 1_u8..=2 {
        for row in 1_u8..=94 {
            for cell in 1_u8..=94 {
                let mut bytes = if plane == 2 { vec![0x8F] } else { Vec::new() };
                bytes.extend([0xA0 + row, 0xA0 + cell]);
                count += usize::from(Encoding::EucJis2004.decode(&bytes).is_some());
            }
        }
    }
    assert_eq!(count, 11_233);
    // What the standard and x0213.org give, in both ways of writing.
    for (shift_jis, euc, text) in [
        (&b"\x88\x9F"[..], &b"\xB0\xA1"[..], "亜"),
        (b"\x87\x9F", b"\xAE\xA1", "\u{4FF1}"),
        (b"\x82\xF5", b"\xA4\xF7", "か\u{309A}"),
        (b"\xF0\x40", b"\x8F\xA1\xA1", "\u{20089}"),
        (b"\xF0\x9F", b"\x8F\xA8\xA1", "宖"),
        (b"\xFC\xF4", b"\x8F\xFE\xF6", "\u{2A6B2}"),
        (b"\xC5", b"\x8E\xC5", "ﾅ"),
        (b"\x81\x5F", b"\x5C", "\\"),
    ] {
        assert_eq!(Encoding::ShiftJis2004.decode(shift_jis).as_deref(), Some(text), "{shift_jis:02X?}");
        assert_eq!(Encoding::EucJis2004.decode(euc).as_deref(), Some(text), "{euc:02X?}");
    }
    assert_eq!(Encoding::ShiftJis2004.decode(b"\x5C\x7E").as_deref(), Some("¥‾"));
}

#[test]
fn utf_16_is_turned_into_utf_8_whatever_the_pieces() {
    use std::io::Read;
    let text = "id,名\n1,😀髙\n\u{0A0A}\u{010A}\n";
    for (bytes, is_big) in [(utf16(text, u16::to_le_bytes), false), (utf16(text, u16::to_be_bytes), true)] {
        let mut out = String::new();
        Utf16::new(bytes.as_slice(), is_big).read_to_string(&mut out).unwrap();
        assert_eq!(out, text);
    }
    let half: Vec<u8> = [0x61_u16, 0xD83D, 0x62].into_iter().flat_map(u16::to_le_bytes).collect();
    let mut out = Vec::new();
    Utf16::new(half.as_slice(), false).read_to_end(&mut out).unwrap();
    assert_eq!(out, b"a\xFFb");
}
