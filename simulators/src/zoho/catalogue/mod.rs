//! The modules that an org has from the start.

mod customers;
mod deals;
mod others;
mod subscriptions;

pub(crate) use deals::{STAGES, probability};

use crate::zoho::field::{FieldSpec, Source};
use crate::zoho::id;
use crate::zoho::module::{Access, Module, ModuleSpec};
use crate::zoho::options::Options;
use crate::zoho::population::{Generator, Population};

/// Numbers of the modules whose populations belong together.
pub(crate) const ACCOUNTS: u16 = 1;
pub(crate) const DEALS: u16 = 3;
/// The population of a history follows that of the module before it.
pub(crate) const DEAL_HISTORY: u16 = 4;
pub(crate) const SUBSCRIPTIONS: u16 = 6;

/// A field, and where the population has it from.
pub(crate) type Made = (FieldSpec, Source);

/// A module in the making.
pub(crate) struct Plan {
    pub(crate) number: u16,
    pub(crate) api_name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) generated_type: &'static str,
    pub(crate) fields: Vec<Made>,
    pub(crate) count: u64,
    /// The number of the module that its records belong to, how many those are, and how many those belong to.
    pub(crate) parents: (u16, u64, u64),
    pub(crate) is_unstamped: bool,
    pub(crate) follows: bool,
    pub(crate) access: Access,
}

impl Plan {
    pub(crate) fn new(number: u16, api_name: &'static str, label: &'static str, fields: Vec<Made>) -> Plan {
        Plan {
            number,
            api_name,
            label,
            generated_type: "default",
            fields,
            count: 0,
            parents: (0, 0, 0),
            is_unstamped: false,
            follows: false,
            access: Access::Open,
        }
    }
}

/// A field that the population fills.
pub(crate) fn made(spec: FieldSpec, make: Generator) -> Made {
    (spec, Source::Made(make))
}

/// A field that is empty until somebody writes it.
pub(crate) fn stored(spec: FieldSpec) -> Made {
    (spec, Source::Stored)
}

/// The modules of an org, as they are before anybody touches them.
pub(crate) fn modules(options: &Options, prefix: u64) -> Vec<Module> {
    let mut plans = Vec::from(customers::plans(options));
    plans.extend(deals::plans(options));
    plans.extend(subscriptions::plans(options));
    plans.extend(others::plans(options));
    plans.into_iter().map(|plan| module(plan, options, prefix)).collect()
}

fn module(plan: Plan, options: &Options, prefix: u64) -> Module {
    let (parent, parents, grandparents) = plan.parents;
    let base = Population {
        seed: options.seed,
        module: u64::from(plan.number),
        // Without parents there is nothing to belong to.
        count: if parent > 0 && parents == 0 { 0 } else { plan.count },
        imported: if plan.number == ACCOUNTS { options.imported } else { 0 },
        parents,
        parent_base: id::full(prefix, parent, 0),
        grandparents,
        follows: plan.follows,
        at: options.at.timestamp(),
    };
    let spec = ModuleSpec {
        api_name: plan.api_name.to_owned(),
        label: plan.label.to_owned(),
        generated_type: plan.generated_type.to_owned(),
        access: plan.access,
        is_unstamped: plan.is_unstamped,
        fields: plan.fields.iter().map(|(field, _)| field.clone()).collect(),
    };
    let mut module = Module::new(plan.number, &spec, base);
    for (field, source) in plan.fields {
        let column = module.columns.iter_mut().find(|column| column.name() == field.api_name);
        if let Some(column) = column {
            column.source = source;
        }
    }
    module
}
