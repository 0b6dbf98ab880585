"""Examines the ledger: itself, and what it says is stored against what the archive was seen to hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scraper.doctor.findings import Finding, Kind, agreed, counted, examples
from scraper.doctor.scratch import LEDGER, Scratch
from scraper.errors import TtaError
from scraper.ledger.rows import STORED
from scraper.ledger.schema import APPLICATION, VERSION
from scraper.sqlite import open_readonly, stored_version
from scraper.terminal import escape

STORED_STATES = ", ".join(f"'{state.value}'" for state in STORED)
GONE = "capture_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id)"
"""That a row `one` of the ledger names a capture which no sound record holds."""
UNTOLD = f"""
    SELECT one.id, s.capture_id FROM ledger.captures one JOIN main.seen s ON s.url = one.url
     AND strftime('%Y%m%d%H%M%S', s.captured_at) = one.timestamp AND s.truncated IS NULL
    WHERE one.state NOT IN ({STORED_STATES}, 'listed', 'substituted') GROUP BY one.id"""
"""Rows whose very capture is stored although they say it could not be had, with its id. A capture that is merely listed is found
by the next fetch, and one that was substituted stays open whatever else is stored."""


def examine_ledger(scratch: Scratch, path: Path) -> Iterator[Finding]:
    """Attaches the ledger, or an empty one where it can't be read."""
    scratch.stand_in(LEDGER)
    if not path.exists():
        return
    if finding := _unreadable(path):
        yield finding
        return
    scratch.attach(LEDGER, path)
    yield from _against_archive(scratch)
    runs = scratch.count("SELECT count(*) FROM ledger.runs WHERE ended_at IS NULL")
    if runs:
        text = f"{counted(runs, 'fetch', 'fetches')} ended without saying so, as one that is killed does"
        yield Finding(Kind.RUNS_UNFINISHED, text, runs, harmless=True)


def _unreadable(path: Path) -> Finding | None:
    """What keeps the ledger from being read, if anything does."""
    aside = "it is set aside, and what can still be read of it goes into a new one; the next fetch lists everything anew"
    try:
        with closing(open_readonly(path)) as db:
            version = stored_version(db, path, APPLICATION)
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]
    except TtaError as error:
        return Finding(Kind.LEDGER_DAMAGED, escape(error))
    except sqlite3.DatabaseError as error:
        return Finding(Kind.LEDGER_DAMAGED, f"{path.name} is damaged: {escape(error, 120)}", mend=aside)
    if found != ["ok"]:
        return Finding(Kind.LEDGER_DAMAGED, f"{path.name} is damaged", len(found), aside, examples=examples(found))
    if version != VERSION:
        mend = "it is set aside, and the next fetch lists the sources again"
        return Finding(Kind.LEDGER_OLD, f"{path.name} is of another version", mend=mend)
    return None


def _against_archive(scratch: Scratch) -> Iterator[Finding]:
    gone = f"FROM ledger.captures one WHERE state IN ({STORED_STATES}) AND {GONE}"
    if count := scratch.count(f"SELECT count(*) {gone}"):
        text = f"{counted(count, 'row')} of the ledger name captures as stored that the archive does not hold"
        shown = scratch.texts(f"SELECT source || ' ' || timestamp || ' ' || url {gone}")
        yield Finding(Kind.LEDGER_LOST, text, count, "the next fetch asks for them again", examples=examples(shown))
    if count := scratch.count(f"SELECT count(*) FROM ledger.live_pages one WHERE {GONE}"):
        text = f"{counted(count, 'page')} of the live site would be compared with captures that the archive does not hold"
        yield Finding(Kind.LEDGER_PAGES, text, count, "the next visit takes them as new")
    if count := scratch.count(f"SELECT count(*) FROM ({UNTOLD})"):
        text = f"{counted(count, 'capture')} that the ledger says could not be had {agreed(count)} stored"
        yield Finding(Kind.LEDGER_MISSES, text, count, "the ledger notes them as stored")
