"""Groups: fields inside the items of milestones and metrics, and fields of the page under a heading of their own."""

# ruff: noqa: E501 (markup is easier to read in one line)
from __future__ import annotations

import pytest

from tests.markupkit import BARE, CLASSED, bare, field, page, read


@pytest.mark.parametrize("label", ["<div>{}</div>", "<span>{}</span>", "<h4>{}</h4>"])
def test_fields_of_an_item_teach_those_beside_them(label: str) -> None:
    pairs = (("Milestone Title", "A", "Lead Team", "x"), ("Milestone Title", "B", "Lead Team", "y"))
    fields = "<div>" + label + "<div>{}</div></div>"
    items = "".join(f"<div>Note{fields.format(*pair[:2])}{fields.format(*pair[2:])}</div>" for pair in pairs)
    record = read(page(BARE + f"<div><div>Milestone</div><div>{items}</div></div>"))
    found = [(row.item[-1], row.label, row.value) for row in record.fields if row.item]
    assert found == [
        (number, *row) for number, pair in zip("12", pairs, strict=True) for row in ((None, "Note"), pair[:2], pair[2:])
    ]


PARAGRAPH = '<div class="paragraph paragraph--type--{}">{}</div>'


@pytest.mark.parametrize(
    ("label", "name", "bundle", "member"),
    {
        "label": ("TTA Milestones", "x", "y", "Step Name"),
        "plural in brackets": ("Milestone(s)", "x", "y", "Step Name"),
        "machine name": ("Steps", "milestones", "y", "Step Name"),
        "paragraph type": ("Steps", "x", "milestone", "Step Name"),
        "members": ("Steps", "x", "y", "Milestone Title"),
    }.values(),
)
def test_a_group_is_recognized_by_any_of_its_names(label: str, name: str, bundle: str, member: str) -> None:
    items = "".join(
        f'<div class="field--item">{PARAGRAPH.format(bundle, field(member, title, "t"))}</div>' for title in ("A", "B")
    )
    of_group = f"field field--name-field-{name} field--type-entity-reference-revisions field--label-above"
    group = f'<div class="{of_group}"><div class="field--label">{label}</div><div class="field--items">{items}</div></div>'
    assert [one.title for one in read(page(CLASSED + group)).milestones] == ["A", "B"]


def test_a_group_of_questions_has_an_item_for_each() -> None:
    group = bare("Performance Metrics", bare("Was it useful?", "Yes") + bare("Did all attend?", "No"))
    metrics = read(page(BARE + group)).performance_metrics
    assert [(one.question, one.answer) for one in metrics] == [("Was it useful?", "Yes"), ("Did all attend?", "No")]


GROUPS = {
    "fieldset": "<fieldset><legend><span>Who</span></legend><div>{}</div></fieldset>",
    "details": "<details><summary>Who</summary><div>{}</div></details>",
    "panel": '<div class="panel"><div class="panel-heading"><a class="panel-title" href="#b">Who</a></div><div class="panel-body">{}</div></div>',
    "heading": "<div><h3>Who</h3>{}</div>",
    "details named like a label": "<details><summary>Milestones</summary><div>{}</div></details>",
    "fieldset named like a label": "<fieldset><legend><span>County</span></legend><div>{}</div></fieldset>",
    "accordion": '<div><h3 class="accordion-item"><a href="#">Who</a></h3><div class="field-group-format-wrapper">{}</div></div>',
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("fields", [CLASSED, BARE], ids=["classes", "bare"])
def test_the_heading_of_a_group_of_fields_is_neither_a_value_nor_the_body(group: str, fields: str) -> None:
    record = read(page(f"<div>{GROUPS[group].format(fields)}</div>"))
    assert record.description is None
    assert [row.label for row in record.fields] == [row.label for row in read(page(fields)).fields]


HELP = '<div id="edit-a--description">If known.</div>'


@pytest.mark.parametrize("group", ["fieldset", "details", "heading"])
@pytest.mark.parametrize("fields", [CLASSED, BARE], ids=["classes", "bare"])
def test_a_group_of_fields_inside_an_item_is_no_part_of_it(group: str, fields: str) -> None:
    one = field if fields is CLASSED else bare
    inside = GROUPS[group].format(one("Due Date", "2024-04-01") + one("Lead Team", "x") + HELP)
    items = "".join(PARAGRAPH.format("milestone", one("Milestone Title", title) + inside) for title in "AB")
    record = read(page(fields + one("Milestone", items)))
    found = [(row.item, row.label, row.value) for row in record.fields if row.item]
    pairs = (("Due Date", "2024-04-01"), ("Lead Team", "x"))
    assert found == [
        (f"Milestone {n}", *row) for n, title in (("1", "A"), ("2", "B")) for row in (("Milestone Title", title), *pairs)
    ]


def test_the_pages_labels_teach_those_of_items_by_their_classes() -> None:
    pair = '<div class="py-2"><p class="text-xs uppercase">{}</p><p class="mt-1">{}</p></div>'
    items = "".join(f"<div>{pair.format(*one)}</div>" for one in (("People Trained", "24"), ("Hours", "6")))
    fields = "".join(pair.format(*one) for one in (("TTA Short Name", "Roundtable"), ("County", "Ada County")))
    group = '<div class="py-2"><p class="text-xs uppercase">Performance Metrics</p><div>' + items + "</div></div>"
    metrics = read(page(fields + group)).performance_metrics
    assert [(one.question, one.answer) for one in metrics] == [("People Trained", "24"), ("Hours", "6")]


@pytest.mark.parametrize("summary", ["Quiet.", "<p><b>County</b></p><p>Two courts.</p>"])
def test_paragraphs_of_a_group_that_nobody_has_listed_have_fields_in_the_pages_own_pattern(summary: str) -> None:
    pairs = (("Visit Date", "May 3"), ("Visitors", "A"), ("Summary", summary))
    items = "".join(f"<div>{PARAGRAPH.format('visit', ''.join(bare(*one) for one in pairs))}</div>" for _ in range(2))
    found = read(page(BARE + bare("Site Visits", f"<div>{items}</div>") + bare("Archived", "Off"))).fields
    assert [(row.item, row.label) for row in found if row.item] == [
        (f"Site Visits {n}", label) for n in "12" for label, _ in pairs
    ]
    assert (found[-1].label, found[-1].value) == ("Archived", "Off")


def test_a_group_whose_items_print_nothing_is_an_empty_field() -> None:
    row = read(page(CLASSED + field("Milestone", PARAGRAPH.format("milestone", " ")))).fields[-1]
    assert (row.label, row.item, row.value, row.state) == ("Milestone", None, None, "empty")


def test_a_field_without_a_value_is_not_the_heading_of_the_fields_below_it() -> None:
    pairs = (("County", "Ada"), ("TTA Title", None), ("TTA Source", "x"))
    fields = "".join(
        f'<section><h3 class="a">{label}</h3>{f"<p>{value}</p>" if value else ""}</section>' for label, value in pairs
    )
    found = read(page(f"<div><p>Help.</p></div>{fields}")).fields[1:]
    assert [(row.label, row.value) for row in found] == list(pairs)


@pytest.mark.parametrize("note", ["<p><strong>Time</strong> 9 am</p>", "<ul><li><b>Time</b> 9 am</li></ul>"])
@pytest.mark.parametrize("label", ["<h4>{}</h4>", "<details><summary>{}</summary>"])
def test_bold_words_in_a_text_below_the_label_of_an_items_field_are_no_label(note: str, label: str) -> None:
    one = "<div>" + label + "<div>{}</div>" + "</details>" * ("details" in label) + "</div>"
    items = "".join(f"<div>{one.format('Milestone Title', title)}{one.format('Notes', note)}</div>" for title in "AB")
    found = read(page(BARE + bare("Milestone", items))).fields
    assert [row.label for row in found if row.item] == ["Milestone Title", "Notes"] * 2


def test_headings_beside_a_known_one_are_labels_of_the_same_item() -> None:
    item = "<div><h5>Milestone Title</h5><p>{}</p><h5>Due Date</h5><p>2024-04-01</p><h5>Notes</h5><ul><li>One</li></ul></div>"
    record = read(page(BARE + bare("Milestone", item.format("A") + item.format("B"))))
    assert [(one.title, one.date, one.notes) for one in record.milestones] == [(title, "2024-04-01", "One") for title in "AB"]
