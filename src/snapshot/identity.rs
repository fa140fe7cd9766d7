//! Identity at K: every record that ever was a customer, linked by what it last said of itself (semantics I1).

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use super::model::{Model, StreamModel};
use super::rows::{Moment, Rows, load, load_earlier};
use super::state::Cell;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::log::{Pick, Wanted, system};
use crate::schema::types::format_cell;
use crate::unify::{Identity, Node, Rule, normalize};

/// The entity whose records are nodes.
pub(crate) const CUSTOMER: &str = "customer";

/// Links all customers known at `known_at`.
pub(crate) async fn identity_at(model: &Model, known_at: Timestamp) -> Result<Identity> {
    let mut nodes = Vec::new();
    for stream in model.streams.iter().filter(|stream| stream.mapping.entity == CUSTOMER) {
        nodes.extend(nodes_of(model, stream, known_at).await?);
    }
    Ok(Identity::resolve(nodes, &model.identity))
}

/// What the last version of a key says.
struct Last {
    created_at: Option<Timestamp>,
    merged_into: Option<String>,
}

async fn nodes_of(model: &Model, stream: &StreamModel, known_at: Timestamp) -> Result<Vec<Node>> {
    let incarnations = stream.log.incarnations(known_at, stream.mapping.reuses_keys).await?;
    let said = load(stream, Moment::LastLiving { known_at }).await?;
    let by_key: HashMap<&str, usize> = said.keys.iter().enumerate().map(|(row, key)| (key.as_str(), row)).collect();
    let rules: Vec<Evidence> = model.identity.rules.iter().map(|rule| Evidence::of(rule, &said)).collect();
    let mut nodes: Vec<Node> = last_versions(stream, known_at)
        .await?
        .into_iter()
        .filter_map(|(key, last)| {
            // It has a version, so it has a last one.
            let row = *by_key.get(key.as_str())?;
            let (incarnation, since) = incarnations.last(&key).map_or((0, None), |(n, since)| (n, Some(since)));
            Some(Node {
                stream: said.stream.clone(),
                incarnation,
                since,
                created_at: last.created_at,
                merged_into: last.merged_into,
                evidence: rules.iter().map(|rule| rule.at(&said, row)).collect(),
                key,
            })
        })
        .collect();
    // Records whose key was given to another one later.
    for number in 0..incarnations.rounds() {
        let said = load_earlier(stream, &incarnations, number, known_at).await?;
        let by_key: HashMap<&str, usize> = said.keys.iter().enumerate().map(|(row, key)| (key.as_str(), row)).collect();
        for earlier in incarnations.earlier().iter().filter(|earlier| earlier.number == number) {
            let Some(row) = by_key.get(earlier.key.as_str()) else { continue };
            nodes.push(Node {
                stream: said.stream.clone(),
                key: earlier.key.clone(),
                incarnation: number,
                since: earlier.since,
                created_at: earlier.created_at,
                merged_into: earlier.merged_into.clone(),
                evidence: rules.iter().map(|rule| rule.at(&said, *row)).collect(),
            });
        }
    }
    Ok(nodes)
}

async fn last_versions(stream: &StreamModel, known_at: Timestamp) -> Result<BTreeMap<String, Last>> {
    let wanted = Wanted {
        system: vec![system::KEY, system::CREATED_AT, system::DELETE_KIND, system::WINNER],
        fields: Vec::new(),
    };
    let mut last = BTreeMap::new();
    let winners = stream.log.winners(Pick::AsOf { as_of: Timestamp::MAX, known_at, first_complete_at: None }).await?;
    for file in 0..winners.file_count() {
        let Some(batch) = winners.read(&stream.log, file, &wanted).await? else { continue };
        let keys = batch.column(0).as_string::<i32>();
        let created_at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let kind = batch.column(2).as_string::<i32>();
        let winner = batch.column(3).as_string::<i32>();
        for row in 0..batch.num_rows() {
            let merged = kind.is_valid(row) && kind.value(row) == "merged" && winner.is_valid(row);
            last.insert(
                keys.value(row).to_owned(),
                Last {
                    created_at: created_at.is_valid(row).then(|| Timestamp::from_micros(created_at.value(row))),
                    merged_into: merged.then(|| winner.value(row).to_owned()),
                },
            );
        }
    }
    // Absences and restatements do not repeat a birth: the last living version tells it.
    let living = stream.log.winners(Pick::LastLiving { known_at }).await?;
    for file in 0..living.file_count() {
        let Some(batch) = living.read(&stream.log, file, &wanted).await? else { continue };
        let keys = batch.column(0).as_string::<i32>();
        let created_at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for row in (0..batch.num_rows()).filter(|row| created_at.is_valid(*row)) {
            if let Some(last) = last.get_mut(keys.value(row)) {
                last.created_at.get_or_insert(Timestamp::from_micros(created_at.value(row)));
            }
        }
    }
    Ok(last)
}

/// What a rule takes from a stream's rows.
enum Evidence {
    Text(Option<usize>),
    Number(Option<usize>),
    Name { name: Option<usize>, and: Option<Option<usize>> },
}

impl Evidence {
    fn of(rule: &Rule, rows: &Rows) -> Evidence {
        let column = |name: &str| rows.columns.iter().position(|column| column.name == name);
        match rule {
            Rule::ExternalId { variable, .. } => Evidence::Text(column(variable)),
            Rule::CorporateNumber { variable } => {
                Evidence::Number(column(variable.as_deref().unwrap_or("corporate_number")))
            }
            Rule::Name { variable, and } => {
                Evidence::Name { name: column(variable.as_deref().unwrap_or("name")), and: and.as_deref().map(column) }
            }
        }
    }

    fn at(&self, rows: &Rows, row: usize) -> Option<String> {
        let text = |column: Option<usize>| {
            let column = &rows.columns[column?];
            (column.cells[row] == Cell::Value).then(|| format_cell(&*column.values, row)).flatten()
        };
        match self {
            Evidence::Text(column) => text(*column),
            Evidence::Number(column) => text(*column).and_then(|number| normalize::corporate_number(&number)),
            Evidence::Name { name, and } => {
                let name = normalize::company_name(&text(*name)?);
                if name.is_empty() {
                    return None;
                }
                match and {
                    None => Some(name),
                    Some(other) => Some(format!("{name}\u{1f}{}", text(*other)?)),
                }
            }
        }
    }
}
