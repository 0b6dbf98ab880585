"""What the database's tests share: small record pages, archives made of them, and what a database says about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from scraper.archive.store import CATALOG, Archive
from scraper.archive.warc import record_id_of, sha1_digest
from scraper.capture import Capture, Original, WarcType
from scraper.database.connection import reading
from scraper.database.load import LoadOptions, load
from scraper.database.merge import Seen
from scraper.database.same_value import RICHNESS
from scraper.export.run import export
from scraper.export.selection import Selection
from scraper.folders import Folders

START = datetime(2025, 1, 1, 12, tzinfo=UTC)
HOST = "https://bjatta.bja.ojp.gov"
SAMPLE = (Path(__file__).parents[1] / "data/samples/20250129-145639-07.txt").read_text(encoding="utf-8")
"""The one real capture, a text."""
FILLER = {"TTA Source": "TTA Provider", "I Agree": "On", "Archived": "Off"}
"""Fields that every page has, so that a page with one field of interest is plainly a record."""


def day(number: int, hours: int = 0) -> datetime:
    return START + timedelta(days=number, hours=hours)


def html(
    fields: dict[str, str | list[str]],
    *,
    node: int | None = None,
    title: str = "20250129-145639-07",
    body: str = "Help for a county.",
    milestones: Iterable[dict[str, str]] = (),
    submitted: str = "Hope Fiori",
) -> bytes:
    """A record page in Drupal's Bootstrap 3 theme (DOMAIN.md, shape 1)."""
    own = f' data-history-node-id="{node}"' if node else ""
    rows = "".join(_field(label, value) for label, value in (FILLER | fields).items())
    groups = "".join(_milestone(one) for one in milestones)
    if groups:
        rows += '<div class="field field--name-field-milestone field--label-above"><div class="field--label">Milestone</div>'
        rows += f'<div class="field--items">{groups}</div></div>'
    return (
        f"<!DOCTYPE html><html><head><title>{escape(title)} | BJA</title></head><body>"
        f'<h1 class="page-header"><span>{escape(title)}</span></h1>'
        f'<article{own} role="article" class="tta is-promoted full clearfix"><footer><div class="author">Submitted by '
        f"<span><span>{escape(submitted)}</span></span></div></footer>"
        f'<div class="content"><div class="field field--name-body field--type-text-with-summary field--label-hidden field--item">'
        f"<p>{escape(body)}</p></div>{rows}</div></article></body></html>"
    ).encode()


def _name(label: str) -> str:
    return "field-" + "-".join("".join(char if char.isalnum() else " " for char in label.lower()).split())[:26]


def _field(label: str, value: str | list[str]) -> str:
    values = value if isinstance(value, list) else [value]
    items = "".join(f'<div class="field--item">{escape(one)}</div>' for one in values)
    if len(values) > 1:
        items = f'<div class="field--items">{items}</div>'
    return (
        f'<div class="field field--name-{_name(label)} field--type-string field--label-above">'
        f'<div class="field--label">{escape(label)}</div>{items}</div>'
    )


def _milestone(fields: dict[str, str]) -> str:
    rows = "".join(_field(label, value) for label, value in fields.items())
    return f'<div class="field--item"><div class="paragraph paragraph--type--milestone">{rows}</div></div>'


def page(payload: bytes, *, url: str | None = None, when: datetime | None = None, **more: Any) -> Capture:
    """A capture of a page as a web archive hands it out."""
    values: dict[str, Any] = {
        "warc_type": WarcType.RESPONSE,
        "source": "wayback",
        "payload": payload,
        "url": url,
        "captured_at": when,
        "http_status": 200,
        "http_reason": "OK",
        "http_headers": (("Content-Type", "text/html; charset=utf-8"),),
        "content_type": "text/html; charset=utf-8",
    }
    return Capture(**(values | more))


WHEN = datetime(2025, 1, 31, 12, 0, 5, tzinfo=UTC)
_TWICE = (("Content-Type", "text/html; charset=utf-8"), ("X-Twice", "1"), ("X-Twice", "2"))


def plain_page(number: int = 1, **changes: Any) -> Capture:
    """A capture of a page of that node that is no record, made at WHEN, with a header that was sent twice."""
    body = f"<html>page {number}</html>".encode()
    return page(**({"payload": body, "url": node(number), "when": WHEN, "http_headers": _TWICE} | changes))


def text(payload: str, *, url: str | None = None, when: datetime | None = None) -> Capture:
    """A text capture, as in Common Crawl's WET files."""
    return Capture(
        warc_type=WarcType.CONVERSION,
        source="commoncrawl",
        payload=payload.encode(),
        url=url,
        captured_at=when,
        content_type="text/plain",
    )


def revisit(of: Capture, when: datetime, *, by: str = "record", url: str | None = None) -> Capture:
    """A capture that says "the same as before". `by`: how it names the original: record, place, digest or nothing."""
    originals = {
        "record": Original(warc_record_id=record_id_of(of)),
        "place": Original(url=of.url, captured_at=of.captured_at),
        "digest": Original(),
        "nothing": Original(),
    }
    return Capture(
        warc_type=WarcType.REVISIT,
        source="wayback",
        payload=b"",
        url=url or of.url,
        captured_at=when,
        payload_digest=None if by == "nothing" else sha1_digest(of.payload),
        original=originals[by],
    )


def node(number: int) -> str:
    return f"{HOST}/node/{number}"


def add(folders: Folders, captures: Iterable[Capture]) -> None:
    with Archive(folders.archive, writable=True) as archive:
        for capture in captures:
            archive.add(capture)


def lose_catalog(archive: Path) -> None:
    for path in archive.glob(f"{CATALOG}*"):
        path.unlink()


def loaded(folder: Path, *batches: Iterable[Capture], workers: int | None = None) -> Folders:
    """A data folder whose captures came and were loaded batch by batch."""
    folders = Folders(folder)
    for batch in batches:
        add(folders, batch)
        load(folders, LoadOptions(workers=workers))
    return folders


def query(folders: Folders, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with reading(folders.database) as db:
        return db.execute(sql, parameters).fetchall()


def sql(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements on an SQLite file as it is; returns the rows of the last."""
    with closing(sqlite3.connect(path)) as db, db:
        *_, rows = (db.execute(statement).fetchall() for statement in statements)
        return rows


def one(folders: Folders, sql: str, *parameters: object) -> Any:
    """The only value of the only row."""
    ((value,),) = query(folders, sql, *parameters)
    return value


def exported(form: str, folders: Folders, path: Path, selection: Selection | None = None) -> dict[str, int]:
    with reading(folders.database) as db:
        return export(form, db, path, selection)


def exports(folders: Folders) -> dict[str, bytes]:
    """What the database holds, byte for byte, by file name; the manifests tell of its refreshes as well and are left out."""
    out = folders.data / "out"
    exported("csv", folders, out)
    exported("jsonl", folders, out / "records.jsonl")
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if not path.name.lower().endswith("manifest.json")}


def broken_references(folders: Folders) -> list[Any]:
    return sql(folders.database, "PRAGMA foreign_key_check")


def time_order(one: Seen) -> tuple[str, int, str]:
    """The order in which the load gives captures (`assign_records.BUILD_ORDER`)."""
    return (one.captured_at or "").rstrip("Z"), RICHNESS[one.content.form], one.capture_id
