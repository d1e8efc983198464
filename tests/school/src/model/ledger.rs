//! Payments with all that follows from what was said of them, and their fee lines.

use super::Row;
use super::book::{Kind, World};
use super::lines::{lines_of, lines_sum};
use super::reading::{instant_and_day, money, paise};
use super::settling::{Shown, shown_lines};
use super::sheet::Sheet;
use super::words::Known;

/// One payment of any product except loans.
pub(super) struct Payment<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a str,
    pub(super) known: &'a Known,
    /// As in `jodo_receipts`.
    pub(super) product: String,
    pub(super) pupil: Option<&'a str>,
    pub(super) state: &'static str,
    pub(super) lines: Vec<Shown>,
    /// What was said of it, in paise: by the payment itself, else by its lines.
    pub(super) amount: Option<i64>,
    /// What its settled lines add up to; nothing when there is no such line with an amount.
    pub(super) settled: Option<i64>,
}

/// All payments.
pub(super) fn payments(world: &World) -> Vec<Payment<'_>> {
    let kinds = [Kind::Manual, Kind::Flex, Kind::Pay, Kind::Order];
    let of_kind = |kind| world.all(kind).map(move |(id, known)| payment(world, kind, id, known));
    kinds.into_iter().flat_map(of_kind).collect()
}

fn payment<'a>(world: &'a World, kind: Kind, id: &'a str, known: &'a Known) -> Payment<'a> {
    let named = known.get("kind").unwrap_or_default();
    let product = match kind {
        Kind::Manual => "manual".to_owned(),
        Kind::Flex => format!("flex_{named}"),
        Kind::Pay => "pay".to_owned(),
        _ => named.to_owned(),
    };
    let pupil = if kind == Kind::Order { pupil_of_order(world, known) } else { known.get("pupil") };
    // An order never says its amount.
    let own = known.get("amount").and_then(paise);
    let amount = own.or_else(|| lines_sum(&lines_of(known.get("details"))));
    let lines = shown_lines(kind, known, amount.map(money));
    let state = state(kind, known, &lines);
    let settled_amounts = lines.iter().filter(|line| line.state == "settled");
    let settled = settled_amounts.filter_map(|line| paise(&line.amount)).reduce(|sum, paise| sum + paise);
    Payment { kind, id, known, product, pupil, state, lines, amount, settled }
}

/// The pupil whose number the order bears, if there is one.
fn pupil_of_order<'a>(world: &'a World, order: &Known) -> Option<&'a str> {
    world.find_key(Kind::Pupil, &format!("erp:{}", order.get("identifier")?))
}

fn state(kind: Kind, payment: &Known, lines: &[Shown]) -> &'static str {
    if kind == Kind::Manual {
        return if payment.any(&["cancelled"]) { "cancelled" } else { "recorded" };
    }
    if payment.any(&["settled"]) || !payment.settlements.is_empty() {
        let open = lines.iter().any(|line| line.state != "settled");
        return match (payment.settlements.is_empty(), open) {
            (true, _) => "settled_without_utr",
            (false, true) => "partly_settled",
            (false, false) => "settled",
        };
    }
    let steps = [("debited", "paid"), ("bounced", "bounced"), ("expired", "expired")];
    steps.into_iter().find(|(fact, _)| payment.any(&[fact])).map_or("unknown", |(_, state)| state)
}

/// `jodo_fee_lines`.
pub(super) fn fee_lines(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut rows = Vec::new();
    for payment in payments {
        for line in &payment.lines {
            let sheet = Sheet::new(world).set("product", payment.product.as_str());
            let sheet = sheet.set("payment_id", payment.id).pupil(payment.pupil).paid(payment.known);
            let sheet = sheet.put("component", some(&line.component)).set("n", line.n.to_string());
            let sheet = sheet.money(["amount", "amount_paise"], paise(&line.amount));
            let sheet = sheet.set("state", line.state).put("utr", line.utr.as_deref());
            let sheet = sheet.moment(["settled_at_utc", "settled_on"], line.settled_at.as_deref());
            rows.push(sheet.without("paid_at_utc").done());
        }
    }
    rows
}

/// `jodo_manual_payments`.
pub(super) fn manual_payments(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let columns = ["mode", "transaction_id", "settlement_utr", "notes"];
    let row = |payment: &Payment<'_>| {
        let sheet = sheet(world, payment).copy(payment.known, &columns);
        sheet.money(["amount", "amount_paise"], payment.amount).done()
    };
    of(payments, Kind::Manual).map(row).collect()
}

/// `jodo_flex_payments`.
pub(super) fn flex_payments(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let columns = ["kind", "subscription_id", "reference_id", "mode"];
    let row = |payment: &Payment<'_>| {
        let bounced = payment.known.get("bounced_at").and_then(|at| instant_and_day(at, &world.time_zone));
        let sheet = settling_sheet(world, payment).copy(payment.known, &columns);
        let sheet = sheet.put("jodo_product", payment.known.get("product"));
        sheet.put("bounced_on", bounced.map(|(_, day)| day)).done()
    };
    of(payments, Kind::Flex).map(row).collect()
}

/// `jodo_pay_payments`.
pub(super) fn pay_payments(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let row = |payment: &Payment<'_>| {
        let sheet = settling_sheet(world, payment).copy(payment.known, &["mode"]);
        sheet.put("jodo_product", payment.known.get("product")).done()
    };
    of(payments, Kind::Pay).map(row).collect()
}

/// `jodo_orders`. The identifier is the one that the order bears, whether a pupil has it or not.
pub(super) fn orders(world: &World, payments: &[Payment<'_>]) -> Vec<Row> {
    let columns = [
        "kind",
        "identifier",
        "name",
        "phone",
        "email",
        "student_name",
        "custom_identifier",
        "date_of_birth",
        "grade",
        "new_admission",
        "academic_year_start",
        "academic_year_end",
        "transaction_id",
        "status",
        "notes",
    ];
    let row = |payment: &Payment<'_>| {
        let sheet = settling_sheet(world, payment).without("payment_id").set("order_id", payment.id);
        sheet.copy(payment.known, &columns).done()
    };
    of(payments, Kind::Order).map(row).collect()
}

fn of<'a, 'b>(payments: &'a [Payment<'b>], kind: Kind) -> impl Iterator<Item = &'a Payment<'b>> {
    payments.iter().filter(move |payment| payment.kind == kind)
}

/// What all the views of payments show.
fn sheet<'a>(world: &'a World, payment: &Payment<'_>) -> Sheet<'a> {
    let sheet = Sheet::new(world).set("payment_id", payment.id).pupil(payment.pupil);
    sheet.set("state", payment.state).copy(payment.known, &["paid_at", "details"]).paid(payment.known)
}

/// What those of payments through Jodo show.
fn settling_sheet<'a>(world: &'a World, payment: &Payment<'_>) -> Sheet<'a> {
    let settled = payment.settled.unwrap_or(0).to_string();
    sheet(world, payment).money(["amount", "amount_paise"], payment.amount).set("settled_paise", settled)
}
