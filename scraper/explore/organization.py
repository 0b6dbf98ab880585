"""One agency or provider as its page shows it: its names, areas and places, and its records with their milestones and changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

_MOST = 500
"""Rows of a list on the page; its heading links to all of them."""
_RECORDS = "record_id IN (SELECT record_id FROM organization_mentions WHERE organization_id = :id)"
_QUERIES = {
    "organization": "SELECT * FROM organizations WHERE organization_id = :id",
    "names": "SELECT name, how, count(*) AS records, max(seen_at) AS seen_at FROM organization_mentions "
    "WHERE organization_id = :id AND name IS NOT NULL GROUP BY 1, 2 ORDER BY 4 DESC, 1",
    "years": f"SELECT fiscal_year, count(*) AS records FROM records WHERE {_RECORDS} GROUP BY 1 ORDER BY 1",
    "areas": f"SELECT item.value AS area, count(*) AS records FROM records, json_each(program_areas) AS item WHERE {_RECORDS} "
    "GROUP BY 1 ORDER BY 2 DESC, 1",
    "places": f"SELECT place_name, count(*) AS records FROM records WHERE {_RECORDS} AND place_name IS NOT NULL "
    "GROUP BY 1 ORDER BY 2 DESC, 1",
    "records": "SELECT record_id, coalesce(tta_title, short_name, title, record_id) AS heading, submitted_on, tta_type, status, "
    f"provider_reference FROM records WHERE {_RECORDS} ORDER BY submitted_on DESC, record_id LIMIT {_MOST}",
    "milestones": f"SELECT date, title, record_id FROM milestones WHERE {_RECORDS} AND date IS NOT NULL "
    f"ORDER BY date DESC, record_id, position LIMIT {_MOST}",
    "changes": f"SELECT seen_by, record_id, field, old_value, new_value FROM changes WHERE {_RECORDS} "
    f"ORDER BY seen_by DESC, record_id LIMIT {_MOST}",
}


async def overlay_rows(database: Any, record: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows that a user's own tables (`tta overlay`) have for a record; the first column names one of the record's."""
    found = {}
    for table in sorted(name for name in await database.table_names() if name.startswith("overlay_")):
        key, *_ = await database.table_columns(table)
        rows = await database.execute(f"SELECT * FROM [{table}] WHERE [{key}] = ? LIMIT {_MOST}", [str(record.get(key))])
        found[table] = [dict(row) for row in rows.rows]
    return found


async def organization_page(database: Any, organization_id: str) -> dict[str, list[dict[str, Any]]] | None:
    """Reads the rows of each list of the page. None where there is no such organization."""
    found = await asyncio.gather(*(database.execute(sql, {"id": organization_id}) for sql in _QUERIES.values()))
    rows = {name: [dict(row) for row in result.rows] for name, result in zip(_QUERIES, found, strict=True)}
    return rows if rows["organization"] else None
