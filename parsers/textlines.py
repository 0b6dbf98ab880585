"""Where the labels stand in a text capture. A line that equals a label may be a line of the body, so the lines are weighed.

The fields are the end of the page: each label line is scored by how well what follows it fits its type, and the fields begin
where the sum of the scores from there to the end is highest. What stands before is body, whatever it looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

from parsers.columns import fits
from parsers.registry import Label, Type, is_instructions, known, section_of_instruction

_STRICT = frozenset((Type.YES_NO, Type.NUMBER, Type.POINT))
"""Types whose text is short and certain: another text after such a label means that the line is no label."""
_MAX_LABEL_WORDS = 9
_ORDER_SLACK = 6
"""Places; the sample and the table in DOMAIN.md differ by up to four."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A label line, its registry entry (None: a section nobody has listed), and the lines up to the next label."""

    line: int
    label: str
    entry: Label | None
    lines: list[str]

    @property
    def is_section(self) -> bool:
        return self.entry is None or self.entry.type is Type.INSTRUCTIONS

    @property
    def filled(self) -> list[str]:
        return [line for line in self.lines if line]


def segments(lines: list[str], start: int) -> list[Segment]:
    """The labelled segments of a page in page order, from the first real label on. `start`: line before which there is none."""
    marks = [index for index in range(start, len(lines)) if _may_be_label(lines[index])]
    begin = _begin(lines, marks)
    if begin is None:
        return []
    return _cut(lines, _real(lines, [mark for mark in marks if mark >= begin]))


def _may_be_label(line: str) -> bool:
    if known(line) is not None:
        return True
    words = line.split()
    return 1 < len(words) <= _MAX_LABEL_WORDS and line[-1] not in ".,;!?" and "Markup" in words and is_instructions(line)


def _cut(lines: list[str], marks: list[int]) -> list[Segment]:
    ends = [*marks[1:], len(lines)][: len(marks)]
    return [Segment(mark, lines[mark], known(lines[mark]), lines[mark + 1 : end]) for mark, end in zip(marks, ends, strict=True)]


def _begin(lines: list[str], marks: list[int]) -> int | None:
    """The label line from which the scores to the end sum up highest; of equals the last, so that doubt is body."""
    best, best_sum, total = None, 0.0, 0.0
    later: set[str] = set()
    following: Segment | None = None
    for segment in reversed(_cut(lines, marks)):
        total += _score(segment) - 1.5 * (segment.label in later) - 1.5 * _out_of_order(segment, following)
        later.add(segment.label)
        following = segment
        if total > best_sum:
            best, best_sum = segment.line, total
    return best


def _out_of_order(segment: Segment, following: Segment | None) -> bool:
    """Whether the next label belongs far before this one: pages differ in their labels' order, but by a few places only."""
    if following is None or segment.entry is None or following.entry is None:
        return False
    return segment.entry.order - following.entry.order > _ORDER_SLACK


def _repeats(segment: Segment) -> bool:
    return segment.entry is not None and segment.entry.type is Type.GROUP


def _score(segment: Segment) -> float:
    filled = segment.filled
    if segment.is_section:
        return 2.0 if any(section_of_instruction(line) for line in filled) else 0.5
    assert segment.entry is not None
    kind = segment.entry.type
    score = 1.0
    if kind is Type.GROUP:
        return 1.0 if segment.lines[:1] != [""] else 0.0
    if filled and segment.lines and not segment.lines[0]:
        score -= 1.0  # the extractor leaves no blank line between a label and its value
    if kind in _STRICT:
        sound = bool(filled) and fits(kind, filled[0]) is True
        return score + (1.0 if sound else -3.0 if filled else -0.5) - min(3.0, 0.5 * max(0, len(filled) - 3))
    if not filled and segment.lines and kind is Type.TEXT:
        score -= 1.0
    return score - min(4.0, 0.5 * max(0, len(filled) - (1 if kind is Type.TEXT else 2)))


def _real(lines: list[str], marks: list[int]) -> list[int]:
    """The lines of the fields' part that really are labels: not for the second time, and followed by what fits their type."""
    kept: list[int] = []
    seen: set[str] = set()
    for segment in _cut(lines, marks):
        kind = segment.entry.type if segment.entry is not None else None
        misfit = kind in _STRICT and segment.filled and fits(kind, segment.filled[0]) is False
        again = segment.label in seen and not _repeats(segment)
        if misfit or again:
            continue
        seen.add(segment.label)
        kept.append(segment.line)
    return kept
