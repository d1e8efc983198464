//! Every code. At equal seconds the state that goes further has the higher rank (C§7 row 14); how facts combine into a
//! state (C§8) is in the views.

use jodo_shared::contract::KnownCode::{self, *};

use super::blocks::{
    APPLICATION, DISBURSED_TRANCHE, EMI, EMI_APPLICATION, FLEX_PAYMENT, FLEX_SUBSCRIPTION, MANDATE,
    MANDATE_SUBSCRIPTION, MANUAL_PAYMENT, ORDER, PAY_PAYMENT, PLANNED_TRANCHE, SUBSCRIPTION,
    TRANCHE_APPLICATION,
};
use super::{Block, Content, FeeLines, List, Meaning, Part, Row, Student, fact, register};
use crate::entities::{
    DISBURSEMENTS, EMIS, FLEX_PAYMENTS, LOANS, MANDATES, MANUAL_PAYMENTS, ORDERS, PAY_PAYMENTS, STUDENTS,
    SUBSCRIPTIONS,
};
use crate::table::{Entity, Fact};

/// Rank of what an event says of something that it only mentions.
const MENTION: u8 = 5;

/// Every code's meaning.
pub static MEANINGS: &[Meaning] = &[
    enrolment(StudentRegistered, "registered", 10),
    enrolment(StudentDropped, "dropped", 20),
    enrolment(StudentActivated, "activated", 30),
    manual_payment(DirectPaymentAdded, "added", 10, Content::Ranked),
    manual_payment(DirectPaymentUpdated, "updated", 20, Content::Ranked),
    manual_payment(DirectPaymentCancelled, "cancelled", 30, Content::Fallback),
    plan(FlexSubscriptionSetup, "set_up", 10),
    plan(FlexSubscriptionActive, "active", 20),
    plan(FlexSubscriptionUpdated, "updated", 30),
    plan(FlexSubscriptionClosed, "closed", 40),
    plan(FlexSubscriptionCancelled, "cancelled", 50),
    mandate(FlexMandateExpired, "expired", 10),
    mandate(FlexMandateCancelled, "cancelled", 20),
    flex_payment(FlexInstalmentBounced, "instalment", "bounced", 10),
    flex_payment(FlexInstalmentDebited, "instalment", "debited", 20),
    flex_payment(FlexInstalmentSettled, "instalment", "settled", 30),
    flex_payment(FlexDownpaymentDebited, "downpayment", "debited", 20),
    flex_payment(FlexDownpaymentSettled, "downpayment", "settled", 30),
    pay_payment(PayPaymentDebited, "debited", 20),
    pay_payment(PayPaymentSettled, "settled", 30),
    order(OrderPaymentDebited, "order", "debited", 20),
    order(OrderPaymentSettled, "order", "settled", 30),
    order(PagePaymentDebited, "page", "debited", 20),
    order(PagePaymentSettled, "page", "settled", 30),
    order(PaymentLinkExpired, "payment_link", "expired", 10),
    order(PaymentLinkDebited, "payment_link", "debited", 20),
    order(PaymentLinkSettled, "payment_link", "settled", 30),
    loan(LoanApplicationStarted, "started", 10, None),
    loan(LoanApplicationFilled, "filled", 20, None),
    loan(LoanFinalApproved, "final_approved", 30, None),
    loan(LoanApplicationExpired, "expired", 40, None),
    loan(LoanCanceled, "canceled", 50, None),
    loan(LoanRejected, "rejected", 60, None),
    loan(LoanAgreementSigned, "agreement_signed", 70, Some(PLANNED)),
    loan(LoanDisbursed, "disbursed", 80, Some(DISBURSED)),
    Meaning { code: EmiDebited, student: Some(MENTIONED), row: Some(REPAYMENT), also: Some(REPAID_LOAN) },
];

/// A pupil who is only mentioned.
const MENTIONED: Student = Student { rank: 10, grade: true, enrolment: None };

const fn row(
    entity: &'static Entity,
    (path, key): (&'static str, &'static str),
    rank: u8,
    fact: Option<&'static Fact>,
    block: &'static Block,
) -> Row {
    Row {
        entity,
        path,
        key,
        part: Part::Own,
        rank,
        content: Content::Ranked,
        fact,
        fact_if: None,
        block,
        parent: None,
        pupil: None,
        constant: None,
        day: None,
        list: None,
    }
}

const fn enrolment(code: KnownCode, state: &str, rank: u8) -> Meaning {
    let enrolment = Some((fact(&STUDENTS, state), rank));
    let student = Some(Student { rank: 20, grade: true, enrolment });
    Meaning { code, student, row: None, also: None }
}

const fn manual_payment(code: KnownCode, state: &str, rank: u8, content: Content) -> Meaning {
    let lines = FeeLines {
        path: "payload.payment.details",
        register: register(&MANUAL_PAYMENTS, "details"),
        content,
        family: "manual",
        // Their bank transfer is a member of the payment (C§7 row 7).
        settles: false,
        without_utr: None,
    };
    let fact = Some(fact(&MANUAL_PAYMENTS, state));
    let payment = Row {
        content,
        pupil: Some(register(&MANUAL_PAYMENTS, "pupil")),
        list: Some(List::FeeLines(lines)),
        ..row(&MANUAL_PAYMENTS, ("payload.payment", "id"), rank, fact, &MANUAL_PAYMENT)
    };
    Meaning { code, student: Some(MENTIONED), row: Some(payment), also: None }
}

const fn plan(code: KnownCode, state: &str, rank: u8) -> Meaning {
    let fact = Some(fact(&SUBSCRIPTIONS, state));
    let plan = Row {
        pupil: Some(register(&SUBSCRIPTIONS, "pupil")),
        list: Some(List::Schedule(register(&SUBSCRIPTIONS, "schedule"))),
        ..row(&SUBSCRIPTIONS, ("payload.subscription", "id"), rank, fact, &SUBSCRIPTION)
    };
    Meaning { code, student: Some(MENTIONED), row: Some(plan), also: None }
}

/// The plan of a mandate or payment, which says nothing of the plan's state (C§7 row 19).
const MENTIONED_PLAN: Row = Row {
    part: Part::Mentioned,
    pupil: Some(register(&SUBSCRIPTIONS, "pupil")),
    ..row(&SUBSCRIPTIONS, ("payload.subscription", "id"), MENTION, None, &SUBSCRIPTION)
};

const fn mandate(code: KnownCode, state: &str, rank: u8) -> Meaning {
    let fact = Some(fact(&MANDATES, state));
    let mandate = Row {
        parent: Some(&MANDATE_SUBSCRIPTION),
        pupil: Some(register(&MANDATES, "pupil")),
        ..row(&MANDATES, ("payload.mandate", "id"), rank, fact, &MANDATE)
    };
    let student = Some(Student { grade: false, ..MENTIONED });
    Meaning { code, student, row: Some(mandate), also: Some(MENTIONED_PLAN) }
}

const fn flex_payment(code: KnownCode, kind: &'static str, state: &str, rank: u8) -> Meaning {
    let payment = Row {
        parent: Some(&FLEX_SUBSCRIPTION),
        pupil: Some(register(&FLEX_PAYMENTS, "pupil")),
        constant: Some((register(&FLEX_PAYMENTS, "kind"), kind)),
        // A bounce has no other date (C§3.3).
        day: if super::same(state, "bounced") { Some(register(&FLEX_PAYMENTS, "bounced_on")) } else { None },
        list: Some(List::FeeLines(fee_lines(&FLEX_PAYMENTS, "payload.payment.details", "flex", state))),
        ..row(
            &FLEX_PAYMENTS,
            ("payload.payment", "id"),
            rank,
            Some(fact(&FLEX_PAYMENTS, state)),
            &FLEX_PAYMENT,
        )
    };
    Meaning { code, student: Some(MENTIONED), row: Some(payment), also: Some(MENTIONED_PLAN) }
}

const fn pay_payment(code: KnownCode, state: &str, rank: u8) -> Meaning {
    let fact = Some(fact(&PAY_PAYMENTS, state));
    let payment = Row {
        pupil: Some(register(&PAY_PAYMENTS, "pupil")),
        list: Some(List::FeeLines(fee_lines(&PAY_PAYMENTS, "payload.payment.details", "pay", state))),
        ..row(&PAY_PAYMENTS, ("payload.payment", "id"), rank, fact, &PAY_PAYMENT)
    };
    Meaning { code, student: Some(MENTIONED), row: Some(payment), also: None }
}

const fn order(code: KnownCode, kind: &'static str, state: &str, rank: u8) -> Meaning {
    // What an expired link says is what nobody paid; if somebody did, that counts (C§7 row 24).
    let content = if super::same(state, "expired") { Content::Fallback } else { Content::Ranked };
    let order = Row {
        content,
        constant: Some((register(&ORDERS, "kind"), kind)),
        list: Some(List::FeeLines(fee_lines(&ORDERS, "payload.order.details", "order", state))),
        ..row(&ORDERS, ("payload", "order_id"), rank, Some(fact(&ORDERS, state)), &ORDER)
    };
    Meaning { code, student: None, row: Some(order), also: None }
}

/// The fee lines of a payment through the sender. What was to be paid is said when it is taken, or bounces; a
/// settlement may name only some of the lines (C§7 row 16).
const fn fee_lines(
    entity: &'static Entity,
    path: &'static str,
    family: &'static str,
    state: &str,
) -> FeeLines {
    let settled = super::same(state, "settled");
    let late = settled || super::same(state, "expired");
    let taken = settled || super::same(state, "debited");
    FeeLines {
        path,
        register: register(entity, "details"),
        content: if late { Content::Fallback } else { Content::Ranked },
        family,
        settles: taken,
        without_utr: if settled { Some(fact(entity, "settled_without_utr")) } else { None },
    }
}

const fn loan(code: KnownCode, state: &str, rank: u8, also: Option<Row>) -> Meaning {
    let fact = Some(fact(&LOANS, state));
    let loan = Row {
        pupil: Some(register(&LOANS, "pupil")),
        ..row(&LOANS, ("payload.application", "id"), rank, fact, &APPLICATION)
    };
    Meaning { code, student: Some(MENTIONED), row: Some(loan), also }
}

/// The tranches that a signature lists; some may have been paid out by then.
const PLANNED: Row = Row {
    part: Part::Each,
    fact_if: Some(("is_disbursed", fact(&DISBURSEMENTS, "disbursed"))),
    parent: Some(&TRANCHE_APPLICATION),
    pupil: Some(register(&DISBURSEMENTS, "pupil")),
    ..row(
        &DISBURSEMENTS,
        ("payload.disbursements", "id"),
        10,
        Some(fact(&DISBURSEMENTS, "planned")),
        &PLANNED_TRANCHE,
    )
};

/// The tranche that was paid out.
const DISBURSED: Row = Row {
    parent: Some(&TRANCHE_APPLICATION),
    pupil: Some(register(&DISBURSEMENTS, "pupil")),
    ..row(
        &DISBURSEMENTS,
        ("payload.disbursement", "id"),
        20,
        Some(fact(&DISBURSEMENTS, "disbursed")),
        &DISBURSED_TRANCHE,
    )
};

/// A repayment to the lender.
const REPAYMENT: Row = Row {
    parent: Some(&EMI_APPLICATION),
    pupil: Some(register(&EMIS, "pupil")),
    ..row(&EMIS, ("payload.payment", "id"), 10, Some(fact(&EMIS, "debited")), &EMI)
};

/// The loan that is repaid; its state does not move by that (C§3.6).
const REPAID_LOAN: Row = Row {
    part: Part::Mentioned,
    pupil: Some(register(&LOANS, "pupil")),
    ..row(&LOANS, ("payload.application", "id"), MENTION, None, &APPLICATION)
};
