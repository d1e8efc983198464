//! Which words each of the 36 events says. The number is the word's rank: of two words of the same second, the one
//! with the higher rank is the later.

use super::book::Book;
use super::event::Event;
use super::{loans, payments, plans, pupils};

/// Notes everything that one event says. One with an unknown code says nothing.
pub(super) fn hear(event: &Event, book: &mut Book) {
    match event.code.as_str() {
        "masterdata.student.registered" => pupils::hear_enrolment(event, book, 10, "registered"),
        "masterdata.student.dropped" => pupils::hear_enrolment(event, book, 20, "dropped"),
        "masterdata.student.activated" => pupils::hear_enrolment(event, book, 30, "activated"),

        "direct.payment.added" => payments::hear_manual(event, book, 10, "added"),
        "direct.payment.updated" => payments::hear_manual(event, book, 20, "updated"),
        "direct.payment.cancelled" => payments::hear_manual(event, book, 30, "cancelled"),

        "flex.subscription.setup" => plans::hear_plan(event, book, 10, "setup"),
        "flex.subscription.active" => plans::hear_plan(event, book, 20, "active"),
        "flex.subscription.updated" => plans::hear_plan(event, book, 30, "updated"),
        "flex.subscription.closed" => plans::hear_plan(event, book, 40, "closed"),
        "flex.subscription.cancelled" => plans::hear_plan(event, book, 50, "cancelled"),

        "flex.mandate.expired" => plans::hear_mandate(event, book, 10, "expired"),
        "flex.mandate.cancelled" => plans::hear_mandate(event, book, 20, "cancelled"),

        "flex.instalment.bounced" => payments::hear_flex(event, book, "instalment", 10, "bounced"),
        "flex.instalment.debited" => payments::hear_flex(event, book, "instalment", 20, "debited"),
        "flex.instalment.settled" => payments::hear_flex(event, book, "instalment", 30, "settled"),
        "flex.downpayment.debited" => payments::hear_flex(event, book, "downpayment", 20, "debited"),
        "flex.downpayment.settled" => payments::hear_flex(event, book, "downpayment", 30, "settled"),

        "pay.payment.debited" => payments::hear_pay(event, book, 20, "debited"),
        "pay.payment.settled" => payments::hear_pay(event, book, 30, "settled"),

        "order.payment.debited" => payments::hear_order(event, book, "order", 20, "debited"),
        "order.payment.settled" => payments::hear_order(event, book, "order", 30, "settled"),
        "page.payment.debited" => payments::hear_order(event, book, "page", 20, "debited"),
        "page.payment.settled" => payments::hear_order(event, book, "page", 30, "settled"),
        "payment_link.payment.expired" => payments::hear_order(event, book, "payment_link", 10, "expired"),
        "payment_link.payment.debited" => payments::hear_order(event, book, "payment_link", 20, "debited"),
        "payment_link.payment.settled" => payments::hear_order(event, book, "payment_link", 30, "settled"),

        "cred.loan.application_started" => loans::hear_loan(event, book, 10, "started"),
        "cred.loan.application_filled" => loans::hear_loan(event, book, 20, "filled"),
        "cred.loan.final_approved" => loans::hear_loan(event, book, 30, "final_approved"),
        "cred.loan.application_expired" => loans::hear_loan(event, book, 40, "expired"),
        "cred.loan.canceled" => loans::hear_loan(event, book, 50, "canceled"),
        "cred.loan.rejected" => loans::hear_loan(event, book, 60, "rejected"),
        "cred.loan.agreement_signed" => {
            loans::hear_loan(event, book, 70, "agreement_signed");
            loans::hear_tranches_agreed(event, book, 10);
        }
        "cred.loan.disbursed" => {
            loans::hear_loan(event, book, 80, "disbursed");
            loans::hear_tranche_paid_out(event, book, 20);
        }
        "cred.emi.debited" => loans::hear_emi(event, book, 10, "debited"),

        _ => return,
    }
    let names_no_pupil = ["order.", "page.", "payment_link."];
    if !names_no_pupil.iter().any(|family| event.code.starts_with(family)) {
        pupils::hear_profile(event, book);
        book.note_number(event);
    }
}
