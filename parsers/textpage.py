"""A text capture to a record: what a text extractor left of a page (DOMAIN.md, "The two forms").

The extractor drops links and dates, so a label without a value means `not_captured`. A second style of extraction keeps only
prose: there the form's fixed instructions tell where a section is, and nothing else is labelled.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from parsers.columns import BODY, field_key, known_runs
from parsers.html import evidence, make_record
from parsers.kinds import is_other_address, kind_of_page
from parsers.record import Field, Kind, PageHead, ParseResult, Section, State
from parsers.registry import Type, group_table, is_member_line, known, normal, section_of_instruction
from parsers.rows import Content
from parsers.textlines import Segment, segments
from parsers.tree import UNSEEN
from parsers.urls import node_id
from parsers.values import iso_time, reference, yes_no

_SUBMITTED = re.compile(r"Submitted by\s+(.*?)(?:\s+on\b\s*(.*))?", re.IGNORECASE)
_SKIP_LINK = "skip to main content"
_NOTICE, _NOTICE_END = "Attention", "Questions?"
_LINES_ABOVE_BYLINE = 3
_FEW_LINES = 20
_FEW_TOGETHER = 2
_HEAD_LINES = 60
"""Lines within which the title and the line `Submitted by` stand, before the body."""
_MAX_LINE = 200
_MAX_LABEL = 80
_REFERENCES = (Type.REFERENCE, Type.REFERENCES, Type.DATE, Type.MONEY)


def read_text(text: str, *, url: str | None, incomplete: bool) -> ParseResult:
    """The verdict on a text capture. `incomplete`: the capture is known to be cut."""
    lines = _lines(text)
    title_at, title = _title(lines)
    byline_at, name, time = _byline(lines)
    start = _body_start(lines, title_at, byline_at)
    found = segments(lines, start)
    content = _Writer(keeps_references=_keeps_references(found))
    if found:
        content.body(lines[start : found[0].line])
        for segment in found:
            content.segment(segment)
    else:
        content.prose(lines[start:])
    other = is_other_address(url) or _is_list(lines)
    if other or not _is_record(content.content, title, has_byline=byline_at is not None, found=found):
        return kind_of_page([line for line in lines if line][:3], text[:65536], "")
    content.content.runs = known_runs(content.content.fields)
    head = PageHead(node_id=node_id(url), title=title, submitted_by=name, submitted_at=time)
    record = make_record(head, content.content, "text", incomplete=incomplete, url=None)
    return ParseResult(kind=Kind.RECORD, reason="its labels are a TTA record's", record=record)


def _lines(text: str) -> list[str]:
    """The lines, whatever ends them. Where every other one is blank, as some editors save them, those are taken out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(UNSEEN).replace("\xa0", " ")
    lines = [line.strip() for line in plain.split("\n")]
    if len(lines) > _FEW_LINES and not any(lines[1::2]):
        lines = lines[::2]
    together = sum(_labelled_line(line) is not None for line in lines)
    return lines if together < _FEW_TOGETHER else [piece for line in lines for piece in _labelled_line(line) or (line,)]


def _labelled_line(line: str) -> tuple[str, str] | None:
    """Label and value of a line `Label: value`, as some extractors print them where the label is in line."""
    label, colon, value = line.partition("\t" if "\t" in line else ": ")
    entry = known(label) if colon and value.strip() else None
    return (label, value.strip()) if entry is not None and entry.type not in (Type.INSTRUCTIONS, Type.GROUP) else None


def _title(lines: list[str]) -> tuple[int | None, str | None]:
    """The record's reference where a line of the head is one; else the line after the skip link."""
    head = [(index, line) for index, line in enumerate(lines[:_HEAD_LINES]) if line]
    for index, line in head:
        if _SUBMITTED.fullmatch(line):
            break
        if reference(line):
            return index, line
    for position, (_, line) in enumerate(head[:-1]):
        if normal(line) == _SKIP_LINK and head[position + 1][1] != _NOTICE:
            return head[position + 1]
    return (None, None)


def _byline(lines: list[str]) -> tuple[int | None, str | None, str | None]:
    above = [line for line in lines[:_HEAD_LINES] if line]
    after = above.index(_NOTICE_END) + 1 if _NOTICE_END in above else _LINES_ABOVE_BYLINE
    filled = 0
    for index, line in enumerate(lines[:_HEAD_LINES]):
        filled += bool(line)
        found = _SUBMITTED.fullmatch(line)
        if filled > after + 1:
            break  # prose stands before it: a body that quotes such a line
        if found and len(line) <= _MAX_LINE:
            name = found[1].strip()
            return index, None if name in ("", "on") else name, iso_time(found[2])
    return None, None, None


def _body_start(lines: list[str], title_at: int | None, byline_at: int | None) -> int:
    if byline_at is not None:
        return byline_at + 1
    start = title_at + 1 if title_at is not None else 0
    notice = next((index for index in range(start, min(start + 12, len(lines))) if lines[index] == _NOTICE_END), None)
    return notice + 1 if notice is not None else start


def _is_list(lines: list[str]) -> bool:
    """Whether the text shows several records, each with its title and who submitted it."""
    references = {line for line in lines if reference(line)}
    bylines = sum(_SUBMITTED.fullmatch(line) is not None for line in lines)
    short_names = sum(normal(line) == "tta short name" for line in lines)
    return len(references) > 1 and (bylines > 1 or short_names > 1)


def _keeps_references(found: list[Segment]) -> bool:
    """Whether this extractor kept references and dates; most drop them, and then a line after such a label is not its value."""
    linked = [segment for segment in found if segment.entry is not None and segment.entry.type in _REFERENCES]
    return 2 * sum(bool(segment.filled) for segment in linked) > len(linked)


def _is_record(content: Content, title: str | None, *, has_byline: bool, found: list[Segment]) -> bool:
    good, bad = evidence(content)
    if reference(title):
        return good >= 1 or has_byline or not found
    certain = any(section.text and section_of_instruction(section.text) for section in content.sections)
    certain = certain or any(row.value and field_key(row) in _CERTAIN for row in content.fields)
    return certain and good - 4 * bad >= (3 if found else 1)


_CERTAIN = ("evidence_based", "emerging_need", "recipient_agency_scope", "in_public_catalog", "longitude", "agreed")
"""Fields whose value is never a link, so that a real text capture has it; a list of labels in a blog post does not."""


class _Writer:
    """Rows and sections in page order."""

    def __init__(self, *, keeps_references: bool) -> None:
        self.content = Content()
        self._keeps_references = keeps_references
        self._section: str | None = None
        self._items: dict[str, int] = {}

    def body(self, lines: list[str]) -> None:
        """The body; a label that nobody has listed may stand between it and the first known one."""
        lines, fields = split_fields(lines)
        if not fields or not looks_like_label(fields[0]) or len(fields) < 2 or fields[1].startswith(("•", "o ")):
            lines, fields = lines + fields, []
        if text := paragraphs(lines):
            self._add(None, text, name=BODY)
        self._loose(fields)

    def segment(self, segment: Segment) -> None:
        entry = segment.entry
        if entry is None or entry.type is Type.INSTRUCTIONS:
            self._open(segment.label, segment.lines)
        elif entry.type is Type.GROUP:
            self._group(segment)
        elif entry.type is Type.RANGE and segment.filled[:1] in (["-"], ["–"]):
            self._add(segment.label, None)
            self._loose(segment.filled[1:])
        elif entry.type in _REFERENCES and not self._keeps_references:
            self._add(segment.label, None)
            self._loose(segment.filled)
        elif entry.type is Type.REFERENCES:
            for line in segment.filled or [""]:
                self._add(segment.label, line or None)
        elif normal(segment.label) == "email address" and not any("@" in line for line in segment.filled[:1]):
            self._add(segment.label, None)
            self._loose(segment.filled)
        else:
            self._add(segment.label, segment.filled[0] if segment.filled else None)
            self._loose(segment.filled[1:])

    def prose(self, lines: list[str]) -> None:
        """The style without labels: the form's own words open their section, the rest is body or unlabelled."""
        runs = [(section, [line for _, line in run]) for section, run in groupby(_sections(lines), key=lambda pair: pair[0])]
        first = next((index for index, (section, _) in enumerate(runs) if section), len(runs))
        self.body([line for _, run in runs[:first] for line in run])
        for section, run in runs[first:]:
            if section:
                self._open(section, run)
            else:
                self._loose([line for line in run if line])

    def _open(self, label: str, lines: list[str]) -> None:
        """A section. Its paragraphs end in blank lines; lines that follow the last one directly are fields."""
        self._section = label
        lines, fields = split_fields(lines) if lines and any(not line for line in lines) else (lines, [])
        text = paragraphs(lines)
        sections = self.content.sections
        if sections and sections[-1].label == label:
            merged = "\n\n".join(filter(None, (sections[-1].text, text)))
            sections[-1] = replace(sections[-1], text=merged)
        else:
            sections.append(Section(position=len(sections) + 1, label=label, text=text or None))
        self._loose(fields)

    def _group(self, segment: Segment) -> None:
        lines = segment.filled
        label = segment.label
        if not lines:
            self._add(label, None)
            return
        has_paragraphs = "" in paragraphs(segment.lines).split("\n")
        for item in _items(lines, group_table(label), has_paragraphs=has_paragraphs):
            self._items[label] = self._items.get(label, 0) + 1
            number = f"{label} {self._items[label]}"
            for sub_label, value in item:
                if sub_label and value and "Date" in sub_label and iso_time(value) is None:
                    self._add(sub_label, None, item=number)
                    self._loose(value.split("\n"))
                else:
                    self._add(sub_label or label, value, item=number)

    def _loose(self, lines: list[str]) -> None:
        """Lines after a complete value: a line that has a label's form, before one that has not, is a label; else text."""
        index = 0
        while index < len(lines):
            if not is_label_before(lines, index):
                self._add(None, lines[index])
                index += 1
                continue
            end = index + 2
            while end < len(lines) and not looks_like_label(lines[end]) and not is_label_before(lines, end):
                end += 1
            self._add(lines[index], "\n".join(lines[index + 1 : end]))
            index = end

    def _add(self, label: str | None, value: str | None, *, name: str | None = None, item: str | None = None) -> None:
        self.content.fields.append(
            Field(
                position=len(self.content.fields) + 1,
                section=self._section,
                label=label,
                name=name,
                item=item,
                value=value,
                state=State.VALUE if value else State.NOT_CAPTURED,
            )
        )


def _sections(lines: list[str]) -> list[tuple[str | None, str]]:
    """Each line with the section whose fixed text it is; a blank line goes with the line before it."""
    found: list[tuple[str | None, str]] = []
    for line in lines:
        found.append((section_of_instruction(line) if line else (found[-1][0] if found else None), line))
    return found


def _items(lines: list[str], table: str | None, *, has_paragraphs: bool) -> list[list[tuple[str | None, str | None]]]:
    """A group's lines as items of (label, value): by the group's own labels, else a line an item unless it is prose."""
    if any(is_member_line(line) for line in lines):
        return _labelled_items(lines)
    if table == "milestones" or (not has_paragraphs and all(len(line) <= _MAX_LINE for line in lines)):
        return [[(None, line)] for line in lines]
    return [[(None, "\n".join(lines))]]


def _labelled_items(lines: list[str]) -> list[list[tuple[str | None, str | None]]]:
    items: list[list[tuple[str | None, str | None]]] = []
    first = next(line for line in lines if is_member_line(line))
    for line in lines:
        if is_member_line(line):
            if line == first or not items:
                items.append([])
            items[-1].append((line, None))
        elif items and items[-1][-1][0] is not None:
            label, value = items[-1][-1]
            items[-1][-1] = (label, f"{value}\n{line}" if value else line)
        else:
            items.append([(None, line)])
    return items


def split_fields(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines up to the last blank one, and those after: the extractor puts blank lines around paragraphs, none between fields."""
    last = max((index for index, line in enumerate(lines) if not line), default=-1)
    return lines[: last + 1], lines[last + 1 :]


_LABEL_FORM = re.compile(r"[A-Z][\w'’()/&-]*(?: (?:[A-Z0-9(][\w'’()/&-]*|of|and|or|the|for|to|in|on|by|a|an|-|&)){0,8}:?")


def looks_like_label(line: str) -> bool:
    """Whether a line has the form of a label: a few capitalised words without a sentence's end."""
    return len(line) <= _MAX_LABEL and _LABEL_FORM.fullmatch(line) is not None and yes_no(line) is None


def is_label_before(lines: list[str], index: int) -> bool:
    if index + 1 >= len(lines):
        return False
    line, following = lines[index], lines[index + 1]
    if line.endswith("?") and len(line) <= _MAX_LINE:
        return yes_no(following) is not None
    return looks_like_label(line) and not looks_like_label(following)


def paragraphs(lines: list[str]) -> str:
    """Lines as text: single blank lines between paragraphs, none around."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
