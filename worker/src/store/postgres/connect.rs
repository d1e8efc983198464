//! Connections to PostgreSQL: TLS where the address asks for it, timeouts, session settings, one pool per target.

use std::time::Duration;

use deadpool::managed::{Hook, HookError};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls_platform_verifier::ConfigVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

/// How long connecting may take, and how long a call waits for a free connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection is used: after a failover, or a change of the server's settings or rights, everybody is on a
/// new one within this time.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// A pool of at most `size` connections; opens none yet.
pub(super) fn pool(
    url: &SecretString,
    size: usize,
    statement_timeout: Duration,
) -> Result<Pool<AsyncPgConnection>, StoreError> {
    let mut config = ManagerConfig::<AsyncPgConnection>::default();
    config.custom_setup = Box::new(move |url| connect(url.to_owned(), statement_timeout));
    // A connection lost while idle shows at its next use, as an error that a probe then judges.
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
    let builder = Pool::builder(manager).max_size(size).wait_timeout(Some(CONNECT_TIMEOUT));
    let builder = builder.create_timeout(Some(CONNECT_TIMEOUT * 2)).runtime(deadpool::Runtime::Tokio1);
    let builder = builder.pre_recycle(Hook::sync_fn(|_, used| {
        if used.age() < LONGEST_LIFE { Ok(()) } else { Err(HookError::message("used for long enough")) }
    }));
    builder.build().map_err(|error| StoreError::Unreachable(error.to_string()))
}

fn connect(
    url: String,
    statement_timeout: Duration,
) -> BoxFuture<'static, ConnectionResult<AsyncPgConnection>> {
    async move {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|_| bad_connection("the address cannot be read"))?;
        config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(Duration::from_secs(30));
        config.keepalives(true).keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("jodo-sync");
        }
        let mut connection = open(&config).await?;
        connection
            .batch_execute(&session_settings(statement_timeout))
            .await
            .map_err(|error| bad_connection(&format!("session settings: {error}")))?;
        Ok(connection)
    }
    .boxed()
}

/// With TLS as `sslmode` says: `disable` never, `require` always and with the certificate verified, `prefer` (the
/// default) if the server has a certificate that verifies, and in plain text otherwise.
async fn open(config: &tokio_postgres::Config) -> ConnectionResult<AsyncPgConnection> {
    if config.get_ssl_mode() == SslMode::Disable {
        return plain(config).await;
    }
    let tls = match rustls::ClientConfig::with_platform_verifier() {
        Ok(tls) => MakeRustlsConnect::new(tls),
        Err(_) if config.get_ssl_mode() == SslMode::Prefer => return plain(config).await,
        Err(error) => return Err(bad_connection(&format!("TLS: {error}"))),
    };
    match config.connect(tls).await {
        Ok((client, connection)) => {
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
        // An answer of the server itself, such as a wrong password, would be the same in plain text.
        Err(error) if config.get_ssl_mode() == SslMode::Prefer && error.as_db_error().is_none() => {
            plain(config).await
        }
        Err(error) => Err(describe(&error)),
    }
}

async fn plain(config: &tokio_postgres::Config) -> ConnectionResult<AsyncPgConnection> {
    let mut config = config.clone();
    let connected = config.ssl_mode(SslMode::Disable).connect(NoTls).await;
    let (client, connection) = connected.map_err(|error| describe(&error))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// As durable as the queue that this store empties, whatever the server's default; times in UTC.
fn session_settings(statement_timeout: Duration) -> String {
    let timeout = statement_timeout.as_millis();
    format!(
        "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'; \
         SET statement_timeout = {timeout}; SET lock_timeout = {timeout}; \
         SET idle_in_transaction_session_timeout = '60s'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'"
    )
}

fn bad_connection(what: &str) -> ConnectionError {
    ConnectionError::BadConnection(what.to_owned())
}

/// The driver's text and its causes: they name hosts, roles and databases, never passwords.
fn describe(error: &tokio_postgres::Error) -> ConnectionError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    ConnectionError::BadConnection(text)
}
