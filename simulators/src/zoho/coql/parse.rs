//! Reads a query. At each level of brackets two conditions can be joined, and no more.

use serde_json::json;

use super::ast::{Aggregate, Condition, Item, Select};
use super::lex::{Kind, Token, syntax, tokens};
use crate::zoho::filter::Op;
use crate::zoho::refusal::Answer;

/// How deep brackets go.
const DEEPEST: usize = 60;

pub(crate) fn parse(query: &str) -> Answer<Select> {
    let mut reader = Reader { tokens: tokens(query)?, at: 0, depth: 0 };
    let select = reader.select()?;
    let rest = reader.next();
    if rest.kind == Kind::End { Ok(select) } else { Err(rest.refusal()) }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// Takes a keyword, if it is next.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.peek().kind == Kind::Word && self.peek().text.eq_ignore_ascii_case(word);
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_next = self.peek().kind == Kind::Sign && self.peek().text == sign;
        self.at += usize::from(is_next);
        is_next
    }

    fn needs(&mut self, word: &str) -> Answer<()> {
        if self.takes(word) { Ok(()) } else { Err(self.peek().refusal()) }
    }

    fn needs_sign(&mut self, sign: &str) -> Answer<()> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.peek().refusal()) }
    }

    fn name(&mut self) -> Answer<String> {
        let token = self.next();
        if token.kind == Kind::Word { Ok(token.text) } else { Err(token.refusal()) }
    }

    fn select(&mut self) -> Answer<Select> {
        self.needs("select")?;
        let mut items = vec![self.item()?];
        while self.takes_sign(",") {
            items.push(self.item()?);
        }
        self.needs("from")?;
        let module = self.name()?;
        if !self.takes("where") {
            return Err(syntax(json!({"clause": "where"})));
        }
        let condition = self.condition()?;
        let mut select =
            Select { items, module, condition, group_by: Vec::new(), order_by: Vec::new(), offset: 0, limit: None };
        if self.takes("group") {
            self.needs("by")?;
            select.group_by.push(self.name()?);
            while self.takes_sign(",") {
                select.group_by.push(self.name()?);
            }
        }
        if self.takes("order") {
            self.needs("by")?;
            select.order_by.push(self.ordering()?);
            while self.takes_sign(",") {
                select.order_by.push(self.ordering()?);
            }
        }
        if self.takes("limit") {
            let first = self.whole()?;
            select.limit = Some(first);
            if self.takes_sign(",") {
                (select.offset, select.limit) = (first, Some(self.whole()?));
            }
        }
        if self.takes("offset") {
            select.offset = self.whole()?;
        }
        Ok(select)
    }

    fn whole(&mut self) -> Answer<u64> {
        let token = self.next();
        token.text.parse().map_err(|_| token.refusal())
    }

    fn item(&mut self) -> Answer<Item> {
        let name = self.name()?;
        let sum = Aggregate::ALL.into_iter().find(|sum| name.eq_ignore_ascii_case(sum.name()));
        let (path, sum) = match sum {
            Some(sum) if self.takes_sign("(") => {
                let path = self.name()?;
                self.needs_sign(")")?;
                (path, Some(sum))
            }
            _ => (name, None),
        };
        let alias = if self.takes("as") { Some(self.name()?) } else { None };
        Ok(Item { path, sum, alias })
    }

    fn ordering(&mut self) -> Answer<(String, bool)> {
        let name = self.name()?;
        let falls = self.takes("desc");
        if !falls {
            self.takes("asc");
        }
        Ok((name, falls))
    }

    /// One condition, or two that are joined.
    fn condition(&mut self) -> Answer<Condition> {
        let first = self.operand()?;
        let joined = if self.takes("and") {
            Condition::And(Box::new(first), Box::new(self.operand()?))
        } else if self.takes("or") {
            Condition::Or(Box::new(first), Box::new(self.operand()?))
        } else {
            return Ok(first);
        };
        let next = self.peek();
        if next.kind == Kind::Word && ["and", "or"].iter().any(|word| next.text.eq_ignore_ascii_case(word)) {
            return Err(next.refusal());
        }
        Ok(joined)
    }

    fn operand(&mut self) -> Answer<Condition> {
        if !self.takes_sign("(") {
            return self.test();
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.peek().refusal());
        }
        let condition = self.condition()?;
        self.needs_sign(")")?;
        self.depth -= 1;
        Ok(condition)
    }

    fn test(&mut self) -> Answer<Condition> {
        let path = self.name()?;
        let signs = [
            ("=", Op::Equal, false),
            ("!=", Op::Equal, true),
            ("<", Op::Less, false),
            ("<=", Op::LessEqual, false),
            (">", Op::Greater, false),
            (">=", Op::GreaterEqual, false),
        ];
        if let Some((_, op, negated)) = signs.into_iter().find(|(sign, ..)| self.takes_sign(sign)) {
            let values = vec![self.literal()?];
            return Ok(Condition::Test { path, op, negated, values });
        }
        if self.takes("is") {
            let negated = self.takes("not");
            self.needs("null")?;
            return Ok(Condition::Test { path, op: Op::Null, negated, values: Vec::new() });
        }
        let negated = self.takes("not");
        let (op, values) = if self.takes("in") {
            self.needs_sign("(")?;
            let mut values = vec![self.literal()?];
            while self.takes_sign(",") {
                values.push(self.literal()?);
            }
            self.needs_sign(")")?;
            (Op::In, values)
        } else if self.takes("between") {
            let first = self.literal()?;
            self.needs("and")?;
            (Op::Between, vec![first, self.literal()?])
        } else if self.takes("like") {
            (Op::Like, vec![self.literal()?])
        } else {
            return Err(self.peek().refusal());
        };
        Ok(Condition::Test { path, op, negated, values })
    }

    fn literal(&mut self) -> Answer<String> {
        let token = self.next();
        let is_literal = matches!(token.kind, Kind::Text | Kind::Number)
            || (token.kind == Kind::Word && ["true", "false"].contains(&token.text.as_str()));
        if is_literal { Ok(token.text) } else { Err(token.refusal()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_conditions_are_joined_at_each_level_and_no_more() {
        for (condition, is_right) in [
            ("a = 1", true),
            ("(a = 1)", true),
            ("a = 1 and b = 2", true),
            ("((a = 1 and b = 2) and c = 'x')", true),
            ("((a >= 1 and a < 2) and (a > 1 or id > '5'))", true),
            ("a = 1 and b = 2 and c = 3", false),
            ("(a = 1 and b = 2 or c = 3)", false),
            ("a between 1 and 2 and b not like '%x'", true),
            ("a in ('x', 'y') or b is not null", true),
            ("a = x", false),
        ] {
            let parsed = parse(&format!("select id from Deals where {condition} order by id asc limit 5, 10"));
            assert_eq!(parsed.is_ok(), is_right, "{condition}: {parsed:?}");
        }
    }

    #[test]
    fn refusals_tell_the_place() {
        let refusal = parse("select id fro Deals where id is not null").unwrap_err();
        assert_eq!(refusal.details, json!({"line": 1, "column": 11, "near": "fro"}));
        assert_eq!(parse("select id from Deals limit 1").unwrap_err().details, json!({"clause": "where"}));
    }
}
