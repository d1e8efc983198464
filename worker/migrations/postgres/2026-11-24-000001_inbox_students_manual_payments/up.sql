-- The inbox: one row per delivery, with its bytes and how it ended.
CREATE TABLE jodo_events (
    delivery_key   text COLLATE "C" NOT NULL PRIMARY KEY,
    source         text COLLATE "C" NOT NULL,
    tenant         text COLLATE "C" NOT NULL,
    event_id       text COLLATE "C",
    code           text COLLATE "C",
    event_time     bigint,
    pupil_key      text COLLATE "C",
    payload_digest text COLLATE "C",
    outcome        text COLLATE "C" NOT NULL
        CHECK (outcome IN ('applied', 'ignored', 'retrying', 'quarantined', 'discarded')),
    reason         text COLLATE "C",
    detail         text COLLATE "C",
    warnings       text COLLATE "C",
    attempts       integer NOT NULL DEFAULT 0,
    due_at         text COLLATE "C",
    received_at    text COLLATE "C" NOT NULL,
    recorded_at    text COLLATE "C" NOT NULL,
    redrive        boolean NOT NULL DEFAULT false,
    trace          text COLLATE "C",
    body           bytea
);
CREATE INDEX jodo_events_event_id ON jodo_events (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX jodo_events_received_at ON jodo_events (received_at);
-- Rows are written in this order, so a block-range index costs next to nothing. For "was anything applied since".
CREATE INDEX jodo_events_recorded_at ON jodo_events USING brin (recorded_at);
CREATE INDEX jodo_events_pupil_key ON jodo_events (pupil_key) WHERE pupil_key IS NOT NULL;
CREATE INDEX jodo_events_unsettled ON jodo_events (outcome, due_at) WHERE outcome IN ('retrying', 'quarantined');

-- Held deliveries: the sender was not proved. Never decided.
CREATE TABLE jodo_unverified (
    delivery_key text COLLATE "C" NOT NULL PRIMARY KEY,
    source       text COLLATE "C" NOT NULL,
    tenant       text COLLATE "C" NOT NULL,
    received_at  text COLLATE "C" NOT NULL,
    expires_at   text COLLATE "C" NOT NULL,
    body         bytea NOT NULL
);

-- One row per worker process: its probe writes here.
CREATE TABLE jodo_workers (
    worker         text COLLATE "C" NOT NULL PRIMARY KEY,
    started_at     text COLLATE "C" NOT NULL,
    last_seen_at   text COLLATE "C" NOT NULL,
    paused_because text COLLATE "C"
);

CREATE TABLE jodo_r_students (
    tenant                    text COLLATE "C" NOT NULL,
    pupil_key                 text COLLATE "C" NOT NULL,
    identifier                text COLLATE "C",
    identifier_clock          text COLLATE "C" NOT NULL DEFAULT '',
    jodo_student_id           text COLLATE "C",
    jodo_student_id_clock     text COLLATE "C" NOT NULL DEFAULT '',
    custom_identifier         text COLLATE "C",
    custom_identifier_clock   text COLLATE "C" NOT NULL DEFAULT '',
    collector_code            text COLLATE "C",
    collector_code_clock      text COLLATE "C" NOT NULL DEFAULT '',
    fullname                  text COLLATE "C",
    fullname_clock            text COLLATE "C" NOT NULL DEFAULT '',
    grade_code                text COLLATE "C",
    grade_code_clock          text COLLATE "C" NOT NULL DEFAULT '',
    grade_name                text COLLATE "C",
    grade_name_clock          text COLLATE "C" NOT NULL DEFAULT '',
    academic_year_start       bigint,
    academic_year_start_clock text COLLATE "C" NOT NULL DEFAULT '',
    academic_year_end         bigint,
    academic_year_end_clock   text COLLATE "C" NOT NULL DEFAULT '',
    contact_number            text COLLATE "C",
    contact_number_clock      text COLLATE "C" NOT NULL DEFAULT '',
    contact_email             text COLLATE "C",
    contact_email_clock       text COLLATE "C" NOT NULL DEFAULT '',
    notes                     text COLLATE "C",
    notes_clock               text COLLATE "C" NOT NULL DEFAULT '',
    registered_clock          text COLLATE "C" NOT NULL DEFAULT '',
    dropped_clock             text COLLATE "C" NOT NULL DEFAULT '',
    activated_clock           text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, pupil_key)
);

CREATE TABLE jodo_r_manual_payments (
    tenant               text COLLATE "C" NOT NULL,
    payment_id           text COLLATE "C" NOT NULL,
    pupil_key            text COLLATE "C",
    pupil_clock          text COLLATE "C" NOT NULL DEFAULT '',
    amount               numeric(17, 2),
    amount_paise         bigint,
    amount_clock         text COLLATE "C" NOT NULL DEFAULT '',
    mode                 text COLLATE "C",
    mode_clock           text COLLATE "C" NOT NULL DEFAULT '',
    transaction_id       text COLLATE "C",
    transaction_id_clock text COLLATE "C" NOT NULL DEFAULT '',
    settlement_utr       text COLLATE "C",
    settlement_utr_clock text COLLATE "C" NOT NULL DEFAULT '',
    notes                text COLLATE "C",
    notes_clock          text COLLATE "C" NOT NULL DEFAULT '',
    paid_at              text COLLATE "C",
    paid_at_utc          text COLLATE "C",
    paid_on              date,
    paid_at_clock        text COLLATE "C" NOT NULL DEFAULT '',
    details              text COLLATE "C",
    details_paise        bigint,
    details_clock        text COLLATE "C" NOT NULL DEFAULT '',
    added_clock          text COLLATE "C" NOT NULL DEFAULT '',
    updated_clock        text COLLATE "C" NOT NULL DEFAULT '',
    cancelled_clock      text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
);
CREATE INDEX jodo_r_manual_payments_pupil ON jodo_r_manual_payments (tenant, pupil_key);

CREATE TABLE jodo_s_student_ids (
    tenant          text COLLATE "C" NOT NULL,
    jodo_student_id text COLLATE "C" NOT NULL,
    identifier      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, jodo_student_id, identifier)
);

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

-- One line per pupil: who, and what was paid by hand. Sums are over paise; the text beside them is printed from it.
CREATE VIEW jodo_student_overview AS
SELECT s.tenant,
       s.pupil_key,
       s.identifier,
       s.fullname AS name,
       s.grade_name AS grade,
       s.enrolment,
       coalesce(p.payments, 0) AS manual_payments,
       coalesce(p.paise, 0) AS manual_paid_paise,
       CASE WHEN coalesce(p.paise, 0) < 0 THEN '-' ELSE '' END
           || cast(trunc(abs(coalesce(p.paise, 0)) / 100) AS text) || '.'
           || substr(cast(100 + abs(coalesce(p.paise, 0)) % 100 AS text), 2) AS manual_paid
FROM jodo_students s
LEFT JOIN (
    SELECT tenant, pupil_key, count(*) AS payments, sum(amount_paise) AS paise
    FROM jodo_manual_payments
    WHERE state = 'recorded'
    GROUP BY tenant, pupil_key
) p ON p.tenant = s.tenant AND p.pupil_key = s.pupil_key;

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
