"""Builds the rows of records from the parsed pages of all their captures, one record at a time."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from parsers.columns import milestones, performance_metrics, record_columns
from parsers.contacts import is_contact
from parsers.record import Field, PageHead
from parsers.urls import page_address
from scraper.database import derived
from scraper.database.assign_records import BUILD_ORDER, REPLACED
from scraper.database.contacts import COLUMNS, is_contact_row
from scraper.database.merge import Merged, Seen, merge
from scraper.database.parsed_pages import ParsedPages
from scraper.database.same_value import Sourced
from scraper.database.schema import insert_sql
from scraper.database.stored_page import VALUE_COLUMNS, FieldValue, StoredPage, decode, keyed, value_row
from scraper.database.tables import BY_NAME, Availability

_OF_A_RECORD = ("fields", "sections", "milestones", "performance_metrics", "changes", "records")
"""Tables, `records` last: its derived columns use the record's rows in the others."""
_NODE = VALUE_COLUMNS.index("node_id")  # index among the columns
_ROWS_AT_ONCE = 2_000  # records or fields that are kept before they are written
Rows = dict[str, list[tuple[Any, ...]]]


class _Shown(NamedTuple):
    """A capture of a record. `body`: the capture whose page it shows (for a revisit, an earlier one); None for no page."""

    record_id: str
    capture_id: str
    captured_at: str | None
    url: str | None
    body: str | None


def build(db: sqlite3.Connection, pages: ParsedPages) -> int:
    """Rebuilds every record of `temp.affected` from its current captures; returns how many."""
    derived.register(db)
    writers = {table: _row_writer(db, table) for table in _OF_A_RECORD}
    for table in _OF_A_RECORD:
        db.execute(f"DELETE FROM {BY_NAME[table].stored_in[0]} WHERE record_id IN (SELECT record_id FROM temp.affected)")
    rows: Rows = {table: [] for table in _OF_A_RECORD}
    count = 0
    query = f"""
        SELECT record_id, capture_id, captured_at, url,
            CASE WHEN form IS NOT NULL AND NOT ({REPLACED}) THEN coalesce(original_id, capture_id) END
        FROM captures WHERE record_id IN (SELECT record_id FROM temp.affected) ORDER BY record_id, {BUILD_ORDER}
    """

    def write(most: int) -> None:
        if len(rows["records"]) > most or len(rows["fields"]) > most:
            for table, waiting in rows.items():
                writers[table](waiting)
                waiting.clear()

    for record_id, captures in groupby(map(_Shown._make, db.execute(query)), key=itemgetter(0)):
        for table, members in _record_rows(record_id, list(captures), pages).items():
            rows[table] += members
        count += 1
        write(_ROWS_AT_ONCE)
    write(0)
    return count


def _row_writer(db: sqlite3.Connection, name: str) -> Callable[[list[tuple[Any, ...]]], object]:
    """Inserts rows. Those of a view go into its tables: its triggers, which look shared values up for every row, take longer."""
    table = BY_NAME[name]
    if not table.shared:
        sql = insert_sql(name) if name != "records" else derived.insert_sql(table.columns)
        return lambda waiting: db.executemany(sql, waiting)
    (rows, values), own = table.stored_in, [column for column in table.columns if column not in table.shared]
    own_of, shared_of = (itemgetter(*map(table.columns.index, names)) for names in (own, table.shared))
    marks = ", ".join("?" * len(table.shared))
    found = f"SELECT shared FROM {values} WHERE json_array({', '.join(table.shared)}) = json_array({marks})"
    add = f"INSERT INTO {values} ({', '.join(table.shared)}) VALUES ({marks}) RETURNING shared"
    insert = f"INSERT INTO {rows} ({', '.join(own)}, shared) VALUES ({', '.join('?' * len(own))}, ?)"

    @lru_cache(maxsize=16_384)
    def number(*shared: str | None) -> int:
        return int((db.execute(found, shared).fetchone() or db.execute(add, shared).fetchone())[0])

    return lambda waiting: db.executemany(insert, ((*own_of(row), number(*shared_of(row))) for row in waiting))


def _record_rows(record_id: str, captures: list[_Shown], pages: ParsedPages) -> Rows:
    """Returns a record's rows in every table. If all its captures show one page, they are the rows derived from it."""
    shown = ((pages.page(one.body), one) for one in captures if one.body)
    runs = [(page, [one for _, one in run]) for page, run in groupby(shown, key=itemgetter(0))]
    page_url: str | None = None
    values: list[Any] = [None] * len(VALUE_COLUMNS)
    rows: Rows = {}
    if len(runs) == 1:
        page = decode(runs[0][0])
        page_url = page.url
        values, rows = page_rows(page, record_id, runs[0][1][-1].capture_id)
    elif runs:
        seen: list[Seen] = []
        for encoded, showing in runs:
            content = keyed(decode(encoded))
            page_url = content.url or page_url
            seen += [Seen(one.capture_id, one.captured_at, content) for one in showing]
        private = {row.key for one in seen for row in one.content.fields if is_contact_row(row[1:])}
        values, rows = merged_rows(merge(seen), record_id, private)
    if record_id.isdecimal():
        values[_NODE] = int(record_id)
    urls = [one.url for one in captures if one.url]
    times = [one.captured_at for one in captures if one.captured_at]
    about = (
        page_address(urls[-1]) if urls else page_url,
        *((times[0], times[-1]) if times else (None, None)),
        len(captures),
        *(Availability.UNKNOWN, None),  # `availability` sets these
    )
    rows["records"] = [(record_id, *values, *about)]
    return rows


def page_rows(page: StoredPage, record_id: str, capture_id: str) -> tuple[list[Any], Rows]:
    """Returns the rows of one page, as derived when it was parsed."""
    fields, sections = ((row, capture_id) for row in page.fields), ((*section, capture_id) for section in page.sections)
    return page.values, _complete_rows(record_id, fields, sections, page)


def merged_rows(merged: Merged, record_id: str, private: Collection[str] = ()) -> tuple[list[Any], Rows]:
    """Returns the rows that several pages show together. `private`: the keys of fields that name a person in any capture."""
    columns = derive_columns(merged.head, merged.fields)
    rows = _complete_rows(record_id, ((one.row[1:], one.capture_id) for one in merged.fields), merged.sections, columns)
    rows["changes"] = [
        (record_id, *one, one.field in COLUMNS or one.field in private or is_contact(one.field)) for one in merged.changes
    ]
    return columns.values, rows


class Derived(NamedTuple):
    """What is derived from fields, as in `StoredPage` for one page."""

    values: list[Any]
    milestones: list[list[Any]]
    performance_metrics: list[list[Any]]


def _complete_rows(
    record_id: str,
    fields: Iterable[tuple[Sequence[Any], str]],
    sections: Iterable[Sequence[Any]],
    columns: StoredPage | Derived,
) -> Rows:
    return {
        "fields": [(record_id, at, *row, source, is_contact_row(row)) for at, (row, source) in enumerate(fields, 1)],
        "sections": [(record_id, at, *section) for at, section in enumerate(sections, 1)],
        "milestones": [(record_id, *row) for row in columns.milestones],
        "performance_metrics": [(record_id, *row) for row in columns.performance_metrics],
        "changes": [],
    }


def derive_columns(head: dict[str, Any], sourced: Sequence[Sourced]) -> Derived:
    """Derives the columns from the merged fields; columns themselves are not merged."""
    rows: list[dict[str, Any]] = [dict(zip(FieldValue._fields[1:], one.row[1:], strict=True)) for one in sourced]
    fields = [Field(position=at, **row) for at, row in enumerate(rows, start=1)]
    return Derived(
        value_row(record_columns(PageHead(**head), fields)),
        [[one.position, one.title, one.date, one.notes, one.details] for one in milestones(fields)],
        [[one.position, one.question, one.answer] for one in performance_metrics(fields)],
    )
