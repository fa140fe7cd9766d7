//! CSV as a careful client reads it: cell by cell, and nothing guessed.

/// The lines of a text whose cells all stand in quotes.
pub(crate) fn lines(text: &str, delimiter: char, line_ending: &str) -> Vec<Vec<String>> {
    let mut lines = vec![Vec::new()];
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.strip_prefix('"').unwrap_or_else(|| panic!("a cell without quotes at {rest:.40}"));
        let mut cell = String::new();
        loop {
            let end = rest.find('"').unwrap();
            cell.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    cell.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        lines.last_mut().unwrap().push(cell);
        if let Some(more) = rest.strip_prefix(delimiter) {
            rest = more;
        } else {
            rest = rest.strip_prefix(line_ending).unwrap();
            lines.push(Vec::new());
        }
    }
    assert_eq!(lines.pop(), Some(Vec::new()));
    lines
}
