//! Marks beside the digits of a number: currencies and the percent sign.

/// What stood around the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Percent,
    Yen,
    Dollar,
    Euro,
    Pound,
    /// An ISO 4217 code.
    Code([u8; 3]),
}

impl Mark {
    /// Whether an amount in `currency` (ISO 4217) can be marked so.
    pub(super) fn fits(self, currency: &str) -> bool {
        match self {
            Mark::None => true,
            Mark::Percent => false,
            Mark::Yen => matches!(currency, "JPY" | "CNY"),
            Mark::Dollar => matches!(currency, "USD" | "AUD" | "CAD" | "HKD" | "NZD" | "SGD" | "TWD"),
            Mark::Euro => currency == "EUR",
            Mark::Pound => currency == "GBP",
            Mark::Code(code) => currency.as_bytes() == code,
        }
    }
}

/// A currency mark that `text` begins with, and its length in bytes.
pub(super) fn leading(text: &str) -> Option<(Mark, usize)> {
    let first = text.chars().next()?;
    match first {
        // CP932 shows the backslash as a yen sign, and so it is typed.
        '¥' | '\\' => Some((Mark::Yen, first.len_utf8())),
        '$' => Some((Mark::Dollar, 1)),
        '€' => Some((Mark::Euro, first.len_utf8())),
        '£' => Some((Mark::Pound, first.len_utf8())),
        _ => {
            let code: [u8; 3] = text.as_bytes().get(..3)?.try_into().ok()?;
            let next = text.as_bytes().get(3)?;
            (code.iter().all(u8::is_ascii_uppercase) && !next.is_ascii_alphabetic()).then_some((Mark::Code(code), 3))
        }
    }
}

/// The currency that a text names by itself: a code, or a sign; in narrow forms and capitals.
pub(super) fn of_currency(text: &str) -> Option<Mark> {
    if let Ok(code) = <[u8; 3]>::try_from(text.as_bytes())
        && code.iter().all(u8::is_ascii_uppercase)
    {
        return Some(Mark::Code(code));
    }
    let (mark, length) = leading(text).or_else(|| trailing(text))?;
    (length == text.len() && mark != Mark::Percent).then_some(mark)
}

/// A mark that `text` ends with, and its length in bytes.
pub(super) fn trailing(text: &str) -> Option<(Mark, usize)> {
    let last = text.chars().next_back()?;
    match last {
        '%' => Some((Mark::Percent, 1)),
        '円' => Some((Mark::Yen, last.len_utf8())),
        '€' => Some((Mark::Euro, last.len_utf8())),
        _ => {
            let bytes = text.as_bytes();
            let start = bytes.len().checked_sub(3)?;
            let code: [u8; 3] = bytes.get(start..)?.try_into().ok()?;
            let before = bytes.get(start.checked_sub(1)?)?;
            (code.iter().all(u8::is_ascii_uppercase) && !before.is_ascii_alphabetic()).then_some((Mark::Code(code), 3))
        }
    }
}
