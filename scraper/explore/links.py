"""Values of pages in HTML: lists as links to rows like them, and addresses as links only where following one can do no harm."""

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from datasette.utils import tilde_encode
from markupsafe import Markup

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, TABLES, RecordRow

NOT_KNOWN = "not known"
"""What pages show for a missing value; as a filter's value: the rows without one."""
LISTS = frozenset(name for name, info in columns_of(RecordRow).items() if info.type == list[str])
"""Columns of `records` that hold a JSON array."""
_PARTS = {table.name: dict(table.links) for table in TABLES if table.shared}
_PARTS["records"] = dict.fromkeys(("agency_id", "provider_id"), "organizations") | {"family_id": "records"}
_SAFE = re.compile(r"(?:https?://[^/]|mailto:|tel:)[^\s\x00-\x20\x7f\"'<>`\\]*", re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
DATABASE = "tta"
WAYBACK = "https://web.archive.org/web"


def safe_href(address: str | None) -> str | None:
    """The address, if it is http, https, mailto or tel and holds nothing that a browser might read in another way; else None."""
    if not address or not _SAFE.fullmatch(address):
        return None
    try:
        urlsplit(address)
    except ValueError:
        return None
    return address


def link(address: str, text: str) -> Markup:
    """A link to another site, which learns nothing of where it was followed from."""
    return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(address, text)


def replay_url(source: str | None, captured_at: str | None, url: str | None) -> str | None:
    """Where the capture can be looked at: in the Wayback Machine, where it came from there and its time is known."""
    if source != "wayback" or not captured_at or not safe_href(url):
        return None
    return f"{WAYBACK}/{re.sub(r'[^0-9]', '', captured_at)[:14]}/{url}"


def moment(text: str | None) -> str:
    """A time as people read it: to the minute, with its zone where it has one. Whatever else the text is, it stays."""
    found = _TIME.fullmatch(text or "")
    if not found:
        return text or ""
    day, clock, zone = found.groups()
    return f"{day} {clock} {'UTC' if zone == 'Z' else zone or ''}".rstrip()


def values_of(text: str | None) -> list[str] | None:
    """The values of a JSON array of texts; None where the text is none."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return [str(one) for one in found] if isinstance(found, list) else None


def list_cell(column: str, text: str, table_url: str) -> Markup | None:
    """A JSON array as a list, each value linked to the records that have it too."""
    values = values_of(text)
    if not values:
        return None
    items = Markup("").join(
        Markup('<li><a href="{}?{}">{}</a></li>').format(table_url, urlencode({f"{column}__arraycontains": value}), value)
        for value in values
    )
    return Markup('<ul class="values">{}</ul>').format(items)


def render_value(value: Any, column: str, table: str | None, urls: Any) -> Markup | None:
    """How a table shows a value; None where Datasette's own way is right. `urls` are Datasette's."""
    if column == "capture_id" and isinstance(value, dict) and value["label"] in (None, "None"):
        return Markup('<a href="{}">time not known</a>').format(urls.row(DATABASE, "captures", value["value"]))
    info = columns_of(BY_NAME[table].model if table in BY_NAME else RecordRow).get(column)
    if info and info.type is bool and value in (0, 1):
        return Markup("Yes") if value else Markup("No")
    if not isinstance(value, str):
        return None
    if info and info.unit and info.unit.startswith("ISO"):
        return Markup.escape(moment(value))
    if table == "records" and column in LISTS:
        return list_cell(column, value, urls.table(DATABASE, "records"))
    if table in _PARTS and column in _PARTS[table]:  # Datasette links a table's references, and a view has none
        return Markup('<a href="{}">{}</a>').format(urls.row(DATABASE, _PARTS[table][column], tilde_encode(value)), value)
    if column == "href" and (address := safe_href(value)):
        return link(address, value)
    return None
