//! Reads a query.

use super::Complaint;
use super::ast::{Condition, Constant, Item, Literal, Name, Operator, Order, Path, Query};
use super::lex::{self, Kind, Token};

/// Reads `soql` whole.
pub(crate) fn parse(soql: &str) -> Result<Query, Complaint> {
    let mut parser = Parser { soql, tokens: lex::tokens(soql)?, next: 0 };
    let query = parser.query()?;
    match parser.peek().kind {
        Kind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    soql: &'a str,
    tokens: Vec<Token>,
    next: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn unexpected(&self) -> Complaint {
        let token = self.peek();
        lex::unexpected(self.soql, token.at, &token.text)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Complaint> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.peek().kind == Kind::Sign(match_sign(sign));
        self.next += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Complaint> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Result<Name, Complaint> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Word(text) if !KEYWORDS.iter().any(|keyword| text.eq_ignore_ascii_case(keyword)) => {
                self.next += 1;
                Ok(Name { text, at: token.at })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn path(&mut self) -> Result<Path, Complaint> {
        let name = self.name()?;
        let parts: Vec<String> = name.text.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(lex::unexpected(self.soql, name.at, &name.text));
        }
        Ok(Path { parts, at: name.at })
    }

    fn query(&mut self) -> Result<Query, Complaint> {
        self.expect_word("SELECT")?;
        let mut items = vec![self.item()?];
        while self.take_sign(",") {
            items.push(self.item()?);
        }
        self.expect_word("FROM")?;
        let from = self.name()?;
        let _ = self.take_word("AS");
        let alias = self.name().ok().map(|name| name.text);
        let filter = if self.take_word("WHERE") { Some(self.condition()?) } else { None };
        let order = if self.take_word("ORDER") { self.order()? } else { Vec::new() };
        let limit = if self.take_word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.take_word("OFFSET") { Some(self.count()?) } else { None };
        Ok(Query { items, from, alias, filter, order, limit, offset })
    }

    fn item(&mut self) -> Result<Item, Complaint> {
        if self.take_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if self.take_word("TYPEOF") {
            return self.type_of();
        }
        let path = self.path()?;
        if path.parts.len() > 1 || !self.take_sign("(") {
            return Ok(Item::Field(path));
        }
        let function = Name { text: path.text(), at: path.at };
        if function.text.eq_ignore_ascii_case("FIELDS") {
            let which = self.name()?;
            self.expect_sign(")")?;
            return Ok(Item::Fields(which));
        }
        let path = if self.take_sign(")") {
            None
        } else {
            let path = self.path()?;
            self.expect_sign(")")?;
            Some(path)
        };
        let alias = self.name().ok().map(|name| name.text);
        match path {
            None if function.text.eq_ignore_ascii_case("COUNT") && alias.is_none() => Ok(Item::CountAll),
            path => Ok(Item::Aggregate { function, path, alias }),
        }
    }

    /// What follows `TYPEOF`.
    fn type_of(&mut self) -> Result<Item, Complaint> {
        let lookup = self.path()?;
        let mut arms = Vec::new();
        while self.take_word("WHEN") {
            let object = self.name()?;
            self.expect_word("THEN")?;
            arms.push((object, self.paths()?));
        }
        if arms.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.take_word("ELSE") { self.paths()? } else { Vec::new() };
        self.expect_word("END")?;
        Ok(Item::Typeof { lookup, arms, otherwise })
    }

    fn paths(&mut self) -> Result<Vec<Path>, Complaint> {
        let mut paths = vec![self.path()?];
        while self.take_sign(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn order(&mut self) -> Result<Vec<Order>, Complaint> {
        self.expect_word("BY")?;
        let mut order = Vec::new();
        loop {
            let path = self.path()?;
            let descending = !self.take_word("ASC") && self.take_word("DESC");
            let nulls_last = if self.take_word("NULLS") {
                if self.take_word("LAST") {
                    Some(true)
                } else {
                    self.expect_word("FIRST")?;
                    Some(false)
                }
            } else {
                None
            };
            order.push(Order { path, descending, nulls_last });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    fn count(&mut self) -> Result<u64, Complaint> {
        let token = self.peek().clone();
        let Kind::Literal(Constant::Number(number)) = token.kind else { return Err(self.unexpected()) };
        let count = number.to_int().and_then(|count| u64::try_from(count).ok()).ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(count)
    }

    /// Conditions joined by one kind of word: mixing AND and OR needs parentheses.
    fn condition(&mut self) -> Result<Condition, Complaint> {
        let first = self.simple()?;
        let word = if self.is_word("AND") {
            "AND"
        } else if self.is_word("OR") {
            "OR"
        } else {
            return Ok(first);
        };
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(self.simple()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return Err(self.unexpected());
        }
        Ok(if word == "AND" { Condition::All(parts) } else { Condition::Any(parts) })
    }

    fn simple(&mut self) -> Result<Condition, Complaint> {
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.simple()?)));
        }
        if self.take_sign("(") {
            let inner = self.condition()?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        let negated = self.take_word("NOT");
        if self.take_word("IN") {
            return self.in_list(path, negated);
        }
        if negated {
            return Err(self.unexpected());
        }
        for (word, negated) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.take_word(word) {
                self.expect_sign("(")?;
                let literals = self.literals()?;
                return Ok(Condition::Includes { path, negated, literals });
            }
        }
        let operator = if self.take_word("LIKE") {
            Operator::Like
        } else {
            let Kind::Sign(sign) = self.peek().kind else { return Err(self.unexpected()) };
            let operator = match sign {
                "=" => Operator::Equal,
                "!=" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterEqual,
                _ => return Err(self.unexpected()),
            };
            self.next += 1;
            operator
        };
        Ok(Condition::Compare { path, operator, literal: self.literal()? })
    }

    fn in_list(&mut self, path: Path, negated: bool) -> Result<Condition, Complaint> {
        self.expect_sign("(")?;
        if self.is_word("SELECT") {
            let query = Box::new(self.query()?);
            self.expect_sign(")")?;
            return Ok(Condition::InQuery { path, negated, query });
        }
        Ok(Condition::In { path, negated, literals: self.literals()? })
    }

    fn literals(&mut self) -> Result<Vec<Literal>, Complaint> {
        let mut literals = vec![self.literal()?];
        while self.take_sign(",") {
            literals.push(self.literal()?);
        }
        self.expect_sign(")")?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, Complaint> {
        let token = self.peek().clone();
        let value = match token.kind {
            Kind::Literal(value) => value,
            Kind::Word(word) => named_literal(&word).ok_or_else(|| self.unexpected())?,
            _ => return Err(self.unexpected()),
        };
        if matches!(&value, Constant::Text(text) if text.chars().count() > 4_000) {
            return Err(Complaint::at(
                "MALFORMED_QUERY",
                self.soql,
                token.at,
                "string literal in WHERE clause is longer than 4000 characters",
            ));
        }
        self.next += 1;
        Ok(Literal { value, at: token.at })
    }
}

fn match_sign(sign: &str) -> &'static str {
    match sign {
        "(" => "(",
        ")" => ")",
        _ => ",",
    }
}

fn named_literal(word: &str) -> Option<Constant> {
    let upper = word.to_ascii_uppercase();
    Some(match upper.as_str() {
        "NULL" => Constant::Null,
        "TRUE" => Constant::Bool(true),
        "FALSE" => Constant::Bool(false),
        "TODAY" => Constant::Days(0, 0),
        "YESTERDAY" => Constant::Days(-1, -1),
        _ => {
            let days: i64 = upper.strip_prefix("LAST_N_DAYS:")?.parse().ok()?;
            Constant::Days(-days, 0)
        }
    })
}

/// Words that end a name's place; they cannot be aliases.
const KEYWORDS: [&str; 26] = [
    "SELECT", "FROM", "WHERE", "ORDER", "BY", "LIMIT", "OFFSET", "AND", "OR", "NOT", "IN", "LIKE", "ASC", "DESC",
    "NULLS", "INCLUDES", "EXCLUDES", "GROUP", "HAVING", "WITH", "FOR", "TYPEOF", "WHEN", "THEN", "ELSE", "END",
];
