"""Compares new data with those of the last good run before they are committed. Never changes anything.

`scraper.refresh` runs the checks inside the load's transaction and decides what a failed one means; `runs` stores the results.
The latest captures of known records are also compared with earlier captures of the same records, whatever night they came in: a
new theme may reach an archive two pages a night, too few for a check of one night or for a share of the whole archive.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from parsers.record import State
from parsers.registry import group_table, is_instructions, known, known_name, normal
from scraper.config import Checks
from scraper.database.stored_page import VALUE_COLUMNS
from scraper.database.tables import TABLES
from scraper.errors import ArchiveDamaged
from scraper.terminal import escape

PAGES, VALUES = "pages that parse", "filled values"
"""The checks that are made of everything, of this night's captures, and of the latest captures of known records."""
TONIGHT, RECENT = "new: ", "recent: "
"""Prefixes of the subject where only what this load has read, or only the latest captures, are checked."""
UNKNOWN_LABELS = "unknown labels"
"""The check whose subjects are words from pages."""
_EXAMPLES = 5
_MOST_ROWS = 50
_MOST_READ = 50
"""Captures to look through for each one of a known record: an import may bring many new records at once."""
_READ_NOW = "capture_id IN (SELECT capture_id FROM temp.loaded)"
_OUGHT = "node_id IS NOT NULL AND warc_type != 'revisit' AND kind IN ('record', 'revisit', 'other', 'unreadable')"
"""Captures that ought to show a record: pages at a record's URL, except logins, errors, redirects and the like."""
_LATEST = f"""
    SELECT capture_id, node_id, captured_at, kind, form, shape, truncated IS NULL, EXISTS (
        SELECT 1 FROM captures old WHERE old.node_id = new.node_id AND old.form IS NOT NULL AND old.captured_at < new.captured_at)
    FROM captures new WHERE {_OUGHT} AND captured_at IS NOT NULL ORDER BY captured_at DESC, capture_id"""
_OTHER_SHAPE = """
    SELECT capture_id FROM captures WHERE node_id = ? AND form = 'html' AND warc_type != 'revisit' AND truncated IS NULL
    AND captured_at < ? AND shape IS NOT ? ORDER BY captured_at DESC, capture_id LIMIT 1"""
_OF_SHAPE = "SELECT count(*) FROM captures WHERE shape = ?"
_OF_LABEL = "SELECT count(DISTINCT record_id) FROM fields WHERE label = ? AND item IS NULL"
_LOOK = "look whether such a page is read right: column shape of the table captures finds some, `tta why` shows how they are read"


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
    checks = (_vanished_records, _pages_that_parse, _filled_values, _recent_captures, _unknown_labels, _page_shapes, _duplicates)
    for check in (*checks, _broken_references):
        yield from check(looked)


def is_known(label: str) -> bool:
    """Returns whether the registry has the label."""
    return known(label) is not None or group_table(label) is not None or is_instructions(label)


def _at_most(name: str, figure: int, most: float | None, message: str, subject: str | None = None) -> Check:
    """A check that fails if `figure` is greater than `most`, where that is known."""
    passed = most is None or figure <= most
    return Check(name, Severity.FAIL, subject, figure, most, passed, None if passed else message)


def _vanished_records(looked: Looked) -> Iterator[Check]:
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
    yield _at_most("vanished records", len(gone), looked.limits.vanished_records, f"{_some(gone)}: {advice}")


def _pages_that_parse(looked: Looked) -> Iterator[Check]:
    """The share of captures that ought to show a record and do."""
    limits = looked.limits
    base = looked.last.get((PAGES, None))
    for subject, where, drop in ((None, "1", limits.parsed_drop), (f"{TONIGHT}pages", _READ_NOW, limits.parsed_drop_tonight)):
        query = f"SELECT count(*), count(form) FROM captures WHERE {_OUGHT} AND {where}"
        total, shown = looked.db.execute(query).fetchone()
        advice = "`tta why` shows how it is read"
        if shown < total:
            # `tta why` lists the captures of a refused night as well.
            query = f"SELECT node_id, captured_at, kind FROM captures WHERE {_OUGHT} AND {where} AND form IS NULL"
            number, at, kind = looked.db.execute(f"{query} ORDER BY captured_at DESC, capture_id LIMIT 1").fetchone()
            page = f"node {number} as captured at {at or 'an unknown time'}, which is taken for kind `{kind}`"
            advice = f"look at {page}; {advice}"
        yield _share(PAGES, subject, (shown, total), base, drop, limits.floor, advice)


def _filled_values(looked: Looked) -> Iterator[Check]:
    """The share of records shown by an HTML page that have a value, by column. Text captures can't contain every field."""
    limits = looked.limits
    counts = ", ".join(f'count("{column}")' for column in VALUE_COLUMNS)
    for prefix, where, drop in (("", "1", limits.filled_drop), (TONIGHT, _READ_NOW, limits.filled_drop_tonight)):
        shown = f"SELECT record_id FROM captures WHERE form = 'html' AND {where}"
        total, *filled = looked.db.execute(f"SELECT count(*), {counts} FROM records WHERE record_id IN ({shown})").fetchone()
        if prefix and total < limits.floor:
            return
        for column, count in zip(VALUE_COLUMNS, filled, strict=True):
            base = looked.last.get((VALUES, column))
            check = _share(VALUES, f"{prefix}{column}", (count, total), base, drop, limits.floor, "look at record ")
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


class _Capture(NamedTuple):
    """A row of `_LATEST`. `is_whole`: not cut off; `is_known`: its record was captured before."""

    capture_id: str
    node_id: int
    captured_at: str
    kind: str
    form: str | None
    shape: str | None
    is_whole: int
    is_known: int

    def __str__(self) -> str:
        return f"node {self.node_id} as captured at {self.captured_at}"


def _recent_captures(looked: Looked) -> Iterator[Check]:
    """The share of the latest captures of known records that are worse than earlier captures of the same records."""
    if looked.archive is None or looked.before is None:
        return
    limits = looked.limits

    def check(name: str, subject: str, worse: int, total: int, what: str) -> Check:
        most = looked.accepted.get(name, 0.0) + limits.recent_share  # what was accepted on purpose, and a share more
        figure = worse / total if total else None
        passed = figure is None or worse < limits.recent_failures or figure < most
        message = f"{worse} of the latest {total} captures of known records {what}: `tta why` shows how it is read"
        return Check(name, Severity.FAIL, f"{RECENT}{subject}", figure, min(most, 1.0), passed, None if passed else message)

    found = islice(map(_Capture._make, looked.db.execute(_LATEST)), limits.recent_pages * _MOST_READ)
    latest = list(islice((one for one in found if one.is_known), limits.recent_pages))
    strange = [one for one in latest if one.form is None]
    example = f", such as {strange[0]}, kind `{strange[0].kind}`" if strange else ""
    yield check(PAGES, "pages", len(strange), len(latest), f"show no record{example}")
    had: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    examples: dict[str, _Capture] = {}
    for one in latest:
        if one.form != "html" or not one.is_whole:
            continue
        row = looked.db.execute(_OTHER_SHAPE, [one.node_id, one.captured_at, one.shape]).fetchone()
        before, now = (_labels(looked.db, looked.archive, id_) for id_ in (row[0], one.capture_id)) if row else (None, None)
        if before is not None and now is not None:
            had.update(before)
            lost.update(before - now)
            examples = dict.fromkeys(before - now, one) | examples
    if not lost:
        yield check(VALUES, "columns", 0, had.total(), "")
        return
    worst = max(lost, key=lambda label: (lost[label] >= limits.recent_failures, lost[label] / had[label], lost[label], label))
    labels = ", ".join(f"{label} ({lost[label]} of {had[label]})" for label, _ in lost.most_common(3))
    what = f"have no value where earlier ones have: {labels}; such as {examples[worst]}"
    yield check(VALUES, worst, lost[worst], had[worst], what)


def _labels(db: sqlite3.Connection, archive: Path, capture_id: str) -> set[str] | None:
    """Returns the labels with a value on a stored page (of a known label its column), None if the page can't be read.

    `db` has the archive's catalog attached.
    """
    from scraper.archive.store import (
        Entry,  # these import the parsers, which takes a while; `tta status` needs none
        read_entry,
    )
    from scraper.reading import read_capture

    columns = ", ".join(Entry.__dataclass_fields__)
    row = db.execute(f"SELECT {columns} FROM archive.captures WHERE capture_id = ?", [capture_id]).fetchone()
    try:
        record = read_capture(read_entry(archive, Entry(*row))).record if row else None
    except ArchiveDamaged:
        return None
    if record is None:
        return None
    found = set()
    for one in record.fields:
        if one.state == State.VALUE and one.item is None and (label := one.label or one.name):
            entry = known(one.label) or known_name(one.name)
            found.add(entry.columns[0].name if entry and entry.columns else normal(label))
    return found


def _unknown_labels(looked: Looked) -> Iterator[Check]:
    """Labels that are not in the registry, reported once when more than a limit of records have them."""
    query = (
        "SELECT DISTINCT label FROM fields WHERE record_id IN (SELECT record_id FROM temp.affected)"
        " AND label IS NOT NULL AND item IS NULL ORDER BY label"
    )
    labels = [label for (label,) in looked.db.execute(query) if not is_known(label)]
    advice = "add it to parsers/registry.toml, then `tta load --rebuild`; until then it is in the table fields"
    new = list(_crossed(looked, UNKNOWN_LABELS, labels, _OF_LABEL, looked.limits.unknown_label_records, "records", advice))
    yield Check(UNKNOWN_LABELS, Severity.WARN, None, len(new), 0, not new)
    yield from new


def _page_shapes(looked: Looked) -> Iterator[Check]:
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


def _duplicates(looked: Looked) -> Iterator[Check]:
    """Records that may be one: several with the same reference, more than before, or with the same node number."""
    name = "one reference, several records"
    twice = "SELECT {key} FROM records WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}"
    shared, nodes = ([str(one) for (one,) in looked.db.execute(twice.format(key=key))] for key in ("reference", "node_id"))
    base = looked.last.get((name, None))
    most = None if base is None else base + looked.limits.shared_references
    yield _at_most(name, len(shared), most, f"such as {_some(shared)}: look at them in Datasette, table records")
    advice = f"{_some(nodes)}: a bug in this program; please report it"
    yield _at_most("one node, several records", len(nodes), 0, advice)


def _broken_references(looked: Looked) -> Iterator[Check]:
    """Rows written by this load that refer to a missing record or capture, and records without a capture; `tta doctor` checks
    all.

    To check all rows of 100,000 captures took three quarters of a night in which nothing was new (November 2026).
    """
    written = "record_id IN (SELECT record_id FROM temp.affected)"
    repair = "`tta load --rebuild` repairs it; please report it"
    lacks = "NOT EXISTS (SELECT 1 FROM {other} WHERE {other}.{key} = one.{column})"
    broken = f"SELECT 1 FROM {{table}} one WHERE one.{written} AND one.{{column}} IS NOT NULL AND {lacks} LIMIT 1"
    links = [(table.name, *link) for table in TABLES for link in table.links if "record_id" in table.columns]
    queries = ((table, broken.format(table=table, column=column, key=column, other=other)) for table, column, other in links)
    tables = sorted({table for table, query in queries if looked.db.execute(query).fetchone()})
    yield _at_most("broken references", len(tables), 0, f"{', '.join(tables)}: {repair}", "tables")
    for subject, rows, table, column, other, key in (
        ("records without a capture", written, "records", "record_id", "captures", "record_id"),
        ("captures that repeat none", "original_id IS NOT NULL", "captures", "original_id", "captures", "capture_id"),
    ):
        missing = lacks.format(other=other, key=key, column=column)
        count = looked.db.execute(f"SELECT count(*) FROM {table} one WHERE {rows} AND {missing}").fetchone()[0]
        yield _at_most("broken references", count, 0, repair, subject)


def _some(names: list[str]) -> str:
    shown = ", ".join(escape(one, 80) for one in names[:_EXAMPLES])
    return shown if len(names) <= _EXAMPLES else f"{shown} and {len(names) - _EXAMPLES} more"
