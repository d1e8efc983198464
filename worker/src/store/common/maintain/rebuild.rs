//! Makes the projections anew from the stored events.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};
use jodo_shared::ids::{SourceName, TargetName};
use jodo_shared::outcome::{Outcome, Reason};

use super::super::history::{self, Touched};
use super::super::write::BatchStatement;
use super::super::{Backend, Connection, ThisStore, dialect};
use super::shadow;
use crate::decide::{SourceRules, decide};
use crate::fold::fold;
use crate::schema::jodo_events;
use crate::store::maintain::Rebuilt;
use crate::store::operate::Deed;
use crate::store::reads::StoredEvent;
use crate::store::{EventRow, StoreError};
use crate::table::Change;

/// Events that are read and folded together. Their bodies are in memory at once.
const AT_ONCE: i64 = 250;

/// Why nothing is committed.
enum Stop {
    /// All was told, and nothing is to be changed.
    Told(Rebuilt),
    /// A row cannot be read.
    Unreadable(StoreError),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// See [`Maintain::rebuild`](crate::store::maintain::Maintain::rebuild).
pub(super) async fn rebuild(
    store: &ThisStore,
    target: &TargetName,
    rules: &HashMap<SourceName, SourceRules>,
    by: Option<&Deed>,
) -> Result<Rebuilt, StoreError> {
    let work = async |connection: &mut Connection| {
        match by {
            Some(_) => connection.batch_execute(&dialect::keep_still()).await?,
            None => connection.batch_execute(dialect::LOOK).await?,
        }
        let mut rebuilt = counted(connection).await?;
        if rebuilt.without_body > 0 {
            return Err(Stop::Told(rebuilt));
        }
        shadow::make(connection).await?;
        decide_all(connection, target, rules, &mut rebuilt).await?;
        rebuilt.tables = shadow::compare(connection).await?;
        let Some(by) = by.filter(|_| rebuilt.not_applied.is_empty()) else {
            return Err(Stop::Told(rebuilt));
        };
        shadow::replace(connection, &rebuilt.tables).await?;
        rebuilt.replaced = true;
        history::add(connection, "rebuild", &[Touched::all(Some(in_words(&rebuilt)))], by).await?;
        Ok(rebuilt)
    };
    store
        .run(false, async |connection| match connection.transaction(work).await {
            Ok(rebuilt) | Err(Stop::Told(rebuilt)) => Ok(Ok(rebuilt)),
            Err(Stop::Unreadable(error)) => Ok(Err(error)),
            Err(Stop::Failed(error)) => Err(error),
        })
        .await?
}

fn applied() -> jodo_events::BoxedQuery<'static, Backend> {
    jodo_events::table.filter(jodo_events::outcome.eq(Outcome::Applied.as_str())).into_boxed()
}

async fn counted(connection: &mut Connection) -> QueryResult<Rebuilt> {
    let without_body = applied().filter(jodo_events::body.is_null());
    Ok(Rebuilt {
        events: applied().count().get_result(connection).await?,
        without_body: without_body.count().get_result(connection).await?,
        ..Rebuilt::default()
    })
}

/// Goes through the applied events by their keys, and writes what they mean today into the shadow tables.
async fn decide_all(
    connection: &mut Connection,
    target: &TargetName,
    rules: &HashMap<SourceName, SourceRules>,
    rebuilt: &mut Rebuilt,
) -> Result<(), Stop> {
    let mut last = String::new();
    loop {
        let next = applied()
            .filter(jodo_events::delivery_key.gt(last.clone()))
            .order(jodo_events::delivery_key)
            .limit(AT_ONCE)
            .select(StoredEvent::as_select());
        let events: Vec<StoredEvent> = next.load(connection).await?;
        let Some(newest) = events.last() else { return Ok(()) };
        last.clone_from(&newest.delivery_key);
        let mut changes = Vec::new();
        for event in events {
            let row = event.into_due().map_err(Stop::Unreadable)?.row;
            match changes_of(&row, target, rules) {
                Ok(some) => changes.extend(some),
                Err(word) => *rebuilt.not_applied.entry(word).or_default() += 1,
            }
        }
        for batch in fold(&changes) {
            let statements = dialect::shadow_statements().iter();
            for statement in statements.filter(|statement| statement.table == batch.table) {
                let statement = BatchStatement::projection(&statement.sql, &batch.rows);
                diesel_async::RunQueryDsl::execute(statement, connection).await?;
            }
        }
    }
}

/// What an event means today; or the word of why it would not be applied.
fn changes_of(
    row: &EventRow,
    target: &TargetName,
    rules: &HashMap<SourceName, SourceRules>,
) -> Result<Vec<Change>, &'static str> {
    let decision = decide(&row.message(target), rules.get(&row.source));
    match decision.outcome {
        Outcome::Applied => Ok(decision.changes),
        outcome => Err(decision.reason.map_or(outcome.as_str(), Reason::as_str)),
    }
}

/// For `jodo_history`.
fn in_words(rebuilt: &Rebuilt) -> String {
    let differ = rebuilt.tables.iter().filter(|table| table.is_some());
    let differ: Vec<_> = differ
        .map(|one| {
            format!(
                "{}: {} surplus, {} missing, {} different",
                one.table, one.surplus, one.missing, one.different
            )
        })
        .collect();
    if differ.is_empty() {
        return format!("{} events, no difference", rebuilt.events);
    }
    format!("{} events; {}", rebuilt.events, differ.join("; "))
}
