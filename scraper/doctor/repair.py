"""Mends what an examination finds, the archive first, and examines again. The caller holds the data folder's lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scraper.doctor.archive import Progress
from scraper.doctor.examine import examine
from scraper.doctor.findings import Examined, Finding, Kind
from scraper.doctor.mend_archive import mend_archive
from scraper.doctor.mend_database import mend_database
from scraper.doctor.mend_ledger import mend_ledger
from scraper.doctor.scratch import Scratch
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.terminal import escape

_PASSES = 3
"""The archive is mended in one pass and what is compared with it in the next; one more for what only then comes to light."""
_ARCHIVE = {
    Kind.RECORDS_DAMAGED,
    Kind.CAPTURES_LOST,
    Kind.FILE_SHORT,
    Kind.FILE_GONE,
    Kind.CATALOG_DAMAGED,
    Kind.CATALOG_DIFFERS,
}


@dataclass(slots=True)
class Repaired:
    """`mended`: the findings that were acted on; `problems`: why others could not be; `after`: what is found now.

    `lost`: captures that no file holds any more.
    """

    mended: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: int = 0
    after: Examined = field(default_factory=Examined)

    @property
    def is_whole(self) -> bool:
        """Whether all is well now, and nothing had to be given up."""
        return not (self.after.wrong or self.problems or self.lost)


def repair(folders: Folders, *, is_deep: bool = False, unchecked: bool = False, progress: Progress | None = None) -> Repaired:
    """Mends what can be mended. Nothing that was captured is deleted. Raises OSError where files can't be read.

    `unchecked`: also where a database that is made again would have what the last refresh kept out.
    """
    done = Repaired()
    for _ in range(_PASSES):
        with Scratch() as scratch:
            done.after = examine(folders, scratch, is_deep=is_deep, progress=progress)
            todo = [finding for finding in done.after.findings if finding.mend]
            if not todo or done.problems:
                return done
            done.lost += sum(finding.count for finding in todo if finding.kind is Kind.CAPTURES_LOST)
            _mend(folders, scratch, todo, done, unchecked=unchecked)
    with Scratch() as scratch:
        done.after = examine(folders, scratch, is_deep=is_deep, progress=progress)
    return done


def _mend(folders: Folders, scratch: Scratch, todo: list[Finding], done: Repaired, *, unchecked: bool) -> None:
    """The archive's part, or where it has none everything else: that is compared with the archive as it is in the end."""
    if archive := [finding for finding in todo if finding.kind in _ARCHIVE]:
        _try(done, archive, lambda: mend_archive(scratch, folders.archive, archive))
        return
    ledger = [finding for finding in todo if finding.kind.startswith("ledger-")]
    database = [finding for finding in todo if finding.kind.startswith("database-")]
    left = [finding for finding in todo if finding.kind is Kind.LEFT_BEHIND]
    _try(done, ledger, lambda: mend_ledger(scratch, folders.ledger, ledger))
    _try(done, database, lambda: mend_database(scratch, folders, database, unchecked=unchecked))
    _try(done, left, lambda: _remove(left))


def _try(done: Repaired, findings: list[Finding], mend: Callable[[], None]) -> None:
    if not findings:
        return
    try:
        mend()
        done.mended += findings
    except (TtaError, OSError, sqlite3.Error) as error:
        done.problems.append(escape(error, 1000))


def _remove(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.subject:
            Path(finding.subject).unlink(missing_ok=True)
