//! Every metric the programs report: name, labels, unit.
//!
//! A metric's docstring is also its help text at `/metrics`. Labels are bounded: configured names, our own words, and
//! of event codes only those that [`metric_label`](crate::contract::metric_label) returns.

use crate::config::Config;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:ident = $text:literal in $unit:ident;)+) => {
        $(
            $(#[doc = $doc])+
            pub const $name: &str = $text;
        )+

        /// Gives the installed recorder the help text and unit of every metric.
        pub fn describe() {
            $(metrics!(@$kind, $name, metrics::Unit::$unit, concat!($($doc),+).trim());)+
        }

        /// Kind (`counter`, `gauge`, `histogram`) and name of every metric here.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($kind), $text)),+];
    };
    (@counter, $($rest:expr),+) => { metrics::describe_counter!($($rest),+) };
    (@gauge, $($rest:expr),+) => { metrics::describe_gauge!($($rest),+) };
    (@histogram, $($rest:expr),+) => { metrics::describe_histogram!($($rest),+) };
}

metrics! {
    /// Counter: deliveries answered. Labels `source`, `code` (a known event code or `other`), `status` (of the HTTP
    /// answer).
    counter DELIVERIES_RECEIVED = "jodo_sync_deliveries_received_total" in Count;

    /// Histogram, seconds: from a delivery's request line to its answer. Label `source`.
    histogram RECEIVE_SECONDS = "jodo_sync_receive_duration_seconds" in Seconds;

    /// Counter: signatures checked. Labels `source`, `verdict` (`good`, `bad`, `missing`, `not_configured`).
    counter SIGNATURE_VERDICTS = "jodo_sync_signature_verdicts_total" in Count;

    /// Counter: peer addresses compared. Labels `source`, `verdict` (`listed`, `unlisted`, `not_configured`).
    counter ADDRESS_VERDICTS = "jodo_sync_address_verdicts_total" in Count;

    /// Counter: custom headers compared. Labels `source`, `verdict` (`good`, `wrong`, `missing`, `not_configured`).
    counter HEADER_VERDICTS = "jodo_sync_header_verdicts_total" in Count;

    /// Counter: deliveries whose sender was not proved, kept aside for a person. Label `source`.
    counter DELIVERIES_HELD = "jodo_sync_deliveries_held_total" in Count;

    /// Gauge: deliveries of the sender answered with something else than 2xx, one after the other, by this process. It
    /// switches a subscription off when there are too many. Labels `source`, `code` (a known event code or `other`,
    /// also where a delivery failed before its code was known).
    gauge STRIKES = "jodo_sync_strikes" in Count;

    /// Gauge, always 1: a configured source. Labels `source`, `environment` (`production`, `uat`, `test`).
    gauge SOURCE_INFO = "jodo_sync_source_info" in Count;

    /// Gauge, bytes: request bodies in memory.
    gauge BODY_BYTES_IN_FLIGHT = "jodo_sync_body_bytes_in_flight" in Bytes;

    /// Counter: messages published. Label `result` (`confirmed`, or the word of a
    /// `PublishError`).
    counter PUBLISHES = "jodo_sync_publishes_total" in Count;

    /// Histogram, seconds: from publishing a message to the broker's word, or to giving up. Label `result`.
    histogram PUBLISH_SECONDS = "jodo_sync_publish_duration_seconds" in Seconds;

    /// Gauge, messages: unsettled in the spool, handed out or not. Labels `folder`, `target`.
    gauge SPOOL_WAITING = "jodo_sync_spool_waiting" in Count;

    /// Gauge, seconds: since the oldest message that waits in the spool was received. Labels `folder`,
    /// `target`.
    gauge SPOOL_WAITING_SECONDS = "jodo_sync_spool_waiting_duration_seconds" in Seconds;

    /// Gauge, bytes: the spool's files, also those set aside. Label `folder`.
    gauge SPOOL_BYTES = "jodo_sync_spool_bytes" in Bytes;

    /// Gauge, bytes: what more the spool may take, by its own bound and by the disk's reserve. Label `folder`.
    gauge SPOOL_LEFT_BYTES = "jodo_sync_spool_left_bytes" in Bytes;

    /// Gauge, seconds: how long that lasts at the pace of the last minute; infinite while nothing is used. Label
    /// `folder`.
    gauge SPOOL_TIME_TO_FULL = "jodo_sync_spool_full_in_duration_seconds" in Seconds;

    /// Counter: accepted deliveries of which no copy was kept beside the spool, because the disk did not take it.
    counter ARCHIVE_MISSED = "jodo_sync_archive_missed_total" in Count;

    /// Gauge, 0 or 1: deliveries go to the spool, because the broker does not confirm.
    gauge SPOOLING = "jodo_sync_spooling" in Count;

    /// Counter: messages taken from the spool to the broker. Label `result` (`confirmed`, `failed`, `set_aside`).
    counter RELAYED = "jodo_sync_relayed_total" in Count;

    /// Counter: spool files that could not be read and were set aside. Each needs a person.
    counter SPOOL_CORRUPT_FILES = "jodo_sync_spool_corrupt_files_total" in Count;

    /// Counter: messages that the broker handed out more than once. Label `target`.
    counter REDELIVERIES = "jodo_sync_redeliveries_total" in Count;

    /// Gauge, messages: that RabbitMQ has given up to hand out, as a worker last counted them. Each needs a person. Label
    /// `target`.
    gauge DEAD_LETTERS = "jodo_sync_dead_letters" in Count;

    /// Counter: deliveries that were dropped without being settled. Always 0 in a correct program.
    counter DELIVERIES_DROPPED = "jodo_sync_deliveries_dropped_total" in Count;

    /// Counter: batches. Labels `target`, `result` (`committed`, `rolled_back`).
    counter BATCHES = "jodo_sync_batches_total" in Count;

    /// Histogram, events: size of a batch as received. Label `target`.
    histogram BATCH_EVENTS = "jodo_sync_batch_events" in Count;

    /// Histogram, seconds: one transaction, from begin to commit or roll-back. Labels `target`, `result`.
    histogram COMMIT_SECONDS = "jodo_sync_commit_duration_seconds" in Seconds;

    /// Counter: repeats that were acknowledged without another effect. Labels `target`, `stage` (`look_up`: suspected
    /// by Redis and found settled; `batch`: twice in one batch).
    counter REPEATS_SKIPPED = "jodo_sync_repeats_skipped_total" in Count;

    /// Counter: events by how they ended. Labels `target`, `outcome`, `reason` (`none` without one), `code` (a known
    /// event code or `other`).
    counter EVENTS = "jodo_sync_events_total" in Count;

    /// Gauge, events: that are not finished, as a worker last counted them in the database. Labels `target`, `outcome`
    /// (`retrying`; `quarantined`: each needs a person).
    gauge UNSETTLED_EVENTS = "jodo_sync_unsettled_events" in Count;

    /// Gauge, seconds: since the oldest of them was received; 0 without one. Labels `target`, `outcome`.
    gauge UNSETTLED_SECONDS = "jodo_sync_unsettled_duration_seconds" in Seconds;

    /// Gauge, deliveries: held in the database because their sender was not proved, as a worker last counted them. Each
    /// needs a person. Label `target`.
    gauge HELD_DELIVERIES = "jodo_sync_held_deliveries" in Count;

    /// Gauge, Unix seconds: when the newest delivery of a source was received that a worker has committed; 0 where none
    /// is known of the last 30 days. Each worker says what it knows; the largest is true. Labels `target`, `source`.
    gauge LAST_DELIVERY = "jodo_sync_last_delivery_timestamp_seconds" in Seconds;

    /// Counter: probes of the ERP database that failed. Label `target`.
    counter PROBE_FAILURES = "jodo_sync_probe_failures_total" in Count;

    /// Gauge, 0 or 1: the target is paused, for this reason. Labels `target`, `reason`.
    gauge PAUSED = "jodo_sync_paused" in Count;

    /// Gauge, 0 or 1: the brake is on, because too many events failed at once. Label `target`.
    gauge BRAKE = "jodo_sync_brake" in Count;

    /// Gauge, 0 or 1: Redis answered a worker when it was last asked.
    gauge REDIS_UP = "jodo_sync_redis_up" in Count;

    /// Counter: calls of Redis that failed or took too long; they cost work, never correctness. Label `operation`
    /// (`look_up`, `mark`).
    counter REDIS_ERRORS = "jodo_sync_redis_errors_total" in Count;

    /// Counter: spans of traces. Label `result` (`exported`; `failed`: the receiver did not take them; `dropped`: too many
    /// waited for it).
    counter SPANS = "jodo_sync_spans_total" in Count;

    /// Counter: panics. Always 0 in a correct program.
    counter PANICS = "jodo_sync_panics_total" in Count;
}

/// Says which sources are configured, so that rules can tell those of a trial from real ones.
pub fn name_sources(config: &Config) {
    for (name, source) in &config.sources {
        let labels = [("source", name.to_string()), ("environment", source.environment.as_str().to_owned())];
        metrics::gauge!(SOURCE_INFO, &labels).set(1.0);
    }
}

/// Shows the counters that must stay 0 from the start: an alert on their rise needs a first value.
pub fn start_at_zero() {
    metrics::counter!(DELIVERIES_DROPPED).increment(0);
    metrics::counter!(SPOOL_CORRUPT_FILES).increment(0);
    metrics::counter!(ARCHIVE_MISSED).increment(0);
    metrics::counter!(RELAYED, "result" => "set_aside").increment(0);
    metrics::counter!(PANICS).increment(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_their_kind_and_base_unit() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|(_, name)| name).collect();
        assert_eq!(names.len(), ALL.len());
        for (kind, name) in ALL {
            assert!(name.starts_with("jodo_sync_"), "{name}");
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{name}");
            let is_time = name.contains("duration") || name.contains("timestamp");
            assert_eq!(is_time, name.ends_with("_seconds"), "{name}");
        }
    }
}
