//! `nenrin guess`: a draft of a mapping, from names, labels, types and values.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::ask::{Asking, named_source, need_stream, settings_of};
use super::output::{Cell, Column, Kind, Table, check_destination, print_document, print_table, write};
use super::{Context, OutputFormat};
use crate::config::Project;
use crate::config::suggest::advice;
use crate::connect::rest::draft_stream;
use crate::connect::{Few, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::guess::{
    Draft, EntityGuess, Input, Line, Neighbour, State, Template, draft, guess_entity, is_called, open_variables,
    shipped_templates, write_yaml,
};
use crate::map::Settings;
use crate::record::{Records, SourceId, Stream, StreamId};
use crate::schema::{VariableConfig, VariableType};

/// Draft the mapping of a stream, each line with how sure it is and why
///
/// Looks at names, labels, types and a few records, and at the templates of the connector; the entries of picklists are
/// translated where their meaning is clear. Fields that the source calculates or that only tell of bookkeeping are left
/// out. Prints the file (redirect it into mappings/SOURCE/STREAM.yaml), or writes it there with --write.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GuessArgs {
    /// The source
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The stream; may be left out where the source has only one
    #[arg(value_name = "STREAM")]
    pub stream: Option<String>,
    /// The entity that its records are; default what the stream is called after, or has most fields of
    #[arg(long, value_name = "ENTITY")]
    pub entity: Option<String>,
    /// Write mappings/SOURCE/STREAM.yaml
    #[arg(long)]
    pub write: bool,
    /// With --write: write over a mapping that is there
    #[arg(long, requires = "write")]
    pub force: bool,
    /// Draft the stream of a `rest` source instead, from this file with one answer of the API in JSON; `-` reads standard
    /// input: `curl … | nenrin guess keiyaku contracts --answer -`
    #[arg(long, value_name = "FILE", requires = "stream", conflicts_with_all = ["entity", "write"])]
    pub answer: Option<String>,
    /// How many records are looked at, in one request; 0 for none: then names, labels and types must do
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=200))]
    pub records: u16,
}

/// Runs the command.
///
/// # Errors
///
/// Usage when source, stream or entity are not there or a mapping would be written over, and what asking the source may
/// fail with.
pub async fn run(args: GuessArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    if let (Some(file), Some(stream)) = (&args.answer, &args.stream) {
        let yaml = draft_stream(stream, &read_answer(file)?)?;
        write(&mut std::io::stdout().lock(), yaml.as_bytes())?;
        eprintln!(
            "put this below `streams` of sources/{}.yaml, fill in what is TODO, and run `nenrin check`",
            args.source
        );
        return Ok(ExitCode::SUCCESS);
    }
    let asking = Asking::open(context).await?;
    let project = &asking.project;
    let id = named_source(project, &args.source)?;
    let source = asking.source(&id, context, "guess").await?;
    let name = need_stream(source.as_ref(), &id, args.stream.as_ref(), "guess")?;
    if let Some(entity) = &args.entity {
        check_entity(project, entity)?;
    }
    let stream = source.describe_other(&name).await?;
    let records = match args.records {
        0 => Records::default(),
        count => source.sample(&stream, Few::First(count)).await?,
    };
    let asked =
        Asked { project, id: StreamId { source: id, stream: name }, stream, records, settings: settings_of(project) };
    let entity = match args.entity {
        Some(entity) => entity,
        None => asked.entity()?,
    };
    let variables = open_variables(project, &entity);
    let neighbours = neighbours(project, source.as_ref(), &asked.id, &variables).await?;
    let templates = templates_of(project, &asked.id.source);
    let drafted = draft(&asked.input(&entity, &variables, &neighbours, &templates))?;
    let file = file_of(project, &drafted);
    if args.write {
        write_file(project, &drafted, &variables, &file, args.force)?;
    }
    let yaml = write_yaml(&drafted, &variables, file.matches('/').count());
    let mut out = std::io::stdout().lock();
    match context.output {
        OutputFormat::Json => print_document(&document(&drafted, &file, &yaml), &mut out)?,
        OutputFormat::Table if args.write => {}
        OutputFormat::Table => write(&mut out, yaml.as_bytes())?,
        format => print_table(&lines_table(&drafted), format, context.color, &mut out)?,
    }
    tell(project, &drafted, &file, args.write);
    Ok(ExitCode::SUCCESS)
}

/// The sample answer of an API.
fn read_answer(file: &str) -> Result<String> {
    let read = if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    read.map_err(|error| {
        Error::new(ErrorKind::Usage, "the answer cannot be read")
            .with("file", file)
            .help("save one answer of the API: `curl … > answer.json`")
            .caused_by(error)
    })
}

/// A stream that was looked at.
struct Asked<'a> {
    project: &'a Project,
    id: StreamId,
    stream: Stream,
    records: Records,
    settings: Settings,
}

impl Asked<'_> {
    fn input<'i>(
        &'i self,
        entity: &'i str,
        variables: &'i [VariableConfig],
        neighbours: &'i [Neighbour],
        templates: &'i [Template],
    ) -> Input<'i> {
        Input {
            stream: &self.stream,
            id: &self.id,
            entity,
            variables,
            records: &self.records,
            templates,
            neighbours,
            settings: &self.settings,
        }
    }

    /// The entity that the stream is mapped to already, or called after, or else clearly has most fields of.
    fn entity(&self) -> Result<String> {
        let mapped = self.project.mappings.iter().map(|mapping| &mapping.value);
        let mapped: Vec<&str> = mapped
            .filter(|mapping| mapping.source == self.id.source.0 && mapping.stream == self.id.stream)
            .map(|mapping| mapping.entity.as_str())
            .collect();
        if let [only] = mapped.as_slice() {
            return Ok((*only).to_owned());
        }
        let mut guesses: Vec<EntityGuess> = Vec::new();
        for entity in &self.project.entities {
            let variables = open_variables(self.project, &entity.value.name);
            guesses.push(guess_entity(&self.input(&entity.value.name, &variables, &[], &[]))?);
        }
        if let Some(called) = guesses.iter().find(|guess| guess.is_called_so) {
            return Ok(called.entity.clone());
        }
        guesses.sort_by_key(|guess| std::cmp::Reverse(guess.likely_count));
        let leads = |best: &EntityGuess, rest: &[EntityGuess]| {
            best.likely_count >= 3
                && !best.lacks_parent
                && rest.first().is_none_or(|next| next.likely_count < best.likely_count)
        };
        match guesses.as_slice() {
            [best, rest @ ..] if leads(best, rest) => Ok(best.entity.clone()),
            _ => {
                let told = guesses.iter().map(|guess| {
                    format!(
                        "{} (fields for {} of {} variables)",
                        guess.entity, guess.likely_count, guess.variable_count
                    )
                });
                Err(Error::new(ErrorKind::Usage, "it is not clear which entity these records are")
                    .with("stream", &self.id)
                    .with("entities", told.collect::<Vec<_>>().join(", "))
                    .help("say it with --entity, such as --entity customer"))
            }
        }
    }
}

fn check_entity(project: &Project, entity: &str) -> Result<()> {
    if project.entity(entity).is_some() {
        return Ok(());
    }
    let known = project.entities.iter().map(|entity| entity.value.name.as_str());
    Err(Error::new(ErrorKind::Usage, format!("there is no entity `{entity}`"))
        .help(advice(entity, known).unwrap_or_default()))
}

fn templates_of(project: &Project, source: &SourceId) -> Vec<Template> {
    let connector = project.source(&source.0).map(|source| source.value.connector.as_str()).unwrap_or_default();
    shipped_templates().iter().filter(|template| template.connector == connector).copied().collect()
}

/// The streams of the same source whose entity the variables refer to: by the mappings there are, else by their names.
async fn neighbours(
    project: &Project,
    source: &dyn Source,
    id: &StreamId,
    variables: &[VariableConfig],
) -> Result<Vec<Neighbour>> {
    let is_referred = |entity: &str| {
        variables
            .iter()
            .any(|variable| variable.r#type == VariableType::Ref && variable.entity.as_deref() == Some(entity))
    };
    let mut found = Vec::new();
    for name in source.streams().into_iter().filter(|name| *name != id.stream) {
        let mapped = project.mappings.iter().map(|mapping| &mapping.value);
        let mut entities: Vec<String> = mapped
            .filter(|mapping| mapping.source == id.source.0 && mapping.stream == name)
            .map(|mapping| mapping.entity.clone())
            .collect();
        if entities.is_empty() {
            for entity in &project.entities {
                if is_called(&bare(&name), &entity.value.name)? {
                    entities.push(entity.value.name.clone());
                }
            }
        }
        for entity in entities.into_iter().filter(|entity| is_referred(entity)) {
            // Where the other stream cannot be described, that is no reason not to draft this one.
            let key = source.describe_other(&name).await.map(|stream| stream.key).unwrap_or_default();
            found.push(Neighbour { stream: name.clone(), entity, key });
        }
    }
    Ok(found)
}

fn bare(name: &str) -> Stream {
    Stream {
        name: name.to_owned(),
        label: None,
        key: Vec::new(),
        stamp: None,
        fields: Vec::new(),
        dated: false,
        tells_deletes: false,
    }
}

/// Where the mapping lies, or would: a second mapping of one stream carries its entity's name too.
fn file_of(project: &Project, draft: &Draft) -> String {
    let safe = |text: &str| text.replace(['/', '\\', ':', '*', '?', '"', '<', '>', '|'], "_");
    let of_stream = |mapping: &&crate::config::Located<crate::map::MappingConfig>| {
        mapping.value.source == draft.stream.source.0 && mapping.value.stream == draft.stream.stream
    };
    let mut mappings = project.mappings.iter().filter(of_stream);
    if let Some(same) = mappings.clone().find(|mapping| mapping.value.entity == draft.entity) {
        return same.doc.file().to_owned();
    }
    let entity = if mappings.next().is_some() { format!(".{}", draft.entity) } else { String::new() };
    format!("mappings/{}/{}{entity}.yaml", safe(&draft.stream.source.0), safe(&draft.stream.stream))
}

fn write_file(project: &Project, draft: &Draft, variables: &[VariableConfig], file: &str, force: bool) -> Result<()> {
    let path = project.root.join(file);
    if path.exists() && !force {
        return Err(Error::new(ErrorKind::Usage, "there is a mapping already, which is not written over")
            .with("file", file)
            .help("compare it with the draft (leave --write out), or write over it with --force"));
    }
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, "the mapping cannot be written").with("file", file).caused_by(error)
    };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    std::fs::write(&path, write_yaml(draft, variables, file.matches('/').count())).map_err(failed)
}

/// Says on standard error what to do with the draft.
fn tell(project: &Project, draft: &Draft, file: &str, written: bool) {
    let count = |state| draft.lines.iter().filter(|line| line.state == state).count();
    let open: usize = draft.lines.iter().map(|line| line.open.len()).sum();
    let told: Vec<String> = [
        (count(State::Drafted), "line drafted", "lines drafted"),
        (count(State::Proposed), "line proposed in a comment", "lines proposed in comments"),
        (draft.missing.len(), "variable without a field", "variables without a field"),
        (open, "picklist entry to be told", "picklist entries to be told"),
    ]
    .into_iter()
    .enumerate()
    .filter(|(at, (count, _, _))| *at == 0 || *count > 0)
    .map(|(_, (count, one, many))| format!("{count} {}", if count == 1 { one } else { many }))
    .collect();
    let (source, stream) = (&draft.stream.source, super::discover::quoted(&draft.stream.stream));
    let next = if written {
        format!("wrote {file}; next: `nenrin preview {source} {stream}`, then `nenrin check`")
    } else if project.mappings.iter().any(|mapping| mapping.doc.file() == file) {
        format!("next: compare it with {file}, which maps this stream now")
    } else {
        format!("next: look it over, then `nenrin guess {source} {stream} --write` (or redirect it into {file})")
    };
    let _ = writeln!(std::io::stderr(), "{}\n{next}", told.join(", "));
}

fn document(draft: &Draft, file: &str, yaml: &str) -> Value {
    let line = |line: &Line| {
        let values: serde_json::Map<String, Value> =
            line.values.iter().map(|value| (value.from.clone(), Value::from(value.to.as_str()))).collect();
        json!({
            "variable": line.variable,
            "state": state_word(line.state),
            "expression": line.expression,
            "fields": line.fields,
            "stream": line.stream,
            "confidence": f64::from(line.confidence) / 100.0,
            "reason": line.reason,
            "of_template": line.is_of_template,
            "values": values,
            "open_entries": line.open.iter().map(|entry| &entry.value).collect::<Vec<_>>(),
        })
    };
    let unused = draft
        .unused
        .iter()
        .map(|field| json!({ "field": field.name, "label": field.label, "type": field.source_type, "why": field.why }));
    json!({
        "source": draft.stream.source,
        "stream": draft.stream.stream,
        "entity": draft.entity,
        "file": file,
        "template": draft.template,
        "records": draft.record_count,
        "lines": draft.lines.iter().map(line).collect::<Vec<_>>(),
        "missing": draft.missing,
        "unused": unused.collect::<Vec<_>>(),
        "yaml": yaml,
    })
}

fn lines_table(draft: &Draft) -> Table {
    let text = |name: &str| Column::new(name, Kind::Text);
    let confidence = Column::new("confidence", Kind::Decimal(2));
    let mut table = Table::new(vec![text("variable"), text("state"), text("expression"), confidence, text("reason")]);
    for line in &draft.lines {
        table.push(vec![
            Cell::Text(line.variable.clone()),
            Cell::Text(state_word(line.state).to_owned()),
            Cell::Text(line.expression.clone()),
            Cell::Decimal(line.confidence.into()),
            Cell::Text(line.reason.clone()),
        ]);
    }
    table
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Drafted => "drafted",
        State::Proposed => "proposed",
    }
}
