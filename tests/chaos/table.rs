//! The closing table, on the screen and in docs/RELIABILITY.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::faults::{Fault, Void};
use crate::run::Shown;
use crate::stage::Shape;

const BEGIN: &str = "<!-- the table, as `make chaos` writes it -->\n";
const END: &str = "<!-- end of the table -->\n";

/// What all runs showed.
#[derive(Default)]
pub(crate) struct Table {
    lines: BTreeMap<Fault, Line>,
}

#[derive(Default)]
struct Line {
    runs: usize,
    sum: Shown,
    void: BTreeMap<Void, usize>,
}

impl Table {
    pub(crate) fn add(&mut self, fault: Fault, ended: Result<Shown, Void>) {
        let line = self.lines.entry(fault).or_default();
        match ended {
            Ok(shown) => {
                line.runs += 1;
                line.sum.accepted += shown.accepted;
                line.sum.lost += shown.lost;
                line.sum.not_settled += shown.not_settled;
                line.sum.differing += shown.differing;
                line.sum.strikes += shown.strikes;
                line.sum.elected += shown.elected;
                line.sum.longest_stall = line.sum.longest_stall.max(shown.longest_stall);
                line.sum.longest_answer = line.sum.longest_answer.max(shown.longest_answer);
            }
            Err(why) => *line.void.entry(why).or_default() += 1,
        }
    }

    /// Runs that lost something, or ended in other rows.
    pub(crate) fn failures(&self) -> usize {
        self.lines.values().map(|line| line.sum.lost + line.sum.differing + line.sum.not_settled).sum()
    }

    pub(crate) fn runs(&self) -> usize {
        self.lines.values().map(|line| line.runs).sum()
    }

    pub(crate) fn in_words(&self) -> String {
        let mut text = String::from(
            "| shape | fault | runs | void | accepted | lost | differing rows | strikes | longest stall | \
             longest answer |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for (fault, Line { runs, sum, void }) in &self.lines {
            let shape = if fault.shape == Shape::Cluster { "cluster" } else { "one program" };
            let void: usize = void.values().sum();
            writeln!(
                text,
                "| {shape} | {} | {runs} | {void} | {} | {} | {} | {} | {} | {} |",
                fault.name,
                sum.accepted,
                sum.lost,
                sum.differing + sum.not_settled,
                sum.strikes,
                seconds(sum.longest_stall),
                seconds(sum.longest_answer),
            )
            .expect("a string takes it");
        }
        let elected: usize = self.lines.values().map(|line| line.sum.elected).sum();
        if elected > 0 {
            let what = "RabbitMQ came back with a queue that had no leader, and was told to elect one";
            writeln!(text, "\nIn {elected} runs {what}: docs/OPERATIONS.md.").expect("a string takes it");
        }
        for (fault, line) in &self.lines {
            for (why, count) in &line.void {
                writeln!(text, "\nVoid, {count} × {}: {why}", fault.name).expect("a string takes it");
            }
        }
        text
    }

    /// Puts the table in the place of the one in the document.
    pub(crate) fn write_into(&self, document: &Path, heading: &str) {
        let text = fs::read_to_string(document).expect("the document");
        let (before, rest) = text.split_once(BEGIN).expect("the table's beginning");
        let (_, after) = rest.split_once(END).expect("the table's end");
        let table = self.in_words();
        fs::write(document, format!("{before}{BEGIN}\n{heading}\n\n{table}\n{END}{after}")).expect("written");
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
