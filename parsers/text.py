"""A text capture to a record: what a text extractor left of a page (DOMAIN.md, "The two forms").

The style of the text is determined first. In labelled text, labels stand on lines (or in a single line), and what follows each is
its value; most extractors drop links and dates, so a label without a value means `not_captured`. In prose nothing is a label: the
form's fixed instructions say where a section is, what precedes them is the body, and lines after the milestones' instructions
are milestones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, NamedTuple

from parsers.columns import BODY, field_key, fits, make_record
from parsers.html import evidence
from parsers.kinds import is_other_address, kind_of_page
from parsers.record import Field, Kind, PageHead, ParseResult, Section, State
from parsers.registry import (
    Label,
    Type,
    group_of_member,
    group_table,
    is_evidence,
    is_member_line,
    normal,
    section_of_instruction,
)
from parsers.rows import PageRows
from parsers.scalars import iso_time, money_range, number, reference, time_range, yes_no
from parsers.textlabels import DASHES, Mark, Segment, find_labels, labels_in, segments
from parsers.textlines import Line, read_lines, without_bullet
from parsers.urls import absolute, node_id

_VERB = r"(?:submitted|posted|authored|created|published|written|added)"
_BY = rf"(?:{_VERB}\s+)?"
_BYLINES = (
    re.compile(rf"{_BY}by:?\s+(?P<name>.*?)(?:\s+on\b,?\s*(?P<time>.*)|\s*[,/|–—]\s*(?P<date>.*\d.*))?", re.IGNORECASE),
    re.compile(rf"{_VERB}\s+on:?\s+(?P<time>.*?)\s+by:?\s+(?P<name>.*)", re.IGNORECASE),
)
_MAX_BYLINE = 200
_MAX_NAME_WORDS = 8
_MAX_TITLE = 400
_MAX_LABEL = 80
_MIN_LABEL = 4
_MIN_PROSE = 40
_MAX_QUESTION = 200
_BYLINE_LINES = 5
"""Lines that a byline may be split over."""
_NOTICE = ("attention", "questions?")
NOTICE = "this website is under construction"
_SKIP_LINK = re.compile(r"\W*skip to (?:the )?(?:main )?content\W*", re.IGNORECASE)
_SITE = re.compile(r"\s+[|·»–—-]\s+")
_LABEL_FORM = re.compile(r"[A-Z][\w'’()/&-]*(?: (?:[A-Z0-9(][\w'’()/&-]*|of|and|or|the|for|to|in|on|by|a|an|-|&)){0,8}:?")
_LABEL_NOUN = re.compile(
    r"\b(?:name|number|address|dates?|time|type|title|notes|comments|hours|website|phone|fax|e-?mail|contact|count|amount|url)s?:?$",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+?[\d(][\d ().x-]{6,24}")
_E_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|[^\s@]+@…")
_ADDRESS = re.compile(r"(?:https?|mailto|tel):\S+")
_DATED = re.compile(r"\b(?:dates?|due|deadline|completed)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])[’'”\")]*\s+(?=[A-Z“\"'•\d-])")
Span = tuple[int, int]
_SubField = tuple[Line | None, list[Line]]
_REFERENCES = (Type.REFERENCE, Type.REFERENCES)
_CERTAIN = ("evidence_based", "emerging_need", "recipient_agency_scope", "in_public_catalog", "longitude", "agreed")
"""Fields whose value is never a link, so that a real text capture has it; a list of labels in a blog post does not."""
_MAX_METRIC_LINE = 200
_MANY_LABELS = 6
_LONG_TEXT = "other_program_area"
_NAMES = ("tta short name", "tta title")
_LABELS_AMONG_INSTRUCTIONS = 4
_MIDDLE_OF_PAGE = 16
_NOTICE_LINES = 8
_LINES_ABOVE_BYLINE = 3
_SUBMITTED = re.compile(rf"(?:{_VERB}\s+)?by\b|{_VERB}\s+on\b", re.IGNORECASE)
_EXPLICIT = re.compile(_VERB, re.IGNORECASE)
_OPEN_BYLINE = re.compile(rf"(?:{_VERB}\s+)?by:?(?:\s.*)?", re.IGNORECASE)
_OPEN_NAME = re.compile(rf"(?:{_VERB}\s+)?by:?", re.IGNORECASE)
_SHAPE = re.compile(r"(?:SRID=\d+;\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b.*\(|GEOMETRYCOLLECTION\b", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?%?")
_SYMBOL = re.compile(r"^[*•◦▪·○■+-]\s+(?=\S)")
_INLINE = re.compile(r"([A-Z][^:|\t]{2,60}?)(?::\s+|\s*\|\s*|\t+)(\S.*)")
_CELLS = re.compile(r"\s*\|\s*|\t+|\s{2,}")


@dataclass(slots=True)
class Reading:
    """The verdict, and the first and last source line (from 0) of each field, of each section, and of the head's values."""

    page: ParseResult
    fields: list[Span] = field(default_factory=list)
    sections: list[Span] = field(default_factory=list)
    head: dict[str, Span] = field(default_factory=dict)


def read_text(text: str, *, url: str | None, incomplete: bool) -> Reading:
    """The verdict on a text capture. `incomplete`: the capture is known to be cut."""
    read = read_lines(text)
    lines, marks = find_labels(read)
    style: Literal["text", "prose"] = "text" if _is_labelled(lines, marks) else "prose"
    if style == "prose":
        lines, marks = [piece for line in read for piece in _sentences(line)], []
    sections = [section_of_instruction(line.plain) for line in lines]
    end = marks[0].at if marks else next((index for index, section in enumerate(sections) if section), len(lines))
    found = segments(lines, marks)
    head = _head(lines[:end], {one.filled[0].text for one in found if one.filled and normal(one.mark.label) in _NAMES})
    if head.title is None and marks:
        _find_title_below(head, lines[marks[-1].end :])
    writer = _Writer(_Layout.of(found, is_whole_page=head.is_whole_page), url)
    if marks:
        writer.body(lines[head.end : end], is_fragment=head.title is None and _is_late(marks[0]))
        for segment in found:
            writer.segment(segment, is_last=segment is found[-1])
    else:
        writer.prose(lines[head.end :], sections[head.end :])
    content = writer.content
    if is_other_address(url) or _is_list(lines) or not _is_record(content, head, found):
        named = len({normal(one) for line in lines for one in labels_in(line)})
        page = kind_of_page([line.text for line in lines if line.text][:3], text[:65536], "")
        if page.kind is Kind.OTHER and named >= _MANY_LABELS:
            page = ParseResult(
                kind=Kind.OTHER, reason=f"names {named} labels of a TTA record, but no values can be assigned to them"
            )
        return Reading(page)
    values = PageHead(node_id=node_id(url), title=head.title, submitted_by=head.name, submitted_at=head.time)
    record = make_record(values, content.fields, content.sections, style, incomplete=incomplete)
    odd = tuple(f"{mark.label}: label is printed as {mark.printed!r}" for mark in marks if mark.printed)
    record.flags += odd
    page = ParseResult(kind=Kind.RECORD, reason="its labels are a TTA record's", record=record)
    return Reading(page, writer.field_spans, writer.section_spans, head.spans)


# --- style ------------------------------------------------------------------------------------------------------------


def _is_labelled(lines: list[Line], marks: list[Mark]) -> bool:
    """Whether the text has the page's labels. Prose lacks them all, so one that precedes its own instructions is enough."""
    instructed = {section for line in lines if (section := section_of_instruction(line.plain))}
    labels = {mark.label for mark in marks if mark.entry is None or is_evidence(mark.label)}
    if any(mark.label in instructed for mark in marks):
        return True
    return len(labels) >= (_LABELS_AMONG_INSTRUCTIONS if instructed else 1)


def _is_late(mark: Mark) -> bool:
    """Whether a first label is one from the middle of the page: then what precedes it is no body but the end of a lost field."""
    return mark.entry is None or mark.entry.order >= _MIDDLE_OF_PAGE


def _sentences(line: Line) -> list[Line]:
    """A line cut where one of the form's fixed instructions begins or ends, for a text that has more than one on a line."""
    pieces = _SENTENCE.split(line.text)
    if len(pieces) < 2 or not any(section_of_instruction(piece) for piece in pieces[1:]):
        return [line]
    return [replace(line, text=piece.strip(), glued=number > 0) for number, piece in enumerate(pieces)]


def _is_list(lines: list[Line]) -> bool:
    """Whether the text shows several records, each with its title and who submitted it."""
    references = {line.plain for line in lines if reference(line.plain)}
    bylines = sum(_SUBMITTED.match(line.text) is not None for line in lines)
    short_names = sum(normal(line.text) == "tta short name" for line in lines)
    return len(references) > 1 and (bylines > 1 or short_names > 1)


def _is_record(content: PageRows, head: _Head, found: list[Segment]) -> bool:
    good, bad = evidence(content)
    if reference(head.title):
        return good >= 1 or head.name is not None or head.has_byline or not found
    certain = any(section.text and section_of_instruction(section.text) for section in content.sections)
    certain = certain or any(row.value and field_key(row) in _CERTAIN for row in content.fields)
    return certain and good - 4 * bad >= (3 if found else 1)


# --- the head ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Head:
    """Title and byline. `end`: the line where the body begins; `is_whole_page`: the site's menus precede the title."""

    title: str | None = None
    name: str | None = None
    time: str | None = None
    has_byline: bool = False
    end: int = 0
    is_whole_page: bool = False
    spans: dict[str, Span] = field(default_factory=dict)


class _Byline(NamedTuple):
    at: int
    end: int
    name: str | None
    time: str | None
    is_explicit: bool


def _head(lines: list[Line], names: set[str]) -> _Head:
    """Title and byline among the lines above the fields. `names`: the record's name and title as its fields have them."""
    head = _Head()
    bylines = [byline for index in range(len(lines)) if (byline := _byline(lines, index))]
    title_at, title = _title(lines, [one for one in bylines if one.is_explicit], names)
    if title is not None:
        head.title, head.spans["title"] = title, (lines[title_at].first, lines[title_at].last)
        head.end = title_at + 1
    byline = next((one for one in bylines if one.at >= head.end and _is_near(lines, title_at, one)), None)
    is_document_title = title is not None and not any(line.text for line in lines[:title_at])
    if byline is None and (title is None or is_document_title):
        byline = next((one for one in bylines if one.is_explicit), None)
    if byline is not None:
        head.has_byline, head.name, head.time, head.end = True, byline.name, byline.time, byline.end
        span = lines[byline.at].first, lines[byline.end - 1].last
        head.spans |= {"submitted_by": span, "submitted_at": span}
    above = lines[: byline.at if byline else max(title_at, 0)]
    head.is_whole_page = sum(_is_menu(line.text, title) for line in above) > 1
    first = next((index for index in range(head.end, len(lines)) if lines[index].text), len(lines))
    if title is None and byline is None and first < len(lines) and _SKIP_LINK.fullmatch(lines[first].text):
        head.end = first + 1
    head.end = _after_notice(lines, head.end)
    return head


def _is_menu(text: str, title: str | None) -> bool:
    return bool(text) and text != title and not _SKIP_LINK.fullmatch(text) and not _is_notice(text)


def _after_notice(lines: list[Line], at: int) -> int:
    """The line after the site's notice where that begins within the next lines."""
    near = [index for index in range(at, len(lines)) if lines[index].text][:_NOTICE_LINES]
    last = max((index for index in near if _is_notice(lines[index].text)), default=at - 1)
    return last + 1


def _is_notice(text: str) -> bool:
    return normal(text) in _NOTICE or NOTICE in normal(text)


def _is_near(lines: list[Line], title_at: int, byline: _Byline) -> bool:
    """Whether a byline belongs to the title: little but the site's notice is between them, and a bare "By" follows at once."""
    between = [line for line in lines[title_at + 1 : byline.at] if line.text and not _is_notice(line.text)]
    if not byline.is_explicit:
        return not between
    return len(between) <= _LINES_ABOVE_BYLINE and sum(len(line.text) for line in between) <= _MAX_BYLINE


def _title(lines: list[Line], bylines: list[_Byline], names: set[str]) -> tuple[int, str | None]:
    """The title and its line, by the best evidence there is; (-1, None) where there is none."""
    filled = [index for index, line in enumerate(lines) if line.text and len(line.text) <= _MAX_TITLE]
    if not filled:
        return -1, None
    document, site = [*_SITE.split(lines[filled[0]].text, maxsplit=1), ""][:2]
    repeated = [index for index in filled[1:] if lines[index].plain == document] if site else []
    references = [index for index in filled if reference(lines[index].plain)]
    followed = [index for index in references if any(one.at > index and _is_near(lines, index, one) for one in bylines)]
    headings = [index for index in filled if lines[index].heading == 1]
    notices = [index for index in filled if normal(lines[index].text) == _NOTICE[0]]
    named = [index for index in filled if lines[index].text in names and not (bylines and index > bylines[0].at)]
    above = [before for at in (bylines[0].at if bylines else 0, *notices[:1]) if (before := _above(lines, at)) is not None]
    for candidates in (followed, repeated, [index for index in references if index in headings], references, headings[:1]):
        if candidates:
            return candidates[0], lines[candidates[0]].plain
    if reference(document):
        return filled[0], document
    for candidates in (named[-1:], above, [] if bylines else _below_skip_link(lines, filled)):
        if candidates:
            return candidates[0], lines[candidates[0]].text
    return -1, None


def _find_title_below(head: _Head, lines: list[Line]) -> None:
    """Sets a title that a theme prints below the fields, if one reference is there."""
    found = [line for line in lines if reference(line.plain)]
    if len({line.plain for line in found}) == 1:
        head.title, head.is_whole_page = found[0].plain, True
        head.spans["title"] = found[0].first, found[0].last


def _above(lines: list[Line], at: int) -> int | None:
    """The line above the byline, the site's notice apart; None where that can be no title."""
    index = at - 1
    while index >= 0 and (not lines[index].text or _is_notice(lines[index].text)):
        index -= 1
    can_be = index >= 0 and len(lines[index].text) <= _MAX_TITLE and not _SKIP_LINK.fullmatch(lines[index].text)
    return index if can_be and lines[index].plain == lines[index].text else None


def _below_skip_link(lines: list[Line], filled: list[int]) -> list[int]:
    """The line below the skip link that begins a text, if it stands alone."""
    if len(filled) < 2 or not _SKIP_LINK.fullmatch(lines[filled[0]].text):
        return []
    at, following = filled[1], lines[filled[2]].text if len(filled) > 2 else ""
    alone = at + 1 < len(lines) and not lines[at + 1].text and not lines[at - 1].text
    before_prose = _is_notice(following) or len(following) >= _MIN_PROSE or len(filled) == 2
    return [at] if alone and before_prose and not _is_notice(lines[at].text) else []


def _byline(lines: list[Line], at: int) -> _Byline | None:
    """The byline that begins on a line; it may go over several where each of its parts was an element of its own."""
    text = lines[at].text
    if not _SUBMITTED.match(text) or len(text) > _MAX_BYLINE:
        return None
    parts, end = [text], at + 1
    if _OPEN_BYLINE.fullmatch(text):
        for index in range(at + 1, min(at + 2 * _BYLINE_LINES, len(lines))):
            part = lines[index].text
            if part and not (
                part == "on" or _is_time(part) or (len(parts) == 1 and _OPEN_NAME.fullmatch(text) and _is_name(part))
            ):
                break
            if part:
                parts, end = [*parts, part], index + 1
            if _is_time(part):
                break
    joined = " ".join(" ".join(parts).split())
    for pattern in _BYLINES:
        if found := pattern.fullmatch(joined):
            groups = found.groupdict()
            printed = groups["time"] or groups.get("date") or ""
            name = groups["name"].strip(" ,")
            if printed and iso_time(printed) is None:
                continue
            if len(name.split()) > _MAX_NAME_WORDS or (
                name.endswith((".", ":", ";")) and not re.search(r"(?:\b(?:jr|sr|dr)|\.\.)\.$", name.lower())
            ):
                continue
            explicit = _EXPLICIT.match(joined) is not None
            if explicit or (name and printed):
                return _Byline(at, end, None if name.casefold() in ("", "on") else name, iso_time(printed), explicit)
    return None


def _is_name(text: str) -> bool:
    return len(text.split()) <= _MAX_NAME_WORDS and len(text) <= _MAX_LABEL and text[-1] not in ".:;?!"


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the text is laid out.

    `compact`: no blank line between label and value; `spaced`: a blank line after each paragraph; `links`: references are links;
    `dropped`: references and dates have no values.
    """

    compact: bool
    spaced: bool
    links: bool
    dropped: bool
    is_whole_page: bool

    @classmethod
    def of(cls, found: list[Segment], *, is_whole_page: bool) -> _Layout:
        fields = [one for one in found if one.mark.entry and one.mark.entry.type is not Type.INSTRUCTIONS]
        filled = [one for one in fields if one.filled]
        linked = [one for one in fields if one.mark.entry and one.mark.entry.type in (*_REFERENCES, Type.DATE)]
        sections = [one for one in found if one not in fields and one.filled]
        return cls(
            compact=2 * sum(bool(one.lines[0].text) for one in filled) >= len(filled),
            spaced=bool(sections) and all(not one.text for section in sections for one in section.lines[-1:]),
            links=any(one.filled and one.filled[0].links for one in linked),
            dropped=2 * sum(bool(one.filled) for one in linked) <= len(linked),
            is_whole_page=is_whole_page,
        )


class _Writer:
    """Rows and sections in page order, each with the source lines that it was read from."""

    def __init__(self, layout: _Layout, url: str | None) -> None:
        self.content = PageRows()
        self.field_spans: list[Span] = []
        self.section_spans: list[Span] = []
        self._layout = layout
        self._url = url
        self._section: str | None = None
        self._items_of: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._last_mark: Mark | None = None

    def body(self, lines: list[Line], *, is_fragment: bool) -> None:
        """The body; a label that nobody has listed may be between it and the first known one."""
        at = max((index for index, line in enumerate(lines) if not line.text), default=len(lines)) + 1
        tail = lines[at:]
        is_field = self._layout.compact and self._layout.spaced and len(tail) > 1 and looks_like_label(tail[0].text)
        if not is_field or any(without_bullet(line.text) != line.text for line in tail):
            at = len(lines)
        if is_fragment:
            at = 0
        if _text(lines[:at]):
            self._add(None, lines[:at], name=BODY)
        self._loose(lines[at:])

    def segment(self, segment: Segment, *, is_last: bool) -> None:
        mark, lines = segment.mark, segment.lines
        ends_page = is_last and self._layout.is_whole_page
        if mark.entry is None or mark.entry.type is Type.INSTRUCTIONS:
            self._open(segment, ends_page=ends_page)
        elif mark.entry.type is Type.GROUP:
            self._group(segment)
        else:
            values, rest = self._values(mark.entry, lines)
            for value in values or [[]]:
                self._add(mark.label, value, mark=mark)
            self._loose(rest, only_labels=ends_page)

    def _values(self, entry: Label, lines: list[Line]) -> tuple[list[list[Line]], list[Line]]:
        """A field's values, each as its lines, and the lines after them that are no value of this field."""
        start = next((index for index, line in enumerate(lines) if line.text), len(lines))
        rest = lines[start:]
        if not rest:
            return [], []
        first = rest[0].plain
        match entry.type:
            case Type.YES_NO | Type.NUMBER | Type.DATE:
                return ([rest[:1]], rest[1:]) if fits(entry.type, first) else ([], rest)
            case Type.RANGE:
                return _range(rest)
            case Type.POINT:
                count = next((index for index, line in enumerate(rest) if not _SHAPE.match(line.plain)), len(rest))
                return [[line] for line in rest[:count]], rest[count:]
        end = next((index for index in range(len(rest)) if self._ends_value(entry, rest, index)), len(rest))
        values = [line for line in rest[:end] if line.text]
        if entry.type is Type.TEXT:
            return ([rest[:end]] if values else []), rest[end:]
        return [[part] for line in values for part in _linked_parts(line)], rest[end:]

    def _ends_value(self, entry: Label, lines: list[Line], index: int) -> bool:
        """Whether a line after a label is no more of its value: a label that is not listed, or text of another kind."""
        if not lines[index].text:
            return False
        text = lines[index].text
        if index and lines[index].glued:
            return False
        if _is_e_mail(entry):
            return index > 0 or not _E_MAIL.search(text)
        if index and entry.type is Type.TEXT and _column(entry) != _LONG_TEXT:
            return not (_continues(lines[index - 1].text, text) or text.split()[-1] == lines[0].text.split()[-1])
        if index == 0 and self._layout.dropped:
            if entry.type is Type.MONEY and money_range(text) == (None, None):
                return True
            if entry.type in _REFERENCES and looks_like_label(text) and _LABEL_NOUN.search(text):
                return True
        return self._is_unlisted(lines, index)

    def _is_unlisted(self, lines: list[Line], index: int, *, among_prose: bool = False) -> bool:
        """Whether a line is the label of a field that is not in the registry: by its form, and by what follows it."""
        line = lines[index]
        after = next((one for one in lines[index + 1 :] if one.text), None)
        if after is None or line.links or _is_typed(line.text):
            return False
        if line.text.endswith("?") and len(line.text) <= _MAX_QUESTION:
            return yes_no(after.text) is not None
        if not looks_like_label(line.text):
            return False
        if (_is_typed(after.text) and len(line.text) >= _MIN_LABEL) or (
            _LABEL_NOUN.search(line.text) and not looks_like_label(after.text)
        ):
            return True
        if not among_prose and after.text[-1] in ".!" and not looks_like_label(after.text):
            return True
        if self._layout.links and index and lines[index - 1].links:
            return True
        is_close = index == 0 or bool(lines[index - 1].text)
        return self._layout.compact and is_close and not lines[index + 1].text and not looks_like_label(after.text)

    def prose(self, lines: list[Line], sections: list[str | None]) -> None:
        """Text without labels: fixed instructions open their section, lines before the first one are the body."""
        first = next((index for index, section in enumerate(sections) if section), len(lines))
        if _text(lines[:first]):
            self._add(None, lines[:first], name=BODY)
        last = {section: index for index, section in enumerate(sections) if section}
        index = first
        while index < len(lines):
            section = sections[index]
            if section is None:
                end = next((at for at in range(index, len(lines)) if sections[at]), len(lines))
                if end < len(lines) or not self._layout.is_whole_page:
                    self._unlabelled([line for line in lines[index:end] if line.text])
                index = end
                continue
            end = last[section] + 1 if all(one in (None, section) for one in sections[index : last[section]]) else index + 1
            self._add_section(section, lines[index:end])
            index = end

    def _unlabelled(self, lines: list[Line]) -> None:
        """Lines that belong to no label; after the instructions for milestones each is a milestone."""
        is_milestone = self._section is not None and group_table(self._section.removesuffix(" Markup")) == "milestones"
        for line in lines:
            self._add(None, [line], item=self._next_item("Milestone") if is_milestone else None)

    def _open(self, segment: Segment, *, ends_page: bool) -> None:
        """A section. Its text ends with the form's last instruction, a blank line or an unlisted label, whichever comes last."""
        lines = segment.lines
        start = max((index for index, line in enumerate(lines) if section_of_instruction(line.plain)), default=-1) + 1
        blanks = [index for index, line in enumerate(lines) if not line.text and index >= start]
        if self._layout.compact and any(not line.text for line in lines):
            end = max(blanks, default=start)
            end = start if start and end < start else end
        else:
            end = len(lines)
        at = next(
            (
                index
                for index in range(max(start, 0), len(lines))
                if lines[index].text and (_is_member(lines[index].text) or self._is_unlisted(lines, index))
            ),
            end,
        )
        self._add_section(segment.mark.label, lines[:at], segment.mark)
        self._loose(lines[at:], only_labels=ends_page)

    def _add_section(self, label: str, lines: list[Line], mark: Mark | None = None) -> None:
        self._section = label
        text, sections = _text(lines), self.content.sections
        used = [line for line in (*([mark.line] if mark else []), *lines) if line.text]
        span = used[0].first, used[-1].last
        if sections and sections[-1].label == label:
            sections[-1].text = "\n\n".join(filter(None, (sections[-1].text, text)))
            self.section_spans[-1] = self.section_spans[-1][0], span[1]
            return
        sections.append(Section(position=len(sections) + 1, label=label, text=text or None))
        self.section_spans.append(span)

    def _group(self, segment: Segment) -> None:
        label, lines = segment.mark.label, [line for line in segment.lines if line.text]
        if not lines:
            self._add(label, [], mark=segment.mark)
            return
        table = group_table(label)
        items = _table_items(lines) or self._items(segment.lines, table)
        if not items:
            is_prose = table != "milestones" and any(
                len(line.text) > _MAX_METRIC_LINE or not after.text
                for line, after in pairwise([*segment.lines, segment.lines[-1]])
                if line.text
            )
            items = [[(None, segment.lines)]] if is_prose and len(lines) > 1 else [[(None, [line])] for line in lines]
        for item in items:
            self._add_item(label, item)

    def _add_item(self, group: str, item: list[_SubField]) -> None:
        number = self._next_item(group)
        for label, lines in item:
            text = _text(lines)
            if label is not None and text and _DATED.search(label.text) and not _is_time(text):
                self._add(label.text, [], item=number, line=label)
                lines = lines if looks_like_label(text) else []  # noqa: PLW2901
                continue
            self._add(label.text if label else group, lines, item=number, line=label)

    def _items(self, lines: list[Line], table: str | None) -> list[list[_SubField]]:
        """The items of a group whose fields have labels; the label that came first begins the next item."""
        items: list[list[_SubField]] = []
        first: str | None = None
        open_label = False
        for index, line in enumerate(lines):
            if not line.text and not items:
                continue
            label, value = line, None
            if inline := _INLINE.fullmatch(line.plain):
                label, value = replace(line, text=inline[1]), replace(line, text=inline[2])
            is_again = open_label and bool(items) and items[-1][-1][0] is not None and items[-1][-1][0].text == line.plain
            if (
                line.text
                and not is_again
                and (_is_member(label.text, table) or self._is_unlisted(lines, index, among_prose=True))
            ):
                name = label.text.rstrip(" :*")
                label = replace(label, text=name)
                if first is None:
                    first = name
                if name == first or not items:
                    items.append([])
                items[-1].append((label, [value] if value else []))
                open_label = value is None
            elif not items:
                return []
            else:
                items[-1][-1][1].append(line)
                open_label = open_label and not line.text
        return items

    def _next_item(self, group: str) -> str:
        self._items_of[group] = self._items_of.get(group, 0) + 1
        return f"{group} {self._items_of[group]}"

    def _loose(self, lines: list[Line], *, only_labels: bool = False) -> None:
        """Lines after a complete value: labels that are not in the registry with their values, else text without a label.

        `only_labels`: the fields of a whole page end here, and what has no label is the page's footer.
        """
        index = 0
        while index < len(lines):
            line = lines[index]
            if not line.text:
                index += 1
            elif _is_member(line.text) and (group := group_of_member(line.text)) is not None:
                for item in self._items(lines[index:], group_table(group)):
                    self._add_item(group, item)
                return
            elif self._begins_field(lines, index, is_certain=only_labels):
                first = next((at for at in range(index + 1, len(lines)) if lines[at].text), len(lines))
                end = next((at for at in range(first + 1, len(lines)) if self._is_unlisted(lines, at)), len(lines))
                if first < len(lines) and _is_typed(lines[first].text):
                    values, _ = _range(lines[first:])
                    end = first + (len(values[0]) if values else 1)
                elif self._layout.compact and self._layout.spaced and first == index + 1:
                    end = next((at for at in range(first + 1, end) if not _continues(lines[at - 1].text, lines[at].text)), end)
                value = lines[first:end]
                self._add(line.plain.rstrip(" :*"), [] if _text(value) in DASHES else value, line=line)
                index = end
            elif only_labels:
                return
            else:
                self._add(None, [line])
                index += 1

    def _begins_field(self, lines: list[Line], index: int, *, is_certain: bool = False) -> bool:
        """Whether a line after a complete value is the label of the next field. `is_certain`: what follows must be typed."""
        line = lines[index]
        if not line.text or line.links or _is_typed(line.text) or not (looks_like_label(line.text) or line.text.endswith("?")):
            return False
        after = next((one for one in lines[index + 1 :] if one.text), None)
        if is_certain or after is None:
            return (after is not None and _is_typed(after.text)) or (not is_certain and _LABEL_NOUN.search(line.text) is not None)
        if line.text.endswith("?"):
            return yes_no(after.text) is not None
        if _LABEL_NOUN.search(line.text) and not _LABEL_NOUN.search(after.text):
            return True
        return not looks_like_label(after.text) or _is_typed(after.text) or bool(after.links)

    def _add(
        self,
        label: str | None,
        lines: list[Line],
        *,
        name: str | None = None,
        item: str | None = None,
        mark: Mark | None = None,
        line: Line | None = None,
    ) -> None:
        filled = [one for one in lines if one.text]
        is_range = mark is not None and mark.entry is not None and mark.entry.type is Type.RANGE
        value = " ".join(one.text for one in filled) if is_range else _text(lines)
        link = filled[0].links[0] if len(filled) == 1 and len(filled[0].links) == 1 else None
        if name != BODY and len(filled) == 1:
            value = _SYMBOL.sub("", " ".join(value.split()))
        occurrence = 1
        if label and item is None and not (self.content.fields and self._last_mark is mark and mark is not None):
            occurrence = self._times[label] = self._times.get(label, 0) + 1
        elif label and item is None:
            occurrence = self._times[label]
        self._last_mark = mark
        used = [one for one in (mark.line if mark else line, *filled) if one is not None]
        self.field_spans.append((used[0].first, used[-1].last) if used else (0, 0))
        self.content.fields.append(
            Field(
                position=len(self.content.fields) + 1,
                section=self._section,
                label=label,
                name=name,
                item=item,
                value=value or None,
                state=State.VALUE if value else State.NOT_CAPTURED,
                href=absolute(link.href, self._url) if link is not None and link.href else None,
                occurrence=occurrence,
            )
        )


# --- what a line is ---------------------------------------------------------------------------------------------------


def looks_like_label(line: str) -> bool:
    """Whether a line has the form of a label: a few capitalised words without a sentence's end."""
    return len(line) <= _MAX_LABEL and _LABEL_FORM.fullmatch(line) is not None and yes_no(line) is None


def _is_typed(text: str) -> bool:
    """Whether a text can only be a value: a date, a number, an amount, Yes or No, a point, an address."""
    if len(text) > _MAX_QUESTION:
        return False
    patterns = (_PHONE, _E_MAIL, _ADDRESS, _DECIMAL)
    return (
        text in DASHES
        or yes_no(text) is not None
        or number(text) is not None
        or any(pattern.fullmatch(text) for pattern in patterns)
        or _SHAPE.match(text) is not None
        or (text.startswith("$") and money_range(text) != (None, None))
        or _is_time(text)
    )


def _is_time(text: str) -> bool:
    """Whether a text is a date, a time or a range of these, and nothing more."""
    if not text or len(text) > _MAX_QUESTION or not any(char.isdigit() for char in text):
        return False
    return time_range(text, None) != (None, None)


def _is_member(text: str, table: str | None = None) -> bool:
    return is_member_line(text) and (table is not None or group_of_member(text) is not None)


def _is_e_mail(entry: Label) -> bool:
    return normal(entry.text).endswith("email address")


def _continues(before: str, text: str) -> bool:
    """Whether a line continues the text before it: after a sentence's end, in small letters, or as the item of a list."""
    return text[:1].islower() or before[-1:] in ".,;:!?" or _SYMBOL.match(text) is not None


def _column(entry: Label) -> str | None:
    return entry.columns[0].name if entry.columns else None


def _range(lines: list[Line]) -> tuple[list[list[Line]], list[Line]]:
    """A range of times, which may be over three lines; without its times only the dash is left."""
    filled = [index for index, line in enumerate(lines) if line.text][:3]
    for count in (3, 2, 1):
        if len(filled) >= count:
            end = filled[count - 1] + 1
            text = " ".join(line.text for line in lines[:end] if line.text)
            if _is_time(text) and (
                count == 1 or any(lines[index].text in DASHES for index in filled[:count]) or text.count(" - ") > 0
            ):
                return [lines[:end]], lines[end:]
    return [], lines[1:] if lines and lines[0].text in DASHES else lines


def _linked_parts(line: Line) -> list[Line]:
    """A line of several links with nothing but separators between them is a value for each."""
    if len(line.links) < 2:
        return [line]
    rest = line.text
    for link in line.links:
        rest = rest.replace(link.text, "", 1)
    if rest.strip(" ,;|/&•·\t"):
        return [line]
    return [replace(line, text=link.text, links=(link,)) for link in line.links if link.text]


def _table_items(lines: list[Line]) -> list[list[_SubField]]:
    """The items of a group printed as a table: its first row has the labels."""
    rows = [[cell.strip() for cell in _CELLS.split(line.text.strip("| "))] for line in lines]
    if len(rows) < 2 or len(rows[0]) < 2 or not all(map(is_member_line, rows[0])):
        return []
    labels = [replace(lines[0], text=cell) for cell in rows[0]]
    return [
        [(label, [replace(line, text=cell, links=())]) for label, cell in zip(labels, row, strict=False)]
        for line, row in zip(lines[1:], rows[1:], strict=True)
    ]


def _text(lines: list[Line]) -> str:
    """Lines as text: single blank lines between paragraphs, none around."""
    pieces = "".join(f"{' ' if line.glued and number else chr(10)}{line.text}" for number, line in enumerate(lines))
    return re.sub(r"\n{3,}", "\n\n", pieces).strip()
