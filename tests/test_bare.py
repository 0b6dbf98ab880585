"""Pages without classes whose plain fields are closed say the same as read in full, also where something stands in the way.

tests/test_straight.py holds this of made-up and mutated pages; here is what each rule of `parsers/bare.py` is for.
"""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from parsers import html
from parsers.bare import Closed
from parsers.page import parse_page
from parsers.record import ParseResult
from parsers.tree import build

URL = "https://bjatta.bja.ojp.gov/node/7"
BODY = "<div><p>Help is asked for.</p></div>"
LONG = f"<div><p>{'Help is asked for. ' * 20}</p></div>"


def field(label: str, *values: str) -> str:
    return f"<div><div>{label}</div>" + "".join(f"<div>{value}</div>" for value in values) + "</div>"


FIELDS = field("TTA Short Name", "Reentry unit") + field("Status of Deliverable", '<a href="/taxonomy/term/4">Completed</a>')
MORE = field("Is an interpreter needed?", "No") + field("TTA Title", "A plan") + field("County", "Cuyahoga")
MILESTONE = "<div>" + field("Milestone Title", "Kick-off") + field("Milestone Notes", "Done.") + "</div>"


def page(inside: str, *, root: str = "article", around: str = "<div>{}</div>") -> bytes:
    return f"<html><body><{root}>{around.format(inside)}</{root}></body></html>".encode()


def read(content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[ParseResult, int]:
    """The page as read, which must be as in full, and how many fields were read closed."""
    closed: list[int] = []
    read_closed = html.read_closed

    def counted(root: object, fields: dict[int, object], base: str | None) -> object:
        found = read_closed(root, fields, base)  # type: ignore[arg-type]
        closed.append(len(fields) if found is not None else 0)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(html, "read_closed", counted)
        quick = parse_page(content, url=URL)
    with monkeypatch.context() as patch:
        patch.setattr(html, "close_bare", lambda node, base: None)
        full = parse_page(content, url=URL)
    assert quick == full
    return quick, sum(closed)


CLOSED = {
    "fields": (BODY + FIELDS + MORE, 5),
    "an item a value": (BODY + FIELDS + field("TTA Source", "<div>One</div><div>Two</div>"), 3),
    "lines, times and nothing": (
        FIELDS
        + field("County", "One<br>Two")
        + field("Status Changed", '<time datetime="2025-01-02T03:04:05Z">Thu</time>')
        + field("TTA Title", ""),
        5,
    ),
    "groups": (FIELDS + field("Milestone", f"<div>{MILESTONE}</div><div>{MILESTONE}</div>") + MORE, 6),
    "instructions": (FIELDS + field("Event Date Markup", "<p>Please enter</p><ul><li>the date</li></ul>") + MORE, 6),
    "instructions in several items": (FIELDS + field("Event Date Markup", "<div><p>One.</p></div><div>Two.</div>"), 3),
    "a field of another shape": (FIELDS + "<div><h3>TTA Source</h3><p>Request</p></div>" + MORE, 5),
    "unlisted labels before the first listed": (field("Is an interpreter needed?", "No") + FIELDS, 2),
    "a value spelled like a label": (FIELDS + field("Category", "<div>County</div><div>Archived</div>") + MORE, 5),
    "a time spelled like a label": (FIELDS + field("TTA Event Date", "<time>County</time> - <time>Archived</time>"), 2),
    "values beside each other": (FIELDS + field("TTA Source", "One", "Two"), 2),
    "a group's items without the group's words": (
        FIELDS + field("Milestone", f"<div><div>{field('Title', 'Kick-off')}</div></div>") + MORE,
        5,
    ),
    "a label of the registry in a group": (
        FIELDS + field("Milestone", f"<div><div>{field('Milestone Title', 'x')}{field('Archived', 'On')}</div></div>"),
        0,
    ),
    "one item with the first label again": (
        FIELDS + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestone Title', 'b')}</div></div>"),
        2,
    ),
    "questions of one item": (
        FIELDS + field("Performance Metrics", f"<div><div>{field('Metric 1?', 'a') + field('Metric 2?', 'b')}</div></div>"),
        2,
    ),
    "a body that quotes a field": ("<div><p>Quoted:</p>" + field("County", "x") + "<p>So far.</p></div>" + FIELDS + MORE, 0),
    "a field in another record's teaser": (FIELDS + MORE + f"<article>{field('County', 'Elsewhere') * 2}</article>", 0),
    "text around the fields": (f"Posted on 01/02/2025 {FIELDS} by Ann Onym {MORE}", 0),
    "a line of the head beside the fields": (f"<span>Posted on 01/02/2025</span>{field('County', 'by Ann Onym')}", 0),
    "a byline in a block": (f"<div>Submitted by <span>Ann Onym</span> on 01/02/2025</div>{FIELDS}", 2),
    "a notice among the values": (LONG + FIELDS + field("Please note", "This website is under construction.") + MORE, 5),
    "a notice as label": (LONG + FIELDS + field("This website is under construction", "Questions?") + MORE, 5),
    "a notice in instructions": (
        LONG + FIELDS + field("X Markup", "<p>One.</p><p>This website is under construction.</p>") + MORE,
        5,
    ),
    "a label in instructions": (FIELDS + field("X Markup", "<p>County</p><p>Cuyahoga</p>") + MORE, 5),
    "emphasis never closed": (FIELDS.replace("<div>Reentry", "<div><b>Reentry") + MORE, 0),
    "an empty label": (FIELDS + field("", "Value") + MORE, 5),
    "a comment in a field": (FIELDS + MORE.replace("<div>A plan", "<!-- x --><div>A plan"), 4),
    "a link from the page's own address": (FIELDS + field("TTA Source", '<a href="?page=1">Next</a>') + MORE, 5),
    "a label of a group in an item": (
        FIELDS + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestone 2', 'b')}</div></div>"),
        2,
    ),
    "a section in an item": (
        FIELDS + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestones Markup', 'b')}</div></div>"),
        0,
    ),
    "a numbered group": (FIELDS + field("Milestone 2", f"<div>{MILESTONE}</div>") + MORE, 6),
    "a title in instructions": (FIELDS + field("X Markup", "<h1>20250129-145639-07</h1><p>One.</p>") + MORE, 5),
    "classes in instructions": (FIELDS + field("X Markup", '<ul><li class="label">a<em class="item">b</em></li></ul>') + MORE, 5),
    "values without labels after the fields": (FIELDS + "<div><section>A line.</section><section>Another</section></div>", 2),
    "an unlisted label of another shape": (
        FIELDS + "<p><strong>Room</strong> 12</p><p><strong>County</strong> Cuyahoga</p>",
        2,
    ),
    "unlisted labels in another record": (
        BODY + f"<article><div>{field('TTA Title', 'Elsewhere') + field('Room', '12')}</div></article>",
        0,
    ),
    "a body that quotes a field of another shape": (
        f"<div><div><h3>County</h3><p>x</p></div><div>{'Well. ' * 40}</div></div>" + FIELDS + MORE,
        5,
    ),
    "a byline after the fields": (FIELDS + "<div>Submitted by Ann Onym on 01/02/2025</div>", 2),
    "a list of records": (FIELDS * 3, 6),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_fields_are_read_as_in_full(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    inside, closed = CLOSED[name]
    _, found = read(page(inside), monkeypatch)
    assert found == closed


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "<div><div>{}</div></div>",
        "<h2>7</h2><div>{}</div>",
        "Seven {} words",
        '<fieldset class="form-item"><legend>General</legend><div>{}</div></fieldset>',
        '<div class="usa-prose">{}</div><ul><li><a href="/node/7#comments">Add a comment</a></li></ul>',
    ],
)
@pytest.mark.parametrize("root", ["article", "main"])
def test_wrappers_around_closed_fields_are_looked_through(monkeypatch: pytest.MonkeyPatch, around: str, root: str) -> None:
    found, closed = read(page(BODY + FIELDS + MORE, root=root, around=around), monkeypatch)
    assert found.record is not None
    assert (found.record.short_name, found.record.county, closed) == ("Reentry unit", "Cuyahoga", 5)


@pytest.mark.parametrize(
    "around",
    [
        "<h1>Title {}</h1>",
        "<h2><div>{}</div></h2>",
        "<span>{}</span>",
        "<table><tr><td>{}</table>",
    ],
)
def test_what_can_take_fields_in_is_read_in_full(monkeypatch: pytest.MonkeyPatch, around: str) -> None:
    assert read(page(BODY + FIELDS + MORE, around=around), monkeypatch)[1] == 0


def test_what_lies_too_deep_is_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "<div>" * 117 + BODY + FIELDS + "</div>" * 117
    assert read(page(deep), monkeypatch)[1] == 0


@pytest.mark.parametrize("mark", ['class="field"', 'class="field--name-x"', 'data-quickedit-field-id="node/7/x/en/full"'])
def test_pages_that_name_a_field_are_left_to_other_roads(monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    assert read(page(FIELDS + MORE + f"<div {mark}><div>Note</div><div>x</div></div>"), monkeypatch)[1] == 0


def test_a_tree_with_nothing_closed_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    content = page("<h3>County</h3><p>Cuyahoga</p><h3>TTA Title</h3><p>A plan</p>")
    built: list[Closed] = []
    whole = Closed.whole

    def kept(self: Closed) -> object:
        built.append(self)
        found = whole(self)
        assert found is self.root
        return found

    monkeypatch.setattr(Closed, "whole", kept)
    parse_page(content, url=URL)
    assert len(built) == 1


def test_an_article_or_a_marked_field_is_no_plain_text() -> None:
    """What holds it has to know of it, even if no element is in it."""
    article = LexborHTMLParser(
        "<div><article>A</article><p data-quickedit-field-id='node/7/body/en/full'>B</p><p>C</p></div>"
    ).css_first("div")
    assert article is not None
    assert [element.is_plain_text() for element in build(article).elements] == [False, False, True]
