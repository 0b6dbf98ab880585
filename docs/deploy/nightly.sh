#!/bin/sh
# What the service `refresh` of compose.yaml runs: one refresh at once, then one every night at $TTA_AT (UTC; 03:17 by default).
# A refresh that fails says so in `docker compose logs refresh`; the next night tries again. SIGTERM ends it cleanly.
trap 'kill "$!" 2>/dev/null; wait "$!"; exit 0' TERM INT
while :; do
    tta refresh --log-file "$TTA_DATA/refresh.jsonl" &
    wait "$!"
    sleep "$(($(date -u -d "tomorrow ${TTA_AT:-03:17}" +%s) - $(date -u +%s)))" &
    wait "$!"
done
