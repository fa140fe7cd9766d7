//! Numbers with units of ten (120万, 1億2,000万, 3百万) and in kanji (三百二十万, 二〇二五).

/// Reads a number that has at least one unit or kanji digit, in narrow forms, without signs and marks: its digits and
/// how many of them are decimal places. `None` for any other text, also for one without units.
///
/// Units come from large to small (`1億2000万`, not `2000万1億`), each part below the unit before it; only a number
/// that stands alone before its units can have decimals (`1.5億`).
pub(crate) fn read(text: &str) -> Option<(u128, i32)> {
    if text.contains('.') {
        return with_decimals(text);
    }
    let mut sum = Sum { total: 0, section: 0, digits: None, last_small: u128::MAX, last_large: u128::MAX };
    let mut has_unit = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let end = rest.bytes().position(|byte| !byte.is_ascii_digit() && byte != b',').unwrap_or(rest.len());
            sum.push(grouped(&rest[..end])?)?;
            rest = &rest[end..];
            continue;
        }
        has_unit = true;
        if kanji_digit(first).is_some() {
            let (value, after) = positional(rest)?;
            sum.push(value)?;
            rest = after;
            continue;
        }
        match unit(first)? {
            small if small < 10_000 => sum.small(small)?,
            large => sum.large(large)?,
        }
        rest = &rest[first.len_utf8()..];
    }
    if has_unit { Some((sum.finish()?, 0)) } else { None }
}

/// The value of a kanji that is a digit, those of contracts (壱, 弐) included.
fn kanji_digit(c: char) -> Option<u128> {
    Some(match c {
        '〇' | '零' => 0,
        '一' | '壱' => 1,
        '二' | '弐' => 2,
        '三' | '参' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn unit(c: char) -> Option<u128> {
    Some(match c {
        '十' | '拾' => 10,
        '百' => 100,
        '千' => 1_000,
        '万' | '萬' => 10_000,
        '億' => 100_000_000,
        '兆' => 1_000_000_000_000,
        _ => return None,
    })
}

/// Kanji digits one after the other: 二〇二五.
fn positional(text: &str) -> Option<(u128, &str)> {
    let mut value = 0u128;
    let mut rest = text;
    while let Some((c, digit)) = rest.chars().next().and_then(|c| Some((c, kanji_digit(c)?))) {
        value = value.checked_mul(10)?.checked_add(digit)?;
        rest = &rest[c.len_utf8()..];
    }
    Some((value, rest))
}

/// ASCII digits, with commas between groups of three or without.
fn grouped(text: &str) -> Option<u128> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let is_right = !text.contains(',') || ((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3));
    if !is_right || text.len() > 40 {
        return None;
    }
    text.bytes()
        .filter(|byte| *byte != b',')
        .try_fold(0u128, |sum, byte| sum.checked_mul(10)?.checked_add(u128::from(byte - b'0')))
}

/// `1.5億`, `1.25百万`: one number, then nothing but units.
fn with_decimals(text: &str) -> Option<(u128, i32)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '.'))?;
    let (number, units) = text.split_at(end);
    let (whole, fraction) = number.split_once('.')?;
    if fraction.is_empty() || fraction.len() > 20 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut last = 0;
    let mut factor = 1u128;
    for c in units.chars() {
        let unit = unit(c)?;
        // 百万 and 千億 are said, 万百 and 億万 are not.
        if unit <= last || (last >= 10_000) {
            return None;
        }
        (last, factor) = (unit, factor.checked_mul(unit)?);
    }
    let whole = if whole.is_empty() { 0 } else { grouped(whole)? };
    let places = i32::try_from(fraction.len()).ok()?;
    let digits = whole.checked_mul(10u128.checked_pow(places.unsigned_abs())?)?.checked_add(fraction.parse().ok()?)?;
    Some((digits.checked_mul(factor)?, places))
}

/// What was read of a number so far.
struct Sum {
    total: u128,
    /// What comes before the next of 万, 億, 兆.
    section: u128,
    digits: Option<u128>,
    last_small: u128,
    last_large: u128,
}

impl Sum {
    fn push(&mut self, value: u128) -> Option<()> {
        match self.digits.replace(value) {
            Some(_) => None,
            None => Some(()),
        }
    }

    /// 十, 百 or 千; without digits in front it is one of them.
    fn small(&mut self, unit: u128) -> Option<()> {
        let value = self.digits.take().unwrap_or(1).checked_mul(unit)?;
        if unit >= self.last_small || value >= self.last_small || value == 0 {
            return None;
        }
        self.section = self.section.checked_add(value)?;
        self.last_small = unit;
        Some(())
    }

    /// The digits behind the last small unit belong to it.
    fn close_section(&mut self) -> Option<u128> {
        let rest = self.digits.take().unwrap_or(0);
        if self.last_small != u128::MAX && rest >= self.last_small {
            return None;
        }
        let section = self.section.checked_add(rest)?;
        (self.section, self.last_small) = (0, u128::MAX);
        Some(section)
    }

    /// 万, 億 or 兆.
    fn large(&mut self, unit: u128) -> Option<()> {
        let had_digits = self.digits.is_some() || self.section > 0;
        let value = self.close_section()?.checked_mul(unit)?;
        if !had_digits || unit >= self.last_large || value >= self.last_large {
            return None;
        }
        self.total = self.total.checked_add(value)?;
        self.last_large = unit;
        Some(())
    }

    fn finish(mut self) -> Option<u128> {
        let rest = self.close_section()?;
        if self.last_large != u128::MAX && rest >= self.last_large {
            return None;
        }
        self.total.checked_add(rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A number as it is said, in kanji.
    fn spoken(mut value: u64) -> String {
        let digits = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        let mut text = String::new();
        for (unit, name) in [(1_000_000_000_000, "兆"), (100_000_000, "億"), (10_000, "万"), (1, "")] {
            let mut section = value / unit;
            value %= unit;
            if section == 0 {
                continue;
            }
            for (small, name) in [(1_000, "千"), (100, "百"), (10, "十")] {
                let digit = section / small;
                section %= small;
                if digit > 0 {
                    let one = if digit == 1 { "" } else { digits[digit as usize] };
                    text.push_str(&format!("{one}{name}"));
                }
            }
            text.push_str(digits[section as usize]);
            text.push_str(name);
        }
        text
    }

    #[test]
    fn numbers_are_read_as_they_are_said() {
        for (text, value) in [
            ("120万", 1_200_000),
            ("1億2,000万", 120_000_000),
            ("1億2千万", 120_000_000),
            ("3百万", 3_000_000),
            ("500千", 500_000),
            ("三百二十万", 3_200_000),
            ("十", 10),
            ("百万", 1_000_000),
            ("二〇二五", 2025),
            ("一億〇五百万", 105_000_000),
            ("金", -1),
            ("万", -1),
            ("1万2億", -1),
            ("2,000万1億", -1),
            ("1億20000万", -1),
            ("1百2千", -1),
            ("1,20万", -1),
            ("120", -1),
            ("1.5億2000万", -1),
            ("1.5億万", -1),
        ] {
            let expected = u128::try_from(value).ok().map(|value| (value, 0));
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read("1.5億"), Some((1_500_000_000, 1)));
        assert_eq!(read("1.25百万"), Some((125_000_000, 2)));
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_it_is_spoken(value in 1u64..10_000_000_000_000_000) {
            prop_assert_eq!(read(&spoken(value)), Some((u128::from(value), 0)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9,.一二三十百千万億兆〇]{0,12}") {
            let _ = read(&text);
        }
    }
}
