-- The inbox: one row per delivery, with its bytes and how it ended.
CREATE TABLE jodo_events (
    delivery_key   TEXT NOT NULL PRIMARY KEY,
    source         TEXT NOT NULL,
    tenant         TEXT NOT NULL,
    event_id       TEXT,
    code           TEXT,
    event_time     INTEGER,
    pupil_key      TEXT,
    payload_digest TEXT,
    outcome        TEXT NOT NULL
        CHECK (outcome IN ('applied', 'ignored', 'retrying', 'quarantined', 'discarded')),
    reason         TEXT,
    detail         TEXT,
    warnings       TEXT,
    attempts       INTEGER NOT NULL DEFAULT 0,
    due_at         TEXT,
    received_at    TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    redrive        INTEGER NOT NULL DEFAULT 0,
    trace          TEXT,
    body           BLOB
) STRICT;
CREATE INDEX jodo_events_event_id ON jodo_events (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX jodo_events_received_at ON jodo_events (received_at);
-- For "was anything applied since".
CREATE INDEX jodo_events_recorded_at ON jodo_events (recorded_at);
CREATE INDEX jodo_events_pupil_key ON jodo_events (pupil_key) WHERE pupil_key IS NOT NULL;
CREATE INDEX jodo_events_unsettled ON jodo_events (outcome, due_at) WHERE outcome IN ('retrying', 'quarantined');

-- Held deliveries: the sender was not proved. Never decided.
CREATE TABLE jodo_unverified (
    delivery_key TEXT NOT NULL PRIMARY KEY,
    source       TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    received_at  TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    body         BLOB NOT NULL
) STRICT;

-- One row per worker process: its probe writes here.
CREATE TABLE jodo_workers (
    worker         TEXT NOT NULL PRIMARY KEY,
    started_at     TEXT NOT NULL,
    last_seen_at   TEXT NOT NULL,
    paused_because TEXT
) STRICT;

CREATE TABLE jodo_r_students (
    tenant                    TEXT NOT NULL,
    pupil_key                 TEXT NOT NULL,
    identifier                TEXT,
    identifier_clock          TEXT NOT NULL DEFAULT '',
    jodo_student_id           TEXT,
    jodo_student_id_clock     TEXT NOT NULL DEFAULT '',
    custom_identifier         TEXT,
    custom_identifier_clock   TEXT NOT NULL DEFAULT '',
    collector_code            TEXT,
    collector_code_clock      TEXT NOT NULL DEFAULT '',
    fullname                  TEXT,
    fullname_clock            TEXT NOT NULL DEFAULT '',
    grade_code                TEXT,
    grade_code_clock          TEXT NOT NULL DEFAULT '',
    grade_name                TEXT,
    grade_name_clock          TEXT NOT NULL DEFAULT '',
    academic_year_start       INTEGER,
    academic_year_start_clock TEXT NOT NULL DEFAULT '',
    academic_year_end         INTEGER,
    academic_year_end_clock   TEXT NOT NULL DEFAULT '',
    contact_number            TEXT,
    contact_number_clock      TEXT NOT NULL DEFAULT '',
    contact_email             TEXT,
    contact_email_clock       TEXT NOT NULL DEFAULT '',
    notes                     TEXT,
    notes_clock               TEXT NOT NULL DEFAULT '',
    registered_clock          TEXT NOT NULL DEFAULT '',
    dropped_clock             TEXT NOT NULL DEFAULT '',
    activated_clock           TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, pupil_key)
) STRICT;

CREATE TABLE jodo_r_manual_payments (
    tenant               TEXT NOT NULL,
    payment_id           TEXT NOT NULL,
    pupil_key            TEXT,
    pupil_clock          TEXT NOT NULL DEFAULT '',
    amount               TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise         INTEGER,
    amount_clock         TEXT NOT NULL DEFAULT '',
    mode                 TEXT,
    mode_clock           TEXT NOT NULL DEFAULT '',
    transaction_id       TEXT,
    transaction_id_clock TEXT NOT NULL DEFAULT '',
    settlement_utr       TEXT,
    settlement_utr_clock TEXT NOT NULL DEFAULT '',
    notes                TEXT,
    notes_clock          TEXT NOT NULL DEFAULT '',
    paid_at              TEXT,
    paid_at_utc          TEXT,
    paid_on              TEXT CHECK (paid_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    paid_at_clock        TEXT NOT NULL DEFAULT '',
    details              TEXT,
    details_paise        INTEGER,
    details_clock        TEXT NOT NULL DEFAULT '',
    added_clock          TEXT NOT NULL DEFAULT '',
    updated_clock        TEXT NOT NULL DEFAULT '',
    cancelled_clock      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
) STRICT;
CREATE INDEX jodo_r_manual_payments_pupil ON jodo_r_manual_payments (tenant, pupil_key);

CREATE TABLE jodo_s_student_ids (
    tenant          TEXT NOT NULL,
    jodo_student_id TEXT NOT NULL,
    identifier      TEXT NOT NULL,
    PRIMARY KEY (tenant, jodo_student_id, identifier)
) STRICT;
