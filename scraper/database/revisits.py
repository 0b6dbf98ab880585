"""Finds the capture whose body a revisit record repeats. Recomputed over the whole catalog, in any order of arrival."""

import hashlib
import sqlite3
import tomllib
from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path

from parsers.urls import node_id
from scraper.archive.store import Entry
from scraper.database.assign_records import TIME_ORDER

MAX_CHAIN = 10
"""Revisits of revisits that are followed; archives write none, so a longer chain is damaged or malicious."""
NOT_MODIFIED = "server-not-modified"
"""End of a revisit's profile if the server sent no body because nothing had changed (WARC 1.1, section 6.7)."""
_EMPTY_DIGESTS = {
    text.lower()
    for digest in (hashlib.new(name, b"", usedforsecurity=False).digest() for name in ("md5", "sha1", "sha256", "sha512"))
    for text in (digest.hex(), b32encode(digest).decode().rstrip("="))
}
"""All empty bodies have these digests, so they identify no capture."""
_TAKEN = "sha256, form, reference, node_id, shape, flags"  # columns that a revisit takes from its original
_SQL: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_SQL["entries"] = _SQL["entries"].format(names=", ".join(f"one.{name}" for name in Entry.__dataclass_fields__))
_PARTS = {"by_time": TIME_ORDER, "by_time_of_join": TIME_ORDER.replace("captured_at", "at"), "taken": _TAKEN, "most": MAX_CHAIN}
_SQL = {name: text.format(**_SQL, **_PARTS) for name, text in _SQL.items()}


def resolve(db: sqlite3.Connection) -> None:
    """Sets `captures.original_id` of every revisit record and what follows from it; adds changed ones to `temp.touched`.

    A revisit gets its original's body digest, form and reference, and its node number if its own address contains none.
    """
    for row in db.execute(f"{_SQL['entries']} WHERE warc_type = 'revisit'"):  # of the catalog, which does not change meanwhile
        revisit = Entry(*row)
        found, own_node = _find_original(db, revisit, {revisit.capture_id}), node_id(revisit.url)
        original, *taken = found or (None,) * (1 + len(_TAKEN.split(",")))
        values = (original, *taken[:3], taken[3] if own_node is None else own_node, *taken[4:])
        held = db.execute(_SQL["held"], [revisit.capture_id]).fetchone()
        if held is not None and held != values:
            db.execute(_SQL["update"], (*values, revisit.capture_id))
            db.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", [revisit.capture_id])


def _find_original(db: sqlite3.Connection, revisit: Entry, chain: set[str]) -> tuple[str | None, ...] | None:
    """Returns id and _TAKEN of the capture with a revisit's body, found directly or by other revisits; None if there is none."""
    if len(chain) > MAX_CHAIN:
        return None
    for found in _candidates(db, revisit):
        if found.warc_type != "revisit":
            if row := db.execute(_SQL["loaded"], [found.capture_id]).fetchone():
                return tuple(row)
        elif found.capture_id not in chain and (further := _find_original(db, found, chain | {found.capture_id})) is not None:
            return further
    return None


def _candidates(db: sqlite3.Connection, revisit: Entry) -> Iterator[Entry]:
    """Yields captures that the revisit may repeat, the most certain first:

    the record that it names, the address and time that it names, the last capture of its address before it if the server sent no
    body, and a capture with the same digest.
    """
    one = revisit
    is_not_modified = one.captured_at and (one.revisit_profile or "").rstrip("/").endswith(NOT_MODIFIED)
    digest = (one.payload_digest or "").rpartition(":")[2].lower().rstrip("=")
    place = [one.original_url or one.url, one.original_captured_at, one.capture_id, one.payload_digest]
    for query, parameters, applies in (
        ("by_record_id", [one.original_record_id, one.capture_id], one.original_record_id),
        ("by_place", place, one.original_captured_at),
        ("by_address", [one.captured_at, one.capture_id], is_not_modified),
        ("by_digest", [one.payload_digest, one.url], one.payload_digest and digest not in _EMPTY_DIGESTS),
    ):
        if applies:
            yield from (Entry(*row) for row in db.execute(_SQL[query], parameters).fetchall())
