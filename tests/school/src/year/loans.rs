//! Education loans (Cred, C§3.6): from the application to the money.

use fastrand::Rng;

use super::block::{Page, block, naming};
use super::calendar::{DAY, END, HOUR, MINUTE, START, date, datetime, midnight, office_hour, parents_hour};
use super::pupil::Pupil;
use super::repayments;
use super::school::School;
use crate::spelling::{Members, list, number};

/// How far an application comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Started,
    Filled,
    Approved,
    Signed,
    Disbursed,
}

const REJECTED: Option<&str> = Some("cred.loan.rejected");
const CANCELED: Option<&str> = Some("cred.loan.canceled");
const EXPIRED: Option<&str> = Some("cred.loan.application_expired");

/// How far an application comes, and what ends it.
const FATES: [(Step, Option<&str>); 22] = [
    (Step::Disbursed, None),
    (Step::Filled, REJECTED),
    (Step::Disbursed, None),
    (Step::Started, EXPIRED),
    (Step::Disbursed, None),
    (Step::Signed, CANCELED),
    (Step::Disbursed, None),
    (Step::Approved, REJECTED),
    (Step::Started, None),
    (Step::Disbursed, None),
    (Step::Filled, CANCELED),
    (Step::Signed, None),
    (Step::Disbursed, None),
    (Step::Signed, REJECTED),
    (Step::Approved, None),
    (Step::Disbursed, None),
    (Step::Filled, EXPIRED),
    (Step::Approved, CANCELED),
    (Step::Disbursed, None),
    (Step::Signed, EXPIRED),
    (Step::Disbursed, CANCELED),
    (Step::Disbursed, None),
];

/// A part in which a loan is paid out.
struct Tranche {
    id: u64,
    planned: i64,
    paise: u64,
    /// Paid out before the signature was told.
    already: bool,
}

/// An application.
pub(super) struct Loan<'a> {
    pub(super) pupil: &'a Pupil,
    pub(super) id: u64,
    pub(super) paise: u64,
    pub(super) signed: i64,
    tranches: Vec<Tranche>,
}

/// A pupil's parents apply for a loan.
pub(super) fn borrow(school: &mut School, pupil: &Pupil) {
    let (last, end) = school.next_of(FATES, "the fate of a loan");
    let day = START + school.rng.i64(5..150) * DAY;
    let started = parents_hour(&mut school.rng, day);
    let filled = started + school.rng.i64(10 * MINUTE..3 * DAY);
    let (mut approved, mut signed) =
        (filled + school.rng.i64(DAY..4 * DAY), filled + school.rng.i64(5 * DAY..9 * DAY));
    if last >= Step::Signed && school.every(4, "signed before it was approved") {
        (approved, signed) = (signed, approved);
    }
    let loan = new_loan(school, pupil, signed);

    let mut latest = started;
    for (step, code, at) in [
        (Step::Started, "cred.loan.application_started", started),
        (Step::Filled, "cred.loan.application_filled", filled),
        (Step::Approved, "cred.loan.final_approved", approved),
        (Step::Signed, "cred.loan.agreement_signed", signed),
    ] {
        // Some were begun before the sender was told our address.
        let untold =
            step == Step::Started && last > step && school.every(10, "a loan whose start is not told");
        if step <= last && !untold {
            loan.say(school, code, at, None);
            latest = latest.max(at);
        }
    }
    if last == Step::Disbursed {
        latest = loan.pay_out(school, latest);
    }
    if let Some(code) = end {
        let day = midnight(latest) + school.rng.i64(1..30) * DAY;
        latest = office_hour(&mut school.rng, day);
        loan.say(school, code, latest, None);
    }
    let repaid = last == Step::Disbursed || last == Step::Signed && end == REJECTED;
    // Of a loan that was ended, at most one instalment is repaid.
    if repaid {
        repayments::repay(school, &loan, latest, end.is_some());
    }
}

fn new_loan<'a>(school: &mut School, pupil: &'a Pupil, signed: i64) -> Loan<'a> {
    let count = school.next_of([1, 2, 3, 1, 2], "how many tranches");
    let paise = school.rng.u64(5..30) * 1_000_000;
    let id = school.ids.number();
    let already = school.every(8, "paid out at the signature");
    let first_day = midnight(signed) + school.rng.i64(2..8) * DAY;
    let days_apart = school.rng.i64(6..60);
    let tranche = |n| Tranche {
        id: school.ids.number(),
        planned: first_day + n as i64 * days_apart * DAY,
        paise: if n == 0 { paise - (count - 1) * (paise / count) } else { paise / count },
        already: already && n == 0,
    };
    let tranches = (0..count).map(tranche).collect();
    Loan { pupil, id, paise, signed, tranches }
}

impl Loan<'_> {
    /// Pays the tranches out, and says when the first one was.
    fn pay_out(&self, school: &mut School, after: i64) -> i64 {
        let mut first = END;
        for tranche in &self.tranches {
            let at = office_hour(&mut school.rng, tranche.planned).max(after + HOUR);
            first = first.min(at);
            if tranche.already && school.every(2, "only the signature tells of the money") {
                continue;
            }
            // The lender may keep a fee.
            let fee = if school.every(3, "a fee is kept") { tranche.paise / 50 } else { 0 };
            let disbursement = Members::default()
                .put("id", &tranche.id.to_string())
                .put("date", &date(at))
                .put("disbursed_amount", &number(&mut school.rng, tranche.paise - fee))
                .done();
            self.say(school, "cred.loan.disbursed", at, Some(&disbursement));
        }
        first
    }

    fn say(&self, school: &mut School, code: &'static str, at: i64, disbursement: Option<&str>) {
        let rng = &mut school.rng;
        let status = code.trim_start_matches("cred.loan.");
        let mut application = Members::default();
        application.put("id", &self.id.to_string()).text("status", status);
        if matches!(status, "final_approved" | "agreement_signed" | "disbursed") {
            application.put("amount", &number(rng, self.paise));
        }
        if matches!(status, "agreement_signed" | "disbursed") {
            application.put("agreement_signed_at", &datetime(rng, self.signed));
        }
        let application = application.done();
        let naming = naming(rng, self.pupil, at);
        let block = block(rng, self.pupil, Page::Loan, naming, at);
        let mut payload = Members::default();
        payload.put("jodo_student_id", &self.pupil.number_as(false));
        match disbursement {
            // Here the pupil comes second (C§3.6).
            Some(disbursement) => payload
                .put("application", &application)
                .put("student", &block)
                .put("disbursement", disbursement),
            None => payload.put("student", &block).put("application", &application),
        };
        if status == "agreement_signed" {
            let planned: Vec<_> = self.tranches.iter().map(|tranche| tranche.planned(rng)).collect();
            payload.put("disbursements", &list(&planned));
        }
        school.diary.note(at, code, payload.done());
    }
}

impl Tranche {
    fn planned(&self, rng: &mut Rng) -> String {
        Members::default()
            .put("id", &self.id.to_string())
            .put("date", &date(self.planned))
            .put("amount", &number(rng, self.paise))
            .put("is_disbursed", &self.already.to_string())
            .done()
    }
}
