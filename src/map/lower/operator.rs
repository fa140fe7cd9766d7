//! Operators: comparison, arithmetic, logic, text.

use datafusion::logical_expr::expr::{Between, InList, Like, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, Spanned, UnaryOperator};

use super::{Lowering, Typed, boolean, shortened};
use crate::map::diagnostic::code;
use crate::map::function::day::DayFunction;
use crate::map::function::number::Arithmetic;
use crate::map::sql_type::SqlType;

impl Lowering<'_, '_> {
    pub(super) fn unary(&mut self, whole: &ast::Expr, op: &UnaryOperator, inner: &ast::Expr) -> Option<Typed> {
        match op {
            UnaryOperator::Not => self.truth(inner, "NOT").map(|e| boolean(Expr::Not(Box::new(e)))),
            UnaryOperator::Plus => self.operand_number(inner, "+"),
            UnaryOperator::Minus => {
                let operand = self.operand_number(inner, "-")?;
                let sql_type = if operand.sql_type == SqlType::Null { SqlType::Integer } else { operand.sql_type };
                let zero = Typed::literal(ScalarValue::Int64(Some(0)), SqlType::Integer).into_type(sql_type);
                let arguments = vec![zero, operand.into_type(sql_type)];
                Some(Typed::new(scalar(Arithmetic::Subtract.function(), arguments), sql_type))
            }
            _ => {
                let message = format!("the operator `{op}` is not supported in mappings");
                self.problem(code::NOT_SUPPORTED, whole.span(), message, None);
                None
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
    ) -> Option<Typed> {
        use BinaryOperator as B;
        match op {
            B::And | B::Or => {
                let word = op.to_string();
                let (left, right) = (self.truth(left, &word), self.truth(right, &word));
                let op = if *op == B::And { Operator::And } else { Operator::Or };
                Some(boolean(binary(left?, op, right?)))
            }
            B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq => {
                let (lowered_left, lowered_right) = (self.expr(left), self.expr(right));
                let (lowered_left, lowered_right) = (lowered_left?, lowered_right?);
                self.compare_lowered((left, lowered_left), (right, lowered_right), &op.to_string()).map(boolean)
            }
            B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo => {
                let (lowered_left, lowered_right) = (self.expr(left), self.expr(right));
                let (lowered_left, lowered_right) = (lowered_left?, lowered_right?);
                self.arithmetic((left, lowered_left), op, (right, lowered_right))
            }
            B::StringConcat => {
                let (left, right) = (self.operand_text(left, "||"), self.operand_text(right, "||"));
                Some(Typed::new(binary(left?, Operator::StringConcat, right?), SqlType::Text))
            }
            B::PGRegexMatch | B::PGRegexIMatch | B::PGRegexNotMatch | B::PGRegexNotIMatch => {
                let word = op.to_string();
                let (left, right) = (self.operand_text(left, &word), self.operand_text(right, &word));
                let op = match op {
                    B::PGRegexMatch => Operator::RegexMatch,
                    B::PGRegexIMatch => Operator::RegexIMatch,
                    B::PGRegexNotMatch => Operator::RegexNotMatch,
                    _ => Operator::RegexNotIMatch,
                };
                Some(boolean(binary(left?, op, right?)))
            }
            _ => {
                self.expr(left);
                self.expr(right);
                let message = format!("the operator `{op}` is not supported in mappings");
                self.problem(code::NOT_SUPPORTED, whole.span(), message, None);
                None
            }
        }
    }

    /// Compares two operands of one type, or says how to give them one.
    pub(super) fn compare_lowered(
        &mut self,
        (left_ast, left): (&ast::Expr, Typed),
        (right_ast, right): (&ast::Expr, Typed),
        op: &str,
    ) -> Option<Expr> {
        let (left, right) = match op {
            "=" | "<>" => (left, right),
            _ => self.by_place((left_ast, left), (right_ast, right))?,
        };
        let sql_type = self.meet((left_ast, left.sql_type), (right_ast, right.sql_type), op)?;
        let op = match op {
            "=" => Operator::Eq,
            "<>" => Operator::NotEq,
            "<" => Operator::Lt,
            "<=" => Operator::LtEq,
            ">" => Operator::Gt,
            _ => Operator::GtEq,
        };
        Some(binary(left.into_type(sql_type), op, right.into_type(sql_type)))
    }

    pub(super) fn distinct(&mut self, left: &ast::Expr, right: &ast::Expr, distinct: bool) -> Option<Typed> {
        let (lowered_left, lowered_right) = (self.expr(left), self.expr(right));
        let (lowered_left, lowered_right) = (lowered_left?, lowered_right?);
        let (word, op) = if distinct {
            ("IS DISTINCT FROM", Operator::IsDistinctFrom)
        } else {
            ("IS NOT DISTINCT FROM", Operator::IsNotDistinctFrom)
        };
        let sql_type = self.meet((left, lowered_left.sql_type), (right, lowered_right.sql_type), word)?;
        Some(boolean(binary(lowered_left.into_type(sql_type), op, lowered_right.into_type(sql_type))))
    }

    pub(super) fn in_list(&mut self, expr: &ast::Expr, list: &[ast::Expr], negated: bool) -> Option<Typed> {
        let operand = self.expr(expr);
        let items: Vec<_> = list.iter().map(|item| self.expr(item).map(|typed| (item, typed))).collect();
        let mut sql_type = operand.as_ref()?.sql_type;
        let items = items.into_iter().collect::<Option<Vec<_>>>()?;
        for (ast, item) in &items {
            sql_type = self.meet((expr, sql_type), (ast, item.sql_type), "IN")?;
        }
        let items = items.into_iter().map(|(_, item)| item.into_type(sql_type)).collect();
        let operand = Box::new(operand?.into_type(sql_type));
        Some(boolean(Expr::InList(InList::new(operand, items, negated))))
    }

    pub(super) fn between(
        &mut self,
        expr: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
    ) -> Option<Typed> {
        let (operand, lowest, highest) = (self.expr(expr), self.expr(low), self.expr(high));
        let (operand, lowest, highest) = (operand?, lowest?, highest?);
        let with_low = self.meet((expr, operand.sql_type), (low, lowest.sql_type), "BETWEEN");
        let with_high = self.meet((expr, operand.sql_type), (high, highest.sql_type), "BETWEEN");
        let sql_type = with_low?.meet(with_high?)?;
        let (operand, lowest, highest) =
            (operand.into_type(sql_type), lowest.into_type(sql_type), highest.into_type(sql_type));
        Some(boolean(Expr::Between(Between::new(Box::new(operand), negated, Box::new(lowest), Box::new(highest)))))
    }

    pub(super) fn like(
        &mut self,
        negated: bool,
        any_case: bool,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::ValueWithSpan>,
    ) -> Option<Typed> {
        let (operand, pattern) = (self.operand_text(expr, "LIKE"), self.operand_text(pattern, "LIKE"));
        if let Some(escape) = escape
            && !matches!(&escape.value, ast::Value::SingleQuotedString(sign) if sign == "\\")
        {
            let message = "only `\\` can be the escape sign of LIKE";
            self.problem(code::NOT_SUPPORTED, escape.span, message, None);
            return None;
        }
        Some(boolean(Expr::Like(Like::new(negated, Box::new(operand?), Box::new(pattern?), None, any_case))))
    }

    /// The type that both operands of `op` get; a problem when there is none.
    fn meet(&mut self, left: (&ast::Expr, SqlType), right: (&ast::Expr, SqlType), op: &str) -> Option<SqlType> {
        let ((left_ast, left_type), (right_ast, right_type)) = (left, right);
        if let Some(meeting) = left_type.meet(right_type) {
            return Some(meeting);
        }
        // The side to change: a constant of text beside a number, else the side that is text, else an instant.
        let change_left = match (left_type, right_type) {
            (SqlType::Text, _) => true,
            (_, SqlType::Text) => false,
            (SqlType::Datetime, _) => true,
            _ => false,
        };
        let (ast, from, to) =
            if change_left { (left_ast, left_type, right_type) } else { (right_ast, right_type, left_type) };
        let (left_text, right_text) = (shortened(&left_ast.to_string()), shortened(&right_ast.to_string()));
        let message = format!(
            "`{op}` compares `{left_text}`, {}, with `{right_text}`, {}",
            left_type.phrase(),
            right_type.phrase()
        );
        self.problem(code::TYPES, ast.span(), message, conversion_advice(ast, from, to));
        None
    }

    pub(super) fn arithmetic(
        &mut self,
        (left_ast, left): (&ast::Expr, Typed),
        op: &BinaryOperator,
        (right_ast, right): (&ast::Expr, Typed),
    ) -> Option<Typed> {
        use BinaryOperator as B;
        use SqlType as T;
        match (left.sql_type, op, right.sql_type) {
            (T::Date, B::Minus, T::Date) => {
                let arguments = vec![left.expr, right.expr];
                return Some(Typed::new(scalar(DayFunction::DaysBetween.function(), arguments), T::Integer));
            }
            (T::Date, B::Plus | B::Minus, T::Integer) => {
                return Some(moved(left.expr, right.expr, op, DayFunction::AddDays));
            }
            (T::Integer, B::Plus, T::Date) => return Some(moved(right.expr, left.expr, op, DayFunction::AddDays)),
            (T::Date, B::Plus | B::Minus, T::Interval) => return moved_by_interval(left.expr, &right.expr, op),
            (T::Interval, B::Plus, T::Date) => return moved_by_interval(right.expr, &left.expr, op),
            _ => {}
        }
        let sign = op.to_string();
        let wrong: Vec<_> = [(left_ast, left.sql_type), (right_ast, right.sql_type)]
            .into_iter()
            .filter(|(_, sql_type)| !sql_type.is_number() && *sql_type != T::Null)
            .collect();
        for (ast, sql_type) in &wrong {
            let text = shortened(&ast.to_string());
            let message = format!("`{sign}` needs numbers; `{text}` is {}", sql_type.phrase());
            let both_text = left.sql_type == T::Text && right.sql_type == T::Text;
            let advice = match sql_type {
                T::Text if both_text && *op == B::Plus => {
                    Some(format!("write `decimal({text})`; texts are joined by `||`"))
                }
                T::Text if matches!(op, B::Plus | B::Minus) && !is_constant(ast) => {
                    Some(format!("write `decimal({text})`, or `date({text})` to count days"))
                }
                T::Text => conversion_advice(ast, T::Text, T::Decimal),
                T::Datetime => Some(format!("write `date({text})` to count days")),
                _ => None,
            };
            self.problem(code::TYPES, ast.span(), message, advice);
        }
        if !wrong.is_empty() {
            return None;
        }
        let operation = match op {
            B::Plus => Arithmetic::Add,
            B::Minus => Arithmetic::Subtract,
            B::Multiply => Arithmetic::Multiply,
            B::Divide => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        let (operands, result) = operation.types(left.sql_type, right.sql_type);
        let arguments = vec![left.into_type(operands), right.into_type(operands)];
        Some(Typed::new(scalar(operation.function(), arguments), result))
    }

    fn operand_number(&mut self, expr: &ast::Expr, op: &str) -> Option<Typed> {
        let typed = self.expr(expr)?;
        if typed.sql_type.is_number() || typed.sql_type == SqlType::Null {
            return Some(typed);
        }
        let message =
            format!("`{op}` needs a number; `{}` is {}", shortened(&expr.to_string()), typed.sql_type.phrase());
        let advice = conversion_advice(expr, typed.sql_type, SqlType::Decimal);
        self.problem(code::TYPES, expr.span(), message, advice);
        None
    }

    pub(super) fn operand_text(&mut self, expr: &ast::Expr, op: &str) -> Option<Expr> {
        let typed = self.expr(expr)?;
        if SqlType::Text.meet(typed.sql_type) == Some(SqlType::Text) {
            return Some(typed.into_type(SqlType::Text));
        }
        let message = format!("`{op}` needs text; `{}` is {}", shortened(&expr.to_string()), typed.sql_type.phrase());
        let advice = conversion_advice(expr, typed.sql_type, SqlType::Text);
        self.problem(code::TYPES, expr.span(), message, advice);
        None
    }
}

/// How the writer can give an operand the type that it needs.
pub(super) fn conversion_advice(ast: &ast::Expr, from: SqlType, to: SqlType) -> Option<String> {
    let text = shortened(&ast.to_string());
    if let ast::Expr::Value(value) = ast
        && let ast::Value::SingleQuotedString(content) = &value.value
        && from == SqlType::Text
        && to.is_number()
        && super::decimal_literal(content.trim_start_matches('-')).is_some()
    {
        return Some(format!("write `{content}` without quotes"));
    }
    match (from, to) {
        (SqlType::Text, _) | (SqlType::Datetime, SqlType::Date) | (_, SqlType::Text) => {
            to.function().map(|function| format!("write `{function}({text})`"))
        }
        _ => None,
    }
}

fn is_constant(ast: &ast::Expr) -> bool {
    matches!(ast, ast::Expr::Value(_))
}

pub(super) fn scalar(function: std::sync::Arc<datafusion::logical_expr::ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// A date moved by a number of days or months.
fn moved(date: Expr, by: Expr, op: &BinaryOperator, function: DayFunction) -> Typed {
    let by = if *op == BinaryOperator::Minus {
        let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
        scalar(Arithmetic::Subtract.function(), vec![zero, by])
    } else {
        by
    };
    Typed::new(scalar(function.function(), vec![date, by]), SqlType::Date)
}

/// A date moved by the months, then the days of an interval.
fn moved_by_interval(date: Expr, interval: &Expr, op: &BinaryOperator) -> Option<Typed> {
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = interval else { return None };
    let number = |n: i32| Expr::Literal(ScalarValue::Int64(Some(i64::from(n))), None);
    let mut moved_date = Typed::new(date, SqlType::Date);
    if interval.months != 0 {
        moved_date = moved(moved_date.expr, number(interval.months), op, DayFunction::AddMonths);
    }
    if interval.days != 0 {
        moved_date = moved(moved_date.expr, number(interval.days), op, DayFunction::AddDays);
    }
    Some(moved_date)
}
