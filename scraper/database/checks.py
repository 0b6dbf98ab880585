"""Compares new data with those of the last good run before they are committed. Never changes anything.

`scraper.refresh` runs the checks inside the load's transaction and decides what a failed one means; `runs` stores the results.
The latest captures of known records are also compared with earlier captures of the same records, no matter which night added
them: a new theme may reach an archive at two pages a night, too few for a check of one night or a share of the whole archive.
"""

import sqlite3
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from parsers.record import FieldState
from parsers.registry import group_table, is_instructions, label_key, label_named, label_of
from scraper.config import Checks
from scraper.database.stored_page import VALUE_COLUMNS
from scraper.database.tables import TABLES
from scraper.errors import ArchiveDamaged
from scraper.terminal import escape

PAGES, VALUES = "pages that parse", "filled values"
"""The checks of all data, of this night's captures, and of the latest captures of known records."""
NEW_CAPTURES, RECENT = "new: ", "recent: "
"""Prefixes of the subject if only what this load has read, or only the latest captures, are checked."""
UNKNOWN_LABELS = "unknown labels"
"""The check whose subjects are words from pages."""
_EXAMPLES = 5
_MAX_SUBJECTS = 3  # labels or columns that are named of each check but the first
_MAX_ROWS = 50
_MAX_READ = 50  # captures to examine for each one of a known record: an import may add many new records at once
_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_SQL: dict[str, str] = _TEXTS["sql"]
_MESSAGES: dict[str, str] = _TEXTS["messages"]
COMPARED: dict[str, list[str]] = _TEXTS["compared"]


class Severity(StrEnum):
    """What a failed check does: `fail` keeps the new data out, `warn` is only reported."""

    FAIL = "fail"
    WARN = "warn"


class Check(NamedTuple):
    """One check. `figure` is a count or a share, `threshold` its maximum or minimum; `message` states where to look."""

    name: str
    severity: str
    subject: str | None
    figure: float | None
    threshold: float | None
    passed: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What the checks compare. `before`: the state that readers still see, None if there is none.

    `last`: its figures by name and subject. `archive`: the archive's folder, None if nothing new was loaded. `accepted`:
    explicitly accepted figures of the checks of recent captures, by name.
    """

    db: sqlite3.Connection
    before: sqlite3.Connection | None
    last: Mapping[tuple[str, str | None], float]
    limits: Checks
    archive: Path | None = None
    accepted: Mapping[str, float] = field(default_factory=dict)


def check_all(inputs: CheckInput) -> Iterator[Check]:
    """Yields every check, the most important ones first."""
    yield _check_vanished(inputs)
    yield from _check_parsing(inputs)
    yield from _check_filled(inputs)
    if inputs.archive is not None and inputs.before is not None:
        yield from _check_recent(inputs, inputs.archive)
    labels = [label for (label,) in inputs.db.execute(_SQL["labels"]) if not is_known(label)]
    new = list(_check_counts(inputs, UNKNOWN_LABELS, labels, "label", inputs.limits.unknown_label_records, "records"))
    yield _check(UNKNOWN_LABELS, len(new), 0, None, severity=Severity.WARN)
    yield from new
    yield from _check_structures(inputs)
    yield from _check_duplicates_and_references(inputs)


def is_known(label: str) -> bool:
    """Returns whether the registry has the label."""
    return label_of(label) is not None or group_table(label) is not None or is_instructions(label)


def _check(
    name: str, figure: float | None, most: float | None, message: str | None, subject: str | None = None, **other: Any
) -> Check:
    """Returns a check, with its message if it failed: unless `passed` is given, if `figure` is greater than `most`."""
    passed = other.get("passed", most is None or figure is None or figure <= most)
    return Check(name, other.get("severity", Severity.FAIL), subject, figure, most, passed, None if passed else message)


def _check_vanished(inputs: CheckInput) -> Check:
    """Checks for records that no longer exist. A record whose captures now show another record was merged."""
    gone: list[str] = []
    if before := inputs.before:
        for record in inputs.db.execute(_SQL["absent"]).fetchall():
            captures = before.execute("SELECT capture_id FROM captures WHERE record_id = ?", record)
            is_merged = any(inputs.db.execute(_SQL["merged"], capture).fetchone() for capture in captures)
            if not is_merged and before.execute("SELECT 1 FROM records WHERE record_id = ?", record).fetchone():
                gone += record
    message = _MESSAGES["vanished"].format(names=_name_some(gone), first=escape("".join(gone[:1]), 80))
    return _check("vanished records", len(gone), inputs.limits.vanished_records, message)


def _check_parsing(inputs: CheckInput) -> Iterator[Check]:
    """Yields checks of the share of captures that show a record, among those that should."""
    limits = inputs.limits
    base = inputs.last.get((PAGES, None))
    parts = ((None, "1", limits.parsed_drop), (f"{NEW_CAPTURES}pages", _SQL["read_now"], limits.parsed_drop_tonight))
    for subject, where, drop in parts:
        total, shown = inputs.db.execute(_SQL["pages"].format(where=where)).fetchone()
        # `tta why` also lists the captures of a refused night.
        example = inputs.db.execute(_SQL["page_without_record"].format(where=where)).fetchone() if shown < total else None
        advice = _MESSAGES["pages"].format(*example) if example else ""
        yield _check_share(PAGES, subject, (shown, total), base, drop, limits.floor, advice)


def _check_filled(inputs: CheckInput) -> Iterator[Check]:
    """Yields checks of the share of records shown by an HTML page that have a value, by column."""
    limits = inputs.limits
    counts = ", ".join(f'count("{column}")' for column in VALUE_COLUMNS)
    for prefix, where, drop in (("", "1", limits.filled_drop), (NEW_CAPTURES, _SQL["read_now"], limits.filled_drop_tonight)):
        shown = _SQL["shown"].format(where=where)
        total, *filled = inputs.db.execute(f"SELECT count(*), {counts} FROM records WHERE record_id IN ({shown})").fetchone()
        if prefix and total < limits.floor:
            return
        for column, count in zip(VALUE_COLUMNS, filled, strict=True):
            base = inputs.last.get((VALUES, column))
            check = _check_share(VALUES, f"{prefix}{column}", (count, total), base, drop, limits.floor, "")
            if not check.passed:
                (example,) = inputs.db.execute(_SQL["lacking"].format(column=column, shown=shown)).fetchone()
                check = check._replace(message=f"{check.message}{_MESSAGES['filled'].format(escape(example, 80))}")
            yield check


def _check_share(
    name: str, subject: str | None, part: tuple[int, int], base: float | None, drop: float, floor: int, advice: str
) -> Check:
    """Fails if `part` is below the last good share `base` by more than `drop` of it, and by at least `floor`."""
    count, total = part
    figure = count / total if total else None
    if base is None:
        return _check(name, figure, None, "", subject)
    missing = base * total - count
    passed = missing < floor or missing <= drop * base * total
    message = _MESSAGES["share"].format(count=count, total=total, base=base, advice=advice)
    return _check(name, figure, base * (1 - drop), message, subject, passed=passed)


class _Capture(NamedTuple):
    """A row of the query `latest`. `is_whole`: not cut off; `is_known`: its record was captured before."""

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


def _check_recent(inputs: CheckInput, archive: Path) -> Iterator[Check]:
    """Yields checks of the share of the latest captures of known records that are worse than earlier ones of the same records."""
    limits = inputs.limits

    def check(name: str, subject: str, worse: int, total: int, what: str) -> Check:
        most = inputs.accepted.get(name, 0.0) + limits.recent_share  # what was explicitly accepted, plus a share
        figure = worse / total if total else None
        passed = figure is None or worse < limits.recent_failures or figure < most
        message = _MESSAGES["recent"].format(worse=worse, total=total, what=what)
        return _check(name, figure, min(most, 1.0), message, f"{RECENT}{subject}", passed=passed)

    found = islice(map(_Capture._make, inputs.db.execute(_SQL["latest"])), limits.recent_pages * _MAX_READ)
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
        row = inputs.db.execute(_SQL["other_shape"], [one.node_id, one.captured_at, one.shape]).fetchone()
        before, now = (_labels_shown(inputs.db, archive, id_) for id_ in (row[0], one.capture_id)) if row else (None, None)
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


def _labels_shown(db: sqlite3.Connection, archive: Path, capture_id: str) -> set[str] | None:
    """Returns labels (columns, if known) with a value on a stored page; None if it can't be read. `db` has the catalog."""
    from scraper.archive.store import Entry, read_entry  # here, because `tta status` needs none of them
    from scraper.reading import read_capture

    columns = ", ".join(Entry.__dataclass_fields__)
    row = db.execute(f"SELECT {columns} FROM archive.captures WHERE capture_id = ?", [capture_id]).fetchone()
    record = None
    with suppress(ArchiveDamaged):
        record = read_capture(read_entry(archive, Entry(*row))).record if row else None
    filled = [one for one in record.fields if one.state == FieldState.VALUE and one.item is None] if record else []
    entries = [(label_of(one.label) or label_named(one.name), one.label or one.name) for one in filled]
    found = {entry.columns[0].name if entry and entry.columns else label_key(label) for entry, label in entries if label}
    return found if record else None


def _check_structures(inputs: CheckInput) -> Iterator[Check]:
    """Yields checks of new page structures. A few are normal, as fields are part of them; a new theme makes all new."""
    name, limits = "new page shapes", inputs.limits
    now = dict(inputs.db.execute(_SQL["shapes"]).fetchall())
    total = sum(now.values())
    new = sum(count for shape, count in now.items() if not _count(inputs.before, "of_shape", shape, 1))
    passed = inputs.before is None or new < limits.floor or new <= limits.new_shape_share * total
    figure = new / total if total and inputs.before else None
    message = f"{new} pages: {_MESSAGES['shape']}"
    yield _check(name, figure, limits.new_shape_share, message, passed=passed, severity=Severity.WARN)
    yield from _check_counts(inputs, name, now, "shape", limits.new_shape_captures, "captures")


def _count(db: sqlite3.Connection | None, query: str, value: str, most: int = -1) -> int:
    """Returns how many records or captures have a label or structure, at most `most`; -1: all."""
    return int(db.execute(_SQL[query], [value, most]).fetchone()[0]) if db else 0


def _check_counts(inputs: CheckInput, name: str, subjects: Iterable[str], kind: str, most: int, unit: str) -> Iterator[Check]:
    """Yields a check for each label or page structure whose count rose above `most` since the last run."""
    few = (one for one in subjects if inputs.before and _count(inputs.before, f"of_{kind}", one, most + 1) <= most)
    crossed = ((one, now) for one in few if (now := _count(inputs.db, f"of_{kind}", one)) > most)
    for subject, now in islice(crossed, _MAX_ROWS):
        message = _MESSAGES["crossed"].format(now=now, unit=unit, advice=_MESSAGES[kind])
        yield _check(name, now, most, message, escape(subject), severity=Severity.WARN)


def _check_duplicates_and_references(inputs: CheckInput) -> Iterator[Check]:
    """Checks for records with one reference or node number, and this load's foreign keys (`tta doctor` checks all)."""
    name = "one reference, several records"
    shared, nodes = ([str(one) for (one,) in inputs.db.execute(_SQL[f"{key}_twice"])] for key in ("reference", "node"))
    base = inputs.last.get((name, None))
    most = None if base is None else base + inputs.limits.shared_references
    yield _check(name, len(shared), most, _MESSAGES["reference"].format(_name_some(shared)))
    yield _check("one node, several records", len(nodes), 0, _MESSAGES["node"].format(_name_some(nodes)))
    links = [(table.name, *link) for table in TABLES for link in table.links if "record_id" in table.columns]
    queries = [(table, _SQL["broken_link"].format(table=table, column=column, other=other)) for table, column, other in links]
    tables = sorted({table for table, query in queries if inputs.db.execute(query).fetchone()})
    yield _check("broken references", len(tables), 0, f"{', '.join(tables)}: {_MESSAGES['broken']}", "tables")
    for subject, query in _TEXTS["broken_references"].items():
        yield _check("broken references", inputs.db.execute(query).fetchone()[0], 0, _MESSAGES["broken"], subject)


def _name_some(names: list[str]) -> str:
    shown = ", ".join(escape(one, 80) for one in names[:_EXAMPLES])
    return shown if len(names) <= _EXAMPLES else f"{shown} and {len(names) - _EXAMPLES} more"


def describe_failures(failed: Sequence[Check]) -> Iterator[str]:
    """Yields nothing if no check failed, else the most telling check and, in a second line, the names of the others."""
    if not failed:
        return
    # A check of this night's pages has the share and an example of just those.
    first = next((one for one in failed if one.name == failed[0].name and one.subject), failed[0])
    yield format_check(first)
    others: dict[str, list[str]] = {}
    for check in failed:
        if check.name != first.name:
            others.setdefault(check.name, []).extend([check.subject] if check.subject else [])
    names = []
    for name, subjects in others.items():
        more = f" and {len(subjects) - _MAX_SUBJECTS} more" if len(subjects) > _MAX_SUBJECTS else ""
        names.append(f"{name} ({', '.join(subjects[:_MAX_SUBJECTS])}{more})" if subjects else name)
    if names:
        yield f"also failed: {escape(', '.join(names), 500)}"


def format_check(check: Check) -> str:
    """Returns a check that failed or warned as one line."""
    figure, threshold = (
        "unknown" if one is None else f"{one:.0f}" if (one == int(one) and one != 1) or one > 1 else f"{one:.3g}"
        for one in (check.figure, check.threshold)
    )
    subject = escape(f" ({check.subject})") if check.subject else ""
    line = f"{'failed' if check.severity == Severity.FAIL else 'look at'}: {check.name}{subject}: {figure}"
    if check.threshold is not None:
        is_short = check.figure is not None and check.figure < check.threshold
        line += f", {'at least' if is_short else 'at most'} {threshold}"
    return f"{line}: {check.message}" if check.message else line
