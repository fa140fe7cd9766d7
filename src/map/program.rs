//! A compiled expression: how it is evaluated over a batch, and how its failures are found exactly.
//!
//! Conversions are lifted out: each is evaluated once over the whole batch, giving values *and* reasons, and
//! the rest of the expression reads its values as one more column. Where no conversion failed, that is all.
//! For the rows where one did, [`used`](Bound::used) walks the expression with a mask to see whether that
//! row used it: a branch of `CASE` counts only for the rows that take it, a later argument of `coalesce`
//! only where the earlier are null, the right side of `AND` and `OR` only where the left does not decide.
//! So `coalesce(decimal(x), 0)` of `abc` is a failure, and `CASE WHEN x = '-' THEN 0 ELSE decimal(x) END` of
//! `-` is none. Every evaluation is a plain DataFusion expression over a batch; nothing is kept between rows.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::UInt32Array;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::DataFusionError;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{BinaryExpr, Case, ScalarFunction};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::planner::create_physical_expr;
use datafusion::scalar::ScalarValue;

use super::function::convert::Conversion;
use super::function::{self, coalesce};
use super::lower::{AS_OF_DATE, AS_OF_INSTANT, Lowered};
use super::scope::Name;
use super::sql_type::SqlType;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::types::{self, Reason, TypeOptions};

/// A compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The expression, conversions replaced by the columns they are lifted to.
    main: Expr,
    sql_type: SqlType,
    lifted: Vec<Lifted>,
    names: Vec<Name>,
    options: TypeOptions,
}

/// A conversion that was lifted out.
#[derive(Debug, Clone)]
struct Lifted {
    conversion: Conversion,
    /// What it converts; may read columns of conversions lifted before.
    argument: Expr,
}

/// The instant and the day that an expression is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf {
    /// The instant.
    pub(crate) instant: Timestamp,
    /// The project's time zone, which says what day that is.
    pub(crate) timezone: Tz,
}

impl AsOf {
    fn literal(self, id: &str) -> Option<ScalarValue> {
        match id {
            AS_OF_INSTANT => Some(ScalarValue::TimestampMicrosecond(Some(self.instant.micros()), Some("UTC".into()))),
            AS_OF_DATE => {
                let day = self.instant.to_datetime().with_timezone(&self.timezone).date_naive();
                Some(ScalarValue::Date32(Some(Date32Type::from_naive_date(day))))
            }
            _ => None,
        }
    }

    /// The expression with constants where the as-of stood.
    fn fill_in(self, expr: &Expr) -> Result<Expr, DataFusionError> {
        expr.clone()
            .transform_up(|node| {
                Ok(match &node {
                    Expr::Placeholder(placeholder) => match self.literal(&placeholder.id) {
                        Some(value) => Transformed::yes(Expr::Literal(value, None)),
                        None => Transformed::no(node),
                    },
                    _ => Transformed::no(node),
                })
            })
            .data()
    }
}

/// What an expression gave for a batch: one value per row, and the rows that failed, rising.
#[derive(Debug)]
pub(crate) struct Evaluated {
    pub(crate) values: ArrayRef,
    pub(crate) failures: Vec<(usize, Reason)>,
}

/// The column that the `n`-th lifted conversion becomes; no source has a field of such a name.
fn lifted_name(n: usize) -> String {
    format!("\u{1}{n}")
}

fn lifted_index(column: &Column) -> Option<usize> {
    column.name.strip_prefix('\u{1}')?.parse().ok()
}

impl Program {
    /// Makes an expression ready to run; `options` are those of its conversions.
    pub(crate) fn new(lowered: Lowered, options: TypeOptions) -> Program {
        let mut lifted: Vec<Lifted> = Vec::new();
        let main = lift(lowered.typed.expr, &mut lifted);
        Program { main, sql_type: lowered.typed.sql_type, lifted, names: lowered.names, options }
    }

    /// The names it reads, in the order of their first use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| name.name.as_str())
    }

    /// The columns of [`Program::names`], as `column` finds them by name and type.
    pub(crate) fn inputs(&self, column: impl Fn(&str, &DataType) -> Result<ArrayRef>) -> Result<Vec<ArrayRef>> {
        self.names.iter().map(|name| column(&name.name, &name.data_type)).collect()
    }

    /// Fixes what `now()` and `as_of()` mean and plans the expression.
    pub(crate) fn bind(&self, as_of: AsOf) -> Result<Bound<'_>> {
        self.plan(as_of).map_err(|error| {
            Error::new(ErrorKind::Internal, "an expression that was checked cannot be planned").caused_by(error)
        })
    }

    fn plan(&self, as_of: AsOf) -> Result<Bound<'_>, DataFusionError> {
        let inputs = self.names.iter().map(|name| Field::new(name.name.clone(), name.data_type.clone(), true));
        let lifted = self
            .lifted
            .iter()
            .enumerate()
            .map(|(n, lifted)| Field::new(lifted_name(n), lifted.conversion.to.data_type(), true));
        let schema = Arc::new(Schema::new(inputs.chain(lifted).collect::<Vec<_>>()));
        let planner = Planner { schema: DFSchema::try_from(Arc::clone(&schema))? };
        let main = as_of.fill_in(&self.main)?;
        let mut arguments = Vec::with_capacity(self.lifted.len());
        for lifted in &self.lifted {
            let argument = as_of.fill_in(&lifted.argument)?;
            let planned = planner.plan(&argument)?;
            arguments.push((argument, planned));
        }
        let planned = planner.plan(&main)?;
        Ok(Bound { program: self, schema, planner, main, planned, arguments })
    }
}

/// Replaces conversions by columns, innermost first; equal ones share a column.
fn lift(expr: Expr, lifted: &mut Vec<Lifted>) -> Expr {
    let original = expr.clone();
    let replaced = expr.transform_up(|node| {
        let Expr::ScalarFunction(ScalarFunction { func, args }) = &node else { return Ok(Transformed::no(node)) };
        let (Some(conversion), Some(argument)) = (Conversion::named(func.name()), args.first()) else {
            return Ok(Transformed::no(node));
        };
        let known = lifted.iter().position(|known| known.conversion == conversion && known.argument == *argument);
        let at = known.unwrap_or_else(|| {
            lifted.push(Lifted { conversion, argument: argument.clone() });
            lifted.len() - 1
        });
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(lifted_name(at)))))
    });
    replaced.data().unwrap_or(original)
}

/// Plans expressions over the inputs and lifted columns of one program.
#[derive(Debug)]
struct Planner {
    schema: DFSchema,
}

impl Planner {
    fn plan(&self, expr: &Expr) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        create_physical_expr(expr, &self.schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())
    }
}

/// A program whose as-of is fixed, ready for any number of batches.
#[derive(Debug)]
pub(crate) struct Bound<'p> {
    program: &'p Program,
    schema: SchemaRef,
    planner: Planner,
    main: Expr,
    planned: Arc<dyn PhysicalExpr>,
    arguments: Vec<(Expr, Arc<dyn PhysicalExpr>)>,
}

impl Bound<'_> {
    /// Evaluates over `rows` rows; `inputs` are the columns of [`Program::names`], in that order.
    ///
    /// A row that makes the whole batch fail is found by halving and told like any other failure.
    pub(crate) fn evaluate(&self, inputs: Vec<ArrayRef>, rows: usize) -> Result<Evaluated> {
        let wrong = |error: DataFusionError| {
            Error::new(ErrorKind::Internal, "the parts of an evaluated expression do not fit together").caused_by(error)
        };
        let mut values = Vec::new();
        let mut failures = Vec::new();
        // Pieces still to do, the next one last.
        let mut pieces = vec![(0, rows)];
        while let Some((start, length)) = pieces.pop() {
            let part = inputs.iter().map(|input| input.slice(start, length)).collect();
            match self.attempt(part, length) {
                Ok(evaluated) => {
                    values.push(evaluated.values);
                    failures.extend(evaluated.failures.into_iter().map(|(row, reason)| (start + row, reason)));
                }
                Err(error) if length <= 1 => {
                    values.push(new_null_array(&self.program.sql_type.data_type(), length));
                    failures.extend((length == 1).then(|| (start, not_computable(&error))));
                }
                Err(_) => {
                    let half = length / 2;
                    pieces.push((start + half, length - half));
                    pieces.push((start, half));
                }
            }
        }
        let values = match values.as_slice() {
            [only] => Arc::clone(only),
            several => {
                let parts: Vec<&dyn Array> = several.iter().map(AsRef::as_ref).collect();
                concat(&parts).map_err(|error| wrong(error.into()))?
            }
        };
        Ok(Evaluated { values, failures })
    }

    /// Whether the expression fails even for a record whose fields are all blank.
    pub(crate) fn fails_on_blank(&self) -> Option<String> {
        let blank = |name: &Name| match name.sql_type {
            SqlType::Text => ScalarValue::Utf8(Some(String::new())).to_array(),
            _ => Ok(new_null_array(&name.data_type, 1)),
        };
        let inputs = self.program.names.iter().map(blank).collect::<Result<Vec<_>, _>>();
        match inputs.and_then(|inputs| self.attempt(inputs, 1)) {
            Ok(_) => None,
            Err(error) => Some(last_line(&error)),
        }
    }

    fn attempt(&self, inputs: Vec<ArrayRef>, rows: usize) -> Result<Evaluated, DataFusionError> {
        let mut columns = inputs;
        let mut failed = Vec::with_capacity(self.arguments.len());
        for (lifted, (_, argument)) in self.program.lifted.iter().zip(&self.arguments) {
            let input = argument.evaluate(&self.batch(&columns, rows)?)?.into_array(rows)?;
            let converted = types::convert(lifted.conversion.kind(), &self.program.options, &input);
            failed.push(if lifted.conversion.quiet { Vec::new() } else { converted.failures });
            columns.push(converted.values);
        }
        let batch = self.batch(&columns, rows)?;
        let values = self.planned.evaluate(&batch)?.into_array(rows)?;
        let failures = if failed.iter().all(Vec::is_empty) { Vec::new() } else { self.used(&batch, failed)? };
        Ok(Evaluated { values, failures })
    }

    fn batch(&self, columns: &[ArrayRef], rows: usize) -> Result<RecordBatch, DataFusionError> {
        let fields = self.schema.fields().iter().take(columns.len()).cloned().collect::<Vec<_>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns.to_vec(), &options)?)
    }

    /// Of the failures of lifted conversions, those whose row used the conversion: one reason per row.
    fn used(
        &self,
        batch: &RecordBatch,
        failed: Vec<Vec<(usize, Reason)>>,
    ) -> Result<Vec<(usize, Reason)>, DataFusionError> {
        let mut rows: Vec<usize> = failed.iter().flatten().map(|(row, _)| *row).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut reasons: Vec<Vec<Option<Reason>>> = vec![vec![None; rows.len()]; failed.len()];
        for (of_conversion, failures) in reasons.iter_mut().zip(failed) {
            for (row, reason) in failures {
                if let Ok(at) = rows.binary_search(&row) {
                    of_conversion[at] = Some(reason);
                }
            }
        }
        let chosen: UInt32Array = rows.iter().map(|row| u32::try_from(*row).ok()).collect();
        let columns =
            batch.columns().iter().map(|column| take(column, &chosen, None)).collect::<Result<Vec<_>, _>>()?;
        let batch = self.batch(&columns, rows.len())?;
        let mut walk = Walk { bound: self, batch, reasons, found: vec![None; rows.len()] };
        walk.visit(&self.main, &vec![true; rows.len()])?;
        Ok(rows.into_iter().zip(walk.found).filter_map(|(row, reason)| Some((row, reason?))).collect())
    }
}

/// A walk through an expression that sees which rows use which part of it.
struct Walk<'b, 'p> {
    bound: &'b Bound<'p>,
    /// The rows where a conversion failed.
    batch: RecordBatch,
    /// Per conversion and row: why it failed.
    reasons: Vec<Vec<Option<Reason>>>,
    /// Per row: the first failure that it used.
    found: Vec<Option<Reason>>,
}

impl Walk<'_, '_> {
    /// Visits `expr` for the rows of `mask`.
    fn visit(&mut self, expr: &Expr, mask: &[bool]) -> Result<(), DataFusionError> {
        if !mask.contains(&true) {
            return Ok(());
        }
        match expr {
            Expr::Column(column) => match lifted_index(column) {
                Some(at) => self.conversion(at, mask),
                None => Ok(()),
            },
            Expr::Case(case) => self.case(case, mask),
            Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == coalesce::NAME => {
                let mut rest = mask.to_vec();
                for argument in args {
                    self.visit(argument, &rest)?;
                    let values = self.evaluate(argument)?;
                    narrow(&mut rest, |row| values.is_null(row));
                }
                Ok(())
            }
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                self.visit(left, mask)?;
                let decided_by = *op == Operator::Or;
                let values = self.truths(left)?;
                let mut rest = mask.to_vec();
                narrow(&mut rest, |row| values.is_null(row) || values.value(row) != decided_by);
                self.visit(right, &rest)
            }
            other => {
                other.apply_children(|child| self.visit(child, mask).map(|()| TreeNodeRecursion::Continue))?;
                Ok(())
            }
        }
    }

    fn conversion(&mut self, at: usize, mask: &[bool]) -> Result<(), DataFusionError> {
        let bound = self.bound;
        if let Some((argument, _)) = bound.arguments.get(at) {
            self.visit(argument, mask)?;
        }
        if let Some(reasons) = self.reasons.get(at) {
            for (row, reason) in reasons.iter().enumerate() {
                if mask[row] && self.found[row].is_none() {
                    self.found[row].clone_from(reason);
                }
            }
        }
        Ok(())
    }

    fn case(&mut self, case: &Case, mask: &[bool]) -> Result<(), DataFusionError> {
        let mut rest = mask.to_vec();
        for (when, then) in &case.when_then_expr {
            self.visit(when, &rest)?;
            let values = self.truths(when)?;
            let holds = |row: usize| values.is_valid(row) && values.value(row);
            let mut taken = rest.clone();
            narrow(&mut taken, holds);
            self.visit(then, &taken)?;
            narrow(&mut rest, |row| !holds(row));
        }
        match &case.else_expr {
            Some(otherwise) => self.visit(otherwise, &rest),
            None => Ok(()),
        }
    }

    fn evaluate(&self, expr: &Expr) -> Result<ArrayRef, DataFusionError> {
        self.bound.planner.plan(expr)?.evaluate(&self.batch)?.into_array(self.batch.num_rows())
    }

    fn truths(&self, expr: &Expr) -> Result<BooleanArray, DataFusionError> {
        Ok(self.evaluate(expr)?.as_boolean().clone())
    }
}

fn narrow(mask: &mut [bool], keep: impl Fn(usize) -> bool) {
    for (row, bit) in mask.iter_mut().enumerate() {
        *bit = *bit && keep(row);
    }
}

/// What an engine says that was given no record; of several lines the last, which names the cause.
fn last_line(error: &DataFusionError) -> String {
    let said = match error.find_root() {
        DataFusionError::Execution(message) | DataFusionError::Plan(message) => message.clone(),
        DataFusionError::ArrowError(error, _) => error.to_string(),
        other => other.strip_backtrace(),
    };
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it cannot be computed");
    last.trim().trim_start_matches("error: ").to_owned()
}

/// The reason of a row that cannot be computed; it names no value of the record.
fn not_computable(error: &DataFusionError) -> Reason {
    Reason::new("not_computable", told(error))
}

/// What our own functions say, or for those of DataFusion, which may repeat values, the kind of failure.
fn told(error: &DataFusionError) -> String {
    use datafusion::arrow::error::ArrowError;
    match error.find_root() {
        DataFusionError::Execution(message) if function::MESSAGES.contains(&message.as_str()) => message.clone(),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::CastError(_) => "a number of the calculation is outside the range of its type".to_owned(),
            ArrowError::ArithmeticOverflow(_) => function::TOO_LARGE.to_owned(),
            ArrowError::DivideByZero => "a division by zero".to_owned(),
            _ => "a function of the expression refuses its arguments".to_owned(),
        },
        _ => "a function of the expression refuses its arguments".to_owned(),
    }
}
