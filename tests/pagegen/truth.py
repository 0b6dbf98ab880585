"""What the database must contain for a made-up page, in the terms of DESIGN.md's contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["value", "empty", "not_captured"]


@dataclass(frozen=True, kw_only=True)
class FieldTruth:
    """One data field. Each tuple has an entry per value; a field without values has none, and a row with a NULL value.

    `certain` is False where a page's form leaves open where the field begins and ends: groups printed as plain lines;
    in a text, unlisted labels and what precedes them. Then its words must be in the database, and no more is
    promised.
    """

    label: str | None
    name: str | None
    section: str | None
    item: str | None = None
    values: tuple[str, ...] = ()
    hrefs: tuple[str | None, ...] = ()
    datetimes: tuple[str | None, ...] = ()
    state: State = "value"
    certain: bool = True


@dataclass(frozen=True)
class SectionTruth:
    """One instruction field. Where it is not `certain`, its text may run on into what follows."""

    label: str
    text: str
    certain: bool = True


@dataclass(frozen=True, kw_only=True)
class PageTruth:
    """One page's truth. `columns` has the columns of `records` that this page decides, and no others.

    `description` is None where the page carries none.
    """

    title: str | None
    submitted_by: str | None
    description: str | None
    description_certain: bool = True
    fields: tuple[FieldTruth, ...] = ()
    sections: tuple[SectionTruth, ...] = ()
    columns: dict[str, Any] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """Bytes as a server or archive would give them, and what is true of them. `truth` is None for what is no record."""

    data: bytes
    url: str
    content_type: str
    status: int = 200
    truth: PageTruth | None = None
    text_form: bool = False
