"""Files and folders of an export take their places whole or not at all, and never beside an older manifest."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from scraper.errors import TtaError

MANIFEST = "MANIFEST.json"
"""The manifest of a folder."""


def manifest_of(destination: Path) -> Path:
    """Where the manifest of an export lies: in its folder, or beside its file."""
    if destination.is_dir():
        return destination / MANIFEST
    return destination.with_name(f"{destination.name}.manifest.json")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place when it is complete; its old manifest goes before. Raises TtaError."""
    if path.is_dir():
        raise TtaError(f"{path} is a folder: name a file")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        manifest_of(path).unlink(missing_ok=True)
        beside.replace(path)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}; nothing was exported") from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, finish: Callable[[Path], None], replaced: Callable[[Path], Collection[str]]) -> Iterator[Path]:
    """A folder whose files take their places when all are complete. Raises TtaError.

    `finish` is called with the folder of complete files and writes the manifest, which takes its place last. Of the files there,
    those that `replaced` names and that the export does not write go: they are of an earlier one and would not fit.
    """
    if path.exists() and not path.is_dir():
        raise TtaError(f"{path} is a file: name a folder")
    placing = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield beside
            finish(beside)
            files = sorted(beside.iterdir(), key=lambda file: (file.name == MANIFEST, file.name))
            for file in files:
                with file.open("rb") as whole:
                    os.fsync(whole.fileno())
            path.mkdir(exist_ok=True)
            old = set(replaced(path)) - {file.name for file in files}
            placing = True
            (path / MANIFEST).unlink(missing_ok=True)
            for name in sorted(old):
                (path / name).unlink(missing_ok=True)
            for file in files:
                file.replace(path / file.name)
            _settle(path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        state = "the export is not complete: run it again" if placing else "nothing was exported"
        raise TtaError(f"{error.filename or path}: {error.strerror or error}; {state}") from None


def _settle(folder: Path) -> None:
    """Makes the names in a folder last, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
