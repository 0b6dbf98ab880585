"""Title and byline of a text capture: what stands between the site's menus and the body, found from the evidence in the text."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise, takewhile
from typing import NamedTuple

from parsers.registry import is_distinctive, label_key, section_of_instruction
from parsers.scalars import iso_time, reference
from parsers.source import NOTICE
from parsers.textlines import FORMS, MANY_LABELS, Line, is_sentence, is_short, next_filled

_HEAD = FORMS["head"]
Span = tuple[int, int]
_MAX_BYLINE, _MAX_NAME, _MAX_NAME_WORDS, _MAX_TITLE = 200, 80, 8, 400
_MAX_BYLINE_LINES, _MAX_BYLINE_PARTS = 60, 5  # blank lines included, where each part of a byline is an element of its own
_NOTICE = ("attention", "questions?")  # first words of the site's notice
_NOTICE_LINES, _LINES_ABOVE_BYLINE = 8, 3
_MENU_LINES, _FEW_ITEMS = 40, 2  # lines, and usual items that a body may contain as headings
_OWN_LABELS = 3  # labels above a teaser, and not below it: then it is in a field of the record
_GLUED = 3  # words in a line that begin within another one, as where an extractor put a menu's items into one line
_MAX_TEASERS = 100  # titles of other records that one page refers to; a page with more is a list


@dataclass(slots=True)
class TextHead:
    """Title and byline. `end`: the line where the body begins; `is_whole_page`: the site's menus precede the record."""

    title: str | None = None
    name: str | None = None
    time: str | None = None
    end: int = 0
    is_whole_page: bool = False
    spans: dict[str, Span] = field(default_factory=dict)


class _Byline(NamedTuple):
    at: int
    end: int
    name: str | None
    time: str | None
    is_signed: bool = False  # it has a word, such as `Submitted` or `By`, and a time


def read_head(lines: list[Line], *, teasers_end: int) -> TextHead:
    """Reads title and byline of the record whose fields, or first instructions, follow `lines`. `teasers_end`: see below."""
    head, bylines = TextHead(), list[_Byline]()
    filled = sentences = 0
    for index, line in enumerate(lines[teasers_end:], start=teasers_end):
        is_quoted = 0 < filled <= 2 * sentences  # in the body: menus and banners have more short lines than sentences
        byline = None if is_quoted else _find_byline(lines, index)
        is_inside = bylines != [] and index < bylines[-1].end
        if byline is not None and (byline.is_signed or not is_inside):
            bylines[len(bylines) - is_inside :] = [byline]
        if line.text and not _is_notice(line.text):
            filled += 1
            sentences += line.text[-1] in ".:" and len(line.text.split()) >= _MAX_NAME_WORDS
    at, title = _find_title(lines, bylines, teasers_in(lines[:teasers_end]))
    head.title, head.end = title, at + 1
    if title is not None:
        head.spans["title"] = (lines[at].first, lines[at].last)
    is_sole = len(bylines) == 1 and bylines[0].is_signed  # then menus may be between
    byline = next((one for one in bylines if one.at > at and (is_sole or _is_near(lines, at, one))), None)
    if byline is None and (teasers_end or not any(line.text for line in lines[: max(at, 0)])):  # the document's title, or none
        byline = next(iter(bylines), None)
    if byline is None and title is not None:
        byline = _find_bare_byline(lines, at + 1)
    if byline is not None:
        head.name, head.time, head.end = byline.name, byline.time, byline.end
        head.spans |= dict.fromkeys(("submitted_by", "submitted_at"), (lines[byline.at].first, lines[byline.end - 1].last))
    above = [line.text for line in lines[: byline.at if byline else max(at, 0)] if line.text and not _is_notice(line.text)]
    head.is_whole_page = _has_navigation(lines) or sum(text != title for text in above) > 1
    near = [index for index in range(head.end, len(lines)) if lines[index].text][:_NOTICE_LINES]
    head.end = max(teasers_end, max((at + 1 for at in near if _is_notice(lines[at].text)), default=_end_of_menu(lines, head.end)))
    return head


def end_of_teasers(lines: list[Line]) -> int:
    """Returns the line after the teasers of other records that precede a record on its page; 0 if there are none."""
    teasers = teasers_in(lines)
    labels = [index for index, line in enumerate(lines) if is_distinctive(line.plain)] if teasers else []
    middle = labels[len(labels) // 2] if labels else 0
    last = (at for at in range(middle) if lines[at].plain[:9].lower() == "read more" or any(map(lines[at].text.count, teasers)))
    end = max(last, default=-1) + 1
    own, before = ({label_key(lines[index].plain) for index in labels if (index >= end) is is_own} for is_own in (True, False))
    return end if len(own) >= MANY_LABELS and len(before - own) < _OWN_LABELS else 0


def without_foot(lines: list[Line]) -> list[Line]:
    """Returns the lines above comments, links to write one, and what else Drupal prints below the fields."""
    start = max((at for at, line in enumerate(lines) if is_distinctive(line.plain)), default=len(lines))
    foot = [at for at in range(start, len(lines)) if _HEAD["foot"].fullmatch(lines[at].plain)]
    comments = (at for at in range(start, max(foot, default=start)) if _HEAD["comments"].fullmatch(lines[at].text))
    return lines[: min([*comments, *foot], default=len(lines))]


def is_list(title: str | None, above: list[Line], lines: list[Line]) -> bool:
    """Whether the text shows several records, or a teaser of this one; a full record beside teasers of others is a record."""
    instructed = filter(None, (section_of_instruction(line.plain) for line in lines))
    opened = Counter(section for section, _ in groupby(instructed))
    return title in teasers_in(above + lines) or sum(count > 1 for count in opened.values()) > 1


def teasers_in(lines: list[Line]) -> set[str]:
    """Returns titles of records that the page only refers to: it prints each no more often than its link `Read more about`."""
    texts = [line.plain for line in lines if line.text]
    more = (_HEAD["more"].fullmatch(text) or _HEAD["more"].fullmatch(f"{text} {after}") for text, after in pairwise([*texts, ""]))
    links = Counter(found[1] for found in more if found)
    return {title for title, count in links.items() if texts.count(title) <= count} if len(links) < _MAX_TEASERS else set(links)


def _without_arrow(line: Line) -> str:
    return line.plain.rstrip(" >»›/|")


def _is_notice(text: str) -> bool:
    return label_key(text) in _NOTICE or NOTICE in label_key(text)


def _is_frame(line: Line) -> bool:
    return _is_notice(line.text) or _HEAD["navigation"].fullmatch(line.plain) is not None


def _has_navigation(lines: list[Line]) -> bool:
    return any(_HEAD[name].match(line.plain) for line in lines for name in ("tabs", "breadcrumb", "skip"))


def _end_of_menu(lines: list[Line], start: int) -> int:
    """Returns the line after the last one of the menus that follow the title, up to the first sentence; `start` without any."""
    filled = [index for index in range(start, len(lines)) if lines[index].text][:_MENU_LINES]
    short = takewhile(lambda at: is_short(lines[at].text), filled)
    menu = [at for at in short if _HEAD["navigation"].fullmatch(lines[at].plain) or _HEAD["menu"].fullmatch(lines[at].plain)]
    return menu[-1] + 1 if len(menu) > _FEW_ITEMS or _has_navigation([lines[at] for at in menu]) else start


def _is_near(lines: list[Line], title_at: int, byline: _Byline) -> bool:
    """Whether a byline belongs to the title: little but the site's notice is between them."""
    between = [line.text for line in lines[title_at + 1 : byline.at] if line.text and not _is_frame(line)]
    return len(between) <= _LINES_ABOVE_BYLINE and sum(map(len, between)) <= _MAX_BYLINE


def _find_title(lines: list[Line], bylines: list[_Byline], teasers: set[str]) -> tuple[int, str | None]:
    """Returns the title's line and the title, by the best evidence available; (-1, None) if there is none."""
    filled = [index for index, line in enumerate(lines) if line.text and len(line.text) <= _MAX_TITLE]
    if not filled:
        return -1, None
    first = lines[filled[0]].text
    document = _HEAD["site"].split(first, maxsplit=1)[0]
    whole = document if reference(document) or document[0].isalpha() else None  # not a reference without its date
    repeated = [at for at in filled[1:] if lines[at].plain == document and (document != first or at == filled[1])]
    repeated = repeated if not _is_frame(lines[filled[0]]) else []
    tops = [at for at in filled if not bylines or at < bylines[0].at]
    references = [at for at in filled if (one := _without_arrow(lines[at])) not in teasers and reference(one)]
    references = references or [at for at in tops if _HEAD["title"].fullmatch(_without_arrow(lines[at]))]
    bulleted = (list(run) for is_item, run in groupby(filled, lambda at: lines[at].plain != lines[at].text) if is_item)
    crumbs = {_without_arrow(lines[run[-1]]) for run in bulleted if run[1:] and _without_arrow(lines[run[0]]).lower() == "home"}
    last_crumb = [at for at in filled if lines[at].text in crumbs]
    followed = [index for index in references if any(one.at > index and _is_near(lines, index, one) for one in bylines)]
    headings = [index for index in filled if lines[index].heading == 1]
    for found in (followed, repeated, [at for at in references if at in headings], references, last_crumb, headings):
        if found:
            has_site = found[0] == filled[0] and ("|" in first or reference(document))
            title = whole if has_site else _without_arrow(lines[found[0]])
            short = takewhile(lambda at: not is_sentence(lines[at].text), filled[filled.index(found[0]) :])
            again = (at for at in short if _without_arrow(lines[at]) == title)
            return max(again, default=found[0]), title  # as in a breadcrumb
    if reference(document):
        return filled[0], document
    tabs = next((index for index in filled if _HEAD["tabs"].match(lines[index].plain)), 0)
    has_menus, site = _has_navigation(lines), first.rpartition("|")[2].strip() if "|" in first else ""

    def is_passed(line: Line) -> bool:
        if not has_menus:
            return _is_notice(line.text)
        return _is_frame(line) or line.plain == site or (bylines != [] and _HEAD["menu"].fullmatch(line.plain) is not None)

    before = range((bylines[0].at if bylines else tabs) - 1, filled[0] if site else -1, -1)
    above = next((at for at in before if lines[at].text and not is_passed(lines[at])), -1)
    is_site = above not in before[:_NOTICE_LINES] and all(map(is_passed, lines[:above]))  # its name, which comes first
    is_title = above in filled and not is_site and not lines[above + 1].glued and lines[above].plain == lines[above].text
    named = [above] if is_title and not _is_frame(lines[above]) else []
    if not named and not bylines:
        links = [at for at in filled for name in ("tabs", "breadcrumb") if _HEAD[name].match(lines[at].plain)]
        below = [at for at in filled if links and at > links[-1] and lines[at].plain == lines[at].text]
        named = [at for at in below if not _is_frame(lines[at])]
        rest = [at for at in named if not _HEAD["menu"].fullmatch(lines[at].plain)]
        if rest[:1] != named[:1]:  # what follows the menus is the body
            return (rest[0] if rest else len(lines)) - 1, None
        named = named[:1]
    if not named and "|" in first and document != first and not is_sentence(first):
        return filled[0], whole
    is_glued = not named or len(_HEAD["glue"].findall(lines[named[-1]].text)) >= _GLUED
    return (-1, None) if is_glued else (named[-1], lines[named[-1]].text)


def _find_byline(lines: list[Line], at: int) -> _Byline | None:
    """Returns the byline that begins on a line; it has several lines if each of its parts was a separate element."""
    text = lines[at].text
    if not _HEAD["submitted"].match(text) or len(text) > _MAX_BYLINE:
        below = next_filled(lines, at + 1) if text and _is_name(text) and lines[at].plain == text else None
        is_above_time = below is not None and _HEAD["name_above_time"].fullmatch(lines[below].text)
        return _Byline(at, below + 1, text, iso_time(lines[below].text)) if below and is_above_time else None
    filled = [index for index in range(at, min(at + _MAX_BYLINE_LINES, len(lines))) if lines[index].text][:_MAX_BYLINE_PARTS]
    joined = [*accumulate((lines[index].text for index in filled), "{} {}".format)]
    parsed = [_parse_byline(one, at, index + 1) for one, index in zip(joined, filled, strict=True)]
    parsed += [_parse_byline(f"{one}, {lines[end].text}", at, end + 1) for one, end in zip(joined, filled[1:3], strict=False)]
    timed = [one for one in parsed if one is not None and one.time is not None]
    is_cut = _HEAD["without_name"].fullmatch(text) is not None and filled[1:2] == [at + 1]  # the name is on the next line
    return max(timed, key=lambda one: "T" in (one.time or ""), default=parsed[1] if is_cut else parsed[0])


def _find_bare_byline(lines: list[Line], start: int) -> _Byline | None:
    """Returns the byline below a title if it is a name and a date without a word between, or a date."""
    filled = [index for index in range(start, len(lines)) if lines[index].text and not _is_frame(lines[index])][:2]
    texts = accumulate((lines[index].text for index in filled), "{} {}".format)
    found = ((_HEAD["bare_byline"].fullmatch(text), index) for text, index in zip(texts, filled, strict=True))
    return next((_Byline(filled[0], end + 1, one["name"], iso_time(one["time"])) for one, end in found if one), None)


def _parse_byline(text: str, at: int, end: int) -> _Byline | None:
    for pattern in FORMS["bylines"].values():
        if found := pattern.fullmatch(" ".join(text.split())):
            name, printed, verb = found["name"].strip(" ,"), found["time"] or found["date"] or "", bool(found["verb"])
            is_whole = verb or (name and (printed or text.endswith((",", " on"))))
            if is_whole and (not printed or iso_time(printed)) and (not name or _is_name(name)):
                name = "" if name.casefold() == "on" else name
                return _Byline(at, end, name or None, iso_time(printed), printed != "")
    return None


def _is_name(text: str) -> bool:
    return len(text) <= _MAX_NAME and len(text.split()) <= _MAX_NAME_WORDS and not _HEAD["stop"].match(text, len(text) - 1)
