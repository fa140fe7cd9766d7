//! Formulas: `単価 * ユーザー数`, `SUM(小計)`, `姓 & " " & 名`.

use crate::instant::DAY;
use crate::kintone::value::Value;
use crate::number::Decimal;

/// What a field code stands for.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    One(Value),
    /// The cells of a table's column.
    Many(Vec<Value>),
}

/// The value of a formula; `None` when it divides by zero, overflows, or is no formula.
pub(crate) fn evaluate(text: &str, operand: &dyn Fn(&str) -> Option<Operand>) -> Option<Value> {
    let mut parser = Parser { rest: text, operand };
    let value = parser.joined()?;
    parser.rest.trim().is_empty().then_some(value)
}

/// Whether the text is a formula whose fields are all known.
pub(crate) fn is_valid(text: &str, knows: &dyn Fn(&str) -> bool) -> bool {
    let one = Decimal::new(1, 0);
    evaluate(text, &|code| knows(code).then(|| Operand::Many(vec![Value::Num(one)]))).is_some()
}

struct Parser<'a> {
    rest: &'a str,
    operand: &'a dyn Fn(&str) -> Option<Operand>,
}

impl Parser<'_> {
    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn joined(&mut self) -> Option<Value> {
        let mut value = self.sum()?;
        while self.take('&') {
            let next = self.sum()?;
            value = Value::text(value.written() + &next.written());
        }
        Some(value)
    }

    fn sum(&mut self) -> Option<Value> {
        let mut value = self.product()?;
        loop {
            let is_minus = if self.take('+') {
                false
            } else if self.take('-') {
                true
            } else {
                return Some(value);
            };
            let next = number(&self.product()?)?;
            value = Value::Num(number(&value)?.plus(if is_minus { next.negated() } else { next })?);
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut value = self.atom()?;
        loop {
            if self.take('*') {
                let next = number(&self.atom()?)?;
                value = Value::Num(number(&value)?.times(next, 12)?);
            } else if self.take('/') {
                let next = number(&self.atom()?)?;
                value = Value::Num(number(&value)?.over(next)?);
            } else {
                return Some(value);
            }
        }
    }

    fn atom(&mut self) -> Option<Value> {
        if self.take('(') {
            let value = self.joined()?;
            return self.take(')').then_some(value);
        }
        if self.take('-') {
            let value = number(&self.atom()?)?;
            return Some(Value::Num(value.negated()));
        }
        if self.take('"') {
            let (text, rest) = self.rest.split_once('"')?;
            self.rest = rest;
            return Some(Value::text(text));
        }
        self.rest = self.rest.trim_start();
        let is_end = |letter: char| letter.is_whitespace() || "+-*/()&\"".contains(letter);
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() {
            return None;
        }
        if word.starts_with(|letter: char| letter.is_ascii_digit()) {
            return Decimal::parse(word).map(Value::Num);
        }
        if word == "SUM" && self.take('(') {
            let inner = self.rest.trim_start();
            let (code, rest) = inner.split_once(')')?;
            self.rest = rest;
            let cells = match (self.operand)(code.trim())? {
                Operand::One(value) => vec![value],
                Operand::Many(values) => values,
            };
            let zero = Decimal::new(0, 0);
            return cells.iter().try_fold(zero, |sum, cell| sum.plus(number(cell)?)).map(Value::Num);
        }
        match (self.operand)(word)? {
            Operand::One(value) => Some(value),
            Operand::Many(values) => Some(values.first().cloned().unwrap_or(Value::Empty)),
        }
    }
}

/// What a value counts for: nothing is zero, times are seconds.
fn number(value: &Value) -> Option<Decimal> {
    let secs = |secs: i64| Some(Decimal::new(i128::from(secs), 0));
    match value {
        Value::Empty => secs(0),
        Value::Num(number) => Some(*number),
        Value::Date(days) => secs(i64::from(*days) * DAY),
        Value::Time(minutes) => secs(i64::from(*minutes) * 60),
        Value::Instant(at) => secs(*at),
        Value::Text(text) => Decimal::parse(text),
        Value::Word(text) => Decimal::parse(text),
        Value::List(_) | Value::Files(_) | Value::Rows(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        let operand = |code: &str| match code {
            "単価" => Some(Operand::One(Value::Num(Decimal::parse("12.5").unwrap()))),
            "空" => Some(Operand::One(Value::Empty)),
            "小計" => Some(Operand::Many([1, 2, 3].map(|number| Value::Num(Decimal::new(number, 0))).to_vec())),
            "姓" => Some(Operand::One(Value::text("佐藤"))),
            _ => None,
        };
        evaluate(text, &operand).map(|value| value.written())
    }

    #[test]
    fn formulas_are_computed_exactly() {
        assert_eq!(value("単価 * 2 - (1 + 4) / 2").as_deref(), Some("22.500000000000"));
        assert_eq!(value("SUM(小計) + 空").as_deref(), Some("6"));
        assert_eq!(value("姓 & \" 様\"").as_deref(), Some("佐藤 様"));
        assert_eq!((value("単価 / 空"), value("知らない + 1"), value("単価 単価")), (None, None, None));
    }
}
