"""Facets of JSON arrays that answer in time on a hundred thousand records, where Datasette's own are cut off.

Datasette's takes every row with all its columns apart. This one counts equal arrays first, of which there are few, and takes
those apart: 0.13 s in place of more than 1 s for 100,000 records (November 2026).
"""

from __future__ import annotations

from typing import Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

TYPE = "list"
_SQL = """
WITH arrays AS (SELECT {column} AS items, count(*) AS n FROM ({sql}) GROUP BY 1),
     parts AS (SELECT DISTINCT arrays.items, arrays.n, item.value FROM arrays, json_each(arrays.items) AS item)
SELECT value, sum(n) AS count FROM parts GROUP BY value ORDER BY count DESC, value LIMIT {limit}
"""


def in_time(metadata: dict[str, Any]) -> dict[str, Any]:
    """Datasette's metadata with its array facets replaced by these."""
    for database in metadata.get("databases", {}).values():
        for table in database.get("tables", {}).values():
            table["facets"] = [
                {TYPE: facet["array"]} if isinstance(facet, dict) and "array" in facet else facet
                for facet in table.get("facets", [])
            ]
    return metadata


class ListFacet(Facet):  # type: ignore[misc] # Datasette has no types
    """`?_facet_list=COLUMN`, or `list: COLUMN` in the metadata."""

    type = TYPE

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        results, cut_off = [], []
        for config in self.get_configs():
            column = config["config"].get("column") or config["config"]["simple"]
            try:
                results.append(await self._of(column, hideable=config["source"] != "metadata"))
            except QueryInterrupted:
                cut_off.append(column)
        return results, cut_off

    async def _of(self, column: str, *, hideable: bool) -> dict[str, Any]:
        size = self.get_facet_size()
        found = await self.ds.execute(
            self.database,
            _SQL.format(column=escape_sqlite(column), sql=self.sql, limit=size + 1),
            self.params,
            truncate=False,
            custom_time_limit=self.ds.setting("facet_time_limit_ms"),
        )
        return {
            "name": column,
            "type": "array",
            "results": [self._value(column, str(row["value"]), row["count"]) for row in found.rows[:size]],
            "hideable": hideable,
            "toggle_url": self.ds.urls.path(path_with_removed_args(self.request, {f"_facet_{TYPE}": column})),
            "truncated": len(found.rows) > size,
        }

    def _value(self, column: str, value: str, count: int) -> dict[str, Any]:
        own = (f"{column}__arraycontains", value)
        selected = own in self.get_querystring_pairs()
        change = path_with_removed_args if selected else path_with_added_args
        return {
            "value": value,
            "label": value,
            "count": count,
            "toggle_url": self.ds.absolute_url(self.request, self.ds.urls.path(change(self.request, dict([own])))),
            "selected": selected,
        }
