"""Pages of one record in the markup of Drupal's themes, for tests of reading."""

from __future__ import annotations

from parsers.page import parse_page
from parsers.record import Record

URL = "https://bjatta.bja.ojp.gov/node/7"
BYLINE = '<div class="author">Submitted by <span>Ann Onym</span> on <time datetime="2024-01-29T14:56:39-05:00">x</time></div>'


def field(label: str, value: str, name: str = "x", kind: str = "string", more: str = "") -> str:
    """A field as Drupal's Bootstrap theme prints it."""
    classes = f"field field--name-field-{name} field--type-{kind} field--label-above{more}"
    return f'<div class="{classes}"><div class="field--label">{label}</div><div class="field--item">{value}</div></div>'


def bare(label: str, *values: str) -> str:
    """A field as Drupal's Stark theme prints it."""
    inside = "".join(f"<div>{value}</div>" for value in values)
    return f"<div><div>{label}</div>{f'<div>{inside}</div>' if len(values) > 1 else inside}</div>"


CLASSED = field("TTA Short Name", "Roundtable", "tta-short-name") + field("County", "Ada County", "county")
BARE = bare("TTA Short Name", "Roundtable") + bare("Target Audience", '<a href="/t/2">Judges</a>') + bare("County", "Ada County")


def page(inside: str, *, head: str = "", root: str = '<article data-history-node-id="7" class="tta full">{}</article>') -> bytes:
    return f"<html><head>{head}</head><body><main><h1>20240129-145639-07</h1>{root.format(inside)}</main></body></html>".encode()


def read(content: bytes, url: str | None = URL) -> Record:
    record = parse_page(content, url=url).record
    assert record is not None
    return record
