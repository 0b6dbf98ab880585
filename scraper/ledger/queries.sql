-- host
SELECT not_before, reason, bans, limited_at, asked_at FROM hosts WHERE name = :name

-- save_host
INSERT OR REPLACE INTO hosts VALUES (:name, :not_before, :reason, :bans, :limited_at, :asked_at)

-- begin_run
INSERT INTO runs (started_at) VALUES (:now)

-- end_run
UPDATE runs SET ended_at = :now, status = :status, summary = :summary WHERE id = :run

-- note
SELECT value FROM notes WHERE name = :name AND at > :since

-- keep_note
INSERT OR REPLACE INTO notes VALUES (:name, :value, :now)

-- due
SELECT id FROM captures
WHERE source = :source AND ask_again_at IS NOT NULL AND ask_again_at <= :now AND timestamp BETWEEN :low AND :high
    AND (:failed_in IS NULL OR (run = :failed_in AND state = 'failed'))
ORDER BY urlkey, timestamp, id

-- row
SELECT url, timestamp, nullif(digest, ''), mime, nullif(status, 0), length, filename, "offset", truncated, id, tries
FROM captures WHERE id = :id

-- settle
UPDATE captures SET
    state = :state, reason = :reason, tries = :tries, ask_again_at = :ask_again_at, run = :run, fetched_at = :fetched_at,
    capture_id = :capture_id, truncated = coalesce(:truncated, truncated)
WHERE id = :id

-- failed_in
SELECT timestamp, url, reason FROM captures WHERE source = :source AND run = :run AND state IN ('failed', 'parked')

-- states
SELECT state, count(*) FROM captures WHERE source = :source GROUP BY state

-- knows
SELECT 1 FROM captures WHERE urlkey = :urlkey AND timestamp = :timestamp LIMIT 1

-- stored_elsewhere
SELECT capture_id FROM captures
WHERE urlkey = :urlkey AND digest = :digest AND capture_id IS NOT NULL AND timestamp = :timestamp AND digest != ''
    AND source != :source AND state IN ('fetched', 'unchanged', 'duplicate')
ORDER BY timestamp LIMIT 1

-- original_of
SELECT capture_id FROM captures
WHERE urlkey = :urlkey AND digest = :digest AND capture_id IS NOT NULL AND state IN ('fetched', 'duplicate') AND truncated IS NULL
ORDER BY timestamp LIMIT 1

-- sources
SELECT DISTINCT source FROM captures

-- nodes
SELECT DISTINCT node_id FROM captures, json_each(:states) WHERE source = :source AND state = value AND node_id > 0

-- begin_listing
INSERT INTO listings (source, scope, kind, from_timestamp, started_at, outcome)
VALUES (:source, :scope, :kind, :start, :now, :outcome)

-- end_listing
UPDATE listings SET ended_at = :now, outcome = :outcome, listed = :listed, new = :new, note = :note WHERE id = :listing

-- list_row
INSERT INTO captures (
    source, scope, url, urlkey, node_id, timestamp, digest, mime, status, length, filename, "offset", truncated,
    state, ask_again_at, first_listing, last_listing
)
VALUES (
    :source, :scope, :url, :urlkey, :node_id, :timestamp, :digest, :mime, :status, :length, :filename, :offset, :truncated,
    'listed', '', :listing, :listing
)
ON CONFLICT (source, url, timestamp, digest, status) DO UPDATE SET last_listing = excluded.last_listing

-- counts
SELECT count(*) FILTER (WHERE last_listing = :listing), count(*) FILTER (WHERE first_listing = :listing)
FROM captures WHERE source = :source AND scope = :scope

-- vanished: rows that only a smaller or incomplete listing had don't count: it may have been another site's
SELECT count(*) FROM captures
WHERE source = :source AND scope = :scope AND last_listing < :listing AND timestamp >= :start AND last_listing IN (
    SELECT id FROM listings WHERE source = :source AND scope = :scope AND outcome = 'complete' AND id >= :full
)

-- listed
SELECT listed FROM listings WHERE id = :full

-- shrunk_since
SELECT min(started_at) FROM listings
WHERE source = :source AND scope = :scope AND kind = 'full' AND outcome = 'shrunk' AND id > :full

-- last_complete
SELECT id, started_at FROM listings
WHERE source = :source AND scope = :scope AND outcome = 'complete' AND (kind = 'full' OR kind = :or_kind)
ORDER BY id DESC LIMIT 1

-- last_listings
SELECT source, scope, outcome, listed, note, started_at, (
    SELECT max(started_at) FROM listings whole
    WHERE whole.source = one.source AND whole.scope = one.scope AND whole.outcome = 'complete' AND whole.kind != 'window'
) AS last_complete_at
FROM listings one WHERE id IN (SELECT max(id) FROM listings GROUP BY source, scope) ORDER BY source, scope

-- answered_at: when a source last answered; if it never did, when it was first queried
SELECT coalesce(
    max(ended_at) FILTER (WHERE json_extract(part, '$.answered') OR json_extract(part, '$.outcome') = 'done'), min(ended_at)
)
FROM (SELECT ended_at, json_extract(summary, '$.sources."' || :source || '"') AS part FROM runs) WHERE part IS NOT NULL

-- live_pages
SELECT url, checked_at FROM live_pages

-- live_page
SELECT etag, last_modified, text_hash, capture_id, gone_since, removed_at FROM live_pages WHERE url = :url

-- keep_live_page
INSERT OR REPLACE INTO live_pages (
    url, checked_at, outcome, etag, last_modified, text_hash, capture_id, gone_since, removed_at
)
VALUES (:url, :now, :outcome, :etag, :last_modified, :text_hash, :capture_id, :gone_since, :removed_at)
