"""The manifest of an export: what was written out of which database, so that anybody can see whether it is whole."""

import hashlib
import json
import os
import shlex
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scraper.database.about import CAVEAT, LICENSE_URL, PUBLISHER, SOURCE_URL, SUMMARY, TITLE
from scraper.database.schema import VERSION
from scraper.errors import DataLooksWrong, TtaError
from scraper.export.selection import Selection

MANIFEST = "MANIFEST.json"
"""The manifest of a folder."""
CITATION = "CITATION.cff"
FINGERPRINT = "SHA-256 of the lines that sha256sum prints for the files with data, sorted by name"
MAX_BYTES = 50_000_000
"""Of a manifest that is read; a site of 100,000 records has 20 million."""


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export. `bytes` is its size, `sha256` in hex; `rows` without the heading, None where it has none."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


def manifest_of(destination: Path) -> Path:
    """Where the manifest of an export is: in its folder, or beside its file."""
    return destination / MANIFEST if destination.is_dir() else destination.with_name(f"{destination.name}.manifest.json")


def written(folder: Path, name: str, rows: int | None = None) -> Written:
    """Describes a complete file; `name` is its path in the folder."""
    with (folder / name).open("rb") as file:
        return Written(name, rows, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def program() -> str:
    """Name and version of this program."""
    try:
        return f"tta {version('tta')}"
    except PackageNotFoundError:
        return "tta"


def fingerprint(files: list[Written]) -> str:
    """One digest for all files, in hex: see FINGERPRINT."""
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(lines.encode()).hexdigest()


def state(db: sqlite3.Connection) -> dict[str, Any]:
    """Which database this is: how much it holds, up to when, and the last refresh that it knows of."""
    first, last, captures = db.execute("SELECT min(captured_at), max(captured_at), count(*) FROM captures").fetchone()
    years = db.execute("SELECT * FROM completeness")
    names = [column[0] for column in years.description]
    run = db.execute("SELECT run_id, started_at, ended_at, outcome FROM runs ORDER BY run_id DESC LIMIT 1").fetchone()
    return {
        "schema_version": VERSION,
        "records": db.execute("SELECT count(*) FROM records").fetchone()[0],
        "captures": captures,
        "first_captured_at": first,
        "last_captured_at": last,
        "read_by": db.execute("SELECT max(code) FROM program").fetchone()[0],
        "completeness": [dict(zip(names, row, strict=True)) for row in years],
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


def citation_file(state: dict[str, Any], files: list[Written], citation: str) -> str:
    """The text of CITATION.cff (Citation File Format 1.2): version and date are those of the newest capture."""
    day = str(state["last_captured_at"] or "")[:10]
    content = {
        "cff-version": "1.2.0",
        "message": citation,
        "title": TITLE,
        "type": "dataset",
        "authors": [{"name": PUBLISHER}],
        "version": f"captures to {day or 'an unknown day'}, {program()}",
        **({"date-released": day} if day else {}),
        "identifiers": [{"type": "other", "value": f"sha256:{fingerprint(files)}", "description": FINGERPRINT}],
        "abstract": f"{SUMMARY} {CAVEAT}",
        "license-url": LICENSE_URL,
        "url": SOURCE_URL,
    }
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in content.items())  # each is YAML too


def text(form: str, selection: Selection, files: list[Written], state: dict[str, Any], citation: str) -> str:
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


def owned(*manifests: Path) -> dict[str, set[str]]:
    """The files that these manifests list, each with its digests; a manifest that is missing or none of ours lists none."""
    found: dict[str, set[str]] = {}
    for path in manifests:
        with suppress(TtaError):
            for file in _read(path):
                found.setdefault(file.name, set()).add(file.sha256)
    return found


def verify(destination: Path, checks: Sequence[str] = ()) -> tuple[int, list[str]]:
    """Compares an export with its manifest and runs the commands that check its signatures (see `run_on_manifest`).

    Returns the number of files, and the names of signatures and timestamps where no command checked them. Raises DataLooksWrong.
    """
    if not destination.exists():
        raise TtaError(f"there is nothing at {destination}")
    path = manifest_of(destination)
    files = _read(path)
    problems = [problem for file in files if (problem := _differs(path.parent, file))]
    if problems:
        raise DataLooksWrong(f"{destination} is not as it was exported: {'; '.join(problems)}; export it again")
    for command in checks:
        run_on_manifest(command, destination, DataLooksWrong)
    return len(files), [] if checks else [one.name for one in signatures(path)]


def signatures(manifest: Path) -> list[Path]:
    """The signatures and timestamps of a manifest: files beside it whose names begin with its name and a dot."""
    return sorted(one for one in manifest.parent.iterdir() if one.name.startswith(f"{manifest.name}."))


def run_on_manifest(command: str, destination: Path, error: type[TtaError] = TtaError) -> None:
    """Runs the user's command with the manifest's path in the place of each {}. Raises `error` where it fails."""
    path = manifest_of(destination)
    words = [word.replace("{}", str(path)) for word in shlex.split(command)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - the user's own
    except (OSError, IndexError) as failed:
        raise error(f"{command!r} can't be run: {failed}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise error(f"{command!r} failed on {path} with status {done.returncode}{f': {said[-1]}' if said else ''}")


def _differs(folder: Path, file: Written) -> str | None:
    if not (folder / file.name).is_file():
        return f"{file.name} is missing"
    try:
        found = written(folder, file.name, file.rows)
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
        outside = [file for file in files if {"..", ""} & set(file.name.split("/")) or "\\" in file.name or ":" in file.name]
        if not files or outside or content["fingerprint"] != fingerprint(files):
            raise ValueError
    except FileNotFoundError:
        raise TtaError(f"there is no manifest at {path}: the export is not complete; run it again") from None
    except OSError as error:
        raise TtaError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataLooksWrong(f"{path} is not a manifest of this program: export again") from None
    return files
