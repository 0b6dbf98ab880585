-- A row of a listing: a new one, or a known one that is still listed.
INSERT INTO captures (
    source, scope, url, urlkey, node_id, timestamp, digest, mime, status, length, filename, "offset", truncated,
    state, ask_again_at, first_listing, last_listing
)
VALUES (
    :source, :scope, :url, :urlkey, :node_id, :timestamp, :digest, :mime, :status, :length, :filename, :offset, :truncated,
    'listed', '', :listing, :listing
)
ON CONFLICT (source, url, timestamp, digest, status) DO UPDATE SET last_listing = excluded.last_listing
