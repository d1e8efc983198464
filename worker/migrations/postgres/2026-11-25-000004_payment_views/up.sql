-- The same text for every database: tests compare the files, and the rows that the views show. Views `jodo_i_…` are steps
-- on the way to those that docs/VIEWS.md describes.
--
-- A money text is cut out of the digits of the paise: whole rupees without leading zeros, a point, the last two digits.
-- No database rounds that.
DROP VIEW jodo_anomalies;
DROP VIEW jodo_student_overview;
DROP VIEW jodo_manual_payments;
DROP VIEW jodo_students;
DROP VIEW jodo_pupil_keys;

-- Which key a pupil is read under: `jodo:<id>` becomes `erp:<identifier>` where exactly one identifier was ever seen
-- beside that id.
CREATE VIEW jodo_pupil_keys AS
SELECT s.tenant, s.pupil_key, coalesce('erp:' || one.identifier, s.pupil_key) AS read_key
FROM jodo_r_students s
LEFT JOIN (
    SELECT tenant, jodo_student_id, min(identifier) AS identifier
    FROM jodo_s_student_ids
    WHERE identifier <> ''
    GROUP BY tenant, jodo_student_id
    HAVING count(*) = 1
) one ON one.tenant = s.tenant AND one.jodo_student_id = substr(s.pupil_key, 6) AND substr(s.pupil_key, 1, 5) = 'jodo:';

-- One row per pupil named by any event. A clock is 32 characters, so `max(clock || value)` is the newest value.
CREATE VIEW jodo_students AS
SELECT k.tenant,
       k.read_key AS pupil_key,
       substr(max(s.identifier_clock || s.identifier), 33) AS identifier,
       substr(max(s.jodo_student_id_clock || s.jodo_student_id), 33) AS jodo_student_id,
       substr(max(s.custom_identifier_clock || s.custom_identifier), 33) AS custom_identifier,
       substr(max(s.collector_code_clock || s.collector_code), 33) AS collector_code,
       substr(max(s.fullname_clock || s.fullname), 33) AS fullname,
       substr(max(s.grade_code_clock || s.grade_code), 33) AS grade_code,
       substr(max(s.grade_name_clock || s.grade_name), 33) AS grade_name,
       cast(substr(max(s.academic_year_start_clock || s.academic_year_start), 33) AS bigint) AS academic_year_start,
       cast(substr(max(s.academic_year_end_clock || s.academic_year_end), 33) AS bigint) AS academic_year_end,
       substr(max(s.contact_number_clock || s.contact_number), 33) AS contact_number,
       substr(max(s.contact_email_clock || s.contact_email), 33) AS contact_email,
       substr(max(s.notes_clock || s.notes), 33) AS notes,
       CASE WHEN max(s.dropped_clock) > max(s.activated_clock) THEN 'dropped'
            WHEN max(s.activated_clock) > '' OR max(s.registered_clock) > '' THEN 'active'
       END AS enrolment
FROM jodo_pupil_keys k
JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.pupil_key
GROUP BY k.tenant, k.read_key;

-- Payments of every family in one shape. `named_pupil` is whom the payment names, known or not; `standing` is what is known
-- of it without its settlements.
CREATE VIEW jodo_i_ledger AS
SELECT tenant, 'manual' AS family, payment_id, 'manual' AS product, pupil_key AS named_pupil,
       coalesce(cast(amount AS text), cast(details_amount AS text)) AS amount,
       coalesce(amount_paise, details_paise) AS amount_paise,
       mode, transaction_id AS reference, paid_at_utc, paid_on, details_clock,
       CASE WHEN cancelled_clock > '' THEN 'cancelled' ELSE 'recorded' END AS standing,
       '' AS settled_clock, '' AS without_utr_clock,
       CASE WHEN cancelled_clock = '' THEN settlement_utr END AS utr
FROM jodo_r_manual_payments
UNION ALL
SELECT tenant, 'flex', payment_id, 'flex_' || kind, pupil_key,
       coalesce(cast(amount AS text), cast(details_amount AS text)), coalesce(amount_paise, details_paise),
       mode, reference_id, paid_at_utc, paid_on, details_clock,
       CASE WHEN debited_clock > '' OR settled_clock > '' THEN 'paid' ELSE 'bounced' END,
       settled_clock, settled_without_utr_clock, NULL
FROM jodo_r_flex_payments
UNION ALL
SELECT tenant, 'pay', payment_id, 'pay', pupil_key,
       coalesce(cast(amount AS text), cast(details_amount AS text)), coalesce(amount_paise, details_paise),
       mode, NULL, paid_at_utc, paid_on, details_clock, 'paid', settled_clock, settled_without_utr_clock, NULL
FROM jodo_r_pay_payments
UNION ALL
SELECT tenant, 'order', order_id, kind, 'erp:' || identifier, cast(details_amount AS text), details_paise,
       NULL, transaction_id, paid_at_utc, paid_on, details_clock,
       CASE WHEN debited_clock > '' OR settled_clock > '' THEN 'paid' ELSE 'expired' END,
       settled_clock, settled_without_utr_clock, NULL
FROM jodo_r_orders;

-- The lines of each payment's newest list, equal ones numbered.
CREATE VIEW jodo_i_known_lines AS
SELECT p.tenant, p.family, p.payment_id, l.component, l.amount,
       row_number() OVER (PARTITION BY p.tenant, p.family, p.payment_id, l.component, l.amount
                          ORDER BY length(l.n), l.n) AS n
FROM jodo_i_ledger p
JOIN jodo_s_fee_lines l
  ON l.tenant = p.tenant AND l.family = p.family AND l.payment_id = p.payment_id AND l.clock = p.details_clock;

-- The lines that reached the institute, those of equal component and amount numbered.
CREATE VIEW jodo_i_settled_lines AS
SELECT tenant, family, payment_id, component, amount, utr, settled_at_utc, settled_on,
       row_number() OVER (PARTITION BY tenant, family, payment_id, component, amount
                          ORDER BY utr, length(n), n) AS n
FROM jodo_r_settlements;

-- Known lines with their settlements; settlements that fit no known line; payments of which no line is known.
CREATE VIEW jodo_i_lines AS
SELECT x.tenant, x.family, x.payment_id, p.product, p.named_pupil, x.component, x.amount, x.n,
       cast(nullif(replace(x.amount, '.', ''), '') AS bigint) AS amount_paise,
       CASE WHEN x.utr IS NOT NULL OR p.utr IS NOT NULL THEN 'settled' ELSE p.standing END AS state,
       coalesce(x.utr, p.utr) AS utr,
       CASE WHEN x.utr IS NOT NULL THEN x.settled_at_utc WHEN p.utr IS NOT NULL THEN p.paid_at_utc END AS settled_at_utc,
       CASE WHEN x.utr IS NOT NULL THEN x.settled_on WHEN p.utr IS NOT NULL THEN p.paid_on END AS settled_on,
       p.paid_on
FROM (
    SELECT l.tenant, l.family, l.payment_id, l.component, l.amount, l.n, s.utr, s.settled_at_utc, s.settled_on
    FROM jodo_i_known_lines l
    LEFT JOIN jodo_i_settled_lines s
      ON s.tenant = l.tenant AND s.family = l.family AND s.payment_id = l.payment_id AND s.component = l.component
     AND s.amount = l.amount AND s.n = l.n
    UNION ALL
    SELECT s.tenant, s.family, s.payment_id, s.component, s.amount, s.n, s.utr, s.settled_at_utc, s.settled_on
    FROM jodo_i_settled_lines s
    LEFT JOIN jodo_i_known_lines l
      ON l.tenant = s.tenant AND l.family = s.family AND l.payment_id = s.payment_id AND l.component = s.component
     AND l.amount = s.amount AND l.n = s.n
    WHERE l.n IS NULL
    UNION ALL
    SELECT p.tenant, p.family, p.payment_id, '', coalesce(p.amount, ''), 1, NULL, NULL, NULL
    FROM jodo_i_ledger p
    WHERE NOT EXISTS (SELECT 1 FROM jodo_s_fee_lines l
                      WHERE l.tenant = p.tenant AND l.family = p.family AND l.payment_id = p.payment_id
                        AND l.clock = p.details_clock)
      AND NOT EXISTS (SELECT 1 FROM jodo_r_settlements s
                      WHERE s.tenant = p.tenant AND s.family = p.family AND s.payment_id = p.payment_id)
) x
JOIN jodo_i_ledger p ON p.tenant = x.tenant AND p.family = x.family AND p.payment_id = x.payment_id;

-- `|| ''` keeps SQLite from guessing that one tenant has few lines, and joining them line by line.
CREATE VIEW jodo_fee_lines AS
SELECT l.tenant || '' AS tenant, l.product, l.payment_id, k.read_key AS pupil_key, s.identifier,
       nullif(l.component, '') AS component, l.n, nullif(l.amount, '') AS amount, l.amount_paise, l.state, l.utr, l.settled_at_utc, l.settled_on, l.paid_on
FROM jodo_i_lines l
LEFT JOIN jodo_pupil_keys k ON k.tenant = l.tenant AND k.pupil_key = l.named_pupil
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

-- Payments with the sum of what was settled, and their state: the facts, and whether every line has its bank transfer.
CREATE VIEW jodo_i_payment_states AS
SELECT p.tenant, p.family, p.payment_id, p.product, k.read_key AS pupil_key, s.identifier, p.amount, p.amount_paise,
       p.mode, p.reference, p.paid_at_utc, p.paid_on, p.standing, p.settled_clock, p.without_utr_clock,
       t.settled_lines, t.open_lines, t.settled_paise,
       CASE WHEN p.family = 'manual' THEN p.standing
            WHEN p.settled_clock > '' OR t.settled_lines > 0
            THEN CASE WHEN t.settled_lines = 0 THEN 'settled_without_utr'
                      WHEN t.open_lines = 0 THEN 'settled'
                      ELSE 'partly_settled' END
            ELSE p.standing
       END AS state
FROM jodo_i_ledger p
JOIN (
    SELECT tenant, family, payment_id,
           sum(CASE WHEN state = 'settled' THEN 1 ELSE 0 END) AS settled_lines,
           sum(CASE WHEN state = 'settled' THEN 0 ELSE 1 END) AS open_lines,
           cast(sum(CASE WHEN state = 'settled' THEN amount_paise END) AS bigint) AS settled_paise
    FROM jodo_i_lines
    GROUP BY tenant, family, payment_id
) t ON t.tenant = p.tenant AND t.family = p.family AND t.payment_id = p.payment_id
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.named_pupil
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

CREATE VIEW jodo_manual_payments AS
SELECT p.tenant, p.payment_id, k.read_key AS pupil_key, s.identifier, t.amount, t.amount_paise, p.mode, p.transaction_id,
       p.settlement_utr, p.notes, p.paid_at, p.paid_at_utc, p.paid_on, p.details, t.standing AS state
FROM jodo_r_manual_payments p
JOIN jodo_i_ledger t ON t.tenant = p.tenant AND t.family = 'manual' AND t.payment_id = p.payment_id
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

CREATE VIEW jodo_flex_payments AS
SELECT p.tenant, p.payment_id, p.kind, p.subscription_id, t.pupil_key, t.identifier, t.state, t.amount, t.amount_paise,
       coalesce(t.settled_paise, 0) AS settled_paise, p.reference_id, p.product AS jodo_product, p.mode, p.paid_at, p.paid_at_utc,
       p.paid_on, p.bounced_on, p.details
FROM jodo_r_flex_payments p
JOIN jodo_i_payment_states t ON t.tenant = p.tenant AND t.family = 'flex' AND t.payment_id = p.payment_id;

CREATE VIEW jodo_pay_payments AS
SELECT p.tenant, p.payment_id, t.pupil_key, t.identifier, t.state, t.amount, t.amount_paise,
       coalesce(t.settled_paise, 0) AS settled_paise, p.product AS jodo_product, p.mode, p.paid_at,
       p.paid_at_utc, p.paid_on, p.details
FROM jodo_r_pay_payments p
JOIN jodo_i_payment_states t ON t.tenant = p.tenant AND t.family = 'pay' AND t.payment_id = p.payment_id;

CREATE VIEW jodo_orders AS
SELECT p.tenant, p.order_id, p.kind, t.pupil_key, p.identifier, t.state, t.amount, t.amount_paise,
       coalesce(t.settled_paise, 0) AS settled_paise, p.name, p.phone, p.email, p.student_name, p.custom_identifier,
       p.date_of_birth, p.grade, p.new_admission, p.academic_year_start, p.academic_year_end, p.transaction_id,
       p.status, p.notes, p.paid_at, p.paid_at_utc, p.paid_on, p.details
FROM jodo_r_orders p
JOIN jodo_i_payment_states t ON t.tenant = p.tenant AND t.family = 'order' AND t.payment_id = p.order_id;

CREATE VIEW jodo_disbursements AS
SELECT d.tenant, d.disbursement_id, d.application_id, k.read_key AS pupil_key, s.identifier,
       CASE WHEN d.disbursed_clock > '' THEN 'disbursed' ELSE 'planned' END AS state,
       d.planned_on, cast(d.amount AS text) AS amount, d.amount_paise, d.disbursed_on,
       cast(d.disbursed_amount AS text) AS disbursed_amount, d.disbursed_amount_paise
FROM jodo_r_disbursements d
LEFT JOIN jodo_pupil_keys k ON k.tenant = d.tenant AND k.pupil_key = d.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key;

CREATE VIEW jodo_receipts AS
SELECT r.tenant, r.product, r.payment_id, r.counts_as, r.pupil_key, r.identifier, r.state, r.mode, r.reference,
       r.paid_at_utc, r.paid_on,
       CASE WHEN r.amount_paise < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(r.amount_paise) AS text), 1, length(cast(abs(r.amount_paise) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(r.amount_paise) AS text), length(cast(abs(r.amount_paise) AS text)) + 1) AS amount,
       r.amount_paise,
       CASE WHEN r.settled_paise < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(r.settled_paise) AS text), 1, length(cast(abs(r.settled_paise) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(r.settled_paise) AS text), length(cast(abs(r.settled_paise) AS text)) + 1) AS settled,
       r.settled_paise,
       CASE WHEN r.pending_paise < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(r.pending_paise) AS text), 1, length(cast(abs(r.pending_paise) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(r.pending_paise) AS text), length(cast(abs(r.pending_paise) AS text)) + 1) AS pending,
       r.pending_paise
FROM (
    SELECT tenant, product, payment_id, 'fee' AS counts_as, pupil_key, identifier, state, mode, reference, paid_at_utc,
           paid_on, coalesce(amount_paise, settled_paise) AS amount_paise,
           coalesce(settled_paise, 0) AS settled_paise,
           coalesce(amount_paise, settled_paise, 0) - coalesce(settled_paise, 0) AS pending_paise
    FROM jodo_i_payment_states
    WHERE family <> 'manual' AND (standing = 'paid' OR settled_lines > 0)
    UNION ALL
    SELECT tenant, product, payment_id, 'manual', pupil_key, identifier, state, mode, reference, paid_at_utc, paid_on,
           amount_paise, coalesce(amount_paise, 0), 0
    FROM jodo_i_payment_states
    WHERE family = 'manual' AND standing = 'recorded'
    UNION ALL
    SELECT tenant, 'loan', disbursement_id, 'loan_disbursement', pupil_key, identifier, state, NULL, NULL, NULL,
           disbursed_on, coalesce(disbursed_amount_paise, amount_paise),
           coalesce(disbursed_amount_paise, amount_paise, 0), 0
    FROM jodo_disbursements
    WHERE state = 'disbursed'
) r;

CREATE VIEW jodo_unmatched_receipts AS
SELECT r.tenant, r.product, r.payment_id, r.counts_as, r.mode, r.reference, o.name AS payer_name, o.phone AS payer_phone,
       o.email AS payer_email, o.identifier AS payer_identifier, o.student_name AS learner_name, r.paid_on, r.amount,
       r.amount_paise
FROM jodo_receipts r
LEFT JOIN jodo_r_orders o
  ON o.tenant = r.tenant AND o.order_id = r.payment_id AND r.product IN ('order', 'page', 'payment_link')
WHERE r.pupil_key IS NULL;

CREATE VIEW jodo_bank_credits AS
SELECT c.tenant, c.utr, c.credited_on,
       CASE WHEN c.amount_paise < 0 THEN '-' ELSE '' END
           || cast(cast(substr('00' || cast(abs(c.amount_paise) AS text), 1, length(cast(abs(c.amount_paise) AS text))) AS bigint) AS text)
           || '.' || substr('00' || cast(abs(c.amount_paise) AS text), length(cast(abs(c.amount_paise) AS text)) + 1) AS amount,
       c.amount_paise,
       c.lines, c.manual_lines
FROM (
    SELECT tenant, utr, max(settled_on) AS credited_on, cast(sum(amount_paise) AS bigint) AS amount_paise,
           count(*) AS lines, sum(CASE WHEN family = 'manual' THEN 1 ELSE 0 END) AS manual_lines
    FROM jodo_i_lines
    WHERE state = 'settled'
    GROUP BY tenant, utr
) c;
