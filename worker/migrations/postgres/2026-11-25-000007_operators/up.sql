-- What people did: one line for each event, or one with an empty delivery_key for what concerns all of them. Only grows.
CREATE TABLE jodo_history (
    at           text COLLATE "C" NOT NULL,
    who          text COLLATE "C" NOT NULL,
    action       text COLLATE "C" NOT NULL,
    delivery_key text COLLATE "C" NOT NULL DEFAULT '',
    was          text COLLATE "C",
    reason       text COLLATE "C"
);
CREATE INDEX jodo_history_delivery_key ON jodo_history (delivery_key) WHERE delivery_key <> '';

-- Targets that people have stopped for a while. At most one row for each.
CREATE TABLE jodo_pauses (
    target    text COLLATE "C" NOT NULL PRIMARY KEY,
    paused_at text COLLATE "C" NOT NULL,
    until     text COLLATE "C" NOT NULL,
    who       text COLLATE "C" NOT NULL,
    reason    text COLLATE "C" NOT NULL
);

-- Who brought the event in by hand; null when it was delivered.
ALTER TABLE jodo_events ADD COLUMN imported_by text COLLATE "C";
-- When retention removed the body.
ALTER TABLE jodo_events ADD COLUMN body_removed_at text COLLATE "C";
-- The signature that a held delivery bore, in hexadecimal, to be checked against other secrets.
ALTER TABLE jodo_unverified ADD COLUMN signature text COLLATE "C";
