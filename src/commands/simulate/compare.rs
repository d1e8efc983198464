//! What is to be seen, and what is seen: the differences.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jodo_school::PREFIX;
use jodo_school::model::{Row, Rows, rows_by_key};
use jodo_shared::ids::Tenant;

use super::arrivals::Arrivals;
use super::database::{FoundRow, Unsettled};
use crate::wording::{grouped, plain, table};

/// Most differences that are printed; the rest is counted.
const MOST_SHOWN: usize = 20;
/// The table of events.
const EVENTS: &str = "jodo_events";
/// What stands where a column holds nothing.
const NOTHING: &str = "nothing";

/// Differences: the first ones, and how many there are.
#[derive(Default)]
pub(super) struct Differences {
    first: Vec<[String; 5]>,
    pub(super) count: u64,
    /// Rows that real events made; they are not compared.
    pub(super) real_rows: u64,
}

impl Differences {
    fn add(&mut self, table: &str, row: &str, column: &str, expected: &str, found: &str) {
        self.count += 1;
        if self.first.len() < MOST_SHOWN {
            self.first.push([table, row, column, expected, found].map(plain));
        }
    }

    /// Every event of a run must have one row.
    pub(super) fn events(&mut self, arrivals: &Arrivals) {
        for (run, rows) in &arrivals.runs {
            for (n, rows) in rows.iter().enumerate().filter(|(_, rows)| **rows != 1) {
                let found = format!("{rows} rows");
                self.add(EVENTS, &run.event_id(n as u64), "whole row", "1 row", &found);
            }
        }
        for id in &arrivals.strange {
            self.add(EVENTS, id, "event_id", "one that `simulate` gives", "this one");
        }
    }

    /// Every event must be applied. Those of which only the number is known are one difference for each reason.
    pub(super) fn outcomes(&mut self, unsettled: &[Unsettled]) {
        for one in unsettled {
            let reason = one.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let found = format!("{} {}{reason}", grouped(one.events.unsigned_abs()), one.outcome);
            self.add(EVENTS, "every event", "outcome", "applied", &found);
        }
    }

    /// Compares a view. With real events in the database, rows that name nothing simulated are theirs.
    pub(super) fn view(
        &mut self,
        view: &'static str,
        tenant: &Tenant,
        mut expected: Rows,
        found: Vec<FoundRow>,
        real_events: bool,
    ) {
        let ours = |row: &FoundRow| row.get("tenant").and_then(Option::as_deref) == Some(tenant.as_str());
        let (found, elsewhere): (Vec<_>, Vec<_>) = found.into_iter().partition(ours);
        let others = elsewhere.len() as u64;
        for (key, row) in rows_by_key(view, found) {
            match expected.remove(&key) {
                Some(expected) => self.row(view, &key, &expected, &row),
                None if real_events && !names_something_simulated(&row) => self.real_rows += 1,
                None => self.add(view, &key, "whole row", NOTHING, "a row"),
            }
        }
        for key in expected.keys() {
            self.add(view, key, "whole row", "a row", NOTHING);
        }
        match others {
            0 => (),
            _ if real_events => self.real_rows += others,
            _ => self.add(view, "other tenants", "whole row", NOTHING, &format!("{others} rows")),
        }
    }

    fn row(&mut self, view: &str, key: &str, expected: &Row, found: &BTreeMap<String, String>) {
        let columns: BTreeSet<_> = expected.keys().copied().chain(found.keys().map(String::as_str)).collect();
        for column in columns {
            let (wanted, found) = (expected.get(column), found.get(column));
            if wanted != found {
                let text = |value: Option<&String>| value.map_or(NOTHING, String::as_str).to_owned();
                self.add(view, key, column, &text(wanted), &text(found));
            }
        }
    }

    /// Prints the first ones.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.first.is_empty() {
            return Ok(());
        }
        let mut shown = table(["table", "row", "column", "expected", "found"]);
        shown.add_rows(&self.first);
        writeln!(out, "{shown}")?;
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => writeln!(out, "and {} more", grouped(more)),
        }
    }
}

fn names_something_simulated(row: &BTreeMap<String, String>) -> bool {
    row.values().any(|value| value.contains(PREFIX))
}

#[cfg(test)]
mod tests {
    use jodo_school::{Run, Scenario};

    use super::super::arrivals::Lengths;
    use super::*;

    fn run(events: u64) -> Run {
        Run { seed: 1, students: 1, scenario: Scenario::Office { events } }
    }

    fn expected() -> Rows {
        let row = |n: u8| {
            let key = format!("erp:sim_1_1_1/A/{n}");
            let columns = [("tenant", "main"), ("pupil_key", &key), ("enrolment", "active")];
            (key.clone(), columns.map(|(column, value)| (column, value.to_owned())).into())
        };
        [row(1), row(2)].into()
    }

    fn found(tenant: &str, key: &str, enrolment: Option<&str>) -> FoundRow {
        [("tenant", Some(tenant)), ("pupil_key", Some(key)), ("enrolment", enrolment), ("fullname", None)]
            .map(|(column, value)| (column.to_owned(), value.map(str::to_owned)))
            .into()
    }

    fn differences(found: &[FoundRow], real_events: bool) -> Differences {
        let mut differences = Differences::default();
        differences.view("jodo_students", &"main".parse().unwrap(), expected(), found.to_vec(), real_events);
        differences
    }

    const ONE: &str = "erp:sim_1_1_1/A/1";
    const TWO: &str = "erp:sim_1_1_1/A/2";

    #[test]
    fn equal_rows_do_not_differ_and_anything_else_does() {
        let well = || vec![found("main", ONE, Some("active")), found("main", TWO, Some("active"))];
        assert_eq!(differences(&well(), false).count, 0);

        let mut wrong = well();
        wrong[0].insert("enrolment".to_owned(), Some("dropped".to_owned()));
        wrong[1].insert("fullname".to_owned(), Some("X".to_owned()));
        let differences_of = differences(&wrong, false);
        let line = |line: [&str; 5]| line.map(str::to_owned);
        assert_eq!(
            differences_of.first,
            [
                line(["jodo_students", ONE, "enrolment", "active", "dropped"]),
                line(["jodo_students", TWO, "fullname", NOTHING, "X"]),
            ]
        );

        let mut twice = well();
        twice.push(found("main", ONE, Some("active")));
        assert_eq!(differences(&twice, false).count, 1, "a row that comes twice");
        assert_eq!(differences(&well()[..1], false).count, 1, "a row too few");
        let other = [well(), vec![found("main", "erp:NVK-1", None)]].concat();
        assert_eq!(differences(&other, false).count, 1, "a row too many");
        let real = differences(&other, true);
        assert_eq!((real.count, real.real_rows), (0, 1));
        let elsewhere = [found("other", ONE, Some("active")), found("main", TWO, Some("active"))];
        assert!(differences(&elsewhere, true).count > 0, "another tenant's");
    }

    #[test]
    fn each_event_has_one_settled_row() {
        let run = run(30);
        let ids = (0..30).filter(|n| *n != 7).chain([8]).map(|n| Some(run.event_id(n)));
        let arrivals = Arrivals::of(ids.chain([Some("sim_x".to_owned())]).collect(), &mut Lengths::new());
        let unsettled = [Unsettled { outcome: "quarantined".to_owned(), reason: None, events: 2 }];
        let mut differences = Differences::default();
        differences.events(&arrivals);
        differences.outcomes(&unsettled);
        let rows: Vec<_> =
            differences.first.iter().map(|line| (line[1].as_str(), line[4].as_str())).collect();
        let wanted = [
            ("sim_1_30_1_7", "0 rows"),
            ("sim_1_30_1_8", "2 rows"),
            ("sim_x", "this one"),
            ("every event", "2 quarantined"),
        ];
        assert_eq!(rows, wanted);
    }

    #[test]
    fn the_first_twenty_are_shown_and_the_rest_is_counted() {
        let mut differences = Differences::default();
        differences.events(&Arrivals { runs: [(run(1_500), vec![0; 1_500])].into(), ..Arrivals::default() });
        let mut out = Vec::new();
        differences.print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("jodo_events").count(), 20);
        assert!(text.ends_with("and 1,480 more\n"), "{text}");
    }
}
