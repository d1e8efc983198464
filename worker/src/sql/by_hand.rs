//! What operators do to single events: many at once, each under the condition that nobody else was faster.

use super::{Dialect, EVENT_COLUMNS, picked_events};

/// The statements. `$1` is a JSON array of rows.
#[derive(Debug)]
pub struct ByHand {
    /// Gives events another outcome, each only while it still has the one that the person saw. One without its body
    /// cannot be tried. What a brake keeps stays under it while it is tried. Returns the keys it wrote.
    pub decide: String,
    /// Adds event rows, whose bodies are `$2`, where there is none yet. Returns the keys it wrote.
    pub bring: String,
    /// Writes lines of the history.
    pub history: String,
}

impl ByHand {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { decide: decide(dialect), bring: bring(dialect), history: history(dialect) }
    }
}

fn decide(dialect: Dialect) -> String {
    format!(
        "UPDATE jodo_events AS t SET outcome = x.next, detail = NULL, attempts = 0, \
         reason = CASE WHEN t.reason = 'brake' AND x.next = 'retrying' THEN t.reason ELSE x.why END, \
         due_at = x.due, recorded_at = x.now, redrive = (t.redrive OR x.next = 'retrying') \
         FROM {rows} WHERE t.delivery_key = x.key AND t.outcome = x.was \
         AND (t.body IS NOT NULL OR x.next <> 'retrying') \
         RETURNING delivery_key",
        rows = dialect.rows(&["key", "was", "next", "why", "due", "now"], false),
    )
}

fn bring(dialect: Dialect) -> String {
    let columns: Vec<_> = EVENT_COLUMNS.into_iter().chain(["imported_by"]).collect();
    format!(
        "INSERT INTO jodo_events ({names}, body) SELECT {picked}, x.imported_by, x.body FROM {rows} WHERE true \
         ON CONFLICT (delivery_key) DO NOTHING RETURNING delivery_key",
        names = columns.join(", "),
        picked = picked_events(dialect),
        rows = dialect.rows(&columns, true),
    )
}

fn history(dialect: Dialect) -> String {
    let columns = ["at", "who", "action", "delivery_key", "was", "reason"];
    format!(
        "INSERT INTO jodo_history ({names}) SELECT {picked} FROM {rows} WHERE true",
        names = columns.join(", "),
        picked = columns.map(|c| format!("x.{c}")).join(", "),
        rows = dialect.rows(&columns, false),
    )
}
