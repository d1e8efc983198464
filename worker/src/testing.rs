//! What the tests put together alike: a message as the ingress makes it, and a target over a fresh database.

#![expect(clippy::expect_used, reason = "a panic is the report")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::{Message, Peeked};
use secrecy::SecretString;

use crate::decide::SourceRules;
use crate::seen::NoSeenIds;
use crate::store::inspect::Inspect;
use crate::store::{WorkerName, migrate, open};
use crate::target::{Target, Timing};

/// Rows of pupils whom an event named by the sender's id: with no number of the ERP's, one, two, an empty one, one and an
/// empty one; of one whom another tenant knows by a number; and of one whom events named by the number.
pub const PUPILS_OF_ALL_KINDS: &str = "\
INSERT INTO jodo_r_students (tenant, pupil_key) VALUES \
    ('main', 'jodo:none'), ('main', 'jodo:one'), ('main', 'jodo:two'), ('main', 'jodo:empty'), ('main', 'jodo:both'), \
    ('main', 'jodo:elsewhere'), ('main', 'erp:S1'); \
INSERT INTO jodo_s_student_ids (tenant, jodo_student_id, identifier) VALUES \
    ('main', 'one', 'S1'), ('main', 'two', 'S2'), ('main', 'two', 'S3'), ('main', 'empty', ''), ('main', 'both', ''), \
    ('main', 'both', 'S4'), ('other', 'elsewhere', 'S5'), ('main', 'nobody', 'S6');";

/// The message that the ingress makes of a delivery to `source`, which is configured for `tenant`.
///
/// # Panics
/// When one of them is no name.
pub fn message(source: &str, tenant: &str, body: impl Into<Bytes>) -> Message {
    let (source, body) = (source.parse().expect("a source"), body.into());
    Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: tenant.parse().expect("a tenant"),
        target: "main".parse().expect("a target"),
        received_at: Timestamp::UNIX_EPOCH,
        peeked: Peeked::default(),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body,
    }
}

/// What the configuration says of a source in India that ignores nothing.
///
/// # Panics
/// When there is no time zone database.
pub fn rules() -> SourceRules {
    SourceRules { time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"), ignore: Default::default() }
}

/// Migrates the database at `url`; its store, and a target that commits to it what these sources sent.
///
/// # Panics
/// When it cannot be migrated.
pub async fn target(url: &str, sources: &[&str]) -> (Arc<dyn Inspect>, Target) {
    let url = SecretString::from(url.to_owned());
    migrate(&url).await.expect("migrated");
    let store = open(&url, 4, Duration::from_secs(20), WorkerName::of_this_process()).expect("a store");
    let rules: HashMap<_, _> =
        sources.iter().map(|source| (source.parse().expect("a source"), rules())).collect();
    let name = "main".parse().expect("a target");
    (store.clone(), Target::new(name, store, Arc::new(NoSeenIds), rules, Timing::default()))
}
