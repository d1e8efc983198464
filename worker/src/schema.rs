//! The tables that are read through diesel's query builder. A test compares them with the migrated database.

diesel::table! {
    /// The inbox.
    jodo_events (delivery_key) {
        /// Hex SHA-256 of source name, a zero byte and the raw body.
        delivery_key -> Text,
        /// Source it came from.
        source -> Text,
        /// Tenant of the source.
        tenant -> Text,
        /// The sender's id; not unique.
        event_id -> Nullable<Text>,
        /// The sender's code.
        code -> Nullable<Text>,
        /// When it happened, Unix seconds.
        event_time -> Nullable<BigInt>,
        /// The pupil it names.
        pupil_key -> Nullable<Text>,
        /// What it is about beside the pupil: entity and natural key.
        subject -> Nullable<Text>,
        /// Digest of the canonical payload.
        payload_digest -> Nullable<Text>,
        /// Word of `Outcome`.
        outcome -> Text,
        /// Word of `Reason`.
        reason -> Nullable<Text>,
        /// Which field, or which part of the database.
        detail -> Nullable<Text>,
        /// Warnings as JSON text.
        warnings -> Nullable<Text>,
        /// Leased tries.
        attempts -> Integer,
        /// When to try again.
        due_at -> Nullable<Text>,
        /// When the ingress accepted it.
        received_at -> Text,
        /// When this row was last written.
        recorded_at -> Text,
        /// Whether an operator sent it round again.
        redrive -> Bool,
        /// W3C trace parent.
        trace -> Nullable<Text>,
        /// The body as received; null after retention removed it.
        body -> Nullable<Binary>,
        /// Who brought it in by hand.
        imported_by -> Nullable<Text>,
        /// When retention removed the body.
        body_removed_at -> Nullable<Text>,
    }
}

diesel::table! {
    /// Held deliveries.
    jodo_unverified (delivery_key) {
        /// Hex SHA-256 of source name, a zero byte and the raw body.
        delivery_key -> Text,
        /// Source it came from.
        source -> Text,
        /// Tenant of the source.
        tenant -> Text,
        /// When the ingress accepted it.
        received_at -> Text,
        /// When it may be forgotten.
        expires_at -> Text,
        /// The body as received.
        body -> Binary,
        /// The signature that it bore, in hexadecimal.
        signature -> Nullable<Text>,
    }
}

diesel::table! {
    /// Worker processes.
    jodo_workers (worker) {
        /// Host and process.
        worker -> Text,
        /// When the process started.
        started_at -> Text,
        /// When it last said how it is.
        last_seen_at -> Text,
        /// Why it takes nothing, if so.
        paused_because -> Nullable<Text>,
    }
}

diesel::table! {
    /// What people did; only grows. Has no key: diesel wants one named.
    jodo_history (at, delivery_key) {
        /// When.
        at -> Text,
        /// Who did it.
        who -> Text,
        /// Which command.
        action -> Text,
        /// The event concerned; empty for what concerns all of them.
        delivery_key -> Text,
        /// What was before, such as outcome and reason.
        was -> Nullable<Text>,
        /// Why, in the person's words.
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// Targets that people have stopped for a while.
    jodo_pauses (target) {
        /// Name of the target.
        target -> Text,
        /// Since when.
        paused_at -> Text,
        /// Until when, at the latest.
        until -> Text,
        /// Who did it.
        who -> Text,
        /// Why, in the person's words.
        reason -> Text,
    }
}
