//! `nenrin explain-error`: what a code means, why it happens and what to do.

use std::io::Write;
use std::process::ExitCode;

use super::output::{Cell, Column, Kind, Table, check_destination, print_table, write};
use super::{Context, OutputFormat};
use crate::config::suggest;
use crate::error::{Error, ErrorKind, Result};
use crate::explain::{Explanation, Language, explanation, explanations};

/// Explain the code of an error or a warning: what it says, why it happens, what to do
#[derive(Debug, clap::Args)]
pub struct ExplainErrorArgs {
    /// Codes as printed, such as E0401; none for all there are
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,

    /// In which language; that of the locale (LANG) when not told
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
}

/// Runs the command; needs no project.
///
/// # Errors
///
/// [`ErrorKind::Usage`] for a code that there is not; failures of the output.
pub async fn run(args: ExplainErrorArgs, context: &Context) -> Result<ExitCode> {
    check_destination(context.output)?;
    let language = args.lang.unwrap_or_else(|| Language::of_locale(|name| std::env::var(name).ok()));
    print(&args.codes, language, context, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn print(codes: &[String], language: Language, context: &Context, out: &mut dyn Write) -> Result<()> {
    let found = match codes {
        [] => explanations(language).collect(),
        codes => codes.iter().map(|code| found(code, language)).collect::<Result<Vec<_>>>()?,
    };
    if context.output == OutputFormat::Table && !codes.is_empty() {
        let pages: Vec<String> = found.iter().map(|known| page(known, language)).collect();
        return write(out, pages.join("\n").as_bytes());
    }
    let is_list = context.output == OutputFormat::Table;
    let mut columns = vec![Column::new("code", Kind::Text), Column::new("what", Kind::Text)];
    if !is_list {
        columns.extend([Column::new("why", Kind::Text), Column::new("next", Kind::Text)]);
    }
    let mut table = Table::new(columns);
    for known in found {
        let cells = [known.code, known.what, known.why, known.next].into_iter().take(if is_list { 2 } else { 4 });
        table.push(cells.map(|text| Cell::text(Some(text))).collect());
    }
    print_table(&table, context.output, context.color, out)
}

fn found(code: &str, language: Language) -> Result<Explanation> {
    explanation(code, language).ok_or_else(|| {
        let close = suggest::closest(code, explanations(language).map(|known| known.code));
        let error = Error::new(ErrorKind::Usage, "there is no such code").with("code", code);
        error.help(match close {
            Some(close) => format!("did you mean {close}? `nenrin explain-error` lists all"),
            None => "`nenrin explain-error` lists all; a code looks like E0401, C010 or M012".to_owned(),
        })
    })
}

fn page(known: &Explanation, language: Language) -> String {
    let (why, next) = match language {
        Language::En => ("why", "next"),
        Language::Ja => ("理由", "対処"),
    };
    format!("{}: {}\n  {why}: {}\n  {next}: {}\n", known.code, known.what, known.why, known.next)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn shown(codes: &[&str], language: Language, output: OutputFormat) -> Result<String> {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        let context = Context { color: false, ..Context::new(PathBuf::from("."), output) };
        let mut out = Vec::new();
        print(&codes, language, &context, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_code_is_explained_in_either_language() {
        insta::assert_snapshot!(shown(&["e0303"], Language::En, OutputFormat::Table).unwrap(), @r"
        E0303: an allowance is used up (75)
          why: the daily requests of the org, or the share of them that the source may use
          next: run the sync again when it is free; it goes on where it stopped
        ");
        let japanese = shown(&["E0303", "M012"], Language::Ja, OutputFormat::Table).unwrap();
        assert!(japanese.starts_with("E0303: ") && japanese.contains("\n  対処: ") && japanese.contains("\nM012: "));
    }

    #[test]
    fn all_are_listed_and_programs_get_every_cell() {
        let list = shown(&[], Language::En, OutputFormat::Table).unwrap();
        assert!(list.contains("C010") && list.contains("M901") && !list.contains("the same command"), "{list}");
        let json = shown(&["E0303"], Language::Ja, OutputFormat::Json).unwrap();
        let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(rows[0]["code"], "E0303");
        assert_eq!(rows[0].as_object().unwrap().len(), 4);
    }

    #[test]
    fn a_code_that_there_is_not_brings_the_one_that_was_meant() {
        let error = shown(&["E0304x"], Language::En, OutputFormat::Table).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.help_text().unwrap().contains("did you mean E0304?"), "{}", error.render());
        assert!(
            shown(&["quota"], Language::En, OutputFormat::Table)
                .unwrap_err()
                .help_text()
                .unwrap()
                .contains("lists all")
        );
    }
}
