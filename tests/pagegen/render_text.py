"""The two text forms (DOMAIN.md, "The two forms"), with the truth that is left in them.

The first is made by really running the extractor Resiliparse over a Bootstrap 3 page; which labels and values survive
is then read off its output, which is possible as the truth is known. The second keeps prose only.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from resiliparse.extract.html2text import extract_plain_text

from tests.pagegen.catalog import METRIC_FIELDS, UNKNOWN_FIELDS
from tests.pagegen.content import Content, Field, Group, Section, block_lines, blocks_text
from tests.pagegen.derive import column_values, page_truth
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
        """Moves after the next line with exactly this text. Raises ValueError where there is none."""
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
    """The content that the text still has: goes through record and text side by side."""
    lines = Lines(text)
    lines.skip_to(f"Submitted by {content.author} on" if content.author else "Questions?")
    if not lines.take(blocks_text(content.body)):
        raise ValueError(f"The extractor changed the body of node {content.node_id}; its truth is not known.")
    found = _doubted(_found(lines, content))
    fields = tuple(found_field for found_field, _ in found if isinstance(found_field, FieldTruth))
    html = page_truth(content, "bootstrap3", PLAIN)
    return replace(
        html,
        description_certain=not (fields and _unlisted(fields[0])),
        fields=fields,
        sections=tuple(section for section, _ in found if isinstance(section, SectionTruth)),
        columns={key: html.columns[key] for key in ("title", "reference", "submitted_by")} | _columns(found, options),
    )


# A part of the text, and the record's field behind it where that is one of its own and not of a group.
Found = tuple[FieldTruth | SectionTruth, Field | None]


def _found(lines: Lines, content: Content) -> list[Found]:
    found: list[Found] = []
    section: str | None = None
    for entry in content.entries:
        match entry:
            case Section(spec=spec, blocks=blocks) if lines.take(spec.label):
                section = spec.label
                lines.take(blocks_text(blocks))
                found.append((SectionTruth(spec.label, blocks_text(blocks)), None))
            case Group(spec=spec, items=items):
                lines.take(spec.label)
                for number, item in enumerate(items, start=1):
                    own = (_field(lines, each, section, f"{spec.label} {number}") for each in item)
                    found += [(truth, None) for truths in own for truth in truths]
            case Field():
                found += [(truth, entry) for truth in _field(lines, entry, section, None)]
    return found


def _unlisted(found: FieldTruth | SectionTruth) -> bool:
    return found.label in UNKNOWN_FIELDS or found.label in METRIC_FIELDS


def _doubted(found: list[Found]) -> list[Found]:
    """Nothing in a text distinguishes an unlisted label from a line of the value before it: both are uncertain."""
    following = [truth for truth, _ in found[1:]]
    doubts = [_unlisted(truth) or _unlisted(after) for (truth, _), after in zip(found, following, strict=False)]
    doubts += [_unlisted(truth) for truth, _ in found[-1:]]
    return [(replace(truth, certain=not doubt), entry) for (truth, entry), doubt in zip(found, doubts, strict=True)]


def _columns(found: list[Found], options: Options) -> dict[str, Any]:
    """The columns that certain fields fill, none that an uncertain one might."""
    columns: dict[str, Any] = {}
    open_labels = {truth.label for truth, _ in found if not truth.certain}
    for truth, entry in found:
        if entry and isinstance(truth, FieldTruth) and truth.state == "value" and truth.label not in open_labels:
            columns = {**column_values(entry, options), **columns}
    return columns


def _field(lines: Lines, entry: Field, section: str | None, item: str | None) -> list[FieldTruth]:
    """The field's truth; nothing where its label is gone too, which is then no evidence about the record."""
    if not lines.take(entry.spec.label):
        return []
    captured = tuple(value for value in entry.values if lines.take(value.shown))
    lines.take("-")  # what is left of a range without its times
    bare = tuple(None for _ in captured)
    return [
        FieldTruth(
            label=entry.spec.label,
            name=None,
            section=section,
            item=item,
            values=tuple(value.shown for value in captured),
            hrefs=bare,
            datetimes=bare,
            state="value" if captured else "not_captured",
        )
    ]


def prose_page(content: Content) -> Page:
    """The second text form: no labels, headings, short answers; one paragraph a line."""
    body = prose_lines(content)
    told = [line for entry in content.entries if isinstance(entry, Section) for line in _prose(entry.blocks)]
    truth = PageTruth(
        title=None,
        submitted_by=None,
        description="\n".join(body),
        description_certain=False,
    )
    data = "\n".join((*body, *told)).encode()
    return Page(data=data, url=_url(content), content_type="text/plain", truth=truth, text_form=True)


def prose_lines(content: Content) -> list[str]:
    return _prose(content.body)


def _prose(blocks: tuple[Any, ...]) -> list[str]:
    lines = [" ".join(block_lines(block)) if not hasattr(block, "items") else "" for block in blocks]
    listed = [line for block in blocks if hasattr(block, "items") for line in block_lines(block)]
    return [line for line in (*lines, *listed) if len(line) >= SHORTEST_PROSE and not line.endswith(":")]
