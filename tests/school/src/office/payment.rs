//! A manual payment: what the school's office keyed in.

use fastrand::Rng;
use jiff::Timestamp;

use super::pupil::Pupil;
use crate::run::Run;
use crate::spelling::{Members, amount, list, one_in, pick, quoted};

const COMPONENTS: [&str; 3] = ["TUITION_FEE", "TRANSPORT_FEE", "LAB_FEE"];
const MODES: [&str; 4] = ["cash", "cheque", "bank_transfer", "others"];
const NOTES: [&str; 4] =
    ["Cheque 004411, term 1", "Paid at the \"counter\"", "नकद भुगतान", "Entered by the office"];
const INDIA_SECONDS: i64 = 19_800;

/// What an event says of a payment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Saying {
    Added,
    Updated,
    Cancelled,
}

/// A manual payment.
pub(super) struct Payment {
    id: String,
    /// Place of the pupil who paid.
    pub(super) owner: usize,
    pub(super) cancelled: bool,
    /// Second of the latest event about it.
    pub(super) last: i64,
    transaction: Option<String>,
    lines: Vec<(&'static str, u64)>,
    mode: &'static str,
    utr: Option<String>,
    notes: Option<&'static str>,
    paid_at: i64,
}

impl Payment {
    pub(super) fn new(rng: &mut Rng, run: Run, number: usize, owner: usize, now: i64) -> Self {
        Self {
            id: format!("{run}_direct_{number}"),
            owner,
            cancelled: false,
            last: 0,
            transaction: (!one_in(rng, 5)).then(|| format!("{run}/RCPT/{number}")),
            lines: lines(rng),
            mode: pick(rng, MODES),
            utr: one_in(rng, 3).then(|| utr(rng)),
            notes: (!one_in(rng, 4)).then(|| pick(rng, NOTES)),
            // Evenings too: after half past six in UTC it is tomorrow in India.
            paid_at: now - rng.i64(0..200_000),
        }
    }

    /// The office finds a mistake.
    pub(super) fn correct(&mut self, rng: &mut Rng) {
        match rng.u8(..6) {
            0 => self.lines = lines(rng),
            1 => self.mode = pick(rng, MODES),
            2 => self.notes = Some(pick(rng, NOTES)),
            3 => self.paid_at -= rng.i64(1..100_000),
            _ => self.utr = Some(utr(rng)),
        }
    }

    /// The payload of an event about it. A correction may say only a part (C§3.2 leaves that open).
    pub(super) fn say(&mut self, rng: &mut Rng, saying: Saying, pupil: &mut Pupil) -> String {
        let naming = pupil.naming_in_payment(rng);
        let partly = saying == Saying::Updated && one_in(rng, 5);
        let record = self.record(rng, partly);
        self.cancelled |= saying == Saying::Cancelled;

        let block = pupil.block(rng, naming, false);
        let mut payload = Members::default();
        payload.put("payment", &record).put("student", &block);
        if naming.says_jodo_id() {
            payload.put("jodo_student_id", &quoted(&pupil.jodo_id));
        }
        payload.done()
    }

    fn record(&self, rng: &mut Rng, partly: bool) -> String {
        let mut record = Members::default();
        record.put("id", &quoted(&self.id));
        let says_amount = !(partly && rng.bool());
        if says_amount {
            record.put("amount", &amount(rng, self.lines.iter().map(|(_, paise)| paise).sum(), false));
        }
        let mut say = |rng: &mut Rng, name, value: Option<&str>| match value {
            Some(value) if !(one_in(rng, 15) || partly && rng.bool()) => _ = record.text(name, value),
            _ => record.silent(rng, name),
        };
        say(rng, "mode", Some(self.mode));
        say(rng, "transaction_id", self.transaction.as_deref());
        say(rng, "settlement_utr", self.utr.as_deref());
        say(rng, "notes", self.notes);
        let paid_at = paid_at(rng, self.paid_at);
        say(rng, "paid_at", Some(&paid_at));
        // With the amount, so that the lines always add up to it.
        if says_amount {
            let said = self.lines.iter().map(|(component, paise)| {
                let line = amount(rng, *paise, true);
                Members::default().text("fee_component", component).put("amount", &line).done()
            });
            record.put("details", &list(&said.collect::<Vec<_>>()));
        }
        record.done()
    }
}

fn lines(rng: &mut Rng) -> Vec<(&'static str, u64)> {
    let count = rng.usize(1..=COMPONENTS.len());
    let paise = |rng: &mut Rng| match rng.u8(..4) {
        0 => rng.u64(1..5_000_000),
        1 => rng.u64(1..500_000) * 10,
        _ => rng.u64(1..50_000) * 100,
    };
    COMPONENTS.iter().take(count).map(|component| (*component, paise(rng))).collect()
}

fn utr(rng: &mut Rng) -> String {
    format!("UTRX{:011}", rng.u64(..100_000_000_000))
}

/// A datetime in UTC or with India's offset (C§7 row 10).
fn paid_at(rng: &mut Rng, seconds: i64) -> String {
    if one_in(rng, 4) { utc(seconds + INDIA_SECONDS).replace('Z', "+05:30") } else { utc(seconds) }
}

fn utc(seconds: i64) -> String {
    // All our seconds lie within this century.
    let instant = Timestamp::from_second(seconds).unwrap_or_default();
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
