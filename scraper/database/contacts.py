"""Removes people's contact details from what is exported or served. `parsers.contacts` decides what a contact detail is.

Left out are columns marked `contact`, rows of `fields` and `changes` marked as such when they were built, and addresses and short
texts that contain a person's details. Prose (a description, a milestone's notes) stays; details in it can be masked.
"""

import sqlite3
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from parsers.contacts import has_contact, is_contact, is_personal_link, mask_contacts
from parsers.record import columns_of
from scraper.database.schema import drop_unused
from scraper.database.tables import BY_NAME, TABLES, Table
from scraper.errors import TtaError
from scraper.sqlite import open_readonly, open_writable

Mode = bool | Literal["strict"]
"""True keeps contact details, False leaves them out, `strict` also masks email addresses and phone numbers in prose."""

_CONTENT: dict[str, list[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_NESTED = "fields.contact AND fields.item IS NOT NULL AND fields.value IS NOT NULL"


def columns(table: Table) -> frozenset[str]:
    """Returns the columns of a table that contain nothing but contact details."""
    return frozenset(name for name, info in columns_of(table.model).items() if info.contact)


COLUMNS = frozenset(name for table in TABLES for name in columns(table))
"""The names of all such columns, all in `records`."""
_SHORT = {name for name, info in columns_of(BY_NAME["records"].model).items() if info.type is str} - {"record_id", "reference"}
"""Columns of `records` that contain short texts."""
_is_contact = lru_cache(maxsize=8192)(is_contact)


def is_contact_row(row: Sequence[Any]) -> bool:
    """Whether a row of `fields` (section, label, name, item, value, state, href, ..., person) is a contact detail."""
    _, label, name, item, value, _, href, *_, person = row
    if name == "body" and label is None:
        return False
    decide = _is_contact if value is None or len(value) < 1000 else is_contact
    return decide(label, name, item, value, href, is_person=bool(person))


def kept_rows(table: str) -> str:
    """Returns an SQL condition for the rows of a table that remain when contact details are left out."""
    return f"NOT {table}.contact" if table in ("fields", "changes") else "1"


def register(db: sqlite3.Connection) -> None:
    """Adds the SQL functions that `column_sql` uses to a connection."""
    functions = {"short": lambda text: None if has_contact(text) else text, "masked": mask_contacts, "address": _strip_address}
    for name, function in functions.items():
        of_text = lambda value, do=function: do(value) if isinstance(value, str) else value  # noqa: E731  (it keeps its `do`)
        db.create_function(f"tta_{name}", 1, of_text, deterministic=True)


def _strip_address(url: str) -> str | None:
    """Returns an address without its query, fragment and user; NULL if it leads to a person."""
    if not url or is_personal_link(url) or has_contact(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def column_sql(table: str, column: str, mode: Mode = False) -> str:
    """Returns SQL for a column's value without contact details."""
    own, place = f'"{table}"."{column}"', f"{table}.{column}"
    if (table == "records" and column in COLUMNS) or place in _CONTENT["nothing_else"]:
        return "NULL"
    if place == "runs.message":
        return f"CASE WHEN runs.outcome = 'committed' THEN {own} END"
    if place in _CONTENT["addresses"]:
        return f"tta_address({own})"
    if place in _CONTENT["repeated"]:
        nested = f"fields.record_id = {table}.record_id AND {_NESTED} AND instr({own}, fields.value)"
        own = f"CASE WHEN EXISTS (SELECT 1 FROM fields WHERE {nested}) THEN NULL ELSE tta_short({own}) END"
    elif place in _CONTENT["names"] or (table == "records" and place not in _CONTENT["prose"] and column in _SHORT):
        return f"tta_short({own})"
    return f"tta_masked({own})" if mode == "strict" and place in _CONTENT["prose"] + _CONTENT["repeated"] else own


def count_left_out(db: sqlite3.Connection) -> dict[str, int]:
    """Returns how many values are left out, by kind: columns with a value, rows of `fields` and of `changes`."""
    counted = {f"{name} in records": f"SELECT count({name}) FROM records" for name in sorted(COLUMNS)}
    counted |= {table: f"SELECT count(*) FROM {table} WHERE contact" for table in ("fields", "changes")}
    return {name: count for name, sql in counted.items() if (count := int(db.execute(sql).fetchone()[0]))}


def describe_left_out(counts: dict[str, int]) -> str:
    """Describes in words what `count_left_out` counted. Prose is mentioned because names in it stay."""
    found = ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing"
    return f"{found}; names in prose, such as descriptions, stay"


def remove(db: sqlite3.Connection, mode: Mode = False) -> None:
    """Removes the contact details from a copy of the database. Its free pages still contain them until it is vacuumed.

    Call it outside a transaction on a connection without row factory.
    """
    register(db)
    for table in TABLES:
        for stored, names in zip(table.stored_in, (table.own, table.shared), strict=False):
            sqls = {name: column_sql(table.name, name, mode) for name in names}
            changed = {name: sql for name, sql in sqls.items() if sql != f'"{table.name}"."{name}"'}
            if changed:
                assigned = ", ".join(f'"{name}" = {sql}' for name, sql in changed.items())
                differs = " OR ".join(f'"{name}" IS NOT {sql}' for name, sql in changed.items())
                db.execute(f'UPDATE "{stored}" AS "{table.name}" SET {assigned} WHERE {differs}')
    for name in ("changes", "fields"):  # after the tables above, whose conditions use `fields`
        unkept = f"SELECT rowid FROM {name} WHERE NOT ({kept_rows(name)})"
        db.execute(f"DELETE FROM {BY_NAME[name].stored_in[0]} WHERE rowid IN ({unkept})")
    for table in TABLES:
        drop_unused(db, table)
    for (search,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
        db.execute(f'INSERT INTO "{search}" ("{search}") VALUES (\'rebuild\')')  # a deleted word stays in an index until then
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'").fetchone():
        db.execute("DELETE FROM sqlite_stat4")  # samples of indexed values, if SQLite was built with them


class Copy:
    """A copy of the database without contact details, a file that its readers may keep open: a newer state arrives as one commit.

    With a copy, nothing else has to be safe: what a page, a query or the search index could expose is not in the file.
    """

    def __init__(self, database: Path, folder: Path, mode: Mode) -> None:
        self.path = folder / "tta.db"
        self.left_out: dict[str, int] = {}
        self._database = database
        self._mode = mode
        self._source = open_readonly(database, any_thread=True)
        self._state: tuple[int, ...] = ()
        self.renew()

    def renew(self) -> bool:
        """Updates the copy; returns whether the database had changed. Raises sqlite3.Error or OSError."""
        about = self._database.stat()
        if self._state and self._state[:2] != (about.st_dev, about.st_ino):  # deleted and built again
            self._source.close()
            self._source = open_readonly(self._database, any_thread=True)
        state = (about.st_dev, about.st_ino, int(self._source.execute("PRAGMA data_version").fetchone()[0]))
        if state == self._state:
            return False
        with tempfile.TemporaryDirectory(dir=self.path.parent) as folder:
            file = Path(folder, "cleared.db")
            with closing(open_writable(Path(folder, "copy.db"))) as db:
                db.execute("PRAGMA synchronous = OFF")  # it is temporary
                self._source.backup(db)
                db.execute("PRAGMA journal_mode = DELETE")
                db.execute("PRAGMA journal_mode = OFF")
                remove(db, self._mode)
                db.execute("VACUUM INTO ?", [str(file)])  # into a new file, so no removed data is left in free pages
            self.left_out = count_left_out(self._source)
            with closing(open_readonly(file)) as cleared, closing(open_writable(self.path)) as served:
                served.execute("PRAGMA journal_mode = WAL")
                cleared.backup(served)
        self._state = state
        return True

    def close(self) -> None:
        self._source.close()


@contextmanager
def cleared_copy(database: Path, mode: Mode = False) -> Iterator[Copy]:
    """Yields a copy in a temporary folder that no other user can read; it is deleted at the end. Raises TtaError."""
    with tempfile.TemporaryDirectory(prefix="tta-serve-") as folder:
        try:
            made = Copy(database, Path(folder), mode)
        except (sqlite3.Error, OSError) as error:
            raise TtaError(
                f"can't make a copy without contact details in {tempfile.gettempdir()} ({error}): free up space, or name another "
                "folder in TMPDIR"
            ) from error
        with closing(made):
            yield made
