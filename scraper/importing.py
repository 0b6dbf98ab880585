"""Local captures into the archive: what `tta import` does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.store import Archive
from scraper.sources.files import read_paths
from scraper.sources.saved import Unused

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
