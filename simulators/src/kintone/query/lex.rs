//! A query as tokens.

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A keyword, field code, function or number.
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 9] = ["!=", ">=", "<=", "=", ">", "<", "(", ")", ","];

/// The tokens of a query; `None` for what is no query.
pub(crate) fn lex(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Some(tokens) };
        if first == '"' {
            let (text, after) = string(&rest[1..])?;
            tokens.push(Token::Text(text));
            rest = after;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '`' || first == '\'' || first == '!' {
            return None;
        } else {
            let is_end = |letter: char| letter.is_whitespace() || "=!<>(),\"`'".contains(letter);
            let end = rest.find(is_end).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
}

/// A string up to its closing quote, and what follows. Control characters must be escaped.
fn string(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                't' => out.push('\t'),
                'n' => out.push('\n'),
                other => out.push(other),
            },
            letter if letter.is_control() => return None,
            letter => out.push(letter),
        }
    }
    None
}
