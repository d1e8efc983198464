-- A manual payment's receipt needs none of its lines. Joined with the lines of all payments nevertheless, and by the tenant
-- alone, as PostgreSQL chose to, the view took minutes in a large group.
DROP VIEW jodo_receipts;
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
    SELECT p.tenant, p.product, p.payment_id, 'manual', k.read_key, s.identifier, p.standing, p.mode, p.reference,
           p.paid_at_utc, p.paid_on, p.amount_paise, coalesce(p.amount_paise, 0), 0
    FROM jodo_i_ledger p
    LEFT JOIN jodo_pupil_keys k ON k.tenant = p.tenant AND k.pupil_key = p.named_pupil
    LEFT JOIN jodo_r_students s ON s.tenant = k.tenant AND s.pupil_key = k.read_key
    WHERE p.family = 'manual' AND p.standing = 'recorded'
    UNION ALL
    SELECT tenant, 'loan', disbursement_id, 'loan_disbursement', pupil_key, identifier, state, NULL, NULL, NULL,
           disbursed_on, coalesce(disbursed_amount_paise, amount_paise),
           coalesce(disbursed_amount_paise, amount_paise, 0), 0
    FROM jodo_disbursements
    WHERE state = 'disbursed'
) r;
