//! What the ERP database shows.

use std::collections::BTreeMap;

use anyhow::Context as _;
use tokio_postgres::{Client, NoTls};

use super::{Row, World};

const STUDENTS: [&str; 7] =
    ["identifier", "fullname", "grade_code", "grade_name", "contact_number", "enrolment", "jodo_student_id"];
const PAYMENTS: [&str; 5] = ["pupil_key", "amount", "mode", "settlement_utr", "state"];

/// The world that rows of the views `jodo_students` and `jodo_manual_payments` show, each column to its text.
pub fn world_in(
    students: &[BTreeMap<String, Option<String>>],
    payments: &[BTreeMap<String, Option<String>>],
) -> World {
    World {
        students: by_key(students, "pupil_key", &STUDENTS),
        payments: by_key(payments, "payment_id", &PAYMENTS),
    }
}

fn by_key(
    rows: &[BTreeMap<String, Option<String>>],
    key: &str,
    columns: &[&'static str],
) -> BTreeMap<String, Row> {
    let text = |row: &BTreeMap<String, Option<String>>, column: &str| row.get(column).cloned().flatten();
    let row = |row| columns.iter().map(|column| (*column, text(row, column))).collect::<Row>();
    rows.iter().map(|one| (text(one, key).unwrap_or_default(), row(one))).collect()
}

/// Reads the views of the database at `url` (PostgreSQL, without TLS).
///
/// # Errors
///
/// When it cannot be read.
pub async fn world_of(url: &str) -> anyhow::Result<World> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connect to PostgreSQL")?;
    let serving = tokio::spawn(connection);
    let world = World {
        students: view(&client, "jodo_students", "pupil_key", &STUDENTS).await?,
        payments: view(&client, "jodo_manual_payments", "payment_id", &PAYMENTS).await?,
    };
    drop(client);
    serving.await?.context("the connection to PostgreSQL")?;
    Ok(world)
}

async fn view(
    client: &Client,
    view: &str,
    key: &str,
    columns: &[&'static str],
) -> anyhow::Result<BTreeMap<String, Row>> {
    let list: Vec<_> = columns.iter().map(|column| format!("{column}::text")).collect();
    let query = format!("SELECT {key}::text, {} FROM {view}", list.join(", "));
    let rows = client.query(&query, &[]).await.with_context(|| format!("read {view}"))?;
    let row = |row: &tokio_postgres::Row| {
        columns.iter().enumerate().map(|(i, column)| (*column, row.get(i + 1))).collect::<Row>()
    };
    Ok(rows.iter().map(|found| (found.get(0), row(found))).collect())
}
