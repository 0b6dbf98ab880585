"""Compares new data with those of the last good run before they are committed. Never changes anything.

`scraper.refresh` runs the checks inside the load's transaction and decides what a failed one means; `runs` stores the results.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from parsers.registry import group_table, is_instructions, known
from scraper.config import Checks
from scraper.database.recent_checks import OUGHT, PAGES, VALUES, recent
from scraper.database.stored_page import VALUE_COLUMNS
from scraper.database.tables import TABLES
from scraper.terminal import escape

TONIGHT = "new: "
"""Prefix of the subject of a check that covers only what this load has read."""
UNKNOWN_LABELS = "unknown labels"
"""The check whose subjects are words from pages."""
_EXAMPLES = 5
_MOST_ROWS = 50
_READ_NOW = "capture_id IN (SELECT capture_id FROM temp.loaded)"


class Severity(StrEnum):
    """What a failed check does: `fail` keeps the new data out, `warn` is only reported."""

    FAIL = "fail"
    WARN = "warn"


class Check(NamedTuple):
    """One check. `figure` is a count or a share, `threshold` the most or the least allowed; `message` states where to look."""

    name: str
    severity: str
    subject: str | None
    figure: float | None
    threshold: float | None
    passed: bool
    message: str | None = None


Figures = Mapping[tuple[str, str | None], float]
"""Figures of the last good run, by name and subject."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the checks compare. `before`: the state that readers still see, None where there is none; `last`: its figures.

    `archive`: the archive's folder, None where nothing new was loaded. `accepted`: the figures of the checks of recent captures
    that were accepted on purpose, by name.
    """

    db: sqlite3.Connection
    before: sqlite3.Connection | None
    last: Figures
    limits: Checks
    archive: Path | None = None
    accepted: Mapping[str, float] = field(default_factory=dict)


def check_all(looked: Looked) -> Iterator[Check]:
    """Yields every check, the most important first."""
    checks = (vanished_records, pages_that_parse, filled_values, recent_captures, unknown_labels, page_shapes, duplicates)
    for check in (*checks, broken_references):
        yield from check(looked)


def _at_most(name: str, severity: Severity, subject: str | None, figure: int, most: float | None, message: str | None) -> Check:
    passed = most is None or figure <= most
    return Check(name, severity, subject, figure, most, passed, None if passed else message)


def vanished_records(looked: Looked) -> Iterator[Check]:
    """Records that existed and do not exist now. A record whose captures show another record now was merged."""
    gone = []
    shown = "SELECT 1 FROM captures WHERE capture_id = ? AND record_id IS NOT NULL"
    if before := looked.before:
        for record in before.execute("SELECT record_id FROM records ORDER BY record_id"):
            if looked.db.execute("SELECT 1 FROM records WHERE record_id = ?", record).fetchone() is None:
                captures = before.execute("SELECT capture_id FROM captures WHERE record_id = ?", record)
                if not any(looked.db.execute(shown, capture).fetchone() for capture in captures):
                    gone.append(record[0])
    advice = f"`tta why {escape(''.join(gone[:1]), 80)}` shows what is known of it, `tta load --rebuild --plan` what changed"
    most = looked.limits.vanished_records
    yield _at_most("vanished records", Severity.FAIL, None, len(gone), most, f"{_some(gone)}: {advice}")


def pages_that_parse(looked: Looked) -> Iterator[Check]:
    """The share of captures that ought to show a record and do."""
    name, limits = PAGES, looked.limits
    base = looked.last.get((name, None))
    for subject, where, drop in ((None, "1", limits.parsed_drop), (f"{TONIGHT}pages", _READ_NOW, limits.parsed_drop_tonight)):
        query = f"SELECT count(*), count(form) FROM captures WHERE {OUGHT} AND {where}"
        total, shown = looked.db.execute(query).fetchone()
        advice = "`tta why` shows how it is read"
        if shown < total:
            # `tta why` lists the captures of a refused night as well.
            query = f"SELECT node_id, captured_at, kind FROM captures WHERE {OUGHT} AND {where} AND form IS NULL"
            number, at, kind = looked.db.execute(f"{query} ORDER BY captured_at DESC, capture_id LIMIT 1").fetchone()
            page = f"node {number} as captured at {at or 'an unknown time'}, which is taken for kind `{kind}`"
            advice = f"look at {page}; {advice}"
        yield _share(name, subject, (shown, total), base, drop, limits.floor, advice)


def filled_values(looked: Looked) -> Iterator[Check]:
    """The share of records shown by an HTML page that have a value, by column. Text captures can't contain every field."""
    name, limits = VALUES, looked.limits
    counts = ", ".join(f'count("{column}")' for column in VALUE_COLUMNS)
    for prefix, where, drop in (("", "1", limits.filled_drop), (TONIGHT, _READ_NOW, limits.filled_drop_tonight)):
        shown = f"SELECT record_id FROM captures WHERE form = 'html' AND {where}"
        total, *filled = looked.db.execute(f"SELECT count(*), {counts} FROM records WHERE record_id IN ({shown})").fetchone()
        if prefix and total < limits.floor:
            return
        for column, count in zip(VALUE_COLUMNS, filled, strict=True):
            base = looked.last.get((name, column))
            check = _share(name, f"{prefix}{column}", (count, total), base, drop, limits.floor, "look at record ")
            if not check.passed:
                lacking = f'SELECT record_id FROM records WHERE "{column}" IS NULL AND record_id IN ({shown})'
                example = looked.db.execute(f"{lacking} ORDER BY last_captured_at DESC, record_id LIMIT 1").fetchone()[0]
                shown_by = f"`tta why {escape(example, 80)}` lists its captures and how they are read"
                check = check._replace(message=f"{check.message}{escape(example, 80)}: {shown_by}")
            yield check


def _share(
    name: str, subject: str | None, part: tuple[int, int], base: float | None, drop: float, floor: int, advice: str
) -> Check:
    """Fails if `part` is below the last good share `base` by more than `drop` of it, and by at least `floor`."""
    count, total = part
    figure = count / total if total else None
    if base is None:
        return Check(name, Severity.FAIL, subject, figure, None, True)
    missing = base * total - count
    passed = missing < floor or missing <= drop * base * total
    message = None if passed else f"{count} of {total}, where {base:.1%} were usual: {advice}"
    return Check(name, Severity.FAIL, subject, figure, base * (1 - drop), passed, message)


def recent_captures(looked: Looked) -> Iterator[Check]:
    """The share of the latest captures of known records that are worse than earlier captures of the same records."""
    if looked.archive is None or looked.before is None:
        return
    for one in recent(looked.db, looked.archive, looked.limits):
        most = looked.accepted.get(one.name, 0.0) + looked.limits.recent_share  # what was accepted on purpose, and a share more
        figure = one.worse / one.total if one.total else None
        passed = figure is None or one.worse < looked.limits.recent_failures or figure < most
        message = f"{one.worse} of the latest {one.total} captures of known records {one.what}: `tta why` shows how it is read"
        yield Check(one.name, Severity.FAIL, one.subject, figure, min(most, 1.0), passed, None if passed else message)


def unknown_labels(looked: Looked) -> Iterator[Check]:
    """Labels that are not in the registry, reported once when more than a limit of records have them."""
    name, most = UNKNOWN_LABELS, looked.limits.unknown_label_records
    query = (
        "SELECT DISTINCT label FROM fields WHERE record_id IN (SELECT record_id FROM temp.affected)"
        " AND label IS NOT NULL AND item IS NULL ORDER BY label"
    )
    labels = [label for (label,) in looked.db.execute(query) if not is_known(label)]
    of_label = "SELECT count(DISTINCT record_id) FROM fields WHERE label = ? AND item IS NULL"
    advice = "add it to parsers/registry.py, then `tta load --rebuild`; until then it is in the table fields"
    new = list(_crossed(looked, name, labels, of_label, most, "records", advice))
    yield _at_most(name, Severity.WARN, None, len(new), 0, None)
    yield from new


def is_known(label: str) -> bool:
    """Returns whether the registry has the label."""
    return known(label) is not None or group_table(label) is not None or is_instructions(label)


def page_shapes(looked: Looked) -> Iterator[Check]:
    """Page structures that are new: the share of the pages read now that have one, and each that has become frequent.

    The fields of a page are part of its structure, so a few new structures are normal; a new theme makes all of them new.
    """
    name, limits = "new page shapes", looked.limits
    shapes = f"SELECT shape, count(*) FROM captures WHERE shape IS NOT NULL AND {_READ_NOW} GROUP BY shape"
    now = dict(looked.db.execute(shapes).fetchall())
    total = sum(now.values())
    new = sum(count for shape, count in now.items() if not _count(looked.before, _OF_SHAPE, shape))
    passed = looked.before is None or new < limits.floor or new <= limits.new_shape_share * total
    figure = new / total if total and looked.before else None
    yield Check(name, Severity.WARN, None, figure, limits.new_shape_share, passed, None if passed else f"{new} pages: {_LOOK}")
    yield from _crossed(looked, name, now, _OF_SHAPE, limits.new_shape_captures, "captures", _LOOK)


_OF_SHAPE = "SELECT count(*) FROM captures WHERE shape = ?"
_LOOK = "look whether such a page is read right: column shape of the table captures finds some, `tta why` shows how they are read"


def _count(db: sqlite3.Connection | None, query: str, value: str) -> int:
    return int(db.execute(query, [value]).fetchone()[0]) if db else 0


def _crossed(
    looked: Looked, name: str, subjects: Iterable[str], of_one: str, most: int, unit: str, advice: str
) -> Iterator[Check]:
    """Yields a check for each subject whose count, which the query `of_one` returns, rose above `most` since the last run."""
    few = (one for one in subjects if looked.before and _count(looked.before, of_one, one) <= most)
    crossed = ((one, now) for one in few if (now := _count(looked.db, of_one, one)) > most)
    for subject, now in islice(crossed, _MOST_ROWS):
        yield Check(name, Severity.WARN, escape(subject), now, most, False, f"seen in {now} {unit}: {advice}")


def duplicates(looked: Looked) -> Iterator[Check]:
    """Records that may be one: several with the same reference, more than before, or with the same node number."""
    name = "one reference, several records"
    twice = "SELECT {key} FROM records WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}"
    shared = [str(one) for (one,) in looked.db.execute(twice.format(key="reference"))]
    base = looked.last.get((name, None))
    most = None if base is None else base + looked.limits.shared_references
    advice = f"such as {_some(shared)}: look at them in Datasette, table records"
    yield _at_most(name, Severity.FAIL, None, len(shared), most, advice)
    nodes = [str(one) for (one,) in looked.db.execute(twice.format(key="node_id"))]
    advice = f"{_some(nodes)}: a bug in this program; please report it"
    yield _at_most("one node, several records", Severity.FAIL, None, len(nodes), 0, advice)


def broken_references(looked: Looked) -> Iterator[Check]:
    """Rows written by this load that refer to a missing record or capture, and records without a capture; `tta doctor` checks
    all.

    To check all rows of 100,000 captures took three quarters of a night in which nothing was new (November 2026).
    """
    written = "record_id IN (SELECT record_id FROM temp.affected)"
    broken = (
        "SELECT 1 FROM {table} one WHERE one.{written} AND one.{column} IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM {other} WHERE {other}.{column} = one.{column}) LIMIT 1"
    )
    links = [(table.name, *link) for table in TABLES for link in table.links if "record_id" in table.columns]
    linked = ((table, broken.format(table=table, written=written, column=column, other=other)) for table, column, other in links)
    tables = sorted({table for table, query in linked if looked.db.execute(query).fetchone()})
    repair = "`tta load --rebuild` repairs it; please report it"
    yield _at_most("broken references", Severity.FAIL, "tables", len(tables), 0, f"{', '.join(tables)}: {repair}")
    queries = {
        "records without a capture": f"records one WHERE {written} AND NOT EXISTS"
        " (SELECT 1 FROM captures WHERE captures.record_id = one.record_id)",
        "captures that repeat none": "captures one WHERE original_id IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM captures WHERE captures.capture_id = one.original_id)",
    }
    for subject, query in queries.items():
        count = looked.db.execute(f"SELECT count(*) FROM {query}").fetchone()[0]
        yield _at_most("broken references", Severity.FAIL, subject, count, 0, repair)


def _some(names: list[str]) -> str:
    shown = ", ".join(escape(one, 80) for one in names[:_EXAMPLES])
    return shown if len(names) <= _EXAMPLES else f"{shown} and {len(names) - _EXAMPLES} more"
