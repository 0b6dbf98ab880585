"""What there is: records and captures, how fresh they are, what waits to be loaded, and what the parser did not know."""

import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parsers.urls import node_id
from scraper.archive.store import CATALOG, open_catalog
from scraper.config import SOURCES
from scraper.database import runs
from scraper.database.checks import is_known
from scraper.database.connection import reading
from scraper.folders import Folders
from scraper.ledger.store import STORED, Ledger, State, last_listings
from scraper.sqlite import open_memory, uri

_SQL: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(slots=True)
class Completeness:
    """How many record numbers are known, captured, blocked or missing, by source and in all.

    `known`: an archive lists them or a file contains them; `captured`: at least one capture is stored; `blocked`: not captured,
    because an archive refuses them; `waiting`: not captured for other reasons, and asked for again. `never_archived`: known from
    elsewhere and not listed by this source; in all, between known numbers and listed nowhere: perhaps there was no such record.
    `listings`: the last listing of each scope; `waits`: until when hosts are not asked.
    """

    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)
    listings: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Status:
    """Counts, and times in ISO 8601 UTC. `not_loaded`: captures of the archive that the database lacks.

    `last_refresh`: its row of `runs`; `failed_checks`: its checks, by column of `run_checks`; `last_good_refresh`: when the last
    refresh that committed started; `refused_refresh`: when the refresh started that keeps out what is not loaded; `low_space`: a
    warning.
    """

    archived: int = 0
    not_loaded: int = 0
    loaded: bool = False
    records: int = 0
    captures: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    first_captured_at: str | None = None
    last_captured_at: str | None = None
    time_unknown: int = 0
    changes: int = 0
    unknown_labels: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    last_refresh: dict[str, Any] | None = None
    failed_checks: list[dict[str, Any]] = field(default_factory=list)
    last_good_refresh: str | None = None
    refused_refresh: str | None = None
    low_space: str | None = None
    completeness: Completeness = field(default_factory=Completeness)
    years: list[dict[str, Any]] = field(default_factory=list)


def status(folders: Folders) -> Status:
    """Returns the state of a data folder, which may be empty. Raises TtaError if a file of it can't be read."""
    found = Status(low_space=folders.low_space())
    archived: dict[str, set[int]] = {}
    has_archive = (folders.archive / CATALOG).is_file()
    with closing(open_catalog(folders.archive, writable=False) if has_archive else open_memory()) as catalog:
        if folders.database.exists():
            with reading(folders.database) as db:
                archived = _count(db, found)
                if has_archive:
                    db.execute("COMMIT")  # SQLite attaches no file within a transaction
                    db.execute("ATTACH DATABASE ? AS archive", [uri(folders.archive / CATALOG)])
                    _count_archive(db, found, archived, "capture_id NOT IN (SELECT capture_id FROM main.captures)")
        elif has_archive:
            _count_archive(catalog, found, archived, "1")
    with Ledger(folders.ledger, writable=False) as ledger:
        found.completeness = _completeness(ledger, archived)
    return found


def missing(folders: Folders) -> list[str]:
    """Addresses of records that an archive lists or captures refer to, and no capture shows: worth fetching or nominating."""
    with reading(folders.database) as db, Ledger(folders.ledger, writable=False) as ledger:
        shown = {row[0] for row in db.execute("SELECT node_id FROM records WHERE node_id IS NOT NULL")}
        seen = {row[0] for row in db.execute("SELECT node_id FROM unseen_records")}
        listed = set[int]().union(*(ledger.nodes(name) for name in ledger.sources()))
    return [f"https://bjatta.bja.ojp.gov/node/{number}" for number in sorted((seen | listed) - shown)]


def _completeness(ledger: Ledger, archived: Mapping[str, set[int]]) -> Completeness:
    """What the ledger lists and the archive has. `archived`: by source the node numbers of stored captures."""
    captured = {name: archived.get(name, set()) | ledger.nodes(name, STORED) for name in {*ledger.sources(), *archived}}
    known = {name: ledger.nodes(name) | captured[name] for name in captured}
    blocked = {name: ledger.nodes(name, [State.BLOCKED]) - captured[name] for name in captured}
    all_known, all_captured, all_blocked = (set[int]().union(*one.values()) for one in (known, captured, blocked))

    def counts(known: set[int], captured: set[int], blocked: set[int], never_archived: int) -> dict[str, int]:
        waiting = len(known - captured - blocked)
        numbers = {"known": len(known), "captured": len(captured), "blocked": len(blocked), "waiting": waiting}
        return numbers | {"never_archived": never_archived}

    order = {name: place for place, name in enumerate(SOURCES)}
    names = sorted(filter(known.get, known), key=lambda name: (order.get(name.partition(":")[0], len(order)), name))
    between = max(all_known) - min(all_known) + 1 if all_known else 0
    return Completeness(
        {name: counts(known[name], captured[name], blocked[name], len(all_known - known[name])) for name in names},
        counts(all_known, all_captured, all_blocked - all_captured, between - len(all_known)),
        last_listings(ledger),
        dict(ledger.db.execute(_SQL["lists"]["waits"]).fetchall()),
    )


def _count_archive(db: sqlite3.Connection, found: Status, archived: dict[str, set[int]], unloaded: str) -> None:
    """Counts the captures of the catalog, and adds the node numbers of those that are not loaded."""
    table = "archive.captures" if found.loaded else "captures"
    found.archived = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    for source, url in db.execute(f"SELECT source, url FROM {table} WHERE {unloaded}"):  # noqa: S608
        found.not_loaded += 1
        if (number := node_id(url)) is not None:
            archived.setdefault(source, set()).add(number)


def _count(db: sqlite3.Connection, found: Status) -> dict[str, set[int]]:
    """Counts what the database has. Returns by source the node numbers of its captures."""
    lists = _SQL["lists"]
    found.loaded = True
    for name, query in _SQL["values"].items():
        setattr(found, name, db.execute(query).fetchone()[0])
    for name, query in _SQL["counts"].items():
        setattr(found, name, dict(db.execute(query).fetchall()))
    years = db.execute(lists["years"])
    found.years = [dict(zip([column[0] for column in years.description], row, strict=True)) for row in years]
    unknown = [label for (label,) in db.execute(lists["labels"]) if not is_known(label)]
    counts = {label: db.execute(lists["of_label"], [label]).fetchone()[0] for label in unknown}
    most_first = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    found.unknown_labels = {label: count for label, count in most_first if count}
    found.last_refresh = runs.latest(db)
    if found.last_refresh:
        found.failed_checks = [check._asdict() for check in runs.failed_checks(db, found.last_refresh["run_id"])]
    found.refused_refresh = (runs.refused(db) or (0, None))[1]
    return {source: {node for (node,) in db.execute(lists["nodes"], [source])} for source in found.sources}
