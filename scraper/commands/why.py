"""`tta why`: where a value comes from."""

from collections.abc import Iterator
from dataclasses import asdict

import click

from scraper.commands import json_option, show
from scraper.database.connection import reading
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders
from scraper.provenance import Origin, Reason, Row, Why, find_record, not_loaded
from scraper.terminal import escape

_SNIPPET_LINES = 20
_OVERVIEW: Row = {"record_id": None, "captures": [], "fields": []}
"""Attributes of `Why` that are shown about a record, and what is shown instead if no capture of it is loaded."""


@click.command("why")
@click.argument("record", metavar="RECORD")
@click.argument("field", metavar="[FIELD]", required=False)
@json_option
@click.pass_obj
def why(folders: Folders, record: str, field: str | None, as_json: bool) -> int:
    """Show where a value of a record comes from.

    RECORD is a node number, a reference or a record_id; FIELD a column, a label or a machine name. Without FIELD the record's
    captures and fields are listed, also captures that are not loaded, as after a refused refresh, and how they are read.
    """
    with reading(folders.database) as db:
        waiting = not_loaded(folders.archive, db, record) if field is None else []
        try:
            known = Why(db, folders.archive, find_record(db, record))
        except TtaError:
            if not waiting:
                raise
            known = None
        if known is None or field is None:
            found: Row = {name: getattr(known, name, missing) for name, missing in _OVERVIEW.items()} | {"not_loaded": waiting}
            show(found, _overview_lines(**found), as_json=as_json)
            return ExitStatus.DONE
        reason = known.field(field)
    show(asdict(reason), _reason_lines(reason), as_json=as_json)
    return ExitStatus.PARTLY_DONE if any(origin.fixity is None for origin in reason.origins) else ExitStatus.DONE


def _format_line(name: str, value: object) -> str:
    return f"{name:<12} {escape('-' if value is None else value, 2000)}"


def _format_capture(name: str, capture: Row, *columns: str) -> str:
    return _format_line(name, " ".join(str(capture[column] or "-") for column in ("captured_at", "source", *columns)))


def _overview_lines(record_id: str | None, captures: list[Row], fields: list[Row], not_loaded: list[Row]) -> Iterator[str]:
    yield _format_line("record", record_id)
    for capture in captures:
        yield _format_capture("capture", capture, "kind", "url")
    when = {capture["capture_id"]: capture["captured_at"] for capture in captures}
    for row in fields:
        value = row["value"] if row["state"] == "value" else f"({row['state']})"
        name = ": ".join(filter(None, (row["item"], row["label"] or row["name"] or "(no label)")))
        yield f"{escape(name)} = {escape(value, 100)}   [{when.get(row['capture_id']) or 'time unknown'}]"
    for capture in not_loaded:
        yield _format_capture("not loaded", capture, "kind", "url")
        yield _format_line("", f"capture {capture['capture_id']}" + (f": {capture['reason']}" if capture["reason"] else ""))
        for label, value in capture["fields"]:
            yield "  " + escape(f"{label or '(no label)'} = {value}", 120)


def _reason_lines(reason: Reason) -> Iterator[str]:
    yield _format_line("record", reason.record_id)
    yield _format_line("field", reason.field)
    if reason.made_of:
        yield _format_line("made of", ", ".join(reason.made_of))
    for name, value in reason.columns.items():
        yield _format_line("column", f"{name} = {'NULL' if value is None else value}")
    for row in reason.rows:
        lines = (row.get("value", row.get("text")) or "-").splitlines() or ["-"]
        yield from (_format_line("" if number else "value", line) for number, line in enumerate(lines))
        details = {name: row.get(name) for name in ("state", "label", "name", "section", "item", "href", "datetime")}
        yield _format_line("", ", ".join(f"{name} {value}" for name, value in details.items() if value))
    for change in reason.changes:
        old, new = (escape("(empty)" if change[name] is None else change[name], 200) for name in ("old_value", "new_value"))
        yield _format_line("changed", f"{change['seen_after']} .. {change['seen_by']}: {old} -> {new}")
    if not reason.changes:
        yield _format_line("changed", "no change was seen")
    for origin in reason.origins:
        yield from _origin_lines(origin)
    for capture in reason.agreeing:
        yield _format_capture("agrees", capture, "form", "capture_id")


def _origin_lines(origin: Origin) -> Iterator[str]:
    """Yields lines about a capture that values come from: what it is, then each place in it with its source."""
    capture = origin.capture
    yield _format_line("capture", f"{capture['capture_id']} {capture['kind']}")
    details = {
        "url": capture["url"],
        "time": capture["captured_at"] or "not known",
        "source": capture["source"],
        "status": capture["http_status"],
        "leads to": capture["redirect_to"],
        "archive": f"{capture['warc_file']} at {capture['warc_offset']}",
        "repeats": capture["original_id"] and f"capture {capture['original_id']}",
        "sha256": f"{capture['sha256']} ({origin.fixity or 'not checked'})",
        "replay": origin.replay,
        "place": origin.problem,
    }
    yield from (_format_line(f"  {name}", value) for name, value in details.items() if value)
    shown: str | None = None
    for place in origin.places:
        where = place.place or place.problem or "not known"
        value = f": {escape(place.value, 60)}" if len(origin.places) > 1 and place.value else ""
        yield _format_line("  place", where + value)
        if place.snippet != shown:  # values of one field share its source
            for line in (place.snippet or "").splitlines()[:_SNIPPET_LINES]:
                yield "  | " + escape(line, 500)
        shown = place.snippet
