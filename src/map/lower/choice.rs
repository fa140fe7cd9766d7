//! Enums in expressions over variables: `stage >= 'adoption'` compares by the order in which the values are listed.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Spanned};

use super::{Lowering, Typed};
use crate::map::diagnostic::{code, did_you_mean, nearest};
use crate::map::sql_type::SqlType;

impl Lowering<'_, '_> {
    /// Two operands of `<`, `<=`, `>` or `>=`, as places in the enum's list where one of them is an enum.
    ///
    /// Any other operands come back as they are. A constant that is none of the values is a problem.
    pub(super) fn by_place(
        &mut self,
        (left_ast, left): (&ast::Expr, Typed),
        (right_ast, right): (&ast::Expr, Typed),
    ) -> Option<(Typed, Typed)> {
        let choices = match (self.choices(&left), self.choices(&right)) {
            (Some(choices), None) | (None, Some(choices)) => choices,
            (Some(choices), Some(others)) if choices == others => choices,
            _ => return Some((left, right)),
        };
        let places = (self.place(left_ast, &left, &choices), self.place(right_ast, &right, &choices));
        Some((places.0?, places.1?))
    }

    /// The values of the enum variable that an operand is.
    fn choices(&self, operand: &Typed) -> Option<Vec<String>> {
        let Expr::Column(column) = &operand.expr else { return None };
        let name = self.scope.get(&column.name)?;
        (!name.choices.is_empty()).then(|| name.choices.clone())
    }

    fn place(&mut self, ast: &ast::Expr, operand: &Typed, choices: &[String]) -> Option<Typed> {
        let at = |place: usize| ScalarValue::Int64(i64::try_from(place).ok());
        match &operand.expr {
            Expr::Literal(ScalarValue::Utf8(Some(word)), _) => match choices.iter().position(|known| known == word) {
                Some(place) => Some(Typed::literal(at(place), SqlType::Integer)),
                None => {
                    let near = nearest(word, choices.iter().map(String::as_str)).map(did_you_mean);
                    let all = || format!("its values are {}", choices.join(", "));
                    let message = format!("`{word}` is not a value of the enum that it is compared with");
                    self.problem(code::CONSTANT, ast.span(), message, Some(near.unwrap_or_else(all)));
                    None
                }
            },
            _ if operand.sql_type == SqlType::Null => Some(operand.clone()),
            _ if operand.sql_type == SqlType::Text => {
                let branch = |(place, value): (usize, &String)| {
                    let value = Expr::Literal(ScalarValue::Utf8(Some(value.clone())), None);
                    (Box::new(value), Box::new(Expr::Literal(at(place), None)))
                };
                let branches = choices.iter().enumerate().map(branch).collect();
                let case = Case::new(Some(Box::new(operand.expr.clone())), branches, None);
                Some(Typed::new(Expr::Case(case), SqlType::Integer))
            }
            _ => Some(operand.clone()),
        }
    }
}
