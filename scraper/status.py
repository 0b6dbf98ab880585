"""The state of a data folder: records and captures, how current they are, what is not loaded, and what was not recognized."""

import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parsers.urls import node_id
from scraper.archive.store import CATALOG, open_catalog
from scraper.config import SOURCES
from scraper.database import runs
from scraper.database.checks import is_known
from scraper.database.connection import absent_from, reading
from scraper.folders import Folders
from scraper.ledger.store import STORED, FetchState, Ledger, last_listings
from scraper.sqlite import dicts, open_memory, uri

_SQL: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(slots=True)
class Completeness:
    """How many record numbers are known, captured, blocked or missing, by source and in total.

    `blocked`: an archive refuses them; `waiting`: not captured for other reasons, and requested again. `never_archived`: known
    from elsewhere and not listed by this source; in the total, numbers between known ones that are listed nowhere: perhaps there
    was no such record. `listings`: the last listing of each scope; `waits`: until when hosts are not contacted.
    """

    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)
    listings: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Status:
    """Counts, and times in ISO 8601 UTC. `not_loaded`: captures that the database lacks; `unknown_labels`: fields by label.

    `last_refresh`: its row of `runs`; `failed_checks`: its checks, by column of `run_checks`; `last_good_refresh`: start of the
    last refresh that committed; `refused_refresh`: start of the refused refresh that prevents loading; `low_space`: a warning.
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
    """Returns the state of a data folder, which may be empty. Raises TtaError if one of its files can't be read."""
    found = Status(low_space=folders.low_space())
    archived: dict[str, set[int]] = {}
    has_archive = (folders.archive / CATALOG).is_file()
    table, condition = "captures", "1"
    with ExitStack() as stack:
        db = stack.enter_context(closing(open_catalog(folders.archive, writable=False) if has_archive else open_memory()))
        if folders.database.exists():
            db = stack.enter_context(reading(folders.database))
            archived = _count(db, found)
            table, condition = "archive.captures", f"capture_id IN ({absent_from('main.captures')})"
            if has_archive:
                db.execute("COMMIT")  # SQLite can't attach a file within a transaction
                db.execute("ATTACH DATABASE ? AS archive", [uri(folders.archive / CATALOG)])
        if has_archive:
            found.archived = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for source, url in db.execute(f"SELECT source, url FROM {table} WHERE {condition}"):  # noqa: S608
                found.not_loaded += 1
                if (number := node_id(url)) is not None:
                    archived.setdefault(source, set()).add(number)
    with Ledger(folders.ledger, writable=False) as ledger:
        found.completeness = _completeness(ledger, archived)
    return found


def missing(folders: Folders) -> list[str]:
    """Returns URLs of records that an archive lists or captures refer to, but no capture shows: worth fetching or nominating."""
    with reading(folders.database) as db, Ledger(folders.ledger, writable=False) as ledger:
        shown = {row[0] for row in db.execute("SELECT node_id FROM records WHERE node_id IS NOT NULL")}
        seen = {row[0] for row in db.execute("SELECT node_id FROM unseen_records")}
        listed = set[int]().union(*(ledger.nodes(name) for name in ledger.sources()))
    return [f"https://bjatta.bja.ojp.gov/node/{number}" for number in sorted((seen | listed) - shown)]


def _completeness(ledger: Ledger, archived: Mapping[str, set[int]]) -> Completeness:
    """Compares what the ledger lists with what the archive has. `archived`: node numbers of stored captures, by source."""
    numbers: dict[str, tuple[set[int], set[int], set[int]]] = {}
    for name in {*ledger.sources(), *archived}:
        captured = archived.get(name, set()) | ledger.nodes(name, STORED)
        numbers[name] = (ledger.nodes(name) | captured, captured, ledger.nodes(name, [FetchState.BLOCKED]) - captured)
    known, captured, blocked = (set[int]().union(*(one[part] for one in numbers.values())) for part in range(3))

    def counts(known: set[int], captured: set[int], blocked: set[int], never_archived: int) -> dict[str, int]:
        found = {"known": len(known), "captured": len(captured), "blocked": len(blocked)}
        return found | {"waiting": len(known - captured - blocked), "never_archived": never_archived}

    order = {name: place for place, name in enumerate(SOURCES)}
    names = sorted(numbers, key=lambda name: (order.get(name.partition(":")[0], len(order)), name))
    between = max(known) - min(known) + 1 if known else 0
    return Completeness(
        {name: counts(*numbers[name], len(known - numbers[name][0])) for name in names if numbers[name][0]},
        counts(known, captured, blocked - captured, between - len(known)),
        last_listings(ledger),
        dict(ledger.db.execute(_SQL["lists"]["waits"]).fetchall()),
    )


def _count(db: sqlite3.Connection, found: Status) -> dict[str, set[int]]:
    """Counts what the database has. Returns the node numbers of its captures, by source."""
    lists = _SQL["lists"]
    found.loaded = True
    for name, query in _SQL["values"].items():
        setattr(found, name, db.execute(query).fetchone()[0])
    for name, query in _SQL["counts"].items():
        setattr(found, name, dict(db.execute(query).fetchall()))
    found.years = dicts(db, lists["years"])
    unknown = [label for (label,) in db.execute(lists["labels"]) if not is_known(label)]
    counts = [(-db.execute(lists["of_label"], [label]).fetchone()[0], label) for label in unknown]
    found.unknown_labels = {label: -count for count, label in sorted(counts) if count}
    found.last_refresh = runs.latest(db)
    if found.last_refresh:
        found.failed_checks = [check._asdict() for check in runs.failed_checks(db, found.last_refresh["run_id"])]
    found.refused_refresh = (runs.refused(db) or (0, None))[1]
    return {source: {node for (node,) in db.execute(lists["nodes"], [source])} for source in found.sources}
