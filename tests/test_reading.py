"""What a page says, no more and no less: labels by evidence, values of every kind, nothing from around the record."""

# ruff: noqa: E501 (markup is easier to read in one line)
from __future__ import annotations

import pytest

from parsers.contacts import is_contact
from tests.markupkit import BARE, BYLINE, CLASSED, URL, bare, field, page, read


def rows(inside: str) -> list[tuple[str | None, str | None]]:
    """Label and value of each row but those of the two fields that every page here has."""
    usual = {("TTA Short Name", "Roundtable"), ("County", "Ada County"), ("Target Audience", "Judges")}
    found = [(row.label, row.value) for row in read(page(inside)).fields]
    return [row for row in found if row not in usual]


HIDDEN = '<div class="field field--name-{} field--label-hidden field--item">{}</div>'


@pytest.mark.parametrize(
    ("kind", "markup", "text"),
    {
        "heading": ("body field--type-text-with-summary", "<h2>Purpose</h2><p>To meet.</p>", "Purpose\n\nTo meet."),
        "known label": ("body field--type-text-long", "<p>County</p><p>Ada was asked.</p>", "County\n\nAda was asked."),
        "group's label": ("field-note field--type-text-long", "<h3>Milestone</h3><p>x</p>", "Milestone\n\nx"),
        "other spelling": ("field-x field--label--hidden", "<strong>TTA Title</strong> y", "TTA Title y"),
    }.values(),
)
def test_a_field_whose_label_is_hidden_has_no_label(kind: str, markup: str, text: str) -> None:
    assert rows(HIDDEN.format(kind, markup) + CLASSED) == [(None, text)]


def test_a_label_needs_no_class_where_only_items_follow_it() -> None:
    title = '<div class="title {}">{}</div>'
    of_field = "field field--name-field-{} field--type-string field--label-above"
    unknown = f'<div class="{of_field.format("a")}">{title.format("", "Room")}<div class="field__item">12</div></div>'
    several = (
        f'<div class="{of_field.format("b")}">{title.format("usa-sr-only", "Guests")}<div class="{of_field.format("b")} field__items">'
        '<div class="field__item">Bo</div><div class="field__item">Cal</div></div></div>'
    )
    empty = f'<div class="{of_field.format("c")}">{title.format("", "Remarks")}</div>'
    assert rows(CLASSED + unknown + several + empty) == [("Room", "12"), ("Guests", "Bo"), ("Guests", "Cal"), ("Remarks", None)]


@pytest.mark.parametrize(
    ("label", "name", "section"),
    [("Before you begin", "start", "Before you begin"), (None, "metrics-note", "field_metrics_note")],
)
def test_markup_fields_are_instructions_whatever_their_label(label: str | None, name: str, section: str) -> None:
    text = "<p>Please answer the questions below.</p>"
    markup = field(label, text, name, "markup") if label else HIDDEN.format(f"field-{name} field--type-markup", text)
    record = read(page(CLASSED + markup + field("Room", "12")))
    assert [(one.label, one.text) for one in record.sections] == [(section, "Please answer the questions below.")]
    assert [row.section for row in record.fields] == [None, None, section]


SHAPES = {
    "classes with a prefix": '<div class="c-field c-field--name-tta-title"><h2 class="c-field__label">{}</h2><div class="c-field__item">{}</div></div>',
    "a class that ends in title": '<div class="pane pane-tta-title"><h2 class="pane-title">{}</h2><div class="pane-content">{}</div></div>',
    "values without elements": "<div><div>{}</div>{}</div>",
    "nothing around a field": "<div>{}</div>{}",
    "pairs in a grid": '<div class="info-label">{}</div><div class="info-value">{}</div>',
    "headings and paragraphs": "<h4>{}</h4><p>{}</p>",
    "a heading in a header": '<div class="string"><header><h2>{}</h2></header>{}</div>',
    "a mark for required": '<div><div>{}<span class="form-required">*</span></div><div>{}</div></div>',
    "an anchor before the label": '<div><div><a id="a"></a>{}</div><div>{}</div></div>',
    "spans": '<span class="field"><span class="field__label">{}</span><span class="field__item">{}</span></span>',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fields_are_read_in_the_markup_of_any_theme(shape: str) -> None:
    def fields(*pairs: tuple[str, str]) -> str:
        return "".join(SHAPES[shape].format(*pair) for pair in pairs)

    pairs = (("TTA Short Name", "Roundtable"), ("TTA Title", "A"), ("Room", "12"), ("County", "Ada County"))
    items = [fields(("Milestone Title", title), ("Milestone Date", "2024-04-01")) for title in ("A", "B")]
    group = "".join(f'<div class="paragraph paragraph--type--milestone">{item}</div>' for item in items)
    record = read(page(f"<div><p>Help.</p></div><div>{fields(*pairs, ('Milestone', group), ('I Agree', 'On'))}</div>"))
    assert [(row.label, row.value) for row in record.fields[1:] if not row.item] == [*pairs, ("I Agree", "On")]
    assert [(one.title, one.date) for one in record.milestones] == [("A", "2024-04-01"), ("B", "2024-04-01")]
    assert record.description == "Help."


WRAPPED = "<div class='row'><div class='w-1'><dt>{}</dt></div><div class='w-2'><dd>{}</dd></div></div>"
SPANS = "<span class='row'><span class='k'>{}</span><span class='v'>{}</span></span>"


@pytest.mark.parametrize(("pair", "around"), [(WRAPPED, "<dl>{}</dl>"), (SPANS, "<span>{}</span>")], ids=["dl", "spans"])
def test_labels_and_values_in_wrappers_of_any_kind(pair: str, around: str) -> None:
    item = pair.format("Milestone Title", "{0}") + pair.format("Milestone Due Date", "2024-04-0{1}")
    items = "".join(around.format(item.format(title, number)) for number, title in enumerate("AB", start=1))
    fields = (("TTA Short Name", "Roundtable"), ("Room", "12"), ("County", "Ada County"), ("Milestone", items))
    record = read(page(f"<div><p>Help.</p></div><div>{''.join(pair.format(*one) for one in fields)}</div>"))
    assert [(row.label, row.value) for row in record.fields if row.label and not row.item] == list(fields[:3])
    assert [(one.title, one.date) for one in record.milestones] == [("A", "2024-04-01"), ("B", "2024-04-02")]


LOGIN = '<a href="/user/login?destination=/node/7%23comment-form">Log in</a> or <a href="/user/register">register</a> to post comments'
REFERENCE = '<h2><a href="/node/9" rel="bookmark">Orb Institute</a></h2><footer>Submitted by Cal on x</footer><a href="/node/9">Read more</a>'
AROUND = {
    "comments": '<section class="comments"><h2>Comments</h2><article class="comment"><h3>Thanks</h3><p>County</p></article></section>',
    "comments without classes": '<section><h2>Comments</h2><article data-comment-user-id="3"><p>Good work.</p></article></section>',
    "log in to comment": f'<ul class="links inline"><li>{LOGIN}</li></ul>',
    "log in to comment, no classes": f"<ul><li>{LOGIN}</li></ul>",
    "another record": f'<article data-history-node-id="9">{REFERENCE}</article>',
    "an author's profile": '<article typeof="schema:Person" about="/user/8"><img src="/me.png" alt="Me"></article>',
    "an author's picture": '<div class="field field--name-user-picture field--type-image"><img src="/me.png" alt="Me"></div>',
    "the title again": '<span class="field field--name-title field--type-string field--label-hidden">20240129-145639-07</span>',
    "the title as a heading": '<h3 class="node-title"><a href="/node/7">20240129-145639-07</a></h3>',
    "share buttons": '<div class="a2a_kit addtoany_list"><a href="https://x.example/">Share</a></div>',
    "a pager": '<ul class="pager"><li><a href="?page=1">Next</a></li></ul>',
    "tabs": '<ul class="tabs nav-tabs"><li><a href="/node/7/edit">Edit</a></li></ul>',
    "breadcrumbs": '<div class="breadcrumb"><a href="/">Home</a> » <a href="/tta">TTA</a></div>',
    "a flag": '<div class="flag flag-bookmark action-flag"><a href="/flag/flag/bookmark/7">Bookmark this</a></div>',
    "a reader's mode": '<div class="reader-header"><a class="domain reader-domain" href="/x">x</a><div></div><div class="reader-estimated-time">1 minute</div></div>',
    "a footer": "<footer><p>Bureau of Justice Assistance</p></footer>",
    "tabs named like labels": '<ul class="horizontal-tabs-list"><li><a href="#a"><strong>Milestones</strong> (active tab)</a></li></ul>',
    "an archive's toolbar": '<div id="wm-ipp-base"><div id="wm-ipp"><table><tr><td>Jan</td></tr></table></div></div>',
    "a related listing": '<div class="views-element-container"><div class="views-row">County<div>Elsewhere</div></div></div>',
}


@pytest.mark.parametrize("what", AROUND)
@pytest.mark.parametrize("fields", [CLASSED, BARE], ids=["classes", "bare"])
@pytest.mark.parametrize("first", [True, False])
def test_what_surrounds_a_record_is_no_part_of_it(what: str, fields: str, first: bool) -> None:
    body = "<div><p>Help is asked for.</p></div>"
    inside = AROUND[what] + BYLINE + body + fields if first else BYLINE + body + fields + AROUND[what]
    record = read(page(f"<div>{inside}</div>"))
    assert (record.description, record.submitted_by) == ("Help is asked for.", "Ann Onym")
    assert rows(f"<div>{inside}</div>") == [(None, "Help is asked for.")]


FILE = '<span class="file file--mime-application-pdf"><a href="/plan.pdf">The plan</a></span><span>1 byte</span>'
TITLE = '<h2><a href="/node/9" rel="bookmark"><span class="field field--name-title">Orb Institute</span></a></h2>'
HIDDEN_LABEL = field("Document", FILE).replace('"field--label"', '"field--label sr-only"')


@pytest.mark.parametrize(
    ("value", "text", "href"),
    [
        ('<img src="/logo.png" alt="Our logo">', "Our logo", "/logo.png"),
        ('<img src="/logo.png" title="A logo">', "A logo", "/logo.png"),
        ('<a href="/x"><img src="/logo.png" alt=""></a>', "https://bjatta.bja.ojp.gov/logo.png", "/x"),
        (FILE, "The plan", "/plan.pdf"),
        ('<a href="/t/1">Complete</a> <span class="print-footnote">[2]</span>', "Complete", "/t/1"),
        ('<a href="/t/1">Complete</a> [2]', "Complete", "/t/1"),
        ('<a href="/x">Orb<span class="ext"><span class="visually-hidden">(link is external)</span></span></a>', "Orb", "/x"),
        (f'<article class="media">{HIDDEN_LABEL}</article>', "The plan", "/plan.pdf"),
        (f'<article data-history-node-id="9">{REFERENCE}</article>', "Orb Institute", "/node/9"),
        (f"<article>{TITLE}{field('County', 'Ada County')}</article>", "Orb Institute", "/node/9"),
        ('<span about="/node/8" typeof="schema:Organization">Orb Institute</span>', "Orb Institute", None),
        ("Category", "Category", None),
        ('<a href="/t/1">Ada</a> with <a href="/t/2">Orb</a>', "Ada with Orb", None),
        ("<p>County</p><p>Archived</p>", "County\n\nArchived", None),
        ("<ul><li><p>One</p></li><li><p>Two</p></li></ul>", "• One\n• Two", None),
    ],
)
def test_a_value_is_what_its_item_shows(value: str, text: str, href: str | None) -> None:
    row = read(page(CLASSED + field("Room", value, kind="entity-reference"))).fields[-1]
    assert (row.label, row.value, row.href) == ("Room", text, href and f"https://bjatta.bja.ojp.gov{href}")
    assert not row.person


CODED, MAIL = "5a30357428353f1a3f223b372a363f7435283d", "jo.roe@example.org"
HIDDEN_MAIL = f'<span class="__cf_email__" data-cfemail="{CODED}">[email&#160;protected]</span>'


@pytest.mark.parametrize(
    ("value", "text", "href"),
    [
        (HIDDEN_MAIL, MAIL, None),
        (f'<a href="/web/2020/https://b.org/cdn-cgi/l/email-protection#{CODED}">{HIDDEN_MAIL}</a>', MAIL, f"mailto:{MAIL}"),
        (f'<a href="/cdn-cgi/l/email-protection#{CODED}">Write to us</a>', "Write to us", f"mailto:{MAIL}"),
        (HIDDEN_MAIL.replace(CODED, "5a5b5c5d5e5f"), "[email protected]", None),
    ],
)
def test_an_email_address_that_cloudflare_replaced_is_restored(value: str, text: str, href: str | None) -> None:
    row = read(page(CLASSED + field("Room", value))).fields[-1]
    assert (row.value, row.href) == (text, href)
    assert is_contact(row.label, row.name, None, row.value, row.href) is (text != "[email protected]")


PERSONS = (
    '<span about="/user/8" typeof="schema:Person" property="schema:name">Ann Onym</span>',
    '<span itemscope itemtype="https://schema.org/Person"><span itemprop="name">Ann Onym</span></span>',
    '<a rel="author" href="/x">Ann Onym</a>',
    '<div class="vcard"><span class="fn">Ann Onym</span></div>',
)


@pytest.mark.parametrize("value", PERSONS)
def test_markup_says_that_a_value_is_a_person(value: str) -> None:
    row = read(page(CLASSED + field("Room", value))).fields[-1]
    assert (row.value, row.person) == ("Ann Onym", True)


def test_a_link_in_a_text_between_fields_is_not_what_the_text_is() -> None:
    row = read(page(f'{BARE}<p>See <a href="/user/8" rel="author">the plan</a> first.</p>')).fields[-1]
    assert (row.label, row.value, row.href, row.person) == (None, "See the plan first.", None, False)


def test_a_link_around_an_item_is_the_items_link() -> None:
    linked = '<div class="field field--name-field-x field--label-above"><div class="field--label">Room</div>'
    linked += '<a href="/t/1"><div class="field--item">Big hall</div></a></div>'
    row = read(page(CLASSED + linked)).fields[-1]
    assert (row.label, row.value, row.href) == ("Room", "Big hall", "https://bjatta.bja.ojp.gov/t/1")


TOP = '<div class="top-label">{}</div>'
ROW = "<table><tr><th>{}</th><td>{}</td></tr></table>"
LIKE_LABELS: dict[str, tuple[str, list[tuple[str | None, str]]]] = {
    "a line before the fields": (f"<p>Insights.</p><p>County</p><div>{BARE}</div>", [(None, "Insights.\n\nCounty")]),
    "a body that quotes labels": (
        f"<div><p>County</p><p>Was asked.</p><p>TTA Title</p></div>{BARE}{bare('TTA Title', 'x')}",
        [(None, "County\n\nWas asked.\n\nTTA Title"), ("TTA Title", "x")],
    ),
    "a value like a label": (
        "<h3>TTA Short Name</h3><p>Roundtable</p><h3>TTA Title</h3><p>County</p><h3>Room</h3><p>12</p>",
        [("TTA Title", "County"), ("Room", "12")],
    ),
    "bold labels after a section": (
        "<p><b>TTA Short Name:</b> Roundtable</p><h3>X Markup</h3><p>Please.</p><p><b>TTA Source:</b> One</p>",
        [("TTA Source", "One")],
    ),
    "tables of one row": (ROW.format("TTA Short Name", "Roundtable") + ROW.format("TTA Source", "x"), [("TTA Source", "x")]),
    "a label with a colon": (CLASSED + field("Room:&nbsp;", "12"), [("Room", "12")]),
    "a list in a body": (
        f"<div><dl><dt>County</dt><dd>Ada</dd></dl></div>{BARE}{bare('TTA Title', 'x')}{bare('TTA Source', 'y')}",
        [(None, "County\nAda"), ("TTA Title", "x"), ("TTA Source", "y")],
    ),
    "help above a group of unlisted fields": (
        f"{BARE}<details><summary>Where</summary><div>If <i>so</i>.<p>See</p>{bare('Room', '12')}{bare('Guests', '3')}</div></details>",
        [("Room", "12"), ("Guests", "3")],
    ),
    "help in an element, and a value without a label": (
        f"{CLASSED}<li><button>Where</button><div><div>If known.</div>{field('Room', '12')}<div>Hall</div></div></li>",
        [("Room", "12"), (None, "Hall")],
    ),
    "help below a group": (
        f"{BARE}<fieldset><div>Hall</div>{bare('TTA Title', 'x')}<i id='a--description'>If known.</i></fieldset><p>Comments</p>",
        [(None, "Hall"), ("TTA Title", "x"), (None, "Comments")],
    ),
    "a colon after a label": (f"<p><b>TTA Title</b>: x</p><p><b>Room</b>: 12</p>{BARE}", [("TTA Title", "x"), ("Room", "12")]),
    "a colon in an element": (
        f"{BARE}<div><span class='k'>TTA Title</span><span>:</span> <span>x</span></div><div><b>Room</b><i>: </i>12</div>",
        [("TTA Title", "x"), (None, "Room: 12")],
    ),
    "a caption of a table": (
        f"{CLASSED}<table><caption>Details</caption><tr><th>TTA Title</th><td>x</td></tr><tr><th>Room</th><td>12</td></tr></table>",
        [("TTA Title", "x"), ("Room", "12")],
    ),
    "a field whose class is also its items'": (
        f"{CLASSED}<div class='field__label'>Room</div>12{field('TTA Title', 'x').replace('field ', 'field__items field ', 1)}",
        [("Room", "12"), ("TTA Title", "x")],
    ),
    "a wrapper inside a field": (
        f'{BARE}<div class="field--name-field-x"><div><div class="a">TTA Title</div><div class="b">x</div></div></div>',
        [("TTA Title", "x")],
    ),
    "links below the last value": (
        '<dl><dt>County</dt><dd>Ada County</dd><dt>TTA Title</dt><dd>x</dd><div class="links"><a href="/a">Add</a></div></dl>',
        [("TTA Title", "x")],
    ),
    "a heading above nothing": (
        f'<header><div><span>2 September, 2020</span></div></header>{CLASSED}<div class="x-label-above">Comments</div>',
        [],
    ),
    "a group in elements without classes": (
        f"{BARE}<div><div>Who</div><div>{bare('TTA Title', 'x')}{bare('TTA Source', 'y')}</div></div>",
        [(None, "Who"), ("TTA Title", "x"), ("TTA Source", "y")],
    ),
    "a described group of unlisted fields": (
        f"{BARE}<div><div>If known.</div>{bare('Room', '12')}{bare('Guests', '3')}</div>",
        [(None, "If known."), ("Room", "12"), ("Guests", "3")],
    ),
    "values beside labels with classes": (
        f"<div>{TOP.format('TTA Title')} x{TOP.format('Floor')} 2<div>{TOP.format('Room')}12</div></div>{BARE}",
        [("TTA Title", "x"), ("Floor", "2"), ("Room", "12")],
    ),
}


@pytest.mark.parametrize(("inside", "expected"), LIKE_LABELS.values())
def test_a_line_is_a_label_only_where_the_page_uses_it_as_one(inside: str, expected: list[tuple[str | None, str]]) -> None:
    assert rows(f"<div>{inside}</div>") == expected


@pytest.mark.parametrize(
    "line",
    [
        '<div>Enviado por <span><a class="username" href="/user/8">Ann Onym</a></span> el {}</div>',
        "<footer><div>Enviado por <span>Ann Onym</span> el {}</div></footer>",
        '<div class="node-submitted"><div><span><a href="/user/8">Ann Onym</a></span></div><div>{}</div></div>',
    ],
)
def test_a_byline_in_any_language_is_known_by_its_author_and_its_time(line: str) -> None:
    stamp = '<time datetime="2024-01-29T14:56:39-05:00">lun, 29/01/2024</time>'
    record = read(page(line.format(stamp) + CLASSED))
    assert (record.submitted_by, record.submitted_at, len(record.fields)) == ("Ann Onym", "2024-01-29T19:56:39Z", 2)
    body = read(page(f"<div><p>Submitted by Jane Roe on Monday</p><p>was the note.</p></div>{BARE}"))
    assert (body.submitted_by, body.description) == (None, "Submitted by Jane Roe on Monday\n\nwas the note.")
    for place in ("header", "div class='node__meta'"):
        dated = read(page(f"<{place}><span>2 September, 2020</span></{place.split()[0]}>{CLASSED}"))
        assert (dated.submitted_by, dated.submitted_at, len(dated.fields)) == (None, "2020-09-02", 2), "a date without an author"


def test_the_byline_after_a_notice_is_found_without_an_article() -> None:
    notice = (
        "<div><h4>Attention</h4><p>This website is under construction. Please send questions to <a href='/x'>us</a>.</p></div>"
    )
    record = read(page(f"{notice}{BYLINE}<div>{BARE}</div>", root="<div>{}</div>"))
    assert (record.submitted_by, record.submitted_at) == ("Ann Onym", "2024-01-29T19:56:39Z")
    assert record.description is None
    below = read(page(f"<div><p>{'A long text. ' * 500}</p>{BYLINE}</div><div>{BARE}</div>", root="<div>{}</div>"))
    assert below.submitted_by is None, "a byline that a long text quotes"


@pytest.mark.parametrize("verb", ["Submitted", "submitted", "Posted", "Authored"])
def test_the_byline_above_the_record_is_found(verb: str) -> None:
    """A print page has it in its head; an empty article in it is the picture of the author."""
    byline = BYLINE.replace("Submitted", verb)
    head = f"<p>Published on BJA NTTAC{' (https://bjatta.bja.ojp.gov)' * 5}</p><footer><article></article>{byline}</footer>"
    for root in ('<div class="print"><article class="tta full">{}</article></div>', "<div>{}</div>"):
        record = read(page(f"<div>{BARE}</div>", root=head + root))
        assert (record.submitted_by, record.form, record.fields[-1].value) == ("Ann Onym", "html", "Ada County")


def test_the_classes_of_drupal_7_name_the_type_of_the_node() -> None:
    assert read(page(CLASSED, root='<article class="node node-tta article">{}</article>')).county == "Ada County"


PAIRS = [
    ("TTA Short Name", "Roundtable"),
    ("Status of Deliverable", "Completed"),
    ("County", "Ada County"),
    ("Remote TTAC ID", "4711"),
]
CELLS_OF = "<tr><td>{}</td><td>{}</td></tr>"
MARKUP = {
    "paragraphs in turn": ("{}", "<p>{}</p><p>{}</p>"),
    "columns": ("{}", "<div><div><p><b>{}</b></p></div><div><p>{}</p></div></div>"),
    "lines": ("<div>{}</div>", "{}<br>{}<br>"),
    "lines with colons": ("<pre>{}</pre>", "{}: {}\n"),
    "bold words in one element": ("<span>{}</span>", "<b>{}:</b> {}<br>"),
    "list": ("<ul>{}</ul>", "<li>{}: {}</li>"),
    "definitions in wrappers": ("<dl class='grid'>{}</dl>", "<div class='col'><dt class='k'>{}</dt><dd class='v'>{}</dd></div>"),
    "table with a header": ("<table><thead><tr><th>Field</th><th>Value</th></tr></thead>{}</table>", CELLS_OF),
    "table with a bold first row": ("<table><tr><td><b>Field</b></td><td><b>Value</b></td></tr>{}</table>", CELLS_OF),
    "table of four columns": ("<table><tr>{}</tr></table>", "<td>{}</td><td>{}</td>"),
}


@pytest.mark.parametrize("how", MARKUP)
def test_a_page_in_markup_of_any_kind_is_read(how: str) -> None:
    around, pair = MARKUP[how]
    text = "<p>Submitted by Ann Onym on Mon, 01/29/2024 - 14:56</p><p>Help is asked for.</p><p>Soon.</p>"
    record = read(page(text + around.format("".join(pair.format(*one) for one in PAIRS)), root="<div>{}</div>"))
    assert [(row.label, row.value) for row in record.fields if row.name != "body"] == PAIRS
    assert (record.description or "").split() == "Help is asked for. Soon.".split()
    assert (record.title, record.submitted_by, record.submitted_at) == ("20240129-145639-07", "Ann Onym", "2024-01-29T14:56:00")


@pytest.mark.parametrize(
    "head",
    [
        "<!-- saved from url=(0040)https://bjatta.bja.ojp.gov/node/7 -->",
        "<!--\n Page saved with SingleFile \n url: https://bjatta.bja.ojp.gov/node/7 \n saved date: Mon Jan 29 2024\n-->",
        '<link rel="canonical" href="https://web.archive.org/web/20240131000000/https://bjatta.bja.ojp.gov/node/7">',
        '<link rel="shortlink" href="https://bjatta.bja.ojp.gov/node/7"><link rel="canonical" href="https://bjatta.bja.ojp.gov/tta/a">',
        '<meta property="og:url" content="https://bjatta.bja.ojp.gov/node/7">',
        '<meta name="savepage-url" content="https://bjatta.bja.ojp.gov/node/7">',
        '<html data-scrapbook-source="https://bjatta.bja.ojp.gov/node/7">',
    ],
)
@pytest.mark.parametrize("url", [None, "https://copies.example/AB12-CD34"])
def test_a_copy_names_the_pages_own_address(head: str, url: str | None) -> None:
    record = read(
        page(field("Room", '<a href="/t/1">Hall</a>') + CLASSED, head=head, root="<article class='tta full'>{}</article>"), url
    )
    assert (record.node_id, record.url) == (7, URL)
    assert record.fields[0].href == "https://bjatta.bja.ojp.gov/t/1"


@pytest.mark.parametrize(
    ("printed", "changed_at"),
    [
        ("Mon, 11/04/2019 - 10:49", "2019-11-04T15:49:47Z"),
        ("Mon, 11/04/2019 - 05:49", "2019-11-04T10:49:47Z"),
        ("11/04/2019", "2019-11-04T10:49:47Z"),
    ],
)
def test_a_local_time_that_is_marked_as_utc_is_read_as_local(printed: str, changed_at: str) -> None:
    time = field("Status Changed", f'<time datetime="2019-11-04T10:49:47Z">{printed}</time>', "status-changed", "datetime")
    for content in (BYLINE + CLASSED + time, f'<div class="layout__region">{CLASSED + time}</div>'):
        assert read(page(content)).status_changed_at == changed_at
    assert read(page(CLASSED + time)).status_changed_at == "2019-11-04T10:49:47Z"
