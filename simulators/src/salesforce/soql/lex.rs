//! Cuts a query into tokens.

use super::Complaint;
use super::ast::Constant;
use crate::number::Decimal;
use crate::salesforce::instant;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A name or keyword; dots belong to it.
    Word(String),
    Literal(Constant),
    /// `(`, `)`, `,`, `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
    /// As written, for complaints.
    pub(crate) text: String,
}

/// The longest statement that is accepted, in characters.
const LONGEST: usize = 100_000;

/// The tokens of `soql`, ended by [`Kind::End`].
pub(crate) fn tokens(soql: &str) -> Result<Vec<Token>, Complaint> {
    let characters: Vec<char> = soql.chars().collect();
    if characters.len() > LONGEST {
        return Err(Complaint::plain("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters."));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let kind = match first {
            '\'' => {
                let (text, end) = string(soql, &characters, at)?;
                at = end;
                Kind::Literal(Constant::Text(text))
            }
            c if c.is_ascii_digit() || (matches!(c, '-' | '+' | '.') && digit_at(&characters, at + 1)) => {
                at = run(&characters, at + 1, |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '+'));
                let text: String = characters[start..at].iter().collect();
                Kind::Literal(number_or_date(soql, start, &text)?)
            }
            c if c.is_alphabetic() || c == '_' => {
                at = run(&characters, at, |c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':'));
                Kind::Word(characters[start..at].iter().collect())
            }
            _ => {
                let two: String = characters[at..characters.len().min(at + 2)].iter().collect();
                let sign = ["!=", "<>", "<=", ">=", "(", ")", ",", "=", "<", ">"]
                    .into_iter()
                    .find(|sign| two.starts_with(sign))
                    .ok_or_else(|| unexpected(soql, at, &first.to_string()))?;
                at += sign.len();
                Kind::Sign(if sign == "<>" { "!=" } else { sign })
            }
        };
        tokens.push(Token { kind, at: start, text: characters[start..at].iter().collect() });
    }
    tokens.push(Token { kind: Kind::End, at: characters.len(), text: "<EOF>".to_owned() });
    Ok(tokens)
}

/// The complaint about something that does not belong where it stands.
pub(crate) fn unexpected(soql: &str, at: usize, text: &str) -> Complaint {
    Complaint::at("MALFORMED_QUERY", soql, at, &format!("unexpected token: '{text}'"))
}

fn digit_at(characters: &[char], at: usize) -> bool {
    characters.get(at).is_some_and(char::is_ascii_digit)
}

fn run(characters: &[char], from: usize, belongs: impl Fn(char) -> bool) -> usize {
    characters[from..].iter().position(|&c| !belongs(c)).map_or(characters.len(), |length| from + length)
}

fn number_or_date(soql: &str, at: usize, text: &str) -> Result<Constant, Complaint> {
    if let Some(number) = Decimal::parse(text) {
        return Ok(Constant::Number(number));
    }
    if let Some(days) = instant::parse_date(text) {
        return Ok(Constant::Date(days));
    }
    match instant::parse_datetime(text) {
        Some(secs) if secs >= EARLIEST => Ok(Constant::Instant(secs)),
        Some(_) => Err(Complaint::at("INVALID_FIELD", soql, at, &format!("Invalid datetime: {text}"))),
        None => Err(unexpected(soql, at, text)),
    }
}

/// 1700-01-01: datetimes before it are refused.
const EARLIEST: i64 = -8_520_336_000;

fn string(soql: &str, characters: &[char], open: usize) -> Result<(String, usize), Complaint> {
    let mut text = String::new();
    let mut at = open + 1;
    loop {
        match characters.get(at) {
            None => return Err(Complaint::at("MALFORMED_QUERY", soql, open, "line 1: unterminated string literal")),
            Some('\'') => return Ok((text, at + 1)),
            Some('\\') => {
                let escaped = match characters.get(at + 1) {
                    Some('n' | 'N') => '\n',
                    Some('r' | 'R') => '\r',
                    Some('t' | 'T') => '\t',
                    Some('b' | 'B') => '\u{8}',
                    Some('f' | 'F') => '\u{c}',
                    Some(&c @ ('\'' | '"' | '\\')) => c,
                    Some(&c @ ('_' | '%')) => {
                        // Kept escaped: only LIKE knows what it means.
                        text.push('\\');
                        c
                    }
                    Some('u') => {
                        let digits: String = characters.iter().skip(at + 2).take(4).collect();
                        at += 4;
                        u32::from_str_radix(&digits, 16)
                            .ok()
                            .and_then(char::from_u32)
                            .ok_or_else(|| illegal_escape(soql, at - 4))?
                    }
                    _ => return Err(illegal_escape(soql, at)),
                };
                text.push(escaped);
                at += 2;
            }
            Some(&c) => {
                text.push(c);
                at += 1;
            }
        }
    }
}

fn illegal_escape(soql: &str, at: usize) -> Complaint {
    Complaint::at("MALFORMED_QUERY", soql, at, "Illegal escape sequence in string literal")
}
