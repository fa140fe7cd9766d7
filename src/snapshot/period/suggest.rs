//! What was probably meant by a text that is no period.

use crate::schema::VariableType;
use crate::schema::types::{TypeOptions, Value, parse};

/// Texts in lower case that were perhaps meant, the likeliest first; not all of them are periods.
pub(super) fn candidates(text: &str) -> Vec<String> {
    let lower = narrow(text);
    let dashed = dashed(&lower);
    let mut found = vec![dashed.clone()];
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match dashed.len() {
        6 if is_digits(&dashed) => found.push(format!("{}-{}", &dashed[..4], &dashed[4..])),
        8 if is_digits(&dashed) => found.push(format!("{}-{}-{}", &dashed[..4], &dashed[4..6], &dashed[6..])),
        // A day that its month does not have: its last one.
        10 if dashed.is_ascii() => found.extend((28..=31).rev().map(|day| format!("{}-{day}", &dashed[..7]))),
        _ => {}
    }
    found.extend(part_of_year(&dashed));
    let joined: String = lower.split_whitespace().collect();
    found.extend(relative(&joined));
    found.extend(japanese(&joined));
    let is_near = |word: &&str| strsim::damerau_levenshtein(&lower, word) <= 2;
    found.extend(["today", "yesterday", "latest"].iter().filter(|word| is_near(word)).map(|word| (*word).to_owned()));
    found
}

/// Whether `text` has the shape of a month, but no month has that number.
pub(super) fn is_month_out_of_range(text: &str) -> bool {
    let dashed = dashed(&narrow(text));
    let Some((year, month)) = dashed.split_once('-') else {
        return false;
    };
    year.len() == 4 && year.parse::<u32>().is_ok() && month.parse::<u32>().is_ok_and(|month| !(1..=12).contains(&month))
}

/// Lower case and narrow forms.
fn narrow(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// `2025/10/1`, `2025 10 1` and `2025年10月1日` as `2025-10-01`.
fn dashed(lower: &str) -> String {
    let dashes: String = lower
        .chars()
        .filter(|c| *c != '日')
        .map(|c| if c.is_whitespace() || matches!(c, '/' | '.' | '_' | '年' | '月') { '-' } else { c })
        .collect();
    let pad = |part: &str| match part.as_bytes() {
        [digit] if digit.is_ascii_digit() => format!("0{part}"),
        _ => part.to_owned(),
    };
    // A leading dash is that of a relative period; doubled ones come of a separator and a space.
    let (first, rest) = dashes.trim_end_matches('-').split_once('-').unwrap_or((dashes.trim_end_matches('-'), ""));
    std::iter::once(first).chain(rest.split('-').filter(|part| !part.is_empty())).map(pad).collect::<Vec<_>>().join("-")
}

/// `2025q3`, `q3-2025`, `fy25`, `fy2025h1`, `2025年度`.
fn part_of_year(text: &str) -> Option<String> {
    let year_name = |digits: &str| match digits.len() {
        4 => Some(digits.to_owned()),
        2 => Some(format!("20{digits}")),
        _ => None,
    };
    let digits: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let year = year_name(digits.iter().max_by_key(|run| run.len())?)?;
    let is_fiscal = text.contains("fy") || text.contains('度');
    let part = text.find(['q', 'h', 'w']).and_then(|at| {
        let number: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        (!number.is_empty()).then(|| format!("-{}{number}", &text[at..=at]))
    });
    (is_fiscal || part.is_some())
        .then(|| format!("{}{year}{}", if is_fiscal { "fy" } else { "" }, part.unwrap_or_default()))
}

/// `6m`, `+6m`, `6months`, `-6か月`.
fn relative(lower: &str) -> Option<String> {
    let text = lower.trim_start_matches(['-', '+', '~']);
    let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=4).contains(end))?;
    let (count, unit) = text.split_at(end);
    let unit = match unit {
        _ if unit.starts_with("mo") || unit.ends_with('月') || unit == "m" => "m",
        _ if unit.starts_with('y') || unit.starts_with('年') => "y",
        _ if unit.starts_with('q') => "q",
        _ if unit.starts_with('w') || unit.starts_with('週') => "w",
        _ if unit.starts_with('d') || unit.starts_with('日') => "d",
        _ => return None,
    };
    (count.len() < 4).then(|| format!("-{count}{unit}"))
}

/// A date of an era, or its month: `令和7年10月`.
fn japanese(lower: &str) -> Option<String> {
    let day = |text: &str| match parse(VariableType::Date, &TypeOptions::default(), text) {
        Ok(Some(Value::Date(date))) => Some(date),
        _ => None,
    };
    day(lower)
        .map(|date| date.format("%Y-%m-%d").to_string())
        .or_else(|| day(&format!("{lower}1日")).map(|date| date.format("%Y-%m").to_string()))
}
