//! The apps that every domain has.

mod customers;
mod deals;

use crate::kintone::app::{App, AppSpec};
use crate::kintone::field::FieldSpec;
use crate::kintone::options::{Language, Options};
use crate::kintone::population::{Generator, Population, Source};

/// A field, and how the population fills it.
type Made = (FieldSpec, Source);

/// A field that someone makes up.
fn made(spec: FieldSpec, generator: Generator) -> Made {
    (spec, Source::Made(generator))
}

/// A field that is empty until someone writes it.
fn stored(spec: FieldSpec) -> Made {
    (spec, Source::Stored)
}

/// The customer app (1) and the deal app (2).
pub(crate) fn apps(options: &Options) -> Vec<App> {
    let at = options.at.timestamp();
    let base = |count: u64, imported: u64, what: u64| Population {
        seed: options.seed.wrapping_add(what),
        count,
        imported,
        customers: options.records,
        at,
    };
    let born = at - 5 * 365 * crate::instant::DAY;
    let deals = if options.records == 0 { 0 } else { options.deals };
    vec![
        app(1, "顧客管理", customers::fields(), &[], base(options.records, options.imported, 0), born),
        app(2, "案件管理", deals::fields(), &deals::STATES, base(deals, 0, 1), born),
    ]
}

fn app(id: u64, name: &str, fields: Vec<(Made, Vec<Made>)>, states: &[&str], base: Population, born: i64) -> App {
    let mut sources = Vec::new();
    let specs = fields
        .into_iter()
        .map(|((spec, source), inner)| {
            let (specs, inner): (Vec<FieldSpec>, Vec<Source>) = inner.into_iter().unzip();
            sources.push((source, inner));
            if specs.is_empty() { spec } else { FieldSpec { fields: specs, ..spec } }
        })
        .collect();
    let states = states.iter().map(|&state| state.to_owned()).collect();
    let spec = AppSpec { name: name.to_owned(), code: String::new(), language: Language::Ja, fields: specs, states };
    let mut app = App::new(id, spec, base, born);
    let own = app.live.columns.len() - sources.len();
    for (column, (source, inner)) in app.live.columns[own..].iter_mut().zip(sources) {
        column.source = source;
        column.inner.iter_mut().zip(inner).for_each(|(column, source)| column.source = source);
    }
    if let Some(column) = app.live.find_mut("ステータス").filter(|_| id == 2) {
        column.source = Source::Made(deals::state);
    }
    app
}
