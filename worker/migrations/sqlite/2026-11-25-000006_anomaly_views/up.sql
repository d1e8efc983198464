-- The same text for every database, as the views before.
--
-- What a person should look at (docs/VIEWS.md). Each kind names up to two clocks; the later one gives the time. A list that
-- only a settlement, cancellation or expiry supplied has a clock of second 0 and may be a part of the whole.
CREATE VIEW jodo_anomalies AS
SELECT a.kind, a.tenant, a.subject, a.detail,
       nullif(substr(a.later, 17), '') AS clock_key,
       nullif(substr(a.earlier, 17), '') AS earlier_clock_key,
       nullif(cast(nullif(substr(a.later, 1, 12), '') AS bigint), 0) AS event_time
FROM (
    SELECT kind, tenant, subject, detail,
           CASE WHEN one > other THEN one ELSE other END AS later,
           CASE WHEN one > other THEN other ELSE one END AS earlier
    FROM (
        SELECT 'lines_differ' AS kind, tenant, payment_id AS subject, 'manual' AS detail,
               details_clock AS one, amount_clock AS other
        FROM jodo_r_manual_payments
        WHERE details_paise <> amount_paise AND details_clock >= '000000000001'
        UNION ALL
        SELECT 'lines_differ', tenant, payment_id, 'flex', details_clock, amount_clock
        FROM jodo_r_flex_payments
        WHERE details_paise <> amount_paise AND details_clock >= '000000000001'
        UNION ALL
        SELECT 'lines_differ', tenant, payment_id, 'pay', details_clock, amount_clock
        FROM jodo_r_pay_payments
        WHERE details_paise <> amount_paise AND details_clock >= '000000000001'
        UNION ALL
        SELECT 'settled_more_than_paid', tenant, payment_id, family, settled_clock, ''
        FROM jodo_i_payment_states
        WHERE family <> 'manual' AND settled_paise > amount_paise
        UNION ALL
        SELECT 'settled_without_utr', tenant, payment_id, family, without_utr_clock, ''
        FROM jodo_i_payment_states
        WHERE without_utr_clock > '' AND (settled_lines = 0 OR open_lines > 0)
        UNION ALL
        SELECT 'bounced_after_debit', tenant, payment_id, 'flex', bounced_clock, debited_clock
        FROM jodo_r_flex_payments
        WHERE debited_clock > '' AND bounced_clock > debited_clock
        UNION ALL
        SELECT 'paid_after_expiry', tenant, order_id, kind, expired_clock,
               CASE WHEN settled_clock > debited_clock THEN settled_clock ELSE debited_clock END
        FROM jodo_r_orders
        WHERE expired_clock > '' AND (debited_clock > '' OR settled_clock > '')
        UNION ALL
        SELECT 'changed_after_cancellation', tenant, payment_id, 'manual', cancelled_clock,
               CASE WHEN updated_clock > added_clock THEN updated_clock ELSE added_clock END
        FROM jodo_r_manual_payments
        WHERE cancelled_clock > '' AND (updated_clock > cancelled_clock OR added_clock > cancelled_clock)
        UNION ALL
        SELECT 'plan_cancelled_and_closed', tenant, subscription_id, NULL, cancelled_clock, closed_clock
        FROM jodo_i_plan_states
        WHERE cancelled_clock > '' AND closed_clock > ''
        UNION ALL
        SELECT 'plan_active_after_end', tenant, subscription_id, NULL, active_clock, ended_clock
        FROM jodo_i_plan_states
        WHERE ended_clock > '' AND active_clock > ended_clock
        UNION ALL
        SELECT 'debit_after_plan_end', f.tenant, f.payment_id, f.subscription_id, f.debited_clock, p.ended_clock
        FROM jodo_r_flex_payments f
        JOIN jodo_i_plan_states p ON p.tenant = f.tenant AND p.subscription_id = f.subscription_id
        WHERE p.ended_clock > '' AND substr(f.debited_clock, 1, 12) > substr(p.ended_clock, 1, 12)
        UNION ALL
        SELECT 'loan_ended_after_disbursal', tenant, application_id, ended_as, ended_clock, disbursed_clock
        FROM jodo_i_loan_states
        WHERE ended_clock > '' AND disbursed_clock > ''
        UNION ALL
        SELECT 'repayment_of_ended_loan', e.tenant, e.payment_id, e.application_id, e.debited_clock, l.ended_clock
        FROM jodo_r_emis e
        JOIN jodo_i_loan_states l ON l.tenant = e.tenant AND l.application_id = e.application_id
        WHERE l.state IN ('rejected', 'canceled', 'expired')
    ) clocks
) a
UNION ALL
-- An event that was not decided yet (no digest) is not compared.
SELECT 'event_id_reused', e.tenant, e.event_id, e.code, substr(e.delivery_key, 1, 16), NULL, e.event_time
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
SELECT 'jodo_id_ambiguous', i.tenant, i.jodo_student_id, i.identifier, NULL, NULL, NULL
FROM jodo_s_student_ids i
JOIN (
    SELECT tenant, jodo_student_id
    FROM jodo_s_student_ids
    WHERE identifier <> ''
    GROUP BY tenant, jodo_student_id
    HAVING count(*) > 1
) a ON a.tenant = i.tenant AND a.jodo_student_id = i.jodo_student_id
WHERE i.identifier <> '';
