//! The modules of an org.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::zoho::field::{Column, FieldSpec, FieldType, Source};
use crate::zoho::population::Population;
use crate::zoho::records::Records;

/// What becomes of calls for the records of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// They are answered.
    #[default]
    Open,
    /// The API does not know it: 400 `INVALID_MODULE`.
    Unsupported,
    /// It is not for this user: 403 `NO_PERMISSION`.
    Forbidden,
    /// It is for administrators only: 403 `NOT_SUPPORTED` for others.
    Administrators,
    /// There is nothing: no fields, no records, 204.
    Empty,
}

/// How a module is set up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModuleSpec {
    /// As it is called in calls and answers.
    pub api_name: String,
    /// As people see it.
    pub label: String,
    /// `default`, `custom`, `linking`, `subform`, …; `custom` without one.
    pub generated_type: String,
    /// What becomes of calls.
    pub access: Access,
    /// Whether records have no `Modified_Time`, `Modified_By` and `Owner`.
    pub is_unstamped: bool,
    /// The fields beside those that all modules have; the first is the name of a record.
    pub fields: Vec<FieldSpec>,
}

/// An entry in the list of deleted records.
#[derive(Debug, Clone)]
pub(crate) struct Deletion {
    pub(crate) number: u64,
    pub(crate) display_name: String,
    pub(crate) by: u64,
    pub(crate) creator: u64,
    pub(crate) deleted: i64,
    /// When it went for good; it is in the recycle bin while there is none.
    pub(crate) purged: Option<i64>,
}

/// A module with its records.
#[derive(Debug)]
pub(crate) struct Module {
    /// Part of the ids of its records.
    pub(crate) number: u16,
    pub(crate) api_name: String,
    pub(crate) label: String,
    pub(crate) generated_type: String,
    pub(crate) access: Access,
    pub(crate) columns: Vec<Column>,
    next_slot: u16,
    pub(crate) records: Records,
    pub(crate) deletions: Vec<Deletion>,
    /// Numbers of records that only administrators see.
    pub(crate) hidden: BTreeSet<u64>,
}

impl Module {
    pub(crate) fn new(number: u16, spec: &ModuleSpec, base: Population) -> Module {
        let generated_type = if spec.generated_type.is_empty() { "custom" } else { &spec.generated_type };
        let mut module = Module {
            number,
            api_name: spec.api_name.clone(),
            label: spec.label.clone(),
            generated_type: generated_type.to_owned(),
            access: spec.access,
            columns: Vec::new(),
            next_slot: 0,
            records: Records::new(base),
            deletions: Vec::new(),
            hidden: BTreeSet::new(),
        };
        module.system("id", "ID", FieldType::Bigint, Source::Id);
        for field in &spec.fields {
            module.add(field.clone(), Source::Stored, spec.generated_type != "default");
        }
        let owner: fn(&Population, u64) -> crate::zoho::value::Value = crate::zoho::people::owner;
        if !spec.is_unstamped {
            if module.generated_type != "subform" {
                module.system("Owner", "所有者", FieldType::Ownerlookup, Source::Made(owner));
                module.system("Tag", "タグ", FieldType::Tag, Source::Stored);
            }
            module.system("Created_By", "作成者", FieldType::Ownerlookup, Source::Creator);
            module.system("Modified_By", "更新者", FieldType::Ownerlookup, Source::Modifier);
            module.system("Created_Time", "作成日時", FieldType::Datetime, Source::Created);
            module.system("Modified_Time", "更新日時", FieldType::Datetime, Source::Modified);
        }
        module
    }

    fn system(&mut self, name: &str, label: &str, field_type: FieldType, source: Source) {
        self.add(FieldSpec::new(name, label, field_type), source, false);
    }

    /// Adds a field; its slot was never used before.
    pub(crate) fn add(&mut self, spec: FieldSpec, source: Source, is_custom: bool) {
        self.columns.push(Column { slot: self.next_slot, spec, source, is_custom, is_hidden: false });
        self.next_slot += 1;
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// The field that a record is called by.
    pub(crate) fn name_column(&self) -> Option<&Column> {
        self.columns.iter().find(|column| matches!(column.kind(), FieldType::Text | FieldType::Autonumber))
    }

    /// Whether its records say when they were changed.
    pub(crate) fn is_stamped(&self) -> bool {
        self.column("Modified_Time").is_some()
    }
}
