//! Calls: conversions, casts, constants of a type, dates, and DataFusion's functions.

use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{Expr, ReturnFieldArgs, ScalarUDF};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    self, DataType as SqlDataType, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::operator::{conversion_advice, scalar};
use super::{AS_OF_DATE, AS_OF_INSTANT, Lowering, Typed, as_of, cast, shortened};
use crate::map::diagnostic::{code, did_you_mean, fold, nearest};
use crate::map::function::convert::Conversion;
use crate::map::function::day::{DayFunction, Unit};
use crate::map::function::{self, Found};
use crate::map::sql_type::SqlType;
use crate::schema::types;

impl Lowering<'_, '_> {
    pub(super) fn function(&mut self, call: &ast::Function) -> Option<Typed> {
        let name = call.name.to_string();
        let span = call.name.span();
        let found = function::find(&name);
        if call.over.is_some() || matches!(found, Found::Window) {
            let message = format!("`{name}` looks at several records; an expression sees one");
            self.problem(code::WINDOW, span, message, None);
            return None;
        }
        if matches!(found, Found::Aggregate) {
            let advice = match name.to_lowercase().as_str() {
                "max" => "for the greatest of several fields write `greatest(a, b)`",
                "min" => "for the least of several fields write `least(a, b)`",
                "sum" => "to add fields write `decimal(a) + decimal(b)`",
                _ => "how a variable adds up over customers is said by its `aggregate`",
            };
            let message = format!("`{name}` adds up several records; an expression sees one");
            self.problem(code::AGGREGATE, span, message, Some(advice.to_owned()));
            return None;
        }
        if matches!(found, Found::Unknown) && self.is_meant_as_name() {
            return None;
        }
        let arguments = self.arguments(call, &name);
        let lowered = arguments.as_ref().map(|arguments| self.all(arguments));
        match found {
            Found::Conversion(conversion) => {
                let arguments = arguments?;
                let [(ast, typed)] = self.exactly(&name, span, &arguments, lowered??, "x")?;
                self.convert(conversion, ast, typed)
            }
            Found::Coalesce => {
                let arguments = arguments?;
                let lowered = lowered??;
                if lowered.is_empty() {
                    self.problem(code::ARGUMENTS, span, format!("`{name}` needs at least one argument"), None);
                    return None;
                }
                let items = arguments.into_iter().zip(lowered).collect();
                let (sql_type, items) = self.same_type(items, &format!("the arguments of `{name}`"))?;
                Some(Typed::new(scalar(function::coalesce::function(), items), sql_type))
            }
            Found::AsOfInstant => {
                let [] = self.exactly(&name, span, &arguments?, lowered??, "")?;
                Some(as_of(AS_OF_INSTANT, SqlType::Datetime))
            }
            Found::AsOfDate => {
                let [] = self.exactly(&name, span, &arguments?, lowered??, "")?;
                Some(as_of(AS_OF_DATE, SqlType::Date))
            }
            Found::DatePart | Found::DateTrunc => {
                let arguments = arguments?;
                let [(unit_ast, unit), (ast, date)] =
                    self.exactly(&name, span, &arguments, lowered??, "'month', date")?;
                let Expr::Literal(ScalarValue::Utf8(Some(unit)), _) = unit.expr else {
                    let message = format!("the unit of `{name}` must be a constant such as 'month'");
                    self.problem(code::ARGUMENTS, unit_ast.span(), message, None);
                    return None;
                };
                let start = matches!(found, Found::DateTrunc);
                self.of_date(&name, &unit, unit_ast.span(), start, (ast, date))
            }
            Found::Divide => {
                let items = arguments?.into_iter().zip(lowered??).collect();
                self.divide(span, items)
            }
            Found::Lookup => {
                let items = arguments?.into_iter().zip(lowered??).collect();
                self.lookup(span, items)
            }
            Found::Fiscal(fiscal) => {
                let items = arguments?.into_iter().zip(lowered??).collect();
                self.fiscal(span, &name, fiscal, items)
            }
            Found::Json(json) => {
                let items = arguments?.into_iter().zip(lowered??).collect();
                self.json(span, &name, json, items)
            }
            Found::Plain(function) => {
                let arguments = arguments?;
                let lowered = lowered??;
                self.plain(&name, span, &function, arguments.into_iter().zip(lowered).collect())
            }
            Found::Refused(reason) => {
                self.problem(
                    code::REFUSED_FUNCTION,
                    span,
                    format!("`{name}` is not for mappings"),
                    Some(reason.to_owned()),
                );
                None
            }
            Found::Aggregate | Found::Window => None,
            Found::Unknown => {
                let lower = name.to_lowercase();
                let suggestion = nearest(&lower, function::names()).map(did_you_mean);
                self.problem(code::UNKNOWN_FUNCTION, span, format!("unknown function `{name}`"), suggestion);
                None
            }
        }
    }

    /// A name with parentheses in it, typed a little differently, reads like a call; says so.
    pub(super) fn is_meant_as_name(&mut self) -> bool {
        let text = self.text.trim();
        let Some(near) = self.scope.nearest(text).filter(|near| fold(near) == fold(text)) else { return false };
        let suggestion = did_you_mean(near);
        let what = self.scope.what;
        let message = format!("unknown {what} `{text}` in {}", self.scope.of);
        self.problem(code::UNKNOWN_FIELD, Span::empty(), message, Some(suggestion));
        true
    }

    /// The arguments of a call; `None` for what is no plain list of expressions.
    fn arguments<'e>(&mut self, call: &'e ast::Function, name: &str) -> Option<Vec<&'e ast::Expr>> {
        let plain = call.filter.is_none() && call.within_group.is_empty() && call.null_treatment.is_none();
        let list = match &call.args {
            FunctionArguments::None => return Some(Vec::new()),
            FunctionArguments::List(list) if plain && list.clauses.is_empty() && list.duplicate_treatment.is_none() => {
                list
            }
            FunctionArguments::Subquery(query) => {
                self.problem(
                    code::SUBQUERY,
                    query.span(),
                    "an expression sees one record; it cannot query others",
                    None,
                );
                return None;
            }
            FunctionArguments::List(_) => {
                let message = format!("only plain arguments are supported in `{name}(…)`");
                self.problem(code::NOT_SUPPORTED, call.name.span(), message, None);
                return None;
            }
        };
        let mut arguments = Vec::new();
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr),
                other => {
                    let message = format!("`{other}` is not supported as an argument");
                    self.problem(code::NOT_SUPPORTED, call.name.span(), message, None);
                    return None;
                }
            }
        }
        Some(arguments)
    }

    fn all(&mut self, arguments: &[&ast::Expr]) -> Option<Vec<Typed>> {
        let lowered: Vec<_> = arguments.iter().map(|argument| self.expr(argument)).collect();
        lowered.into_iter().collect()
    }

    /// The arguments, if there are exactly as many as asked for.
    fn exactly<'e, const N: usize>(
        &mut self,
        name: &str,
        span: Span,
        arguments: &[&'e ast::Expr],
        lowered: Vec<Typed>,
        usage: &str,
    ) -> Option<[(&'e ast::Expr, Typed); N]> {
        let count = lowered.len();
        let pairs: Vec<_> = arguments.iter().copied().zip(lowered).collect();
        pairs.try_into().ok().or_else(|| {
            let message = format!("`{name}` takes {N} argument{}, here are {count}", if N == 1 { "" } else { "s" });
            self.problem(code::ARGUMENTS, span, message, Some(format!("write `{name}({usage})`")));
            None
        })
    }

    /// A conversion; a constant that does not convert is a problem at once.
    fn convert(&mut self, conversion: Conversion, ast: &ast::Expr, typed: Typed) -> Option<Typed> {
        let (from, to) = (typed.sql_type, conversion.to);
        if from == to && !conversion.quiet {
            return Some(typed);
        }
        let timezone = Expr::Literal(ScalarValue::Utf8(Some(self.env.settings.timezone.name().to_owned())), None);
        if (from, to) == (SqlType::Datetime, SqlType::Date) {
            return Some(Typed::new(scalar(DayFunction::OfInstant.function(), vec![timezone, typed.expr]), to));
        }
        if !from.fits(conversion.kind()) || from == SqlType::Interval {
            let message =
                format!("`{}` does not take {}: `{}`", conversion.name(), from.phrase(), shortened(&ast.to_string()));
            self.problem(code::TYPES, ast.span(), message, None);
            return None;
        }
        let value = typed.into_type(if from == SqlType::Null { SqlType::Text } else { from });
        if let Expr::Literal(constant, _) = &value
            && !conversion.quiet
            && let Ok(input) = constant.to_array()
            && let Some((_, reason)) = types::convert(conversion.kind(), &self.env.options, &input).failures.first()
        {
            let message = format!("`{}` fails for every record: {}", conversion.name(), reason.message);
            self.problem(code::CONSTANT, ast.span(), message, None);
            return None;
        }
        Some(Typed::new(scalar(conversion.function(), vec![value, timezone]), to))
    }

    pub(super) fn cast(&mut self, kind: &ast::CastKind, expr: &ast::Expr, to: &SqlDataType) -> Option<Typed> {
        let typed = self.expr(expr);
        let Some(target) = cast_target(to) else {
            let text = shortened(&expr.to_string());
            let message = format!("a cast to `{to}` is not supported in mappings");
            let advice = format!("write `decimal({text})`, `integer({text})`, `date({text})` or the like");
            self.problem(code::NOT_SUPPORTED, expr.span(), message, Some(advice));
            return None;
        };
        let quiet = matches!(kind, ast::CastKind::TryCast | ast::CastKind::SafeCast);
        self.convert(Conversion { to: target, quiet }, expr, typed?)
    }

    /// `DATE '2025-10-01'`
    pub(super) fn typed_string(&mut self, typed: &ast::TypedString) -> Option<Typed> {
        let text = match &typed.value.value {
            ast::Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        };
        let Some(target) = cast_target(&typed.data_type) else {
            let message = format!("a constant of type `{}` is not supported in mappings", typed.data_type);
            self.problem(code::NOT_SUPPORTED, typed.value.span, message, None);
            return None;
        };
        let constant = Typed::literal(ScalarValue::Utf8(Some(text)), SqlType::Text);
        let ast = ast::Expr::Value(typed.value.clone());
        self.convert(Conversion { to: target, quiet: false }, &ast, constant)
    }

    /// `INTERVAL '3 months'`, `INTERVAL '3' MONTH`
    pub(super) fn interval(&mut self, interval: &ast::Interval) -> Option<Typed> {
        let span = interval.value.span();
        let amount = match &*interval.value {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::SingleQuotedString(text) => Some(text.clone()),
                ast::Value::Number(digits, _) => Some(digits.clone()),
                _ => None,
            },
            _ => None,
        };
        let plain = interval.last_field.is_none() && interval.leading_precision.is_none();
        let unit = interval.leading_field.as_ref().map(ToString::to_string).unwrap_or_default();
        let parsed = amount
            .filter(|_| plain)
            .and_then(|amount| parse_interval_month_day_nano(format!("{amount} {unit}").trim()).ok())
            .filter(|parsed| parsed.nanoseconds == 0);
        match parsed {
            Some(parsed) => Some(Typed::literal(ScalarValue::IntervalMonthDayNano(Some(parsed)), SqlType::Interval)),
            None => {
                let message = "an interval is a constant of whole years, months, weeks and days";
                self.problem(code::CONSTANT, span, message, Some("write `INTERVAL '3 months'`".to_owned()));
                None
            }
        }
    }

    pub(super) fn date_part(&mut self, unit: &str, unit_span: Span, expr: &ast::Expr) -> Option<Typed> {
        let date = self.expr(expr)?;
        self.of_date("extract", unit, unit_span, false, (expr, date))
    }

    fn of_date(
        &mut self,
        name: &str,
        unit: &str,
        unit_span: Span,
        start: bool,
        (ast, date): (&ast::Expr, Typed),
    ) -> Option<Typed> {
        if SqlType::Date.meet(date.sql_type) != Some(SqlType::Date) {
            let text = shortened(&ast.to_string());
            let message = format!("`{name}` needs a date; `{text}` is {}", date.sql_type.phrase());
            self.problem(code::TYPES, ast.span(), message, conversion_advice(ast, date.sql_type, SqlType::Date));
            return None;
        }
        if !Unit::from_str(unit).is_ok_and(|unit| unit.has_start() || !start) {
            let known = if start {
                "the units are `year`, `quarter`, `month`, `week` and `day`"
            } else {
                "the parts are `year`, `quarter`, `month`, `week`, `day`, `dow` and `doy`"
            };
            let message = format!("`{name}` does not know `{unit}`");
            self.problem(code::ARGUMENTS, unit_span, message, Some(known.to_owned()));
            return None;
        }
        let (function, sql_type) =
            if start { (DayFunction::Start, SqlType::Date) } else { (DayFunction::Part, SqlType::Integer) };
        let unit = Expr::Literal(ScalarValue::Utf8(Some(unit.to_lowercase())), None);
        Some(Typed::new(scalar(function.function(), vec![unit, date.into_type(SqlType::Date)]), sql_type))
    }

    /// A call that SQL writes in words (`SUBSTRING(a FROM 1)`).
    pub(super) fn call_on(&mut self, name: &str, arguments: &[&ast::Expr]) -> Option<Typed> {
        let lowered = self.all(arguments)?;
        let Found::Plain(function) = function::find(name) else { return None };
        let span = arguments.first().map_or_else(Span::empty, |first| first.span());
        self.plain(name, span, &function, arguments.iter().copied().zip(lowered).collect())
    }

    pub(super) fn substring(
        &mut self,
        expr: &ast::Expr,
        from: Option<&ast::Expr>,
        length: Option<&ast::Expr>,
    ) -> Option<Typed> {
        let first = ast::Expr::Value(ast::Value::Number("1".to_owned(), false).with_empty_span());
        let mut arguments = vec![expr, from.unwrap_or(&first)];
        arguments.extend(length);
        self.call_on("substr", &arguments)
    }

    pub(super) fn trim(
        &mut self,
        side: Option<&ast::TrimWhereField>,
        what: Option<&ast::Expr>,
        expr: &ast::Expr,
        characters: Option<&[ast::Expr]>,
    ) -> Option<Typed> {
        let name = match side {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            Some(ast::TrimWhereField::Both) | None => "btrim",
        };
        let mut arguments = vec![expr];
        arguments.extend(what);
        arguments.extend(characters.unwrap_or_default());
        self.call_on(name, &arguments)
    }

    /// A function of DataFusion: takes what its signature takes without crossing from one type to another.
    fn plain(
        &mut self,
        name: &str,
        span: Span,
        function: &Arc<ScalarUDF>,
        arguments: Vec<(&ast::Expr, Typed)>,
    ) -> Option<Typed> {
        let given: Vec<FieldRef> = arguments.iter().map(|(_, typed)| field(typed.sql_type.data_type())).collect();
        let usage = function.documentation().map(|doc| format!("it is called as `{}`", doc.syntax_example));
        let Ok(wanted) = fields_with_udf(&given, function.as_ref()) else {
            self.refused_arguments(name, span, function, &arguments, usage);
            return None;
        };
        let mut fine = true;
        for ((ast, typed), wanted) in arguments.iter().zip(&wanted) {
            fine &= self.takes(name, ast, typed.sql_type, wanted.data_type());
        }
        if !fine {
            return None;
        }
        let arguments: Vec<Expr> = arguments
            .into_iter()
            .zip(&wanted)
            .map(|((_, typed), wanted)| represented(typed, wanted.data_type()))
            .collect();
        let constants: Vec<_> = arguments
            .iter()
            .map(|argument| if let Expr::Literal(value, _) = argument { Some(value) } else { None })
            .collect();
        let returned = function
            .return_field_from_args(ReturnFieldArgs { arg_fields: &wanted, scalar_arguments: &constants })
            .map(|field| field.data_type().clone());
        let Ok(returned) = returned else {
            self.problem(code::ARGUMENTS, span, format!("`{name}` does not take these arguments"), usage);
            return None;
        };
        let Some(sql_type) = SqlType::of(&returned).filter(|sql_type| *sql_type != SqlType::Interval) else {
            let (message, advice) = if returned.is_floating() {
                (format!("`{name}` computes with floating point, which loses digits"), None)
            } else {
                let message = format!("`{name}` gives something that expressions cannot use");
                (message, Some("they have text, numbers, booleans, dates and datetimes".to_owned()))
            };
            self.problem(code::REFUSED_FUNCTION, span, message, advice);
            return None;
        };
        let call = scalar(Arc::clone(function), arguments);
        let expr = if returned == sql_type.data_type() { call } else { cast(call, sql_type.data_type()) };
        Some(Typed::new(expr, sql_type))
    }

    /// Says which conversion of one argument would make a call possible, or what the function takes.
    fn refused_arguments(
        &mut self,
        name: &str,
        span: Span,
        function: &ScalarUDF,
        arguments: &[(&ast::Expr, Typed)],
        usage: Option<String>,
    ) {
        let possible = |types: &[SqlType]| {
            let fields: Vec<FieldRef> = types.iter().map(|sql_type| field(sql_type.data_type())).collect();
            let wanted = fields_with_udf(&fields, function).ok()?;
            let kept = |(sql_type, wanted): (&SqlType, &FieldRef)| {
                SqlType::of(wanted.data_type()).is_some_and(|wanted| sql_type.meet(wanted) == Some(wanted))
            };
            types.iter().zip(&wanted).all(kept).then_some(())
        };
        let given: Vec<SqlType> = arguments.iter().map(|(_, typed)| typed.sql_type).collect();
        for (at, (ast, typed)) in arguments.iter().enumerate() {
            for other in [SqlType::Decimal, SqlType::Integer, SqlType::Text, SqlType::Date] {
                let mut types = given.clone();
                types[at] = other;
                if other == typed.sql_type || possible(&types).is_none() {
                    continue;
                }
                let text = shortened(&ast.to_string());
                let message =
                    format!("`{name}` needs {} here; `{text}` is {}", other.phrase(), typed.sql_type.phrase());
                let advice = conversion_advice(ast, typed.sql_type, other);
                self.problem(code::TYPES, ast.span(), message, advice.or(usage));
                return;
            }
        }
        let types = given.iter().map(|sql_type| sql_type.phrase()).collect::<Vec<_>>().join(", ");
        let what = if types.is_empty() { "a call without arguments".to_owned() } else { types };
        self.problem(code::ARGUMENTS, span, format!("`{name}` does not take {what}"), usage);
    }

    /// Whether an argument goes where the signature wants `wanted`; a problem when it would be changed.
    fn takes(&mut self, name: &str, ast: &ast::Expr, given: SqlType, wanted: &DataType) -> bool {
        let text = shortened(&ast.to_string());
        if wanted.is_floating() && given != SqlType::Null {
            let message = format!("`{name}` computes with floating point, which loses digits");
            self.problem(code::REFUSED_FUNCTION, ast.span(), message, None);
            return false;
        }
        match SqlType::of(wanted) {
            Some(wanted) if given.meet(wanted) == Some(wanted) => true,
            None if given == SqlType::Null => true,
            wanted => {
                let needs = wanted.map_or("something else", SqlType::phrase);
                let advice = match wanted {
                    Some(SqlType::Integer) if given != SqlType::Boolean => Some(format!("write `integer({text})`")),
                    Some(wanted) => conversion_advice(ast, given, wanted),
                    None => None,
                };
                let message = format!("`{name}` needs {needs} here; `{text}` is {}", given.phrase());
                self.problem(code::TYPES, ast.span(), message, advice);
                false
            }
        }
    }
}

/// An argument in the representation that a function wants.
fn represented(typed: Typed, wanted: &DataType) -> Expr {
    if typed.sql_type.data_type() == *wanted {
        return typed.expr;
    }
    match typed.expr {
        Expr::Literal(value, _) if let Ok(value) = value.cast_to(wanted) => Expr::Literal(value, None),
        expr => cast(expr, wanted.clone()),
    }
}

fn field(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("argument", data_type, true))
}

/// The type that a cast goes to; `None` for those that would lose digits.
fn cast_target(to: &SqlDataType) -> Option<SqlType> {
    use ast::ExactNumberInfo;
    Some(match to {
        SqlDataType::Decimal(ExactNumberInfo::None)
        | SqlDataType::Numeric(ExactNumberInfo::None)
        | SqlDataType::Dec(ExactNumberInfo::None) => SqlType::Decimal,
        SqlDataType::Int(None) | SqlDataType::Integer(None) | SqlDataType::BigInt(None) => SqlType::Integer,
        SqlDataType::Boolean | SqlDataType::Bool => SqlType::Boolean,
        SqlDataType::Date => SqlType::Date,
        SqlDataType::Datetime(None) => SqlType::Datetime,
        SqlDataType::Timestamp(None, _) => SqlType::Datetime,
        SqlDataType::Text | SqlDataType::Varchar(None) | SqlDataType::String(None) => SqlType::Text,
        _ => return None,
    })
}
