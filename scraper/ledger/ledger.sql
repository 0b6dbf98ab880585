
CREATE TABLE hosts (
    name TEXT PRIMARY KEY, not_before TEXT, reason TEXT NOT NULL, bans INTEGER NOT NULL, limited_at TEXT, asked_at TEXT
) STRICT;
CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, status INTEGER, summary TEXT) STRICT;
CREATE TABLE listings (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, kind TEXT NOT NULL, from_timestamp TEXT,
    started_at TEXT NOT NULL, ended_at TEXT, listed INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL, note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX listings_by_scope ON listings (source, scope, id);
CREATE TABLE captures (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, url TEXT NOT NULL, urlkey TEXT NOT NULL, node_id INTEGER,
    timestamp TEXT NOT NULL, digest TEXT NOT NULL, mime TEXT, status INTEGER, length INTEGER, filename TEXT,
    "offset" INTEGER, truncated TEXT, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
    ask_again_at TEXT, run INTEGER, first_listing INTEGER NOT NULL, last_listing INTEGER NOT NULL, fetched_at TEXT,
    capture_id TEXT,
    UNIQUE (source, url, timestamp, digest, status)
) STRICT;
CREATE INDEX captures_to_ask ON captures (source, urlkey, timestamp, id) WHERE ask_again_at IS NOT NULL;
CREATE INDEX captures_by_page ON captures (urlkey, timestamp);
CREATE INDEX captures_by_node ON captures (source, node_id, state) WHERE node_id IS NOT NULL;
CREATE INDEX captures_by_id ON captures (capture_id) WHERE capture_id IS NOT NULL;
CREATE TABLE live_pages (
    url TEXT PRIMARY KEY, checked_at TEXT NOT NULL, outcome TEXT NOT NULL, etag TEXT, last_modified TEXT, text_hash TEXT,
    capture_id TEXT, gone_since TEXT, removed_at TEXT
) STRICT;
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL) STRICT;
