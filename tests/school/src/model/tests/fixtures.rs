//! The sample bodies of all 36 events as one history.

use std::fs;
use std::path::Path;

use super::{cells, judged, keys};
use crate::model::Views;

fn history() -> Views {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/events");
    let files = fs::read_dir(folder).unwrap();
    let bodies: Vec<_> = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(bodies.len(), 36);
    judged(&bodies)
}

const MONEY: [&str; 6] = ["fees_paid", "manual_paid", "loan_paid", "paid", "settled", "pending"];

#[test]
fn a_pupil_whose_plan_is_over_has_paid_what_was_debited() {
    let views = history();
    let pupil = "erp:GVS/2026/0417";
    let columns = ["name", "grade", "enrolment", "plan", "plan_total", "mandate", "loan"];
    let expected = ["Ananya Kulkarni", "Grade 3 Marigold", "", "closed", "68000.00", "cancelled", ""];
    assert_eq!(cells(&views, "jodo_student_overview", pupil, columns), expected);
    let expected = ["30000.00", "0.00", "0.00", "30000.00", "30000.00", "0.00"];
    assert_eq!(cells(&views, "jodo_student_overview", pupil, MONEY), expected);
    let columns = ["state", "status", "mandate", "mandate_id", "schedule_total_paise"];
    let expected = ["closed", "closed", "cancelled", "mandate_30926", "6800000"];
    assert_eq!(cells(&views, "jodo_subscriptions", "88140", columns), expected);
    assert_eq!(
        cells(&views, "jodo_plan_instalments", "88140 / 2", ["due_on", "amount"]),
        ["2026-09-12", "26000.00"]
    );
    assert_eq!(
        cells(&views, "jodo_flex_payments", "flex_702518", ["state", "amount"]),
        ["bounced", "26000.00"]
    );
}

#[test]
fn a_borrower_gets_the_tranche_as_paid_out_and_repays_to_the_lender() {
    let views = history();
    let pupil = "erp:MBA26-0058";
    assert_eq!(cells(&views, "jodo_student_overview", pupil, ["loan", "plan"]), ["disbursed", ""]);
    let expected = ["0.00", "0.00", "117600.00", "117600.00", "117600.00", "0.00"];
    assert_eq!(cells(&views, "jodo_student_overview", pupil, MONEY), expected);
    assert_eq!(cells(&views, "jodo_disbursements", "60218", ["state", "amount"]), ["planned", "120000.00"]);
    let columns = ["application_id", "amount", "due_on"];
    let expected = ["41806", "21350.00", "2026-08-05"];
    assert_eq!(cells(&views, "jodo_loan_repayments", "emi_41806_90021", columns), expected);
    // Three refused, withdrawn or expired: the one heard of last.
    assert_eq!(cells(&views, "jodo_student_overview", "erp:MBA26-0061", ["loan"]), ["expired"]);
}

#[test]
fn a_voided_payment_is_no_receipt() {
    let views = history();
    let columns = ["state", "amount", "mode", "notes"];
    let expected = ["cancelled", "18250.50", "bank_transfer", "Corrected: paid by NEFT"];
    assert_eq!(cells(&views, "jodo_manual_payments", "direct_40177", columns), expected);
    let none = ["0.00"; 6];
    assert_eq!(cells(&views, "jodo_student_overview", "erp:SRB/A/1190", MONEY), none);
    let line = "manual / direct_40177 / TRANSPORT_FEE / 3250.50 / 1";
    assert_eq!(cells(&views, "jodo_fee_lines", line, ["state", "utr"]), ["cancelled", ""]);
}

#[test]
fn the_last_word_on_a_pupil_stands() {
    let views = history();
    let columns = ["enrolment", "grade_code", "jodo_student_id", "collector_code"];
    let expected = ["active", "G6-JASMINE", "student_20311", "nvk-south"];
    assert_eq!(cells(&views, "jodo_students", "erp:NVK-2026-0731", columns), expected);
    let notes = r#"[{"key":"registration_number","value":"REG-0731"},{"key":"house","value":"Kaveri"}]"#;
    assert_eq!(cells(&views, "jodo_students", "erp:NVK-2026-0731", ["notes"]), [notes]);
}

#[test]
fn money_of_orders_is_there_though_nobody_is_known_by_their_numbers() {
    let views = history();
    let receipts = [
        "flex_downpayment / flex_dp_51190",
        "flex_instalment / flex_661204",
        "loan / 60217",
        "order / order_7710294488213",
        "page / order_80155321",
        "pay / pg_73015",
        "payment_link / order_80160077",
    ];
    assert_eq!(keys(&views, "jodo_receipts"), receipts);
    assert_eq!(keys(&views, "jodo_unmatched_receipts"), [receipts[3], receipts[4], receipts[6]]);
    // Paid a quarter after midnight in India.
    let columns = ["learner_name", "payer_identifier", "paid_on", "amount"];
    let expected = ["Zoya Mir", "PL2207", "2026-05-04", "1100.00"];
    assert_eq!(cells(&views, "jodo_unmatched_receipts", receipts[6], columns), expected);
    assert_eq!(cells(&views, "jodo_orders", "order_80160412", ["state", "status"]), ["expired", "expired"]);
    assert_eq!(views["jodo_bank_credits"].len(), 8);
}

#[test]
fn the_samples_hold_no_anomaly() {
    assert_eq!(keys(&history(), "jodo_anomalies"), [""; 0]);
}
