//! The objects that every org is born with: standard fields, and the custom ones that customer success
//! teams add, with Japanese labels.

mod account;
mod activity;
mod contact;
mod contract;
mod custom;
mod history;
mod lines;
mod marketing;
mod opportunity;
mod people;
mod product;
mod service;

use crate::salesforce::field::{FieldSpec, FieldType, Formula};
use crate::salesforce::population::{self, Generator};
use crate::salesforce::{Features, table::Column};

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// The row's own id.
    Id,
    /// When the row was inserted.
    Created,
    /// When a person last changed it.
    Modified,
    /// When anything last changed it.
    Stamp,
    /// Whether it lies in the bin.
    Deleted,
    /// The winner of the merge that it lost.
    Master,
    /// Whoever wrote it: always the integration user.
    Writer,
    /// Whether it is an activity that was put away for its age.
    Archived,
    /// Its formula.
    Formula,
    /// The parts that name it as their compound.
    Compound,
    /// What was written, and until then what the population says.
    Stored(Option<Generator>),
}

/// An object and its fields.
pub(crate) struct ObjectSpec {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) prefix: &'static str,
    /// Whether rows can be deleted and merged (users and the organization cannot).
    pub(crate) deletable: bool,
    pub(crate) mergeable: bool,
    /// For objects that keep what others were.
    pub(crate) history: Option<HistoryOf>,
    pub(crate) columns: Vec<Column>,
}

pub(crate) use custom::{custom, custom_history};

/// What a history object keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryOf {
    /// The object whose rows it tells of.
    pub(crate) parent: &'static str,
    /// The column that points to the row.
    pub(crate) lookup: usize,
    /// Whether it keeps the stages of deals, and not tracked fields.
    pub(crate) of_stages: bool,
}

/// All built-in objects of an org with these features.
pub(crate) fn objects(features: &Features) -> Vec<ObjectSpec> {
    let mut objects =
        vec![account::object(features), contact::object(features), opportunity::object(), contract::object()];
    let mut more = vec![service::case(), service::asset(), activity::task(), activity::event()];
    more.extend(product::objects());
    more.extend([marketing::lead(features), marketing::campaign(), marketing::member()]);
    if features.multi_currency {
        for object in objects.iter_mut().chain(&mut more) {
            object.columns.push(generated(currency(object.label), population::currency));
        }
    }
    objects.push(people::user());
    objects.push(people::organization());
    if features.multi_currency {
        objects.push(people::currency_type());
        objects.push(people::dated_rate());
    }
    objects.extend(more);
    objects.extend(history::objects(features));
    objects
}

/// The currency of a row's amounts.
fn currency(label: &str) -> FieldSpec {
    let spec = FieldSpec::picklist("CurrencyIsoCode", &format!("{label} 通貨"), &population::CURRENCIES);
    FieldSpec { length: 3, ..spec }
}

/// A field that holds what is written.
fn stored(spec: FieldSpec) -> Column {
    Column::new(spec, Origin::Stored(None))
}

/// A field that holds what the population says until it is written.
fn generated(spec: FieldSpec, generator: Generator) -> Column {
    Column::new(spec, Origin::Stored(Some(generator)))
}

fn calculated(spec: FieldSpec, formula: Formula) -> Column {
    Column::new(spec.calculated(formula), Origin::Formula)
}

/// The fields that nearly all objects begin with.
fn head(label: &str) -> Vec<Column> {
    vec![
        Column::new(FieldSpec::new("Id", &format!("{label} ID"), FieldType::Id).read_only(), Origin::Id),
        Column::new(FieldSpec::new("IsDeleted", "削除", FieldType::Boolean).read_only(), Origin::Deleted),
    ]
}

/// The fields that nearly all objects end with.
fn tail() -> Vec<Column> {
    let user = |name, label| FieldSpec::lookup(name, label, &["User"]).required().read_only();
    let instant = |name, label| FieldSpec::new(name, label, FieldType::Datetime).required().read_only();
    vec![
        Column::new(instant("CreatedDate", "作成日"), Origin::Created),
        Column::new(user("CreatedById", "作成者 ID"), Origin::Writer),
        Column::new(instant("LastModifiedDate", "最終更新日"), Origin::Modified),
        Column::new(user("LastModifiedById", "最終更新者 ID"), Origin::Writer),
        Column::new(instant("SystemModstamp", "System Modstamp"), Origin::Stamp),
    ]
}

fn viewed() -> Vec<Column> {
    vec![
        generated(
            FieldSpec::new("LastActivityDate", "最終活動日", FieldType::Date).read_only(),
            population::last_activity,
        ),
        stored(FieldSpec::new("LastViewedDate", "最終参照日", FieldType::Datetime).read_only()),
        stored(FieldSpec::new("LastReferencedDate", "最終参照日", FieldType::Datetime).read_only()),
    ]
}

fn owner() -> Column {
    generated(FieldSpec::lookup("OwnerId", "所有者 ID", &["User"]).required(), population::owner)
}

/// The parts of an address, and where asked for the whole.
fn address(prefix: &str, label: &str, features: &Features, generators: Option<[Generator; 5]>) -> Vec<Column> {
    let whole = format!("{prefix}Address");
    let part = |name: &str, what: &str, length: u32| {
        FieldSpec::text(&format!("{prefix}{name}"), &format!("{label}({what})"), length).part_of(&whole)
    };
    let origin = |at: usize| Origin::Stored(generators.map(|generators| generators[at]));
    let street = FieldSpec { field_type: FieldType::Textarea, ..part("Street", "町名・番地", 255) };
    let mut columns = vec![
        Column::new(street, origin(0)),
        Column::new(part("City", "市区郡", 40), origin(1)),
        Column::new(part("State", "都道府県", 80), origin(2)),
        Column::new(part("PostalCode", "郵便番号", 20), origin(3)),
        Column::new(part("Country", "国", 80), origin(4)),
    ];
    if features.state_and_country_codes {
        let code = |name: &str, what: &str, values: &[&str]| FieldSpec {
            length: 10,
            compound: Some(whole.clone()),
            ..FieldSpec::picklist(&format!("{prefix}{name}"), &format!("{label}({what})"), values)
        };
        columns.push(stored(code("StateCode", "都道府県コード", &["13", "27", "23", "40"])));
        columns.push(stored(code("CountryCode", "国コード", &["JP"])));
    }
    for (name, what) in [("Latitude", "緯度"), ("Longitude", "経度")] {
        let name = format!("{prefix}{name}");
        let spec = FieldSpec::number(&name, &format!("{label}({what})"), FieldType::Double, 18, 15);
        columns.push(stored(spec.part_of(&whole)));
    }
    let accuracy = FieldSpec {
        length: 40,
        ..FieldSpec::picklist(
            &format!("{prefix}GeocodeAccuracy"),
            &format!("{label} Geocode Accuracy"),
            &["Address", "City"],
        )
    };
    columns.push(stored(accuracy.part_of(&whole)));
    if features.compounds {
        columns.push(Column::new(FieldSpec::new(&whole, label, FieldType::Address).read_only(), Origin::Compound));
    }
    columns
}
