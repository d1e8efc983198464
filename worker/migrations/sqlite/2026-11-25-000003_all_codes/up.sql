-- What the event is about beside its pupil: the entity and its natural key, such as `orders:order_7`.
ALTER TABLE jodo_events ADD COLUMN subject TEXT;
CREATE INDEX jodo_events_subject ON jodo_events (subject) WHERE subject IS NOT NULL;

ALTER TABLE jodo_r_manual_payments ADD COLUMN details_amount TEXT CHECK (details_amount GLOB '*[0-9].[0-9][0-9]');

CREATE TABLE jodo_r_subscriptions (
    tenant               TEXT NOT NULL,
    subscription_id      TEXT NOT NULL,
    pupil_key            TEXT,
    pupil_clock          TEXT NOT NULL DEFAULT '',
    status               TEXT,
    status_clock         TEXT NOT NULL DEFAULT '',
    schedule             TEXT,
    schedule_total       TEXT CHECK (schedule_total GLOB '*[0-9].[0-9][0-9]'),
    schedule_total_paise INTEGER,
    schedule_clock       TEXT NOT NULL DEFAULT '',
    set_up_clock         TEXT NOT NULL DEFAULT '',
    active_clock         TEXT NOT NULL DEFAULT '',
    updated_clock        TEXT NOT NULL DEFAULT '',
    cancelled_clock      TEXT NOT NULL DEFAULT '',
    closed_clock         TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, subscription_id)
) STRICT;

CREATE TABLE jodo_r_mandates (
    tenant                   TEXT NOT NULL,
    mandate_id               TEXT NOT NULL,
    pupil_key                TEXT,
    pupil_clock              TEXT NOT NULL DEFAULT '',
    subscription_id          TEXT,
    subscription_clock       TEXT NOT NULL DEFAULT '',
    status                   TEXT,
    status_clock             TEXT NOT NULL DEFAULT '',
    npci_category_code       TEXT,
    npci_category_code_clock TEXT NOT NULL DEFAULT '',
    end_date                 TEXT CHECK (end_date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    end_date_clock           TEXT NOT NULL DEFAULT '',
    cancelled_clock          TEXT NOT NULL DEFAULT '',
    expired_clock            TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, mandate_id)
) STRICT;
CREATE INDEX jodo_r_mandates_subscription ON jodo_r_mandates (tenant, subscription_id);

CREATE TABLE jodo_r_flex_payments (
    tenant                    TEXT NOT NULL,
    payment_id                TEXT NOT NULL,
    pupil_key                 TEXT,
    pupil_clock               TEXT NOT NULL DEFAULT '',
    kind                      TEXT,
    kind_clock                TEXT NOT NULL DEFAULT '',
    subscription_id           TEXT,
    subscription_clock        TEXT NOT NULL DEFAULT '',
    amount                    TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise              INTEGER,
    amount_clock              TEXT NOT NULL DEFAULT '',
    reference_id              TEXT,
    reference_id_clock        TEXT NOT NULL DEFAULT '',
    product                   TEXT,
    product_clock             TEXT NOT NULL DEFAULT '',
    mode                      TEXT,
    mode_clock                TEXT NOT NULL DEFAULT '',
    paid_at                   TEXT,
    paid_at_utc               TEXT,
    paid_on                   TEXT CHECK (paid_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    paid_at_clock             TEXT NOT NULL DEFAULT '',
    bounced_on                TEXT CHECK (bounced_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    bounced_on_clock          TEXT NOT NULL DEFAULT '',
    details                   TEXT,
    details_amount            TEXT CHECK (details_amount GLOB '*[0-9].[0-9][0-9]'),
    details_paise             INTEGER,
    details_clock             TEXT NOT NULL DEFAULT '',
    bounced_clock             TEXT NOT NULL DEFAULT '',
    debited_clock             TEXT NOT NULL DEFAULT '',
    settled_clock             TEXT NOT NULL DEFAULT '',
    settled_without_utr_clock TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
) STRICT;
CREATE INDEX jodo_r_flex_payments_subscription ON jodo_r_flex_payments (tenant, subscription_id);

CREATE TABLE jodo_r_pay_payments (
    tenant                    TEXT NOT NULL,
    payment_id                TEXT NOT NULL,
    pupil_key                 TEXT,
    pupil_clock               TEXT NOT NULL DEFAULT '',
    amount                    TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise              INTEGER,
    amount_clock              TEXT NOT NULL DEFAULT '',
    product                   TEXT,
    product_clock             TEXT NOT NULL DEFAULT '',
    mode                      TEXT,
    mode_clock                TEXT NOT NULL DEFAULT '',
    paid_at                   TEXT,
    paid_at_utc               TEXT,
    paid_on                   TEXT CHECK (paid_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    paid_at_clock             TEXT NOT NULL DEFAULT '',
    details                   TEXT,
    details_amount            TEXT CHECK (details_amount GLOB '*[0-9].[0-9][0-9]'),
    details_paise             INTEGER,
    details_clock             TEXT NOT NULL DEFAULT '',
    debited_clock             TEXT NOT NULL DEFAULT '',
    settled_clock             TEXT NOT NULL DEFAULT '',
    settled_without_utr_clock TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
) STRICT;

CREATE TABLE jodo_r_orders (
    tenant                    TEXT NOT NULL,
    order_id                  TEXT NOT NULL,
    kind                      TEXT,
    kind_clock                TEXT NOT NULL DEFAULT '',
    name                      TEXT,
    name_clock                TEXT NOT NULL DEFAULT '',
    phone                     TEXT,
    phone_clock               TEXT NOT NULL DEFAULT '',
    identifier                TEXT,
    identifier_clock          TEXT NOT NULL DEFAULT '',
    email                     TEXT,
    email_clock               TEXT NOT NULL DEFAULT '',
    student_name              TEXT,
    student_name_clock        TEXT NOT NULL DEFAULT '',
    custom_identifier         TEXT,
    custom_identifier_clock   TEXT NOT NULL DEFAULT '',
    date_of_birth             TEXT CHECK (date_of_birth GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    date_of_birth_clock       TEXT NOT NULL DEFAULT '',
    grade                     TEXT,
    grade_clock               TEXT NOT NULL DEFAULT '',
    new_admission             TEXT,
    new_admission_clock       TEXT NOT NULL DEFAULT '',
    academic_year_start       INTEGER,
    academic_year_start_clock TEXT NOT NULL DEFAULT '',
    academic_year_end         INTEGER,
    academic_year_end_clock   TEXT NOT NULL DEFAULT '',
    transaction_id            TEXT,
    transaction_id_clock      TEXT NOT NULL DEFAULT '',
    status                    TEXT,
    status_clock              TEXT NOT NULL DEFAULT '',
    notes                     TEXT,
    notes_clock               TEXT NOT NULL DEFAULT '',
    paid_at                   TEXT,
    paid_at_utc               TEXT,
    paid_on                   TEXT CHECK (paid_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    paid_at_clock             TEXT NOT NULL DEFAULT '',
    details                   TEXT,
    details_amount            TEXT CHECK (details_amount GLOB '*[0-9].[0-9][0-9]'),
    details_paise             INTEGER,
    details_clock             TEXT NOT NULL DEFAULT '',
    expired_clock             TEXT NOT NULL DEFAULT '',
    debited_clock             TEXT NOT NULL DEFAULT '',
    settled_clock             TEXT NOT NULL DEFAULT '',
    settled_without_utr_clock TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, order_id)
) STRICT;

CREATE TABLE jodo_r_loans (
    tenant                    TEXT NOT NULL,
    application_id            TEXT NOT NULL,
    pupil_key                 TEXT,
    pupil_clock               TEXT NOT NULL DEFAULT '',
    status                    TEXT,
    status_clock              TEXT NOT NULL DEFAULT '',
    amount                    TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise              INTEGER,
    amount_clock              TEXT NOT NULL DEFAULT '',
    agreement_signed_at       TEXT,
    agreement_signed_at_utc   TEXT,
    agreement_signed_on       TEXT CHECK (agreement_signed_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    agreement_signed_at_clock TEXT NOT NULL DEFAULT '',
    started_clock             TEXT NOT NULL DEFAULT '',
    filled_clock              TEXT NOT NULL DEFAULT '',
    final_approved_clock      TEXT NOT NULL DEFAULT '',
    agreement_signed_clock    TEXT NOT NULL DEFAULT '',
    disbursed_clock           TEXT NOT NULL DEFAULT '',
    rejected_clock            TEXT NOT NULL DEFAULT '',
    canceled_clock            TEXT NOT NULL DEFAULT '',
    expired_clock             TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, application_id)
) STRICT;

CREATE TABLE jodo_r_disbursements (
    tenant                 TEXT NOT NULL,
    disbursement_id        TEXT NOT NULL,
    pupil_key              TEXT,
    pupil_clock            TEXT NOT NULL DEFAULT '',
    application_id         TEXT,
    application_clock      TEXT NOT NULL DEFAULT '',
    planned_on             TEXT CHECK (planned_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    planned_on_clock       TEXT NOT NULL DEFAULT '',
    amount                 TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise           INTEGER,
    amount_clock           TEXT NOT NULL DEFAULT '',
    disbursed_on           TEXT CHECK (disbursed_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    disbursed_on_clock     TEXT NOT NULL DEFAULT '',
    disbursed_amount       TEXT CHECK (disbursed_amount GLOB '*[0-9].[0-9][0-9]'),
    disbursed_amount_paise INTEGER,
    disbursed_amount_clock TEXT NOT NULL DEFAULT '',
    planned_clock          TEXT NOT NULL DEFAULT '',
    disbursed_clock        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, disbursement_id)
) STRICT;
CREATE INDEX jodo_r_disbursements_application ON jodo_r_disbursements (tenant, application_id);

CREATE TABLE jodo_r_emis (
    tenant            TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    pupil_key         TEXT,
    pupil_clock       TEXT NOT NULL DEFAULT '',
    application_id    TEXT,
    application_clock TEXT NOT NULL DEFAULT '',
    amount            TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]'),
    amount_paise      INTEGER,
    amount_clock      TEXT NOT NULL DEFAULT '',
    due_on            TEXT CHECK (due_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    due_on_clock      TEXT NOT NULL DEFAULT '',
    paid_at           TEXT,
    paid_at_utc       TEXT,
    paid_on           TEXT CHECK (paid_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    paid_at_clock     TEXT NOT NULL DEFAULT '',
    debited_clock     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
) STRICT;
CREATE INDEX jodo_r_emis_application ON jodo_r_emis (tenant, application_id);

CREATE TABLE jodo_r_settlements (
    tenant           TEXT NOT NULL,
    family           TEXT NOT NULL,
    payment_id       TEXT NOT NULL,
    component        TEXT NOT NULL,
    amount           TEXT NOT NULL,
    utr              TEXT NOT NULL,
    n                TEXT NOT NULL,
    settled_at       TEXT,
    settled_at_utc   TEXT,
    settled_on       TEXT CHECK (settled_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    settled_at_clock TEXT NOT NULL DEFAULT '',
    settled_clock    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, family, payment_id, component, amount, utr, n)
) STRICT;
CREATE INDEX jodo_r_settlements_utr ON jodo_r_settlements (tenant, utr);

CREATE TABLE jodo_s_fee_lines (
    tenant     TEXT NOT NULL,
    family     TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    clock      TEXT NOT NULL,
    n          TEXT NOT NULL,
    component  TEXT NOT NULL,
    amount     TEXT NOT NULL,
    PRIMARY KEY (tenant, family, payment_id, clock, n, component, amount)
) STRICT;

CREATE TABLE jodo_s_schedule_lines (
    tenant          TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    clock           TEXT NOT NULL,
    n               TEXT NOT NULL,
    due_date        TEXT NOT NULL,
    amount          TEXT NOT NULL,
    PRIMARY KEY (tenant, subscription_id, clock, n, due_date, amount)
) STRICT;

-- Manual payments that are there already get their lines from the list as stored.
INSERT INTO jodo_s_fee_lines (tenant, family, payment_id, clock, n, component, amount)
SELECT p.tenant, 'manual', p.payment_id, p.details_clock, cast(l.key + 1 AS text),
       CASE WHEN length(cast(l.value ->> 'fee_component' AS blob)) <= 191 THEN l.value ->> 'fee_component' ELSE '' END,
       coalesce(l.value ->> 'amount', '')
FROM jodo_r_manual_payments p, json_each(p.details) l
WHERE p.details IS NOT NULL;
UPDATE jodo_r_manual_payments
SET details_amount = printf('%s%d.%02d', CASE WHEN details_paise < 0 THEN '-' ELSE '' END, abs(details_paise) / 100,
                            abs(details_paise) % 100)
WHERE details_paise IS NOT NULL;
