"""Mends the ledger: what it wrongly takes for stored is asked for again, and a damaged one is copied as far as it can be read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from scraper.doctor.findings import Finding, Kind
from scraper.doctor.ledger import GONE, STORED_STATES, UNTOLD
from scraper.doctor.scratch import LEDGER, Scratch
from scraper.ledger.store import Ledger, replace

_ASK_AGAIN = f"""
    UPDATE ledger.captures AS one SET state = 'listed', reason = 'the archive no longer holds it', tries = 0, ask_again_at = '',
     fetched_at = NULL, served_timestamp = NULL, served_url = NULL, capture_id = NULL, fixity = NULL
    WHERE state IN ({STORED_STATES}) AND {GONE}"""
_FORGET_PAGE = f"""
    UPDATE ledger.live_pages AS one SET etag = NULL, last_modified = NULL, text_hash = NULL, capture_id = NULL WHERE {GONE}"""
_NOTE_STORED = f"""
    UPDATE ledger.captures SET state = 'duplicate', reason = 'stored already', ask_again_at = NULL, capture_id = told.stored_id
    FROM (SELECT id AS told_id, capture_id AS stored_id FROM ({UNTOLD})) AS told WHERE id = told.told_id"""


def mend_ledger(scratch: Scratch, path: Path, findings: Collection[Finding]) -> None:
    """Does what the findings of the ledger say. Raises OSError, TtaError, sqlite3.Error."""
    kinds = {finding.kind for finding in findings}
    scratch.detach(LEDGER)
    if Kind.LEDGER_DAMAGED in kinds:
        replace(path, "damaged")
    Ledger(path).close()
    if not kinds & {Kind.LEDGER_LOST, Kind.LEDGER_PAGES, Kind.LEDGER_MISSES}:
        return
    with scratch.changing(LEDGER, path) as db:
        for statement in (_ASK_AGAIN, _FORGET_PAGE, _NOTE_STORED):
            db.execute(statement)
