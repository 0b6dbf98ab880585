"""Where the labels are in a text capture. A line that equals a label may be a line of the body or a value, so all are weighed.

The labels of the page are the chain of lines that fits best: what follows each fits its type, they come in about the usual
order, and none comes twice. The body ends where the best chain begins.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import accumulate, pairwise, takewhile
from operator import itemgetter

from parsers.columns import fits
from parsers.registry import (
    LABELS,
    Label,
    Type,
    group_table,
    is_distinctive,
    is_instructions,
    is_member_line,
    label_key,
    label_of,
    section_of_instruction,
)
from parsers.rows import MAX_REFERENCE
from parsers.textlines import DASHES, FORMS, MANY_LABELS, Line, is_label_like, is_time, is_typed, join_wrapped

_STRICT = frozenset((Type.YES_NO, Type.NUMBER, Type.POINT, Type.DATE, Type.RANGE))  # types whose values are short and certain
_DROPPED = frozenset((Type.DATE, Type.RANGE, Type.REFERENCE, Type.REFERENCES, Type.MONEY))  # many extractors drop their values
_ORDER_SLACK = 6  # places; the sample and the table in DOMAIN.md differ by up to four
_OUT_OF_ORDER = 0.9  # of a label's score; see `_disorder`
_EMPTY = 0.05  # a label that few extractors drop the values of is one only if it keeps the order (`_disorder` begins at 0.1)
_ONLY = 0.5  # of a label that the text has once, and in order: a value that is spelled like it would come beside the label itself
_PER_SPACE, _MAX_WORDS_BONUS = 0.3, 1.5  # a label of many words is hardly ever a line of a body or of a value
_QUOTED, _GLUED = 3, 2  # a body quotes fewer than a third of the labels; names of places look like few more labels
_MAX_DOUBTFUL, _MAX_PLACES, _MANY_MARKS = 8, 4, 300
"""Labels that a text has at several places, places of each that are tried, and candidates of a text in which none are: time."""
_MAX_SKIPPED = 6  # candidates between two labels that may be lines of a value; more of them in one value have not been seen
_MAX_MARKUP_WORDS, _MAX_WRAPPED_LINES, _NAME_WORDS = 9, 5, 4
_MAX_END = 6  # words of a typed value, or of a group's heading, at the end of another value
_MIN_MISSPELLED, _END = 10, 4
"""Letters; shorter words are one letter away from others ("County", "Country"), and one wrong letter leaves one end as it was."""
_SPELLINGS = {form: label for label in LABELS for text in (label.text, *label.also) for form in (text, text.upper())}
_FROM_CAPITALS = {text.upper(): text for text in _SPELLINGS if not text.isupper()}
_BY_LENGTH = sorted(_SPELLINGS, key=len, reverse=True)
_WORDS = "|".join(re.escape(text) + r"(?! [a-z]+\b(?![@.]\w))" * (text.count(" ") < 2) for text in _BY_LENGTH)
_ALTERNATIVES = rf"(?!Milestone (?!Milestone )[A-Z])(?:{_WORDS})"
_LABEL = re.compile(rf"(?<![\w-]){_ALTERNATIVES}(?![\w-])")
_ANY = "|".join(map(re.escape, _BY_LENGTH))
_UNSPACED = re.compile(rf"{_ALTERNATIVES}(?!s\b)")
_PREFIX = {"none": re.compile(rf"(?:{_ANY})(?!s\b)(?=[\w$(+-])"), "space": re.compile(_LABEL.pattern + r"(?= [\w$(+])")}
"""How a line begins with a label where no separator shows its end, by the name in `pairs`."""
PROVIDER = label_of("Provider Reference")  # the only single reference with names of many words
SubField = tuple[Line | None, list[Line]]  # of a group's item: its label, if it has one, and the lines of its value


@dataclass(slots=True)
class Mark:
    """Lines `at` to `end` that may be a label, joined. `printed`: a misspelled one; `lines`: those up to the next label."""

    at: int
    end: int
    label: str
    entry: Label | None
    line: Line
    printed: str | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def filled(self) -> list[Line]:
        return [line for line in self.lines if line.text]

    @property
    def may_be_several(self) -> bool:
        """Whether the value, printed within a line, may be several values, or a name and the next label."""
        words, entry = [word for line in self.lines for word in line.text.split()], self.entry
        if entry is None or self.line.paired:
            return entry is not None and entry.type is Type.REFERENCES and len(self.filled) == 1 and ", " in self.filled[0].text
        ends = [" ".join(words[at:]) for at in range(max(1, len(words) - _MAX_END), len(words))]
        text, lines = " ".join(words), FORMS["lines"]
        is_name = entry.contact or (entry.type is Type.REFERENCE and (entry is not PROVIDER or lines["foreign"].search(text)))
        if (
            is_name
            and (self.line.glued or entry.contact)
            and (len(words) >= _NAME_WORDS or FORMS["head"]["several"].search(text))
        ):
            return True
        if entry.contact and any(map(lines["legend"].fullmatch, ends)):
            return True
        is_list = entry.type in (Type.REFERENCES, Type.GROUP) and not entry.contact and len(words) > 1
        return is_list or (entry.type is Type.REFERENCE and any(map(is_typed, ends)))

    @property
    def is_inline(self) -> bool:
        """Whether nothing but a space separates label and value."""
        return self.line.glued or (self.lines[:1] != [] and self.lines[0].glued and not self.line.paired)

    @property
    def type(self) -> Type:
        return Type.INSTRUCTIONS if self.entry is None else self.entry.type


def find_labels(lines: list[Line]) -> tuple[list[Line], list[Mark]]:
    """Returns the lines, cut where label and value share one, and the labels in page order."""
    lines = _without_doubles(lines)
    named, uncut, lines = {label for line in lines for label in labels_in(line)}, lines, _split_pairs(lines)
    chain, enough = _best_chain(lines, list(_find_marks(lines))), 0.5
    for separator in ("\t", "|", "  ", None):  # what is printed in place of line breaks, or nothing
        if len(named) < MANY_LABELS or len({mark.label for mark in chain}) > enough * len(named):
            break
        pieces = _split_pairs([piece for line in uncut for piece in _split_line(line, separator)])
        other = _best_chain(pieces, list(_find_marks(pieces)))
        if len(other) > len(chain):
            lines, chain, enough = pieces, other, 0.9
    for mark, end in zip(chain, [*(after.at for after in chain[1:]), len(lines)], strict=False):
        mark.lines = lines[mark.end : end]
    return lines, chain


def _without_doubles(lines: list[Line]) -> list[Line]:
    """Removes the second of two equal lines where labels are printed twice, or again in front of each value."""
    bare, repeats, head = list[Line](), set[str](), "\n"
    for line in lines:
        is_value = line.plain.startswith(f"{head}:")
        repeats |= {head} if is_value else set()
        bare.append(replace(line, text=line.plain.removeprefix(f"{head}:").strip()) if is_value else line)
        head = head if is_value or not line.text else line.plain.rstrip(" :") or "\n"
    lines = bare if len(repeats) >= MANY_LABELS else lines
    filled = [line for line in lines if line.text]
    doubles = [after for line, after in pairwise(filled) if line.plain == after.plain and is_label_like(line.plain)]
    known, repeated = (sum(label_of(line.plain) is not None for line in some) for some in (filled, doubles))
    gone = set(map(id, doubles)) if 3 * repeated >= max(known, MANY_LABELS) else set()
    return [line for line in lines if id(line) not in gone]


def is_labelled(lines: list[Line], marks: list[Mark]) -> bool:
    """Whether the text has the page's labels. Prose lacks them all, though its body may quote one with its instructions."""
    instructed = {section for line in lines if (section := section_of_instruction(line.plain))}
    if 2 * len(instructed.intersection(mark.label for mark in marks)) >= max(1, len(instructed)):
        return True
    labels = {mark.label for mark in marks if mark.entry is None or is_distinctive(mark.label)}
    return len(labels) >= (MANY_LABELS if instructed else 1)


def _split_pairs(lines: list[Line]) -> list[Line]:
    """Splits lines into label and value: all from the first label on if most fields are printed so, else known labels."""
    best, style = [(line.text, "") for line in lines], ""
    enough = max(MANY_LABELS - 1, len({label_of(line.text) for line in lines} - {None}) / 3)
    for name in FORMS["pairs"]:
        parts = [_split_label(line, name) for line in lines]
        if (count := len({label_of(label) for label, value in parts if value} - {None})) > enough:
            best, enough, style = parts, count, name
    known = [at for at, (label, value) in enumerate(best) if value and label_of(label)]
    first, is_listed = min(known, default=len(lines)), any(lines[at].plain != lines[at].text for at in known)
    found = list[Line]()
    for at, line in enumerate(lines):
        label, value = best[at] if at >= first else (line.text, "")
        if label == line.text and label_of(label) is None:
            label, value = _split_label(line, "colon" if "?" not in line.text else "question")  # no colon follows a question mark
            is_label = label_of(label) is not None or is_member_line(label)
        else:
            is_label = label_of(label) is not None or ((is_listed or line.plain == line.text) and is_label_like(label))
        if is_label and label != line.text:
            links = tuple(link for link in line.links if link.text in value)
            found.append(replace(line, text=label, links=() if value else line.links, paired=bool(value and style != "space")))
            found += [replace(line, text=value, links=links, glued=True)] if value else []
        else:
            found.append(line)
    return found


def _split_label(line: Line, name: str) -> tuple[str, str]:
    """Returns label and value of a line, split at the first separator that follows a known label, else at the first."""
    text, marks = line.plain, ' "|*_'
    begun = _PREFIX[name].match(text) if name in _PREFIX else None
    if begun and (not is_instructions(text) or len(text.split()) > _MAX_MARKUP_WORDS):  # "Milestones Markup" is no milestone
        return begun[0], text[begun.end() :].strip()
    cuts = [
        (text[: found.start()].strip(marks) + found[0].strip()[:1] * (":" in found[0]), text[found.end() :].strip(marks))
        for found in FORMS["pairs"][name].finditer(text, 0, _MAX_LABEL + 8)
        if text[: found.start()].strip(marks)
    ]
    return next((cut for cut in cuts if label_of(cut[0]) is not None), cuts[0] if cuts else (line.text, ""))


def labels_in(line: Line) -> list[str]:
    """Returns the labels anywhere in a line, as spelled in the registry."""
    return [line.text[start:end] for start, end in _label_spans(line.text)]


def _label_spans(text: str) -> list[tuple[int, int]]:
    """Returns where labels are in a line: as words, or where most have no space around them, anywhere."""
    words, anywhere = ([found.span() for found in pattern.finditer(text)] for pattern in (_LABEL, _UNSPACED))
    return anywhere if len(anywhere) >= max(_GLUED * len(words), _GLUED + 1) else words


def _split_line(line: Line, separator: str | None) -> list[Line]:
    """Splits a line at its separators, else into labels, the text between them, title and byline."""
    if separator is not None:
        return _as_lines(line, line.text.split(separator), glued=False)
    spans = _label_spans(line.text)
    if len(spans) < (2 if spans and spans[0][0] == 0 else MANY_LABELS):
        return [line]
    teasers_end = line.text.rfind("Read more about ", 0, len(line.text) // 2)
    top = next((start for start, end in spans if start > teasers_end and is_distinctive(line.text[start:end])), len(line.text))
    bounds = [bound for found in FORMS["head"]["in_one_line"].finditer(line.text, 0, top) for bound in found.span()]
    for start, end in spans:
        value = value_form(_SPELLINGS[line.text[start:end]]).match(line.text, end)
        bounds += [start, end, *([value.end()] if value else [])]
    return _as_lines(line, [line.text[start:end] for start, end in pairwise([0, *sorted(bounds), len(line.text)])])


def value_form(entry: Label) -> re.Pattern[str]:
    """Returns the form of a label's values; nothing matches it if they may be any text."""
    return FORMS["values"].get(entry.text) or FORMS["values"].get(entry.type.name, FORMS["values"]["TEXT"])


def _as_lines(line: Line, texts: list[str], *, glued: bool = True) -> list[Line]:
    filled = [text.strip().removeprefix(":").strip() for text in texts if text.strip()] or [""]
    links = [tuple(link for link in line.links if link.text in text) for text in filled]
    return [replace(line, text=text, glued=glued and at > 0, links=links[at]) for at, text in enumerate(filled)]


_ALL_LABELS = "".join(f"\n{label_key(text)}" for text in _SPELLINGS)
_GROUP_LABELS = {group_table(label.text): label for label in LABELS if label.type is Type.GROUP}
_LONG = {label_key(label.text): label for label in LABELS if len(label_key(label.text)) >= _MIN_MISSPELLED}
_ENDS = {end for label in LABELS for end in (label_key(label.text)[:_END], label_key(label.text)[-_END:])}
_MAX_LABEL = max(len(label.text) for label in LABELS) + 2  # characters, with a colon


def _find_marks(lines: list[Line]) -> Iterator[Mark]:
    index = 0
    while index < len(lines):
        if (mark := _mark_at(lines, index) if lines[index].text else None) is not None:
            yield mark
        index = mark.end if mark is not None else index + 1


def _mark_at(lines: list[Line], at: int) -> Mark | None:
    text, spelled = lines[at].plain, ""
    if len(text) <= _MAX_LABEL:
        label, spelled, end = text, label_key(text), at + 1
        while f"\n{label_key(label)}" in _ALL_LABELS:
            if (entry := label_of(label)) is not None:
                spelled = _FROM_CAPITALS.get(label.rstrip(" :*"), label.rstrip(" :*"))  # capitals are the page's style
                return Mark(at, end, spelled, entry, replace(lines[at], last=lines[end - 1].last))
            if end == min(at + _MAX_WRAPPED_LINES, len(lines)) or not lines[end].text:
                break
            label, end = join_wrapped(label, lines[end].text), end + 1
        if (table := group_table(text)) is not None and text[:1].isupper() and "  " not in text:
            return Mark(at, at + 1, text.rstrip(" :*"), _GROUP_LABELS[table], lines[at])
        words = text.split()
        if 1 < len(words) <= _MAX_MARKUP_WORDS and text[-1] not in ".,;!?" and "Markup" in words and is_instructions(text):
            return Mark(at, at + 1, text.rstrip(" :*"), None, lines[at])
    is_near = _MIN_MISSPELLED <= len(spelled) <= _MAX_LABEL and not _ENDS.isdisjoint((spelled[:_END], spelled[-_END:]))
    close = get_close_matches(spelled, _LONG, 1, 1 - 1.01 / len(spelled)) if is_near and not spelled[-1].isdigit() else []
    return Mark(at, at + 1, _LONG[close[0]].text, _LONG[close[0]], lines[at], printed=text) if close else None  # a wrong letter


def _score(mark: Mark, first: Line | None, count: int, blanks: int, *, ends_text: bool) -> float:
    """Rates how well the lines after a label fit it: the first with text, and how many have text or are unexpectedly blank."""
    if mark.entry is None or mark.type is Type.INSTRUCTIONS:
        return 3.0 if first is not None and section_of_instruction(first.plain) else 0.3
    score = min(_MAX_WORDS_BONUS, _PER_SPACE * mark.label.count(" "))
    kind = mark.entry.type
    if kind is Type.GROUP:
        return score + 0.5
    if first is None:
        return score + (1.0 if kind in _DROPPED else _EMPTY)
    text = first.plain
    if kind in _STRICT:
        if fits(kind, text):
            return score + 2.0 - (0.0 if ends_text else min(2.0, 0.1 * max(0, count - 4)))
        misfit = 0.1 - 2 * score if score > _PER_SPACE else -3.0  # a label of several words: hardly better than to skip it
        return score + (1.0 if text in DASHES else 0.0 if kind in _DROPPED else misfit)
    if label_key(mark.label).endswith("email address") and "@" not in text:  # the form of a newsletter
        score -= 2.0
    elif label_of(text) is not None and (count > 1) == (kind is Type.TEXT):
        score -= 0.5
    elif kind is not Type.TEXT and (text[-1] in ".:" or len(text) > MAX_REFERENCE):
        score -= 1.0
    elif first.glued and kind in (Type.REFERENCE, Type.REFERENCES) and not text[0].isupper():  # "Category 5: a storm"
        score -= 2.0
    usual = 1 if mark.line.glued else 3  # what follows the last label may be the page's footer
    return score + 1.0 - (0.0 if ends_text else min(4.0, 0.1 * max(0, count - usual) + 0.4 * blanks))


def _best_chain(lines: list[Line], marks: list[Mark]) -> list[Mark]:
    """Returns the chain of marks with the highest score; a label that the text has at several places is tried at each alone."""
    marks = _without_entities(lines, marks)
    places: dict[str, list[Mark]] = {}
    for mark in marks if len(marks) < _MANY_MARKS else ():
        if mark.type not in (Type.GROUP, Type.INSTRUCTIONS):
            places.setdefault(mark.label, []).append(mark)
    doubtful = [some[:_MAX_PLACES] for some in places.values() if len(some) > 1][:_MAX_DOUBTFUL]
    ends = [[one for some in doubtful for one in some if one is not some[at]] for at in (0, -1)[: 2 * len(doubtful)]]
    tries = [[mark for mark in marks if mark not in gone] for gone in ([], *ends)]  # comments come last, quotations first
    best = max((_chain_from(lines, one) for one in tries), key=itemgetter(0))
    for some in doubtful:
        tries = [[mark for mark in marks if mark is kept or mark not in some] for kept in some]
        found, kept = max(((_chain_from(lines, one), one) for one in tries), key=lambda one: one[0][0])
        if found[0] >= best[0]:
            best, marks = found, kept
    chain = best[1]
    orders = [mark.entry.order if mark.entry is not None else len(LABELS) for mark in chain]
    quoted = (at for at in range(1, len(chain) // _QUOTED) if orders[at] + _ORDER_SLACK < min(orders[:at]))
    return chain[max(quoted, default=0) :]  # the page's first labels come after those that the body quotes


def _chain_from(lines: list[Line], marks: list[Mark]) -> tuple[tuple[float, int], list[Mark]]:
    """Returns a chain with a high score, and its score and first line; of equals the one that begins last: the body is longer."""
    after_labels = [lines[mark.end] for mark in marks if mark.end < len(lines) and mark.type is not Type.INSTRUCTIONS]
    compact = 4 * sum(not line.text for line in after_labels) < len(after_labels)
    filled = list(accumulate((bool(line.text) for line in lines), initial=0))
    times = Counter(mark.label for mark in marks)
    begin = last = len(marks)
    total, chosen, seen = [0.0] * (begin + 1), [begin] * (begin + 1), [0] * (begin + 1)
    for index in range(len(marks) - 1, -1, -1):
        mark = marks[index]
        bit = 0 if mark.entry is None or mark.type is Type.GROUP else 1 << mark.entry.order
        best, best_next, skipped = -1e9, last, 0.0
        first_at = next((at for at in range(mark.end, len(lines)) if lines[at].text), len(lines))
        for after in range(index + 1, min(index + 2 + _MAX_SKIPPED, last + 1)):
            end = marks[after].at if after < last else len(lines)
            if after > index + 1 and (inner := marks[after - 1]).label != mark.label:
                is_only = mark.type is Type.TEXT and times[inner.label] == 1 and _disorder(mark, inner) < _OUT_OF_ORDER
                skipped += _PER_SPACE * inner.label.count(" ") + _ONLY * is_only
            first = lines[first_at] if first_at < end else None
            count = filled[end] - filled[mark.end]
            blanks = end - mark.end - count if compact else 0
            score = total[after] + _score(mark, first, count, blanks, ends_text=after == last)
            if after < last:
                score -= _disorder(mark, marks[after]) + (2.0 if seen[after] & bit else 0.0) + skipped
            if score > best:
                best, best_next = score, after
        total[index], chosen[index], seen[index] = best, best_next, seen[best_next] | bit
        if best > total[begin]:
            begin = index
    chain: list[Mark] = []
    score = total[begin]
    while begin < last:
        chain.append(marks[begin])
        begin = chosen[begin]
    return (score, chain[0].at if chain else 0), chain


def _without_entities(lines: list[Line], marks: list[Mark]) -> list[Mark]:
    """Returns the labels without those below another entity's byline that the page has elsewhere or that are out of order."""
    kept = list(marks)
    for at in (at for at, line in enumerate(lines) if FORMS["lines"]["entity"].match(line.text)):
        above, below = ([mark for mark in kept if (mark.at > at) is is_below] for is_below in (False, True))
        is_other = above and (above[-1].type in (Type.REFERENCE, Type.REFERENCES) or len(above) >= MANY_LABELS)
        for mark, after in zip(below, [*below[1:], None], strict=False) if is_other else ():
            is_own = sum(mark.label == one.label for one in kept) < 2
            if is_own and (after is None or _disorder(mark, after) < _OUT_OF_ORDER):
                break
            kept.remove(mark)
    return kept


def _disorder(mark: Mark, following: Mark) -> float:
    """Rates how far a label is out of order before the next one; on real pages, labels move by a few places only."""
    if mark.entry is None or following.entry is None:
        return 0.0
    places = mark.entry.order - following.entry.order
    if places > 0 and mark.entry.type is Type.GROUP:
        return 2 * _OUT_OF_ORDER
    if places > _ORDER_SLACK:  # within a line, one word may as well be a name's last ("Ada County")
        return _OUT_OF_ORDER * (2 if any(one.line.glued and " " not in one.label for one in (mark, following)) else 1)
    return max(0, places) * 0.1


def table_items(lines: list[Line]) -> list[list[SubField]]:
    """Returns the items of a group printed as a table: labels in the first row. If each cell is a line, dates show the rows."""
    labels = list(takewhile(lambda line: is_member_line(line.text), lines))
    cells = lines[len(labels) :]
    if len(labels) > 1 and {label.text for label in labels}.isdisjoint(line.text for line in cells):
        last = len(labels) - 1
        dated = next((at for at, label in enumerate(labels) if FORMS["lines"]["dated"].search(label.text)), None)
        times = range(last, len(cells), last + 1) if dated is None else [at for at, one in enumerate(cells) if is_time(one.text)]
        starts = [at - (last if dated is None else dated) for at in times]
        spans = [*pairwise([*starts, len(cells)])]
        if starts[:1] == [0] and all(start + (dated or 0) < end for start, end in spans):
            texts = ([*([one] for one in cells[start:end][:last]), cells[start:end][last:]] for start, end in spans)
            return [[*zip(labels, item, strict=False)] for item in texts]
    rows = [[cell.strip() for cell in FORMS["lines"]["cell_border"].split(line.text.strip("| "))] for line in lines]
    if len(rows) < 2 or len(rows[0]) < 2 or not all(map(is_member_line, rows[0])):
        return []
    labels = [replace(lines[0], text=cell) for cell in rows[0]]
    items = zip(lines[1:], rows[1:], strict=True)
    return [[(one, [replace(line, text=cell, links=())]) for one, cell in zip(labels, row, strict=False)] for line, row in items]
