"""The files of an export: they are moved into place all or none, and never replace what no export wrote.

A manifest lists what was written from which database, so that anyone can verify that it is complete.
"""

import hashlib
import json
import shlex
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from scraper.database import about
from scraper.database.schema import VERSION
from scraper.errors import DataLooksWrong, TtaError
from scraper.folders import sync
from scraper.sqlite import dicts

_MAX_BYTES = 50_000_000  # of a manifest that is read; that of a site of 100,000 records has 20 million
MANIFEST = "MANIFEST.json"
CITATION = "CITATION.cff"
PROGRAM = f"tta {version('tta')}"


class Written(NamedTuple):
    """One file of an export. `bytes` is its size, `sha256` in hex; `rows` without the heading, None if it has no rows."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


def manifest_of(destination: Path) -> Path:
    """Returns the path of an export's manifest: in its folder, or beside its file."""
    return destination / MANIFEST if destination.is_dir() else destination.with_name(f"{destination.name}.manifest.json")


def describe_file(folder: Path, name: str, rows: int | None = None) -> Written:
    """Describes a complete file; `name` is its path in the folder."""
    with (folder / name).open("rb") as file:
        return Written(name, rows, (folder / name).stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def fingerprint(files: list[Written]) -> str:
    """Returns one digest for all files, in hex: of the lines that sha256sum prints for them, sorted by name."""
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def describe_database(db: sqlite3.Connection) -> dict[str, Any]:
    """Describes the database: how much it contains, up to when, and its last refresh."""
    (about,) = dicts(
        db,
        f"SELECT {VERSION} AS schema_version, (SELECT count(*) FROM records) AS records, count(*) AS captures, "
        "min(captured_at) AS first_captured_at, max(captured_at) AS last_captured_at, "
        "(SELECT max(code) FROM program) AS read_by FROM captures",
    )
    last = dicts(db, "SELECT run_id, started_at, ended_at, outcome FROM runs ORDER BY run_id DESC LIMIT 1")
    return about | {"completeness": dicts(db, "SELECT * FROM completeness"), "last_run": last[0] if last else None}


def citation(state: dict[str, Any], chosen: int, files: list[Written]) -> str:
    """Returns a citation of exactly these files, by captures and digest; they contain `chosen` of the database's records."""
    first, last = (str(state[name] or "unknown")[:10] for name in ("first_captured_at", "last_captured_at"))
    there = state["records"]
    records = f"{there} records" if chosen == there else f"{chosen} of {there} records"
    return (
        f"{about.TITLE} [data set]. Rebuilt with {PROGRAM} from {state['captures']} web captures of {first} to {last}; "
        f"{records}. Files' fingerprint (SHA-256): {fingerprint(files)}."
    )


def citation_file(state: dict[str, Any], files: list[Written], citation: str) -> str:
    """Returns the text of CITATION.cff (Citation File Format 1.2): version and date are those of the newest capture."""
    day = str(state["last_captured_at"] or "")[:10]
    values = {"version": f"captures to {day or 'an unknown day'}, {PROGRAM}", "hash": f"sha256:{fingerprint(files)}"}
    values |= vars(about) | {"citation": citation, "abstract": f"{about.SUMMARY} {about.CAVEAT}"}
    template = Path(__file__).with_name("citation.cff").read_text(encoding="utf-8")
    quoted = {name: json.dumps(str(value), ensure_ascii=False) for name, value in values.items()}  # JSON strings are valid YAML
    return template.format(**quoted) + (f'date-released: "{day}"\n' if day else "")


@contextmanager
def write_export(path: Path, describe: Callable[[Path], str], *, is_folder: bool) -> Iterator[Path]:
    """Yields the path of a file or folder to write, whose files are moved into place when all are complete. Raises TtaError.

    `describe` is called with the complete file or folder and returns its manifest. Files that an earlier export wrote there and
    this one doesn't are removed.
    """
    if path.exists() and path.is_dir() != is_folder:
        raise TtaError(f"{path} is a {'file: name a folder' if is_folder else 'folder: name a file'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as name:
            scratch = Path(name)
            made = scratch if is_folder else scratch / path.name
            yield made
            text = describe(made)
            if is_folder:
                path.mkdir(exist_ok=True)
            files = {file.relative_to(scratch).as_posix(): file for file in sorted(scratch.rglob("*")) if file.is_file()}
            _place(manifest_of(path), text, files)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}; nothing was exported") from None


def _place(manifest: Path, text: str, files: dict[str, Path]) -> None:
    """Moves complete files beside the manifest's place. Unchanged files stay, with their modification time.

    Meanwhile the old and the new manifest have other names: a run killed here leaves no manifest beside files that it does not
    describe, and the next run can still tell which files are ours.
    """
    folder = manifest.parent
    before, after = (manifest.with_name(f".{manifest.name}.{state}") for state in ("old", "new"))
    ours = read_owned(manifest, before, after)
    there = {name: describe_file(folder, name).sha256 for name in {*ours, *files} if (folder / name).exists()}
    for name in files:
        if name in there and there[name] not in ours.get(name, ()):
            raise TtaError(f"{folder / name} is not as an export wrote it: move it away, or name another destination")
    if manifest.exists() and not read_owned(manifest):
        raise TtaError(f"{manifest} is not a manifest of this program: move it away, or name another destination")
    for file in files.values():
        sync(file)
    after.write_text(text, encoding="utf-8", newline="\n")
    new = read_owned(after)
    try:
        if manifest.exists():
            manifest.replace(before)
        for name in sorted(set(there) - set(files)):
            if there[name] in ours[name]:
                (folder / name).unlink()
        for name, file in files.items():
            if there.get(name) not in new[name]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                file.replace(folder / name)
        for stale in signatures(manifest):
            stale.unlink()
        after.replace(manifest)
        before.unlink(missing_ok=True)
        with suppress(OSError):
            sync(folder)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}; the export is not complete: run it again") from None


def read_owned(*manifests: Path) -> dict[str, set[str]]:
    """Returns the files that these manifests list, each with its digests; a missing or foreign manifest lists none."""
    found: dict[str, set[str]] = {}
    for path in manifests:
        with suppress(TtaError):
            for file in _read(path):
                found.setdefault(file.name, set()).add(file.sha256)
    return found


def verify(destination: Path, checks: Sequence[str] = ()) -> tuple[int, list[str]]:
    """Compares an export with its manifest and runs the commands that check its signatures (see `run_on_manifest`).

    Returns the number of files, and the names of signatures and timestamps that no command checked. Raises DataLooksWrong.
    """
    if not destination.exists():
        raise TtaError(f"there is nothing at {destination}")
    path = manifest_of(destination)
    files = _read(path)
    problems = []
    for file in files:
        try:
            if describe_file(path.parent, file.name, file.rows) != file:
                problems.append(f"{file.name} has other content")
        except OSError as error:
            problems.append(f"{file.name}: {error.strerror}")
    if problems:
        raise DataLooksWrong(f"{destination} is not as it was exported: {'; '.join(problems)}; export it again")
    for command in checks:
        run_on_manifest(command, destination, DataLooksWrong)
    return len(files), [] if checks else [one.name for one in signatures(path)]


def signatures(manifest: Path) -> list[Path]:
    """Returns the signatures and timestamps of a manifest: files beside it whose names begin with its name and a dot."""
    return sorted(one for one in manifest.parent.iterdir() if one.name.startswith(f"{manifest.name}."))


def run_on_manifest(command: str, destination: Path, error: type[TtaError] = TtaError) -> None:
    """Runs the user's command with the manifest's path in place of each {}. Raises `error` if it fails."""
    path = manifest_of(destination)
    words = [word.replace("{}", str(path)) for word in shlex.split(command)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - the user's own
    except (OSError, IndexError) as failed:
        raise error(f"{command!r} can't be run: {failed}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise error(f"{command!r} failed on {path} with status {done.returncode}{last and f': {last}'}")


def _read(path: Path) -> list[Written]:
    """Returns the files that a manifest lists. Raises TtaError if it is not a manifest or names a file outside the folder."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
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
