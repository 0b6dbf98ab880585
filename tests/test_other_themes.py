"""Markup of themes in which something else than the usual class or place says what a part of the page is."""

# ruff: noqa: E501 (markup is easier to read in one line)
from __future__ import annotations

import pytest

from parsers.page import parse_page
from parsers.record import Kind
from parsers.registry import LABELS
from tests.markupkit import BARE, CLASSED, URL, bare, field, page, read

STAMP = '<time datetime="2024-01-29T14:56:39-05:00">Mon, 01/29/2024</time>'
LABELED = '<div><div class="form-label">{}</div><div class="f-x">{}</div></div>'
FORM_LABELS = LABELED.format("TTA Short Name", "Roundtable") + LABELED.format("County", "Ada County")


def pairs(inside: str) -> list[tuple[str | None, str | None]]:
    return [(row.label, row.value) for row in read(page(inside)).fields]


@pytest.mark.parametrize(
    ("line", "before"),
    [
        (f'<footer><div class="author">Submitted by <span>Ann Onym</span> on {STAMP}</div></footer>', False),
        (f'<small class="meta">Posted {STAMP} ago by <span class="field field--name-uid">Ann Onym</span></small>', True),
        ('<div class="node-submitted-details"><b><a href="/user/8">Ann Onym</a></b> <span>29 January 2024</span></div>', True),
        ('<div><span>By <span><a href="/user/8">Ann Onym</a></span>, 29  January,  2024</span></div>', True),
    ],
    ids=["below the fields", "the time first", "a date without an element", "without classes"],
)
def test_the_byline_is_read_in_any_place_and_order(line: str, before: bool) -> None:
    record = read(page(line + BARE if before else f"<div>{BARE}</div>{line}"))
    assert (record.submitted_by, (record.submitted_at or "")[:10], len(record.fields)) == ("Ann Onym", "2024-01-29", 3)


METRIC = '<div class="paragraph paragraph--type--metric">{}</div>'
MILESTONE = '<div class="paragraph paragraph--type--milestone">{}</div>'


@pytest.mark.parametrize("number", [1, 2])
def test_a_group_that_prints_neither_label_nor_classes_is_known_by_its_paragraphs(number: int) -> None:
    item = METRIC.format(bare("Question", "Useful?") + bare("Answer", "Yes"))
    metrics = read(page(f"{BARE}<div>{f'<div>{item}</div>' * number}</div>")).performance_metrics
    assert [(one.question, one.answer) for one in metrics] == [("Useful?", "Yes")] * number


def test_a_note_that_equals_a_label_is_a_note() -> None:
    def bold(label: str, value: str) -> str:
        return bare(f"<strong>{label}</strong>", value)

    item = MILESTONE.format(bold("Milestone Title", "Report") + bold("Milestone Notes", "<p>County</p><p>Elm</p>"))
    record = read(page(bold("TTA Title", "A") + bold("County", "Ada County") + bold("Milestone", f"<div>{item}</div>")))
    assert [(row.item, row.value) for row in record.fields[2:]] == [("Milestone 1", "Report"), ("Milestone 1", "County\n\nElm")]
    many = "".join(bare(entry.text, "x") for entry in LABELS[:9] if entry.text != "County")
    assert pairs(f"<div><p>Body.</p></div>{many}<div>County</div><div>x</div>")[-2:] == [(None, "County"), (None, "x")]
    assert pairs(FORM_LABELS + LABELED.format("TTA Source", "x") * 4 + "<div><div>County</div></div>")[-1] == (None, "County")


def test_the_forms_instructions_open_a_section_also_without_a_label() -> None:
    text = "Please respond to the Performance Metrics below. The questions are based on the type."
    record = read(page(f"<div><p>{text}</p></div>{BARE}"))
    assert (record.description, [row.section for row in record.fields]) == (None, ["Performance Metrics Markup"] * 3)
    assert read(page(f"<div><p>To meet.</p><p>{text}</p></div>{BARE}")).sections == (), "a body that quotes them"


ITEM = '<div class="field__item">{}</div>'
SHAPES = {
    "an outer element that is called an item": field("Room", "12").replace("label-above", "label-above field--item", 1),
    "classes of the label's place only": '<div class="field--room field--label-visually_hidden"><div class="field__label">Room</div>12</div>',
    "labels of forms": LABELED.format("Room", "12"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fields_are_known_by_less_than_their_usual_classes(shape: str) -> None:
    usual = FORM_LABELS if shape == "labels of forms" else CLASSED
    assert pairs(usual + SHAPES[shape] + usual.replace("Short Name", "Title"))[2] == ("Room", "12")
    assert pairs(usual + SHAPES[shape])[2:] == [("Room", "12")], "at the end, where no heading can be"


ROUND = {
    "comments in a list": '<section><h2>Comments (1)</h2><ul><li><article id="comment-3"><h4>County</h4><p>Ask Bo.</p></article></li></ul></section>',
    "the heading of a form": '<div class="card"><div class="card-header">Add new comment</div><div><form><input></form></div></div>',
    "headings of nothing": "<section><h2>Comments</h2><h2>Leave a reply</h2><form><input></form></section>",
    "links called a field": '<div class="links field is-grouped"><div><a href="/x">Add to list</a></div></div>',
    "a note of the last change": '<div class="last-update"><p>Page last updated on May 3, 2025</p></div>',
}


@pytest.mark.parametrize("what", ROUND)
def test_what_a_theme_prints_below_the_fields_is_no_field(what: str) -> None:
    assert pairs(f"<div>{BARE}</div>{ROUND[what]}") == pairs(f"<div>{BARE}</div>")


@pytest.mark.parametrize(
    "group",
    [
        '<ul><li><h3 role="button">Who</h3><div>If known.{}</div></li></ul>',
        '<div class="fieldgroup"><h3>Who</h3><div class="fieldgroup__items">{}</div></div>',
    ],
)
def test_fields_are_read_from_any_accordion_or_wrapper_of_items(group: str) -> None:
    for fields in (BARE, CLASSED):
        before = fields.replace("County", "TTA Title")
        assert pairs(before + group.format(fields)) == pairs(before) + pairs(fields)


def test_labels_beside_their_values_are_read_also_below_the_body() -> None:
    flat = '<div class="field__label">{}</div> {} '
    half = "".join(flat.format(label, "x") for label in ("TTA Short Name", "Category"))
    rest = "".join(flat.format(label, "<p>y</p>") for label in ("TTA Source", "County", "TTA Title"))
    found = pairs(f"<div><p>To meet.</p><p>Soon.</p>{half}</div><div>{rest}</div>")
    assert found[:3] == [(None, "To meet.\n\nSoon."), ("TTA Short Name", "x"), ("Category", "x")]
    assert len(found) == 6


def test_the_title_is_the_documents_and_never_the_heading_of_a_comment_or_the_site() -> None:
    title = "Débriefing — « Sécurité »"
    article = f"<article data-history-node-id=7 class='tta full'>{CLASSED}</article><h2 class=title>Comments</h2>"
    for heading in ("", "<h1>BJA NTTAC</h1>"):
        content = f"<html><head><title>{title} | BJA</title></head><body>{heading}{article}</body></html>"
        assert read(content.encode()).title == title
    assert read(f"<html><body>{article}</body></html>".encode()).title is None


QUOTED = "".join(f"<h2>{label}</h2><p>x</p>" for label in ("TTA Title", "Type of Agency", "TTA Source"))
OWN = "".join(bare(label, "x") for label in ("County", "Category", "Target Audience", "Event Date", "Notes"))


@pytest.mark.parametrize(("body", "kind"), [(QUOTED, Kind.OTHER), ("<p>x</p>", Kind.OTHER)])
def test_labels_that_a_body_quotes_beside_other_fields_are_no_evidence(body: str, kind: Kind) -> None:
    content = f"<main class=node><h1>Guide</h1><article data-history-node-id=7><div>{body}</div>{OWN}</article></main>"
    assert parse_page(content.encode(), url=URL).kind is kind
    record = content.replace("Notes", "TTA Point of Contact").replace("Event Date", "TTA Source")
    assert parse_page(record.encode(), url=URL).kind is Kind.RECORD, "also inside an element of the class `node`"


@pytest.mark.parametrize("path", ["/comment/reply/node/7/comment", "/comment/7/reply"])
def test_a_form_to_comment_on_a_record_is_no_record(path: str) -> None:
    assert parse_page(page(CLASSED), url=URL.replace("/node/7", path)).kind is Kind.OTHER


SUMMARY = '<div class="x-field x-field--body x-field--text-with-summary"><p>To meet.</p></div>'
NEAR = '<div><div class="node-author">By <a href="/user/8">Ann Onym</a></div><div class="node-date">January 29, 2024</div></div>'
ROOTS = {
    "a body of the class of nodes": '<html><body class="node node-tta"><h1>20240129-145639-07</h1><article data-history-node-id=7>{}</article>',
    "an article around the record's": "<article><h1>20240129-145639-07</h1><article><article data-history-node-id=7>{}</article></article></article>",
}


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_the_record_is_the_innermost_element_with_its_number(root: str) -> None:
    record = read(root.format(NEAR + SUMMARY + BARE).encode())
    assert (record.submitted_by, record.submitted_at, record.description) == ("Ann Onym", "2024-01-29", "To meet.")
    assert [row.label for row in record.fields if row.name != "body"] == ["TTA Short Name", "Target Audience", "County"]


def test_paragraphs_without_a_field_around_them_are_items_also_with_a_single_field() -> None:
    title = '<div class="x-field x-field--milestone-title"><b class="x-field__label">Milestone Title:</b> {}</div>'
    hidden = '<div class="field field--name-field-milestone-title field--label-hidden field--item">{}</div>'
    notes = '<h4 class="field__label">Milestone Notes</h4><div class="field__item"><p>Met.</p></div>' + field("Staff", "Bo")
    items = [title.format("Visit"), hidden.format("Report"), title.format("Call") + notes]
    asked = METRIC.format(bare("Question", "Useful?") + bare("People", "7"))
    rows = read(page(CLASSED + "".join(map(MILESTONE.format, items)) + field("TTA Source", "Request") + asked * 2)).fields[2:]
    assert [(row.item, row.label, row.value) for row in rows] == [
        ("Milestone 1", "Milestone Title", "Visit"),
        ("Milestone 2", None, "Report"),
        ("Milestone 3", "Milestone Title", "Call"),
        ("Milestone 3", "Milestone Notes", "Met."),
        ("Milestone 3", "Staff", "Bo"),
        (None, "TTA Source", "Request"),
        *(
            row
            for n in "12"
            for row in ((f"Performance Metrics {n}", "Question", "Useful?"), (f"Performance Metrics {n}", "People", "7"))
        ),
    ]


def test_a_body_that_begins_with_a_label_does_not_swallow_the_labels_beside_it() -> None:
    flat = "".join(f'<div class="field__label">{label}</div> x ' for label in ("TTA Short Name", "Category", "County"))
    body = "<p><strong>TTA Title</strong></p><p>Planning visit.</p>"
    found = pairs(f"<div>{body}{flat}</div><div><p>Below.</p></div>")
    assert found[:-1] == [
        (None, "TTA Title\n\nPlanning visit."),
        *((label, "x") for label in ("TTA Short Name", "Category", "County")),
    ]


def test_the_heading_of_a_print_page_is_its_title() -> None:
    content = f"<html><head><title>Visit to Elm</title></head><body><div class='node node-tta'><h2>Visit to Elm</h2><p>To meet.</p>{CLASSED}"
    record = read(content.encode(), "https://bjatta.bja.ojp.gov/print/7")
    assert (record.title, record.description, record.node_id) == ("Visit to Elm", "To meet.", 7)


BESIDE = (
    "<div>TTA Short Name</div> Roundtable <div>Target Audience</div> <a href='/t/2'>Judges</a><a href='/t/3'>Crime Analysts</a> "
)
AROUND = {
    "a region that begins with the body": ("<div>{}</div>", ""),
    "groups with headings": ("{}<details><summary>General</summary>{}</details>", "<div><h3>Performance Metrics</h3>{}</div>"),
}


@pytest.mark.parametrize("around", AROUND)
def test_labels_beside_their_values_are_read_in_any_part_of_the_page(around: str) -> None:
    body = "<h3>Background</h3><p>To meet.</p><h3>County</h3><p>Two share it.</p>"
    rest = "<div>County</div> Ada <div>Notes</div> <p>Met.</p> <div>TTA Source</div> <p>Request</p> <div>Category</div> TA"
    first, second = AROUND[around]
    top = first.format(body + BESIDE) if first.count("{}") == 1 else first.format(body, BESIDE)
    asked = '<div class="paragraph paragraph--type--metric"><div class="sr-only">Question</div> Useful? <div class="sr-only">People</div> 7</div>'
    record = read(page(f"{top}{(second or '<div>{}</div>').format(rest)}<div>Performance Metrics</div> {asked}"))
    assert record.description == "Background\n\nTo meet.\n\nCounty\n\nTwo share it."
    assert [(row.item, row.label, row.value) for row in record.fields if row.name != "body"] == [
        (None, "TTA Short Name", "Roundtable"),
        (None, "Target Audience", "Judges"),
        (None, "Target Audience", "Crime Analysts"),
        (None, "County", "Ada"),
        (None, "Notes", "Met."),
        (None, "TTA Source", "Request"),
        (None, "Category", "TA"),
        ("Performance Metrics 1", "Question", "Useful?"),
        ("Performance Metrics 1", "People", "7"),
    ]


def test_a_heading_in_a_body_without_an_element_of_its_own_is_no_label_among_fields_with_classes() -> None:
    found = pairs(f"<h3>Background</h3><p>To meet.</p><h3>County</h3><p>Two.</p>{CLASSED}")
    assert found == [(None, "Background\n\nTo meet.\n\nCounty\n\nTwo."), *pairs(CLASSED)]


def test_a_field_of_a_paragraph_may_be_called_a_paragraph_and_a_body_a_summary() -> None:
    title = (
        '<div class="paragraph milestone field-milestone-title string label-above"><div>Milestone Title</div><div>{}</div></div>'
    )
    items = MILESTONE.format(title.format("Visit") + title.format("Bo").replace("Title", "Staff")) + MILESTONE.format(
        title.format("Call")
    )
    body = '<div class="node body text-with-summary label-hidden"><p>To meet.</p></div>'
    record = read(page(body + BARE + bare("Milestone", items)))
    assert record.description == "To meet."
    assert [(one.title, one.position) for one in record.milestones] == [("Visit", 1), ("Call", 2)]


def test_a_label_that_a_theme_prints_again_in_front_of_each_value_is_no_part_of_it() -> None:
    texts = {"Type of Agency": "Courts", "Category": "Training", "TTAR Source": "BJA", "Target Audience": "Judges"}
    fields = "".join(field(label, f"{label}: {text}") for label, text in texts.items())
    record = read(page(CLASSED + fields))
    assert (record.agency_types, record.target_audience) == (["Courts"], ["Judges"])
