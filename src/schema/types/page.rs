//! The page `docs/guides/types.md`, made from what the tests run.

use std::fmt::Write;

use super::doc::{Outcome, TypeDoc, documentation};
use super::{Reason, parse};

const HEAD: &str = "\
# Types of variables

<!-- Made by `cargo run -- schema types --dir docs/guides` from the cases that the tests run; a test fails when it is not. -->

A variable's `type` says what its values are. A text from a source is either one of the forms that the type accepts, or it is
*held* with the reason, to be mended and replayed; nothing is guessed and nothing dropped. A blank text (white space only,
full-width included) is no value.

Where one text could mean two things, the variable says which, or the mapping of the source does:

```yaml
variables:
  mrr: { from: 月額, read_as: { units: japanese } }         # 120万 is 1200000
  login_rate: { from: 率, read_as: { percent: fraction } }  # 0.125 is 12.5 %
  amount: { from: 金額, currency: 通貨 }                    # held where the record's 通貨 is not the variable's currency
```

| key of `read_as` | for | meaning |
|---|---|---|
| `units: japanese` | integer, decimal, money | 十 百 千 万 億 兆 and numbers in kanji are read |
| `percent: fraction` | percent | a number without a sign is a fraction: 0.125 is 12.5 % |
| `fiscal: first`, `last` | date | a fiscal year or its part means its first or last day, by the project's `fiscal` and `closing_day` |
| `serial: excel_1900`, `excel_1904` | date | bare numbers are days of a spreadsheet |
| `separators: \",/\"` | set | the signs between elements |
| `timezone: America/New_York` | datetime | the zone of texts that name none |

What a mapping says goes before what the variable says, and holds for the conversions in its expression too
(`decimal(月額) / 12`). Canonical texts are read without `read_as`: it tells how a source writes.

Values compare by their type (`min` and `max` of a comparison, `<` in expressions): the order stands with each type. `BETWEEN` of enums
compares their texts.

";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let types = documentation();
    page.push_str("| type | 日本語 | canonical text | order |\n|---|---|---|---|\n");
    for doc in &types {
        let word = doc.kind.word();
        let _ = writeln!(page, "| [`{word}`](#{word}) | {} | {} | {} |", doc.ja, doc.canonical, doc.order);
    }
    for doc in types {
        section(&mut page, doc);
    }
    page
}

fn section(page: &mut String, doc: &TypeDoc) {
    let _ = write!(page, "\n## {}\n\n{}\n", doc.kind.word(), doc.about);
    for cases in doc.cases {
        let options = (cases.options)();
        match cases.declared {
            "" => {}
            declared => {
                let _ = write!(page, "\n```yaml\n{declared}\n```\n");
            }
        }
        page.push_str("\n| text | becomes | |\n|---|---|---|\n");
        for case in cases.forms {
            let text = shown(case.text);
            let _ = match case.outcome {
                Outcome::Is(value) => writeln!(page, "| {text} | {} | |", shown(value)),
                Outcome::Empty => writeln!(page, "| {text} | *empty* | |"),
                Outcome::Held(code) => {
                    let reason = parse(doc.kind, &options, case.text).err().unwrap_or_else(|| Reason::new(code, ""));
                    writeln!(page, "| {text} | *held*: `{code}` | {} |", reason.message.replace('|', "\\|"))
                }
            };
        }
    }
}

/// A text as code, in quotes where its white space would not be seen.
fn shown(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| match c {
            '\0' => "\\0".to_owned(),
            '|' => "\\|".to_owned(),
            c => c.to_string(),
        })
        .collect();
    if visible.trim().len() == visible.len() && !visible.is_empty() {
        format!("`{visible}`")
    } else {
        format!("`\"{visible}\"`")
    }
}
