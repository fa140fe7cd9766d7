//! `state(T, K) = survive(map(log(T, K)), identity(K))`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, StringArray, StringBuilder, UInt8Array, UInt8Builder, new_null_array,
};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::identity::CUSTOMER;
use super::model::{EntityModel, Model, StreamModel};
use super::recency::{Since, since_when};
use super::rows::{HeldAt, Moment, Rows, load};
use super::state::{Cell, Coverage, State, StreamCoverage};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::map::run_derive;
use crate::record::StreamId;
use crate::schema::VariableType;
use crate::schema::types::{TypeOptions, data_type, format_cell};
use crate::unify::{Candidate, Identity, Priority, choose, node_id};

/// A computed state with what else its computation told.
#[derive(Debug, Clone)]
pub struct Built {
    /// The state.
    pub state: State,
    /// Values that could not be converted.
    pub held: Vec<HeldAt>,
    /// Node id → customer id, of the records that the state was made of.
    pub assignment: BTreeMap<String, String>,
}

/// Computes the state at `at`, as known at `known_at` (`None`: by now).
pub async fn build(model: &Model, at: Timestamp, known_at: Option<Timestamp>) -> Result<Built> {
    let known = known_at.unwrap_or(Timestamp::MAX);
    let identity = model.identity(known).await?;
    let mut held = Vec::new();
    let mut assignment = BTreeMap::new();
    let mut entities = BTreeMap::new();
    let moment = Moment::At { as_of: at, known_at: known };
    // Customers come first: children are given to those that are there.
    let order = {
        let (customers, children): (Vec<_>, Vec<_>) =
            model.entities.iter().partition(|entity| entity.config.name == CUSTOMER);
        customers.into_iter().chain(children)
    };
    let mut covered: HashSet<String> = HashSet::new();
    for entity in order {
        let mut loaded: Vec<(&StreamModel, Rows)> = Vec::new();
        for stream in model.streams.iter().filter(|stream| stream.mapping.entity == entity.config.name) {
            let mut rows = load(stream, moment).await?;
            held.append(&mut rows.held);
            loaded.push((stream, rows));
        }
        let groups = if entity.config.name == CUSTOMER {
            let groups = customers(&loaded, &identity, at, &mut assignment);
            covered = groups.iter().filter_map(|group| group.customer_id.clone()).collect();
            groups
        } else {
            children(&loaded, &identity, at, &covered)
        };
        let since = recencies(model, entity, &loaded, &groups, at, known).await?;
        let batch = assemble(model, entity, &loaded, &groups, &since, &identity, at)?;
        entities.insert(entity.config.name.clone(), batch);
    }
    held.sort_by(|a, b| {
        (&a.stream, &a.entity, &a.key, &a.held.variable).cmp(&(&b.stream, &b.entity, &b.key, &b.held.variable))
    });
    let (settled, provisional_because, streams) = coverage(model, at, known).await?;
    let state = State { at, known_at, settled, provisional_because, streams, entities };
    Ok(Built { state, held, assignment })
}

/// The rows that make one row of an entity: stream and row.
struct Group {
    customer_id: Option<String>,
    record_id: Option<String>,
    members: Vec<(usize, usize)>,
}

fn customers(
    loaded: &[(&StreamModel, Rows)],
    identity: &Identity,
    at: Timestamp,
    assignment: &mut BTreeMap<String, String>,
) -> Vec<Group> {
    let mut ids: HashMap<usize, String> = HashMap::new();
    let mut groups: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (stream, (_, rows)) in loaded.iter().enumerate() {
        for (row, key) in rows.keys.iter().enumerate() {
            // Every record with a version has a node; one that identity(K) does not know has no say.
            let Some(node) = identity.node_at(&rows.stream, key, at) else { continue };
            let id = ids.entry(identity.cluster(node)).or_insert_with(|| identity.customer_id(node)).clone();
            assignment.insert(identity.nodes()[node].id().0, id.clone());
            groups.entry(id).or_default().push((stream, row));
        }
    }
    groups.into_iter().map(|(id, members)| Group { customer_id: Some(id), record_id: None, members }).collect()
}

fn children(
    loaded: &[(&StreamModel, Rows)],
    identity: &Identity,
    at: Timestamp,
    covered: &HashSet<String>,
) -> Vec<Group> {
    let mut groups = Vec::new();
    for (stream, (model, rows)) in loaded.iter().enumerate() {
        let parent = rows.columns.iter().position(|column| column.name == CUSTOMER);
        let target = model.refs.get(CUSTOMER);
        for (row, key) in rows.keys.iter().enumerate() {
            let customer_id = parent
                .and_then(|column| format_cell(&*rows.columns[column].values, row))
                .zip(target)
                .and_then(|(key, target)| identity.node_at(target, &key, at))
                .map(|node| identity.customer_id(node))
                .filter(|id| covered.contains(id));
            let record_id = Some(node_id(&rows.stream, key, 0).0);
            groups.push(Group { customer_id, record_id, members: vec![(stream, row)] });
        }
    }
    groups.sort_by(|a, b| {
        (a.customer_id.is_none(), &a.customer_id, &a.record_id).cmp(&(
            b.customer_id.is_none(),
            &b.customer_id,
            &b.record_id,
        ))
    });
    groups
}

/// Per stream, since when the values of records that compete have been what they are (K3). Records compete when one
/// customer has several of them and no order of sources decides between them.
async fn recencies(
    model: &Model,
    entity: &EntityModel,
    loaded: &[(&StreamModel, Rows)],
    groups: &[Group],
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Vec<Since>> {
    let orders: Vec<Priority<'_>> = entity
        .variables
        .iter()
        .map(|variable| Priority::of(&model.identity, &entity.config.name, &variable.name))
        .collect();
    let equal = |a: usize, b: usize| {
        let (a, b) = (&loaded[a].1.stream.source, &loaded[b].1.stream.source);
        orders.iter().any(|order| order.place(a) == order.place(b))
    };
    let mut keys: Vec<HashSet<&str>> = vec![HashSet::new(); loaded.len()];
    for group in groups.iter().filter(|group| group.members.len() > 1) {
        for (at, (stream, row)) in group.members.iter().enumerate() {
            let others = group.members.iter().enumerate().filter(|(other, _)| *other != at);
            if others.into_iter().any(|(_, (other, _))| equal(*stream, *other)) {
                keys[*stream].insert(&loaded[*stream].1.keys[*row]);
            }
        }
    }
    let mut since = Vec::with_capacity(loaded.len());
    for ((stream, _), keys) in loaded.iter().zip(&keys) {
        since.push(match keys.is_empty() {
            true => Since::new(),
            false => since_when(stream, keys, at, known_at).await?,
        });
    }
    Ok(since)
}

/// Builds the batch of an entity from its groups, in their order.
fn assemble(
    model: &Model,
    entity: &EntityModel,
    loaded: &[(&StreamModel, Rows)],
    groups: &[Group],
    since: &[Since],
    identity: &Identity,
    at: Timestamp,
) -> Result<RecordBatch> {
    let mut fields = vec![Field::new("customer_id", DataType::Utf8, true)];
    let customer_ids: StringArray = groups.iter().map(|group| group.customer_id.as_deref()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(customer_ids)];
    if entity.config.name != CUSTOMER {
        fields.push(Field::new("record_id", DataType::Utf8, true));
        let ids: StringArray = groups.iter().map(|group| group.record_id.as_deref()).collect();
        columns.push(Arc::new(ids));
    }
    fields.push(Field::new("_coverage", DataType::UInt8, false));
    let how: UInt8Array = groups
        .iter()
        .map(|group| {
            let known = group.members.iter().map(|(stream, row)| loaded[*stream].1.coverage[*row]);
            Some(how_known(known) as u8)
        })
        .collect();
    columns.push(Arc::new(how));
    let mut done: HashMap<&str, (ArrayRef, Vec<Cell>, ArrayRef)> = HashMap::new();
    for variable in entity.variables.iter().filter(|variable| variable.derive.is_none()) {
        let options = TypeOptions::of(variable, &model.settings.currency, model.settings.timezone);
        let kind = data_type(variable.r#type, &options);
        let priority = Priority::of(&model.identity, &entity.config.name, &variable.name);
        // Where the variable stands in each stream, once per expression that gives it.
        let offers: Vec<Vec<usize>> = loaded
            .iter()
            .map(|(_, rows)| (0..rows.columns.len()).filter(|at| rows.columns[*at].name == variable.name).collect())
            .collect();
        let mut sources: Vec<ArrayRef> = vec![new_null_array(&kind, 1)];
        let mut place: HashMap<(usize, usize), usize> = HashMap::new();
        for (stream, columns) in offers.iter().enumerate() {
            for column in columns {
                place.insert((stream, *column), sources.len());
                sources.push(loaded[stream].1.columns[*column].values.clone());
            }
        }
        let mut picks = Vec::with_capacity(groups.len());
        let mut cells = Vec::with_capacity(groups.len());
        let mut origin = StringBuilder::new();
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        let mut at_of: Vec<(usize, usize, usize)> = Vec::new();
        for group in groups {
            candidates.clear();
            at_of.clear();
            for (stream, row) in &group.members {
                let rows = &loaded[*stream].1;
                for column in &offers[*stream] {
                    let offer = &rows.columns[*column];
                    candidates.push(Candidate {
                        rank: offer.rank,
                        source: &rows.stream.source,
                        since: since[*stream]
                            .get(&rows.keys[*row])
                            .map_or(rows.valid_from[*row], |columns| columns[*column]),
                        name: (&rows.stream.stream, &rows.keys[*row]),
                        cell: offer.cells[*row],
                    });
                    at_of.push((*stream, *column, *row));
                }
            }
            let (chosen, cell) = choose(&candidates, &priority);
            cells.push(cell);
            match chosen {
                Some(chosen) => {
                    let (stream, column, row) = at_of[chosen];
                    picks.push((place[&(stream, column)], row));
                    let rows = &loaded[stream].1;
                    origin.append_value(format!("{}#{}", rows.stream, rows.keys[row]));
                }
                None => {
                    picks.push((0, 0));
                    origin.append_null();
                }
            }
        }
        let arrays: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
        let mut values = interleave(&arrays, &picks).map_err(|error| {
            Error::new(ErrorKind::Internal, "the streams of a variable do not agree on its type")
                .with("variable", &variable.name)
                .caused_by(error)
        })?;
        if variable.r#type == VariableType::Ref {
            values = resolve_ref(&variable.name, &values, &picks, &place, loaded, &|target, key| {
                identity.node_at(target, key, at).map(|node| identity.customer_id(node))
            });
        }
        done.insert(&variable.name, (values, cells, Arc::new(origin.finish())));
    }
    derive(entity, groups.len(), &mut done, at)?;
    for variable in &entity.variables {
        let Some((values, cells, origin)) = done.remove(variable.name.as_str()) else { continue };
        fields.push(Field::new(&variable.name, values.data_type().clone(), true));
        fields.push(Field::new(format!("{}$cell", variable.name), DataType::UInt8, false));
        fields.push(Field::new(format!("{}$source", variable.name), DataType::Utf8, true));
        let mut numbers = UInt8Builder::with_capacity(cells.len());
        cells.iter().for_each(|cell| numbers.append_value(*cell as u8));
        columns.extend([values, Arc::new(numbers.finish()) as ArrayRef, origin]);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "a state does not line up").caused_by(error))
}

/// How a row is known: as well as the best of its records, unknown only when all are.
fn how_known(members: impl Iterator<Item = Coverage>) -> Coverage {
    members.min().unwrap_or(Coverage::Unknown)
}

/// Turns keys into ids: a customer's into the customer's, another record's into the record's.
fn resolve_ref(
    name: &str,
    values: &ArrayRef,
    picks: &[(usize, usize)],
    place: &HashMap<(usize, usize), usize>,
    loaded: &[(&StreamModel, Rows)],
    customer_of: &dyn Fn(&StreamId, &str) -> Option<String>,
) -> ArrayRef {
    let target_of: HashMap<usize, Option<&StreamId>> =
        place.iter().map(|((stream, _), at)| (*at, loaded[*stream].0.refs.get(name))).collect();
    let mut ids = StringBuilder::new();
    for (row, (at, _)) in picks.iter().enumerate() {
        let key = format_cell(&**values, row);
        let target = target_of.get(at).copied().flatten();
        ids.append_option(match (key, target) {
            (Some(key), Some(target)) => Some(customer_of(target, &key).unwrap_or_else(|| node_id(target, &key, 0).0)),
            (key, _) => key,
        });
    }
    Arc::new(ids.finish())
}

/// Computes the derived variables: unknown where something they read is unknown.
fn derive<'a>(
    entity: &'a EntityModel,
    rows: usize,
    done: &mut HashMap<&'a str, (ArrayRef, Vec<Cell>, ArrayRef)>,
    at: Timestamp,
) -> Result<()> {
    for derive in &entity.derives {
        let fields: Vec<Field> = derive
            .reads
            .iter()
            .filter_map(|name| {
                done.get(name.as_str()).map(|(values, ..)| Field::new(name, values.data_type().clone(), true))
            })
            .collect();
        let arrays: Vec<ArrayRef> =
            derive.reads.iter().filter_map(|name| done.get(name.as_str()).map(|(values, ..)| values.clone())).collect();
        let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| Error::new(ErrorKind::Internal, "could not gather variables").caused_by(error))?;
        let (values, failures) = run_derive(derive, &batch, at)?;
        let failed: HashSet<usize> = failures.iter().map(|failure| failure.0).collect();
        let cells: Vec<Cell> = (0..rows)
            .map(|row| {
                let inputs =
                    derive.reads.iter().filter_map(|name| done.get(name.as_str()).map(|(_, cells, _)| cells[row]));
                match inputs.into_iter().find(|cell| cell.is_unknown()) {
                    Some(unknown) => unknown,
                    None if failed.contains(&row) => Cell::Held,
                    None if values.is_null(row) => Cell::Empty,
                    None => Cell::Value,
                }
            })
            .collect();
        let known: BooleanArray = cells.iter().map(|cell| Some(*cell == Cell::Value)).collect();
        let values =
            datafusion::arrow::compute::kernels::zip::zip(&known, &values, &new_null_array(values.data_type(), rows))
                .map_err(|error| Error::new(ErrorKind::Internal, "could not mask a variable").caused_by(error))?;
        let Some(variable) = entity.variables.iter().find(|variable| variable.name == derive.name) else { continue };
        done.insert(&variable.name, (values, cells, new_null_array(&DataType::Utf8, rows)));
    }
    Ok(())
}

/// Whether every stream is complete through `at`, with a sentence for each that is not (J1).
async fn coverage(
    model: &Model,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<(bool, Vec<String>, Vec<StreamCoverage>)> {
    let mut because = Vec::new();
    let mut streams = Vec::new();
    for stream in &model.streams {
        let id = stream.mapping.stream.clone();
        let stated = stream.ledger.statements(known_at).keys().next_back().map(|last| last.plus_micros(1));
        let reach = model.reach(stream, known_at).await?;
        let complete_through = stated.or(reach.complete_through);
        if complete_through.is_none_or(|through| through <= at) {
            because.push(match complete_through {
                Some(through) => format!("{id} has been read up to {through} only"),
                None => format!("{id} has not been read completely yet"),
            });
        }
        let deletes_through = stated.or(reach.deletes_through);
        if complete_through.is_some_and(|through| through > at) && deletes_through.is_none_or(|through| through <= at) {
            because.push(match deletes_through {
                Some(through) => format!("deletions in {id} are known up to {through} only"),
                None => format!("nobody has looked yet which records of {id} are gone"),
            });
        }
        streams.push(StreamCoverage {
            stream: id,
            entity: stream.mapping.entity.clone(),
            complete_through,
            verified_through: reach.verified_through,
            deletes_through,
            gone_around: stream.ledger.gone_around(at, known_at),
            first_complete_at: stream.ledger.first_complete_at(known_at),
        });
    }
    for unread in &model.unread {
        because.push(format!("{} was never read", unread.stream));
        streams.push(StreamCoverage {
            stream: unread.stream.clone(),
            entity: unread.entity.clone(),
            complete_through: None,
            verified_through: None,
            deletes_through: None,
            gone_around: 0,
            first_complete_at: None,
        });
    }
    Ok((because.is_empty(), because, streams))
}
