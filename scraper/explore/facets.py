"""Facets that include every record, and that finish in time for 100,000 records, where Datasette's own are cut off.

Records without a value are counted as not known. For JSON arrays, Datasette's facet splits every row with all its columns; this
one first counts equal arrays, of which there are few, and splits those: 0.13 s instead of more than 1 s for 100,000 records
(November 2026).
"""

from typing import Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

from scraper.explore.filters import QUERIES
from scraper.explore.links import NOT_KNOWN, columns_in
from scraper.export.tables import Values, values_of

TYPE = "list"  # the facet's name in addresses: `_facet_list`


class ListFacet(Facet):  # type: ignore[misc] # Datasette has no types
    """`?_facet_list=COLUMN`, or `list: COLUMN` in the metadata."""

    type = TYPE

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        results, cut_off = [], []
        for config in self.get_configs():
            column = config["config"].get("column") or config["config"]["simple"]
            try:
                results.append(await self._facet_of(column, hideable=config["source"] != "metadata"))
            except QueryInterrupted:
                cut_off.append(column)
        return results, cut_off

    async def _facet_of(self, column: str, *, hideable: bool) -> dict[str, Any]:
        size = self.get_facet_size()
        info = columns_in(self.table).get(column)
        kind = values_of(info) if info else Values.TEXT
        sql, order = QUERIES["facets"], "value DESC" if info and info.unit == "year" else "n DESC, value"
        counted = sql["count"].format(column=escape_sqlite(column), sql=self.sql)
        counted = sql["items"].format(counted=counted) if kind is Values.LIST else counted
        ordered = sql["ordered"].format(counted=counted, order=order, limit=size + 2)
        limit = self.ds.setting("facet_time_limit_ms")
        found = await self.ds.execute(self.database, ordered, self.params, truncate=False, custom_time_limit=limit)
        rows = sorted(map(tuple, found.rows), key=lambda row: row[0] is None)
        known = [row for row in rows if row[0] is not None]
        facet = {"name": column, "type": "array" if kind is Values.LIST else "column", "hideable": hideable}
        facet["toggle_url"] = self.ds.urls.path(path_with_removed_args(self.request, {f"_facet_{TYPE}": column}))
        results = [self._facet_value(column, kind, *row) for row in [*known[:size], *rows[len(known) :]]]
        return facet | {"results": results, "truncated": len(known) > size}

    def _facet_value(self, column: str, kind: Values, value: Any, count: int) -> dict[str, Any]:
        name = f"{column}__arraycontains" if kind is Values.LIST else column
        own = (f"{column}__isnull", "1") if value is None else (name, str(value))
        selected = bool({own, (f"{own[0]}__exact", own[1])} & set(self.get_querystring_pairs()))
        change = path_with_removed_args if selected else path_with_added_args
        label = NOT_KNOWN if value is None else {1: "Yes", 0: "No"}[value] if kind is Values.YES_NO else str(value)
        url = self.ds.absolute_url(self.request, self.ds.urls.path(change(self.request, dict([own]))))
        return {"value": value, "label": label, "count": count, "toggle_url": url, "selected": selected}
