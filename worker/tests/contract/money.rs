//! Rupees and paise: what is sent is what every view shows, and sums are exact, on both databases alike.

use jodo_shared::outcome::{Outcome, Reason};

use crate::school::{NOTHING, School};

/// The two databases, which receive the same bodies.
struct Both([School; 2]);

impl Both {
    async fn new() -> Self {
        Self([School::on_sqlite().await, School::on_postgres().await])
    }

    /// Receives a payment, which is applied.
    async fn apply(&self, body: &str) {
        for school in &self.0 {
            let decision = school.receive(body).await;
            assert_eq!(
                (decision.outcome, decision.reason),
                (Outcome::Applied, None),
                "{:?}",
                decision.detail
            );
            assert_eq!(decision.warnings, []);
        }
    }

    /// The rows of a view, the same on both.
    async fn rows(&self, view: &'static str, columns: &str) -> Vec<String> {
        let [sqlite, postgres] = &self.0;
        let rows = sqlite.rows(view, columns).await;
        assert_eq!(postgres.rows(view, columns).await, rows, "{view}");
        rows
    }

    /// The same in all views.
    async fn assert_alike(&self) {
        let [sqlite, postgres] = &self.0;
        postgres.assert_shows(&sqlite.everything().await).await;
    }
}

/// A settled payment, its amounts spelled as they are given here; the lines are of one bank transfer.
fn payment(id: &str, amount: &str, lines: &[&str]) -> String {
    let line = |(n, amount): (usize, &&str)| {
        let amount = if amount.is_empty() { String::new() } else { format!(r#""amount":{amount},"#) };
        format!(
            r#"{{"fee_component":"HEAD_{n}",{amount}"settlement_utr":"UTR1","settled_at":"2026-06-22T06:35:12Z"}}"#
        )
    };
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    let amount = if amount.is_empty() { String::new() } else { format!(r#""amount":{amount},"#) };
    format!(
        r#"{{"event_id":"{id}","event":"pay.payment.settled","timestamp":1782110400,"payload":{{
            "student":{{"identifier":"GVS/2026/0611"}},
            "payment":{{"id":"{id}",{amount}"paid_at":"2026-06-19T16:21:45Z","details":[{}]}}}}}}"#,
        lines.join(",")
    )
}

const RECEIPT: &str = "payment_id amount amount_paise settled settled_paise pending pending_paise";
const LINE: &str = "payment_id component amount amount_paise";
const CREDIT: &str = "utr amount amount_paise lines";
const PUPIL: &str = "fees_paid fees_paid_paise paid paid_paise settled settled_paise pending pending_paise";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_and_two_tenths_are_three_tenths() {
    let both = Both::new().await;
    both.apply(&payment("p", "0.3", &["0.1", "0.2"])).await;
    assert_eq!(both.rows("jodo_receipts", RECEIPT).await, ["p | 0.30 | 30 | 0.30 | 30 | 0.00 | 0"]);
    assert_eq!(both.rows("jodo_fee_lines", LINE).await, ["p | HEAD_0 | 0.10 | 10", "p | HEAD_1 | 0.20 | 20"]);
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, ["UTR1 | 0.30 | 30 | 2"]);
    assert_eq!(
        both.rows("jodo_student_overview", PUPIL).await,
        ["0.30 | 30 | 0.30 | 30 | 0.30 | 30 | 0.00 | 0"]
    );
    assert_eq!(both.rows("jodo_anomalies", "kind").await, NOTHING);
    both.assert_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_paise_of_many_payments_add_up_to_the_last_one() {
    let both = Both::new().await;
    for n in 0..10 {
        both.apply(&payment(&format!("p{n}"), "1.10", &["0.07", "1.03"])).await;
    }
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, ["UTR1 | 11.00 | 1100 | 20"]);
    let pupil = "11.00 | 1100 | 11.00 | 1100 | 11.00 | 1100 | 0.00 | 0";
    assert_eq!(both.rows("jodo_student_overview", PUPIL).await, [pupil]);
    both.assert_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_digit_of_the_largest_amounts_is_kept_and_added() {
    let both = Both::new().await;
    // 2^53 + 1 paise, the first that a floating-point number does not hold, and the most there is.
    both.apply(&payment("a", "90071992547409.93", &["90071992547409.93"])).await;
    both.apply(&payment("b", "10000000000000.01", &["10000000000000.01"])).await;
    both.apply(&payment("c", "999999999999999.99", &["999999999999999.98", "0.01"])).await;
    assert_eq!(
        both.rows("jodo_receipts", RECEIPT).await,
        [
            "a | 90071992547409.93 | 9007199254740993 | 90071992547409.93 | 9007199254740993 | 0.00 | 0",
            "b | 10000000000000.01 | 1000000000000001 | 10000000000000.01 | 1000000000000001 | 0.00 | 0",
            "c | 999999999999999.99 | 99999999999999999 | 999999999999999.99 | 99999999999999999 | 0.00 | 0",
        ]
    );
    assert_eq!(
        both.rows("jodo_fee_lines", LINE).await,
        [
            "a | HEAD_0 | 90071992547409.93 | 9007199254740993",
            "b | HEAD_0 | 10000000000000.01 | 1000000000000001",
            "c | HEAD_0 | 999999999999999.98 | 99999999999999998",
            "c | HEAD_1 | 0.01 | 1",
        ]
    );
    // More digits than one amount may have.
    let sum = "1100071992547409.93 | 110007199254740993";
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, [format!("UTR1 | {sum} | 4")]);
    assert_eq!(
        both.rows("jodo_student_overview", PUPIL).await,
        [format!("{sum} | {sum} | {sum} | 0.00 | 0")]
    );
    assert_eq!(both.rows("jodo_anomalies", "kind").await, NOTHING);
    both.assert_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_an_amount_is_the_amount() {
    let both = Both::new().await;
    for (id, spelled) in
        [("a", r#""15000""#), ("b", "15000.00"), ("c", "15e3"), ("d", r#" "15000.0" "#), ("e", "15000.000")]
    {
        both.apply(&payment(id, spelled, &[spelled])).await;
    }
    let receipt = |id| format!("{id} | 15000.00 | 1500000 | 15000.00 | 1500000 | 0.00 | 0");
    assert_eq!(both.rows("jodo_receipts", RECEIPT).await, ["a", "b", "c", "d", "e"].map(receipt));
    let line = |id| format!("{id} | HEAD_0 | 15000.00 | 1500000");
    assert_eq!(both.rows("jodo_fee_lines", LINE).await, ["a", "b", "c", "d", "e"].map(line));
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, ["UTR1 | 75000.00 | 7500000 | 5"]);
    both.apply(&payment("f", "1e3", &["10.000", "990"])).await;
    let lines = both.rows("jodo_fee_lines", LINE).await;
    assert_eq!(lines[5..], ["f | HEAD_0 | 10.00 | 1000", "f | HEAD_1 | 990.00 | 99000"]);
    assert_eq!(
        both.rows("jodo_student_overview", "paid settled pending").await,
        ["76000.00 | 76000.00 | 0.00"]
    );
    both.assert_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_paisa_or_a_digit_too_many_is_parked_with_its_path_and_shown_nowhere() {
    let both = Both::new().await;
    let paths = ["payload.payment.amount", "payload.payment.details[1].amount"];
    for odd in ["10.005", r#""10.005""#, "1000000000000000", "1e15", r#""Rs 10""#, "1e-3"] {
        for (body, path) in
            [payment("p", odd, &["10", "10"]), payment("p", "20", &["10", odd])].iter().zip(paths)
        {
            for school in &both.0 {
                let decision = school.receive(body).await;
                assert_eq!(
                    (decision.outcome, decision.reason),
                    (Outcome::Quarantined, Some(Reason::UnreadableAmount))
                );
                assert_eq!(decision.detail.as_deref(), Some(path), "{odd}");
                let parked = (format!("quarantined unreadable_amount {path}"), body.clone());
                assert!(school.stored().await.contains(&parked));
            }
        }
    }
    assert_eq!(both.rows("jodo_receipts", RECEIPT).await, NOTHING);
    assert_eq!(both.rows("jodo_fee_lines", LINE).await, NOTHING);
    assert_eq!(both.rows("jodo_student_overview", PUPIL).await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_below_zero_are_kept_and_subtracted() {
    let both = Both::new().await;
    both.apply(&payment("a", "900.50", &["1000", "-99.50"])).await;
    both.apply(&payment("b", "-0.01", &[r#""-0.01""#])).await;
    both.apply(&payment("c", "-0.00", &["-0"])).await;
    assert_eq!(
        both.rows("jodo_receipts", RECEIPT).await,
        [
            "a | 900.50 | 90050 | 900.50 | 90050 | 0.00 | 0",
            "b | -0.01 | -1 | -0.01 | -1 | 0.00 | 0",
            "c | 0.00 | 0 | 0.00 | 0 | 0.00 | 0",
        ]
    );
    assert_eq!(
        both.rows("jodo_fee_lines", LINE).await,
        [
            "a | HEAD_0 | 1000.00 | 100000",
            "a | HEAD_1 | -99.50 | -9950",
            "b | HEAD_0 | -0.01 | -1",
            "c | HEAD_0 | 0.00 | 0"
        ]
    );
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, ["UTR1 | 900.49 | 90049 | 4"]);
    let pupil = "900.49 | 90049 | 900.49 | 90049 | 900.49 | 90049 | 0.00 | 0";
    assert_eq!(both.rows("jodo_student_overview", PUPIL).await, [pupil]);
    both.assert_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_amount_is_the_sum_of_the_lines_and_unknown_without_them() {
    let both = Both::new().await;
    both.apply(&payment("a", "", &["0.1", "0.2"])).await;
    both.apply(&payment("b", "null", &["5", ""])).await;
    both.apply(&payment("c", r#""""#, &[])).await;
    both.apply(&payment("d", "7.25", &[])).await;
    let amounts = both.rows("jodo_pay_payments", "payment_id amount").await;
    assert_eq!(amounts, ["a | 0.30", "b | -", "c | -", "d | 7.25"]);
    // A receipt counts what is known to have arrived.
    assert_eq!(
        both.rows("jodo_receipts", "payment_id amount amount_paise settled").await,
        ["a | 0.30 | 30 | 0.30", "b | 5.00 | 500 | 5.00", "c | - | - | 0.00", "d | 7.25 | 725 | 0.00"]
    );
    assert_eq!(
        both.rows("jodo_fee_lines", LINE).await,
        [
            "a | HEAD_0 | 0.10 | 10",
            "a | HEAD_1 | 0.20 | 20",
            "b | HEAD_0 | 5.00 | 500",
            "b | HEAD_1 | - | -",
            "c | - | - | -",
            "d | - | 7.25 | 725"
        ]
    );
    assert_eq!(both.rows("jodo_bank_credits", CREDIT).await, ["UTR1 | 5.30 | 530 | 4"]);
    assert_eq!(both.rows("jodo_student_overview", "paid paid_paise").await, ["12.55 | 1255"]);
    both.assert_alike().await;
}
