"""Builds the rows of records from the parsed pages of all their captures, one record at a time."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from itertools import groupby, repeat
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from parsers.columns import make_record
from parsers.contacts import is_contact
from parsers.record import Field, PageHead
from parsers.urls import page_address
from scraper.database import derived
from scraper.database.assign_records import BUILD_ORDER, REPLACED
from scraper.database.contacts import COLUMNS, is_contact_row
from scraper.database.merge import Merged, Seen, merge
from scraper.database.parsed_pages import ParsedPages
from scraper.database.schema import insert_sql, search_renewed
from scraper.database.stored_page import VALUE_COLUMNS, FieldValue, StoredPage, decode, to_stored_page, with_keys
from scraper.database.tables import BY_NAME, TABLES, Availability, Table
from scraper.workers.processes import Job, WorkerPool

_OF_A_RECORD = ("fields", "sections", "milestones", "performance_metrics", "changes", "records")
"""Tables, `records` last: its derived columns use the record's rows in the others."""
_NODE, _DESCRIPTION = map(VALUE_COLUMNS.index, ("node_id", "description"))  # indexes among the columns
_VALUE = FieldValue._fields[1:].index("value")
_CAPTURES_AT_ONCE = 64
"""Captures of a task. Their 2,000 rows are inserted at a time: quicker than 20,000, as they stay in the processor's cache."""
Rows = dict[str, list[tuple[Any, ...]]]


class _Shown(NamedTuple):
    """A capture of a record. `page`: the encoded page that it shows (for a revisit, an earlier one's); None for no page."""

    record_id: str
    capture_id: str
    captured_at: str | None
    url: str | None
    page: bytes | None


Task = list[list[_Shown]]  # the captures of some records, by time, for each record a list


def build(db: sqlite3.Connection, pages: ParsedPages, pool: WorkerPool | None) -> int:
    """Rebuilds every record of `temp.affected` from its current captures; returns how many. `pool`: None merges them here."""
    derived.register(db)
    writers = {table: row_writer(db, table) for table in _OF_A_RECORD}
    affected, count, tasks = "record_id IN (SELECT record_id FROM temp.affected)", 0, _make_tasks(db, pages)
    with (
        search_renewed(db, _OF_A_RECORD, affected),
        closing(pool.run(JOB, tasks) if pool else ((task, record_rows(task)) for task in tasks)) as results,
    ):
        for table in _OF_A_RECORD:
            db.execute(f"DELETE FROM {BY_NAME[table].stored_in[0]} WHERE {affected}")
        for _, found in results:
            for table, write in writers.items():
                write([row for rows in found for row in rows[table]])
            count += len(found)
    return count


def _make_tasks(db: sqlite3.Connection, pages: ParsedPages) -> Iterator[Task]:
    query = f"""
        SELECT record_id, capture_id, captured_at, url,
            CASE WHEN form IS NOT NULL AND NOT ({REPLACED}) THEN coalesce(original_id, capture_id) END
        FROM captures WHERE record_id IN (SELECT record_id FROM temp.affected) ORDER BY record_id, {BUILD_ORDER}
    """
    shown = (_Shown._make([*about, pages.page(body) if body else None]) for *about, body in db.execute(query))
    task: Task = []
    for _, captures in groupby(shown, key=itemgetter(0)):
        task.append(list(captures))
        if sum(map(len, task)) >= _CAPTURES_AT_ONCE:
            yield task
            task = []
    yield task


def row_writer(db: sqlite3.Connection, name: str) -> Callable[[Iterable[tuple[Any, ...]]], object]:
    """Returns a function that inserts rows of a table; those of a view go into its two tables."""
    table = BY_NAME[name]
    if not table.shared:
        sql = insert_sql(name) if name != "records" else derived.insert_sql(table.columns)
        return lambda waiting: db.executemany(sql, waiting)
    rows, values = table.stored_in
    same = " AND ".join(f'"{column}" IS ?' for column in table.shared)
    found, add = f"SELECT shared FROM {values} WHERE {same}", f"{insert_sql(values, table.shared)} RETURNING shared"
    insert = insert_sql(rows, [*table.own, "shared"])

    @lru_cache(maxsize=16_384)
    def number(shared: tuple[Any, ...]) -> int:
        return int((db.execute(found, shared).fetchone() or db.execute(add, shared).fetchone())[0])

    return lambda waiting: db.executemany(insert, ((*own, number(shared)) for own, shared in waiting))


def _make_divider(table: Table) -> Callable[[tuple[Any, ...]], tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Returns a function that divides a row of a view into its own values and those that it shares."""
    own_of, shared_of = (itemgetter(*map(table.columns.index, names)) for names in (table.own, table.shared))
    one_of = lru_cache(maxsize=16_384)(lambda shared: shared)  # equal values as one object, which is sent once in a result
    return lambda row: (own_of(row), one_of(shared_of(row)))


DIVIDERS = {table.name: _make_divider(table) for table in TABLES if table.shared}


def record_rows(task: Task) -> list[Rows]:
    """Returns the rows of each record, by table; those of a view divided (`DIVIDERS`)."""
    return [_record_rows(captures) for captures in task]


JOB: Job[Task, Rows] = Job(record_rows, lambda task: [[one] for one in task], record_rows)


def _record_rows(captures: list[_Shown]) -> Rows:
    """Returns a record's rows in every table. If all its captures show one page, they are the rows derived from it."""
    record_id = captures[0].record_id
    runs = [(page, [*run]) for page, run in groupby((one for one in captures if one.page), key=attrgetter("page"))]
    page_url: str | None = None
    values: list[Any] = [None] * len(VALUE_COLUMNS)
    rows: Rows = {table: [] for table in _OF_A_RECORD}
    if len(runs) == 1:
        page = decode(runs[0][0])
        source = repeat(runs[0][1][-1].capture_id)
        page_url, values, rows = page.url, page.values, page_rows(page, record_id, source, source)
    elif runs:
        seen: list[Seen] = []
        for encoded, showing in runs:
            content = with_keys(decode(encoded))
            page_url = content.url or page_url
            seen += [Seen(one.capture_id, one.captured_at, content) for one in showing]
        private = {row.key for one in seen for row in one.content.fields if is_contact_row(row[1:])}
        values, rows = merged_rows(merge(seen), record_id, private)
    if record_id.isdecimal():
        values[_NODE] = int(record_id)
    urls = [one.url for one in captures if one.url]
    times: list[str | None] = [one.captured_at for one in captures if one.captured_at] or [None]
    about = (page_address(urls[-1]) if urls else page_url, times[0], times[-1], len(captures))
    rows["records"] = [(record_id, *values, *about, Availability.UNKNOWN, None)]  # `availability` sets the last two
    return rows | {name: list(map(divide, rows[name])) for name, divide in DIVIDERS.items()}


def page_rows(page: StoredPage, record_id: str, fields_from: Iterable[str], sections_from: Iterable[str]) -> Rows:
    """Returns the rows of a page. `fields_from`, `sections_from`: the capture that each field or section was read from."""
    sections, text = zip(page.sections, sections_from, strict=False), page.values[_DESCRIPTION] or ""
    stored = (row if row[_VALUE] != text else (*row[:_VALUE], "", *row[_VALUE + 1 :]) for row in page.fields)  # `Table.repeats`
    fields = enumerate(zip(page.fields, stored, fields_from, strict=False), 1)
    return {
        "fields": [(record_id, at, *kept, source, is_contact_row(row)) for at, (row, kept, source) in fields],
        "sections": [(record_id, at, *section, source) for at, (section, source) in enumerate(sections, 1)],
        "milestones": [(record_id, *row) for row in page.milestones],
        "performance_metrics": [(record_id, *row) for row in page.performance_metrics],
        "changes": [],
    }


def merged_rows(merged: Merged, record_id: str, private: Collection[str] = ()) -> tuple[list[Any], Rows]:
    """Returns the rows that several pages show together. `private`: the keys of fields that name a person in any capture."""
    shown: list[dict[str, Any]] = [dict(zip(FieldValue._fields[1:], one.row[1:], strict=True)) for one in merged.fields]
    fields = [Field(position=at, **one) for at, one in enumerate(shown, start=1)]  # from which the columns are derived again
    page = to_stored_page(make_record(PageHead(**merged.head), fields, (), "html"))._replace(
        sections=[one[:2] for one in merged.sections]
    )
    rows = page_rows(page, record_id, *([one.capture_id for one in some] for some in (merged.fields, merged.sections)))
    rows["changes"] = [
        (record_id, *one, one.field in COLUMNS or one.field in private or is_contact(one.field)) for one in merged.changes
    ]
    return page.values, rows
