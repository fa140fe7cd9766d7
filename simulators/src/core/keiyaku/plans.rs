//! The price list, as XML and as CSV in CP932.

use encoding_rs::SHIFT_JIS;

use crate::core::kind::Kind;
use crate::core::value::Object;
use crate::core::visit::Visit;
use crate::wire::Reply;

fn plans(visit: &Visit<'_>) -> Vec<Object> {
    let state = &visit.state;
    state.ids(Kind::Plans, 1, None).filter_map(|id| state.record(Kind::Plans, id, state.seen())).collect()
}

/// `GET plans.xml`
pub(super) fn xml(visit: &mut Visit<'_>) -> Reply {
    let plans = plans(visit);
    visit.rows = plans.len() as u64;
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plans>\n".to_owned();
    for plan in &plans {
        let (id, name, price) = (escape(plan.word("id")), escape(plan.word("name")), grouped(plan.word("price")));
        text.push_str(&format!(
            "  <plan id=\"{id}\"><name>{name}</name><price currency=\"JPY\">{price}</price></plan>\n"
        ));
    }
    text.push_str("</plans>\n");
    Reply::text(200, "application/xml; charset=UTF-8", text)
}

/// `GET plans.csv`
pub(super) fn csv(visit: &mut Visit<'_>) -> Reply {
    let plans = plans(visit);
    visit.rows = plans.len() as u64;
    let mut text = "プランID,プラン名,単価,通貨\r\n".to_owned();
    for plan in &plans {
        let cells =
            [plan.word("id").to_owned(), plan.word("name").to_owned(), grouped(plan.word("price")), "JPY".into()];
        text.push_str(&cells.map(quoted).join(","));
        text.push_str("\r\n");
    }
    Reply::text(200, "text/csv; charset=Shift_JIS", SHIFT_JIS.encode(&text).0.into_owned())
}

/// `1,200` of `1200`; what is no whole number stays as it is.
fn grouped(number: &str) -> String {
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut text = String::new();
    for (place, digit) in number.chars().enumerate() {
        if place > 0 && (number.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_grouped_and_cells_quoted_where_they_must_be() {
        assert_eq!(["980", "1200", "1234567", "1200.5"].map(grouped), ["980", "1,200", "1,234,567", "1200.5"]);
        assert_eq!(quoted("1,200".into()), "\"1,200\"");
        assert_eq!(escape("a & <b>"), "a &amp; &lt;b&gt;");
    }
}
