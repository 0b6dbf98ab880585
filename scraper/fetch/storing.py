"""Stores fetched captures in the archive: each once, and without its body where the body is stored already.

The archive makes a capture durable before the ledger records it.
"""

from dataclasses import replace

from scraper.archive.catalog import Entry
from scraper.archive.store import Archive
from scraper.archive.warc import sha1_digest
from scraper.capture import Capture, Form, Original
from scraper.ledger.rows import EMPTY_SHA1, FetchResult, Row, State, sha1_of, to_time
from scraper.ledger.store import Ledger
from scraper.sources.base import Fetched, revisit_of
from scraper.web.addresses import url_key


class Storing:
    """Stores the captures of one source."""

    def __init__(self, archive: Archive, ledger: Ledger, source: str) -> None:
        self._archive = archive
        self._ledger = ledger
        self._source = source

    def without_asking(self, row: Row) -> FetchResult | None:
        """Returns the result for a row that the archive settles: it has the capture, or the body by the listing's digest; else
        None.
        """
        moment = to_time(row.timestamp)
        stored = self._archive.at(row.url, moment) if moment else None
        if stored and not stored.truncated:
            return FetchResult(state=State.DUPLICATE, reason="stored already", capture_id=stored.capture_id)
        if elsewhere := self._ledger.stored_elsewhere(self._source, url_key(row.url), row):
            return FetchResult(state=State.DUPLICATE, reason="stored from another source", capture_id=elsewhere)
        original = self._original_of(row)
        if original is None or moment is None:
            return None
        revisit = revisit_of(original, source=self._source, url=row.url, captured_at=moment)
        return self._add(revisit, State.UNCHANGED)

    def _original_of(self, row: Row) -> Capture | None:
        """Returns a stored capture of the same page with the row's digest, which the row can repeat; otherwise None.

        Never a redirect, whose body is the same wherever it leads, nor a capture whose body was cut.
        """
        digest = sha1_of(row.digest)
        if digest is None or digest == EMPTY_SHA1:
            return None
        entry = self._archive.with_digest(row.url, digest)
        if entry is None and row.is_revisit and (known := self._ledger.original_of(url_key(row.url), digest)):
            entry = self._archive.entry(known)
            entry = entry if entry and entry.payload_digest == digest else None
        if entry is None or entry.form != Form.RESPONSE or entry.http_status is None or 300 <= entry.http_status < 400:
            return None
        if not row.is_revisit and entry.http_status != row.status:
            return None
        return self._archive.read(entry)

    def add(self, fetched: Fetched, row: Row) -> FetchResult:
        """Stores a capture, as a revisit where its body is stored for this URL already."""
        capture = fetched.capture
        known = self._archive.at(capture.url, capture.captured_at) if capture.url and capture.captured_at else None
        if known and not (known.truncated and not capture.truncated):
            result = FetchResult(state=State.DUPLICATE, reason="stored already", capture_id=known.capture_id)
        else:
            if original := self._same_body(capture):
                stored = self._archive.read(original)
                repeats = Original(stored.warc_record_id, stored.url, stored.captured_at)
                digest = sha1_digest(stored.payload)
                capture = replace(
                    capture, form=Form.REVISIT, payload=b"", payload_digest=digest, original=repeats, warc_record_id=None
                )
            state = State.UNCHANGED if capture.form is Form.REVISIT else State.FETCHED
            result = self._add(capture, state, fetched.note)
        if not fetched.substitute:
            return result
        return replace(result, state=State.SUBSTITUTED, reason=f"asked for {row.timestamp}, stored as what it is")

    def _same_body(self, capture: Capture) -> Entry | None:
        if capture.form is not Form.RESPONSE or not capture.content or not capture.url or not capture.sha256:
            return None
        found = self._archive.same_body(capture.url, capture.sha256)
        return found if found and found.form == Form.RESPONSE and not found.truncated else None

    def _add(self, capture: Capture, state: State, note: str = "") -> FetchResult:
        entry = self._archive.add(capture)
        self._archive.flush()
        return FetchResult(
            state=state if entry else State.DUPLICATE,
            reason=note if entry else "stored already",
            capture_id=capture.capture_id,
            truncated=capture.truncated,
        )
