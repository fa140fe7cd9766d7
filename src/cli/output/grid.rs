//! Tables for people: aligned by display width, so that Japanese names line up.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// On which side of its column a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Text.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// How a table may look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Whether the header is bold.
    pub color: bool,
    /// The display columns that a line may take; `None`: as many as it needs.
    pub width: Option<usize>,
}

/// Text is cut no narrower than this, header included.
const NARROWEST: usize = 6;
const GAP: &str = "  ";

/// Draws a header, a line and the rows; every line ends with a newline and without trailing blanks.
///
/// A row has a text per column. Where the lines are longer than `look.width`, the widest left-aligned
/// columns are cut, ending in `…`; numbers are never cut, since a cut number is a wrong number. Control
/// characters are shown as symbols, so that a value cannot break the table or command the terminal.
pub fn draw(columns: &[(String, Align)], rows: &[Vec<String>], look: Look) -> String {
    let header: Vec<String> = columns.iter().map(|(label, _)| printable(label)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|label| label.width()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    if let Some(limit) = look.width {
        fit(&mut widths, columns, limit);
    }

    let mut out = String::new();
    let aligns: Vec<Align> = columns.iter().map(|(_, align)| *align).collect();
    let top = line(&header, &widths, &aligns);
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    if look.color {
        out.push_str(&format!("\u{1b}[1m{top}\u{1b}[0m\n"));
    } else {
        out.push_str(&format!("{top}\n"));
    }
    out.push_str(&format!("{}\n", rule.join(GAP)));
    for row in &rows {
        out.push_str(&line(row, &widths, &aligns));
        out.push('\n');
    }
    out
}

/// Groups the digits before the point by three: `-1,234,567.89`.
pub fn thousands(number: &str) -> String {
    let (sign, rest) = number.split_at(usize::from(number.starts_with('-')));
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (whole, tail) = rest.split_at(digits);
    let mut out = String::with_capacity(number.len() + whole.len() / 3);
    out.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + tail
}

/// `text` filled with blanks to `width` display columns, or cut to it with a `…` at the end.
pub fn pad(text: &str, width: usize, align: Align) -> String {
    let text = cut(text, width);
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match align {
        Align::Left => text + &blanks,
        Align::Right => blanks + &text,
    }
}

fn line(cells: &[String], widths: &[usize], aligns: &[Align]) -> String {
    let cells = cells.iter().zip(widths).zip(aligns).map(|((cell, width), align)| pad(cell, *width, *align));
    cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// `text` without what does not fit into `width` display columns; then it ends in `…`.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = c.width().unwrap_or(0);
        if used + next + 1 > width {
            break;
        }
        used += next;
        out.push(c);
    }
    out.push('…');
    out
}

/// Takes from the widest text column, one display column at a time, until the line fits or none can give.
fn fit(widths: &mut [usize], columns: &[(String, Align)], limit: usize) {
    loop {
        let total = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        let Some(over) = total.checked_sub(limit).filter(|over| *over > 0) else { return };
        let mut texts: Vec<usize> =
            (0..widths.len()).filter(|index| columns[*index].1 == Align::Left && widths[*index] > NARROWEST).collect();
        texts.sort_by_key(|index| std::cmp::Reverse(widths[*index]));
        let Some(widest) = texts.first().copied() else { return };
        let second = texts.get(1).map_or(NARROWEST, |index| widths[*index]);
        let give = over.min((widths[widest] - second).max(1));
        widths[widest] -= give;
    }
}

fn printable(text: &str) -> String {
    let symbol = |c: char| match c {
        '\n' => '⏎',
        '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        // Overrides of the writing direction would let a name rearrange the line.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<(String, Align)> {
        vec![("社名".into(), Align::Left), ("MRR".into(), Align::Right), ("担当".into(), Align::Left)]
    }

    fn rows() -> Vec<Vec<String>> {
        vec![
            vec!["株式会社アクメ".into(), thousands("1200000"), "佐藤".into()],
            vec!["ACME Inc.".into(), thousands("-5000.25"), String::new()],
        ]
    }

    #[test]
    fn japanese_names_line_up_and_numbers_stand_right() {
        insta::assert_snapshot!(draw(&columns(), &rows(), Look::default()), @r"
        社名                  MRR  担当
        ──────────────  ─────────  ────
        株式会社アクメ  1,200,000  佐藤
        ACME Inc.       -5,000.25
        ");
    }

    #[test]
    fn long_text_is_cut_to_the_terminal_and_numbers_never_are() {
        insta::assert_snapshot!(draw(&columns(), &rows(), Look { color: false, width: Some(26) }), @r"
        社名             MRR  担当
        ─────────  ─────────  ────
        株式会社…  1,200,000  佐藤
        ACME Inc.  -5,000.25
        ");
        let narrow = draw(&columns(), &rows(), Look { color: false, width: Some(3) });
        assert!(narrow.contains("1,200,000"), "{narrow}");
    }

    #[test]
    fn every_line_fits_the_terminal_whatever_the_texts() {
        let columns: Vec<_> = ["a", "bb", "ccc"].iter().map(|name| (name.to_string(), Align::Left)).collect();
        let rows =
            vec![vec!["年".repeat(50), "x".repeat(31), "短".into()], vec!["y".into(), "輪".repeat(9), "z".into()]];
        for width in 30..120 {
            for line in draw(&columns, &rows, Look { color: false, width: Some(width) }).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_value_cannot_break_the_table_or_command_the_terminal() {
        let drawn = draw(&[("v".into(), Align::Left)], &[vec!["a\nb\u{1b}[31mc\u{202e}d".into()]], Look::default());
        assert_eq!(drawn.lines().last(), Some("a⏎b\u{fffd}[31mc\u{fffd}d"));
    }

    #[test]
    fn the_header_is_bold_only_in_colour() {
        assert!(!draw(&columns(), &rows(), Look::default()).contains('\u{1b}'));
        assert!(draw(&columns(), &rows(), Look { color: true, width: None }).starts_with("\u{1b}[1m社名"));
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let grouped: Vec<_> = ["0", "999", "1000", "-123456", "1234567.8901", "1e21"].map(thousands).into();
        assert_eq!(grouped, ["0", "999", "1,000", "-123,456", "1,234,567.8901", "1e21"]);
    }
}
