//! The document, as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write;

use jodo_shared::contract::KnownCode;
use jodo_worker::decide::meaning::blocks::{GRADE, JODO_STUDENT_ID, STUDENT};
use jodo_worker::decide::meaning::{Block, Content, Field, Kind, List, Meaning, Part, Row, meaning_of};
use jodo_worker::entities::EMIS;
use jodo_worker::table::{Entity, Register};

use crate::example::{rows, sample};
use crate::families::{FAMILIES, Family};

const PREFACE: &str = "\
# The events

Every event that Jodo sends, what jodo-sync reads of it, and the rows that come of it. Made by `make docs` from the table
that the program runs on and from one invented sample per event; a test fails when it is stale. The views are described in
[VIEWS.md](VIEWS.md); what is known of the sender, and how well, in [CONTRACT.md](CONTRACT.md).

Who only reads the views can do without this document. How to read it:

* **Natural key** is what the event is about. Without it, or when it cannot be read, the event waits for a person
  (`quarantined`); so does one with an amount that cannot be read. Any other member that is odd is left out, with a
  warning, and the event is applied.
* **Reports** is the state that it reports. States add up, whatever their order; VIEWS.md says which one is shown.
* Of each value the newest word stands, by the event's own `timestamp`. A member that is absent, null or empty says
  nothing, so silence never erases anything.
* **Rank** decides between events of the same second: the higher one counts as later.
* The rows of an example leave out `tenant`, the columns in paise, and what is null.
* **Fallback** is what counts only as long as no other event has said it, whatever their times.
";

/// All of it.
pub(crate) async fn document() -> String {
    let mut text = PREFACE.to_owned();
    for family in FAMILIES {
        text += &format!("\n## {}\n\n{}\n", family.name, wrapped(family.words));
        text += &what_is_read(family);
        for code in family.codes() {
            text += &event(code).await;
        }
    }
    text
}

fn meaning(code: KnownCode) -> &'static Meaning {
    meaning_of(code).expect("every code has one")
}

/// The members that events of a family are read for, and the columns where they are shown.
fn what_is_read(family: &Family) -> String {
    let mut lines = BTreeSet::new();
    let (mut student, mut grade) = (false, false);
    for meaning in family.codes().map(meaning) {
        student |= meaning.student.is_some();
        grade |= meaning.student.is_some_and(|student| student.grade);
        for row in meaning.rows() {
            for block in [row.block].into_iter().chain(row.parent) {
                lines.extend(fields(row.entity, block));
            }
            lines.extend(lists(row));
        }
        if let Some((fact, _)) = meaning.student.and_then(|student| student.enrolment) {
            assert!(!fact.name.is_empty());
            lines.extend(fields_of_the_pupil());
        }
    }
    let mut text = String::from("\n| member | shown as | read as |\n| --- | --- | --- |\n");
    text.extend(lines.iter().map(|line| format!("{line}\n")));
    if student && family.name != "Pupils" {
        let without = if grade { "" } else { ", without the grade" };
        text +=
            &format!("\nThe student block feeds the pupil's profile, as under [Pupils](#pupils){without}.\n");
    }
    text
}

fn fields(entity: &Entity, block: &Block) -> Vec<String> {
    block
        .fields
        .iter()
        .map(|field| line(entity, &format!("{}.{}", block.path, field.member), field))
        .collect()
}

fn fields_of_the_pupil() -> Vec<String> {
    let students = &jodo_worker::entities::STUDENTS;
    let mut lines = [&STUDENT, &GRADE].map(|block| fields(students, block)).concat();
    let path = format!("payload.{}", JODO_STUDENT_ID.member);
    lines.push(line(students, &path, &JODO_STUDENT_ID));
    lines
}

fn line(entity: &Entity, path: &str, field: &Field) -> String {
    let kind = match field.kind {
        Kind::Key => "id",
        Kind::Text => "text",
        Kind::Integer => "whole number",
        Kind::Boolean => "`true` or `false`",
        Kind::Money => "amount, exact to the paisa",
        Kind::Moment => "datetime: as sent, in UTC, and its day at the institute",
        Kind::Date => "day",
        Kind::Notes => "text, or a list as JSON",
    };
    format!("| `{path}` | {} | {kind} |", columns(entity, field.register))
}

fn columns(entity: &Entity, register: &Register) -> String {
    let columns: Vec<_> = register.columns.iter().map(|column| format!("`{}`", column.name)).collect();
    format!("{} in `{}`", columns.join(", "), view_of(entity))
}

/// The view that shows an entity.
fn view_of(entity: &Entity) -> String {
    if entity == &EMIS { "jodo_loan_repayments".to_owned() } else { format!("jodo_{}", entity.name) }
}

fn lists(row: &Row) -> Vec<String> {
    match &row.list {
        Some(List::FeeLines(lines)) => {
            let whole = format!("`details` in `{}`, and `jodo_fee_lines`", view_of(row.entity));
            let line = |member: &str, shown: &str, kind: &str| {
                format!("| `{}[].{member}` | {shown} | {kind} |", lines.path)
            };
            let mut found = vec![
                line("fee_component` or `component_type", &whole, "text: the fee head"),
                line("amount", &whole, "amount, exact to the paisa"),
            ];
            if lines.settles || lines.without_utr.is_some() {
                let shown = "`utr` in `jodo_fee_lines`, `jodo_bank_credits`";
                found.push(line(
                    "settlement_utr",
                    shown,
                    "text: the bank transfer; not from bounces and expiries",
                ));
                let shown = "`settled_at_utc`, `settled_on` in `jodo_fee_lines`";
                found.push(line("settled_at", shown, "datetime"));
            }
            found
        }
        Some(List::Schedule(_)) => {
            let line = |member: &str, shown: &str, kind: &str| {
                format!("| `payload.payment_schedule[].{member}` | {shown} | {kind} |")
            };
            vec![
                line("due_date", "`due_on` in `jodo_plan_instalments`", "day"),
                line("amount", "`amount` in `jodo_plan_instalments`", "amount, exact to the paisa"),
                line("details[]", "`schedule` in `jodo_subscriptions`", "fee lines, as JSON"),
            ]
        }
        None => Vec::new(),
    }
}

async fn event(code: KnownCode) -> String {
    let meaning = meaning(code);
    let mut text = format!("\n### {code}\n\n{}\n\n", code.sentence());
    match (&meaning.row, meaning.student.and_then(|student| student.enrolment)) {
        (_, Some((fact, rank))) => {
            text += "* Natural key: `payload.student.identifier`, else `payload.jodo_student_id`: a pupil\n";
            text += &format!("* Reports: `{}`, rank {rank}\n", fact.name);
        }
        (Some(row), _) => text += &own_row(row),
        _ => (),
    }
    if let Some(also) = &meaning.also {
        text += &also_row(also);
    }
    let sample = sample(code);
    let rows = rows(code).await;
    write!(
        text,
        "\nExample:\n\n```json\n{}\n```\n\nOf an empty database it makes:\n\n```text\n{}\n```\n",
        sample.trim(),
        rows.trim_end()
    )
    .expect("written");
    text
}

fn own_row(row: &Row) -> String {
    let mut text = format!("* Natural key: `{}.{}`, shown in `{}`\n", row.path, row.key, view_of(row.entity));
    let fact = row.fact.map_or("nothing", |fact| fact.name);
    text += &format!("* Reports: `{fact}`, rank {}\n", row.rank);
    if let Some((register, value)) = row.constant {
        text += &format!("* Says by its code alone: `{}` is `{value}`\n", register.name);
    }
    if let Some(register) = row.day {
        text += &format!("* Says by its time: `{}`, the day of the event at the institute\n", register.name);
    }
    match &row.list {
        _ if row.content == Content::Fallback => text += "* Fallback: everything else that it says\n",
        Some(List::FeeLines(lines)) if lines.content == Content::Fallback => {
            text += "* Fallback: its list of fee lines (a settlement may name only some of them)\n";
        }
        _ => (),
    }
    text
}

fn also_row(row: &Row) -> String {
    let (view, key) = (view_of(row.entity), format!("{}.{}", row.path, row.key));
    match row.part {
        Part::Mentioned => {
            format!("* Also mentions `{key}` in `{view}`, if it names one: rank {}, no state\n", row.rank)
        }
        Part::Each => format!(
            "* Also writes a row of `{view}` for each `{}[].{}`: reports `{}`{}, rank {}\n",
            row.path,
            row.key,
            row.fact.map_or("nothing", |fact| fact.name),
            row.fact_if.map_or_else(String::new, |(member, fact)| format!(
                ", and `{}` where `{member}` is true",
                fact.name
            )),
            row.rank
        ),
        Part::Own => format!(
            "* Natural key as well: `{key}`, shown in `{view}`: reports `{}`, rank {}\n",
            row.fact.map_or("nothing", |fact| fact.name),
            row.rank
        ),
    }
}

/// A paragraph in lines of at most 120 characters.
fn wrapped(words: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in words.split_whitespace() {
        if width > 0 && width + 1 + word.len() > 120 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += word.len();
    }
    text
}
