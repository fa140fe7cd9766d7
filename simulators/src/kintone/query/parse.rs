//! From tokens to a query.

use super::ast::{Argument, Condition, Operator, Query, Test};
use super::lex::{Token, lex};

/// Reads a query; `None` when its syntax is wrong. Keywords are lower case, or with `any_case` in any.
pub(crate) fn parse(text: &str, any_case: bool) -> Option<Query> {
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, any_case };
    let mut query = Query::default();
    if !tokens.is_empty() && !parser.is_at_clause() {
        query.condition = Some(parser.any()?);
    }
    if parser.word("order") {
        if !parser.word("by") {
            return None;
        }
        loop {
            let field = parser.take_word()?;
            // Without a direction the service sorts downwards.
            let rises = parser.word("asc");
            if !rises {
                parser.word("desc");
            }
            query.order.push((field, rises));
            if !parser.sign(",") {
                break;
            }
        }
    }
    if parser.word("limit") {
        query.limit = Some(parser.take_word()?.parse().ok()?);
    }
    if parser.word("offset") {
        query.offset = Some(parser.take_word()?.parse().ok()?);
    }
    parser.tokens.is_empty().then_some(query)
}

struct Parser<'a> {
    tokens: &'a [Token],
    any_case: bool,
}

impl Parser<'_> {
    fn is_word(&self, place: usize, wanted: &str) -> bool {
        match self.tokens.get(place) {
            Some(Token::Word(word)) if self.any_case => word.eq_ignore_ascii_case(wanted),
            Some(Token::Word(word)) => word == wanted,
            _ => false,
        }
    }

    fn is_at_clause(&self) -> bool {
        let is_number = matches!(self.tokens.get(1), Some(Token::Word(_)));
        (self.is_word(0, "order") && self.is_word(1, "by"))
            || ((self.is_word(0, "limit") || self.is_word(0, "offset")) && is_number)
    }

    fn word(&mut self, wanted: &str) -> bool {
        let is_there = self.is_word(0, wanted);
        if is_there {
            self.tokens = &self.tokens[1..];
        }
        is_there
    }

    fn sign(&mut self, wanted: &str) -> bool {
        let is_there = matches!(self.tokens.first(), Some(Token::Sign(sign)) if *sign == wanted);
        if is_there {
            self.tokens = &self.tokens[1..];
        }
        is_there
    }

    fn take_word(&mut self) -> Option<String> {
        let (first, rest) = self.tokens.split_first()?;
        let Token::Word(word) = first else { return None };
        self.tokens = rest;
        Some(word.clone())
    }

    fn any(&mut self) -> Option<Condition> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Option<Condition> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self) -> Option<Condition> {
        if self.sign("(") {
            let inner = self.any()?;
            return self.sign(")").then_some(inner);
        }
        let field = self.take_word()?;
        let (operator, arguments) = self.comparison()?;
        Some(Condition::Test(Test { field, operator, arguments }))
    }

    fn comparison(&mut self) -> Option<(Operator, Vec<Argument>)> {
        let signs = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        if let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.sign(sign)) {
            return Some((operator, vec![self.argument()?]));
        }
        if self.word("is") {
            let operator = if self.word("not") { Operator::IsNotEmpty } else { Operator::IsEmpty };
            return self.word("empty").then_some((operator, Vec::new()));
        }
        let is_not = self.word("not");
        if self.word("like") {
            let operator = if is_not { Operator::NotLike } else { Operator::Like };
            return Some((operator, vec![self.argument()?]));
        }
        if !self.word("in") || !self.sign("(") {
            return None;
        }
        let mut arguments = vec![self.argument()?];
        while self.sign(",") {
            arguments.push(self.argument()?);
        }
        let operator = if is_not { Operator::NotIn } else { Operator::In };
        self.sign(")").then_some((operator, arguments))
    }

    fn argument(&mut self) -> Option<Argument> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match first {
            Token::Text(text) => Some(Argument::Text(text.clone())),
            Token::Word(word) if self.sign("(") => {
                let mut arguments = Vec::new();
                while !self.sign(")") {
                    arguments.push(self.take_word()?);
                    self.sign(",");
                }
                Some(Argument::Call(word.clone(), arguments))
            }
            Token::Word(word) => {
                let digits = word.strip_prefix('-').unwrap_or(word);
                digits.starts_with(|letter: char| letter.is_ascii_digit()).then(|| Argument::Text(word.clone()))
            }
            Token::Sign(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_tighter_than_or_and_blanks_are_of_all_kinds() {
        let query =
            parse("A = \"1\" or B in (\"x\",\n\"y\")　and $id > 5 order by $id asc, 更新日時 limit 10 offset 5", false)
                .unwrap();
        let Some(Condition::Any(parts)) = query.condition else { panic!("no or") };
        assert!(matches!(&parts[1], Condition::All(parts) if parts.len() == 2));
        assert_eq!(query.order, [("$id".to_owned(), true), ("更新日時".to_owned(), false)]);
        assert_eq!((query.limit, query.offset), (Some(10), Some(5)));
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in [
            "limit 5 order by $id",
            "offset 5 limit 5",
            "A =",
            "A like",
            "`A` = 1",
            "A = \"\t\"",
            "A = \"x",
            "A == 1",
            "(A = 1",
            "ORDER BY $id",
        ] {
            assert_eq!(parse(text, false), None, "{text}");
        }
        assert!(parse("A = 1 AND B = 2 ORDER BY $id ASC", true).is_some());
        assert!(parse("", false).is_some() && parse("A = \"a\\tb\\\"\"", false).is_some());
    }
}
