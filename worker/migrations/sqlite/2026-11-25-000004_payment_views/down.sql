DROP VIEW jodo_bank_credits;
DROP VIEW jodo_unmatched_receipts;
DROP VIEW jodo_receipts;
DROP VIEW jodo_disbursements;
DROP VIEW jodo_orders;
DROP VIEW jodo_pay_payments;
DROP VIEW jodo_flex_payments;
DROP VIEW jodo_manual_payments;
DROP VIEW jodo_i_payment_states;
DROP VIEW jodo_fee_lines;
DROP VIEW jodo_i_lines;
DROP VIEW jodo_i_settled_lines;
DROP VIEW jodo_i_known_lines;
DROP VIEW jodo_i_ledger;
DROP VIEW jodo_students;
DROP VIEW jodo_pupil_keys;

-- Which key a pupil is read under: `jodo:<id>` becomes `erp:<identifier>` where exactly one identifier was ever seen
-- beside that id.
CREATE VIEW jodo_pupil_keys AS
SELECT s.tenant,
       s.pupil_key,
       CASE WHEN one.identifier IS NULL THEN s.pupil_key ELSE 'erp:' || one.identifier END AS read_key
FROM jodo_r_students s
LEFT JOIN (
    SELECT tenant, jodo_student_id, min(identifier) AS identifier
    FROM jodo_s_student_ids
    WHERE identifier <> ''
    GROUP BY tenant, jodo_student_id
    HAVING count(*) = 1
) one ON one.tenant = s.tenant AND s.pupil_key = 'jodo:' || one.jodo_student_id;

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

CREATE VIEW jodo_manual_payments AS
SELECT p.tenant,
       p.payment_id,
       coalesce(k.read_key, p.pupil_key) AS pupil_key,
       s.identifier,
       p.amount,
       p.amount_paise,
       p.mode,
       p.transaction_id,
       p.settlement_utr,
       p.notes,
       p.paid_at,
       p.paid_at_utc,
       p.paid_on,
       p.details,
       CASE WHEN p.cancelled_clock > '' THEN 'cancelled' ELSE 'recorded' END AS state
FROM jodo_r_manual_payments p
LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.pupil_key
LEFT JOIN jodo_r_students s ON s.tenant = p.tenant AND s.pupil_key = k.read_key;

-- One line per pupil: who, and what was paid by hand. Sums are over paise; the text beside them is cut out of their
-- digits, which no database rounds.
CREATE VIEW jodo_student_overview AS
SELECT t.tenant,
       t.pupil_key,
       t.identifier,
       t.name,
       t.grade,
       t.enrolment,
       t.payments AS manual_payments,
       t.paise AS manual_paid_paise,
       CASE WHEN t.paise < 0 THEN '-' ELSE '' END
           || CASE WHEN length(t.digits) = 1 THEN '0.0' || t.digits
                   WHEN length(t.digits) = 2 THEN '0.' || t.digits
                   ELSE substr(t.digits, 1, length(t.digits) - 2) || '.' || substr(t.digits, length(t.digits) - 1)
              END AS manual_paid
FROM (
    SELECT s.tenant,
           s.pupil_key,
           s.identifier,
           s.fullname AS name,
           s.grade_name AS grade,
           s.enrolment,
           coalesce(p.payments, 0) AS payments,
           coalesce(p.paise, 0) AS paise,
           cast(abs(coalesce(p.paise, 0)) AS text) AS digits
    FROM jodo_students s
    LEFT JOIN (
        SELECT tenant, pupil_key, count(*) AS payments, sum(amount_paise) AS paise
        FROM jodo_manual_payments
        WHERE state = 'recorded'
        GROUP BY tenant, pupil_key
    ) p ON p.tenant = s.tenant AND p.pupil_key = s.pupil_key
) t;

-- What a person should look at. An event that was not decided yet (no digest) is not compared.
-- `clock_key` is the 16-digit key at the end of a clock; `jodo-sync events show` takes it.
CREATE VIEW jodo_anomalies AS
SELECT 'event_id_reused' AS kind,
       e.tenant,
       e.event_id AS subject,
       e.code AS detail,
       substr(e.delivery_key, 1, 16) AS clock_key,
       e.event_time
FROM jodo_events e
JOIN (
    SELECT source, event_id
    FROM jodo_events
    WHERE event_id IS NOT NULL AND payload_digest IS NOT NULL
    GROUP BY source, event_id
    HAVING min(coalesce(code, '')) <> max(coalesce(code, '')) OR min(payload_digest) <> max(payload_digest)
) r ON r.source = e.source AND r.event_id = e.event_id
WHERE e.payload_digest IS NOT NULL
UNION ALL
SELECT 'jodo_id_ambiguous', i.tenant, i.jodo_student_id, i.identifier, NULL, NULL
FROM jodo_s_student_ids i
JOIN (
    SELECT tenant, jodo_student_id
    FROM jodo_s_student_ids
    WHERE identifier <> ''
    GROUP BY tenant, jodo_student_id
    HAVING count(*) > 1
) a ON a.tenant = i.tenant AND a.jodo_student_id = i.jodo_student_id
WHERE i.identifier <> ''
UNION ALL
SELECT 'manual_payment_lines_differ',
       p.tenant,
       p.payment_id,
       'the fee lines do not add up to the amount',
       substr(CASE WHEN p.details_clock > p.amount_clock THEN p.details_clock ELSE p.amount_clock END, 17),
       nullif(cast(substr(CASE WHEN p.details_clock > p.amount_clock THEN p.details_clock ELSE p.amount_clock END, 1, 12)
           AS bigint), 0)
FROM jodo_r_manual_payments p
WHERE p.details_paise <> p.amount_paise;
