"""Decides which record a capture without a node number belongs to. Pure, and independent of the order of the captures.

DESIGN.md, "Identity": the node number is the record; without one, the record with the same reference or the same address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from parsers.urls import page_address


class Marks(NamedTuple):
    """What identifies a capture without a node number; at least one of the two is not None."""

    reference: str | None
    address: str | None


@lru_cache(maxsize=4096)
def address(url: str | None) -> str | None:
    """What is left of a URL when scheme, `www.`, default port, last slash, fragment and the wrapping of archives are taken off.

    The host is spelled small; path and query stay as they are, for there case and order can tell pages apart.
    """
    if not url:
        return None
    plain = page_address(url)
    try:
        parts = urlsplit(plain)
    except ValueError:
        return plain
    if not parts.netloc:
        return plain
    host = parts.netloc.rpartition("@")[2].lower()
    host = host.removesuffix(":443" if parts.scheme.lower() == "https" else ":80").rstrip(".")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host.removeprefix('www.')}{parts.path.rstrip('/')}{query}"


def group(
    captures: Iterable[Marks],
    node_of_reference: Callable[[str], int | None],
    node_of_address: Callable[[str], int | None],
) -> dict[Marks, str]:
    """The `record_id` for every pair of marks.

    The two functions return the lowest node number among the captures with that reference or that address. A pair without a
    node of its own may have one through other pairs; the reference counts before the address. Pairs without any node are a
    record of their own, named after its lowest reference, or else its address.
    """
    left = sorted(set(captures), key=lambda marks: (marks.reference or "", marks.address or ""))
    result: dict[Marks, str] = {}
    lookups: list[Callable[[str], int | None]] = [node_of_reference, node_of_address]
    while True:
        fresh: dict[Marks, int] = {}
        for marks in left:
            nodes = (look(mark) for look, mark in zip(lookups, marks, strict=True) if mark)
            if (node := next((one for one in nodes if one is not None), None)) is not None:
                fresh[marks] = node
        if not fresh:
            return result | _without_node(left)
        result |= {marks: str(node) for marks, node in fresh.items()}
        left = [marks for marks in left if marks not in fresh]
        lowest: tuple[dict[str | None, int], ...] = ({}, {})
        for marks, node in fresh.items():
            for table, mark in zip(lowest, marks, strict=True):
                table[mark] = min(node, table.get(mark, node))
        lookups = [table.get for table in lowest]


def _without_node(pairs: list[Marks]) -> dict[Marks, str]:
    """Pairs that share a reference or an address, directly or through others, are one record."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(key: tuple[int, str]) -> tuple[int, str]:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = parent[above]
            key = above
        return key

    keys = {marks: [(kind, mark) for kind, mark in enumerate(marks) if mark is not None] for marks in pairs}
    for some in keys.values():
        parent[root(some[0])] = root(some[-1])
    names: dict[tuple[int, str], list[str]] = {}
    for marks, some in keys.items():
        names.setdefault(root(some[0]), []).append(marks.reference or address_id(marks.address or ""))
    lowest = {key: min(some, key=lambda one: (one.startswith("url:"), one)) for key, some in names.items()}
    return {marks: lowest[root(some[0])] for marks, some in keys.items()}


def address_id(plain: str) -> str:
    """The `record_id` of a record that only its address identifies."""
    return "url:" + hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:16]
