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

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


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
    host = host.removesuffix(_DEFAULT_PORTS.get(parts.scheme.lower(), ":80")).rstrip(".")
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
    pairs = sorted(set(captures), key=lambda marks: (marks.reference or "", marks.address or ""))
    nodes = _nodes(pairs, node_of_reference, node_of_address)
    found = {marks: str(node) for marks, node in nodes.items()}
    return found | _without_node([marks for marks in pairs if marks not in nodes])


def _nodes(
    pairs: list[Marks],
    node_of_reference: Callable[[str], int | None],
    node_of_address: Callable[[str], int | None],
) -> dict[Marks, int]:
    nodes: dict[Marks, int] = {}
    for marks in pairs:
        node = node_of_reference(marks.reference) if marks.reference else None
        if node is None and marks.address:
            node = node_of_address(marks.address)
        if node is not None:
            nodes[marks] = node
    fresh = nodes
    open_pairs = [marks for marks in pairs if marks not in nodes]
    while fresh and open_pairs:
        by_reference, by_address = _lowest(fresh)
        fresh = {}
        for marks in open_pairs:
            node = by_reference.get(marks.reference, by_address.get(marks.address))
            if node is not None:
                fresh[marks] = node
        nodes |= fresh
        open_pairs = [marks for marks in open_pairs if marks not in fresh]
    return nodes


def _lowest(nodes: dict[Marks, int]) -> tuple[dict[str | None, int], dict[str | None, int]]:
    """The lowest node number for each reference and for each address."""
    by_reference: dict[str | None, int] = {}
    by_address: dict[str | None, int] = {}
    for marks, node in nodes.items():
        for table, key in ((by_reference, marks.reference), (by_address, marks.address)):
            if key is not None:
                table[key] = min(node, table.get(key, node))
    return by_reference, by_address


def _without_node(pairs: list[Marks]) -> dict[Marks, str]:
    """Pairs that share a reference or an address, directly or through others, are one record."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(key: tuple[str, str]) -> tuple[str, str]:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = parent[above]
            key = above
        return key

    for marks in pairs:
        roots = [root((kind, key)) for kind, key in marks._asdict().items() if key is not None]
        if len(roots) == 2 and roots[0] != roots[1]:
            parent[roots[0]] = roots[1]
    names: dict[tuple[str, str], str] = {}
    for marks in pairs:
        name = marks.reference or address_id(marks.address or "")
        at = root(_first_key(marks))
        held = names.get(at)
        names[at] = name if held is None else min(held, name, key=lambda one: (one.startswith("url:"), one))
    return {marks: names[root(_first_key(marks))] for marks in pairs}


def _first_key(marks: Marks) -> tuple[str, str]:
    return ("reference", marks.reference) if marks.reference is not None else ("address", marks.address or "")


def address_id(plain: str) -> str:
    """The `record_id` of a record that only its address identifies."""
    return "url:" + hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:16]
