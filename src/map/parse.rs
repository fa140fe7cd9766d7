//! Text to syntax tree, and syntax errors that say where and what to do.

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token};

/// What is wrong with a text that is no expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// What: lower case, no full stop.
    pub(crate) message: String,
    /// Where in the text; empty when all of it is meant.
    pub(crate) span: Span,
    /// What to do.
    pub(crate) advice: Option<String>,
}

/// The syntax tree of one SQL expression; text after its end is an error.
pub(crate) fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text).map_err(|error| syntax_error(text, error))?;
    let expr = parser.parse_expr().map_err(|error| syntax_error(text, error))?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF {
        return Ok(expr);
    }
    let found = rest.token.to_string();
    Err(SyntaxError {
        message: format!("`{found}` is not expected here"),
        advice: advice(text, rest.span),
        span: rest.span,
    })
}

fn syntax_error(text: &str, error: ParserError) -> SyntaxError {
    let (told, is_token) = match error {
        ParserError::TokenizerError(told) => (told, true),
        ParserError::ParserError(told) => (told, false),
        ParserError::RecursionLimitExceeded => {
            let message = "the expression is nested too deeply".to_owned();
            return SyntaxError {
                message,
                span: Span::empty(),
                advice: Some("split it into two variables".to_owned()),
            };
        }
    };
    let (what, location) = split_location(&told);
    let start = location.unwrap_or_else(|| end_of(text));
    let span = Span::new(start, Location::new(start.line, start.column + 1));
    let mut message = what.replace("EOF", "the end of the expression");
    if let Some(rest) = message.strip_prefix("Expected: ") {
        message = format!("expected {}", rest.replace(", found: ", ", found "));
    } else if is_token {
        message = message.trim_start_matches("sql parser error: ").to_owned();
        message = format!("cannot be read as SQL: {}", lower_first(&message));
    } else {
        message = lower_first(&message);
    }
    SyntaxError { message, advice: advice(text, span), span }
}

/// Parts the message of the parser from the location that it ends with.
fn split_location(told: &str) -> (&str, Option<Location>) {
    let Some((what, place)) = told.rsplit_once(" at Line: ") else { return (told, None) };
    let location = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some(Location::new(line.trim().parse().ok()?, column.trim().parse().ok()?)));
    (what, location)
}

fn end_of(text: &str) -> Location {
    let line = text.lines().count().max(1);
    let column = text.lines().last().map_or(0, |last| last.chars().count());
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Location::new(number(line), number(column.max(1)))
}

/// Full-width signs are easily typed in a Japanese text and hard to see.
fn advice(text: &str, span: Span) -> Option<String> {
    let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
    let sign = text.lines().nth(at(span.start.line))?.chars().nth(at(span.start.column))?;
    let narrow = match sign {
        '\u{3000}' => return Some("a full-width space stands here; write an ordinary one".to_owned()),
        '！'..='～' => char::from_u32(u32::from(sign) - 0xFEE0)?,
        '・' | '「' | '」' | '【' | '】' | '※' | '$' | '.' | '[' | ']' | '{' | '}' | '?' | '\\' => {
            return Some("write the name of a field that contains such a sign in double quotes".to_owned());
        }
        _ => return None,
    };
    Some(format!(
        "`{sign}` is full-width: write `{narrow}`, or double quotes around the name of a field that contains it"
    ))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_identifiers_need_no_quotes() {
        assert!(parse("売上 || フェーズ").is_ok());
    }

    #[test]
    fn a_text_that_goes_on_after_the_expression_is_refused() {
        let error = parse("a b").unwrap_err();
        assert_eq!(error.message, "`b` is not expected here");
        assert_eq!(error.span.start, Location::new(1, 3));
    }

    #[test]
    fn a_full_width_parenthesis_is_named() {
        let error = parse("lower（a）").unwrap_err();
        assert_eq!(
            error.advice.as_deref(),
            Some("`（` is full-width: write `(`, or double quotes around the name of a field that contains it")
        );
    }
}
