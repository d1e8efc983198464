-- What the event is about beside its pupil: the entity and its natural key, such as `orders:order_7`.
ALTER TABLE jodo_events ADD COLUMN subject text COLLATE "C";
CREATE INDEX jodo_events_subject ON jodo_events (subject) WHERE subject IS NOT NULL;

ALTER TABLE jodo_r_manual_payments ADD COLUMN details_amount numeric(17, 2);

CREATE TABLE jodo_r_subscriptions (
    tenant               text COLLATE "C" NOT NULL,
    subscription_id      text COLLATE "C" NOT NULL,
    pupil_key            text COLLATE "C",
    pupil_clock          text COLLATE "C" NOT NULL DEFAULT '',
    status               text COLLATE "C",
    status_clock         text COLLATE "C" NOT NULL DEFAULT '',
    schedule             text COLLATE "C",
    schedule_total       numeric(17, 2),
    schedule_total_paise bigint,
    schedule_clock       text COLLATE "C" NOT NULL DEFAULT '',
    set_up_clock         text COLLATE "C" NOT NULL DEFAULT '',
    active_clock         text COLLATE "C" NOT NULL DEFAULT '',
    updated_clock        text COLLATE "C" NOT NULL DEFAULT '',
    cancelled_clock      text COLLATE "C" NOT NULL DEFAULT '',
    closed_clock         text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, subscription_id)
);

CREATE TABLE jodo_r_mandates (
    tenant                   text COLLATE "C" NOT NULL,
    mandate_id               text COLLATE "C" NOT NULL,
    pupil_key                text COLLATE "C",
    pupil_clock              text COLLATE "C" NOT NULL DEFAULT '',
    subscription_id          text COLLATE "C",
    subscription_clock       text COLLATE "C" NOT NULL DEFAULT '',
    status                   text COLLATE "C",
    status_clock             text COLLATE "C" NOT NULL DEFAULT '',
    npci_category_code       text COLLATE "C",
    npci_category_code_clock text COLLATE "C" NOT NULL DEFAULT '',
    end_date                 date,
    end_date_clock           text COLLATE "C" NOT NULL DEFAULT '',
    cancelled_clock          text COLLATE "C" NOT NULL DEFAULT '',
    expired_clock            text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, mandate_id)
);
CREATE INDEX jodo_r_mandates_subscription ON jodo_r_mandates (tenant, subscription_id);

CREATE TABLE jodo_r_flex_payments (
    tenant                    text COLLATE "C" NOT NULL,
    payment_id                text COLLATE "C" NOT NULL,
    pupil_key                 text COLLATE "C",
    pupil_clock               text COLLATE "C" NOT NULL DEFAULT '',
    kind                      text COLLATE "C",
    kind_clock                text COLLATE "C" NOT NULL DEFAULT '',
    subscription_id           text COLLATE "C",
    subscription_clock        text COLLATE "C" NOT NULL DEFAULT '',
    amount                    numeric(17, 2),
    amount_paise              bigint,
    amount_clock              text COLLATE "C" NOT NULL DEFAULT '',
    reference_id              text COLLATE "C",
    reference_id_clock        text COLLATE "C" NOT NULL DEFAULT '',
    product                   text COLLATE "C",
    product_clock             text COLLATE "C" NOT NULL DEFAULT '',
    mode                      text COLLATE "C",
    mode_clock                text COLLATE "C" NOT NULL DEFAULT '',
    paid_at                   text COLLATE "C",
    paid_at_utc               text COLLATE "C",
    paid_on                   date,
    paid_at_clock             text COLLATE "C" NOT NULL DEFAULT '',
    bounced_on                date,
    bounced_on_clock          text COLLATE "C" NOT NULL DEFAULT '',
    details                   text COLLATE "C",
    details_amount            numeric(17, 2),
    details_paise             bigint,
    details_clock             text COLLATE "C" NOT NULL DEFAULT '',
    bounced_clock             text COLLATE "C" NOT NULL DEFAULT '',
    debited_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_without_utr_clock text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
);
CREATE INDEX jodo_r_flex_payments_subscription ON jodo_r_flex_payments (tenant, subscription_id);

CREATE TABLE jodo_r_pay_payments (
    tenant                    text COLLATE "C" NOT NULL,
    payment_id                text COLLATE "C" NOT NULL,
    pupil_key                 text COLLATE "C",
    pupil_clock               text COLLATE "C" NOT NULL DEFAULT '',
    amount                    numeric(17, 2),
    amount_paise              bigint,
    amount_clock              text COLLATE "C" NOT NULL DEFAULT '',
    product                   text COLLATE "C",
    product_clock             text COLLATE "C" NOT NULL DEFAULT '',
    mode                      text COLLATE "C",
    mode_clock                text COLLATE "C" NOT NULL DEFAULT '',
    paid_at                   text COLLATE "C",
    paid_at_utc               text COLLATE "C",
    paid_on                   date,
    paid_at_clock             text COLLATE "C" NOT NULL DEFAULT '',
    details                   text COLLATE "C",
    details_amount            numeric(17, 2),
    details_paise             bigint,
    details_clock             text COLLATE "C" NOT NULL DEFAULT '',
    debited_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_without_utr_clock text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
);

CREATE TABLE jodo_r_orders (
    tenant                    text COLLATE "C" NOT NULL,
    order_id                  text COLLATE "C" NOT NULL,
    kind                      text COLLATE "C",
    kind_clock                text COLLATE "C" NOT NULL DEFAULT '',
    name                      text COLLATE "C",
    name_clock                text COLLATE "C" NOT NULL DEFAULT '',
    phone                     text COLLATE "C",
    phone_clock               text COLLATE "C" NOT NULL DEFAULT '',
    identifier                text COLLATE "C",
    identifier_clock          text COLLATE "C" NOT NULL DEFAULT '',
    email                     text COLLATE "C",
    email_clock               text COLLATE "C" NOT NULL DEFAULT '',
    student_name              text COLLATE "C",
    student_name_clock        text COLLATE "C" NOT NULL DEFAULT '',
    custom_identifier         text COLLATE "C",
    custom_identifier_clock   text COLLATE "C" NOT NULL DEFAULT '',
    date_of_birth             date,
    date_of_birth_clock       text COLLATE "C" NOT NULL DEFAULT '',
    grade                     text COLLATE "C",
    grade_clock               text COLLATE "C" NOT NULL DEFAULT '',
    new_admission             text COLLATE "C",
    new_admission_clock       text COLLATE "C" NOT NULL DEFAULT '',
    academic_year_start       bigint,
    academic_year_start_clock text COLLATE "C" NOT NULL DEFAULT '',
    academic_year_end         bigint,
    academic_year_end_clock   text COLLATE "C" NOT NULL DEFAULT '',
    transaction_id            text COLLATE "C",
    transaction_id_clock      text COLLATE "C" NOT NULL DEFAULT '',
    status                    text COLLATE "C",
    status_clock              text COLLATE "C" NOT NULL DEFAULT '',
    notes                     text COLLATE "C",
    notes_clock               text COLLATE "C" NOT NULL DEFAULT '',
    paid_at                   text COLLATE "C",
    paid_at_utc               text COLLATE "C",
    paid_on                   date,
    paid_at_clock             text COLLATE "C" NOT NULL DEFAULT '',
    details                   text COLLATE "C",
    details_amount            numeric(17, 2),
    details_paise             bigint,
    details_clock             text COLLATE "C" NOT NULL DEFAULT '',
    expired_clock             text COLLATE "C" NOT NULL DEFAULT '',
    debited_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_clock             text COLLATE "C" NOT NULL DEFAULT '',
    settled_without_utr_clock text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, order_id)
);

CREATE TABLE jodo_r_loans (
    tenant                    text COLLATE "C" NOT NULL,
    application_id            text COLLATE "C" NOT NULL,
    pupil_key                 text COLLATE "C",
    pupil_clock               text COLLATE "C" NOT NULL DEFAULT '',
    status                    text COLLATE "C",
    status_clock              text COLLATE "C" NOT NULL DEFAULT '',
    amount                    numeric(17, 2),
    amount_paise              bigint,
    amount_clock              text COLLATE "C" NOT NULL DEFAULT '',
    agreement_signed_at       text COLLATE "C",
    agreement_signed_at_utc   text COLLATE "C",
    agreement_signed_on       date,
    agreement_signed_at_clock text COLLATE "C" NOT NULL DEFAULT '',
    started_clock             text COLLATE "C" NOT NULL DEFAULT '',
    filled_clock              text COLLATE "C" NOT NULL DEFAULT '',
    final_approved_clock      text COLLATE "C" NOT NULL DEFAULT '',
    agreement_signed_clock    text COLLATE "C" NOT NULL DEFAULT '',
    disbursed_clock           text COLLATE "C" NOT NULL DEFAULT '',
    rejected_clock            text COLLATE "C" NOT NULL DEFAULT '',
    canceled_clock            text COLLATE "C" NOT NULL DEFAULT '',
    expired_clock             text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, application_id)
);

CREATE TABLE jodo_r_disbursements (
    tenant                 text COLLATE "C" NOT NULL,
    disbursement_id        text COLLATE "C" NOT NULL,
    pupil_key              text COLLATE "C",
    pupil_clock            text COLLATE "C" NOT NULL DEFAULT '',
    application_id         text COLLATE "C",
    application_clock      text COLLATE "C" NOT NULL DEFAULT '',
    planned_on             date,
    planned_on_clock       text COLLATE "C" NOT NULL DEFAULT '',
    amount                 numeric(17, 2),
    amount_paise           bigint,
    amount_clock           text COLLATE "C" NOT NULL DEFAULT '',
    disbursed_on           date,
    disbursed_on_clock     text COLLATE "C" NOT NULL DEFAULT '',
    disbursed_amount       numeric(17, 2),
    disbursed_amount_paise bigint,
    disbursed_amount_clock text COLLATE "C" NOT NULL DEFAULT '',
    planned_clock          text COLLATE "C" NOT NULL DEFAULT '',
    disbursed_clock        text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, disbursement_id)
);
CREATE INDEX jodo_r_disbursements_application ON jodo_r_disbursements (tenant, application_id);

CREATE TABLE jodo_r_emis (
    tenant            text COLLATE "C" NOT NULL,
    payment_id        text COLLATE "C" NOT NULL,
    pupil_key         text COLLATE "C",
    pupil_clock       text COLLATE "C" NOT NULL DEFAULT '',
    application_id    text COLLATE "C",
    application_clock text COLLATE "C" NOT NULL DEFAULT '',
    amount            numeric(17, 2),
    amount_paise      bigint,
    amount_clock      text COLLATE "C" NOT NULL DEFAULT '',
    due_on            date,
    due_on_clock      text COLLATE "C" NOT NULL DEFAULT '',
    paid_at           text COLLATE "C",
    paid_at_utc       text COLLATE "C",
    paid_on           date,
    paid_at_clock     text COLLATE "C" NOT NULL DEFAULT '',
    debited_clock     text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, payment_id)
);
CREATE INDEX jodo_r_emis_application ON jodo_r_emis (tenant, application_id);

CREATE TABLE jodo_r_settlements (
    tenant           text COLLATE "C" NOT NULL,
    family           text COLLATE "C" NOT NULL,
    payment_id       text COLLATE "C" NOT NULL,
    component        text COLLATE "C" NOT NULL,
    amount           text COLLATE "C" NOT NULL,
    utr              text COLLATE "C" NOT NULL,
    n                text COLLATE "C" NOT NULL,
    settled_at       text COLLATE "C",
    settled_at_utc   text COLLATE "C",
    settled_on       date,
    settled_at_clock text COLLATE "C" NOT NULL DEFAULT '',
    settled_clock    text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, family, payment_id, component, amount, utr, n)
);
CREATE INDEX jodo_r_settlements_utr ON jodo_r_settlements (tenant, utr);

CREATE TABLE jodo_s_fee_lines (
    tenant     text COLLATE "C" NOT NULL,
    family     text COLLATE "C" NOT NULL,
    payment_id text COLLATE "C" NOT NULL,
    clock      text COLLATE "C" NOT NULL,
    n          text COLLATE "C" NOT NULL,
    component  text COLLATE "C" NOT NULL,
    amount     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, family, payment_id, clock, n, component, amount)
);

CREATE TABLE jodo_s_schedule_lines (
    tenant          text COLLATE "C" NOT NULL,
    subscription_id text COLLATE "C" NOT NULL,
    clock           text COLLATE "C" NOT NULL,
    n               text COLLATE "C" NOT NULL,
    due_date        text COLLATE "C" NOT NULL,
    amount          text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, subscription_id, clock, n, due_date, amount)
);

-- Manual payments that are there already get their lines from the list as stored.
INSERT INTO jodo_s_fee_lines (tenant, family, payment_id, clock, n, component, amount)
SELECT p.tenant, 'manual', p.payment_id, p.details_clock, cast(l.n AS text),
       CASE WHEN octet_length(l.line ->> 'fee_component') <= 191 THEN l.line ->> 'fee_component' ELSE '' END,
       coalesce(l.line ->> 'amount', '')
FROM jodo_r_manual_payments p
CROSS JOIN LATERAL json_array_elements(p.details::json) WITH ORDINALITY AS l (line, n)
WHERE p.details IS NOT NULL;
UPDATE jodo_r_manual_payments SET details_amount = details_paise::numeric / 100 WHERE details_paise IS NOT NULL;
