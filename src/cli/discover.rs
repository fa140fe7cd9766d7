//! `nenrin discover`: which streams a source has, and their fields.

mod show;

pub(in crate::cli) use show::quoted;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use super::Context;
use super::ask::{Asking, named_source, settings_of};
use super::output::check_destination;
use crate::config::Project;
use crate::connect::{Few, Others, Source};
use crate::error::{Error, Result};
use crate::preview::compile_on_disk;
use crate::record::{SourceId, Stream, StreamId};

/// How many records are looked at for sample values.
const LOOKED_AT: u16 = 20;

/// Show what sources offer: streams, and with a stream named all its fields
///
/// Without a stream: those that are read, with key and number of fields, then what else the system has. With streams: every
/// field with its label, type, class, the entries of picklists, and the variable that a mapping makes of it. Nothing is
/// read but descriptions, one request a stream, unless --samples asks for values.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DiscoverArgs {
    /// The source; default all of the project
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,
    /// The streams to show field by field, also ones that are not read yet
    #[arg(value_name = "STREAM")]
    pub streams: Vec<String>,
    /// Also show up to N values of each field, from one request for a few records. They are data of real people
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "3",
          value_parser = clap::value_parser!(u8).range(1..=20), requires = "streams")]
    pub samples: Option<u8>,
    /// Also list what the system keeps about its own records, such as shares and feeds
    #[arg(long)]
    pub all: bool,
}

/// What was found out about a source.
#[derive(Debug)]
pub(crate) struct SourceView {
    pub(crate) source: SourceId,
    pub(crate) connector: String,
    pub(crate) streams: Vec<StreamView>,
    /// What else the system has; not asked for where streams were named.
    pub(crate) others: Option<Result<Others>>,
}

/// What was found out about a stream.
#[derive(Debug)]
pub(crate) struct StreamView {
    pub(crate) name: String,
    /// Whether the source's file lists it.
    pub(crate) is_read: bool,
    /// As described, or why it cannot be.
    pub(crate) stream: Result<Stream>,
    /// The entities that it is mapped to, with the mapping's file.
    pub(crate) mapped: Vec<(String, String)>,
    /// Field → variables, of the mappings that compile.
    pub(crate) variables: BTreeMap<String, Vec<String>>,
    /// Field → different values, where they were asked for.
    pub(crate) samples: Option<BTreeMap<String, Vec<String>>>,
}

/// Runs the command.
///
/// # Errors
///
/// What keeps the project or the only source from being asked; where several are asked, the others are shown.
pub async fn run(args: DiscoverArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let asking = Asking::open(context).await?;
    let ids = match &args.source {
        Some(name) => vec![named_source(&asking.project, name)?],
        None => asking.project.sources.iter().map(|source| source.value.id.clone()).collect(),
    };
    let (mut views, mut failed) = (Vec::new(), Vec::new());
    for id in ids {
        match look_at(&asking, &id, &args, context).await {
            Ok(view) => views.push(view),
            Err(error) => failed.push(error),
        }
    }
    show::print(&views, &args, context, &mut std::io::stdout().lock())?;
    failed.extend(views.into_iter().flat_map(errors_of));
    for error in &failed {
        let _ = writeln!(std::io::stderr(), "{}", error.render());
    }
    let worst = failed.iter().map(|error| error.kind().exit_code()).max();
    Ok(ExitCode::from(worst.unwrap_or(0)))
}

fn errors_of(view: SourceView) -> impl Iterator<Item = Error> {
    let of_streams = view.streams.into_iter().filter_map(|stream| stream.stream.err());
    of_streams.chain(view.others.and_then(Result::err))
}

async fn look_at(asking: &Asking, id: &SourceId, args: &DiscoverArgs, context: &Context) -> Result<SourceView> {
    let project = &asking.project;
    let source = asking.source(id, context, "discover").await?;
    let configured = source.streams();
    let names = if args.streams.is_empty() { configured.clone() } else { args.streams.clone() };
    let mut streams = Vec::new();
    for name in &names {
        let is_read = configured.contains(name);
        let stream = source.describe_other(name).await;
        let stream = stream.map_err(|error| meant(error, name, &configured));
        let mapped = mappings_of(project, id, name);
        let variables = stream.as_ref().map(|stream| variables_of(project, id, stream)).unwrap_or_default();
        let samples = match (&stream, args.samples) {
            (Ok(stream), Some(count)) => Some(samples_of(source.as_ref(), stream, count.into()).await?),
            _ => None,
        };
        streams.push(StreamView { name: name.clone(), is_read, stream, mapped, variables, samples });
    }
    let others = if args.streams.is_empty() { Some(source.others().await) } else { None };
    let connector = project.source(&id.0).map(|source| source.value.connector.clone()).unwrap_or_default();
    Ok(SourceView { source: id.clone(), connector, streams, others })
}

/// The same failure, with the stream that was probably meant.
fn meant(error: Error, name: &str, configured: &[String]) -> Error {
    let close = crate::config::suggest::closest(name, configured.iter().map(String::as_str));
    match close {
        Some(close) => error.help(format!("did you mean `{close}`?")),
        None => error,
    }
}

fn mappings_of(project: &Project, id: &SourceId, stream: &str) -> Vec<(String, String)> {
    let of_stream = |mapping: &&crate::config::Located<crate::map::MappingConfig>| {
        mapping.value.source == id.0 && mapping.value.stream == stream
    };
    let mappings = project.mappings.iter().filter(of_stream);
    mappings.map(|mapping| (mapping.value.entity.clone(), mapping.doc.file().to_owned())).collect()
}

/// Which variables a field becomes. A mapping with problems shows none: `nenrin check` tells of it.
fn variables_of(project: &Project, id: &SourceId, stream: &Stream) -> BTreeMap<String, Vec<String>> {
    let name = StreamId { source: id.clone(), stream: stream.name.clone() };
    let compiled = compile_on_disk(project, &name, &stream.fields, None, &settings_of(project)).unwrap_or_default();
    let mut variables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for on_disk in &compiled {
        for variable in &on_disk.mapping.variables {
            for field in &variable.fields {
                let shown = format!("{}.{}", on_disk.mapping.entity, variable.name);
                variables.entry(field.clone()).or_default().push(shown);
            }
        }
    }
    variables
}

async fn samples_of(source: &dyn Source, stream: &Stream, count: usize) -> Result<BTreeMap<String, Vec<String>>> {
    let records = source.sample(stream, Few::First(LOOKED_AT)).await?;
    let mut samples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, field) in records.fields().iter().enumerate() {
        let values = samples.entry(field.clone()).or_default();
        for value in (0..records.len()).filter_map(|row| records.value(row, at)) {
            if values.len() < count && !value.trim().is_empty() && !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
    }
    Ok(samples)
}
