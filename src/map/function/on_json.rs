//! What functions on JSON text share: a constant path (RFC 9535), read once, and numbers with all their digits.
//!
//! Null and blank text give null. A text that is no JSON makes its row an error, to be held: a path into a text that was
//! cut off is no "not there".

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use serde_json_path::{JsonPath, NodeList};

use super::{FunctionDoc, json_count, json_exists, json_value, json_values};
use crate::connect::tree;
use crate::map::sql_type::SqlType;

/// What a row's failure says.
pub(crate) const NO_JSON: &str = "the text is no JSON";
/// What a row's failure says.
pub(crate) const SEVERAL: &str = "the path finds several values; take one of them by [0], or write json_values";

/// What a function makes of the values that a path finds.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// A text; fails with one of the messages above.
    Text(fn(NodeList<'_>) -> Result<Option<String>, &'static str>),
    /// A number.
    Whole(fn(NodeList<'_>) -> i64),
    /// A yes or no.
    Truth(fn(NodeList<'_>) -> bool),
}

/// One of the functions on JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Json {
    pub(super) doc: &'static FunctionDoc,
    pub(super) of: Of,
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.doc.name)
    }
}

/// All of them, in the order they are shown.
pub(crate) static ALL: [Json; 4] = [json_value::JSON, json_values::JSON, json_exists::JSON, json_count::JSON];

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let signature = || Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable);
    ALL.iter().map(|json| Arc::new(ScalarUDF::from(OnJson { json: *json, signature: signature() }))).collect()
});

impl Json {
    /// The one called `name` (lower case).
    pub(crate) fn named(name: &str) -> Option<Json> {
        ALL.iter().find(|json| json.doc.name == name).copied()
    }

    /// What it gives.
    pub(crate) fn gives(self) -> SqlType {
        match self.of {
            Of::Text(_) => SqlType::Text,
            Of::Whole(_) => SqlType::Integer,
            Of::Truth(_) => SqlType::Boolean,
        }
    }

    /// The function, to be called with the text and the path.
    pub(crate) fn function(self) -> Arc<ScalarUDF> {
        let at = ALL.iter().position(|known| known.doc.name == self.doc.name).unwrap_or_default();
        Arc::clone(&FUNCTIONS[at])
    }
}

/// All functions, to be registered.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS.clone()
}

/// What keeps a text from being a path, with the character (from 1) that it cannot be read from.
pub(crate) fn path_fault(path: &str) -> Option<(usize, String)> {
    let error = JsonPath::parse(path).err()?;
    Some((error.position() + 1, error.message().to_owned()))
}

/// Found and compared by its name.
#[derive(Debug)]
struct OnJson {
    json: Json,
    signature: Signature,
}

impl PartialEq for OnJson {
    fn eq(&self, other: &Self) -> bool {
        self.json.doc.name == other.json.doc.name
    }
}

impl Eq for OnJson {}

impl Hash for OnJson {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.json.doc.name.hash(state);
    }
}

impl ScalarUDFImpl for OnJson {
    fn name(&self) -> &str {
        self.json.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.json.gives().data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let refuse = |what: &str| DataFusionError::Execution(format!("{} {what}", self.name()));
        let [text, ColumnarValue::Scalar(ScalarValue::Utf8(Some(path)))] = args.args.as_slice() else {
            return Err(refuse("needs a text and a constant path"));
        };
        let path = JsonPath::parse(path).map_err(|_| refuse("needs a JSON path such as '$.a.b'"))?;
        let array = text.clone().into_array(args.number_rows)?;
        let trees = array.as_string::<i32>().iter().map(|text| match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => tree::parse(text).map(Some).map_err(|_| DataFusionError::Execution(NO_JSON.to_owned())),
            None => Ok(None),
        });
        let result: ArrayRef = match self.json.of {
            Of::Text(of) => {
                let mut output = StringBuilder::new();
                for tree in trees {
                    let found = tree?.map(|tree| of(path.query(&tree))).transpose();
                    output.append_option(found.map_err(|why| DataFusionError::Execution(why.to_owned()))?.flatten());
                }
                Arc::new(output.finish())
            }
            Of::Whole(of) => {
                let counts = trees.map(|tree| Ok(tree?.map(|tree| of(path.query(&tree)))));
                Arc::new(counts.collect::<Result<Int64Array>>()?)
            }
            Of::Truth(of) => {
                let truths = trees.map(|tree| Ok(tree?.map(|tree| of(path.query(&tree)))));
                Arc::new(truths.collect::<Result<BooleanArray>>()?)
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}
