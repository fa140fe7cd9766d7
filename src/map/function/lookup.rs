//! `lookup('table', key, 'column')`: a cell of a table of the project.
//!
//! The table is part of the function: which one, and with what in it, is what two of them are compared by.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;
use crate::map::lookup::Table;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "lookup",
    syntax: "lookup('table', key, 'column')",
    does: "the cell of `lookups/table.csv` in the row of that key (its first column); null where there is none; of a table with two columns the second need not be named",
    example: "lookup('industries', '01', '名称')",
    gives: "製造",
};

/// The function that looks into one column of one table, to be called with the key.
pub(crate) fn function(table: &Arc<Table>, column: usize) -> Arc<ScalarUDF> {
    let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    Arc::new(ScalarUDF::from(Lookup { table: Arc::clone(table), column, signature }))
}

struct Lookup {
    table: Arc<Table>,
    column: usize,
    signature: Signature,
}

impl Lookup {
    fn identity(&self) -> (&str, &str, usize) {
        (&self.table.name, &self.table.hash, self.column)
    }
}

impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Lookup {}

impl Hash for Lookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lookup {}", self.table.name)
    }
}

impl ScalarUDFImpl for Lookup {
    fn name(&self) -> &str {
        DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [keys] = arrays.as_slice() else {
            return Err(DataFusionError::Execution("lookup needs a key".to_owned()));
        };
        let keys = as_string_array(keys)?;
        let mut output = StringBuilder::with_capacity(keys.len(), keys.len() * 8);
        for key in keys {
            output.append_option(key.and_then(|key| self.table.get(key, self.column)));
        }
        Ok(ColumnarValue::Array(Arc::new(output.finish())))
    }
}
