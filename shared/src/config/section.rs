//! Takes a section's keys out one by one; every mistake is noted under its dotted key, and what is left at the end
//! is unknown.

use std::fs;

use toml::{Table, Value};

use super::error::{Mistakes, Problem};
use super::layers::FILE_MARK;

/// One section while it is read. Each `take` notes a mistake and returns `None`; the caller takes every key before
/// it gives up, so that all mistakes are found at once.
pub(super) struct Section<'a> {
    name: String,
    table: Table,
    mistakes: &'a Mistakes,
    /// It is no section at all, which has been noted; that its keys are missing need not be.
    broken: bool,
}

impl<'a> Section<'a> {
    pub(super) fn whole(table: Table, mistakes: &'a Mistakes) -> Self {
        Self { name: String::new(), table, mistakes, broken: false }
    }

    /// The dotted name of a key of this section.
    pub(super) fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn note(&self, key: &str, problem: Problem) {
        if !self.broken {
            self.mistakes.add(self.name_of(key), problem);
        }
    }

    /// A section inside this one; empty when it is not there.
    pub(super) fn section(&mut self, key: &str) -> Section<'a> {
        let (table, broken) = match self.table.remove(key) {
            None => (Table::new(), self.broken),
            Some(Value::Table(table)) => (table, self.broken),
            Some(_) => {
                self.note(key, Problem::Type("a section"));
                (Table::new(), true)
            }
        };
        Section { name: self.name_of(key), table, mistakes: self.mistakes, broken }
    }

    /// All keys of a section whose keys are names that people choose.
    pub(super) fn children(mut self) -> Vec<(String, Section<'a>)> {
        let keys: Vec<String> = self.table.keys().cloned().collect();
        keys.into_iter().map(|key| (key.clone(), self.section(&key))).collect()
    }

    /// A key that must be there.
    pub(super) fn take<T>(&mut self, key: &str, read: impl FnOnce(Value) -> Result<T, Problem>) -> Option<T> {
        if !self.has(key) {
            self.note(key, Problem::Missing(String::new()));
        }
        self.take_if_set(key, read)
    }

    /// A key that may be absent.
    pub(super) fn take_if_set<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Problem>,
    ) -> Option<T> {
        let value = self.table.remove(key)?;
        read(value).map_err(|problem| self.note(key, problem)).ok()
    }

    /// A key that may be absent, or come from a file that `<key>_file` names. `split` makes a value of the file's
    /// text.
    pub(super) fn take_or_file<T>(
        &mut self,
        key: &str,
        split: impl FnOnce(&str) -> Value,
        read: impl FnOnce(Value) -> Result<T, Problem>,
    ) -> Option<T> {
        let Some(path) = self.table.get(key).and_then(|value| value.get(FILE_MARK)).cloned() else {
            return self.take_if_set(key, read);
        };
        self.table.remove(key);
        let content = match path {
            Value::String(path) => fs::read(path).map_err(|error| Problem::File(error.kind())),
            _ => Err(Problem::Type("a path")),
        };
        let text = content.and_then(|bytes| String::from_utf8(bytes).map_err(|_| Problem::NotUtf8));
        let value = text.and_then(|text| read(split(&text)));
        value.map_err(|problem| self.note(&format!("{key}_file"), problem)).ok()
    }

    /// Leaves a value that a file holds unread, for a program that has no use for it and need not have the file; true
    /// if there was one.
    pub(super) fn skip_file(&mut self, key: &str) -> bool {
        let in_file = self.table.get(key).is_some_and(|value| value.get(FILE_MARK).is_some());
        if in_file {
            self.table.remove(key);
        }
        in_file
    }

    /// Notes every key that nobody took.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            self.note(key, Problem::Unknown);
        }
    }
}

/// A file's text without its last newline.
pub(super) fn one_text(text: &str) -> Value {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Value::String(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A file's lines, as a list.
pub(super) fn lines(text: &str) -> Value {
    text.lines().map(str::to_owned).collect::<Vec<String>>().into()
}
