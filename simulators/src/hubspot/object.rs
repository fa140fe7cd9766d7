//! An object type: what it is called, its properties, its records and its pipelines.

use crate::hubspot::pipeline::Pipeline;
use crate::hubspot::population::Population;
use crate::hubspot::property::{Origin, Property};
use crate::hubspot::records::Records;

/// What a type is called, and what is always so of it.
#[derive(Debug, Clone)]
pub(crate) struct ObjectKind {
    /// `0-2`.
    pub(crate) type_id: &'static str,
    /// `companies`.
    pub(crate) name: &'static str,
    /// `company`.
    pub(crate) singular: &'static str,
    /// What people see.
    pub(crate) labels: (&'static str, &'static str),
    /// `p123_environments`, for custom objects.
    pub(crate) full_name: Option<String>,
    /// The scope that its records are read with.
    pub(crate) scope: &'static str,
    /// The scope that its properties are read with; the former does as well.
    pub(crate) schema_scope: &'static str,
    /// The property with the instant when a record was made.
    pub(crate) created: &'static str,
    /// The property with its stamp.
    pub(crate) modified: &'static str,
    /// The properties that are sent when none are asked for.
    pub(crate) defaults: &'static [&'static str],
    /// The property that stands for the record.
    pub(crate) display: &'static str,
    /// Whether it can only be read.
    pub(crate) read_only: bool,
}

/// A type of a portal.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    pub(crate) properties: Vec<Property>,
    pub(crate) records: Records,
    pub(crate) pipelines: Vec<Pipeline>,
}

impl Object {
    pub(crate) fn new(
        kind: ObjectKind,
        properties: Vec<Property>,
        population: Population,
        pipelines: Vec<Pipeline>,
    ) -> Self {
        let mut object = Object { kind, properties: Vec::new(), records: Records::new(population), pipelines };
        properties.into_iter().for_each(|property| object.add(property));
        object
    }

    /// Whether a path may name it so.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let kind = &self.kind;
        let named = [kind.type_id, kind.name, kind.singular].into_iter().chain(kind.full_name.as_deref());
        named.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Adds a property under the next slot.
    pub(crate) fn add(&mut self, property: Property) {
        let slot = self.properties.iter().map(|known| known.slot + 1).max().unwrap_or_default();
        self.properties.push(Property { slot, ..property });
    }

    /// The property of that name, unless it is archived.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.spec.name == name && property.archived_at.is_none())
    }

    /// The same, to be changed.
    pub(crate) fn property_mut(&mut self, name: &str) -> Option<&mut Property> {
        self.properties.iter_mut().find(|property| property.spec.name == name && property.archived_at.is_none())
    }

    /// The property that holds the stage of a record.
    pub(crate) fn stage_property(&self) -> Option<&Property> {
        ["dealstage", "hs_pipeline_stage"].into_iter().find_map(|name| self.property(name))
    }

    /// Whether the property only says when or what a record is.
    pub(crate) fn is_stamp(property: &Property) -> bool {
        matches!(property.origin, Origin::Id | Origin::Created | Origin::Modified)
    }
}
