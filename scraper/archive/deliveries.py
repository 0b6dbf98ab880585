"""Which delivery of a capture counts, where several sources bring the same page at the same time with the same body. Pure.

They differ in what surrounds the body: headers, record number, where it came from. `archive` keeps a delivery only while it
counts for more than those it has, so that what the catalog says does not depend on who came first.
"""

from __future__ import annotations

from scraper.archive.catalog import Entry

SOURCES = ("wayback", "commoncrawl", "endofterm", "live")
"""The order of the configuration's sources (a test holds it); others come after them by name."""


def counts_more(one: Entry, other: Entry) -> bool:
    """Whether one delivery of a capture is preferred: intact before damaged, whole before truncated, then by source."""
    return _rank(one) < _rank(other)


def _rank(entry: Entry) -> tuple[object, ...]:
    place = SOURCES.index(entry.source) if entry.source in SOURCES else len(SOURCES)
    details = (entry.form, entry.content_type, entry.payload_digest, entry.warc_record_id)
    original = (entry.original_record_id, entry.original_url, entry.original_captured_at)
    return -entry.intact, entry.truncated or "", place, entry.source, *((one is None, one or "") for one in (*details, *original))
