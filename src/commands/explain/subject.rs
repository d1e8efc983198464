//! Something that a number means, and what it concerns.

use jodo_worker::store::inspect::Topics;
use jodo_worker::store::reads::StoredEvent;

use super::record::Record;

/// Something that a number means, and what it concerns.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) tenant: String,
    pub(super) what: What,
    /// The pupil whose account is shown, as the views name them.
    pub(super) pupil: Option<String>,
    /// Under which keys events name that pupil.
    pub(super) pupil_keys: Vec<String>,
    /// The records concerned; its own first.
    pub(super) records: Vec<Record>,
}

/// What a number means.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A pupil.
    Pupil,
    /// A payment, order, plan, mandate, loan or tranche.
    Record(Record),
    /// A number that payers gave and that is no known pupil's.
    Payer,
    /// A bank transfer.
    Transfer,
    /// One event.
    Event(Box<StoredEvent>),
}

impl Subject {
    /// One without a pupil.
    pub(super) fn new(tenant: &str, what: What, records: Vec<Record>) -> Self {
        Self { tenant: tenant.to_owned(), what, pupil: None, pupil_keys: Vec::new(), records }
    }

    /// Which events are told.
    pub(super) fn about(&self) -> Topics {
        Topics {
            tenant: Some(self.tenant.clone()),
            pupil_keys: self.pupil_keys.clone(),
            subjects: self.records.iter().map(Record::subject).collect(),
        }
    }
}
