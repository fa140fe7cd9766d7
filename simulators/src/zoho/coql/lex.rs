//! Cuts a query into tokens.

use serde_json::json;

use crate::zoho::refusal::{Answer, Refusal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword; dots belong to it.
    Word,
    /// In quotes; without them here.
    Text,
    Number,
    /// `(`, `)`, `,`, `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign,
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// Where it begins, from 1.
    line: usize,
    column: usize,
}

impl Token {
    /// What is said when it does not belong where it stands.
    pub(crate) fn refusal(&self) -> Refusal {
        syntax(json!({"line": self.line, "column": self.column, "near": self.text}))
    }
}

pub(crate) fn syntax(details: serde_json::Value) -> Refusal {
    Refusal::new(400, "SYNTAX_ERROR", "invalid query formed").with(details)
}

/// The tokens of a query, ended by [`Kind::End`].
pub(crate) fn tokens(query: &str) -> Answer<Vec<Token>> {
    let characters: Vec<char> = query.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line, mut begin) = (0, 1, 0);
    while let Some(&first) = characters.get(at) {
        if first == '\n' {
            line += 1;
            begin = at + 1;
        }
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let mut text = String::new();
        let kind = match first {
            '\'' => {
                at += 1;
                loop {
                    match characters.get(at) {
                        // A quote in a text is escaped.
                        Some('\\') if characters.get(at + 1).is_some() => {
                            text.push(characters[at + 1]);
                            at += 2;
                        }
                        Some('\'') => break,
                        Some(other) => {
                            text.push(*other);
                            at += 1;
                        }
                        None => return Err(syntax(json!({"line": line, "column": start - begin + 1, "near": text}))),
                    }
                }
                at += 1;
                Kind::Text
            }
            c if c.is_ascii_digit() || c == '-' => {
                at = run(&characters, at + 1, |c| c.is_ascii_digit() || c == '.');
                Kind::Number
            }
            c if c.is_alphabetic() || c == '_' || c == '$' => {
                at = run(&characters, at, |c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
                Kind::Word
            }
            _ => {
                let two: String = characters[at..characters.len().min(at + 2)].iter().collect();
                let sign =
                    ["!=", "<=", ">=", "(", ")", ",", "=", "<", ">"].into_iter().find(|sign| two.starts_with(sign));
                let Some(sign) = sign else {
                    return Err(syntax(json!({"line": line, "column": start - begin + 1, "near": first.to_string()})));
                };
                at += sign.len();
                Kind::Sign
            }
        };
        if kind != Kind::Text {
            text = characters[start..at].iter().collect();
        }
        tokens.push(Token { kind, text, line, column: start - begin + 1 });
    }
    tokens.push(Token { kind: Kind::End, text: String::new(), line, column: at - begin + 1 });
    Ok(tokens)
}

fn run(characters: &[char], from: usize, belongs: impl Fn(char) -> bool) -> usize {
    characters[from..].iter().position(|&c| !belongs(c)).map_or(characters.len(), |length| from + length)
}
