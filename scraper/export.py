"""The database as files: a folder of CSV tables, or a JSON line per record. The same database always gives the same bytes.

Columns that differ from machine to machine (where a capture lies in the archive) are left out, and every file appears whole
or not at all.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import IO, Any, get_args

from parsers.record import RecordValues
from scraper.database.tables import BY_NAME, Table
from scraper.errors import TtaError

BY_RECORD = "CASE WHEN record_id GLOB '[0-9]*' AND record_id NOT GLOB '*[^0-9]*' THEN CAST(record_id AS INTEGER) END"
"""Sorts records by node number, those without one after them by name."""
_RECORDS_FIRST = f"{BY_RECORD} IS NULL, {BY_RECORD}, record_id"
EXPORTED = {
    "records": _RECORDS_FIRST,
    "fields": f"{_RECORDS_FIRST}, position",
    "sections": f"{_RECORDS_FIRST}, position",
    "milestones": f"{_RECORDS_FIRST}, position",
    "performance_metrics": f"{_RECORDS_FIRST}, position",
    "captures": "captured_at IS NULL, rtrim(captured_at, 'Z'), capture_id",
    "changes": f"{_RECORDS_FIRST}, rtrim(seen_by, 'Z'), field, rtrim(seen_after, 'Z'), old_value, new_value",
    "dictionary": '"table", "column"',
}
"""Which tables are exported, and the order of their rows."""
_PARTS = ("fields", "sections", "milestones", "performance_metrics", "captures", "changes")
_LISTS = frozenset(name for name, info in RecordValues.model_fields.items() if list[str] in get_args(info.annotation))
_FORMULA = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r\n\0＝＋－﹣−＠﹫﹢﹦]")
"""What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), full-width and small forms included."""


def columns(table: Table) -> tuple[str, ...]:
    """The columns of a table that are the same wherever the archive lies."""
    return tuple(name for name in table.columns if name not in table.local)


def rows(db: sqlite3.Connection, name: str) -> Iterator[tuple[Any, ...]]:
    """The rows of an exported table, in their order."""
    wanted = ", ".join(f'"{column}"' for column in columns(BY_NAME[name]))
    return db.execute(f'SELECT {wanted} FROM "{name}" ORDER BY {EXPORTED[name]}')  # noqa: S608 - names are the program's own


def write_csv(db: sqlite3.Connection, folder: Path) -> dict[str, int]:
    """A file per table (RFC 4180, UTF-8), in place of files of the same name; returns the number of rows of each.

    A text that a spreadsheet would run as a formula gets a leading apostrophe. Raises TtaError.
    """
    counts: dict[str, int] = {}
    with _new_folder(folder) as beside:
        for name in EXPORTED:
            with (beside / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\r\n")
                writer.writerow(columns(BY_NAME[name]))
                counts[name] = 0
                for row in rows(db, name):
                    writer.writerow([_cell(value) for value in row])
                    counts[name] += 1
    return counts


def _cell(value: Any) -> Any:
    if isinstance(value, str) and _FORMULA.match(value):
        return "'" + value
    return value


def write_jsonl(db: sqlite3.Connection, destination: Path | None) -> int:
    """A line per record with all its rows of the other tables; None is standard output. Returns the number of records."""
    if destination is None:
        return _write_lines(json_lines(db), sys.stdout)
    with new_file(destination) as file:
        return _write_lines(json_lines(db), file)


def _write_lines(lines: Iterable[str], file: IO[str]) -> int:
    count = 0
    for line in lines:
        file.write(line + "\n")
        count += 1
    return count


def json_lines(db: sqlite3.Connection) -> Iterator[str]:
    """Each record as a JSON object on a line: its columns, and a list of rows for each table that has rows of records."""
    names = columns(BY_NAME["records"])
    parts = {name: _Part(db, name) for name in _PARTS}
    for row in rows(db, "records"):
        record = dict(zip(names, row, strict=True))
        for name in _LISTS:
            if record[name] is not None:
                record[name] = json.loads(record[name])
        count = record.pop("captures")
        record["capture_count"] = count
        for name, part in parts.items():
            record[name] = part.of(record["record_id"])
        yield json.dumps(record, ensure_ascii=False)


class _Part:
    """The rows of one table by record, read along with the records, so that memory holds one record at a time."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._columns = columns(BY_NAME[name])
        at = self._columns.index("record_id")
        wanted = ", ".join(f'"{column}"' for column in self._columns)
        order = f"{_RECORDS_FIRST}, {EXPORTED[name].removeprefix(_RECORDS_FIRST).removeprefix(', ')}"
        found = db.execute(f'SELECT {wanted} FROM "{name}" WHERE record_id IS NOT NULL ORDER BY {order}')  # noqa: S608
        self._groups = groupby(found, key=lambda row: row[at])
        self._next = next(self._groups, None)

    def of(self, record_id: str) -> list[dict[str, Any]]:
        if self._next is None or self._next[0] != record_id:
            return []
        found = [dict(zip(self._columns, row, strict=True)) for row in self._next[1]]
        for row in found:
            del row["record_id"]
        self._next = next(self._groups, None)
        return found


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its place when it is complete. Raises TtaError."""
    if path.is_dir():
        raise TtaError(f"{path} is a folder: name a file")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror}; nothing was exported") from None
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder whose files take their places when all are complete. Raises TtaError."""
    if path.exists() and not path.is_dir():
        raise TtaError(f"{path} is a file: name a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield beside
            path.mkdir(exist_ok=True)
            for file in sorted(beside.iterdir()):
                with file.open("rb") as whole:
                    os.fsync(whole.fileno())
                file.replace(path / file.name)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror}; the export is not complete") from None
