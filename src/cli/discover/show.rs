//! How what was discovered is printed.

use std::io::Write;

use serde_json::{Value, json};

use super::{DiscoverArgs, SourceView, StreamView};
use crate::cli::ask::changes_by;
use crate::cli::output::{Cell, Column, Kind, Table, cut, print_document, print_table, write};
use crate::cli::{Context, OutputFormat};
use crate::connect::{Offered, Others};
use crate::error::Result;
use crate::record::{Choice, Field, FieldClass};

/// So many of a system's other streams are shown to people who did not ask for all.
const OTHERS_SHOWN: usize = 40;

/// How wide the entries of a picklist, and one value, may be for people; programs get all.
const CHOICES_WIDTH: usize = 48;
const VALUE_WIDTH: usize = 24;

/// Prints what was found. Programs get one table: of streams, or of fields where streams were named.
pub(super) fn print(views: &[SourceView], args: &DiscoverArgs, context: &Context, out: &mut dyn Write) -> Result<()> {
    match context.output {
        OutputFormat::Json => {
            print_document(&json!({ "sources": views.iter().map(document).collect::<Vec<_>>() }), out)
        }
        OutputFormat::Table if args.streams.is_empty() => overview(views, args, context, out),
        OutputFormat::Table => each_stream(views, context, out),
        format if args.streams.is_empty() => print_table(&streams_table(views, false), format, context.color, out),
        format => print_table(&all_fields(views), format, context.color, out),
    }
}

fn overview(views: &[SourceView], args: &DiscoverArgs, context: &Context, out: &mut dyn Write) -> Result<()> {
    let text = |out: &mut dyn Write, text: &str| write(out, text.as_bytes());
    if views.iter().all(|view| view.streams.is_empty()) {
        return text(
            out,
            "This project reads nothing yet: make sources/NAME.yaml, see the files that end in .example.\n",
        );
    }
    print_table(&streams_table(views, true), context.output, context.color, out)?;
    for view in views {
        let Some(Ok(others)) = &view.others else { continue };
        let shown: Vec<&Offered> = others.streams.iter().filter(|other| args.all || !other.is_minor).collect();
        if !shown.is_empty() {
            let file = format!("sources/{}.yaml", view.source);
            text(out, &format!("\nAlso in {}, not read (list them under `streams` in {file}):\n", view.source))?;
            let mut table = Table::new(vec![
                Column::new("stream", Kind::Text).label("STREAM"),
                Column::new("label", Kind::Text).label("LABEL"),
            ]);
            let limit = if args.all { shown.len() } else { OTHERS_SHOWN };
            for other in shown.iter().take(limit) {
                table.push(vec![Cell::Text(other.name.clone()), Cell::text(other.label.clone())]);
            }
            print_table(&table, context.output, context.color, out)?;
        }
        let hidden = if args.all { 0 } else { others.streams.len() - shown.len().min(OTHERS_SHOWN) };
        if hidden > 0 {
            text(out, &format!("… and {hidden} more: `nenrin discover {} --all`\n", view.source))?;
        }
        if let Some(note) = &others.note {
            text(out, &format!("{}note ({}): {note}\n", if shown.is_empty() { "\n" } else { "" }, view.source))?;
        }
    }
    if let Some((view, stream)) = views.iter().find_map(|view| Some((view, view.streams.first()?))) {
        let name = quoted(&stream.name);
        text(out, &format!("\nFields of a stream: `nenrin discover {} {name}`\n", view.source))?;
    }
    Ok(())
}

/// One line per stream that is read.
fn streams_table(views: &[SourceView], for_people: bool) -> Table {
    let mut columns = vec![
        Column::new("source", Kind::Text).label("SOURCE"),
        Column::new("stream", Kind::Text).label("STREAM"),
        Column::new("label", Kind::Text).label("LABEL"),
        Column::new("fields", Kind::Integer).label("FIELDS"),
        Column::new("key", Kind::Text).label("KEY"),
        Column::new("changes_by", Kind::Text).label("CHANGES BY"),
        Column::new("mapped_to", Kind::Text).label("MAPPED TO"),
    ];
    if for_people {
        columns.retain(|column| column.name != "label" || views.iter().any(has_label));
    }
    let with_label = columns.iter().any(|column| column.name == "label");
    let mut table = Table::new(columns);
    for view in views {
        for stream in &view.streams {
            let mut row = vec![Cell::Text(view.source.0.clone()), Cell::Text(stream.name.clone())];
            let described = stream.stream.as_ref().ok();
            if with_label {
                row.push(Cell::text(described.and_then(|stream| stream.label.clone())));
            }
            let unknown = "cannot be described, see below".to_owned();
            row.extend([
                described.map_or(Cell::Null, |stream| Cell::count(stream.fields.len())),
                Cell::text(described.map(|stream| stream.key.join(", "))),
                Cell::Text(described.map_or(unknown, changes_by)),
                Cell::Text(entities_of(stream)),
            ]);
            table.push(row);
        }
    }
    table
}

fn has_label(view: &SourceView) -> bool {
    view.streams.iter().any(|stream| stream.stream.as_ref().is_ok_and(|stream| stream.label.is_some()))
}

fn entities_of(stream: &StreamView) -> String {
    stream.mapped.iter().map(|(entity, _)| entity.as_str()).collect::<Vec<_>>().join(", ")
}

fn each_stream(views: &[SourceView], context: &Context, out: &mut dyn Write) -> Result<()> {
    for view in views {
        let mut first = true;
        for stream in &view.streams {
            let Ok(described) = &stream.stream else { continue };
            if !std::mem::take(&mut first) {
                write(out, b"\n")?;
            }
            let label = described.label.as_ref().map(|label| format!(" {label}")).unwrap_or_default();
            let mapped = match stream.mapped.as_slice() {
                [] if stream.is_read => {
                    format!("not mapped: `nenrin guess {} {}`", view.source, quoted(&stream.name))
                }
                [] => format!("not read: list it under `streams` in sources/{}.yaml", view.source),
                mapped => {
                    let each = mapped.iter().map(|(entity, file)| format!("mapped to {entity} in {file}"));
                    each.collect::<Vec<_>>().join(", ")
                }
            };
            let by = if described.stamp.is_some() || described.dated { "changes by " } else { "" };
            let head = format!(
                "{}/{}{label}: {} fields, key {}, {by}{}; {mapped}\n",
                view.source,
                stream.name,
                described.fields.len(),
                described.key.join(", "),
                changes_by(described),
            );
            write(out, head.as_bytes())?;
            print_table(&fields_table(stream), context.output, context.color, out)?;
        }
    }
    Ok(())
}

/// One line per field, for people: columns that say nothing are left out.
fn fields_table(view: &StreamView) -> Table {
    let Ok(stream) = &view.stream else { return Table::default() };
    let text = |name: &str, label: &str| Column::new(name, Kind::Text).label(label);
    let labelled = stream.fields.iter().any(|field| field.label.is_some());
    let with_choices = stream.fields.iter().any(|field| !field.choices.is_empty());
    let mut columns = vec![text("field", "FIELD")];
    columns.extend(labelled.then(|| text("label", "LABEL")));
    columns.extend([text("type", "TYPE"), text("class", "CLASS")]);
    columns.extend((!view.variables.is_empty()).then(|| text("variable", "VARIABLE")));
    columns.extend(with_choices.then(|| text("choices", "CHOICES")));
    columns.extend(view.samples.is_some().then(|| text("samples", "VALUES")));
    let mut table = Table::new(columns);
    for field in &stream.fields {
        let mut row = vec![Cell::Text(field.name.clone())];
        if labelled {
            row.push(Cell::text(field.label.clone()));
        }
        row.extend([Cell::Text(field.source_type.clone()), Cell::Text(class_word(field.class).to_owned())]);
        if !view.variables.is_empty() {
            row.push(Cell::text(view.variables.get(&field.name).map(|names| names.join(", "))));
        }
        if with_choices {
            let shown: Vec<String> = field.choices.iter().map(Choice::to_string).collect();
            row.push(Cell::Text(few_of(&shown, CHOICES_WIDTH)));
        }
        if let Some(samples) = &view.samples {
            row.push(Cell::text(
                samples
                    .get(&field.name)
                    .map(|values| values.iter().map(|value| cut(value, VALUE_WIDTH)).collect::<Vec<_>>().join(" | ")),
            ));
        }
        table.push(row);
    }
    table
}

/// As many texts as fit, and how many more there are.
fn few_of(texts: &[String], width: usize) -> String {
    let all = texts.join(" | ");
    if cut(&all, width) == all {
        return all;
    }
    let mut shown = String::new();
    for (at, text) in texts.iter().enumerate() {
        let more = format!("{shown}{}{text}", if at > 0 { " | " } else { "" });
        if at > 0 && cut(&more, width) != more {
            return format!("{shown} | … {} more", texts.len() - at);
        }
        shown = more;
    }
    shown
}

/// One line per field of all streams, for programs.
fn all_fields(views: &[SourceView]) -> Table {
    let names = ["source", "stream", "field", "label", "type", "class", "variables", "choices", "samples"];
    let mut table = Table::new(names.map(|name| Column::new(name, Kind::Text)).to_vec());
    for view in views {
        for stream in &view.streams {
            let Ok(described) = &stream.stream else { continue };
            for field in &described.fields {
                let list = |values: Option<&Vec<String>>| Cell::text(values.map(|values| values.join("\n")));
                let choices: Vec<String> = field.choices.iter().map(|choice| choice.value.clone()).collect();
                let choices = Some(&choices).filter(|choices| !choices.is_empty());
                table.push(vec![
                    Cell::Text(view.source.0.clone()),
                    Cell::Text(stream.name.clone()),
                    Cell::Text(field.name.clone()),
                    Cell::text(field.label.clone()),
                    Cell::Text(field.source_type.clone()),
                    Cell::Text(class_word(field.class).to_owned()),
                    list(stream.variables.get(&field.name)),
                    list(choices),
                    list(stream.samples.as_ref().and_then(|samples| samples.get(&field.name))),
                ]);
            }
        }
    }
    table
}

fn class_word(class: FieldClass) -> &'static str {
    match class {
        FieldClass::Business => "business",
        FieldClass::Calculated => "calculated",
        FieldClass::Bookkeeping => "bookkeeping",
        FieldClass::Ticking => "ticking",
    }
}

fn document(view: &SourceView) -> Value {
    let streams: Vec<Value> = view.streams.iter().map(stream_document).collect();
    let mut document = json!({ "source": view.source, "connector": view.connector, "streams": streams });
    if let Some(Ok(Others { streams, note })) = &view.others {
        let other = |other: &Offered| json!({ "stream": other.name, "label": other.label, "minor": other.is_minor });
        document["not_read"] = streams.iter().map(other).collect();
        document["note"] = json!(note);
    }
    document
}

fn stream_document(view: &StreamView) -> Value {
    let mapped: Vec<Value> =
        view.mapped.iter().map(|(entity, file)| json!({ "entity": entity, "mapping": file })).collect();
    let mut document = json!({ "stream": view.name, "read": view.is_read, "mapped_to": mapped });
    match &view.stream {
        Err(error) => document["error"] = json!({ "code": error.code_str(), "message": error.to_string() }),
        Ok(stream) => {
            let field = |field: &Field| {
                let mut value = json!({
                    "field": field.name,
                    "label": field.label,
                    "type": field.source_type,
                    "class": class_word(field.class),
                    "choices": field.choices.iter().map(|choice| &choice.value).collect::<Vec<_>>(),
                    "choice_labels": choice_labels(field),
                    "variables": view.variables.get(&field.name).cloned().unwrap_or_default(),
                });
                if let Some(samples) = &view.samples {
                    value["samples"] = json!(samples.get(&field.name).cloned().unwrap_or_default());
                }
                value
            };
            document["label"] = json!(stream.label);
            document["key"] = json!(stream.key);
            document["stamp"] = json!(stream.stamp);
            document["dated"] = json!(stream.dated);
            document["tells_deletes"] = json!(stream.tells_deletes);
            document["fields"] = stream.fields.iter().map(field).collect();
        }
    }
    document
}

/// What people see for the values whose text is another, by value.
fn choice_labels(field: &Field) -> Value {
    let labels = field.choices.iter().filter_map(|choice| Some((choice.value.clone(), json!(choice.label.as_ref()?))));
    Value::Object(labels.collect())
}

/// A name as a shell takes it.
pub(in crate::cli) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
