//! Calls of ours that have rules of their own: safe division, look-up tables, the fiscal calendar, JSON paths.

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::operator::{conversion_advice, scalar};
use super::{Lowering, Typed, shortened};
use crate::map::diagnostic::{code, did_you_mean, nearest};
use crate::map::function::lookup;
use crate::map::function::on_fiscal::{Fiscal, Part};
use crate::map::function::on_json::{self, Json};
use crate::map::sql_type::SqlType;

/// An argument as written, and as understood.
type Argument<'e> = (&'e ast::Expr, Typed);

impl Lowering<'_, '_> {
    /// `divide(a, b)`, `divide(a, b, otherwise)`
    pub(super) fn divide(&mut self, span: Span, arguments: Vec<Argument<'_>>) -> Option<Typed> {
        let mut arguments = arguments.into_iter();
        let (Some(left), Some(right), otherwise, None) =
            (arguments.next(), arguments.next(), arguments.next(), arguments.next())
        else {
            let advice = "write `divide(a, b)`, or `divide(a, b, 0)` for what dividing by zero gives".to_owned();
            self.problem(code::ARGUMENTS, span, "`divide` takes two or three arguments", Some(advice));
            return None;
        };
        let divisor = right.1.clone();
        let quotient = self.arithmetic(left, &BinaryOperator::Divide, right)?;
        let Some((ast, otherwise)) = otherwise else { return Some(quotient) };
        if SqlType::Decimal.meet(otherwise.sql_type) != Some(SqlType::Decimal) {
            let text = shortened(&ast.to_string());
            let message = format!("`divide` needs a number here; `{text}` is {}", otherwise.sql_type.phrase());
            let advice = conversion_advice(ast, otherwise.sql_type, SqlType::Decimal);
            self.problem(code::TYPES, ast.span(), message, advice);
            return None;
        }
        let zero = Typed::literal(ScalarValue::Int64(Some(0)), SqlType::Integer).into_type(SqlType::Decimal);
        let divisor = divisor.into_type(SqlType::Decimal);
        let is_zero = Expr::BinaryExpr(BinaryExpr::new(Box::new(divisor), Operator::Eq, Box::new(zero)));
        let branch = (Box::new(is_zero), Box::new(otherwise.into_type(SqlType::Decimal)));
        Some(Typed::new(Expr::Case(Case::new(None, vec![branch], Some(Box::new(quotient.expr)))), SqlType::Decimal))
    }

    /// `lookup('table', key)`, `lookup('table', key, 'column')`
    pub(super) fn lookup(&mut self, span: Span, arguments: Vec<Argument<'_>>) -> Option<Typed> {
        let mut arguments = arguments.into_iter();
        let (Some(table), Some((key_ast, key)), column, None) =
            (arguments.next(), arguments.next(), arguments.next(), arguments.next())
        else {
            let advice = "write `lookup('table', key, 'column')`".to_owned();
            self.problem(code::ARGUMENTS, span, "`lookup` takes two or three arguments", Some(advice));
            return None;
        };
        let name = self.constant_text("lookup", "the table", &table)?;
        let Some(found) = self.env.settings.lookups.get(&name).cloned() else {
            let advice = self.env.settings.lookups.advice(&name);
            self.problem(code::LOOKUP_TABLE, table.0.span(), format!("unknown look-up table `{name}`"), Some(advice));
            return None;
        };
        let column = match &column {
            None if found.columns.len() == 2 => 1,
            None => {
                let names =
                    found.columns.iter().skip(1).map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
                let advice = format!("add the column as the third argument: {names}");
                let message = format!("which column of `{name}` is meant is not said");
                self.problem(code::LOOKUP_COLUMN, table.0.span(), message, Some(advice));
                return None;
            }
            Some(column) => {
                let wanted = self.constant_text("lookup", "the column", column)?;
                let Some(at) = found.columns.iter().position(|known| *known == wanted) else {
                    let near = nearest(&wanted, found.columns.iter().map(String::as_str)).map(did_you_mean);
                    let names = || format!("its columns are {}", found.columns.join(", "));
                    let message = format!("the look-up table `{name}` has no column `{wanted}`");
                    self.problem(code::LOOKUP_COLUMN, column.0.span(), message, Some(near.unwrap_or_else(names)));
                    return None;
                };
                at
            }
        };
        if SqlType::Text.meet(key.sql_type) != Some(SqlType::Text) {
            let text = shortened(&key_ast.to_string());
            let message = format!("`lookup` needs text as its key; `{text}` is {}", key.sql_type.phrase());
            let advice = conversion_advice(key_ast, key.sql_type, SqlType::Text);
            self.problem(code::TYPES, key_ast.span(), message, advice);
            return None;
        }
        let call = scalar(lookup::function(&found, column), vec![key.into_type(SqlType::Text)]);
        Some(Typed::new(call, SqlType::Text))
    }

    /// `fiscal_year(date)`, `fiscal_start('half', date)`
    pub(super) fn fiscal(
        &mut self,
        span: Span,
        name: &str,
        fiscal: Fiscal,
        arguments: Vec<Argument<'_>>,
    ) -> Option<Typed> {
        let mut arguments = arguments.into_iter();
        let part = if fiscal.takes_part() { arguments.next() } else { None };
        let (Some((ast, date)), None) = (arguments.next(), arguments.next()) else {
            let message = format!("`{name}` takes other arguments");
            self.problem(code::ARGUMENTS, span, message, Some(format!("write `{}`", fiscal.syntax())));
            return None;
        };
        let part = match part {
            None => None,
            Some(part) => {
                let word = self.constant_text(name, "the part", &part)?;
                if Part::named(&word).is_none() {
                    let advice = "the parts are `year`, `half` and `quarter`".to_owned();
                    self.problem(
                        code::ARGUMENTS,
                        part.0.span(),
                        format!("`{name}` does not know `{word}`"),
                        Some(advice),
                    );
                    return None;
                }
                Some(word)
            }
        };
        if SqlType::Date.meet(date.sql_type) != Some(SqlType::Date) {
            let text = shortened(&ast.to_string());
            let message = format!("`{name}` needs a date; `{text}` is {}", date.sql_type.phrase());
            self.problem(code::TYPES, ast.span(), message, conversion_advice(ast, date.sql_type, SqlType::Date));
            return None;
        }
        let (function, arguments) = fiscal.call(part, date.into_type(SqlType::Date), &self.env.settings.fiscal);
        Some(Typed::new(scalar(function, arguments), fiscal.gives()))
    }

    /// `json_value(text, '$.path')` and the like.
    pub(super) fn json(&mut self, span: Span, name: &str, json: Json, arguments: Vec<Argument<'_>>) -> Option<Typed> {
        let mut arguments = arguments.into_iter();
        let (Some((ast, text)), Some(path), None) = (arguments.next(), arguments.next(), arguments.next()) else {
            let message = format!("`{name}` takes 2 arguments");
            self.problem(code::ARGUMENTS, span, message, Some(format!("write `{name}(text, '$.a.b')`")));
            return None;
        };
        let written = self.constant_text(name, "the path", &path)?;
        if let Some((column, why)) = on_json::path_fault(&written) {
            let message = format!("`{written}` is no JSON path: {why}, at its character {column}");
            let advice = "write it like `$.a.b`; names with other characters than letters as `$['顧客 名']`".to_owned();
            self.problem(code::JSON_PATH, path.0.span(), message, Some(advice));
            return None;
        }
        if SqlType::Text.meet(text.sql_type) != Some(SqlType::Text) {
            let message =
                format!("`{name}` needs text; `{}` is {}", shortened(&ast.to_string()), text.sql_type.phrase());
            self.problem(code::TYPES, ast.span(), message, conversion_advice(ast, text.sql_type, SqlType::Text));
            return None;
        }
        let path = Expr::Literal(ScalarValue::Utf8(Some(written)), None);
        Some(Typed::new(scalar(json.function(), vec![text.into_type(SqlType::Text), path]), json.gives()))
    }

    /// An argument that must be a text written out.
    fn constant_text(&mut self, name: &str, what: &str, (ast, typed): &Argument<'_>) -> Option<String> {
        if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &typed.expr {
            return Some(text.clone());
        }
        let message = format!("{what} of `{name}` must be a constant text");
        self.problem(code::ARGUMENTS, ast.span(), message, Some("write it in single quotes".to_owned()));
        None
    }
}
