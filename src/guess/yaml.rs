//! A draft as the text of a mapping file.

use std::fmt::Write;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::lines::{Line, State};
use super::{Draft, Unused};
use crate::config::yaml::parse;
use crate::schema::VariableConfig;

/// Where comments begin, unless a line is longer.
const COMMENTS_AT: usize = 48;
const COMMENT_LINE: usize = 110;

/// The mapping file. `depth` is how many folders it lies below the project's (for the editor's schema), `variables` those
/// of the entity.
pub fn write_yaml(draft: &Draft, variables: &[VariableConfig], depth: usize) -> String {
    let mut text = String::new();
    let up = "../".repeat(depth);
    let _ = writeln!(text, "# yaml-language-server: $schema={up}schemas/json/mapping.json");
    comment(&mut text, "", &head(draft));
    text.push_str("apiVersion: nenrin/v1\nkind: Mapping\n");
    for (key, value) in
        [("source", &draft.stream.source.0), ("stream", &draft.stream.stream), ("entity", &draft.entity)]
    {
        let _ = writeln!(text, "{key}: {}", scalar(value));
    }
    if let Some(effective) = &draft.effective {
        let _ = writeln!(text, "effective:\n  from: {}", scalar(&effective.from));
        if let Some(to) = &effective.to {
            let _ = writeln!(text, "  to: {}", scalar(to));
        }
    }
    if draft.drafted().next().is_none() {
        text.push_str("variables: {}\n");
    } else {
        text.push_str("variables:\n");
    }
    for line in draft.drafted() {
        push_line(&mut text, "  ", line, values_of(variables, &line.variable));
    }
    let proposed: Vec<&Line> = draft.lines.iter().filter(|line| line.state == State::Proposed).collect();
    if !proposed.is_empty() {
        text.push_str("\n  # Not sure enough. Where one is right, take the # away.\n");
        for line in proposed {
            push_line(&mut text, "  # ", line, values_of(variables, &line.variable));
        }
    }
    if !draft.missing.is_empty() {
        text.push('\n');
        comment(&mut text, "", &format!("No field was found for: {}.", draft.missing.join(", ")));
    }
    if !draft.unused.is_empty() {
        text.push_str("\n# Fields that are not used:\n");
        for field in &draft.unused {
            let _ = writeln!(text, "#   {}", told(field));
        }
    }
    text
}

fn head(draft: &Draft) -> String {
    let looked = match draft.record_count {
        0 => "names, labels and types, no record".to_owned(),
        1 => "names, labels, types and one record".to_owned(),
        count => format!("names, labels, types and {count} records"),
    };
    let template = draft.template.as_ref().map(|file| format!("the template {file}, ")).unwrap_or_default();
    format!(
        "Drafted by `nenrin guess` from {template}{looked}. The number in front of each reason says how sure it is, 1.00 \
         at most. Look every line over, then see what it makes of real records: `nenrin preview`."
    )
}

/// Writes a comment in lines that can be read.
fn comment(text: &mut String, indent: &str, words: &str) {
    let mut line = String::new();
    for word in words.split(' ') {
        if !line.is_empty() && indent.len() + 3 + line.width() + word.width() > COMMENT_LINE {
            let _ = writeln!(text, "{indent}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{indent}# {line}");
}

fn values_of<'v>(variables: &'v [VariableConfig], name: &str) -> &'v [String] {
    variables.iter().find(|variable| variable.name == name).map_or(&[], |variable| &variable.values)
}

fn push_line(text: &mut String, indent: &str, line: &Line, values: &[String]) {
    let reason = format!("{}: {}", sure(line.confidence), one_line(&line.reason));
    let is_long = !line.values.is_empty() || line.stream.is_some();
    if !is_long {
        push(text, &format!("{indent}{}: {}", line.variable, scalar(&line.expression)), &reason);
    } else {
        push(text, &format!("{indent}{}:", line.variable), &reason);
        push(text, &format!("{indent}  from: {}", scalar(&line.expression)), "");
    }
    if let Some(stream) = &line.stream {
        push(text, &format!("{indent}  stream: {}", scalar(stream)), "");
    }
    if !line.values.is_empty() {
        push(text, &format!("{indent}  values:"), "");
        for value in &line.values {
            push(text, &format!("{indent}    {}: {}", key(&value.from), scalar(&value.to)), &value.how);
        }
    }
    if !line.open.is_empty() {
        let inner = if is_long { format!("{indent}    ") } else { format!("{indent}  ") };
        let which = if values.is_empty() { String::new() } else { format!(" (one of {})", values.join(", ")) };
        let entries: Vec<String> = line.open.iter().map(|entry| scalar(&entry.to_string())).collect();
        comment(
            text,
            &inner,
            &format!(
                "TODO say under `values` what these mean{which}; until then they are held: {}",
                entries.join(", ")
            ),
        );
    }
}

fn push(text: &mut String, line: &str, comment: &str) {
    if comment.is_empty() {
        let _ = writeln!(text, "{line}");
    } else {
        let gap = " ".repeat(COMMENTS_AT.saturating_sub(line.width()).max(2));
        let _ = writeln!(text, "{line}{gap}# {comment}");
    }
}

/// Hundredths as people read them.
pub(super) fn sure(confidence: u8) -> String {
    format!("{}.{:02}", confidence / 100, confidence % 100)
}

fn told(field: &Unused) -> String {
    let label = field.label.as_deref().filter(|label| *label != field.name);
    let label = label.map(|label| format!(" {}", one_line(label))).unwrap_or_default();
    let why = field.why.map(|why| format!(", {why}")).unwrap_or_default();
    format!("{}:{label} ({}{why})", one_line(&field.name), field.source_type)
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text as a YAML value: plain where that reads back as the same text, else in quotes.
fn scalar(text: &str) -> String {
    let reads_back = |value: &Value| value.get("x") == Some(&Value::String(text.to_owned()));
    written(text, &format!("x: {text}\n"), reads_back)
}

/// A text as the key of a YAML mapping.
fn key(text: &str) -> String {
    let reads_back = |value: &Value| value.as_object().is_some_and(|members| members.keys().eq([text]));
    written(text, &format!("{text}: x\n"), reads_back)
}

fn written(text: &str, plain: &str, reads_back: impl Fn(&Value) -> bool) -> String {
    let parsed = parse("draft", plain);
    if parsed.problems.is_empty() && parsed.value.as_ref().is_some_and(reads_back) {
        return text.to_owned();
    }
    if text.contains(char::is_control) {
        return Value::String(text.to_owned()).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back_as_itself() {
        for text in [
            "会社名",
            "月額(円)",
            "a: b",
            "#1",
            "no",
            "12",
            "",
            " x ",
            "it's",
            "a\nb",
            "- x",
            "{a}",
            "@x",
            "null",
            "売上\t",
        ] {
            let (value, key) = (scalar(text), key(text));
            let parsed = parse("test", &format!("'the value': {value}\n{key}: y\n"));
            assert!(parsed.problems.is_empty(), "{text:?} as {value} and {key}");
            let parsed = parsed.value.unwrap();
            assert_eq!((&parsed["the value"], &parsed[text]), (&Value::from(text), &Value::from("y")), "{value} {key}");
        }
        assert_eq!(scalar("会社名"), "会社名");
        assert_eq!(scalar("lower(split_part(Web, '/', 3))"), "lower(split_part(Web, '/', 3))");
        assert_eq!(scalar("$parent"), "$parent");
    }
}
