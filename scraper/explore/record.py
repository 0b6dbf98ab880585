"""Prepares the page of a record: its fields by section in page order, each with its capture."""

import re
from asyncio import gather
from collections import ChainMap
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate, groupby
from operator import and_, eq, itemgetter
from typing import Any

from datasette.database import QueryInterrupted

from scraper.capture import replay_url
from scraper.database.tables import columns_in
from scraper.explore.charts import TEXTS
from scraper.explore.filters import QUERIES, RecordFilters, ask
from scraper.explore.links import list_values, safe_href
from scraper.export.tables import LIST_COLUMNS

MADE_UP = "made-up"
"""`captures.source` of the demo records (tests.pagegen.samples)."""
FACTS = {name: f"{name}__{'arraycontains' if name in LIST_COLUMNS else 'exact'}" for name in TEXTS["facts"]}
"""Columns at the top of the page, each with the condition of the records that have the same value."""
_CONTEXT = 12  # words that two long texts share, shown around those that differ
MOST = (100, 2_000)
"""Rows of a list on the page of an organization or of a user's own table, which links to all of them; with `_size=max`."""
_NOTES = {"empty": "empty on the page", "not_captured": "not captured"}  # by `fields.state`

Row = Mapping[str, Any]
Group = dict[str, Any]
"""The fields of a section, or of an item such as a milestone: `name`, `instructions`, `labels` and `items`, which are groups."""


async def record_page(database: Any, record_id: str, filters: RecordFilters) -> dict[str, Any] | None:
    """Returns the record as from `arrange`, with the previous and next of the selected ones; None if there is no such record."""
    rows = await ask(database, "record", {"id": record_id})
    if not rows["records"]:
        return None
    params = filters.params | {"id": record_id, "at": rows["records"][0]["submitted_at"]}
    where = f"{filters.where} AND" if filters.where else "WHERE"

    async def part(name: str) -> dict[str, Any]:
        with suppress(QueryInterrupted):  # the page names what it lacks
            return await ask(database, "around", params, name, where=where)
        return {}

    return arrange(rows, dict(ChainMap(*await gather(*map(part, QUERIES["around"])))))


def arrange(rows: Mapping[str, list[dict[str, Any]]], related: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Returns all that the template `row-tta-records.html` shows, from the rows of each table.

    `facts`: headings, each with the text shown and the filter for records with the same value. `changes`: the two captures, and
    the rows of the table. `related`: rows of the queries of that name.
    """
    (record,) = rows["records"]
    captures = [
        {**row, "number": number, "replay": replay_url(row["source"], row["captured_at"], safe_href(row["url"]))}
        for number, row in enumerate(rows["captures"], start=1)
    ]
    numbers = {one["capture_id"]: one["number"] for one in captures}
    body = [row for row in rows["fields"] if (row["name"], row["label"], row["item"]) == ("body", None, None)]
    fields = [row for row in rows["fields"] if row not in body]
    heading = record["tta_title"] or record["short_name"] or record["title"] or record["record_id"]
    shown = {"record": record, "heading": heading, "url": safe_href(record["url"]), "captures": captures, "around": related}
    shown |= {"made_up": any(one["source"] == MADE_UP for one in captures), "facts": list(_facts(record))}
    shown["description_source"] = numbers.get(body[0]["capture_id"]) if body else None
    shown["changes"] = [(when, list(run)) for when, run in groupby(rows["changes"], itemgetter("seen_after", "seen_by"))]
    return shown | {"groups": _group_fields(fields, rows["sections"], numbers)}


def differing(old: str | None, new: str | None) -> dict[str, str]:
    """Returns two texts without the words that both begin or end with, in place of which they have an ellipsis."""
    before, after = (re.split(r"(?<=\s)", text or "") for text in (old, new))
    same = sum(accumulate(map(eq, before, after), and_))
    first = max(same - _CONTEXT, 0)
    last = max(sum(accumulate(map(eq, before[same:][::-1], after[same:][::-1]), and_)) - _CONTEXT, 0)
    cut = ("…" * bool(first) + "".join(words[first : len(words) - last]) + "…" * bool(last) for words in (before, after))
    return dict(zip(("old_value", "new_value"), cut, strict=True))


def _facts(record: Row) -> Iterable[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    for column, by in FACTS.items():
        if (value := record[column]) is None:
            continue
        about = columns_in("records")[column]
        texts = (list_values(value) or []) if column in LIST_COLUMNS else [value]
        also = {"place_state__exact": record["place_state"]} if column == "place_county" else {}  # states share names of counties
        yield about.heading, [(("No", "Yes")[bool(one)] if about.type is bool else str(one), {by: one} | also) for one in texts]


def _group_fields(fields: list[dict[str, Any]], sections: list[dict[str, Any]], numbers: Mapping[str, int]) -> list[Group]:
    """Returns the sections in page order, including those without fields: their text is part of the page."""

    def group(name: str | None, instructions: str | None = None, labels: Iterable[Any] = ()) -> Group:
        return {"name": name, "instructions": instructions, "labels": list(labels), "items": []}

    waiting, groups = [group(one["label"], one["text"]) for one in sections], []
    for name, run in groupby(fields, key=lambda row: row["section"]):
        at = next((index for index, one in enumerate(waiting) if one["name"] == name), None)
        groups += waiting[: at + 1] if at is not None else [group(name)]
        del waiting[: at + 1 if at is not None else 0]
        for item, members in groupby(run, key=lambda row: row["item"]):
            labels = _label_values(members, numbers)
            groups[-1]["labels" if item is None else "items"] += labels if item is None else [group(item, None, labels)]
    return groups + waiting


def _label_values(rows: Iterable[Row], numbers: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    """Yields labels with their values and, as `note`, why there is none; `source`: number of a value's capture on the page."""
    for (label, name), run in groupby(rows, key=lambda row: (row["label"], row["name"])):
        values = [
            {**row, "href": safe_href(row["href"]), "note": _NOTES.get(row["state"]), "source": numbers.get(row["capture_id"])}
            for row in run
        ]
        note = values[0]["note"] if all(value["note"] for value in values) else None
        yield {"name": label or (name or "no label").removeprefix("field_").replace("_", " "), "values": values, "note": note}


async def overlay_rows(database: Any, record: Row) -> dict[str, list[dict[str, Any]]]:
    """Returns a record's rows in a user's own tables (`tta overlay`); their first column is named for a column of `records`."""
    found = {}
    for table in sorted(name for name in await database.table_names() if name.startswith("overlay_")):
        key, *_ = await database.table_columns(table)
        rows = await database.execute(f"SELECT * FROM [{table}] WHERE [{key}] = ? LIMIT {MOST[0]}", [str(record.get(key))])
        found[table] = [dict(row) for row in rows.rows]
    return found
