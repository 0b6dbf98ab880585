"""The two text forms (DOMAIN.md, "The two forms"), with the truth that is left in them.

The first is made by really running the extractor Resiliparse over a Bootstrap 3 page; which labels and values survive
is then read off its output, which is possible as the truth is known. The second keeps prose only.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from resiliparse.extract.html2text import extract_plain_text

from tests.pagegen.content import Content, Field, Group, Section, block_lines, blocks_text
from tests.pagegen.derive import column_values, field_truth, page_truth
from tests.pagegen.options import PLAIN, Options
from tests.pagegen.render import html_of
from tests.pagegen.truth import FieldTruth, Page, PageTruth, SectionTruth

# The sample has this line; Resiliparse 2.0 takes it for navigation, the release that made the sample did not.
SKIP_LINK = "Skip to main content\n\n"
SHORTEST_PROSE = 40
BULLET = re.compile(r"^(?:[•◦▪*o-]|\d+\.)$")


def words_of(text: str) -> list[str]:
    """The words of a text without bullets and list numbers, which extractors add and themes draw."""
    return [word for word in text.split() if not BULLET.match(word)]


class Lines:
    """A text's filled lines, read from the front by somebody who knows what should come."""

    def __init__(self, text: str) -> None:
        self.lines = [line.strip() for line in text.split("\n") if line.strip()]
        self.at = 0

    def skip_to(self, wanted: str) -> None:
        """Goes behind the next line that says exactly this. Raises ValueError where there is none."""
        self.at = self.lines.index(wanted, self.at) + 1

    def take(self, wanted: str) -> bool:
        """Goes behind the next lines if they say exactly these words; otherwise stays."""
        words, at = words_of(wanted), self.at
        while words and at < len(self.lines):
            found = words_of(self.lines[at])
            if found != words[: len(found)]:
                return False
            words, at = words[len(found) :], at + 1
        if words or at == self.at:
            return False
        self.at = at
        return True


def extracted_text(content: Content, options: Options = PLAIN) -> str:
    """The first text form of a record."""
    return SKIP_LINK + extract_plain_text(html_of(content, "bootstrap3", options), main_content=True)


def _url(content: Content) -> str:
    return f"https://{content.host}{content.path(alias=False)}"


def extracted_page(content: Content, options: Options = PLAIN) -> Page:
    text = extracted_text(content, options)
    return Page(
        data=text.encode(),
        url=_url(content),
        content_type="text/plain",
        truth=_extracted_truth(content, text, options),
        text_form=True,
    )


def _extracted_truth(content: Content, text: str, options: Options) -> PageTruth:
    """What the text still says: goes through record and text side by side."""
    lines = Lines(text)
    lines.skip_to(f"Submitted by {content.author} on" if content.author else "Questions?")
    if not lines.take(blocks_text(content.body)):
        raise ValueError(f"The extractor changed the body of node {content.node_id}; its truth is not known.")
    section: str | None = None
    fields: list[FieldTruth] = []
    sections: list[SectionTruth] = []
    columns: dict[str, Any] = {}
    for entry in content.entries:
        match entry:
            case Section(spec=spec, blocks=blocks) if lines.take(spec.label):
                section = spec.label
                lines.take(blocks_text(blocks))
                sections.append(SectionTruth(spec.label, blocks_text(blocks)))
            case Group(spec=spec, items=items):
                lines.take(spec.label)
                for number, item in enumerate(items, start=1):
                    fields += [f for each in item for f in _field(lines, each, section, f"{spec.label} {number}")]
            case Field():
                found = _field(lines, entry, section, None)
                fields += found
                if any(field.state == "value" for field in found):
                    columns = {**column_values(entry, options), **columns}
    return _text_truth(content, fields, sections, columns)


def _field(lines: Lines, entry: Field, section: str | None, item: str | None) -> list[FieldTruth]:
    """The field's truth; nothing where its label is gone too, which then says nothing about the record."""
    if not lines.take(entry.spec.label):
        return []
    captured = tuple(value for value in entry.values if lines.take(value.shown))
    lines.take("-")  # what is left of a range without its times
    truth = field_truth(
        Field(entry.spec, captured),
        label=entry.spec.label,
        name=None,
        section=section,
        item=item,
        host="",
        options=PLAIN,
    )
    bare = tuple(None for _ in captured)
    return [replace(truth, hrefs=bare, datetimes=bare, state="value" if captured else "not_captured")]


def _text_truth(
    content: Content, fields: list[FieldTruth], sections: list[SectionTruth], columns: dict[str, Any]
) -> PageTruth:
    html = page_truth(content, "bootstrap3", PLAIN)
    own = {key: html.columns[key] for key in ("title", "reference", "submitted_by")}
    milestones = tuple(_rows(fields, "Milestone"))
    return replace(
        html,
        node_id=None,
        submitted_at=None,
        fields=tuple(fields),
        sections=tuple(sections),
        milestones=milestones,
        metrics=tuple(_rows(fields, "Performance Metrics")),
        columns={**own, **columns},
        whole=False,
    )


def _rows(fields: list[FieldTruth], group: str) -> list[dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for field in fields:
        if field.item and field.label and field.item.rsplit(" ", 1)[0] == group:
            rows.setdefault(field.item, {})[field.label] = "; ".join(field.values)
    return list(rows.values())


def prose_page(content: Content) -> Page:
    """The second text form: no labels, headings, short answers; one paragraph a line."""
    body = prose_lines(content)
    told = [line for entry in content.entries if isinstance(entry, Section) for line in _prose(entry.blocks)]
    truth = PageTruth(
        title=None,
        reference=None,
        node_id=None,
        submitted_by=None,
        submitted_at=None,
        description="\n".join(body),
        whole=False,
    )
    data = "\n".join((*body, *told)).encode()
    return Page(data=data, url=_url(content), content_type="text/plain", truth=truth, text_form=True)


def prose_lines(content: Content) -> list[str]:
    return _prose(content.body)


def _prose(blocks: tuple[Any, ...]) -> list[str]:
    lines = [" ".join(block_lines(block)) if not hasattr(block, "items") else "" for block in blocks]
    listed = [line for block in blocks if hasattr(block, "items") for line in block_lines(block)]
    return [line for line in (*lines, *listed) if len(line) >= SHORTEST_PROSE and not line.endswith(":")]
