"""The manifest of an export: what was written out of which database, so that anybody can see whether it is whole."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scraper.database.about import TITLE
from scraper.database.schema import VERSION
from scraper.errors import DataLooksWrong, TtaError
from scraper.export.files import MANIFEST, manifest_of
from scraper.export.selection import Selection

MAX_BYTES = 1_000_000
"""Of a manifest that is read; ours has some thousand."""


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export. `bytes` is its size, `sha256` in hex; `rows` without the heading, None where it has none."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


def written(path: Path, rows: int | None) -> Written:
    """What a complete file is."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(path.name, rows, path.stat().st_size, digest)


def program() -> str:
    """Name and version of this program."""
    try:
        return f"tta {version('tta')}"
    except PackageNotFoundError:
        return "tta"


def fingerprint(files: list[Written]) -> str:
    """One digest for all files, in hex: that of the lines `sha256sum` prints for them, sorted by name."""
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(lines.encode()).hexdigest()


def state(db: sqlite3.Connection) -> dict[str, Any]:
    """Which database this is: how much it holds, up to when, and the last refresh that it knows of."""
    first, last, captures = db.execute("SELECT min(captured_at), max(captured_at), count(*) FROM captures").fetchone()
    run = db.execute("SELECT run_id, started_at, ended_at, outcome FROM runs ORDER BY run_id DESC LIMIT 1").fetchone()
    return {
        "schema_version": VERSION,
        "records": db.execute("SELECT count(*) FROM records").fetchone()[0],
        "captures": captures,
        "first_captured_at": first,
        "last_captured_at": last,
        "read_by": db.execute("SELECT max(code) FROM program").fetchone()[0],
        "last_run": dict(zip(("run_id", "started_at", "ended_at", "outcome"), run, strict=True)) if run else None,
    }


def citation(state: dict[str, Any], chosen: int, files: list[Written]) -> str:
    """How to name exactly these files, with `chosen` of the database's records in them.

    The database's content is told by its captures, the files by their digest.
    """
    first, last = (str(state[name] or "unknown")[:10] for name in ("first_captured_at", "last_captured_at"))
    there = state["records"]
    records = f"{there} records" if chosen == there else f"{chosen} of {there} records"
    return (
        f"{TITLE} [data set]. Rebuilt with {program()} from {state['captures']} web captures of {first} to {last}; "
        f"{records}. Files' fingerprint (SHA-256): {fingerprint(files)}."
    )


def text(form: str, state: dict[str, Any], selection: Selection, files: list[Written], citation: str) -> str:
    """The manifest's JSON; `state` is that of the function of this name."""
    content = {
        "format": form,
        "program": program(),
        "citation": citation,
        "database": state,
        "selection": asdict(selection),
        "files": [asdict(file) for file in files],
        "fingerprint": fingerprint(files),
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def names(folder: Path) -> list[str]:
    """The files of a folder's manifest; none where it has no sound one."""
    try:
        return [file.name for file in _read(folder / MANIFEST)]
    except TtaError:
        return []


def verify(destination: Path) -> int:
    """Holds an export against its manifest; returns the number of files. Raises DataLooksWrong that names what differs."""
    if not destination.exists():
        raise TtaError(f"there is nothing at {destination}")
    files = _read(manifest_of(destination))
    folder = destination if destination.is_dir() else destination.parent
    problems = [problem for file in files if (problem := _differs(folder / file.name, file))]
    if problems:
        raise DataLooksWrong(f"{destination} is not as it was exported: {'; '.join(problems)}; export it again")
    return len(files)


def _differs(path: Path, file: Written) -> str | None:
    if not path.is_file():
        return f"{file.name} is missing"
    try:
        found = written(path, file.rows)
    except OSError as error:
        return f"{file.name} can't be read ({error.strerror})"
    if found.bytes != file.bytes:
        return f"{file.name} has {found.bytes} bytes in place of {file.bytes}"
    return None if found == file else f"{file.name} has other content"


def _read(path: Path) -> list[Written]:
    """The files that a manifest lists. Raises TtaError where it is none; a name that leads out of the folder makes it none."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_BYTES))
        files = [Written(**entry) for entry in content["files"]]
        if not files or any(Path(file.name).name != file.name for file in files) or content["fingerprint"] != fingerprint(files):
            raise ValueError
    except FileNotFoundError:
        raise TtaError(f"there is no manifest at {path}: the export is not complete; run it again") from None
    except OSError as error:
        raise TtaError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataLooksWrong(f"{path} is not a manifest of this program: export again") from None
    return files
