-- What people did: one line for each event, or one with an empty delivery_key for what concerns all of them. Only grows.
CREATE TABLE jodo_history (
    at           TEXT NOT NULL,
    who          TEXT NOT NULL,
    action       TEXT NOT NULL,
    delivery_key TEXT NOT NULL DEFAULT '',
    was          TEXT,
    reason       TEXT
) STRICT;
CREATE INDEX jodo_history_delivery_key ON jodo_history (delivery_key) WHERE delivery_key <> '';

-- Targets that people have stopped for a while. At most one row for each.
CREATE TABLE jodo_pauses (
    target    TEXT NOT NULL PRIMARY KEY,
    paused_at TEXT NOT NULL,
    until     TEXT NOT NULL,
    who       TEXT NOT NULL,
    reason    TEXT NOT NULL
) STRICT;

-- Who brought the event in by hand; null when it was delivered.
ALTER TABLE jodo_events ADD COLUMN imported_by TEXT;
-- When retention removed the body.
ALTER TABLE jodo_events ADD COLUMN body_removed_at TEXT;
-- The signature that a held delivery bore, in hexadecimal, to be checked against other secrets.
ALTER TABLE jodo_unverified ADD COLUMN signature TEXT;
