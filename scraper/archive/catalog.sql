
CREATE TABLE IF NOT EXISTS captures (
    capture_id TEXT PRIMARY KEY, warc_file TEXT NOT NULL, warc_offset INTEGER NOT NULL, warc_length INTEGER NOT NULL,
    warc_type TEXT NOT NULL, source TEXT NOT NULL, url TEXT, captured_at TEXT, fetched_at TEXT, http_status INTEGER,
    content_type TEXT, sha256 TEXT, payload_digest TEXT, truncated TEXT, warc_record_id TEXT,
    revisit_profile TEXT, original_record_id TEXT, original_url TEXT, original_captured_at TEXT, intact INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS captures_by_body ON captures (url, sha256);
CREATE INDEX IF NOT EXISTS captures_by_place ON captures (warc_file, warc_offset);
CREATE INDEX IF NOT EXISTS captures_by_record_id ON captures (warc_record_id);
CREATE INDEX IF NOT EXISTS captures_by_digest ON captures (payload_digest);
CREATE TABLE IF NOT EXISTS files (warc_file TEXT PRIMARY KEY, read_to INTEGER NOT NULL) STRICT;
