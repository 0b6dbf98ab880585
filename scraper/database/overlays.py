"""Attaches a user's own tables to the database: `DIR/overlays/NAME.csv` is the table `overlay_NAME`, which each load keeps.

The first column of such a file is named for the column of `records` that its keys refer to; keys are texts.
"""

import csv
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from scraper.database.places import CHANGED_CODES
from scraper.errors import TtaError, WrongUsage

FOLDER = "overlays"
MAX_BYTES = 50_000_000
JOINED = (
    "place_county_code_2023 place_county_code place_state_code place_state agency_id provider_id record_id reference fiscal_year"
)
"""Columns of `records` that a key is compared with; the best match is used, of equal ones the first."""
_VALUES = 'SELECT "{0}" FROM records WHERE "{0}" IS NOT NULL'
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?")  # a number without leading zeros, which identifiers have


@dataclass(slots=True)
class Overlay:
    """An attached table. `column`: of `records`; `padded`: keys with restored leading zeros; `unmatched`: keys of no record.

    `records`: those with a value in the column; `matched`: those of them with a row.
    """

    name: str
    column: str
    rows: int = 0
    padded: int = 0
    repeated: int = 0
    records: int = 0
    matched: int = 0
    unmatched: list[str] = field(default_factory=list)


def add(db: sqlite3.Connection, data: Path, file: Path, key: str, name: str | None = None) -> Overlay:
    """Attaches a CSV file in the open transaction. `key`: CSV column[=column of `records`]; default: the best match.

    Raises TtaError if the file is not a table, WrongUsage if there is no such column.
    """
    own_name = re.sub(r"\W+", "_", (name or file.stem).lower()).strip("_") or "table"
    heading, rows = _read(file)
    own, _, wanted = key.partition("=")
    if own not in heading:
        raise WrongUsage(f"{file} has no column {own!r}: it has {', '.join(heading)[:500]}")
    at = heading.index(own)
    keys = [re.sub(r"\.0+$", "", row[at].strip()) for row in rows]
    known = {str(row[1]) for row in db.execute("PRAGMA table_info(records)")}
    candidates = [wanted or (own if own in known else "")] if wanted or own in known else JOINED.split()
    if not {*candidates} <= known:
        raise WrongUsage(f"records has no column {wanted!r}: try one of {', '.join(JOINED.split())}")
    if len(candidates) > 1 and any(map(CHANGED_CODES.fullmatch, keys)):  # counties that exist only in tables before 2022
        candidates = [one for one in candidates if one != "place_county_code_2023"]
    padded = [value.zfill(5) if value.isdecimal() else value for value in keys]  # a spreadsheet may have removed leading zeros
    spelled = {one: padded if one.startswith("place_county_code") else keys for one in candidates}
    held = {one: Counter(str(row[0]) for row in db.execute(_VALUES.format(one))) for one in candidates}
    column = max(candidates, key=lambda one: sum(held[one][value] for value in {*spelled[one]}))
    names = [column, *(f"{cell}_" if cell == column else cell for index, cell in enumerate(heading) if index != at)]
    folder = data / FOLDER
    folder.mkdir(exist_ok=True)
    with (folder / f"{own_name}.csv").open("w", encoding="utf-8", newline="") as copy:
        others = ([value, *row[:at], *row[at + 1 :]] for value, row in zip(spelled[column], rows, strict=True))
        csv.writer(copy).writerows([names, *others])
    db.execute(f'DROP TABLE IF EXISTS "overlay_{own_name}"')
    attach(db, data)
    counts = Counter(spelled[column])
    found = Overlay(own_name, column, len(rows), sum(one != other for one, other in zip(keys, spelled[column], strict=True)))
    found.repeated = sum(count > 1 for count in counts.values())
    found.records, found.matched = held[column].total(), sum(held[column][value] for value in counts)
    found.unmatched = [value for value in counts if value not in held[column]]
    return found


def _read(file: Path) -> tuple[list[str], list[list[str]]]:
    """Reads heading and rows of a CSV file with any usual separator and encoding."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise TtaError(f"{file} has more than {MAX_BYTES:,} bytes: keep only the columns that you need")
        content = file.read_bytes()
        text = content.decode("utf-8-sig") if b"\0" not in content else ""
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    separator = max(",;\t|", key=text.partition("\n")[0].count)
    try:
        heading, *rows = (row for row in csv.reader(StringIO(text, newline=""), delimiter=separator) if any(row))
    except (ValueError, csv.Error):
        raise TtaError(f"{file} is not a CSV file with a heading: save it as CSV, UTF-8") from None
    heading = [re.sub(r"\s+", " ", cell).strip() or f"column {place}" for place, cell in enumerate(heading, 1)]
    if len({cell.lower() for cell in heading}) < len(heading) or any(len(row) != len(heading) for row in rows):
        raise TtaError(f"{file}: every row needs as many cells as the heading, whose names must differ: correct it")
    return heading, rows


def attach(db: sqlite3.Connection, data: Path) -> None:
    """Creates the tables of overlays that the database lacks, in the open transaction."""
    there = {row[0] for row in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    for path in sorted((data / FOLDER).glob("*.csv")):
        if (table := f"overlay_{path.stem}") not in there:
            heading, rows = _read(path)
            quoted = ['"' + name.replace('"', "'") + '"' for name in heading]
            is_text = [not at or any(not _NUMBER.fullmatch(row[at] or "0") for row in rows) for at in range(len(heading))]
            columns = ", ".join(f"{name} {'TEXT' if text else 'NUMERIC'}" for name, text in zip(quoted, is_text, strict=True))
            db.execute(f'CREATE TABLE "{table}" ({columns})')
            marks = ", ".join("?" * len(quoted))
            db.executemany(f'INSERT INTO "{table}" VALUES ({marks})', ([cell or None for cell in row] for row in rows))
            db.execute(f'CREATE INDEX "idx_{table}" ON "{table}" ({quoted[0]})')


def remove(db: sqlite3.Connection, data: Path, name: str) -> None:
    """Detaches a table, in the open transaction. Raises WrongUsage if there is none."""
    path = data / FOLDER / f"{name}.csv"
    if Path(path.name).stem != name or not path.is_file():
        raise WrongUsage(f"there is no overlay {name!r}: `tta overlay list` names them")
    db.execute(f'DROP TABLE IF EXISTS "overlay_{name}"')
    path.unlink()
