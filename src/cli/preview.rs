//! `nenrin preview`: records beside what the mapping on disk makes of them; nothing is written.

mod show;

use std::process::ExitCode;

use super::Context;
use super::ask::{Asking, named_source, need_stream, settings_of};
use super::output::check_destination;
use crate::config::Project;
use crate::connect::Few;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Lake, LogTable};
use crate::preview::{OnDisk, Previewed, batch_of, compile_on_disk, map, read_stored};
use crate::record::{Field, StreamId};

/// Show records beside what their mapping makes of them; nothing is written
///
/// Reads a few records in one request (or with --stored from what was synced, asking nobody), and shows each variable with
/// its value, the fields it comes from as they were sent, and the reason where it is held. The mapping is the one on disk.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PreviewArgs {
    /// The source
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The stream; may be left out where the source has only one
    #[arg(value_name = "STREAM")]
    pub stream: Option<String>,
    /// Only the record with this key
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub key: Option<String>,
    /// How many records
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "key",
          value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
    /// From what was synced, without asking the source
    #[arg(long)]
    pub stored: bool,
    /// Only the mapping to this entity, where the stream is mapped to several
    #[arg(long, value_name = "ENTITY")]
    pub entity: Option<String>,
    /// Also the fields that the mapping does not read
    #[arg(long)]
    pub all_fields: bool,
}

/// What a mapping makes of some records.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) stream: StreamId,
    pub(crate) entity: String,
    /// The mapping's file.
    pub(crate) file: String,
    pub(crate) is_live: bool,
    pub(crate) records: Vec<Previewed>,
}

/// Runs the command.
///
/// # Errors
///
/// Usage when source, stream or key are not there, config with every problem of the mapping, and what asking the source
/// may fail with.
pub async fn run(args: PreviewArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let views = if args.stored { stored(&args, context).await? } else { live(&args, context).await? };
    if let Some(key) = &args.key
        && views.iter().all(|view| view.records.is_empty())
    {
        let whence = if args.stored { "among what was synced" } else { "in the source" };
        return Err(Error::new(ErrorKind::NotFound, format!("there is no living record with this key {whence}"))
            .with("key", key)
            .help(
                "a key is the text of the key fields as the source has them; `nenrin preview` without --key shows some",
            ));
    }
    show::print(&views, &args, context, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn few(args: &PreviewArgs) -> Few<'_> {
    args.key.as_deref().map_or(Few::First(args.limit), Few::Key)
}

async fn live(args: &PreviewArgs, context: &Context) -> Result<Vec<View>> {
    let asking = Asking::open(context).await?;
    let id = named_source(&asking.project, &args.source)?;
    let source = asking.source(&id, context, "preview").await?;
    let name = need_stream(source.as_ref(), &id, args.stream.as_ref(), "preview")?;
    let id = StreamId { source: id, stream: name };
    need_mapping(&asking.project, &id, args)?;
    let stream = source.describe_other(&id.stream).await?;
    let mappings = compiled(&asking.project, &id, &stream.fields, args)?;
    let records = source.sample(&stream, few(args)).await?;
    let batch = batch_of(&stream, &records)?;
    let heads: Vec<_> = records.heads().iter().map(|head| (head.key.clone(), head.place.clone())).collect();
    views(mappings, &id, true, |on_disk| map(&on_disk.mapping, &on_disk.order, &batch, &heads, context.clock.now()))
}

/// Needs only the files and the lake: no source, no control database.
async fn stored(args: &PreviewArgs, context: &Context) -> Result<Vec<View>> {
    let project = context.open_project()?;
    let source = named_source(&project, &args.source)?;
    let mapped = project.mappings.iter().map(|mapping| &mapping.value).filter(|mapping| mapping.source == source.0);
    let mut mapped: Vec<String> = mapped.map(|mapping| mapping.stream.clone()).collect();
    mapped.dedup();
    let name = match (&args.stream, mapped.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(Error::new(ErrorKind::Usage, format!("which stream of `{source}`?"))
                .with("mapped", mapped.join(", "))
                .help("name one that is mapped"));
        }
    };
    let id = StreamId { source, stream: name };
    need_mapping(&project, &id, args)?;
    let lake = Lake::open(project.settings.lake.url.as_str(), &project.root)?;
    let Some(log) = LogTable::open(&lake, &id).await? else {
        return Err(Error::new(ErrorKind::NotFound, "nothing of this stream was synced yet")
            .with("stream", &id)
            .help(format!("run `nenrin sync {}`, or leave --stored out to ask the source", id.source)));
    };
    let now = context.clock.now();
    let stored = read_stored(&log, few(args), now).await?;
    let mappings = compiled(&project, &id, &stored.fields, args)?;
    let heads: Vec<_> = stored.keys.iter().map(|key| (key.clone(), String::new())).collect();
    views(mappings, &id, false, |on_disk| map(&on_disk.mapping, &on_disk.order, &stored.batch, &heads, now))
}

fn views(
    mappings: Vec<OnDisk>,
    id: &StreamId,
    is_live: bool,
    map: impl Fn(&OnDisk) -> Result<Vec<Previewed>>,
) -> Result<Vec<View>> {
    let view = |on_disk: OnDisk| {
        let records = map(&on_disk)?;
        let (stream, entity) = (id.clone(), on_disk.mapping.entity.clone());
        Ok(View { stream, entity, file: on_disk.file, is_live, records })
    };
    mappings.into_iter().map(view).collect()
}

fn compiled(project: &Project, id: &StreamId, fields: &[Field], args: &PreviewArgs) -> Result<Vec<OnDisk>> {
    compile_on_disk(project, id, fields, args.entity.as_deref(), &settings_of(project))
}

/// Fails where the stream is not mapped, before anybody is asked.
fn need_mapping(project: &Project, id: &StreamId, args: &PreviewArgs) -> Result<()> {
    let mappings = || project.mappings.iter().map(|mapping| &mapping.value);
    let of_stream = |mapping: &&crate::map::MappingConfig| mapping.source == id.source.0 && mapping.stream == id.stream;
    let entities: Vec<&str> = mappings().filter(of_stream).map(|mapping| mapping.entity.as_str()).collect();
    let stream = super::discover::quoted(&id.stream);
    match &args.entity {
        None if entities.is_empty() => Err(Error::new(ErrorKind::NotFound, "there is no mapping for this stream")
            .with("stream", id)
            .help(format!("draft one: `nenrin guess {} {stream} --write`", id.source))),
        Some(entity) if !entities.contains(&entity.as_str()) => {
            Err(Error::new(ErrorKind::NotFound, format!("this stream is not mapped to `{entity}`"))
                .with("stream", id)
                .help(match entities.as_slice() {
                    [] => format!("draft a mapping: `nenrin guess {} {stream} --entity {entity} --write`", id.source),
                    entities => format!("it is mapped to {}", entities.join(", ")),
                }))
        }
        _ => Ok(()),
    }
}
