CREATE TABLE captures (
    capture_id TEXT PRIMARY KEY, warc_file TEXT NOT NULL, warc_offset INTEGER NOT NULL, warc_length INTEGER NOT NULL,
    form TEXT NOT NULL, source TEXT NOT NULL, url TEXT, captured_at TEXT, fetched_at TEXT, http_status INTEGER,
    content_type TEXT, sha256 TEXT, payload_digest TEXT, truncated TEXT, warc_record_id TEXT,
    original_record_id TEXT, original_url TEXT, original_captured_at TEXT
) STRICT;
INSERT INTO "captures" VALUES ('db09766501c87f39b8af', 'tta-000001.warc.gz', 0, 423, 'response', 'wayback', 'https://bjatta.bja.ojp.gov/node/1', '2024-01-01T00:00:00Z', '2026-11-24T22:03:03Z', 200, 'text/html; charset=UTF-8', '53fd530b56fb0f1909ee71ea3af7e9e96da15fd67ef3536d3bb28de2e6c5b1fe', 'sha1:3PSHNJTBRIED3BGKOV26HYJHUBJKQHOS', NULL, '<urn:uuid:ca0513fa-7fee-5e2e-b627-6c355616d929>', NULL, NULL, NULL);
INSERT INTO "captures" VALUES ('013ac16b8031f60f6c9a', 'tta-000001.warc.gz', 423, 467, 'revisit', 'wayback', 'https://bjatta.bja.ojp.gov/node/1', '2024-02-01T00:00:00Z', '2026-11-24T22:03:03Z', 200, 'text/html; charset=UTF-8', NULL, 'sha1:3PSHNJTBRIED3BGKOV26HYJHUBJKQHOS', NULL, '<urn:uuid:e80cf071-39a7-5bd8-a3e7-699f6c866f81>', '<urn:uuid:ca0513fa-7fee-5e2e-b627-6c355616d929>', 'https://bjatta.bja.ojp.gov/node/1', '2024-01-01T00:00:00Z');
INSERT INTO "captures" VALUES ('1456ec0dd6918698a12b', 'tta-000001.warc.gz', 890, 422, 'response', 'wayback', 'https://bjatta.bja.ojp.gov/node/3', '2024-01-01T00:00:00Z', '2026-11-24T22:03:04Z', 200, 'text/html; charset=UTF-8', 'ace296e31af6a7e9ebfee9b36cce180ec7f639780105eb8a056e6ce15d4fc8cc', 'sha1:6UJBXOT274FHSQSA4TN4VUHGG5OUMFTB', NULL, '<urn:uuid:7b22d422-5428-52ad-b908-58518c2fb222>', NULL, NULL, NULL);
CREATE TABLE files (warc_file TEXT PRIMARY KEY, read_to INTEGER NOT NULL) STRICT;
INSERT INTO "files" VALUES ('tta-000001.warc.gz', 1312);
CREATE INDEX captures_by_body ON captures (url, sha256);
CREATE INDEX captures_by_place ON captures (warc_file, warc_offset);
CREATE INDEX captures_by_record_id ON captures (warc_record_id);
CREATE INDEX captures_by_digest ON captures (payload_digest);
PRAGMA application_id = 0;
PRAGMA user_version = 0;
