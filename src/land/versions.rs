//! New versions on their way into the log: gathered row by row, built column by column.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryBuilder, Int64Builder, StringArray, StringBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::compute::{concat, interleave};

use super::fetch::Fetched;
use super::hash;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::NewVersions;
use crate::record::{DeleteKind, FieldClass, Page};

/// Where a new version's fields come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A record of a page; its undelivered fields from the completion at `completed`, if any.
    Page { page: usize, row: usize, completed: Option<usize> },
    /// The version of that number in the log, whole (a restatement).
    Log { seq: i64 },
    /// No fields (a key that is missing).
    None,
}

/// A version to be written.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub key: String,
    pub valid_from: Timestamp,
    pub stamp: Option<Timestamp>,
    pub observed_at: Timestamp,
    pub created_at: Option<Timestamp>,
    pub seq: i64,
    pub deleted: Option<DeleteKind>,
    pub winner: Option<String>,
    pub hash: u128,
    pub content: Content,
}

/// The predecessor's values of fields that a read did not deliver (B5).
#[derive(Debug, Default)]
pub(crate) struct Completions {
    /// The fields completed, in column order.
    pub fields: Vec<String>,
    /// Per completed row, a value per field.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Where the fields of versions are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origins<'a> {
    /// The batch.
    pub pages: &'a [Page],
    /// What the batch did not deliver.
    pub completions: &'a Completions,
    /// Whole versions of the log.
    pub fetched: &'a Fetched,
    /// The fields of those, in the order of their columns.
    pub fetched_fields: &'a [String],
}

/// Builds the columns of `versions`, in their order.
pub(crate) fn build(
    versions: &[Version],
    origins: Origins<'_>,
    class_of: impl Fn(&str) -> FieldClass,
    recorded_at: Timestamp,
    run_id: &str,
) -> Result<NewVersions> {
    let Origins { pages, completions, fetched, fetched_fields } = origins;
    let mut fields: Vec<&str> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let named = pages.iter().flat_map(|page| page.records.fields().iter());
    for field in named.chain(&completions.fields).chain(fetched_fields) {
        if known.insert(field.as_str()) {
            fields.push(field);
        }
    }
    let whole = is_all_of(versions, pages);
    let nothing: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        if whole && let Some(column) = column_of_pages(field, pages)? {
            columns.push((field.to_owned(), class_of(field), column));
            continue;
        }
        // One source array per page, then the completions, then each fetched batch, then nothing.
        let mut sources: Vec<ArrayRef> = Vec::with_capacity(pages.len() + 2 + fetched.batches.len());
        let mut delivered = Vec::with_capacity(pages.len());
        for page in pages {
            let position = page.records.fields().iter().position(|name| name == field);
            delivered.push(position.is_some());
            sources.push(position.map_or_else(
                || nothing.clone(),
                |position| Arc::new(page.records.columns()[position].clone()) as ArrayRef,
            ));
        }
        let completed_at = completions.fields.iter().position(|name| name == field);
        let completed: StringArray = completions
            .rows
            .iter()
            .map(|row| completed_at.and_then(|at| row.get(at).and_then(Option::as_deref)))
            .collect();
        sources.push(Arc::new(completed));
        let log_column = fetched_fields.iter().position(|name| name == field);
        for batch in &fetched.batches {
            // Column 0 is the key.
            sources.push(log_column.map_or_else(|| nothing.clone(), |at| batch.column(at + 1).clone()));
        }
        sources.push(nothing.clone());
        let none = (sources.len() - 1, 0);
        let picks: Vec<(usize, usize)> = versions
            .iter()
            .map(|version| match version.content {
                Content::Page { page, row, .. } if delivered[page] => (page, row),
                Content::Page { completed: Some(at), .. } if completed_at.is_some() => (pages.len(), at),
                Content::Log { seq } if log_column.is_some() => {
                    fetched.at.get(&seq).map_or(none, |(batch, row)| (pages.len() + 1 + batch, *row))
                }
                _ => none,
            })
            .collect();
        let arrays: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
        let column = interleave(&arrays, &picks)
            .map_err(|error| Error::new(ErrorKind::Internal, "could not gather a column").caused_by(error))?;
        columns.push((field.to_owned(), class_of(field), column));
    }
    Ok(NewVersions { system: system_columns(versions, recorded_at, run_id), fields: columns })
}

/// Whether the versions are the records of the pages, every one in reading order: a first load.
fn is_all_of(versions: &[Version], pages: &[Page]) -> bool {
    let rows = pages.iter().enumerate().flat_map(|(page, read)| (0..read.records.len()).map(move |row| (page, row)));
    versions.len() == pages.iter().map(|page| page.records.len()).sum::<usize>()
        && versions
            .iter()
            .zip(rows)
            .all(|(version, (page, row))| version.content == Content::Page { page, row, completed: None })
}

/// The values of a field on all pages one after the other; `None` when a page did not deliver it.
fn column_of_pages(field: &str, pages: &[Page]) -> Result<Option<ArrayRef>> {
    let column = |page: &'_ Page| page.records.fields().iter().position(|name| name == field);
    let Some(positions) = pages.iter().map(column).collect::<Option<Vec<usize>>>() else { return Ok(None) };
    let arrays: Vec<&dyn Array> =
        pages.iter().zip(positions).map(|(page, at)| &page.records.columns()[at] as &dyn Array).collect();
    concat(&arrays)
        .map(Some)
        .map_err(|error| Error::new(ErrorKind::Internal, "could not gather a column").caused_by(error))
}

fn system_columns(versions: &[Version], recorded_at: Timestamp, run_id: &str) -> Vec<ArrayRef> {
    let instants = |value: &dyn Fn(&Version) -> Option<Timestamp>| -> ArrayRef {
        let mut column = TimestampMicrosecondBuilder::with_capacity(versions.len()).with_timezone("UTC");
        for version in versions {
            column.append_option(value(version).map(Timestamp::micros));
        }
        Arc::new(column.finish())
    };
    let texts = |value: &dyn for<'a> Fn(&'a Version) -> Option<&'a str>| -> ArrayRef {
        let mut column = StringBuilder::new();
        for version in versions {
            column.append_option(value(version));
        }
        Arc::new(column.finish())
    };
    let mut seq = Int64Builder::with_capacity(versions.len());
    let mut content = BinaryBuilder::with_capacity(versions.len(), versions.len() * 17);
    let mut run = StringBuilder::with_capacity(versions.len(), versions.len() * run_id.len());
    for version in versions {
        seq.append_value(version.seq);
        content.append_value(hash::to_bytes(version.hash));
        run.append_value(run_id);
    }
    vec![
        texts(&|version| Some(&version.key)),
        instants(&|version| Some(version.valid_from)),
        instants(&|version| version.stamp),
        instants(&|version| Some(version.observed_at)),
        instants(&|_| Some(recorded_at)),
        instants(&|version| version.created_at),
        Arc::new(seq.finish()),
        texts(&|version| Some(if version.deleted.is_some() { "delete" } else { "upsert" })),
        texts(&|version| version.deleted.map(DeleteKind::as_str)),
        texts(&|version| version.winner.as_deref()),
        Arc::new(content.finish()),
        Arc::new(run.finish()),
    ]
}
