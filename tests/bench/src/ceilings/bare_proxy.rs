//! What an ingress costs that trusts everybody: actix-web takes the body, our publisher publishes it, and the answer is
//! 200. No signature, no look into the body, no key, no archive, no log, no metrics.
//!
//! A process of its own, as the ingress is: `jodo-bench bare-proxy`.

use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use clap::Args;
use jodo_shared::broker::Publisher as _;
use jodo_shared::broker::amqp::AmqpPublisher;
use jodo_shared::clock::now;
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_shared::message::{Message, Peeked};
use jodo_shared::private_http::{self, Readiness};
use jodo_shared::telemetry;
use tokio_util::sync::CancellationToken;

use crate::stage::source;

#[derive(Args)]
pub(crate) struct BareProxyArgs {
    amqp_url: String,
    target: TargetName,
    port: u16,
    private_port: u16,
}

struct Shared {
    publisher: AmqpPublisher,
    /// Everything of a message but its body.
    envelope: Message,
}

/// Serves until it is killed.
///
/// # Errors
/// When a port is taken.
pub(crate) async fn serve(arguments: BareProxyArgs) -> anyhow::Result<()> {
    let targets = vec![arguments.target.clone()];
    let confirm_within = Duration::from_secs(10);
    let publisher =
        AmqpPublisher::start(arguments.amqp_url.into(), targets, confirm_within, CancellationToken::new());
    let connected = publisher.clone();
    let ready = move || {
        let reason = (!connected.is_ready()).then_some("no broker");
        Readiness::from_reasons(reason)
    };
    let private = ([127, 0, 0, 1], arguments.private_port).into();
    let (_, server) = private_http::bind(private, ready, telemetry::install_metrics()?)?;
    tokio::spawn(server);

    let envelope = Message {
        key: DeliveryKey::of(&source()?, b""),
        source: source()?,
        tenant: "main".parse()?,
        target: arguments.target,
        received_at: now(),
        peeked: Peeked::default(),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body: Bytes::new(),
    };
    let shared = Data::new(Shared { publisher, envelope });
    let app = move || {
        App::new()
            .app_data(Data::clone(&shared))
            .app_data(web::PayloadConfig::new(4 << 20))
            .default_service(web::to(take))
    };
    HttpServer::new(app).bind(("127.0.0.1", arguments.port))?.run().await?;
    Ok(())
}

async fn take(shared: Data<Shared>, body: Bytes) -> HttpResponse {
    let message = Message { body, ..shared.envelope.clone() };
    match shared.publisher.publish(&message).await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}
