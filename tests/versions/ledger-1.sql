CREATE TABLE hosts (
    name TEXT PRIMARY KEY, not_before TEXT, reason TEXT NOT NULL, bans INTEGER NOT NULL, limited_at TEXT, asked_at TEXT
) STRICT;
INSERT INTO "hosts" VALUES ('127.0.0.1:42065', NULL, '', 0, NULL, '2026-11-24T22:03:04.391347Z');
CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, status INTEGER, summary TEXT) STRICT;
INSERT INTO "runs" VALUES (1, '2026-11-24T22:03:03Z', '2026-11-24T22:03:03Z', 4, '{"status": 4, "dry_run": false, "stopped": false, "problems": [], "sources": {"wayback": {"source": "wayback", "outcome": "partly", "listed": 4, "new": 4, "vanished": 0, "skipped": 0, "fetched": 1, "unchanged": 1, "duplicate": 0, "substituted": 0, "blocked": 0, "missing": 1, "failed": 1, "waiting": 2, "to_fetch": 0, "problems": ["1 captures could not be fetched and will be asked for again"], "notes": []}}}');
INSERT INTO "runs" VALUES (2, '2026-11-24T22:03:04Z', '2026-11-24T22:03:04Z', 0, '{"status": 0, "dry_run": false, "stopped": false, "problems": [], "sources": {"wayback": {"source": "wayback", "outcome": "done", "listed": 4, "new": 0, "vanished": 0, "skipped": 0, "fetched": 1, "unchanged": 0, "duplicate": 0, "substituted": 0, "blocked": 0, "missing": 0, "failed": 0, "waiting": 1, "to_fetch": 0, "problems": [], "notes": []}}}');
CREATE TABLE listings (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, kind TEXT NOT NULL, from_timestamp TEXT,
    started_at TEXT NOT NULL, ended_at TEXT, listed INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL, note TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO "listings" VALUES (1, 'wayback', 'bjatta.bja.ojp.gov', 'full', NULL, '2026-11-24T22:03:03Z', '2026-11-24T22:03:03Z', 4, 4, 'complete', '');
INSERT INTO "listings" VALUES (2, 'wayback', 'bjatta.bja.ojp.gov', 'incremental', '20261110220303', '2026-11-24T22:03:04Z', '2026-11-24T22:03:04Z', 0, 0, 'complete', '');
INSERT INTO "listings" VALUES (3, 'wayback', 'bjatta.bja.ojp.gov', 'full', NULL, '2026-11-24T22:03:04Z', '2026-11-24T22:03:04Z', 4, 0, 'complete', '');
CREATE TABLE captures (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, url TEXT NOT NULL, urlkey TEXT NOT NULL,
    timestamp TEXT NOT NULL, digest TEXT NOT NULL, mime TEXT, status INTEGER, length INTEGER, filename TEXT,
    "offset" INTEGER, truncated TEXT, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
    ask_again_at TEXT, run INTEGER, first_listing INTEGER NOT NULL, last_listing INTEGER NOT NULL, fetched_at TEXT,
    served_timestamp TEXT, served_url TEXT, capture_id TEXT, fixity TEXT,
    UNIQUE (source, url, timestamp, digest, status)
) STRICT;
INSERT INTO "captures" VALUES (1, 'wayback', 'bjatta.bja.ojp.gov', 'https://bjatta.bja.ojp.gov/node/1', 'bjatta.bja.ojp.gov/node/1', '20240101000000', 'sha1:3PSHNJTBRIED3BGKOV26HYJHUBJKQHOS', 'text/html', 200, 1234, NULL, NULL, NULL, 'fetched', '', 1, NULL, 1, 1, 3, '2026-11-24T22:03:03Z', '20240101000000', 'https://bjatta.bja.ojp.gov/node/1', 'db09766501c87f39b8af', 'matches');
INSERT INTO "captures" VALUES (2, 'wayback', 'bjatta.bja.ojp.gov', 'https://bjatta.bja.ojp.gov/node/1', 'bjatta.bja.ojp.gov/node/1', '20240201000000', 'sha1:3PSHNJTBRIED3BGKOV26HYJHUBJKQHOS', 'text/html', 200, 1234, NULL, NULL, NULL, 'unchanged', '', 1, NULL, 1, 1, 3, '2026-11-24T22:03:03Z', '20240201000000', 'https://bjatta.bja.ojp.gov/node/1', '013ac16b8031f60f6c9a', 'matches');
INSERT INTO "captures" VALUES (3, 'wayback', 'bjatta.bja.ojp.gov', 'https://bjatta.bja.ojp.gov/node/2', 'bjatta.bja.ojp.gov/node/2', '20240101000000', 'sha1:TQU7XGBI3BZXTN5MYE4IR3F3IR7WIZTM', 'text/html', 200, 1234, NULL, NULL, NULL, 'missing', 'the archive answers 404', 1, '2026-12-24T22:03:03.823652Z', 1, 1, 3, NULL, NULL, NULL, NULL, NULL);
INSERT INTO "captures" VALUES (4, 'wayback', 'bjatta.bja.ojp.gov', 'https://bjatta.bja.ojp.gov/node/3', 'bjatta.bja.ojp.gov/node/3', '20240101000000', 'sha1:6UJBXOT274FHSQSA4TN4VUHGG5OUMFTB', 'text/html', 200, 1234, NULL, NULL, NULL, 'fetched', '', 2, NULL, 2, 1, 3, '2026-11-24T22:03:04Z', '20240101000000', 'https://bjatta.bja.ojp.gov/node/3', '1456ec0dd6918698a12b', 'matches');
CREATE TABLE live_pages (
    url TEXT PRIMARY KEY, checked_at TEXT NOT NULL, outcome TEXT NOT NULL, etag TEXT, last_modified TEXT, text_hash TEXT,
    capture_id TEXT, gone_since TEXT, removed_at TEXT
) STRICT;
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE INDEX listings_by_scope ON listings (source, scope, id);
CREATE INDEX captures_to_ask ON captures (source, urlkey, timestamp, id) WHERE ask_again_at IS NOT NULL;
CREATE INDEX captures_by_page ON captures (urlkey, timestamp);
CREATE INDEX captures_by_id ON captures (capture_id) WHERE capture_id IS NOT NULL;
PRAGMA application_id = 0;
PRAGMA user_version = 1;
