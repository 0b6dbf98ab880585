"""The lines of a text capture, without what the text extractor added: link marks, emphasis, headings, quote marks, wrapping.

A mark is removed only in a text that shows its extractor's style elsewhere too; the same characters in a body are the author's.
"""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from functools import reduce
from html import unescape
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import NamedTuple

from parsers.registry import label_of, section_of_instruction
from parsers.scalars import money_range, number, reference, time_range, yes_no

_RAW = tomllib.loads((files("parsers") / "textforms.toml").read_text(encoding="utf-8"))
_PARTS = _RAW.pop("parts")
FORMS = {
    table: {name: re.compile(re.sub("%([a-z]+)%", lambda part: _PARTS[part[1]], form)) for name, form in forms.items()}
    for table, forms in _RAW.items()
}
"""The patterns of textforms.toml, by table and name."""
_MARKS, _LINES = FORMS["marks"], FORMS["lines"]
_OPEN, _CLOSE, _JOIN = "\ue000", "\ue001", "\ue002"
"""Private characters: the first two are around a link, whose number follows `_OPEN`; `_JOIN` is in place of a line break."""
_LINK = re.compile(rf"{_OPEN}(\d+);([^{_OPEN}{_CLOSE}]*){_CLOSE}?")
_LINK_MARK = re.compile(rf"{_OPEN}\d+;|{_CLOSE}")
_EDGES = " \t\u200c\u200d"  # white space that is stripped
_LOOK = " \t*•◦▪·○■□+-_=#"  # indent, bullets, and marks of headings and emphasis
_UNSEEN = re.compile(rf"[\0-\x08\x0e-\x1b\x1f\x7f\u00ad\u200b\u200e\u200f\u2060\ufeff{_OPEN}{_CLOSE}{_JOIN}]")

_MANY_TARGETS = 3  # addresses in parentheses behind texts that are the extractor's; fewer may be the author's
_MANY_TAGS = 5  # tags in a text that are markup left by the extractor; a body that quotes one or two keeps them
_MIN_WIDTH, _MAX_WIDTH = 36, 132  # columns at which programs wrap text: from a quoted email to the widest terminal in use
_FULL_LINES = 3  # lines that were wrapped, of which a third or more go on in small letters; fewer are full by chance
_MAX_LINK_LINES, _MAX_FRONT_MATTER = 8, 40
_PAGE_EDGE = 5  # lines with text above and below a page's number that may be printed on every page
DASHES = ("-", "–", "—", "to", "until")  # what is left of a range without its dates
_MAX_SHORT = 60  # characters; the longest name of an agency type or audience seen has 48
_MAX_LABEL, _MAX_QUESTION, _MAX_TYPED, _RANGE_LINES = 80, 200, 200, 6
_MIN_SPACES = 3  # in a sentence; "Washington, D.C." and "Acme Inc." have fewer
MANY_LABELS = 4  # labels of a record that is printed in full; a teaser, a body and a sentence about the form have fewer
MAX_LINES = 50_000  # lines of a capture that are read, in about three seconds; the longest record seen has 2,000


class Link(NamedTuple):
    """A link as printed, and the address it goes to (None where the text does not have it)."""

    text: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line as a reader sees it. `first` and `last`: the source lines it was read from, counted from 0."""

    text: str
    first: int
    last: int
    heading: int = 0  # the level that it was marked with as a heading
    links: tuple[Link, ...] = ()
    glued: bool = False  # it was cut off the line before
    paired: bool = False  # it is a label, and a separator showed where its value begins
    look: str = ""  # its indent, bullet, marks of headings and emphasis, and a colon at its end

    @property
    def plain(self) -> str:
        """The text without a list's bullet or number."""
        found = _MARKS["bullet"].match(self.text)
        return self.text[found.end() :] if found else self.text


def source_lines(text: str) -> list[str]:
    """Returns the lines of the source, which `Line.first` and `Line.last` count."""
    return _MARKS["newline"].split(text)


def read_lines(text: str) -> list[Line]:
    """Returns the lines of a text capture. Blank lines are kept, except those between all lines of a double-spaced text."""
    raw = source_lines(text)[:MAX_LINES]
    raw = _MARKS["hyphen"].sub("-", _MARKS["space"].sub(" ", _UNSEEN.sub("", "\n".join(raw)))).split("\n")
    numbers = [int(found[1]) if (found := _MARKS["line_number"].match(line)) else 0 for line in raw if line.strip()]
    if len(numbers) > 1 and all(0 < one == after - 1 for one, after in pairwise(numbers)):
        raw = [_MARKS["line_number"].sub("", line, count=1) for line in raw]
    end = raw.index("---", 1) if raw[0] == "---" and "---" in raw[1:_MAX_FRONT_MATTER] else 0
    for at in range(end + 1 if all(map(_MARKS["front_matter"].match, raw[1:end])) and end else 0):
        raw[at] = "= " + raw[at][6:].strip(" '\"") + " =" if raw[at].startswith("title:") else ""
    quoted = [at for at, line in enumerate(raw) if line.lstrip().startswith(">")]
    if 2 * len(quoted) > sum(not line.isspace() and line != "" for line in raw):  # what is around the quotation is the mail's
        raw = [
            _MARKS["quoted"].sub("", line.lstrip(), count=1) if quoted[0] <= at <= quoted[-1] else ""
            for at, line in enumerate(raw)
        ]
    gone = _find_page_marks(text, raw)
    text = "".join(_JOIN if at in gone else f"{line}\n" for at, line in enumerate(raw))[:-1]
    for around in ("preamble", "signature"):
        text = _MARKS[around].sub(lambda found: "\n" * found[0].count("\n"), text)
    marked, hrefs = _replace_marks(text)
    texts = marked.split("\n")
    starts = accumulate((1 + text.count(_JOIN) for text in texts), initial=0)
    lines = [(at + text.count(_JOIN), text.replace(_JOIN, "")) for at, text in zip(starts, texts, strict=False)]
    while len(lines) > 8 and not any(line.strip(_EDGES) for _, line in lines[1::2]):
        lines = lines[::2]
    return _read_headings(_unwrap_lines(lines, raw, hrefs), is_markdown=_MARKS["markdown"].search("\n".join(raw)) is not None)


def _find_page_marks(text: str, raw: list[str]) -> set[int]:
    """Returns indexes of the lines at the edges of printed pages: "1/3", "2/3", what is repeated near them, and blank lines."""
    feet = {at: found for at, line in enumerate(raw) if (found := _MARKS["page_foot"].fullmatch(line))}
    filled = [at for at, line in enumerate(raw) if line.strip()]
    breaks = [*accumulate(page.count("\n") for page in text.split("\f"))]
    gone = {at - 1 for at in breaks[:-1] if 0 < at < len(raw) and not raw[at - 1].strip()}
    numbers = [(*map(int, found.groups()),) for found in feet.values()]
    if feet and numbers == [(page, len(feet)) for page in range(1, len(feet) + 1)]:
        around = [filled[max(0, index - _PAGE_EDGE) : index + _PAGE_EDGE + 1] for index, at in enumerate(filled) if at in feet]
        near = {*filled[:_PAGE_EDGE]}.union(*around)
        printed = Counter(" ".join(raw[at].split()) for at in near)
        edges = {text for text, count in printed.items() if count >= len(feet) and _MARKS["page_edge"].search(text)}
        if len(feet) > 1 or any("://" in text for text in edges):
            gone |= {at for at in near if at in feet or " ".join(raw[at].split()) in edges}
    new = gone
    while new := {at for one in new for at in (one - 1, one + 1) if 0 <= at < len(raw) and not raw[at].strip()} - gone:
        gone |= new
    return gone


def _replace_marks(text: str) -> tuple[str, list[str | None]]:
    """Returns the text without the extractor's marks, each link between private characters, and the links' addresses."""
    hrefs: list[str | None] = []

    def link(printed: str, href: str | None) -> str:
        hrefs.append(href and href.removeprefix("file://localhost").removeprefix("file://"))
        return f"{_OPEN}{len(hrefs) - 1};{printed}{_CLOSE}" if printed.strip() and not (href or "").startswith("#") else printed

    text = _MARKS["block"].sub(lambda found: "\n" * found[0].count("\n"), text)
    if found := _MARKS["reference_list"].search(text):
        addresses = {int(number): href for number, href in _MARKS["reference"].findall(found[0])}
        text = text[: found.start()]
    else:
        addresses = {int(number): href.strip("<>") for number, href in _MARKS["definition"].findall(text)}
    numbers = [int(number) for number, _ in _MARKS["number_before"].findall(text)]
    is_numbered = len(numbers) > 1 and all(one < after for one, after in pairwise(numbers))
    has_tags = "<" in text and (len(_MARKS["tag"].findall(text)) >= _MANY_TAGS or _MARKS["markdown"].search(text) is not None)
    if has_tags:
        text = _MARKS["tag"].sub(lambda tag: tag[0] if tag[0][:3] in ("<a ", "</a", "<a\n") else _join_marks(tag), text)
    for form in FORMS["links"].values():
        if len(form.findall(text)) >= _MANY_TARGETS:
            text = form.sub(lambda found: link(found["text"], found["href"]) + _join_marks(found, found["text"]), text)
            text = _MARKS["line_break"].sub("", _MARKS["attributes"].sub(_join_marks, text))
    text = _MARKS["tag"].sub(_join_marks, text) if has_tags else text
    entity = _MARKS["entity" if has_tags or "& " not in text else "numeric_entity"]
    if has_tags or len(entity.findall(text)) > 1:
        text = entity.sub(lambda found: _UNSEEN.sub("", " ".join(unescape(found[0]).split()) or " "), text)
    text = _MARKS["repeated"].sub(r"\1", _MARKS["definition"].sub("", text) if addresses else text)
    if _MARKS["markdown"].search(text):
        text = _MARKS["attributes"].sub(_join_marks, _MARKS["span"].sub(r"\1", _MARKS["image"].sub("", text)))
        text = _MARKS["glued_link"].sub(" ", text)
        text = _MARKS["inline_link"].sub(lambda found: link(found[1], found[2]) + _join_marks(found, found[1]), text)
        text = _MARKS["numbered_link"].sub(lambda found: link(found[1], addresses.get(int(found[2]))), text)
        text = _MARKS["escape"].sub(r"\1", _MARKS["autolink"].sub(r"\1", _MARKS["emphasis"].sub(r"\2", text)))
    elif len(_MARKS["target_after"].findall(text)) >= _MANY_TARGETS or _MARKS["relative_target"].search(text):
        text = _MARKS["target_after"].sub(lambda found: link(found[1], found[2]), text)
        text = _MARKS["target_within"].sub(_join_marks, text)
    if is_numbered or (addresses and numbers):
        text = _MARKS["number_before"].sub(lambda found: link(found[2], addresses.get(int(found[1]))), text)
    if _MARKS["underscores"].search(text):
        text = re.sub(r"(?<=[^\s_])_(?=[^\s_])", " ", text)
    return text, hrefs


def _join_marks(found: re.Match[str], kept: str = "") -> str:
    """Returns a `_JOIN` for each line break in a match that is not in `kept`, the rest of it."""
    return _JOIN * (found[0].count("\n") - kept.count("\n"))


def _unwrap_lines(lines: list[tuple[int, str]], raw: list[str], hrefs: list[str | None]) -> list[Line]:
    """Joins lines that a program wrapped because the next word would have passed the margin."""
    plain = [raw[number].rstrip(_EDGES) if line.strip(_EDGES) else "" for number, line in lines]  # wrapped with its link marks
    spaced = (line for line in plain if " " in line.strip() and not _MARKS["unwrapped"].match(line))
    width = max(map(len, spaced), default=0)
    wrapped = (at for at in range(len(plain)) if _MIN_WIDTH <= width <= _MAX_WIDTH and _is_wrapped(plain, at, width))
    following = [plain[at + 1].lstrip() for at in wrapped]
    if len(following) < _FULL_LINES or 3 * sum(text[0].islower() for text in following) < len(following):
        width = 0  # the lines end by chance
    found, parts = list[Line](), list[str]()
    first = depth = 0
    for index, (at, line) in enumerate(lines):
        first = first if parts else at
        parts.append(line.strip(_EDGES))
        depth += line.count(_OPEN) - line.count(_CLOSE)
        if (depth > 0 and len(parts) < _MAX_LINK_LINES) or (width and _is_wrapped(plain, index, width)):
            continue
        marked = reduce(join_wrapped, parts)
        links = tuple(Link(link[2].strip(), hrefs[int(link[1])]) for link in _LINK.finditer(marked)) if _OPEN in marked else ()
        text = _LINK_MARK.sub("", marked).strip(_EDGES) if links else marked
        text = "" if text == ":" or ("|" in text and _MARKS["rule"].fullmatch(text)) else text
        look = raw[first].removesuffix(raw[first].lstrip(_LOOK)) + ":" * text.endswith(":")
        found.append(Line(text, first, at, links=links, look=look))
        parts, depth = [], 0
    return found


def join_wrapped(text: str, following: str) -> str:
    """Joins two parts of a wrapped line, without a space after a hyphen."""
    return f"{text}{'' if re.search(r'[a-z]-$', text) else ' '}{following}"


def _is_wrapped(plain: list[str], index: int, width: int) -> bool:
    """Whether a line was wrapped: the next line's first word did not fit into `width`, and it begins no item or label."""
    if index + 1 >= len(plain) or not plain[index] or not plain[index + 1]:
        return False
    following = plain[index + 1].strip(_EDGES)
    after = plain[index + 2].lstrip()[:1] if index + 2 < len(plain) else ""
    if _MARKS["bullet"].match(following) or (label_of(following) and not after.islower()) or label_of(plain[index].strip(_EDGES)):
        return False
    return len(plain[index]) + 1 + len(following.split(maxsplit=1)[0]) > width and " " in plain[index].strip()


def _read_headings(lines: list[Line], *, is_markdown: bool) -> list[Line]:
    """Removes marks of headings and of emphasis around whole lines, and notes headings."""
    found: list[Line] = []
    for line in lines:
        text, level = line.text, 0
        if match := _MARKS["heading"].fullmatch(text):
            mark, bare = match["mark"], match["text"]
            if is_markdown or mark[0] != "#" or reference(bare) or label_of(bare):
                text, level = bare, 1 if mark[:2] in ("#", "=", "h1") or mark in ("=" * 6, "*" * 6) else 2
        is_line = _MARKS["line"].fullmatch(text) is not None
        if not is_line and (match := _MARKS["emphasized_line"].fullmatch(text)):
            text = match[2] + match[3]
        if is_markdown and found and found[-1].text and _MARKS["underline"].fullmatch(text):
            found[-1] = replace(found[-1], last=line.last, heading=1 if text[0] == "=" else 2, look=text[0])
        else:
            text = "" if is_line else text
            found.append(line if text is line.text else replace(line, text=text, heading=level))
    return found


def looks_like_label(line: str) -> bool:
    """Whether a line has the form of a label: a few capitalized words without a sentence's end."""
    return len(line) <= _MAX_LABEL and _LINES["label"].fullmatch(line) is not None and yes_no(line) is None


def is_label_like(text: str) -> bool:
    """Whether a text has the form of a label, or of a question that is one."""
    text = text.rstrip(" :")
    is_question = text.endswith("?") and text[0].isupper() and len(text) <= _MAX_QUESTION
    return looks_like_label(text) or (is_question and not _LINES["sentence_end"].search(text))


def is_typed(text: str) -> bool:
    """Whether a text can only be a value: a date, a number, an amount, Yes or No, a shape, a phone number, an address."""
    if not text or len(text) > _MAX_TYPED or reference(text):
        return False
    if text in DASHES or yes_no(text) is not None or number(text) is not None or _LINES["shape"].match(text) or is_time(text):
        return True
    is_money = text.startswith("$") and money_range(text) != (None, None)
    return is_money or _LINES["decimal"].fullmatch(text) is not None or _LINES["contact"].fullmatch(text) is not None


def is_time(text: str) -> bool:
    return time_range(text, None) != (None, None)


def is_sentence(text: str) -> bool:
    """Whether a line ends like a sentence and has more words than an abbreviation."""
    return text[-1:] in (".", ":", "!", "?") and text.count(" ") >= _MIN_SPACES


def is_short(text: str) -> bool:
    """Whether a line is as short as a name, and no sentence."""
    return len(text) <= _MAX_SHORT and not is_sentence(text)


def next_filled(lines: list[Line], at: int) -> int | None:
    """Returns the index of the next line with text, from `at` on."""
    return next((index for index in range(at, len(lines)) if lines[index].text), None)


def range_lines(lines: list[Line]) -> list[Line]:
    """Returns the first lines if together they are a range of times."""
    filled = [index for index, line in enumerate(lines[:_RANGE_LINES]) if line.text][:3]
    for count in range(len(filled), 0, -1):
        texts = [lines[index].text for index in filled[:count]]
        has_dash = count == 1 or any(text in DASHES or text.startswith("- ") or text.endswith(" -") for text in texts)
        if has_dash and is_time(" ".join(texts)):
            return lines[: filled[count - 1] + 1]
    return []


def join_lines(lines: list[Line]) -> Line:
    return replace(lines[0], text=" ".join(line.text for line in lines if line.text), last=lines[-1].last)


def linked_parts(line: Line) -> list[Line]:
    """Splits a line of several links with only separators between them: each link is a value."""
    rest = line.text
    for link in line.links:
        rest = rest.replace(link.text, "", 1)
    if len(line.links) < 2 or rest.strip(" ,;|/&•·\t"):
        return [line]
    return [replace(line, text=link.text, links=(link,)) for link in line.links if link.text]


def sentences(line: Line) -> list[Line]:
    """Splits a line where one of the form's fixed instructions begins or ends; some texts have several on a line."""
    pieces = _LINES["sentence_end"].split(line.text)
    if len(pieces) < 2 or not any(section_of_instruction(piece) for piece in pieces[1:]):
        return [line]
    return [replace(line, text=piece.strip(), glued=number > 0) for number, piece in enumerate(pieces)]


def text_of(lines: list[Line]) -> str:
    """Joins lines to a text: single blank lines between paragraphs, none around."""
    pieces = "".join(f"{' ' if line.glued and number else chr(10)}{line.text}" for number, line in enumerate(lines))
    return re.sub(r"\n{3,}", "\n\n", pieces).strip()
