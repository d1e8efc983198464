//! Lines of `jodo_history` that concern a target as a whole.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jodo_shared::clock::stored;

use super::super::Connection;
use crate::schema::jodo_history;
use crate::store::maintain::By;

/// Writes down what was done, and what there was before or how much of it was done.
pub(super) async fn note(
    connection: &mut Connection,
    by: &By,
    action: &str,
    was: Option<&str>,
    reason: Option<&str>,
) -> QueryResult<()> {
    let line = (
        jodo_history::at.eq(stored(by.at)),
        jodo_history::who.eq(&by.who),
        jodo_history::action.eq(action),
        jodo_history::delivery_key.eq(""),
        jodo_history::was.eq(was),
        jodo_history::reason.eq(reason),
    );
    diesel::insert_into(jodo_history::table).values(line).execute(connection).await?;
    Ok(())
}
