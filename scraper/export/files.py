"""Files and folders of an export take their places whole or not at all, and never in the place of what no export wrote."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from scraper.errors import TtaError
from scraper.export.manifest import MANIFEST, manifest_of, owned, signatures, written


@contextmanager
def new_file(path: Path, describe: Callable[[Path], str]) -> Iterator[BinaryIO]:
    """A file that takes its place when it is complete. `describe` makes the manifest of the complete file. Raises TtaError."""
    if path.is_dir():
        raise TtaError(f"{path} is a folder: name a file")
    with _scratch(path) as scratch:
        with (scratch / path.name).open("wb") as file:
            yield file
        _place(manifest_of(path), describe(scratch / path.name), {path.name: scratch / path.name})


@contextmanager
def new_folder(path: Path, describe: Callable[[Path], str]) -> Iterator[Path]:
    """A folder whose files take their places when all are complete. Raises TtaError.

    `describe` is called with the folder of complete files and makes the manifest. Files that an earlier export wrote there and
    this one doesn't are removed.
    """
    if path.exists() and not path.is_dir():
        raise TtaError(f"{path} is a file: name a folder")
    with _scratch(path) as scratch:
        yield scratch
        text = describe(scratch)
        files = {file.relative_to(scratch).as_posix(): file for file in sorted(scratch.rglob("*")) if file.is_file()}
        path.mkdir(exist_ok=True)
        _place(path / MANIFEST, text, files)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A temporary folder beside the path; errors of the disk become TtaError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}; nothing was exported") from None


def _place(manifest: Path, text: str, files: dict[str, Path]) -> None:
    """Moves complete files beside the manifest's place. Unchanged files stay as they are, with their time.

    Meanwhile the old and the new manifest have other names, so that a run that is killed here leaves no manifest beside files
    that it does not describe, and the next run still knows which files are ours.
    """
    folder = manifest.parent
    before, after = (manifest.with_name(f".{manifest.name}.{state}") for state in ("old", "new"))
    ours = owned(manifest, before, after)
    there = {name: written(folder, name) for name in {*ours, *files} if (folder / name).exists()}
    for name in files:
        if name in there and there[name].sha256 not in ours.get(name, ()):
            raise TtaError(f"{folder / name} is not as an export wrote it: move it away, or name another destination")
    if manifest.exists() and not owned(manifest):
        raise TtaError(f"{manifest} is not a manifest of this program: move it away, or name another destination")
    for file in files.values():
        with file.open("rb") as whole:
            os.fsync(whole.fileno())
    after.write_text(text, encoding="utf-8", newline="\n")
    new = owned(after)
    try:
        if manifest.exists():
            manifest.replace(before)
        for name in sorted(set(there) - set(files)):
            if there[name].sha256 in ours[name]:
                (folder / name).unlink()
        for name, file in files.items():
            if name not in there or there[name].sha256 not in new[name]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                file.replace(folder / name)
        for stale in signatures(manifest):
            stale.unlink()
        after.replace(manifest)
        before.unlink(missing_ok=True)
        _settle(folder)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}; the export is not complete: run it again") from None


def _settle(folder: Path) -> None:
    """Makes the names in a folder last, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
