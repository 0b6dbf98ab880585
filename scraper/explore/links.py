"""Renders values as HTML: lists as links to similar rows, and addresses as links only if following them is safe."""

import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from datasette.utils import tilde_encode
from markupsafe import Markup

from scraper.database.tables import TABLES, columns_in
from scraper.export.tables import LIST_COLUMNS

DATABASE = "tta"
NOT_KNOWN = "not known"
"""What pages show for a missing value; as a filter's value, it selects the rows without one."""
_PARTS = {table.name: dict(table.links) for table in TABLES if table.shared}
_PARTS["records"] = dict.fromkeys(("agency_id", "provider_id"), "organizations") | {"family_id": "records"}
_TIMED = {"capture_id": "captures", "run_id": "runs"}  # rows that are named for their times
_SAFE = re.compile(r"(?:https?://[^/]|mailto:|tel:)[^\s\x00-\x20\x7f\"'<>`\\]*", re.IGNORECASE)  # links that are shown as links
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")  # day, time and zone


def safe_href(address: str | None) -> str | None:
    """Returns the address if it is http, https, mailto or tel and a browser can't interpret it otherwise; else None."""
    with suppress(ValueError):
        return address if address and _SAFE.fullmatch(address) and urlsplit(address) else None
    return None


def moment(text: str | None) -> str:
    """Formats a time for display: to the minute, with its zone if it has one. Any other text is returned unchanged."""
    found = _TIME.fullmatch(text or "")
    if not found:
        return text or ""
    day, clock, zone = found.groups()
    return f"{day} {clock} {'UTC' if zone == 'Z' else zone or ''}".rstrip()


def list_values(text: str | None) -> list[str] | None:
    """Returns the values of a JSON array of texts; None if the text is not one."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return [str(one) for one in found] if isinstance(found, list) else None


def render_value(value: Any, column: str, table: str | None, urls: Any) -> Markup | None:
    """Returns a value as a table shows it; None if Datasette's default is right. `urls`: Datasette's URL builder."""
    if isinstance(value, dict) and column in _TIMED:
        text = moment(value["label"]) if value["label"] not in (None, "None") else "time not known"
        return Markup('<a href="{}">{}</a>').format(urls.row(DATABASE, _TIMED[column], value["value"]), text)
    info = columns_in(table).get(column)
    if info and info.type is bool and value in (0, 1):
        return Markup("Yes") if value else Markup("No")
    if not isinstance(value, str):
        return None
    if info and info.unit and info.unit.startswith("ISO"):
        return Markup.escape(moment(value))
    if table == "records" and column in LIST_COLUMNS and (values := list_values(value)):
        item = Markup('<li><a href="{}?{}">{}</a></li>')
        table_url = urls.table(DATABASE, "records")
        found = (item.format(table_url, urlencode({f"{column}__arraycontains": one}), one) for one in values)
        return Markup('<ul class="values">{}</ul>').format(Markup("").join(found))
    if table in _PARTS and column in _PARTS[table]:  # Datasette links a table's foreign keys, and a view has none
        return Markup('<a href="{}">{}</a>').format(urls.row(DATABASE, _PARTS[table][column], tilde_encode(value)), value)
    if column == "href" and (address := safe_href(value)):
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(address, value)
    return None
