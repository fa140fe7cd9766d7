//! The templates in `mappings/`: mappings for the usual streams of a connector.
//!
//! A template is a mapping that can be used as it stands where the fields are called as in it. A line that waits behind a
//! `#` is a proposal for fields that not everybody has. The comment of a line says which field is meant: labels with `・`
//! between them, a comma, and types (`月額・月次売上, number or formula`).

use std::collections::{BTreeMap, BTreeSet};

use super::words::fold;
use crate::config::yaml::parse;
use crate::map::MappingConfig;
use crate::record::Field;

/// A template as it lies in `mappings/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The connector whose streams it is for.
    pub connector: &'static str,
    /// The file, from the repository's root.
    pub file: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

macro_rules! template {
    ($connector:literal, $name:literal) => {
        Template {
            connector: $connector,
            file: concat!("mappings/", $connector, "/", $name),
            text: include_str!(concat!("../../mappings/", $connector, "/", $name)),
        }
    };
}

/// The templates that come with the program.
pub fn shipped_templates() -> &'static [Template] {
    &[
        template!("salesforce", "Account.yaml"),
        template!("salesforce", "Contact.yaml"),
        template!("salesforce", "Contract.yaml"),
        template!("salesforce", "Opportunity.yaml"),
        template!("hubspot", "companies.yaml"),
        template!("hubspot", "contacts.yaml"),
        template!("hubspot", "deals.yaml"),
        template!("kintone", "顧客管理.yaml"),
        template!("kintone", "顧客管理.契約.yaml"),
        template!("kintone", "案件管理.yaml"),
        template!("kintone", "担当者管理.yaml"),
        template!("zoho", "Accounts.yaml"),
        template!("zoho", "Contacts.yaml"),
        template!("zoho", "Deals.yaml"),
    ]
}

/// What a line's comment says about the field that is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Meant {
    /// Labels, folded, the likeliest first.
    labels: Vec<String>,
    /// Type words of connectors; empty: any.
    types: Vec<&'static str>,
}

/// A template as read.
#[derive(Debug)]
pub(super) struct Read {
    /// The mapping with every line, proposals included.
    pub(super) mapping: MappingConfig,
    /// The variables whose lines are proposals.
    pub(super) proposed: BTreeSet<String>,
    /// Which field each line means.
    pub(super) meant: BTreeMap<String, Meant>,
}

impl Template {
    /// Reads the template with its proposals and comments; `None` when it is no mapping.
    pub(super) fn read(&self) -> Option<Read> {
        let mut text = String::new();
        let (mut proposed, mut meant) = (BTreeSet::new(), BTreeMap::new());
        for line in self.text.lines() {
            let waiting = line.strip_prefix("  # ").filter(|comment| is_setting(comment));
            let setting = waiting.map_or(line.to_owned(), |comment| format!("  {comment}"));
            if let Some(name) = variable_of(&setting) {
                meant.insert(name.to_owned(), Meant::read(&setting));
                if waiting.is_some() {
                    proposed.insert(name.to_owned());
                }
            }
            text.push_str(&setting);
            text.push('\n');
        }
        let parsed = parse(self.file, &text);
        let mut value = parsed.value.filter(|_| parsed.problems.is_empty())?;
        let members = value.as_object_mut()?;
        members.shift_remove("apiVersion");
        members.shift_remove("kind");
        Some(Read { mapping: serde_json::from_value(value).ok()?, proposed, meant })
    }
}

/// Whether a comment is a line of YAML that waits to be used.
fn is_setting(comment: &str) -> bool {
    let key = comment.trim_start().split_once(':').map(|(key, _)| key);
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// The variable that a line begins; only these are indented by two.
fn variable_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']))?;
    rest.split_once(':').map(|(key, _)| key)
}

/// The words for types in comments, and what connectors call them.
const TYPES: &[(&str, &[&str])] = &[
    ("text", &["single_line_text", "multi_line_text", "string", "text", "textarea"]),
    ("link", &["link", "url"]),
    ("number", &["number", "double", "int", "integer", "bigint", "currency", "percent"]),
    ("formula", &["calc"]),
    ("currency", &["currency"]),
    ("percent", &["percent"]),
    ("drop-down", &["drop_down"]),
    ("radio button", &["radio_button"]),
    ("picklist", &["picklist", "enumeration"]),
    ("status", &["status"]),
    ("date", &["date"]),
    ("user selection", &["user_select"]),
    ("phone", &["phone", "phone_number"]),
    ("e-mail", &["email"]),
];

impl Meant {
    fn read(line: &str) -> Meant {
        let comment = line.rsplit_once(" # ").map_or("", |(_, comment)| comment.trim());
        let comment = comment.split(';').next().unwrap_or_default();
        let Some((labels, types)) = comment.split_once(", ") else { return Meant::default() };
        let known = TYPES.iter().filter(|(word, _)| types.contains(word));
        Meant {
            labels: labels.split('・').map(fold).collect(),
            types: known.flat_map(|(_, types)| *types).copied().collect(),
        }
    }

    /// Whether it says of which types the field may be.
    pub(super) fn says_types(&self) -> bool {
        !self.types.is_empty()
    }

    /// Whether a field is of one of the types.
    pub(super) fn is_type_of(&self, field: &Field) -> bool {
        self.types.is_empty() || self.types.contains(&field.source_type.as_str())
    }

    /// The field that is meant, by label and type; the code counts as a label too.
    pub(super) fn find<'f>(&self, fields: &'f [Field], is_open: impl Fn(&Field) -> bool) -> Option<&'f Field> {
        if !self.says_types() {
            return None;
        }
        let is_labelled = |field: &Field, label: &String| {
            field.label.as_deref().map(fold).as_ref() == Some(label) || fold(&field.name) == *label
        };
        self.labels.iter().find_map(|label| {
            fields.iter().find(|field| is_open(field) && self.is_type_of(field) && is_labelled(field, label))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_in_the_repository_is_shipped_and_can_be_read() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        let mut files = Vec::new();
        for folder in std::fs::read_dir(&root).unwrap().map(Result::unwrap) {
            for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
                let path = format!("mappings/{}/{}", folder.file_name().display(), file.file_name().display());
                if path.ends_with(".yaml") {
                    files.push(path);
                }
            }
        }
        files.sort();
        let mut shipped: Vec<&str> = shipped_templates().iter().map(|template| template.file).collect();
        shipped.sort_unstable();
        assert_eq!(files, shipped);
        for template in shipped_templates() {
            let read = template.read().unwrap_or_else(|| panic!("{} cannot be read", template.file));
            assert!(read.mapping.variables.len() >= 4, "{}", template.file);
        }
    }

    #[test]
    fn every_line_of_the_kintone_templates_says_which_field_it_means() {
        for template in shipped_templates().iter().filter(|template| template.connector == "kintone") {
            let read = template.read().unwrap();
            for variable in read.mapping.variables.keys().filter(|name| *name != "customer") {
                let meant = &read.meant[variable];
                assert!(!meant.labels.is_empty() && !meant.types.is_empty(), "{}: {variable}", template.file);
            }
        }
    }

    #[test]
    fn a_comment_names_labels_and_types() {
        let meant = Meant::read("  # mrr: 月額   # 月額・月次売上, number or formula; not 年額");
        assert_eq!(meant.labels, ["月額", "月次売上"]);
        assert!(meant.types.contains(&"calc") && meant.types.contains(&"number") && !meant.types.contains(&"date"));
        assert_eq!(Meant::read("  name: Name"), Meant::default());
    }
}
