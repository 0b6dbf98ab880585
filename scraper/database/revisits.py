"""Finds the capture whose body a revisit record repeats. Recomputed over the whole catalog, in any order of arrival."""

import hashlib
import sqlite3
from base64 import b32encode
from collections.abc import Iterator

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
_SELECT = f"SELECT {', '.join(f'one.{name}' for name in Entry.__dataclass_fields__)} FROM archive.captures one"
_BEST = "one.intact DESC, one.warc_type = 'revisit'"  # intact captures first, revisits last
_BY_RECORD_ID = f"{_SELECT} WHERE warc_record_id = ? AND capture_id != ? ORDER BY {_BEST}, capture_id"
_BY_PLACE = (
    f"{_SELECT} WHERE url = ? AND captured_at = ? AND capture_id != ? ORDER BY {_BEST}, payload_digest IS NOT ?, capture_id"
)
_BY_ADDRESS = f"""
    {_SELECT} JOIN (
        SELECT capture_id AS id, captured_at AS at FROM main.captures WHERE coalesce(http_status, 200) IN (200, 304)
        AND {TIME_ORDER} < rtrim(?, 'Z') AND address = (SELECT address FROM main.captures WHERE capture_id = ?)
    ) ON id = one.capture_id ORDER BY {TIME_ORDER.replace("captured_at", "at")} DESC, {_BEST}, id LIMIT {MAX_CHAIN}
"""
_BY_DIGEST = (
    f"{_SELECT} WHERE payload_digest = ? AND warc_type != 'revisit' "
    f"ORDER BY one.intact DESC, url IS NOT ?, captured_at IS NULL, {TIME_ORDER}, capture_id LIMIT 1"
)
_TAKEN = "sha256, form, reference, node_id, shape, flags"  # columns that a revisit takes from its original
_LOADED = f"SELECT capture_id, {_TAKEN} FROM captures WHERE capture_id = ?"


def resolve(db: sqlite3.Connection) -> None:
    """Sets `captures.original_id` of every revisit record and what follows from it; adds changed ones to `temp.touched`.

    A revisit gets its original's body digest, form and reference, and its node number if its own address contains none.
    """
    for row in db.execute(f"{_SELECT} WHERE warc_type = 'revisit'"):  # of the catalog, which does not change meanwhile
        revisit = Entry(*row)
        found, own_node = _find_original(db, revisit, {revisit.capture_id}), node_id(revisit.url)
        original, *taken = found or (None,) * (1 + len(_TAKEN.split(",")))
        values = (original, *taken[:3], taken[3] if own_node is None else own_node, *taken[4:])
        held = db.execute(f"SELECT original_id, {_TAKEN} FROM captures WHERE capture_id = ?", [revisit.capture_id]).fetchone()
        if held is not None and held != values:
            db.execute(
                f"UPDATE captures SET (original_id, {_TAKEN}) = (?, ?, ?, ?, ?, ?, ?) WHERE capture_id = ?",
                (*values, revisit.capture_id),
            )
            db.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", [revisit.capture_id])


def _find_original(db: sqlite3.Connection, revisit: Entry, chain: set[str]) -> tuple[str | None, ...] | None:
    """Returns id and _TAKEN of the capture with a revisit's body, found directly or by other revisits; None if there is none."""
    if len(chain) > MAX_CHAIN:
        return None
    for found in _candidates(db, revisit):
        if found.warc_type != "revisit":
            if row := db.execute(_LOADED, [found.capture_id]).fetchone():
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
        (_BY_RECORD_ID, [one.original_record_id, one.capture_id], one.original_record_id),
        (_BY_PLACE, place, one.original_captured_at),
        (_BY_ADDRESS, [one.captured_at, one.capture_id], is_not_modified),
        (_BY_DIGEST, [one.payload_digest, one.url], one.payload_digest and digest not in _EMPTY_DIGESTS),
    ):
        if applies:
            yield from (Entry(*row) for row in db.execute(query, parameters).fetchall())
