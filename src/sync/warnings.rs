//! What a run coped with, told so that somebody can mend it: no values of records, but where they stand.

use crate::control::{Control, HeldFilter, HeldScope};
use crate::error::{Error, ErrorKind, Result};
use crate::record::SourceId;

/// How many causes are told; `nenrin held` lists all.
const CAUSES_TOLD: usize = 5;

/// What of the source is rejected or held now, whichever run found it.
///
/// # Errors
///
/// Failures of the control database.
pub(super) async fn of_source(control: &Control, source: &SourceId) -> Result<Vec<Error>> {
    let rejected = control.rejected().groups(Some(&source.0)).await?;
    let held = control.held().groups(&HeldFilter { source: Some(&source.0), ..HeldFilter::default() }).await?;
    let mut warnings = Vec::new();
    if !rejected.is_empty() {
        let count: u64 = rejected.iter().map(|group| group.count).sum();
        let (are, they) = if count == 1 { ("row is no record", "it is") } else { ("rows are no records", "they are") };
        let message = format!("{count} {are}: {they} kept aside, and what was known before stays");
        let mut warning = Error::new(ErrorKind::BadData, message).code("E0403").with("source", source);
        for group in rejected.iter().take(CAUSES_TOLD) {
            let more = if group.count == 1 { String::new() } else { format!(" ({} such rows)", group.count) };
            warning = warning.with("row", format!("{} {}{more}", group.example_place, group.reason));
        }
        warnings.push(warning.help(format!(
            "`nenrin held --source {source} --list` shows all; mend them in the source and run the sync again"
        )));
    }
    if !held.is_empty() {
        let count: u64 = held.iter().map(|group| group.count).sum();
        let (values, are) = if count == 1 { ("value does", "it is") } else { ("values do", "they are") };
        let message = format!("{count} {values} not convert: {are} held, and unknown until mended");
        let mut warning = Error::new(ErrorKind::BadData, message).code("E0404").with("source", source);
        for group in held.iter().take(CAUSES_TOLD) {
            let more = if group.count == 1 { String::new() } else { format!(" ({} such values)", group.count) };
            let variable = format!("{}.{}", group.entity, group.variable);
            warning = warning.with("value", format!("{} {variable}: {}{more}", group.mapping_place, group.reason));
        }
        warnings.push(warning.help(format!(
            "`nenrin held --source {source} --list` shows all; mend them in the source, or say in the mapping what they mean"
        )));
    }
    Ok(warnings)
}

/// That mapped fields of a stream are offered no longer.
pub(super) fn not_offered(scope: &HeldScope, fields: &[String]) -> Error {
    Error::new(ErrorKind::Permission, "the source no longer offers fields that are mapped: their variables are unknown")
        .code("E0203")
        .with("stream", &scope.stream)
        .with("entity", &scope.entity)
        .with("fields", fields.join(", "))
        .help("let nenrin's user read them again, or mend the mapping if they were renamed or removed; what was read before stays in the log")
}
