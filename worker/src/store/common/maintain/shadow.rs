//! Tables beside the projections, in which the same rows are made anew, compared and taken over.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use super::super::inspect::columns_of;
use super::super::{Connection, dialect};
use crate::entities::{ENTITIES, SETS};
use crate::sql::{LIVE, SHADOW};
use crate::store::maintain::TableDifference;

/// A projection: its name without prefix, and its key.
struct Projection {
    name: String,
    key: Vec<&'static str>,
}

impl Projection {
    fn live(&self) -> String {
        format!("{LIVE}{}", self.name)
    }

    fn shadow(&self) -> String {
        format!("{SHADOW}{}", self.name)
    }
}

fn projections() -> impl Iterator<Item = Projection> {
    let keyed = |columns: &[&'static str]| std::iter::once("tenant").chain(columns.iter().copied()).collect();
    let entities =
        ENTITIES.iter().map(move |e| Projection { name: format!("r_{}", e.name), key: keyed(e.key) });
    let sets = SETS.iter().map(move |s| Projection { name: format!("s_{}", s.name), key: keyed(s.columns) });
    entities.chain(sets)
}

/// Makes them, empty.
pub(super) async fn make(connection: &mut Connection) -> QueryResult<()> {
    for projection in projections() {
        dialect::make_shadow(connection, &projection.live(), &projection.shadow()).await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    surplus: i64,
    #[diesel(sql_type = BigInt)]
    missing: i64,
    #[diesel(sql_type = BigInt)]
    different: i64,
}

/// Counts how each projection differs from its shadow.
pub(super) async fn compare(connection: &mut Connection) -> QueryResult<Vec<TableDifference>> {
    let mut differences = Vec::new();
    for projection in projections() {
        let columns = columns_of(connection, &projection.live()).await?;
        let query = diesel::sql_query(comparison(&projection, &columns));
        let Counts { surplus, missing, different } = query.get_result(connection).await?;
        differences.push(TableDifference { table: projection.live(), surplus, missing, different });
    }
    Ok(differences)
}

fn comparison(projection: &Projection, columns: &[String]) -> String {
    let (live, shadow) = (projection.live(), projection.shadow());
    let same: Vec<_> = projection.key.iter().map(|column| format!("l.{column} = s.{column}")).collect();
    let same = same.join(" AND ");
    let values = columns.iter().filter(|column| !projection.key.contains(&column.as_str()));
    let differ: Vec<_> = values.map(|column| format!("l.{column} IS DISTINCT FROM s.{column}")).collect();
    let differ = if differ.is_empty() { "false".to_owned() } else { differ.join(" OR ") };
    format!(
        "SELECT (SELECT count(*) FROM {live} l WHERE NOT EXISTS (SELECT 1 FROM {shadow} s WHERE {same})) AS surplus, \
         (SELECT count(*) FROM {shadow} s WHERE NOT EXISTS (SELECT 1 FROM {live} l WHERE {same})) AS missing, \
         (SELECT count(*) FROM {live} l JOIN {shadow} s ON {same} WHERE {differ}) AS different"
    )
}

/// Puts the shadow's rows in place of those of every projection that differs. The tables stay, and so do the views.
pub(super) async fn replace(connection: &mut Connection, differences: &[TableDifference]) -> QueryResult<()> {
    let differ = |live: &String| differences.iter().any(|one| one.table == *live && one.is_some());
    for projection in projections() {
        let (live, shadow) = (projection.live(), projection.shadow());
        if differ(&live) {
            let columns = columns_of(connection, &live).await?.join(", ");
            connection
                .batch_execute(&format!(
                    "DELETE FROM {live}; INSERT INTO {live} ({columns}) SELECT {columns} FROM {shadow}"
                ))
                .await?;
        }
    }
    Ok(())
}
