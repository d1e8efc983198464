//! What the views show now, one line per record.

use jodo_worker::store::inspect::AnyRow;

use super::effects::noun;
use super::record::{Record, cell};
use super::subject::Subject;
use super::values::number_of;
use super::views::Views;

/// Columns of the records' views that are told after the state, and the words before each.
const COLUMNS: &[(&str, &str)] = &[
    ("amount", "amount "),
    ("schedule_total", "in all "),
    ("paid_on", "paid on "),
    ("mandate", "mandate "),
    ("planned_on", "planned for "),
    ("disbursed_amount", "paid out "),
    ("disbursed_on", "paid out on "),
    ("due_on", "due on "),
    ("end_date", "ended on "),
];

/// The account of the pupil, then every record.
pub(super) fn in_words(subject: &Subject, views: &Views) -> Vec<String> {
    let accounts = views.of("jodo_student_overview").iter().map(account);
    let records = subject.records.iter().filter_map(|record| {
        let row = views.record(record)?;
        Some(of_record(record, row, views.receipt(record)))
    });
    accounts.chain(records).collect()
}

/// `pupil GVS/2026/0417: active; plan active, 62000.00 in all, mandate valid; paid 30000.00, settled 30000.00, pending 0.00`.
fn account(row: &AnyRow) -> String {
    let text = |column| cell(row, column);
    let mut parts: Vec<String> = text("enrolment").map(str::to_owned).into_iter().collect();
    if let Some(plan) = text("plan") {
        let total = text("plan_total").map(|total| format!(", {total} in all"));
        let mandate = text("mandate").map(|mandate| format!(", mandate {mandate}"));
        let plan = plan.replace('_', " ");
        parts.push(format!("plan {plan}{}{}", total.unwrap_or_default(), mandate.unwrap_or_default()));
    }
    parts.extend(text("loan").map(|loan| format!("loan {}", loan.replace('_', " "))));
    parts.push(sums(row, "paid"));
    format!("pupil {}: {}", number_of(text("pupil_key").unwrap_or_default()), parts.join("; "))
}

/// `payment flex_661204: settled, amount 22000.00; settled 22000.00, pending 0.00`.
fn of_record(record: &Record, row: &AnyRow, receipt: Option<&AnyRow>) -> String {
    let state = cell(row, "state").map(|state| state.replace('_', " "));
    let columns =
        COLUMNS.iter().filter_map(|(column, before)| Some(format!("{before}{}", cell(row, column)?)));
    let told: Vec<_> = state.into_iter().chain(columns).collect();
    let income = receipt.map(|receipt| format!("; {}", sums(receipt, ""))).unwrap_or_default();
    format!("{} {}: {}{income}", noun(record.entity), record.key, told.join(", "))
}

/// `paid 30000.00, settled 30000.00, pending 0.00`, as far as they are known.
fn sums(row: &AnyRow, paid: &'static str) -> String {
    let columns = [paid, "settled", "pending"];
    let told = columns.iter().filter_map(|column| Some(format!("{column} {}", cell(row, column)?)));
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use jodo_worker::entities::FLEX_PAYMENTS;

    use super::*;

    fn row(cells: &[(&str, &str)]) -> AnyRow {
        cells.iter().map(|(column, text)| ((*column).to_owned(), Some((*text).to_owned()))).collect()
    }

    #[test]
    fn an_account_tells_plan_loan_and_money() {
        let overview = row(&[
            ("pupil_key", "erp:GVS/2026/0417"),
            ("enrolment", "active"),
            ("plan", "set_up"),
            ("plan_total", "62000.00"),
            ("loan", "final_approved"),
            ("paid", "30000.00"),
            ("settled", "8000.00"),
            ("pending", "22000.00"),
        ]);
        assert_eq!(
            account(&overview),
            "pupil GVS/2026/0417: active; plan set up, 62000.00 in all; loan final approved; \
             paid 30000.00, settled 8000.00, pending 22000.00"
        );
    }

    #[test]
    fn a_record_that_is_income_tells_what_of_it_is_settled() {
        let record = Record { entity: &FLEX_PAYMENTS, key: "flex_66".to_owned() };
        let payment = row(&[("state", "partly_settled"), ("amount", "10.00")]);
        assert_eq!(of_record(&record, &payment, None), "payment flex_66: partly settled, amount 10.00");
        let receipt = row(&[("settled", "4.00"), ("pending", "6.00")]);
        assert_eq!(
            of_record(&record, &payment, Some(&receipt)),
            "payment flex_66: partly settled, amount 10.00; settled 4.00, pending 6.00"
        );
    }
}
