//! What the views show, and what they should show.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use jodo_school::model::{Setting, VIEWS, owned, replay, rows_by_key};
use tokio_postgres::{Client, NoTls};

/// View to rows, each under its key, as column to text; a column without a value is not there.
pub type Shown = BTreeMap<&'static str, BTreeMap<String, BTreeMap<String, String>>>;

/// Reads the views of the database at `url` (PostgreSQL, without TLS).
///
/// # Errors
///
/// When it cannot be read.
pub async fn shown(url: &str) -> anyhow::Result<Shown> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connect to PostgreSQL")?;
    let serving = tokio::spawn(connection);
    let mut shown = Shown::new();
    for (view, _) in VIEWS {
        shown.insert(view, rows_by_key(view, rows(&client, view).await?));
    }
    drop(client);
    serving.await?.context("the connection to PostgreSQL")?;
    Ok(shown)
}

/// Every row of a view as column to text.
async fn rows(client: &Client, view: &str) -> anyhow::Result<Vec<BTreeMap<String, Option<String>>>> {
    let query = format!(
        "SELECT (SELECT jsonb_object_agg(key, value)::text FROM jsonb_each_text(to_jsonb(v))) FROM {view} v"
    );
    let found = client.query(&query, &[]).await.with_context(|| format!("read {view}"))?;
    found.iter().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).collect()
}

/// What the views of a database should show once everything that `source` sent has arrived; the source has the default
/// tenant and time zone.
///
/// # Errors
///
/// When there is no time zone database.
pub fn expected<B: AsRef<str>>(source: &str, sent: &[B]) -> anyhow::Result<Shown> {
    let time_zone = TimeZone::get("Asia/Kolkata").context("time zone")?;
    let setting = Setting { source: source.to_owned(), tenant: "main".to_owned(), time_zone };
    Ok(replay(&setting, sent).into_iter().map(|(view, rows)| (view, owned(rows))).collect())
}
