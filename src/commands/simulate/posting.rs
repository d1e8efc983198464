//! Sends the deliveries of a run.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jodo_ingress::authenticate::SIGNATURE_HEADER;
use jodo_shared::config::Config;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::deliveries::{Deliveries, Delivery};
use super::report::{Answer, Tally};
use super::{SendingArgs, guard};
use crate::Exit;
use crate::commands::send::request::{client, shown};
use crate::commands::send::route::Route;
use crate::wording::grouped;

const BAR: &str = "{bar:40} {human_pos} of {human_len}, {per_sec}, {eta} to go";

/// Sends them all, and prints how they were answered. [`Exit::Well`] when every answer was 200.
///
/// # Errors
/// When nothing was sent, with what to do about it.
pub(super) async fn run(args: &SendingArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let run = args.run()?;
    let route = guard::route(&args.route, config, args.i_mean_it)?;
    if route.header.is_none() {
        route.needed_secret()?;
    }
    if !args.i_mean_it {
        guard::no_real_events(&route, config).await?;
    }
    let deliveries = Deliveries::make(run, route.secret.as_ref(), args.duplicates, args.shuffle)?;
    writeln!(
        out,
        "{} events in a school of {} pupils (seed {}), as {} deliveries to {} for the source {}.",
        grouped(deliveries.all.len() as u64),
        grouped(run.students),
        run.seed,
        grouped(deliveries.order.len() as u64),
        shown(&route.url),
        route.source
    )?;
    out.flush()?;
    let tally = post_all(Posting::new(&route, deliveries, args.rate)?, args.connections).await?;
    tally.print(out)?;
    if !tally.is_well() {
        return Ok(Exit::Wrong);
    }
    writeln!(out, "`jodo-sync simulate verify` compares the ERP database with what was simulated.")?;
    Ok(Exit::Well)
}

/// What the connections share.
struct Posting {
    client: Client,
    url: Url,
    /// The same for every delivery.
    headers: HeaderMap,
    signature: HeaderName,
    deliveries: Deliveries,
    /// Place in the order of the next one to send.
    next: AtomicUsize,
    started: Instant,
    /// Between two deliveries; none when they are sent as fast as they are answered.
    pace: Option<Duration>,
    bar: ProgressBar,
}

impl Posting {
    fn new(route: &Route, deliveries: Deliveries, rate: Option<u32>) -> anyhow::Result<Arc<Self>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(header) = &route.header {
            let name = HeaderName::try_from(&header.name).context("the name of the source's header")?;
            let value = header.value.expose_secret();
            headers.insert(name, HeaderValue::try_from(value).context("the value of the source's header")?);
        }
        // Nothing is drawn unless standard error is a terminal.
        let bar =
            ProgressBar::with_draw_target(Some(deliveries.order.len() as u64), ProgressDrawTarget::stderr());
        Ok(Arc::new(Self {
            client: client(&route.url)?,
            url: route.url.clone(),
            headers,
            signature: HeaderName::try_from(SIGNATURE_HEADER.as_str())?,
            deliveries,
            next: AtomicUsize::new(0),
            started: Instant::now(),
            pace: rate.map(|rate| Duration::from_secs(1) / rate),
            bar: bar.with_style(ProgressStyle::with_template(BAR)?),
        }))
    }

    /// One connection's part: the next delivery as soon as the last is answered and the next is due.
    async fn post_some(&self) -> anyhow::Result<Tally> {
        let mut tally = Tally::new()?;
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = self.deliveries.order.get(turn) else { return Ok(tally) };
            // With a rate the time counts from when it was due: waiting behind slow answers is waiting, too.
            let mut began = Instant::now();
            if let Some(pace) = self.pace {
                began = self.started + pace.mul_f64(turn as f64);
                sleep_until(began).await;
            }
            let answer = self.post(&self.deliveries.all[*place]).await;
            tally.count(answer, began.elapsed());
            self.bar.inc(1);
        }
    }

    async fn post(&self, delivery: &Delivery) -> Answer {
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers_mut().clone_from(&self.headers);
        if let Some(signature) = &delivery.signature {
            request.headers_mut().insert(self.signature.clone(), signature.clone());
        }
        *request.body_mut() = Some(delivery.body.clone().into());
        let answered = async {
            let answer = self.client.execute(request).await?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            answer.bytes().await?;
            Ok(status)
        };
        answered.await.map_or_else(|error| Answer::without(&error), Answer::Status)
    }
}

async fn post_all(posting: Arc<Posting>, connections: u16) -> anyhow::Result<Tally> {
    let mut connected = JoinSet::new();
    for _ in 0..connections {
        let posting = Arc::clone(&posting);
        connected.spawn(async move { posting.post_some().await });
    }
    let mut tally = Tally::new()?;
    while let Some(some) = connected.join_next().await {
        tally.add(&some??)?;
    }
    tally.took = posting.started.elapsed();
    posting.bar.finish_and_clear();
    Ok(tally)
}
