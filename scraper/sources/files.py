"""Local files and folders as captures: which there are, what is reported of each, and their import. `containers` reads each."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.dating import is_evidence
from scraper.archive.store import Archive
from scraper.capture import Capture
from scraper.sources.containers import read_container
from scraper.sources.saved import Unused

_FILES_OF_PAGE = re.compile(r"(.+)(?:_files|\.files|_fichiers|-Dateien|_archivos|_arquivos|_bestanden|-filer)", re.IGNORECASE)
"""The folder of style sheets, images and frames that a browser saves beside a page."""
_FLUSH_EVERY = 1000
"""Captures between two points at which what was added is safe from a crash."""


@dataclass(slots=True)
class Imported:
    """How many captures were new, how many the archive had, what could not be used, and which files only belong to pages."""

    added: int = 0
    known: int = 0
    problems: list[Unused] = field(default_factory=list)
    companions: list[Unused] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)


def import_paths(folder: Path, paths: Iterable[Path]) -> Imported:
    """Adds every capture found under `paths` to the archive in `folder`. The caller holds the data folder's lock."""
    done = Imported()
    with Archive(folder, writable=True) as archive:
        done.recovered = archive.recovered
        for item in read_paths(paths, but=folder):
            if isinstance(item, Unused):
                (done.companions if item.is_companion else done.problems).append(item)
            elif archive.add(item) is None:
                done.known += 1
            else:
                done.added += 1
                if done.added % _FLUSH_EVERY == 0:
                    archive.flush()
    return done


def read_paths(paths: Iterable[Path], *, but: Path) -> Iterator[Capture | Unused]:
    """Every capture in the given files and folders, folders in the order of their names; nothing in the folder `but`.

    A path without a capture is a problem, and so is every file that is neither a capture nor the companion of one.
    """
    for path in paths:
        is_reported, companions = False, []
        for item in _read_folder(path, but.resolve()) if path.is_dir() else read_file(path):
            if isinstance(item, Capture) or not item.is_companion:
                is_reported = True
                yield item
            else:
                companions.append(item)
        unread = Unused(str(path), companions[0].reason if len(companions) == 1 else "no page or capture in it")
        yield from companions if is_reported else [unread]


def _read_folder(folder: Path, but: Path) -> Iterator[Capture | Unused]:
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        place = Path(parent)
        for name in sorted(folders):
            path = place / name
            page = _FILES_OF_PAGE.fullmatch(name)
            if path.is_symlink():
                yield Unused(str(path), "a link to a folder, which is not followed")
            elif name.startswith(".") or (page and any(f"{page[1]}.{end}" in names for end in ("html", "htm", "xhtml"))):
                yield Unused(str(path), "a hidden folder" if name[0] == "." else "parts of a saved page", is_companion=True)
            elif path.resolve() != but:
                continue
            folders.remove(name)
        folders.sort()
        for name in sorted(names):
            if name.startswith("."):
                yield Unused(str(place / name), "a hidden file", is_companion=True)
            else:
                yield from read_file(place / name, root=folder)
    yield from (Unused(str(error.filename), error.strerror or "can't be read") for error in refused)


def read_file(path: Path, *, root: Path | None = None) -> Iterator[Capture | Unused]:
    """Every capture in one file, which was found in the folder `root`; never raises on what a file is or holds."""
    try:
        if not path.is_file():
            yield Unused(str(path), "not a file or folder" if path.exists() else "there is no such file or folder")
            return
        name = origin_of(path, root)
        with path.open("rb") as file:
            for item in read_container(file, name):
                if isinstance(item, Unused):
                    yield item._replace(where=str(path), reason=item.describe(name))
                else:
                    yield item[1]
    except OSError as error:
        yield Unused(str(path), error.strerror or "can't be read")


def origin_of(path: Path, root: Path | None) -> str:
    """The path that is kept as a capture's origin: from the imported folder on, or from one above it that is a time or a host."""
    parts = path.resolve().parts[1:] if not path.is_symlink() else path.absolute().parts[1:]
    own = len(path.relative_to(root).parts) + 1 if root else 1
    first = next((place for place, part in enumerate(parts[:-1]) if is_evidence(part)), len(parts))
    return "/".join(parts[min(first, max(0, len(parts) - own)) :])
