"""The content of a page, compared with what the reader made of the text that an extractor left of it.

An extractor drops what it likes. So only what the text still contains counts, and it must be read as what it is; what is read
without being on the page counts always.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from parsers.record import Record
from tests.pagegen.content import Content
from tests.pagegen.derive import page_truth
from tests.pagegen.options import PLAIN, Options, Theme

_LINK_TARGET = re.compile(
    r"\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\]\[\d+\]|\[\d{1,4}\]|</?[a-z][^<>\n]*>|\{[.#:][^{}]*\}|[\\>]"
)
_NUMBER = re.compile(r"(?m)^\s*\d{1,2}\.\s+")
_YES_NO = ("Yes", "No", "On", "Off")
INSTRUCTIONS = ("Please check the box next to", "Milestones are an element")
MANY_LABELS = 5
"""Labels that a text must have, if it has no instructions, to be expected to be read as a record."""
_NAMES = ("TTA Point of Contact", "BJA Grant Manager", "Contact Name", "Primary Recipient Contact Name")


def packed(text: str) -> str:
    """Letters and digits only, without the numbers of lists: what no extractor changes."""
    return "".join(char for char in _NUMBER.sub("", text).casefold() if char.isalnum())


@dataclass(frozen=True)
class Told:
    """The content of a page. `fields`: label and values, without those of groups; `inner`: all other labels on the page."""

    title: str
    authors: tuple[str, ...]
    body: str
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    inner: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()


@dataclass
class Tally:
    """Counts of what a text contains and what of it was read rightly, by subject; and what was read wrongly."""

    contained: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def check(self, subject: str, is_right: bool, told: object, read: object) -> None:
        self.contained[subject] += 1
        self.right[subject] += is_right
        if not is_right:
            self.faults.append(f"{subject}: {read!r} in place of {told!r}"[:300])


def compare(told: Told, text: str, record: Record | None, tally: Tally) -> None:
    """Adds one text to the tally."""
    flat = packed(_LINK_TARGET.sub("", text))
    filled = [(label, values) for label, values in told.fields if values]
    has_labels = sum(packed(label) in flat for label, _ in told.fields) >= MANY_LABELS
    if not has_labels and not any(packed(start) in flat for start in INSTRUCTIONS):
        return
    tally.check("record", record is not None, told.title, None)
    if record is None:
        return
    title, body = packed(told.title), packed(told.body)
    if title and 0 <= flat.find(title) < flat.find(body[:100]):
        tally.check("title", packed(record.title or "") == title, told.title, record.title)
    if any(f"by{packed(author)}" in flat for author in told.authors if author):
        names = [packed(author) for author in told.authors]
        tally.check("author", packed(record.submitted_by or "") in names, told.authors, record.submitted_by)
    if body and body in flat:
        tally.check("body", packed(record.description or "") == body, told.body, record.description)
    rows: dict[str, list[str]] = {}
    for row in record.fields:
        if row.label and row.item is None:
            rows.setdefault(packed(row.label), []).extend([row.value] if row.value else [])
    for label, values in filled:
        printed = packed(label) + packed("".join(values))
        if flat.count(printed) <= body.count(printed):
            continue
        read = rows.get(packed(label), [])
        subject = "yes/no" if values[0] in _YES_NO else "name" if label in _NAMES else "other value"
        subject = {"County": "county", "Event Location Geo": "point"}.get(label, subject)
        tally.check(subject, [packed(one) for one in read] == [packed(one) for one in values], (label, values), read)
    _check_rows(told, record, tally)


def _check_rows(told: Told, record: Record, tally: Tally) -> None:
    known: dict[str, set[str]] = {}
    for label, values in told.fields:  # a page may have two fields with one label
        known.setdefault(packed(label), {packed("".join(values))}).update(map(packed, values))
    allowed = {packed(label) for label in (*told.inner, *told.sections)}
    for row in record.fields:
        if row.label is None:
            tally.contained["unlabelled rows"] += row.name != "body"
        elif row.item is None and packed(row.label) in known:
            if row.value and packed(row.value) not in known[packed(row.label)]:
                tally.contained["wrong values"] += 1
                tally.faults.append(f"wrong value: {row.label!r} {row.value!r}"[:300])
        elif packed(row.label) not in allowed:
            tally.contained["invented labels"] += 1
            tally.faults.append(f"invented label: {row.label!r} {row.value!r}"[:300])


def told_of(content: Content, theme: Theme, options: Options = PLAIN) -> Told:
    """From the truth of a made-up page."""
    truth = page_truth(content, theme, options)
    fields = tuple((row.label, row.values) for row in truth.fields if row.label and row.item is None)
    inner = frozenset(label for row in truth.fields if row.item for label in (row.label, row.item.rpartition(" ")[0]) if label)
    sections = frozenset(section.label for section in truth.sections)
    author = (truth.submitted_by,) if truth.submitted_by else ()
    return Told(truth.title or "", author, truth.description or "", fields, inner, sections)


def told_of_drupal(truth: dict[str, Any]) -> Told:
    """From the ground truth of pages that a real Drupal rendered."""
    fields, inner, sections = [], set(), set()
    for one in truth["fields"]:
        if one["type"] == "markup":
            sections.add(one["label"])
        elif one["type"] == "entity_reference_revisions":
            inner |= {one["label"], *(child["label"] for value in one["values"] for child in value["children"])}
        else:
            fields.append((one["label"], tuple(_text(value) for value in one["values"])))
    full = truth["author_full"] or ""
    cut = full if len(full) <= 20 else full[:14] + "…"
    authors = (full, cut, full[:14] + "…") if truth["uid"] else ("Anonymous (not verified)", "Anonymous")
    body = _without_tags(truth["body_html"] or "")
    return Told(truth["title"], authors, body, tuple(fields), frozenset(inner), frozenset(sections))


def _text(value: dict[str, Any]) -> str:
    if "html" in value:
        return _without_tags(value["html"])
    return "\n".join(value["lines"]) if "lines" in value else value.get("text", "")


def _without_tags(html: str) -> str:
    return unescape(re.sub(r"<[^<>]*>", " ", html))
