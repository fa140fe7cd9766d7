//! The forms that an answer may be written in, each into a tree.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use super::config::Format;
use crate::connect::http::Answer;
use crate::connect::tree::{Tree, from_text, parse};
use crate::record::Rejected;

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) tree: Tree,
    /// Rows of CSV that are no records.
    pub(super) rejected: Vec<Rejected>,
}

/// Why an answer could not be read; values are not told.
pub(super) struct Unreadable {
    pub(super) what: String,
    /// Whether it may be whole when it is asked for again.
    pub(super) is_cut: bool,
}

/// Reads an answer in the form that was set, or that it says.
///
/// # Errors
///
/// When it is not written in that form.
pub(super) fn read(answer: &Answer, format: Format, encoding: Option<&'static Encoding>) -> Result<Parsed, Unreadable> {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let charset =
        kind.split_once("charset=").map(|(_, name)| name.trim_matches(['"', ' ']).split(';').next().unwrap_or(name));
    let charset = charset.and_then(|name| Encoding::for_label(name.trim_end_matches('"').as_bytes())).or(encoding);
    let format = match format {
        Format::Auto if kind.contains("csv") => Format::Csv,
        Format::Auto if kind.contains("xml") => Format::Xml,
        Format::Auto => Format::Json,
        other => other,
    };
    let whole = |tree| Parsed { tree, rejected: Vec::new() };
    match format {
        Format::Csv => csv(&answer.body, charset.unwrap_or(UTF_8)),
        Format::Xml => xml(&decoded(&answer.body, charset.or_else(|| declared(&answer.body)))?).map(whole),
        Format::Auto | Format::Json => {
            let text = decoded(&answer.body, charset)?;
            parse(&text).map(whole).map_err(|error| Unreadable {
                what: format!("what is not JSON at line {} column {}", error.line(), error.column()),
                is_cut: error.is_eof(),
            })
        }
    }
}

fn decoded<'a>(body: &'a [u8], encoding: Option<&'static Encoding>) -> Result<Cow<'a, str>, Unreadable> {
    let encoding = encoding.unwrap_or(UTF_8);
    let (text, encoding, is_bad) = encoding.decode(body);
    if is_bad {
        let what = format!("bytes that are not {}", encoding.name());
        return Err(Unreadable { what, is_cut: true });
    }
    Ok(text)
}

/// The encoding that an XML declaration names.
fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(200)];
    let at = head.windows(9).position(|part| part == b"encoding=")? + 9;
    let quote = *head.get(at)?;
    let name = head[at + 1..].split(|byte| *byte == quote).next()?;
    Encoding::for_label(name)
}

/// Rows of CSV as objects. A row that is no record is rejected with its line, and the others are read.
fn csv(body: &[u8], encoding: &'static Encoding) -> Result<Parsed, Unreadable> {
    let (text, ..) = encoding.decode(body);
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut record = ::csv::StringRecord::new();
    let not_csv = |error: ::csv::Error| Unreadable {
        what: format!("what is not CSV near line {}", error.position().map_or(0, ::csv::Position::line)),
        is_cut: false,
    };
    if !reader.read_record(&mut record).map_err(not_csv)? {
        return Err(Unreadable { what: "CSV without a header row".to_owned(), is_cut: true });
    }
    let header: Vec<String> = record.iter().map(str::to_owned).collect();
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    while reader.read_record(&mut record).map_err(not_csv)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        let reason = if record.len() != header.len() {
            Some(format!("the row has {} cells, the header {}", record.len(), header.len()))
        } else if record.iter().any(|cell| cell.contains('\u{fffd}')) {
            Some(format!("the line holds bytes that are not {}", encoding.name()))
        } else {
            None
        };
        match reason {
            Some(reason) => {
                let raw = record.iter().collect::<Vec<_>>().join(",");
                rejected.push(Rejected { place: format!("line {line}"), key: None, reason, raw });
            }
            None => {
                let cells = header.iter().zip(record.iter()).map(|(name, cell)| {
                    (name.clone(), if cell.is_empty() { Value::Null } else { from_text(cell.to_owned()) })
                });
                rows.push(Value::Object(cells.collect()));
            }
        }
    }
    Ok(Parsed { tree: Value::Array(rows), rejected })
}

/// XML as a tree: attributes with `@`, the text of an element that has attributes too as `#text`, elements of one name in
/// one place as a list.
fn xml(text: &str) -> Result<Tree, Unreadable> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Map<String, Value>, String)> = vec![(String::new(), Map::new(), String::new())];
    loop {
        let at = reader.buffer_position();
        let wrong = |is_cut: bool| Unreadable { what: format!("what is not XML at byte {at}"), is_cut };
        match reader.read_event().map_err(|_| wrong(false))? {
            Event::Start(element) => {
                if open.len() > 100 {
                    return Err(wrong(false));
                }
                open.push(begun(&element).ok_or_else(|| wrong(false))?);
            }
            Event::Empty(element) => {
                let element = begun(&element).ok_or_else(|| wrong(false))?;
                close(&mut open, element).ok_or_else(|| wrong(false))?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| wrong(false))?;
                close(&mut open, element).ok_or_else(|| wrong(false))?;
            }
            Event::Text(part) => append(&mut open, &part.xml10_content()),
            Event::CData(part) => append(&mut open, &part.xml10_content()),
            Event::GeneralRef(part) => match (part.resolve_char_ref(), resolve_predefined_entity(&part)) {
                (Ok(Some(letter)), _) => append(&mut open, letter.encode_utf8(&mut [0; 4])),
                (_, Some(text)) => append(&mut open, text),
                _ => return Err(wrong(false)),
            },
            Event::Eof => {
                return match open.len() {
                    1 => open.pop().map(|(_, members, _)| Value::Object(members)).ok_or_else(|| wrong(true)),
                    _ => Err(wrong(true)),
                };
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

type Element = (String, Map<String, Value>, String);

fn begun(element: &BytesStart<'_>) -> Option<Element> {
    let mut members = Map::new();
    for attribute in element.attributes() {
        let attribute = attribute.ok()?;
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        members.insert(format!("@{}", attribute.key.into_inner()), from_text(value));
    }
    Some((element.name().into_inner().to_owned(), members, String::new()))
}

fn append(open: &mut [Element], part: &str) {
    if let Some((_, _, text)) = open.last_mut() {
        text.push_str(part);
    }
}

/// Puts a finished element into the one around it.
fn close(open: &mut [Element], (name, mut members, text): Element) -> Option<()> {
    let text = text.trim();
    let value = match (members.is_empty(), text.is_empty()) {
        (true, true) => Value::Null,
        (true, false) => from_text(text.to_owned()),
        (false, is_empty) => {
            if !is_empty {
                members.insert("#text".to_owned(), from_text(text.to_owned()));
            }
            Value::Object(members)
        }
    };
    let (_, around, _) = open.last_mut()?;
    match around.get_mut(&name) {
        None => drop(around.insert(name, value)),
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tree::text_of;

    #[test]
    fn xml_becomes_a_tree() {
        let text = "<?xml version=\"1.0\"?><plans><!-- x --><plan id=\"P&amp;1\"><name>基本 &#x5e74;&lt;</name><price currency=\"JPY\"> 1,200 </price></plan>\
                    <plan id=\"P2\"><name><![CDATA[a<b]]></name><price/></plan></plans>";
        let tree = xml(text).ok().unwrap();
        let told = text_of(&tree["plans"]["plan"]).unwrap().into_owned();
        let expected = r##"[{"@id":"P&1","name":"基本 年<","price":{"#text":"1,200","@currency":"JPY"}},{"@id":"P2","name":"a<b","price":null}]"##;
        assert_eq!(told, expected);
        for bad in ["<a><b></a>", "<a>", "<a>&nope;</a>"] {
            assert!(xml(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn csv_keeps_the_good_rows() {
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode("コード,名\nP1,髙橋①\nP2\nP3,\n");
        let mut bytes = bytes.into_owned();
        bytes.extend(b"P4,\x81\n");
        let parsed = csv(&bytes, encoding_rs::SHIFT_JIS).ok().unwrap();
        assert_eq!(text_of(&parsed.tree).unwrap(), r#"[{"コード":"P1","名":"髙橋①"},{"コード":"P3","名":null}]"#);
        let places: Vec<&str> = parsed.rejected.iter().map(|rejected| rejected.place.as_str()).collect();
        assert_eq!(places, ["line 3", "line 5"]);
    }
}
