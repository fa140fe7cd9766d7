//! Syntax tree to typed expression, with every problem found on the way.
//!
//! Each part is given its type here, from the leaves up, and nothing is coerced but an integer beside a
//! decimal. So a problem is known at the word that causes it, and the expression that results means the
//! same to any engine that plans it: the types of its operands are equal already.

mod call;
mod choice;
mod extra;
mod operator;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{Case, Cast, Placeholder};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Ident, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::compile::Settings;
use super::diagnostic::{Problems, code, did_you_mean};
use super::function::convert;
use super::parse;
use super::scope::{Name, Scope, written};
use super::sql_type::{DECIMAL, SqlType};
use crate::record::FieldClass;
use crate::schema::ReadAs;
use crate::schema::types::TypeOptions;

/// Stands for the instant that is asked about until an expression is run.
pub(crate) const AS_OF_INSTANT: &str = "$as_of_instant";
/// Stands for the day that is asked about until an expression is run.
pub(crate) const AS_OF_DATE: &str = "$as_of_date";

/// Longer expressions are refused.
const MAX_BYTES: usize = 20_000;
/// Deeper nesting is refused; a chain of as many `||` or `+` is as deep.
const MAX_DEPTH: usize = 100;

/// An expression whose type is known.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// The expression.
    pub(crate) expr: Expr,
    /// Its type.
    pub(crate) sql_type: SqlType,
}

impl Typed {
    fn new(expr: Expr, sql_type: SqlType) -> Self {
        Typed { expr, sql_type }
    }

    fn literal(value: ScalarValue, sql_type: SqlType) -> Self {
        Typed { expr: Expr::Literal(value, None), sql_type }
    }

    /// The same with the type `to`, which [`SqlType::meet`] said it can have.
    fn into_type(self, to: SqlType) -> Expr {
        match (self.expr, self.sql_type) {
            (expr, from) if from == to => expr,
            (Expr::Literal(value, _), _) if let Ok(value) = value.cast_to(&to.data_type()) => {
                Expr::Literal(value, None)
            }
            (expr, _) => cast(expr, to.data_type()),
        }
    }
}

/// A change of representation.
fn cast(expr: Expr, to: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to))
}

/// What an expression text was found to be.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// The expression.
    pub(crate) typed: Typed,
    /// The names it reads, in the order of their first use.
    pub(crate) names: Vec<Name>,
    /// Set when the expression is nothing but one name.
    pub(crate) is_bare: bool,
}

/// What an expression is understood by, beside the names that it may use.
pub(crate) struct Env<'a> {
    /// The project's settings.
    pub(crate) settings: &'a Settings,
    /// How its conversions read texts.
    pub(crate) options: TypeOptions,
}

impl<'a> Env<'a> {
    /// What an expression is understood by whose source writes texts like that.
    pub(crate) fn new(settings: &'a Settings, read_as: &ReadAs) -> Self {
        let options = convert::options(settings.timezone).with_fiscal(settings.fiscal).reading(read_as);
        Env { settings, options }
    }
}

/// Understands the expression `text`, which stands at `pointer`.
///
/// A text that is exactly a name of the scope is that name, whatever signs it contains. `None` when there
/// are problems; all of them are in `problems` then.
pub(crate) fn lower(
    scope: &Scope,
    env: &Env<'_>,
    pointer: &str,
    text: &str,
    problems: &mut Problems<'_>,
) -> Option<Lowered> {
    let before = problems.len();
    let mut lowering = Lowering { scope, env, pointer, text, problems, names: Vec::new(), depth: 0 };
    let bare = scope.get(text).or_else(|| scope.get(text.trim())).map(|name| name.name.clone());
    let typed = match &bare {
        Some(name) => lowering.name(name, Span::empty()),
        None => lowering.text(),
    };
    if typed.is_none() && lowering.problems.len() == before {
        lowering.problem(code::NOT_SUPPORTED, Span::empty(), "the expression is not supported in mappings", None);
    }
    let Lowering { names, problems, .. } = lowering;
    if problems.len() > before {
        return None;
    }
    let typed = typed?;
    let is_bare = matches!(&typed.expr, Expr::Column(_));
    Some(Lowered { typed, names, is_bare })
}

struct Lowering<'a, 'p> {
    scope: &'a Scope,
    env: &'a Env<'a>,
    pointer: &'a str,
    text: &'a str,
    problems: &'a mut Problems<'p>,
    names: Vec<Name>,
    /// How many operations enclose the one at hand.
    depth: usize,
}

impl Lowering<'_, '_> {
    fn problem(&mut self, code: &'static str, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        self.problems.within(code, self.pointer, span, message.into(), suggestion);
    }

    fn text(&mut self) -> Option<Typed> {
        if self.text.trim().is_empty() {
            let what = self.scope.what;
            self.problem(
                code::EMPTY,
                Span::empty(),
                "the expression is empty",
                Some(format!("write the name of a {what}")),
            );
            return None;
        }
        if self.text.len() > MAX_BYTES {
            let message = format!("the expression is longer than {MAX_BYTES} bytes");
            self.problem(code::NOT_SUPPORTED, Span::empty(), message, Some("split it into two variables".to_owned()));
            return None;
        }
        match parse::parse(self.text) {
            Ok(expr) => self.expr(&expr),
            Err(_) if self.is_meant_as_name() => None,
            Err(error) => {
                let meant = self.scope.nearest(self.text.trim()).map(did_you_mean);
                self.problem(code::SYNTAX, error.span, error.message, meant.or(error.advice));
                None
            }
        }
    }

    /// Understands a part of the expression; parts within parts are counted, so that no file can exhaust
    /// the stack.
    fn expr(&mut self, expr: &ast::Expr) -> Option<Typed> {
        if self.depth >= MAX_DEPTH {
            if self.depth == MAX_DEPTH {
                self.depth += 1; // told once
                let message = format!("the expression has more than {MAX_DEPTH} operations within each other");
                self.problem(
                    code::NOT_SUPPORTED,
                    Span::empty(),
                    message,
                    Some("split it into two variables".to_owned()),
                );
            }
            return None;
        }
        self.depth += 1;
        let typed = self.part(expr);
        self.depth = self.depth.saturating_sub(1);
        typed
    }

    fn part(&mut self, expr: &ast::Expr) -> Option<Typed> {
        use ast::Expr as E;
        match expr {
            E::Identifier(ident) => self.identifier(ident),
            E::CompoundIdentifier(parts) => self.compound(parts),
            E::Nested(inner) => self.expr(inner),
            E::Value(value) => self.value(value),
            E::TypedString(typed) => self.typed_string(typed),
            E::Interval(interval) => self.interval(interval),
            E::UnaryOp { op, expr: inner } => self.unary(expr, op, inner),
            E::BinaryOp { left, op, right } => self.binary(expr, left, op, right),
            E::IsNull(inner) => self.any(inner).map(|e| boolean(Expr::IsNull(Box::new(e.expr)))),
            E::IsNotNull(inner) => self.any(inner).map(|e| boolean(Expr::IsNotNull(Box::new(e.expr)))),
            E::IsTrue(inner) => self.truth(inner, "IS TRUE").map(|e| boolean(Expr::IsTrue(Box::new(e)))),
            E::IsNotTrue(inner) => self.truth(inner, "IS NOT TRUE").map(|e| boolean(Expr::IsNotTrue(Box::new(e)))),
            E::IsFalse(inner) => self.truth(inner, "IS FALSE").map(|e| boolean(Expr::IsFalse(Box::new(e)))),
            E::IsNotFalse(inner) => self.truth(inner, "IS NOT FALSE").map(|e| boolean(Expr::IsNotFalse(Box::new(e)))),
            E::IsUnknown(inner) => self.truth(inner, "IS UNKNOWN").map(|e| boolean(Expr::IsNull(Box::new(e)))),
            E::IsNotUnknown(inner) => {
                self.truth(inner, "IS NOT UNKNOWN").map(|e| boolean(Expr::IsNotNull(Box::new(e))))
            }
            E::IsDistinctFrom(left, right) => self.distinct(left, right, true),
            E::IsNotDistinctFrom(left, right) => self.distinct(left, right, false),
            E::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            E::Between { expr, negated, low, high } => self.between(expr, *negated, low, high),
            E::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(*negated, false, expr, pattern, escape_char.as_ref())
            }
            E::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(*negated, true, expr, pattern, escape_char.as_ref())
            }
            E::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            E::Function(function) => self.function(function),
            E::Cast { kind, expr, data_type, format: None, array: false } => self.cast(kind, expr, data_type),
            E::Extract { field, expr, .. } => self.date_part(&field.to_string(), Span::empty(), expr),
            E::Ceil { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                self.call_on("ceil", &[expr])
            }
            E::Floor { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                self.call_on("floor", &[expr])
            }
            E::Position { expr, r#in } => self.call_on("strpos", &[r#in, expr]),
            E::Substring { expr, substring_from, substring_for, .. } => {
                self.substring(expr, substring_from.as_deref(), substring_for.as_deref())
            }
            E::Trim { trim_where, trim_what, expr, trim_characters, .. } => {
                self.trim(trim_where.as_ref(), trim_what.as_deref(), expr, trim_characters.as_deref())
            }
            E::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut arguments = vec![&**expr, &**overlay_what, &**overlay_from];
                arguments.extend(overlay_for.as_deref());
                self.call_on("overlay", &arguments)
            }
            E::Subquery(_) | E::Exists { .. } | E::InSubquery { .. } => {
                let message = "an expression sees one record; it cannot query others";
                self.problem(code::SUBQUERY, expr.span(), message, None);
                None
            }
            other => {
                let message = format!("`{}` is not supported in mappings", shortened(&other.to_string()));
                self.problem(code::NOT_SUPPORTED, other.span(), message, None);
                None
            }
        }
    }

    /// An operand of which any type will do.
    fn any(&mut self, expr: &ast::Expr) -> Option<Typed> {
        self.expr(expr)
    }

    fn identifier(&mut self, ident: &Ident) -> Option<Typed> {
        match ident.quote_style {
            None if ident.value.starts_with('@') => {
                let message = format!("`{}` is not supported in mappings", ident.value);
                self.problem(code::NOT_SUPPORTED, ident.span, message, None);
                None
            }
            _ => self.name(&ident.value, ident.span),
        }
    }

    fn compound(&mut self, parts: &[Ident]) -> Option<Typed> {
        let joined = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        let span = parts.iter().map(|part| part.span).reduce(|a, b| a.union(&b)).unwrap_or_else(Span::empty);
        let suggestion = match self.scope.get(&joined) {
            Some(name) => Some(format!("write it in double quotes: `{}`", written(&name.name))),
            None => self.scope.nearest(&joined).map(|near| did_you_mean(&written(near))),
        };
        let Scope { what, of, .. } = self.scope;
        self.problem(code::UNKNOWN_FIELD, span, format!("unknown {what} `{joined}` in {of}"), suggestion);
        None
    }

    /// Resolves a name, exactly as written.
    fn name(&mut self, name: &str, span: Span) -> Option<Typed> {
        let Some(known) = self.scope.get(name) else {
            let suggestion = self.scope.nearest(name).map(|near| did_you_mean(&written(near)));
            let Scope { what, of, .. } = self.scope;
            self.problem(code::UNKNOWN_FIELD, span, format!("unknown {what} `{name}` in {of}"), suggestion);
            return None;
        };
        let known = known.clone();
        match known.class {
            Some(FieldClass::Bookkeeping) => {
                let message = format!("`{name}` only tells that something changed; its own changes are not kept");
                let advice = "map the field whose change you want to see; when a record changed is in the log itself";
                self.problem(code::BOOKKEEPING, span, message, Some(advice.to_owned()));
                return None;
            }
            Some(FieldClass::Ticking) => {
                let message = format!("`{name}` depends on the day it is read, so the past cannot be asked for it");
                let advice = "map the fields it is computed from, and write a `derive` with `as_of()`";
                self.problem(code::TICKING, span, message, Some(advice.to_owned()));
                return None;
            }
            Some(FieldClass::Business | FieldClass::Calculated) | None => {}
        }
        let column = Expr::Column(Column::new_unqualified(known.name.clone()));
        // A variable of money is a decimal of its currency's places; expressions compute with ten.
        let expr = if known.data_type == known.sql_type.data_type() {
            column
        } else {
            cast(column, known.sql_type.data_type())
        };
        let typed = Typed::new(expr, known.sql_type);
        if !self.names.iter().any(|seen| seen.name == known.name) {
            self.names.push(known);
        }
        Some(typed)
    }

    fn value(&mut self, value: &ast::ValueWithSpan) -> Option<Typed> {
        use ast::Value as V;
        match &value.value {
            V::Null => Some(Typed::literal(ScalarValue::Null, SqlType::Null)),
            V::Boolean(truth) => Some(Typed::literal(ScalarValue::Boolean(Some(*truth)), SqlType::Boolean)),
            V::SingleQuotedString(text) | V::NationalStringLiteral(text) | V::EscapedStringLiteral(text) => {
                Some(Typed::literal(ScalarValue::Utf8(Some(text.clone())), SqlType::Text))
            }
            V::Number(digits, _) => self.number(digits, value.span),
            V::Placeholder(word) => {
                let suggestion = match self.scope.get(word) {
                    Some(name) => Some(format!("write it in double quotes: `{}`", written(&name.name))),
                    None => self.scope.nearest(word).map(|near| did_you_mean(&written(near))),
                };
                let Scope { what, of, .. } = self.scope;
                self.problem(code::UNKNOWN_FIELD, value.span, format!("unknown {what} `{word}` in {of}"), suggestion);
                None
            }
            other => {
                let message = format!("`{other}` is not supported in mappings");
                self.problem(code::NOT_SUPPORTED, value.span, message, Some("write text in single quotes".to_owned()));
                None
            }
        }
    }

    fn number(&mut self, digits: &str, span: Span) -> Option<Typed> {
        if let Ok(whole) = digits.parse::<i64>() {
            return Some(Typed::literal(ScalarValue::Int64(Some(whole)), SqlType::Integer));
        }
        match decimal_literal(digits) {
            Some(value) => {
                let value = ScalarValue::Decimal128(Some(value), DECIMAL.0, DECIMAL.1);
                Some(Typed::literal(value, SqlType::Decimal))
            }
            None => {
                let message = format!("`{digits}` is not a number with at most 28 digits and 10 decimal places");
                self.problem(code::CONSTANT, span, message, None);
                None
            }
        }
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Option<Typed> {
        let operand_given = operand.is_some();
        let operand = operand.and_then(|operand| Some((operand, self.expr(operand)?)));
        let mut whens = Vec::new();
        let mut results = Vec::new();
        for when in conditions {
            let condition = match (&operand, operand_given) {
                (Some((ast, operand)), _) => self
                    .expr(&when.condition)
                    .and_then(|value| self.compare_lowered((ast, operand.clone()), (&when.condition, value), "=")),
                (None, true) => self.expr(&when.condition).and(None),
                (None, false) => self.truth(&when.condition, "WHEN"),
            };
            whens.push(condition);
            results.push(self.expr(&when.result).map(|result| (&when.result, result)));
        }
        if let Some(otherwise) = otherwise {
            results.push(self.expr(otherwise).map(|result| (otherwise, result)));
        }
        let whens = whens.into_iter().collect::<Option<Vec<_>>>()?;
        let results = self.same_type(results.into_iter().collect::<Option<Vec<_>>>()?, "the branches of CASE")?;
        let (sql_type, mut results) = results;
        let otherwise = if otherwise.is_some() { results.pop().map(Box::new) } else { None };
        let branches = whens.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then))).collect();
        Some(Typed::new(Expr::Case(Case::new(None, branches, otherwise)), sql_type))
    }

    /// Gives all the same type, or says which one does not go with the first.
    fn same_type(&mut self, items: Vec<(&ast::Expr, Typed)>, what: &str) -> Option<(SqlType, Vec<Expr>)> {
        let mut common = SqlType::Null;
        let mut fine = true;
        for (ast, item) in &items {
            match common.meet(item.sql_type) {
                Some(meeting) => common = meeting,
                None => {
                    let message = format!(
                        "{what} must have one type; `{}` is {}, others are {}",
                        shortened(&ast.to_string()),
                        item.sql_type.phrase(),
                        common.phrase()
                    );
                    let advice = operator::conversion_advice(ast, item.sql_type, common);
                    self.problem(code::TYPES, ast.span(), message, advice);
                    fine = false;
                }
            }
        }
        fine.then(|| (common, items.into_iter().map(|(_, item)| item.into_type(common)).collect()))
    }

    /// An operand that has to be true or false.
    fn truth(&mut self, expr: &ast::Expr, whose: &str) -> Option<Expr> {
        let typed = self.expr(expr)?;
        if SqlType::Boolean.meet(typed.sql_type) == Some(SqlType::Boolean) {
            return Some(typed.into_type(SqlType::Boolean));
        }
        let ast = shortened(&expr.to_string());
        let message = format!("`{whose}` needs a condition; `{ast}` is {}", typed.sql_type.phrase());
        let advice =
            (typed.sql_type == SqlType::Text).then(|| format!("write `boolean({ast})`, or compare it: `{ast} = '…'`"));
        self.problem(code::CONDITION, expr.span(), message, advice);
        None
    }
}

fn boolean(expr: Expr) -> Typed {
    Typed::new(expr, SqlType::Boolean)
}

/// The day or instant that is asked about.
fn as_of(id: &str, sql_type: SqlType) -> Typed {
    let field = datafusion::arrow::datatypes::Field::new("", sql_type.data_type(), true);
    let placeholder = Placeholder::new_with_field(id.to_owned(), Some(std::sync::Arc::new(field)));
    Typed::new(Expr::Placeholder(placeholder), sql_type)
}

/// The stored value of a number as written; `None` when it has more digits than there is room for.
fn decimal_literal(digits: &str) -> Option<i128> {
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let places = places.trim_end_matches('0');
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !plain(whole) || !plain(places) || places.len() > 10 || whole.len() > 28 {
        return None;
    }
    format!("{whole}{places:0<10}").parse().ok()
}

/// A text short enough for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}
