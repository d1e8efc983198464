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
