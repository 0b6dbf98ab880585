"""The content of one made-up record, before a theme prints it: the Drupal node."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.pagegen.catalog import Spec

SITE_ZONE = ZoneInfo("America/New_York")  # the site prints local time; attributes may be UTC


def printed(moment: datetime) -> str:
    """A time as Drupal's medium format prints it: `Wed, 01/29/2025 - 14:56`."""
    return moment.astimezone(SITE_ZONE).strftime("%a, %m/%d/%Y - %H:%M")


@dataclass(frozen=True)
class Value:
    """One value: `path` is where its link leads (site path, `mailto:` or `tel:`), `start` and `end` are its times."""

    text: str = ""
    path: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def shown(self) -> str:
        """The text a reader sees; a range with equal ends prints one time."""
        if self.start is None:
            return self.text
        if self.end is None or self.end == self.start:
            return printed(self.start)
        return f"{printed(self.start)} - {printed(self.end)}"


@dataclass(frozen=True)
class Paragraph:
    """Lines with breaks between them; `quote` puts them into a block quotation."""

    lines: tuple[str, ...]
    quote: bool = False


@dataclass(frozen=True)
class Heading:
    """A line above others, as `<h3>` (`level` 3) or as a bold paragraph (`level` 0)."""

    text: str
    level: int = 0


@dataclass(frozen=True)
class Bullets:
    """List items, each with the items below it."""

    items: tuple[tuple[str, tuple[str, ...]], ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first row being the heads."""

    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Heading | Bullets | Table


@dataclass(frozen=True)
class Field:
    """A data field; without values it is on the page and empty."""

    spec: Spec
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Section:
    """An instruction field: its label opens a section, its text is the instruction."""

    spec: Spec
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Group:
    """A field whose values are groups of fields: milestones, performance metrics."""

    spec: Spec
    items: tuple[tuple[Field, ...], ...] = ()


Entry = Field | Section | Group


@dataclass(frozen=True, kw_only=True)
class Content:
    """One record. `author` is as printed (the site may have cut it); None where the page has no `Submitted by` line."""

    node_id: int
    host: str
    title: str
    author: str | None
    submitted: datetime | None
    body: tuple[Block, ...]
    entries: tuple[Entry, ...]

    @property
    def alias(self) -> str:
        """The path of words that the site gives a node besides its number."""
        return "/tta/" + re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def path(self, *, alias: bool) -> str:
        return self.alias if alias else f"/node/{self.node_id}"

    def fields(self) -> dict[str, Field]:
        """The data fields by label, without those in groups."""
        return {entry.spec.label: entry for entry in self.entries if isinstance(entry, Field)}


def block_lines(block: Block) -> list[str]:
    """The lines a reader sees of a block, without bullets; a table's row is a line per cell."""
    match block:
        case Paragraph(lines=lines):
            return list(lines)
        case Heading(text=text):
            return [text]
        case Bullets(items=items):
            return [line for text, below in items for line in (text, *below)]
        case Table(rows=rows):
            return [cell for row in rows for cell in row]


def blocks_text(blocks: tuple[Block, ...]) -> str:
    """The text of blocks: a line each, a blank line between blocks."""
    return "\n\n".join("\n".join(block_lines(block)) for block in blocks)
