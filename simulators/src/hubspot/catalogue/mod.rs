//! The object types of a portal, and the properties that they have from the start.

mod activities;
mod companies;
mod contacts;
mod deals;
mod lines;
mod others;
mod tickets;

pub(crate) use activities::{EMAIL_SCOPE, is_email_content};

use crate::hubspot::object::{Object, ObjectKind};
use crate::hubspot::options::Options;
use crate::hubspot::pipeline::Pipeline;
use crate::hubspot::population::{Counts, Maker, Population, Steps};
use crate::hubspot::property::{Origin, Property, PropertySpec, PropertyType, Sensitivity};

/// Short ways to define properties.
impl Property {
    pub(crate) fn of(name: &str, label: &str, property_type: PropertyType) -> Self {
        Property::new(PropertySpec::new(name, label, property_type))
    }

    fn text(name: &str, label: &str) -> Self {
        Property::of(name, label, PropertyType::String)
    }

    fn number(name: &str, label: &str) -> Self {
        Property::of(name, label, PropertyType::Number)
    }

    fn date(name: &str, label: &str) -> Self {
        Property::of(name, label, PropertyType::Date)
    }

    fn instant(name: &str, label: &str) -> Self {
        Property::of(name, label, PropertyType::DateTime)
    }

    fn flag(name: &str, label: &str) -> Self {
        let choices = [("true", "はい"), ("false", "いいえ")];
        let spec = PropertySpec::choice(name, label, &choices);
        Property::new(PropertySpec { property_type: PropertyType::Bool, ..spec })
    }

    fn choice(name: &str, label: &str, options: &[(&str, &str)]) -> Self {
        Property::new(PropertySpec::choice(name, label, options))
    }

    fn made(self, maker: Maker) -> Self {
        Property { origin: Origin::Made(maker), ..self }
    }

    fn from(self, origin: Origin) -> Self {
        Property { origin, ..self }
    }

    fn with_steps(self, steps: Steps) -> Self {
        Property { steps: Some(steps), ..self }
    }

    fn entered_as(mut self, field_type: &str) -> Self {
        field_type.clone_into(&mut self.spec.field_type);
        self
    }

    fn calculated(mut self, field_type: &str) -> Self {
        self.spec.calculated = true;
        self.read_only = true;
        self.entered_as(field_type)
    }

    fn unique(mut self) -> Self {
        self.spec.unique = true;
        self
    }

    fn sensitive(mut self, sensitivity: Sensitivity) -> Self {
        self.spec.sensitivity = sensitivity;
        self
    }

    fn read_only(self) -> Self {
        Property { read_only: true, ..self }
    }

    /// Defined by the portal's own people.
    fn custom(self) -> Self {
        Property { hubspot_defined: false, created: 1_735_689_600_000, updated: 1_735_689_600_000, ..self }
    }
}

/// The owner, whose id no option names.
fn owner() -> Property {
    Property {
        reference: Some("OWNER"),
        ..Property::choice("hubspot_owner_id", "担当者", &[]).made(|p, id| {
            let owner = crate::hubspot::owners::FIRST + p.pick(id, 30, 6);
            (!p.chance(id, 31, 11)).then(|| owner.to_string())
        })
    }
}

/// What all types have.
fn stamps(created: &str, modified: &str) -> Vec<Property> {
    vec![
        Property::number("hs_object_id", "レコードID").from(Origin::Id).read_only(),
        Property::instant(created, "作成日").from(Origin::Created).read_only(),
        Property::instant(modified, "最終更新日").from(Origin::Modified).read_only(),
        Property::of("hs_merged_object_ids", "統合されたレコードID", PropertyType::Enumeration)
            .from(Origin::MergedIds)
            .entered_as("checkbox")
            .read_only(),
        owner(),
    ]
}

/// All types, with their records.
pub(crate) fn objects(options: &Options) -> Vec<Object> {
    let at = options.at.timestamp_millis();
    let counts = Counts { companies: options.records, products: lines::PRODUCTS.len() as u64 };
    let mut objects = Vec::new();
    let mut add = |kind: ObjectKind, count: u64, properties: Vec<Property>, pipelines: Vec<Pipeline>| {
        let salt = options.seed.wrapping_mul(31).wrapping_add(objects.len() as u64);
        let population = Population { seed: salt, count, imported: options.imported, counts, at };
        let mut all = stamps(kind.created, kind.modified);
        all.extend(properties);
        all.extend((1..=options.padding).map(|nth| {
            let name = format!("hs_analytics_padding_counter_{nth:04}");
            Property::number(&name, &format!("内部の値 {nth}")).read_only()
        }));
        objects.push(Object::new(kind, all, population, pipelines));
    };
    add(contacts::kind(), options.contacts, contacts::properties(), Vec::new());
    add(companies::kind(), options.records, companies::properties(), Vec::new());
    add(deals::kind(), options.deals, deals::properties(), deals::pipelines());
    add(tickets::kind(), options.tickets, tickets::properties(), tickets::pipelines());
    add(lines::products(), counts.products, lines::product_properties(), Vec::new());
    add(lines::kind(), options.line_items, lines::properties(), Vec::new());
    for (kind, properties) in activities::all() {
        add(kind, options.activities, properties, Vec::new());
    }
    add(others::feedback(), options.feedback, others::feedback_properties(), Vec::new());
    add(others::environments(options.portal_id), options.environments, others::environment_properties(), Vec::new());
    objects
}
