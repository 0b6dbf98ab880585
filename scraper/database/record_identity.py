"""Decides which record a capture without a node number belongs to. Pure, and independent of the order of the captures.

DESIGN.md, "Identity": the node number is the record; without one, the record with the same reference or the same address.
"""

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

    The two functions return the lowest node number among the captures with that reference or that address. Pairs that share a
    reference or an address, directly or through others, are one record: a pair without a node of its own has their lowest one.
    Without any node they are named after their lowest reference, or else address.
    """
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(key: tuple[int, str]) -> tuple[int, str]:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = parent[above]
            key = above
        return key

    keys = {marks: [(kind, mark) for kind, mark in enumerate(marks) if mark is not None] for marks in captures}
    own: dict[Marks, int | None] = {}
    for marks, some in keys.items():
        parent[root(some[0])] = root(some[-1])
        node = node_of_reference(marks.reference) if marks.reference else None
        own[marks] = node_of_address(marks.address) if node is None and marks.address else node
    groups: dict[tuple[int, str], list[Marks]] = {}
    for marks, some in keys.items():
        groups.setdefault(root(some[0]), []).append(marks)
    result: dict[Marks, str] = {}
    for members in groups.values():
        lowest = min((node for one in members if (node := own[one]) is not None), default=None)
        names = (one.reference or address_id(one.address or "") for one in members)
        name = min(names, key=lambda one: (one.startswith("url:"), one)) if lowest is None else str(lowest)
        result |= {one: name if own[one] is None else str(own[one]) for one in members}
    return result


def address_id(plain: str) -> str:
    """The `record_id` of a record that only its address identifies."""
    return "url:" + hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:16]
