-- The same text for every database, as the views before.
CREATE VIEW jodo_mandates AS
SELECT m.tenant, m.mandate_id, m.subscription_id, k.read_key AS pupil_key, s.identifier,
       CASE WHEN m.cancelled_clock > m.expired_clock THEN 'cancelled' ELSE 'expired' END AS state,
       m.status, m.npci_category_code, m.end_date
FROM jodo_r_mandates m
LEFT JOIN jodo_pupil_keys k ON k.tenant = m.tenant AND k.pupil_key = m.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

-- The mandate of each plan that ended last, and when.
CREATE VIEW jodo_i_ended_mandates AS
SELECT tenant, subscription_id, mandate_id, state, ended_clock
FROM (
    SELECT tenant, subscription_id, mandate_id, state, ended_clock,
           row_number() OVER (PARTITION BY tenant, subscription_id ORDER BY ended_clock DESC) AS place
    FROM (
        SELECT tenant, subscription_id, mandate_id,
               CASE WHEN cancelled_clock > expired_clock THEN 'cancelled' ELSE 'expired' END AS state,
               CASE WHEN cancelled_clock > expired_clock THEN cancelled_clock ELSE expired_clock END AS ended_clock
        FROM jodo_r_mandates
        WHERE subscription_id IS NOT NULL
    ) ends
) newest
WHERE place = 1;

-- Plans with their state: cancelled and closed outrank active, that outranks set up. `ended_clock` and `began_clock` are the
-- newest of either kind.
CREATE VIEW jodo_i_plan_states AS
SELECT tenant, subscription_id, pupil_key, pupil_clock, active_clock, cancelled_clock, closed_clock,
       CASE WHEN cancelled_clock > closed_clock THEN cancelled_clock ELSE closed_clock END AS ended_clock,
       CASE WHEN active_clock > set_up_clock THEN active_clock ELSE set_up_clock END AS began_clock,
       CASE WHEN cancelled_clock > closed_clock THEN 'cancelled'
            WHEN closed_clock > '' THEN 'closed'
            WHEN active_clock > '' THEN 'active'
            WHEN set_up_clock > '' THEN 'set_up'
            ELSE 'unknown'
       END AS state
FROM jodo_r_subscriptions;

-- A mandate that ended counts until the plan is set up or activated afresh.
CREATE VIEW jodo_subscriptions AS
SELECT p.tenant, p.subscription_id, k.read_key AS pupil_key, s.identifier, t.state, p.status, p.schedule,
       cast(p.schedule_total AS text) AS schedule_total, p.schedule_total_paise,
       CASE WHEN substr(m.ended_clock, 1, 12) >= substr(t.began_clock, 1, 12) THEN m.state
            WHEN t.state = 'active' THEN 'valid'
       END AS mandate,
       CASE WHEN substr(m.ended_clock, 1, 12) >= substr(t.began_clock, 1, 12) THEN m.mandate_id END AS mandate_id
FROM jodo_r_subscriptions p
JOIN jodo_i_plan_states t ON t.tenant = p.tenant AND t.subscription_id = p.subscription_id
LEFT JOIN jodo_i_ended_mandates m ON m.tenant = p.tenant AND m.subscription_id = p.subscription_id
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

CREATE VIEW jodo_plan_instalments AS
SELECT p.tenant, p.subscription_id, k.read_key AS pupil_key, s.identifier, cast(l.n AS bigint) AS n,
       nullif(l.due_date, '') AS due_on, nullif(l.amount, '') AS amount,
       cast(nullif(replace(l.amount, '.', ''), '') AS bigint) AS amount_paise
FROM jodo_r_subscriptions p
JOIN jodo_s_schedule_lines l
  ON l.tenant = p.tenant AND l.subscription_id = p.subscription_id AND l.clock = p.schedule_clock
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

-- Loans with their state. An end outranks every step up to the approval; against the signature the later counts; money
-- that was paid out, as the loan's events or one of its tranches says, stays so.
CREATE VIEW jodo_i_loan_states AS
SELECT tenant, application_id, pupil_key, pupil_clock, disbursed_clock, ended_clock, ended_as,
       CASE WHEN disbursed_clock > '' THEN 'disbursed'
            WHEN ended_clock > agreement_signed_clock THEN ended_as
            WHEN agreement_signed_clock > '' THEN 'agreement_signed'
            WHEN final_approved_clock > '' THEN 'final_approved'
            WHEN filled_clock > '' THEN 'filled'
            WHEN started_clock > '' THEN 'started'
            ELSE 'unknown'
       END AS state
FROM (
    SELECT l.tenant, l.application_id, l.pupil_key, l.pupil_clock, l.agreement_signed_clock, l.final_approved_clock,
           l.filled_clock, l.started_clock,
           CASE WHEN d.disbursed_clock > l.disbursed_clock THEN d.disbursed_clock ELSE l.disbursed_clock
           END AS disbursed_clock,
           CASE WHEN l.rejected_clock >= l.canceled_clock AND l.rejected_clock >= l.expired_clock THEN l.rejected_clock
                WHEN l.canceled_clock >= l.expired_clock THEN l.canceled_clock
                ELSE l.expired_clock
           END AS ended_clock,
           CASE WHEN l.rejected_clock >= l.canceled_clock AND l.rejected_clock >= l.expired_clock THEN 'rejected'
                WHEN l.canceled_clock >= l.expired_clock THEN 'canceled'
                ELSE 'expired'
           END AS ended_as
    FROM jodo_r_loans l
    LEFT JOIN (
        SELECT tenant, application_id, max(disbursed_clock) AS disbursed_clock
        FROM jodo_r_disbursements
        GROUP BY tenant, application_id
    ) d ON d.tenant = l.tenant AND d.application_id = l.application_id
) ends;

CREATE VIEW jodo_loans AS
SELECT p.tenant, p.application_id, k.read_key AS pupil_key, s.identifier, t.state, p.status, cast(p.amount AS text) AS amount,
       p.amount_paise, p.agreement_signed_at, p.agreement_signed_at_utc, p.agreement_signed_on
FROM jodo_r_loans p
JOIN jodo_i_loan_states t ON t.tenant = p.tenant AND t.application_id = p.application_id
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

CREATE VIEW jodo_loan_repayments AS
SELECT e.tenant, e.payment_id, e.application_id, k.read_key AS pupil_key, s.identifier, cast(e.amount AS text) AS amount,
       e.amount_paise, e.due_on, e.paid_at, e.paid_at_utc, e.paid_on
FROM jodo_r_emis e
LEFT JOIN jodo_pupil_keys k ON k.tenant = e.tenant AND k.pupil_key = e.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

-- Of several plans or loans of a pupil the one that goes on counts, else the one that was heard of last.
CREATE VIEW jodo_student_overview AS
SELECT s.tenant, s.pupil_key, s.identifier, s.fullname AS name, coalesce(s.grade_name, s.grade_code) AS grade, s.enrolment,
       plan.state AS plan, plan.schedule_total AS plan_total, plan.schedule_total_paise AS plan_total_paise, plan.mandate,
       loan.state AS loan,
       CASE WHEN coalesce(m.fees_paid_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.fees_paid_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.fees_paid_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.fees_paid_paise, 0)) AS text), length(cast(abs(coalesce(m.fees_paid_paise, 0)) AS text)) + 1) AS fees_paid,
       coalesce(m.fees_paid_paise, 0) AS fees_paid_paise,
       CASE WHEN coalesce(m.manual_paid_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.manual_paid_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.manual_paid_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.manual_paid_paise, 0)) AS text), length(cast(abs(coalesce(m.manual_paid_paise, 0)) AS text)) + 1) AS manual_paid,
       coalesce(m.manual_paid_paise, 0) AS manual_paid_paise,
       CASE WHEN coalesce(m.loan_paid_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.loan_paid_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.loan_paid_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.loan_paid_paise, 0)) AS text), length(cast(abs(coalesce(m.loan_paid_paise, 0)) AS text)) + 1) AS loan_paid,
       coalesce(m.loan_paid_paise, 0) AS loan_paid_paise,
       CASE WHEN coalesce(m.paid_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.paid_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.paid_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.paid_paise, 0)) AS text), length(cast(abs(coalesce(m.paid_paise, 0)) AS text)) + 1) AS paid,
       coalesce(m.paid_paise, 0) AS paid_paise,
       CASE WHEN coalesce(m.settled_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.settled_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.settled_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.settled_paise, 0)) AS text), length(cast(abs(coalesce(m.settled_paise, 0)) AS text)) + 1) AS settled,
       coalesce(m.settled_paise, 0) AS settled_paise,
       CASE WHEN coalesce(m.pending_paise, 0) < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(coalesce(m.pending_paise, 0)) AS text), 1, length(cast(abs(coalesce(m.pending_paise, 0)) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(coalesce(m.pending_paise, 0)) AS text), length(cast(abs(coalesce(m.pending_paise, 0)) AS text)) + 1) AS pending,
       coalesce(m.pending_paise, 0) AS pending_paise
FROM jodo_students s
LEFT JOIN (
    SELECT v.tenant, v.pupil_key, v.state, v.schedule_total, v.schedule_total_paise, v.mandate,
           row_number() OVER (
               PARTITION BY v.tenant, v.pupil_key
               ORDER BY CASE v.state WHEN 'active' THEN 0 WHEN 'set_up' THEN 1 WHEN 'unknown' THEN 3 ELSE 2 END,
                        t.pupil_clock DESC, v.subscription_id DESC) AS place
    FROM jodo_subscriptions v
    JOIN jodo_i_plan_states t ON t.tenant = v.tenant AND t.subscription_id = v.subscription_id
    WHERE v.pupil_key IS NOT NULL
) plan ON plan.tenant = s.tenant AND plan.pupil_key = s.pupil_key AND plan.place = 1
LEFT JOIN (
    SELECT v.tenant, v.pupil_key, v.state,
           row_number() OVER (
               PARTITION BY v.tenant, v.pupil_key
               ORDER BY CASE WHEN v.state IN ('agreement_signed', 'disbursed') THEN 0
                             WHEN v.state IN ('started', 'filled', 'final_approved') THEN 1
                             WHEN v.state = 'unknown' THEN 3
                             ELSE 2 END,
                        t.pupil_clock DESC, v.application_id DESC) AS place
    FROM jodo_loans v
    JOIN jodo_i_loan_states t ON t.tenant = v.tenant AND t.application_id = v.application_id
    WHERE v.pupil_key IS NOT NULL
) loan ON loan.tenant = s.tenant AND loan.pupil_key = s.pupil_key AND loan.place = 1
LEFT JOIN (
    SELECT tenant, pupil_key,
           cast(sum(CASE WHEN counts_as = 'fee' THEN amount_paise END) AS bigint) AS fees_paid_paise,
           cast(sum(CASE WHEN counts_as = 'manual' THEN amount_paise END) AS bigint) AS manual_paid_paise,
           cast(sum(CASE WHEN counts_as = 'loan_disbursement' THEN amount_paise END) AS bigint) AS loan_paid_paise,
           cast(sum(amount_paise) AS bigint) AS paid_paise,
           cast(sum(settled_paise) AS bigint) AS settled_paise,
           cast(sum(pending_paise) AS bigint) AS pending_paise
    FROM jodo_receipts
    GROUP BY tenant, pupil_key
) m ON m.tenant = s.tenant AND m.pupil_key = s.pupil_key;
