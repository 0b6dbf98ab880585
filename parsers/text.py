"""A text capture to a record: what a text extractor left of a page (DOMAIN.md, "The two forms").

The style is determined first. In labeled text, what follows a label is its value; most extractors drop links and dates, so a
label without a value is `not_captured`. In prose nothing is a label: the form's fixed instructions open sections, what precedes
them is the body. `textlines` removes the extractor's marks, `texthead` finds title and byline, `textlabels` the labels.
"""

from dataclasses import dataclass, field, replace
from itertools import dropwhile, groupby, islice, pairwise, takewhile
from typing import Literal

from parsers import textlines
from parsers.columns import BODY, field_key, fits, make_record
from parsers.contacts import denotes_person
from parsers.kinds import is_other_address, kind_of_page
from parsers.record import FieldState, Kind, PageHead, ParseResult, Value
from parsers.registry import LABELS, Label, Type, group_of_member, group_table, is_member_line, label_of, section_of_instruction
from parsers.rows import PageRows, RowWriter, count_evidence
from parsers.scalars import money_range, reference, yes_no
from parsers.texthead import Span, TextHead, end_of_teasers, is_list, read_head, without_foot
from parsers.textlabels import PROVIDER, Mark, SubField, find_labels, is_labelled, labels_in, table_items, value_form
from parsers.textlines import DASHES, FORMS, MANY_LABELS, Line, is_time, is_typed, looks_like_label, next_filled, text_of
from parsers.urls import absolute, node_id

_LINES = FORMS["lines"]
_LINKED_TYPES = (Type.REFERENCE, Type.REFERENCES, Type.MONEY)
_MAX_PROVIDERS = 2  # on Drupal pages with known content; other single references had one value
_LONG_TEXT = "other_program_area"  # the text field of several lines; all others are of Drupal's type "string", one line
_CERTAIN = ("evidence_based", "emerging_need", "recipient_agency_scope", "in_public_catalog", "longitude", "agreed")
"""Fields whose value is never a link: a real text capture has them, a list of labels in a blog post does not."""
_MIDDLE_OF_PAGE, _SEPARATORS = 16, ",;-*•+"
_MOVED, _MAX_BELOW = 4, 20  # places by which a label comes later on some pages; lines of a field below a text that were seen
_SURE = 10  # of ten values, at most one is printed like a label where the print tells labels from values
_MAX_LAST_VALUE = 60  # characters after the last label of a page in a single line; more contain the page's footer


@dataclass(slots=True)
class TextReading:
    """The ParseResult, and the first and last source line (from 0) of each field, of each section, and of the head's values."""

    page: ParseResult
    fields: list[Span] = field(default_factory=list)
    sections: list[Span] = field(default_factory=list)
    head: dict[str, Span] = field(default_factory=dict)


def read_text(text: str, *, url: str | None, incomplete: bool) -> TextReading:
    """Parses a text capture. `incomplete`: the capture is known to be truncated."""
    read, above = without_foot(textlines.read_lines(text)), list[Line]()
    around = (FORMS["marks"][name].search(text) for name in ("preamble", "signature", "page_foot_with_address"))
    printed = FORMS["marks"]["node_address"].search("\n".join(found[0] for found in around if found))
    url = printed[0] if printed and node_id(url) is None else url
    incomplete = incomplete or text.count("\n") > textlines.MAX_LINES
    lines, marks = find_labels(read)
    if teasers_end := end_of_teasers(lines):
        above, read = lines[:teasers_end], lines[teasers_end:]
        lines, marks = find_labels(read)
    style: Literal["text", "prose"] = "text" if is_labelled(lines, marks) else "prose"
    if style == "prose":
        lines, marks = [piece for line in read for piece in textlines.sentences(line)], []
    sections = [section_of_instruction(line.plain) for line in lines]
    end = marks[0].at if marks else next((index for index, section in enumerate(sections) if section), len(lines))
    head = read_head(above + lines[:end], teasers_end=teasers_end)
    start = head.end - teasers_end
    writer = _Writer(marks, head, url)
    if marks:
        is_middle = head.title is None and (marks[0].entry is None or marks[0].entry.order >= _MIDDLE_OF_PAGE)
        writer.write_body(lines[start:end], is_fragment=is_middle)
        if head.is_whole_page and marks[-1].line.glued and len(text_of(marks[-1].lines)) > _MAX_LAST_VALUE:
            marks[-1].lines = [line for line in marks[-1].lines[:1] if is_typed(line.text)]
        for mark in marks:
            writer.write_field(mark)
    else:
        writer.write_prose(lines[start:], sections[start:])
    content = writer.rows
    is_several = is_list(head.title, above, lines)
    if is_other_address(url) or is_several or not _is_record(content, head, marks):
        page = kind_of_page([line.text for line in lines if line.text][:3], text[:65536], "")
        count = len({label.casefold() for line in lines for label in labels_in(line)})
        if page.kind is Kind.OTHER and is_several:
            page.reason = "shows several records, or a teaser: a record is read only from a text of its own"
        elif page.kind is Kind.OTHER and count >= MANY_LABELS:
            page.reason = f"names {count} labels of a TTA record, but no values can be assigned to them"
        return TextReading(page)
    if incomplete and content.fields and writer.field_spans[-1][1] >= max(line.last for line in lines if line.text):
        content.fields[-1].truncated = True
    values = PageHead(node_id=node_id(url), title=head.title, submitted_by=head.name, submitted_at=head.time)
    record = make_record(values, content.fields, content.sections, style, incomplete=incomplete)
    record.flags += tuple(f"{label}: values within a line cannot be told apart" for label in writer.unseparated)
    record.flags += tuple(f"{mark.label}: label is printed as {mark.printed!r}" for mark in marks if mark.printed)
    page = ParseResult(kind=Kind.RECORD, reason="its labels are a TTA record's", record=record)
    return TextReading(page, writer.field_spans, writer.section_spans, head.spans)


def _is_record(content: PageRows, head: TextHead, marks: list[Mark]) -> bool:
    good, bad = count_evidence(content)
    if reference(head.title):
        return good >= 1 or "submitted_by" in head.spans or not marks
    is_instructed = any(section.text and section_of_instruction(section.text) for section in content.sections)
    is_certain = is_instructed or any(row.value and field_key(row) in _CERTAIN for row in content.fields)
    return is_certain and good - 4 * bad >= (3 if marks else 1)


class _Writer(RowWriter):
    """Rows and sections in page order, each with the source lines that it was read from; known labels show the layout."""

    def __init__(self, marks: list[Mark], head: TextHead, url: str | None) -> None:
        super().__init__(url, FieldState.NOT_CAPTURED)
        self.field_spans: list[Span] = []
        self.section_spans: list[Span] = []
        self.unseparated: list[str] = []
        self._is_whole_page, self._foot = head.is_whole_page, marks[-1].line.last if marks else 0
        filled = [mark for mark in marks if mark.filled and mark.type is not Type.INSTRUCTIONS]
        self._compact = 2 * sum(bool(mark.lines[0].text) for mark in filled) >= len(filled)  # no blank line before values
        self._blocks = 4 * sum(bool(mark.lines[-1].text) for mark in filled[:-1]) <= len(filled)  # a blank line before labels
        self._headed = 2 * sum(mark.line.heading > 0 for mark in marks) > len(marks)  # labels are marked as headings
        below = [mark for mark in filled if not mark.filled[0].glued]
        labels = {mark.line.look for mark in below}
        is_told = len(below) >= MANY_LABELS and _SURE * sum(mark.filled[0].look in labels for mark in below) < len(below)
        self._label_looks, self._value_looks = (labels, {mark.filled[0].look for mark in below}) if is_told else (set(), set())
        self._inline = 2 * sum(mark.is_inline for mark in marks) > len(marks)  # so an unlisted label can't be told from its value
        drops = [not mark.filled for mark in marks if mark.type in (*_LINKED_TYPES, Type.DATE)]
        self._drops_links = 2 * sum(drops) > len(drops)
        known = [mark.entry for mark in marks if mark.entry is not None]
        self._known, self._after = {*known}, dict(pairwise(known))

    def _lacks(self, entry: Label, *types: Type, moved: int = 0) -> bool:
        """Whether a label of these types, or of any, is missing between a label and the next one, or so many places before."""
        between = LABELS[max(0, entry.order + 1 - moved) : self._after[entry].order] if entry in self._after else ()
        return any(one not in self._known and (not types or one.type in types) for one in between)

    def write_body(self, lines: list[Line], *, is_fragment: bool) -> None:
        """Writes the lines before the first label: the body, which a fragment of a page does not have."""
        last = [at for at in range(len(lines)) if lines[at].text][-2:]
        end = last[0] if len(last) > 1 and lines[last[0]].text.endswith("?") and self._is_unlisted(lines, last[0]) else len(lines)
        write = self._write_loose_lines if is_fragment else self._add_body
        write(lines[:end][: self._legend_at(lines[:end], in_body=True)])
        self._write_loose_lines(lines[end:])

    def _legend_at(self, lines: list[Line], *, in_body: bool = False, no_value: bool = False) -> int | None:
        """Returns the index of the heading of a group of fields, printed above a label; None if there is none."""
        at = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].text), None)
        if at is None:
            return None
        line, is_told = lines[at], at > 0 and not in_body and self._value_looks != set() and lines[at].plain == lines[at].text
        is_named = (at or no_value or " " in line.plain) and _LINES["legend"].fullmatch(line.plain)
        is_legend = (is_named or (is_told and line.look not in self._value_looks)) and looks_like_label(line.plain)
        return at if is_legend or (line.heading and not self._headed) else None

    def write_field(self, mark: Mark) -> None:
        """Writes rows of a label and the lines up to the next."""
        entry = mark.entry
        no_value = (entry is not None and entry.contact) or (self._drops_links and mark.type in _LINKED_TYPES)
        mark.lines = mark.lines[: self._legend_at(mark.lines, no_value=no_value)]
        if entry is None or mark.type is Type.INSTRUCTIONS:
            end = self._end_of_section(mark.lines)
            self._add_section(mark.label, mark.lines[:end], mark.line)
            self._write_loose_lines(mark.lines[end:])
        elif (mark.is_inline or mark.line.paired) and (mark.may_be_several or (entry is PROVIDER and self._lacks(entry))):
            self._add(mark.label, [], label_line=mark.line)
            self._add(None, mark.lines)
            self.unseparated.append(mark.label)
        elif mark.type is Type.GROUP:
            self._write_group(mark)
        else:
            values, rest = self._split_values(entry, mark.lines)
            self.times[mark.label, None] += 1
            for value in values or [[]]:
                self._add(mark.label, value, label_line=mark.line)
            self._write_loose_lines(rest)

    def _split_values(self, entry: Label, lines: list[Line]) -> tuple[list[list[Line]], list[Line]]:
        """Returns a field's values, each as its lines, and the lines after them that belong to no value."""
        lines = [*dropwhile(lambda line: not line.text, lines)]
        if not lines:
            return [], []
        match entry.type:
            case Type.YES_NO | Type.NUMBER | Type.DATE:
                return ([lines[:1]], lines[1:]) if fits(entry.type, lines[0].plain) else ([], lines)
            case Type.RANGE:
                value = textlines.range_lines(lines)
                return ([[textlines.join_lines(value)]] if value else []), lines[len(value) or lines[0].text in DASHES :]
            case Type.POINT:
                points = [*takewhile(lambda line: _LINES["shape"].match(line.plain), lines)]
                return [[line] for line in points], lines[len(points) :]
        end = next((index for index, line in enumerate(lines) if line.text and self._ends_value(entry, lines, index)), len(lines))
        if entry.type is Type.TEXT:
            end = 0 if entry.text.endswith("Email Address") and "@" not in lines[0].text else end
            return ([lines[:end]] if end else []), lines[end:]
        rest = next_filled(lines, 1 if entry.type is Type.REFERENCE else end)
        if self._drops_links and (self._lacks(entry, Type.TEXT, moved=_MOVED) or rest is not None):
            return [], lines  # fields whose labels were dropped, as their values were
        most = _MAX_PROVIDERS if entry is PROVIDER and not self._lacks(entry) else 1
        filled = [at for at in range(end) if lines[at].text and not lines[at].glued]
        if entry.type is Type.REFERENCE and len(filled) > most and (self._lacks(entry) or not lines[filled[1]].links):
            end = filled[1]  # the others are an unlisted label and its value, or the heading of a group
        values: list[list[Line]] = []
        for line in lines[:end]:
            if line.glued and values:  # cut off at what is no label: "Larch", "County", "Court"
                values[-1].append(line)
            elif line.text.strip(_SEPARATORS):
                values += [[part] for part in textlines.linked_parts(line)]
        return values, lines[end:]

    def _ends_value(self, entry: Label, lines: list[Line], index: int) -> bool:
        """Whether a line after a label is no more of its value: a label that is not in the registry, or text of another kind."""
        text, before = lines[index].text, lines[index - 1].text
        if lines[index].heading or section_of_instruction(text) or (index and lines[index].glued):
            return not lines[index].glued or value_form(entry).fullmatch(lines[0].text) is not None
        is_long = entry.columns != () and entry.columns[0].name == _LONG_TEXT
        if index and entry.type is Type.TEXT and (not is_long or self._lacks(entry)):
            is_more = text[0].islower() or before[-1:] in (",", ";") or text.split()[-1] == lines[0].text.split()[-1]
            is_apart = before == "" or is_typed(text) or (not is_long and self._lacks(entry, Type.TEXT))
            return is_apart or not (is_more or text[0] == "(") or _LINES["foreign"].match(text) is not None
        is_other = (is_typed(lines[index].plain) and entry.type is not Type.MONEY) or _LINES["foreign"].match(text)
        is_prose = textlines.is_sentence(text) or _LINES["full_stop"].search(text)
        if entry.type is not Type.TEXT and (is_other or is_prose or self._names_field(entry, lines, index)):
            return True
        is_unlinked = index and entry.type in _LINKED_TYPES and lines[0].links and not lines[index].links
        is_no_cost = entry.type is Type.MONEY and money_range(text) == (None, None)
        return bool(is_unlinked) or is_no_cost or self._is_unlisted(lines, index)

    def _names_field(self, entry: Label, lines: list[Line], index: int) -> bool:
        """Whether a line after a reference's label is a label by its nouns, or one with prose as its value."""
        text, noun, after = lines[index].text, _LINES["label_noun"].search, next_filled(lines, index + 1)
        below = lines[after].text if after is not None and looks_like_label(text) else ""
        if noun(text) and (self._drops_links or (below and not noun(below))):
            return True
        is_named = _LINES["dated"].search(text) or (entry.contact and denotes_person(text))
        return index > 0 and bool(is_named or _LINES["full_stop"].search(below))

    def _is_unlisted(self, lines: list[Line], index: int, *, is_after_value: bool = False) -> bool:
        """Whether a line is a label that is not in the registry; if no complete value precedes it, a typed one must follow."""
        line, at, noun = lines[index], next_filled(lines, index + 1), _LINES["label_noun"].search
        is_foot = line.first > self._foot  # the site's footer may be among the lines after the last label
        is_value = self._inline or line.links or is_typed(line.text) or (line.heading and not self._headed)
        if label_of(line.plain) is not None or _LINES["foreign"].match(line.text):  # a label, but none of this record's
            return False
        if self._label_looks and not line.paired and not is_foot:
            return at is not None and not is_value and line.look in self._label_looks and textlines.is_label_like(line.plain)
        at = None if at is not None and section_of_instruction(lines[at].plain) else at
        if line.paired or is_value or at is None or (self._blocks and index and lines[index - 1].text):
            return line.paired
        after = lines[at].text
        if line.text.endswith("?") or not looks_like_label(line.text):
            return textlines.is_label_like(line.text) and after.isalpha() and yes_no(after) is not None
        if is_typed(after) or not is_after_value or is_foot:
            return is_typed(after) and bool(not _LINES["target_noun"].search(line.text) or _LINES["contact"].fullmatch(after))
        is_named = (denotes_person(line.text) or noun(line.text)) and not noun(after) and not _LINES["dated"].search(line.text)
        return bool(is_named or lines[at].links or (" " in line.text and _LINES["full_stop"].search(after)))

    def _begins_field(self, lines: list[Line], at: int) -> bool:
        """Whether a line in a text has short lines below it, in a compact text several if a blank line is between."""
        before = next((lines[one] for one in range(at - 1, -1, -1) if lines[one].text), lines[0])
        first = next_filled(lines, at + 1) or len(lines)
        following = takewhile(lambda one: one.text or not self._compact, islice(lines, first, None))
        below = [*islice((one for one in following if one.text), _MAX_BELOW)]
        is_apart = before.text[-1] in ".!?" or before.plain != before.text or (self._compact and not lines[at - 1].text)
        is_list = (self._compact and first > at + 1) < len(below) < _MAX_BELOW and below[0].plain == below[0].text
        return looks_like_label(lines[at].text) and is_apart and is_list and all(textlines.is_short(one.text) for one in below)

    def _write_loose_lines(self, lines: list[Line]) -> None:
        """Writes lines after a complete value: unlisted labels with values, else text without a label (not from a footer)."""
        index, linked, in_entity = 0, {line.text for line in lines if line.links}, False
        while index < len(lines):
            line = lines[index]
            in_entity = in_entity or _LINES["entity"].match(line.text) is not None
            if not line.text:
                index += 1
            elif section := section_of_instruction(line.plain):
                self._add_section(section, [line])
                index += 1
            elif not in_entity and self._is_unlisted(lines, index, is_after_value=True):
                label = line.plain.rstrip(" :*")
                first = at = next_filled(lines, index + 1) or len(lines)
                opening, values = lines[at].text if at < len(lines) else "", list[list[Line]]()
                kinds = (is_time, _LINES["contact"].fullmatch, linked.__contains__)  # values of one kind follow each other
                is_more = next((one for one in kinds if one(opening)), ().__contains__)
                while at < len(lines) and (at == first or not lines[at].text or is_more(lines[at].text)):
                    part = (textlines.range_lines(lines[at:]) if lines[at].text else []) or [lines[at]]
                    values += [[textlines.join_lines(part)]] if lines[at].text else []
                    at += len(part)
                is_text = bool(_LINES["text_noun"].search(label) or _LINES["full_stop"].search(opening))
                if (is_text or self._label_looks) and opening and not is_typed(opening):  # several lines
                    tests = (self._is_unlisted, self._begins_field, lambda lines, at: section_of_instruction(lines[at].plain))
                    ends = (any(is_end(lines, one) for is_end in tests) for one in range(at, len(lines)))
                    at += sum(1 for _ in takewhile(lambda is_end: not is_end, ends))
                    parts = [one for one in lines[first:at] if one.text.strip(_SEPARATORS)]
                    is_text = is_text or any(one.text[-1] == "." for one in parts)
                    values = [lines[first:at]] if is_text else [[one] for one in parts]
                self.times[label, None] += 1
                for value in values or [[]]:
                    self._add(label, [] if text_of(value) in DASHES else value, label_line=line)
                index = at
            elif self._is_whole_page and line.first > self._foot:
                return
            else:
                self._add(None, [line])
                index += 1

    def write_prose(self, lines: list[Line], sections: list[str | None]) -> None:
        """Text without labels: fixed instructions open their section, and lines before the first one are the body."""
        instructed = (at for at, section in enumerate(sections) if section)
        starts = [*(next(found) for _, found in groupby(instructed, sections.__getitem__)), len(lines)]
        self._add_body(lines[: starts[0]])
        for start, end in pairwise(starts):
            section, last = sections[start] or "", max(at for at in range(start, end) if sections[at])
            self._add_section(section, lines[start : last + 1])
            is_milestone = group_table(section.removesuffix(" Markup")) == "milestones"
            for line in lines[last + 1 : end if end < len(lines) or not self._is_whole_page else 0]:
                if line.text:
                    self._add(None, [line], item=self.next_item("Milestone") if is_milestone else None)

    def _end_of_section(self, lines: list[Line]) -> int:
        """Returns where the text of a section ends: after the form's last instruction, at a blank line or a label."""
        start = max((index for index, line in enumerate(lines) if section_of_instruction(line.plain)), default=-1) + 1
        if start and lines[start - 1].text[-1] == ":":  # a list
            start += sum(1 for _ in takewhile(lambda line: not line.text or line.plain != line.text, lines[start:]))
        for at in range(start, len(lines)):
            text = lines[at].text
            if text and ((is_member_line(text) and group_of_member(text)) or self._is_unlisted(lines, at)):
                return at
        blank = [index for index in range(start, len(lines)) if not lines[index].text]
        return max(blank, default=start) if self._compact and not all(line.text for line in lines) else len(lines)

    def _add_section(self, label: str, lines: list[Line], label_line: Line | None = None) -> None:
        used = [line for line in (label_line, *lines) if line is not None and line.text]
        self.section_spans.append((used[0].first, used[-1].last))
        self.open_section(label, text_of(lines))

    def _write_group(self, mark: Mark) -> None:
        end = next((at for at, line in enumerate(mark.lines) if section_of_instruction(line.plain)), len(mark.lines))
        mark.lines, rest = mark.lines[:end], mark.lines[end:]
        items = table_items(mark.filled) or self._split_items(mark.lines, group_table(mark.label))
        rest = _cut_below(items) + rest
        if not mark.filled:
            self._add(mark.label, [], label_line=mark.line)
        for item in items or [[(None, [line])] for line in mark.filled]:
            self._add_item(mark.label, item)
        self._write_loose_lines(rest)

    def _add_item(self, group: str, item: list[SubField]) -> None:
        number = self.next_item(group)
        for label, lines in item:
            end = len(lines)
            if label is not None and (first := next_filled(lines, 0)) is not None and is_typed(lines[first].text):
                end = first + (len(textlines.range_lines(lines[first:])) or 1)
            elif label is not None and _LINES["dated"].search(label.text):
                end = 0
            self._add(label.text if label else group, lines[:end], item=number, label_line=label)
            if text_of(lines[end:]):
                self._add(None, lines[end:], item=number)

    def _split_items(self, lines: list[Line], table: str | None) -> list[list[SubField]]:
        """Returns the items of a group whose fields have labels; the label that came first begins the next item."""
        items: list[list[SubField]] = []
        is_open = False  # a label's value has not begun
        for index, line in enumerate([] if self._inline else lines):
            label = line.plain.rstrip(" :*")
            is_member = is_member_line(label) and (table is not None or group_of_member(label) is not None)
            is_value = is_open and not self._drops_links
            if line.text and (is_member or (not is_value and self._is_unlisted(lines, index))):
                if not items or items[0][0][0] is None or label == items[0][0][0].text:
                    items.append([])
                items[-1].append((replace(line, text=label), []))
                is_open = True
            elif items:
                items[-1][-1][1].append(line)
                is_open = is_open and not line.text
            elif line.text:
                return []
        return items

    def _add_body(self, lines: list[Line]) -> None:
        if filled := [line for line in lines if line.text]:
            self.field_spans.append((filled[0].first, filled[-1].last))
            self.add(None, BODY, Value(text_of(lines)))

    def _add(self, label: str | None, lines: list[Line], *, item: str | None = None, label_line: Line | None = None) -> None:
        filled = [line for line in lines if line.text]
        value = " ".join(filled[0].text.split()) if len(filled) == 1 else text_of(lines)
        if (bullet := FORMS["marks"]["symbol"].match(value)) and f"\n{bullet[0]}" not in value:  # it is no list
            value = value[bullet.end() :]
        links = filled[0].links if len(filled) == 1 else ()
        href = absolute(links[0].href, self._base) if len(links) == 1 and links[0].href else None
        used = [line for line in (label_line, *filled) if line is not None]
        self.field_spans.append((used[0].first, used[-1].last) if used else (0, 0))
        times = max(1, self.times[label, None]) if label and item is None else 1
        self.add(label, None, Value(value, href), item=item, occurrence=times)


def _cut_below(items: list[list[SubField]]) -> list[Line]:
    """Takes out of a group's last item the fields at its end that no other item has; returns their lines: they are below it."""
    others, lines = {label.text for item in items[:-1] for label, _ in item if label is not None}, list[Line]()
    for label, values in reversed(items[-1][1:] if len(items) > 1 else []):
        if label is None or label.text in others or is_member_line(label.text):
            break
        items[-1].pop()
        lines = [label, *values, *lines]
    return lines
