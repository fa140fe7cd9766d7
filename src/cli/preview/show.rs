//! How a preview is printed.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::{PreviewArgs, View};
use crate::cli::output::{Cell, Column, Kind, Table, print_document, print_table, thousands, write};
use crate::cli::{Context, OutputFormat};
use crate::error::Result;
use crate::preview::{Held, Mapped, Previewed};
use crate::schema::VariableType;

/// Prints the records: for people one small table each; for programs JSON, or a line per variable.
pub(super) fn print(views: &[View], args: &PreviewArgs, context: &Context, out: &mut dyn Write) -> Result<()> {
    match context.output {
        OutputFormat::Json => {
            print_document(&json!({ "previews": views.iter().map(document).collect::<Vec<_>>() }), out)
        }
        OutputFormat::Table => {
            for (at, view) in views.iter().enumerate() {
                if at > 0 {
                    write(out, b"\n")?;
                }
                print_view(view, args, context, out)?;
            }
            Ok(())
        }
        format => print_table(&lines(views), format, context.color, out),
    }
}

fn print_view(view: &View, args: &PreviewArgs, context: &Context, out: &mut dyn Write) -> Result<()> {
    let whence = if view.is_live { "asked of the source now" } else { "as synced" };
    let head = format!("{} → {} by {}, {whence}; nothing is written\n", view.stream, view.entity, view.file);
    write(out, head.as_bytes())?;
    if view.records.is_empty() {
        return write(out, b"\nThere are no records.\n");
    }
    for record in &view.records {
        write(out, format!("\n{}\n", title(record)).as_bytes())?;
        print_table(&table_of(record, args.all_fields), context.output, context.color, out)?;
        // Below the table, where no terminal is too narrow for them.
        for held in record.variables.iter().filter_map(|variable| variable.held.as_ref()).chain(&record.held) {
            write(out, format!("held {}: {} ({})\n", held.what, held.reason, held.place).as_bytes())?;
        }
    }
    write(out, format!("\n{}\n", summary(&view.records)).as_bytes())
}

fn title(record: &Previewed) -> String {
    let mut title = record.key.clone();
    if !record.place.is_empty() {
        title.push_str(&format!("  {}", record.place));
    }
    if !record.in_scope {
        title.push_str("  out of scope: `where` does not let it in");
    }
    if let Some(from) = &record.effective_from {
        title.push_str(&format!("  counts from {}", from.as_deref().unwrap_or("the beginning")));
        if let Some(to) = &record.effective_to {
            title.push_str(&format!(" to {}", to.as_deref().map_or("the end".to_owned(), |to| format!("before {to}"))));
        }
    }
    // A key is data too: it must not command the terminal.
    title.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A line per variable: what it became, and what was sent.
fn table_of(record: &Previewed, all_fields: bool) -> Table {
    let text = |name: &str, label: &str| Column::new(name, Kind::Text).label(label);
    let mut table = Table::new(vec![
        text("variable", "VARIABLE"),
        text("mapped", "MAPPED"),
        text("raw", "AS SENT"),
        text("field", "FIELD"),
    ]);
    for variable in &record.variables {
        table.push(vec![
            Cell::Text(variable.name.clone()),
            Cell::Text(shown(variable)),
            Cell::Text(sent(record, variable)),
            Cell::Text(variable.fields.join(", ")),
        ]);
    }
    if all_fields {
        let is_read = |name: &String| record.variables.iter().any(|variable| variable.fields.contains(name));
        for (name, value) in record.raw.iter().filter(|(name, value)| value.is_some() && !is_read(name)) {
            table.push(vec![Cell::Null, Cell::Null, Cell::text(value.clone()), Cell::Text(name.clone())]);
        }
    }
    table
}

fn shown(variable: &Mapped) -> String {
    match (&variable.held, &variable.value) {
        (Some(_), _) => "held".to_owned(),
        (None, None) => "-".to_owned(),
        (None, Some(value)) => match variable.kind {
            VariableType::Money | VariableType::Integer | VariableType::Decimal => thousands(value),
            VariableType::Percent => format!("{value} %"),
            _ => value.clone(),
        },
    }
}

/// What the fields of a variable held; an empty one shows nothing.
fn sent(record: &Previewed, variable: &Mapped) -> String {
    let value = |name: &String| {
        let found = record.raw.iter().find(|(field, _)| field == name);
        found.and_then(|(_, value)| value.clone()).unwrap_or_default()
    };
    variable.fields.iter().map(value).collect::<Vec<_>>().join(" | ")
}

fn summary(records: &[Previewed]) -> String {
    let variables = || records.iter().filter(|record| record.in_scope).flat_map(|record| &record.variables);
    let count = |is: fn(&&Mapped) -> bool| variables().filter(is).count();
    let held = count(|variable| variable.held.is_some());
    let values = count(|variable| variable.value.is_some());
    let empty = variables().count() - held - values;
    let out = records.iter().filter(|record| !record.in_scope).count();
    let noun = if records.len() == 1 { "record" } else { "records" };
    let mut text = format!("{} {noun}: {values} values, {empty} empty (-), {held} held", records.len());
    if out > 0 {
        text.push_str(&format!(", {out} out of scope"));
    }
    text
}

fn held_document(held: &Held) -> Value {
    json!({ "what": held.what, "code": held.code, "reason": held.reason, "place": held.place })
}

fn document(view: &View) -> Value {
    let record = |record: &Previewed| {
        let variables: Map<String, Value> = record
            .variables
            .iter()
            .map(|variable| {
                let held = variable.held.as_ref().map(held_document);
                (variable.name.clone(), json!({ "value": variable.value, "fields": variable.fields, "held": held }))
            })
            .collect();
        let raw: Map<String, Value> =
            record.raw.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect();
        json!({
            "key": record.key,
            "in_scope": record.in_scope,
            "effective_from": record.effective_from.clone().flatten(),
            "effective_to": record.effective_to.clone().flatten(),
            "variables": variables,
            "held": record.held.iter().map(held_document).collect::<Vec<_>>(),
            "raw": raw,
        })
    };
    json!({
        "source": view.stream.source,
        "stream": view.stream.stream,
        "entity": view.entity,
        "mapping": view.file,
        "live": view.is_live,
        "records": view.records.iter().map(record).collect::<Vec<_>>(),
    })
}

/// A line per record and variable, for programs.
fn lines(views: &[View]) -> Table {
    let names = ["source", "stream", "entity", "key", "variable", "value", "sent", "fields", "held"];
    let mut columns: Vec<Column> = names.map(|name| Column::new(name, Kind::Text)).to_vec();
    columns.insert(4, Column::new("in_scope", Kind::Boolean));
    let mut table = Table::new(columns);
    for view in views {
        for record in &view.records {
            for variable in &record.variables {
                table.push(vec![
                    Cell::Text(view.stream.source.0.clone()),
                    Cell::Text(view.stream.stream.clone()),
                    Cell::Text(view.entity.clone()),
                    Cell::Text(record.key.clone()),
                    Cell::Boolean(record.in_scope),
                    Cell::Text(variable.name.clone()),
                    Cell::text(variable.value.clone()),
                    Cell::Text(sent(record, variable)),
                    Cell::Text(variable.fields.join(", ")),
                    Cell::text(variable.held.as_ref().map(|held| held.reason.clone())),
                ]);
            }
        }
    }
    table
}
