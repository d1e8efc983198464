//! The three layers of a configuration: embedded defaults, one file, the environment. A later one wins key by key.

use std::ffi::OsString;

use toml::{Table, Value};

use super::error::{Mistakes, Problem};

/// The reference configuration; every default is in it and nowhere else.
pub(super) const DEFAULTS: &str = include_str!("../../../deploy/config.default.toml");
/// Names the configuration file.
pub(super) const FILE_VARIABLE: &str = "JODO_SYNC_CONFIG";

const PREFIX: &str = "JODO_SYNC__";
/// Stands in a value's place and says that the file of that name holds the value.
pub(super) const FILE_MARK: &str = "file";

/// Reads one TOML text; `name` is the key that a mistake in the text is reported under.
///
/// The parser's own message quotes the line, and with it perhaps a secret; only the place is kept.
pub(super) fn from_toml(text: &str, name: &str, mistakes: &Mistakes) -> Table {
    let table = text.parse::<Table>().unwrap_or_else(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        mistakes.add(name, Problem::Toml { line, column });
        Table::new()
    });
    mark_files(table, mistakes)
}

/// Reads `JODO_SYNC__SECTION__KEY` variables; every value stays the text that it is, and the reader of the key makes
/// a number or a list of it.
pub(super) fn from_environment<K, V>(
    variables: impl IntoIterator<Item = (K, V)>,
    mistakes: &Mistakes,
) -> Table
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let mut ours: Vec<(String, OsString)> = variables
        .into_iter()
        .map(|(name, value)| (name.into().to_string_lossy().into_owned(), value.into()))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    ours.sort();
    let mut table = Table::new();
    for (name, value) in ours {
        let rest = &name[PREFIX.len()..];
        let key = rest.to_lowercase().replace("__", ".");
        if rest.to_uppercase() != rest || key.split('.').any(str::is_empty) {
            mistakes.add(key, Problem::Unknown);
            continue;
        }
        match value.into_string() {
            Ok(text) => insert(&mut table, &key, text, mistakes),
            Err(_) => mistakes.add(key, Problem::NotUtf8),
        }
    }
    mark_files(table, mistakes)
}

fn insert(table: &mut Table, key: &str, text: String, mistakes: &Mistakes) {
    let (sections, leaf) =
        key.rsplit_once('.').map_or((None, key), |(sections, leaf)| (Some(sections), leaf));
    let mut inner = table;
    for section in sections.into_iter().flat_map(|sections| sections.split('.')) {
        let entry = inner.entry(section).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(next) = entry else {
            // The shorter variable gave this section a value: `JODO_SYNC__BROKER` beside `JODO_SYNC__BROKER__URL`.
            mistakes.add(key, Problem::Rule("lies in a section that another variable sets to a value"));
            return;
        };
        inner = next;
    }
    inner.insert(leaf.to_owned(), Value::String(text));
}

/// Lays `upper` over `lower`: sections are merged, anything else is replaced.
pub(super) fn merge(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) if !is_file_mark(under) => merge(under, over),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

fn is_file_mark(table: &Table) -> bool {
    table.len() == 1 && table.contains_key(FILE_MARK)
}

/// Turns `url_file = "…"` into `url = { file = "…" }`, so that in later layers the one replaces the other. The file
/// is read only if the key survives.
fn mark_files(mut table: Table, mistakes: &Mistakes) -> Table {
    for section in ["broker", "redis"] {
        mark(table.get_mut(section), section, "url", mistakes);
    }
    for (name, target) in children(&mut table, "erp") {
        mark(Some(target), &format!("erp.{name}"), "url", mistakes);
    }
    for (name, source) in children(&mut table, "sources") {
        let section = format!("sources.{name}");
        mark(source.get_mut("header"), &format!("{section}.header"), "value", mistakes);
        mark(Some(source), &section, "secrets", mistakes);
    }
    table
}

fn children<'a>(
    table: &'a mut Table,
    key: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Value)> + use<'a> {
    table.get_mut(key).and_then(Value::as_table_mut).into_iter().flat_map(Table::iter_mut)
}

fn mark(section: Option<&mut Value>, name: &str, key: &'static str, mistakes: &Mistakes) {
    let Some(section) = section.and_then(Value::as_table_mut) else { return };
    let Some(path) = section.remove(&format!("{key}_file")) else { return };
    if section.contains_key(key) {
        mistakes.add(
            format!("{name}.{key}_file"),
            Problem::Clash("must not stand beside", format!("{name}.{key}")),
        );
        return;
    }
    section.insert(key.to_owned(), Value::Table(Table::from_iter([(FILE_MARK.to_owned(), path)])));
}
