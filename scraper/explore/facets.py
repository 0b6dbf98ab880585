"""Facets that include every record, and that finish in time for 100,000 records, where Datasette's own are cut off.

Records without a value are counted as not known. One query counts all columns of a page, so that its filter is evaluated once:
0.3 s instead of 0.4 to 1.3 for 100,000 records (November 2026). For JSON arrays, Datasette's facet splits every row with all
its columns; this one first counts equal arrays, of which there are few, and splits those.
"""

from collections.abc import Sequence
from typing import Any

from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

from scraper.database.tables import columns_in
from scraper.explore.filters import QUERIES, ask_together, rows_of_records
from scraper.explore.links import NOT_KNOWN
from scraper.export.tables import Values, values_of

TYPE = "list"  # the facet's name in addresses: `_facet_list`


def facets_sql(table: str, columns: Sequence[str], rows: str, size: int) -> str:
    """Returns SQL for the most frequent values of each column in the rows that `rows` selects: place, value, number."""
    sql, parts = QUERIES["facets"], []
    for at, column in enumerate(columns):
        info, counted = columns_in(table).get(column), sql["count"].format(at=at)
        counted = sql["items"].format(counted=counted) if info and values_of(info) is Values.LIST else counted
        order = "value DESC" if info and info.unit == "year" else "n DESC, value"
        parts.append(sql["ordered"].format(at=at, counted=counted, order=order, limit=size + 2))
    named = ", ".join(f"{escape_sqlite(column)} AS c{at}" for at, column in enumerate(columns))
    source = f"(SELECT *, 1 AS n FROM ({rows}))"
    if (of_records := rows_of_records(rows)) and {*columns} <= {*of_records[0].shared}:  # numbers sort in half the time of texts
        names, where = of_records[0].stored_in, of_records[1]
        source = f"(SELECT shared, count(*) AS n FROM {names[0]} {where} GROUP BY 1) JOIN {names[1]} USING (shared)"
    return f"WITH chosen AS (SELECT {named}, n FROM {source}) {' UNION ALL '.join(parts)}"


class ListFacet(Facet):  # type: ignore[misc] # Datasette has no types
    """`?_facet_list=COLUMN`, or `list: COLUMN` in the metadata."""

    type = TYPE

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        sources = {one["config"].get("column") or one["config"]["simple"]: one["source"] for one in self.get_configs()}
        found = dict(zip(sources, await ask_together(self._count, list(sources)), strict=False))
        shown = [self._facet(column, rows, hideable=sources[column] != "metadata") for column, rows in found.items()]
        return shown, [column for column in sources if column not in found]

    async def _count(self, columns: Sequence[str]) -> list[list[Any]]:
        sql, limit = facets_sql(self.table, columns, self.sql, self.get_facet_size()), self.ds.setting("facet_time_limit_ms")
        found = await self.ds.execute(self.database, sql, self.params, truncate=False, custom_time_limit=limit)
        return [[(value, n) for place, value, n in found.rows if place == at] for at in range(len(columns))]

    def _facet(self, column: str, rows: list[Any], *, hideable: bool) -> dict[str, Any]:
        size, info = self.get_facet_size(), columns_in(self.table).get(column)
        kind = values_of(info) if info else Values.TEXT
        known = [row for row in rows if row[0] is not None]
        facet = {"name": column, "type": "array" if kind is Values.LIST else "column", "hideable": hideable}
        facet["toggle_url"] = self.ds.urls.path(path_with_removed_args(self.request, {f"_facet_{TYPE}": column}))
        shown = [*known[:size], *(row for row in rows if row[0] is None)]
        return facet | {"results": [self._facet_value(column, kind, *row) for row in shown], "truncated": len(known) > size}

    def _facet_value(self, column: str, kind: Values, value: Any, count: int) -> dict[str, Any]:
        name = f"{column}__arraycontains" if kind is Values.LIST else column
        own = (f"{column}__isnull", "1") if value is None else (name, str(value))
        selected = bool({own, (f"{own[0]}__exact", own[1])} & set(self.get_querystring_pairs()))
        change = path_with_removed_args if selected else path_with_added_args
        label = NOT_KNOWN if value is None else {1: "Yes", 0: "No"}[value] if kind is Values.YES_NO else str(value)
        url = self.ds.absolute_url(self.request, self.ds.urls.path(change(self.request, dict([own]))))
        return {"value": value, "label": label, "count": count, "toggle_url": url, "selected": selected}
