"""The tables `runs` and `run_checks`: the result of each refresh, and the figures that the next one is compared with."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

from scraper.database.checks import COMPARED, NEW_CAPTURES, RECENT, Check, Severity
from scraper.database.schema import insert_sql
from scraper.database.tables import RunRow
from scraper.errors import RefreshRefused
from scraper.sqlite import dicts, open_readonly, open_writable

ADVICE = (
    "the next run finds the same captures in the archive and is refused again, until the parser is fixed"
    " or `tta refresh --accept` accepts the new state"
)
"""What to do about a refused run."""


class Outcome(StrEnum):
    """How a run ended. All but `committed` left the database as it was; `unanswered`: no source answered, and nothing was new."""

    COMMITTED = "committed"
    UNANSWERED = "unanswered"
    REFUSED = "refused"
    STOPPED = "stopped"
    FAILED = "failed"
    DIED = "died"


def add(db: sqlite3.Connection, run: RunRow, checks: Sequence[Check] = ()) -> None:
    """Writes a run and its checks in the open transaction, and sets the run's number, which was 0.

    Existing columns only: a refused run may have left the tables of another version in place.
    """
    run.run_id = number = int(db.execute("SELECT ifnull(max(run_id), 0) + 1 FROM runs").fetchone()[0])
    rows = [("run_checks", {"run_id": number, "position": at, **check._asdict()}) for at, check in enumerate(checks, start=1)]
    for table, values in [("runs", asdict(run)), *rows]:
        present = _columns(db, table)
        found = {name: value for name, value in values.items() if name in present}
        db.execute(insert_sql(table, [*found]), [*found.values()])


def record(path: Path, run: RunRow, checks: Sequence[Check] = ()) -> None:
    """Writes a run that left the database as it was, in its own transaction, if there is a database. Raises sqlite3.Error."""
    if path.is_file():
        with closing(open_writable(path, create=False)) as db:
            if _columns(db, "runs"):
                db.execute("BEGIN IMMEDIATE")
                add(db, run, checks)
                db.execute("COMMIT")


def record_death(path: Path, since: str) -> None:
    """Writes a run that was killed, which held the lock since the given time, unless it had committed. Raises sqlite3.Error."""
    if path.is_file():
        with closing(open_readonly(path)) as db:
            if _columns(db, "runs") and db.execute("SELECT 1 FROM runs WHERE started_at >= ?", [since]).fetchone():
                return
    message = "killed, or the machine went down; the database was left as it was"
    record(path, RunRow(run_id=0, started_at=since, outcome=Outcome.DIED, accepted=False, message=message))


def latest(db: sqlite3.Connection) -> dict[str, Any] | None:
    """Returns the row of the last run by column, None if there is none."""
    return next(iter(dicts(db, "SELECT * FROM runs ORDER BY run_id DESC LIMIT 1")), None)


def _checks_of(db: sqlite3.Connection, number: int) -> list[Check]:
    query = f"SELECT {', '.join(Check._fields)} FROM run_checks WHERE run_id = ? ORDER BY position"
    return [Check(*row) for row in db.execute(query, [number])]


def failed_checks(db: sqlite3.Connection, number: int) -> list[Check]:
    """Returns the checks that a run failed, without warnings, whether the run was refused or accepted."""
    return [check for check in _checks_of(db, number) if not check.passed and check.severity == Severity.FAIL]


def refused(db: sqlite3.Connection) -> tuple[int, str] | None:
    """Returns number and start of the refresh whose data the checks keep out, None if there is none.

    The last run with a decision counts: runs that were stopped, failed, died or got no answer decided nothing.
    """
    if not _columns(db, "runs"):
        return None
    query = "SELECT run_id, started_at, outcome FROM runs WHERE outcome IN (?, ?) ORDER BY run_id DESC LIMIT 1"
    row = db.execute(query, [Outcome.COMMITTED, Outcome.REFUSED]).fetchone()
    return (int(row[0]), str(row[1])) if row and row[2] == Outcome.REFUSED else None


def check_none_is_refused(db: sqlite3.Connection) -> None:
    """Raises RefreshRefused if a load without checks would commit what a refresh refused."""
    if found := refused(db):
        names = sorted({check.name for check in failed_checks(db, found[0])})
        why = f" ({', '.join(names)})" if names else ""
        raise RefreshRefused(
            f"the refresh of {found[1]} was refused{why}, and this would load what it kept out; nothing was changed: "
            "`tta status` shows why, `tta refresh` tries again, `tta refresh --accept` accepts the new state, "
            "`--unchecked` loads it anyway"
        )


def last_good(db: sqlite3.Connection) -> tuple[int, dict[tuple[str, str | None], float]] | None:
    """Returns the number of the last run that committed, and its figures by name and subject; None if there is no such run."""
    (number,) = db.execute("SELECT max(run_id) FROM runs WHERE outcome = ?", [Outcome.COMMITTED]).fetchone()
    checks = _checks_of(db, number) if number else []
    return (number, {(one.name, one.subject): one.figure for one in checks if one.figure is not None}) if number else None


def accepted_figures(db: sqlite3.Connection) -> dict[str, float]:
    """Returns, by check, the smallest figure for recent captures since (and including) the last accepted refresh."""
    query = (
        "SELECT name, min(figure) FROM run_checks JOIN runs USING (run_id) WHERE figure IS NOT NULL AND outcome = ?"
        " AND subject GLOB ? AND run_id >= (SELECT max(run_id) FROM runs WHERE accepted) GROUP BY name"
    )
    return dict(db.execute(query, [Outcome.COMMITTED, f"{RECENT}*"]).fetchall())


def repeated_checks(db: sqlite3.Connection, number: int) -> list[Check]:
    """Returns the checks of a committed run, for a run that finds the same data. They pass."""
    usual = (one for one in _checks_of(db, number) if one.severity == Severity.FAIL or one.passed)
    return [one._replace(passed=True, message=None) for one in usual if not (one.subject or "").startswith(NEW_CAPTURES)]


@contextmanager
def state_before(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Yields what readers see during a load: the last committed state, None if it has no tables that can be compared."""
    if not path.is_file():
        yield None
        return
    with closing(open_readonly(path)) as db:
        db.execute("BEGIN")
        yield db if all(set(columns) <= _columns(db, table) for table, columns in COMPARED.items()) else None


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in db.execute(f"PRAGMA main.table_info({table})")}
