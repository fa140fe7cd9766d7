//! `ref`: the key of a record of another stream.

use super::doc::{Cases, TypeDoc, empty, held, is, plain_options};
use super::{Reason, VariableType, text};

pub(super) static DOC: TypeDoc = TypeDoc {
    kind: VariableType::Ref,
    ja: "参照",
    about: "The key of a record as the other stream has it, to the byte: keys are compared, so nothing is trimmed. In \
            states it becomes the id of the customer or record that the key belongs to.",
    canonical: "the key",
    order: "by the numbers of its characters in Unicode",
    cases: &[Cases {
        declared: "entity: customer",
        options: plain_options,
        forms: &[
            is("001Ab000012345AAA", "001Ab000012345AAA"),
            is("[\"1\",\"2\"]", "[\"1\",\"2\"]"),
            is(" 12", " 12"),
            empty(" "),
            held("1\0", "nul_character"),
        ],
    }],
};

/// A key, as it is.
pub(super) fn parse(text: &str) -> Result<&str, Reason> {
    text::without_nul(text)
}
