"""What a page says, no more and no less: labels by evidence, values of every kind, nothing from around the record."""

# ruff: noqa: E501 (markup is easier to read in one line)
from __future__ import annotations

import pytest

from parsers.contacts import is_contact
from tests.markupkit import BARE, BYLINE, CLASSED, URL, field, page, read
from tests.tables import read_table

CASES = read_table("tables/reading.toml")


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


@pytest.mark.parametrize("shape", CASES["shapes"])
def test_fields_are_read_in_the_markup_of_any_theme(shape: str) -> None:
    def fields(*pairs: tuple[str, str]) -> str:
        return "".join(CASES["shapes"][shape].format(*pair) for pair in pairs)

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


@pytest.mark.parametrize("what", CASES["around"])
@pytest.mark.parametrize("fields", [CLASSED, BARE], ids=["classes", "bare"])
@pytest.mark.parametrize("first", [True, False])
def test_what_surrounds_a_record_is_no_part_of_it(what: str, fields: str, first: bool) -> None:
    body = "<div><p>Help is asked for.</p></div>"
    around = CASES["around"][what]
    inside = around + BYLINE + body + fields if first else BYLINE + body + fields + around
    record = read(page(f"<div>{inside}</div>"))
    assert (record.description, record.submitted_by) == ("Help is asked for.", "Ann Onym")
    assert rows(f"<div>{inside}</div>") == [(None, "Help is asked for.")]


@pytest.mark.parametrize(("value", "text", "href"), CASES["values"])
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


@pytest.mark.parametrize("name", CASES["like_labels"])
def test_a_line_is_a_label_only_where_the_page_uses_it_as_one(name: str) -> None:
    inside = CASES["like_labels"][name]["inside"].replace("{BARE}", BARE).replace("{CLASSED}", CLASSED)
    assert tuple(rows(f"<div>{inside}</div>")) == CASES["like_labels"][name]["rows"]


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
    signed = read(page(f"<div><span class='post-date'>Yesterday</span><b class='author'>Ann Onym</b></div>{CLASSED}"))
    assert (signed.submitted_by, signed.submitted_at, len(signed.fields)) == ("Ann Onym", None, 2)
    spanish = "<div class='submitted'>Enviado por <span class='username'>Ann Onym</span> el Lun, 01/29/2024 - 14:56</div>"
    for markup in (spanish, "<div><div>By Ann Onym</div><div>January 29, 2024</div></div>"):
        spoken = read(page(f"{markup}{CLASSED}"))
        assert (spoken.submitted_by, (spoken.submitted_at or "")[:10], len(spoken.fields)) == ("Ann Onym", "2024-01-29", 2)


def test_the_byline_after_a_notice_is_found_without_an_article() -> None:
    notice = (
        "<div><h4>Attention</h4><p>This website is under construction. Please send questions to <a href='/x'>us</a>.</p></div>"
    )
    record = read(page(f"{notice}{BYLINE}<div>{BARE}</div>", root="<div>{}</div>"))
    assert (record.submitted_by, record.submitted_at) == ("Ann Onym", "2024-01-29T19:56:39Z")
    assert record.description is None
    below = read(page(f"<div><p>{'A long text. ' * 500}</p>{BYLINE}</div><div>{BARE}</div>", root="<div>{}</div>"))
    assert below.submitted_by is None, "a byline that a long text quotes"


@pytest.mark.parametrize("byline", [f"<div>{BYLINE}</div>", ""])
def test_the_frame_of_a_site_without_an_article_is_no_part_of_the_record(byline: str) -> None:
    record = f"<div>{byline}<div><p>Help is asked for.</p></div>{BARE}</div>"
    title = "<div><h1>20240129-145639-07</h1></div>"
    frame = (
        f"<body><div><div>Reporting Portal</div></div><div>{title}{record}</div><div><div>Powered by Drupal</div></div></body>"
    )
    found = read(frame.encode())
    assert (found.title, found.description, len(found.fields)) == ("20240129-145639-07", "Help is asked for.", 4)


def test_a_line_above_the_body_is_not_the_description() -> None:
    assert read(page(f"<div>Portal</div><div>Help is asked for.</div>{BARE}")).description == "Help is asked for."
    assert read(page(f"<div>Help wanted</div><div>Hall</div>{BARE}")).description == "Help wanted"


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


@pytest.mark.parametrize("how", CASES["markup"])
def test_a_page_in_markup_of_any_kind_is_read(how: str) -> None:
    around, pair = CASES["markup"][how]
    text = "<p>Submitted by Ann Onym on Mon, 01/29/2024 - 14:56</p><p>Help is asked for.</p><p>Soon.</p>"
    record = read(page(text + around.format("".join(pair.format(*one) for one in PAIRS)), root="<div>{}</div>"))
    assert [(row.label, row.value) for row in record.fields if row.name != "body"] == PAIRS
    assert (record.description or "").split() == "Help is asked for. Soon.".split()
    assert (record.title, record.submitted_by, record.submitted_at) == ("20240129-145639-07", "Ann Onym", "2024-01-29T14:56:00")


@pytest.mark.parametrize("head", CASES["heads"])
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


def test_the_noon_of_a_date_without_a_time_is_not_moved() -> None:
    time = field(
        "Status Changed", '<time datetime="2019-11-04T12:00:00Z">Mon, 11/04/2019 - 12:00</time>', "status-changed", "datetime"
    )
    assert read(page(BYLINE + CLASSED + time)).fields[-1].datetime == "2019-11-04T12:00:00Z"
    assert read(page(f'<div class="layout__region">{CLASSED + time}</div>')).status_changed_at == "2019-11-04T17:00:00Z"
