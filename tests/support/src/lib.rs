//! Real services for tests, and ways to break them.
//!
//! * [`Services`] gives the RabbitMQ, Redis and PostgreSQL that all tests of a run share: those named by the
//!   environment, else throwaway ones. [`fresh_database`] and [`unique_name`] keep tests apart on them.
//! * [`RabbitMq`], [`Redis`] and [`Postgres`] are servers of a test's own, to stop, kill, suspend and start again.
//! * [`FaultProxy`] cuts or stalls the wire to a server; [`Process`] runs one of our programs and reads its output.
//! * [`OtlpReceiver`] takes the traces that our programs export.
//!
//! Servers come from the installed programs, else from containers where docker works. They listen on loopback only,
//! write into a temporary folder only, and are gone when the test process is gone, however it ended.
//!
//! Everything here is for tests: what goes wrong panics with a message that says what to do. Nothing here works
//! under tokio's paused clock, because real servers take real time.

mod binaries;
mod child;
mod database;
mod docker;
mod fault_proxy;
mod janitor;
mod kind;
mod local;
mod names;
mod otlp;
mod ports;
mod postgres;
mod proc_table;
mod process;
mod rabbitmq;
mod ready;
mod redis;
pub mod school;
mod server;
mod services;

pub use child::die_with_parent;
pub use database::{TestDatabase, fresh_database, fresh_database_on};
pub use fault_proxy::FaultProxy;
pub use kind::Kind;
pub use names::unique_name;
pub use otlp::{OtlpReceiver, ReceivedSpan, serve_otlp};
pub use ports::{free_port, inherited_socket};
pub use process::Process;
pub use server::{Postgres, RabbitMq, Redis, Server};
pub use services::Services;
