//! The figures of a run, as a table on the terminal and in docs/BENCHMARKS.md.

use std::path::Path;

use anyhow::Context as _;

const HEAD: &str =
    "| figure | ours | beside | ratio | to reach | reached |\n| --- | --- | --- | --- | --- | --- |\n";

/// One line of the table of what is to be reached.
pub(crate) struct Line {
    pub(crate) figure: String,
    pub(crate) ours: String,
    /// What it is held against, with its figure.
    pub(crate) beside: String,
    /// Ours in relation to that, in words.
    pub(crate) ratio: String,
    /// What is to be reached, and whether it was.
    pub(crate) target: Option<(String, bool)>,
}

/// Everything that a run has found out.
pub(crate) struct Report {
    machine: Vec<String>,
    lines: Vec<Line>,
    /// Sentences on what was seen beside the figures.
    notes: Vec<String>,
}

impl Report {
    /// None yet; `machine` says what it is about to be measured on.
    pub(crate) fn on(machine: Vec<String>) -> Self {
        Self { machine, lines: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn add(&mut self, line: Line) {
        eprintln!(
            "   {}: {}  |  {}  |  {}{}",
            line.figure,
            line.ours,
            line.beside,
            line.ratio,
            verdict(&line)
        );
        self.lines.push(line);
    }

    pub(crate) fn note(&mut self, note: String) {
        eprintln!("   {note}");
        self.notes.push(note);
    }

    /// How many of the targets were missed.
    pub(crate) fn misses(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.target, Some((_, false)))).count()
    }

    fn in_markdown(&self) -> String {
        let list = |items: &[String]| items.iter().map(|item| format!("* {item}\n")).collect::<String>();
        let row = |line: &Line| {
            let (target, reached) = match &line.target {
                Some((target, reached)) => (target.as_str(), if *reached { "yes" } else { "**no**" }),
                None => ("", ""),
            };
            let Line { figure, ours, beside, ratio, .. } = line;
            format!("| {figure} | {ours} | {beside} | {ratio} | {target} | {reached} |\n")
        };
        let rows: String = self.lines.iter().map(row).collect();
        format!("{}\n{HEAD}{rows}\n{}", list(&self.machine), list(&self.notes))
    }

    /// Puts the figures between the two marks in the document, and leaves the rest as it is.
    ///
    /// # Errors
    /// When the document is not there, or has no marks.
    pub(crate) fn write_into(&self, document: &Path) -> anyhow::Result<()> {
        const BEGIN: &str = "<!-- figures: written by make bench -->\n";
        const END: &str = "<!-- end of the figures -->";
        let text = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
        let (before, rest) = text.split_once(BEGIN).context("no mark where the figures begin")?;
        let (_, after) = rest.split_once(END).context("no mark where the figures end")?;
        let whole = format!("{before}{BEGIN}\n{}\n{END}{after}", self.in_markdown());
        std::fs::write(document, whole).with_context(|| document.display().to_string())
    }
}

fn verdict(line: &Line) -> String {
    match &line.target {
        Some((target, true)) => format!("  (to reach: {target})"),
        Some((target, false)) => format!("  (MISSED: {target})"),
        None => String::new(),
    }
}
