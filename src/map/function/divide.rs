//! `divide(a, b)`: division that says what dividing by zero gives. It is written out by the operators it stands for.

use super::FunctionDoc;

pub(crate) const DOC: FunctionDoc = FunctionDoc {
    name: "divide",
    syntax: "divide(a, b, otherwise)",
    does: "`a / b` with ten decimal places, and `otherwise` where b is zero; without it null, as with `/`",
    example: "divide(5, 0, 0)",
    gives: "0",
};
