//! Whom and what an event is about: how people find it.

use jodo_shared::contract::{Envelope, KnownCode, Object};

use super::meaning::blocks::JODO_STUDENT_ID;
use super::meaning::meaning_of;
use super::student::pupil_key;
use crate::entities::STUDENTS;
use crate::table::{Change, Entity};

/// Whom and what an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The pupil, as `jodo_events.pupil_key` names them.
    pub pupil_key: Option<String>,
    /// The row beside the pupil's, as `jodo_events.subject` names it.
    pub subject: Option<String>,
}

impl About {
    /// What an applied event is about. Its own row comes first.
    pub(super) fn of(changes: &[Change]) -> Self {
        let rows = || {
            changes.iter().filter_map(|change| match change {
                Change::Write { entity, key, .. } => Some((*entity, key.get(1)?)),
                Change::Add { .. } => None,
            })
        };
        let pupil = rows().find(|(entity, _)| *entity == &STUDENTS);
        let own = rows().find(|(entity, _)| *entity != &STUDENTS);
        Self {
            pupil_key: pupil.map(|(_, key)| key.clone()),
            subject: own.map(|(entity, key)| subject(entity, key)),
        }
    }

    /// What an event that waits for a person says of that: just the keys, where they can be read.
    pub(super) fn read(envelope: &Envelope<'_>) -> Self {
        Self::of_payload(envelope).unwrap_or_default()
    }

    fn of_payload(envelope: &Envelope<'_>) -> Option<Self> {
        let code = KnownCode::try_from(&envelope.code().ok()?).ok()?;
        let meaning = meaning_of(code)?;
        let payload = envelope.payload().object().value()?;
        let own = meaning.row.as_ref().and_then(|row| {
            let steps = row.path.split('.').skip(1);
            let object = steps.fold(payload.clone(), |object: Object<'_>, name| {
                object.member(name).object().value().unwrap_or_default()
            });
            Some(subject(row.entity, &object.member(row.key).key().ok()??))
        });
        let block = payload.member("student").object().value().unwrap_or_default();
        let identifier = block.member("identifier").key().ok().flatten();
        let jodo_id = payload.member(JODO_STUDENT_ID.member).key().ok().flatten();
        Some(Self { pupil_key: pupil_key(identifier.as_deref(), jodo_id.as_deref()), subject: own })
    }
}

/// How `jodo_events` names what an event is about: the row of an entity with this natural key.
pub fn subject(entity: &Entity, key: &str) -> String {
    format!("{}:{key}", entity.name)
}
