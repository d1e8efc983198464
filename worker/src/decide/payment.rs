//! Manual payments (C§3.2).

use jodo_shared::outcome::Reason;

use super::event::Event;
use super::fields::read_block;
use super::findings::{Findings, Refusal};
use super::meaning::{Content, MANUAL_PAYMENT, PAYMENT_PUPIL};
use super::student;
use crate::entities::MANUAL_PAYMENTS;
use crate::table::{Change, Clock};

/// A manual payment was added, corrected or voided.
pub(super) fn manual(
    event: &Event<'_>,
    content: Content,
    findings: &mut Findings,
) -> Result<Vec<Change>, Refusal> {
    let payment =
        findings.take(MANUAL_PAYMENT.path, event.payload.member("payment").object()).unwrap_or_default();
    let id_path = format!("{}.id", MANUAL_PAYMENT.path);
    let id = payment.member("id").key().map_err(|problem| Refusal::key(&id_path, problem))?;
    let id = id.ok_or_else(|| Refusal::at(&id_path, Reason::MissingKey))?;

    let clock = match content {
        Content::Ranked(rank) => event.clock(rank),
        // Older than any plausible event, so that every other source of content outranks it.
        Content::Fallback => Clock::new(0, 0, event.key),
    };
    let pupil = student::mentioned(event, findings)?;
    let mut registers = read_block(&MANUAL_PAYMENT, &payment, &clock, event.zone, findings)?;
    registers.extend(pupil.as_ref().map(|pupil| (PAYMENT_PUPIL, clock, vec![Some(pupil.key.clone())])));

    let mut changes = match pupil {
        Some(pupil) => pupil.changes(event, findings)?,
        None => Vec::new(),
    };
    let key = vec![event.tenant.to_string(), id];
    changes.push(Change::Write { entity: &MANUAL_PAYMENTS, key, registers, facts: vec![event.fact()] });
    Ok(changes)
}
