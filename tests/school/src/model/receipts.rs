//! What the institute received: `jodo_receipts`, `jodo_unmatched_receipts` and `jodo_bank_credits`.

use std::collections::BTreeMap;

use super::Row;
use super::book::{Kind, World};
use super::ledger::Payment;
use super::loans::tranche_paise;
use super::reading::{instant_and_day, paise};
use super::sheet::Sheet;
use super::words::Known;

/// One payment that is income.
pub(super) struct Receipt<'a> {
    pub(super) counts_as: &'static str,
    pub(super) pupil: Option<&'a str>,
    pub(super) amount: Option<i64>,
    pub(super) settled: i64,
    product: &'a str,
    id: &'a str,
    known: &'a Known,
    state: &'static str,
}

impl Receipt<'_> {
    /// What has not reached the institute yet.
    pub(super) fn pending(&self) -> i64 {
        self.amount.unwrap_or(self.settled) - self.settled
    }

    /// The number that payer or bank knows it by.
    fn reference(&self) -> Option<&str> {
        match self.product {
            "flex_instalment" | "flex_downpayment" => self.known.get("reference_id"),
            // Only orders and manual payments have one.
            _ => self.known.get("transaction_id"),
        }
    }

    fn sheet<'w>(&self, world: &'w World) -> Sheet<'w> {
        let sheet = Sheet::new(world).set("product", self.product).set("payment_id", self.id);
        let sheet = sheet.set("counts_as", self.counts_as).money(["amount", "amount_paise"], self.amount);
        match self.counts_as {
            "loan_disbursement" => sheet.put("paid_on", self.known.get("disbursed_on")),
            _ => sheet.paid(self.known),
        }
    }
}

/// All receipts.
pub(super) fn receipts<'a>(world: &'a World, payments: &'a [Payment<'a>]) -> Vec<Receipt<'a>> {
    let of_payments = payments.iter().filter(|payment| is_income(payment)).map(of_payment);
    let paid_out = world.all(Kind::Tranche).filter(|(_, tranche)| tranche.any(&["disbursed"]));
    of_payments.chain(paid_out.map(|(id, tranche)| of_tranche(id, tranche))).collect()
}

fn is_income(payment: &Payment<'_>) -> bool {
    match payment.kind {
        Kind::Manual => payment.state == "recorded",
        _ => payment.known.any(&["debited", "settled"]) || !payment.known.settlements.is_empty(),
    }
}

fn of_payment<'a>(payment: &'a Payment<'a>) -> Receipt<'a> {
    let (counts_as, amount, settled) = match payment.kind {
        // It went straight to the institute.
        Kind::Manual => ("manual", payment.amount, payment.amount),
        _ => ("fee", payment.amount.or(payment.settled), payment.settled),
    };
    Receipt {
        counts_as,
        pupil: payment.pupil,
        amount,
        settled: settled.unwrap_or(0),
        product: &payment.product,
        id: payment.id,
        known: payment.known,
        state: payment.state,
    }
}

fn of_tranche<'a>(id: &'a str, tranche: &'a Known) -> Receipt<'a> {
    let amount = tranche_paise(tranche);
    Receipt {
        counts_as: "loan_disbursement",
        pupil: tranche.get("pupil"),
        amount,
        settled: amount.unwrap_or(0),
        product: "loan",
        id,
        known: tranche,
        state: "disbursed",
    }
}

/// `jodo_receipts`.
pub(super) fn receipt_rows(world: &World, receipts: &[Receipt<'_>]) -> Vec<Row> {
    let row = |receipt: &Receipt<'_>| {
        let sheet = receipt.sheet(world).pupil(receipt.pupil).set("state", receipt.state);
        let sheet = sheet.copy(receipt.known, &["mode"]).put("reference", receipt.reference());
        let sheet = sheet.money(["settled", "settled_paise"], Some(receipt.settled));
        sheet.money(["pending", "pending_paise"], Some(receipt.pending())).done()
    };
    receipts.iter().map(row).collect()
}

/// `jodo_unmatched_receipts`. Only orders know the payer.
pub(super) fn unmatched_receipts(world: &World, receipts: &[Receipt<'_>]) -> Vec<Row> {
    let row = |receipt: &Receipt<'_>| {
        let said = |member| receipt.known.get(member);
        let sheet = receipt.sheet(world).without("paid_at_utc");
        let sheet = sheet.copy(receipt.known, &["mode"]).put("reference", receipt.reference());
        let sheet = sheet.put("payer_name", said("name")).put("payer_phone", said("phone"));
        let sheet = sheet.put("payer_email", said("email")).put("payer_identifier", said("identifier"));
        sheet.put("learner_name", said("student_name")).done()
    };
    receipts.iter().filter(|receipt| receipt.pupil.is_none()).map(row).collect()
}

/// The settled lines of one UTR.
#[derive(Default)]
struct Credit {
    lines: usize,
    manual_lines: usize,
    amount: Option<i64>,
    on: Option<String>,
}

/// `jodo_bank_credits`.
pub(super) fn bank_credits(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let mut credits: BTreeMap<&str, Credit> = BTreeMap::new();
    let lines =
        payments.iter().flat_map(|payment| payment.lines.iter().map(move |line| (payment.kind, line)));
    for (kind, line) in lines {
        let Some(utr) = &line.utr else { continue };
        let credit = credits.entry(utr).or_default();
        credit.lines += 1;
        credit.manual_lines += usize::from(kind == Kind::Manual);
        if let Some(paise) = paise(&line.amount) {
            credit.amount = Some(credit.amount.unwrap_or(0) + paise);
        }
        let time = line.settled_at.as_deref();
        let day = time.and_then(|text| Some(instant_and_day(text, &world.time_zone)?.1));
        credit.on = credit.on.take().max(day);
    }
    let row = |(utr, credit): (&str, Credit)| {
        let sheet = Sheet::new(world).set("utr", utr).set("lines", credit.lines.to_string());
        let sheet = sheet.set("manual_lines", credit.manual_lines.to_string());
        sheet.put("credited_on", credit.on).money(["amount", "amount_paise"], credit.amount).done()
    };
    credits.into_iter().map(row).collect()
}
