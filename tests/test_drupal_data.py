"""One invented node in each of Drupal's data formats is the same record; documents that are no node of a record are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.page import parse_page
from parsers.record import FieldState, Kind, ParseResult, Record
from tests.dbkit import day, loaded, page, query
from tests.tables import read_table

CASES = read_table("tables/drupal_data.toml")
HOST = "https://bjatta.bja.ojp.gov"
URL = f"{HOST}/node/150001?_format=json"
FOLDER = Path(__file__).parent / "drupal_formats"
FEED = (FOLDER / "node.rss").read_text(encoding="utf-8")
XML = (FOLDER / "node.xml").read_text(encoding="utf-8")
ENTRY = """<link href="https://bjatta.bja.ojp.gov/node/150001"/><published>2024-03-11T13:15:30Z</published>
<author><name>Ada Quill</name></author><title>20240311-91530-7</title><content type="html">"""
ENCODED = "<description>x</description><c:encoded xmlns:c='http://purl.org/rss/1.0/modules/content/'>"
FEEDS = {
    "RSS": FEED,
    "RSS with its content": FEED.replace("<description>", ENCODED).replace("</description>\n", "</c:encoded>"),
    "Atom": f"<feed xmlns='http://www.w3.org/2005/Atom'><entry>{ENTRY}{FEED.split('description>')[1][:-2]}</content></entry></feed>",
}


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return document


def core(**more: Any) -> dict[str, Any]:
    return read("node.json") | more


def jsonapi() -> dict[str, Any]:
    return read("node.jsonapi.json")


def parsed(document: Any, url: str | None = URL) -> ParseResult:
    text = document if isinstance(document, str) else json.dumps(document)
    return parse_page(text.encode(), url=url, content_type="application/json", http_status=200)


def record(document: Any, url: str | None = URL) -> Record:
    found = parsed(document, url).record
    assert found is not None
    return found


@pytest.mark.parametrize("document", [core(), read("node.hal.json"), jsonapi(), XML], ids=["json", "hal", "jsonapi", "xml"])
def test_a_node_is_the_same_record_in_every_format(document: Any) -> None:
    found = record(document)
    assert (found.form, found.node_id, found.title, found.reference) == ("data", 150001, "20240311-91530-7", "20240311-91530-7")
    assert (found.submitted_at, found.url) == ("2024-03-11T13:15:30Z", f"{HOST}/node/150001")
    assert (found.description, found.tta_title, found.county) == ("A workshop.\n\n• Plan", "Reentry unit", "Larch County")
    assert (found.status_changed_at, found.recipient_agency_scope) == ("2024-03-13T21:30:00Z", True)
    assert (found.event_start, found.event_end) == ("2024-03-01", "2024-03-02")
    assert (found.longitude, found.latitude, found.flags) == (-71.04, 42.5, ())
    rows = {row.name: row for row in found.fields}
    assert (rows["field_county"].label, rows["field_unheard_of"].label) == ("County", None)
    assert (rows["field_unheard_of"].value, rows["field_recipient_agency_scope"].value) == ("kept", "Yes")
    assert (rows["field_target_audience"].label, rows["field_target_audience"].state) == ("Target Audience", FieldState.EMPTY)
    assert rows["field_status_of_deliverable"].href == f"{HOST}/taxonomy/term/7"
    assert rows["field_tta_event_date"].datetime == "2024-03-01/2024-03-02"
    assert not {"nid", "title", "status", "path", "langcode"} & set(rows)


@pytest.mark.parametrize("document", [core(), read("node.hal.json"), XML], ids=["json", "hal", "xml"])
def test_a_reference_without_its_label_is_not_captured_and_feeds_no_column(document: Any) -> None:
    found = record(document)
    (row,) = (row for row in found.fields if row.name == "field_status_of_deliverable")
    assert (row.value, row.state, found.status) == (None, FieldState.NOT_CAPTURED, None)


@pytest.mark.parametrize("name", ["field_tta_milestones", "field_steps"])
def test_included_entities_give_labels_authors_and_milestones(name: str) -> None:
    document = jsonapi()
    related = document["data"]["relationships"]
    related[name] = related.pop("field_tta_milestones")
    found = record(document)
    assert (found.status, found.submitted_by) == ("Complete", "Ada Quill")
    assert [(one.title, one.date) for one in found.milestones] == [("Kick-off", "2024-04-01"), ("Report", "2024-04-02")]
    assert [row.item for row in found.fields if row.name == "field_milestone_title"] == ["Milestone 1", "Milestone 2"]


def test_a_file_has_its_own_address_and_its_text_for_those_who_do_not_see_it() -> None:
    document = jsonapi()
    link = {"type": "file--file", "id": "f", "meta": {"alt": "A room", "width": 9, "drupal_internal__target_id": 4}}
    document["data"]["relationships"]["field_image"] = {"data": link}
    file = {"filename": "room.png", "uri": {"value": "public://room.png", "url": "/sites/default/files/room.png"}}
    document["included"].append({"type": "file--file", "id": "f", "attributes": file})
    (row,) = (row for row in record(document).fields if row.name == "field_image")
    assert (row.value, row.href) == ("A room", f"{HOST}/sites/default/files/room.png")


def test_entities_that_refer_to_each_other_in_a_circle_or_a_long_chain_end() -> None:
    document = jsonapi()
    paragraphs = [{"type": "paragraph--milestone", "id": f"p-{number}"} for number in range(3, 3000)]
    for one, other in zip(paragraphs, [*paragraphs[1:], paragraphs[0]], strict=True):
        document["included"].append({**one, "relationships": {"field_next": {"data": other}}})
    document["included"][2]["relationships"] = {
        "field_next": {"data": [paragraphs[0], {"type": "paragraph--milestone", "id": "p-1"}]}
    }
    assert len(record(document).milestones) == 2


def test_paragraphs_that_are_not_included_are_known_to_be_missing() -> None:
    paragraph = {"target_id": 2, "target_revision_id": 2, "target_type": "paragraph", "target_uuid": "p"}
    found = record(core(field_milestones=[paragraph, paragraph | {"target_id": 3}]))
    (row,) = (row for row in found.fields if row.name == "field_milestones")
    assert (row.state, row.href, found.milestones) == (FieldState.NOT_CAPTURED, None, ())


@pytest.mark.parametrize(("item", "value", "href", "datetime"), CASES["items"])
def test_each_kind_of_item_has_its_text_address_and_time(
    item: dict[str, Any], value: str | None, href: str | None, datetime: str | None
) -> None:
    (row,) = (row for row in record(core(field_other=[item])).fields if row.name == "field_other")
    assert (row.value, row.href, row.datetime) == (value, href, datetime)


def test_equal_values_of_one_field_are_several_values() -> None:
    found = record(core(field_hours=[{"value": 5}, {"value": 5}, {"value": None}]))
    assert [row.value for row in found.fields if row.name == "field_hours"] == ["5", "5"]


def test_seconds_since_1970_are_the_time_of_submission_in_old_versions() -> None:
    assert record(core(created=[{"value": "1710162930"}])).submitted_at == "2024-03-11T13:15:30Z"


def test_instructions_become_a_section_and_no_field() -> None:
    text = {"value": "Milestones are an element.", "format": "plain_text"}
    found = record(core(field_milestones_markup=[text], field_event_date_markup=[]))
    assert [(one.label, one.text) for one in found.sections] == [("Milestones Markup", "Milestones are an element.")]
    assert not [row for row in found.fields if row.section or (row.name and "markup" in row.name)]


def printed(label: str, name: str, value: str) -> str:
    inside = f'<div class="field--label">{label}</div><div class="field--item">{value}</div>'
    return f'<div class="field field--name-field-{name} field--type-string field--label-above">{inside}</div>'


@pytest.mark.parametrize("later", [0, 1])
def test_a_page_gives_the_labels_and_sections_that_a_data_format_lacks(tmp_path: Path, later: int) -> None:
    fields = printed("Event Date Markup", "event-date-markup", "Please enter") + printed("Unheard Of", "unheard-of", "kept")
    fields += printed("County", "county", "Larch County")
    html = f'<article data-history-node-id="150001" class="tta full"><div>{fields}</div></article>'
    captures = [html.encode(), json.dumps(core()).encode()]
    folders = loaded(tmp_path, [page(one, url=URL, when=day((number + later) % 2)) for number, one in enumerate(captures)])
    rows = query(
        folders, "SELECT section, label, value FROM fields WHERE name IN ('field_unheard_of', 'field_county') ORDER BY value"
    )
    assert rows == [("Event Date Markup", "County", "Larch County"), ("Event Date Markup", "Unheard Of", "kept")]
    assert query(folders, "SELECT * FROM changes") == []


@pytest.mark.parametrize("form", FEEDS)
def test_a_feed_of_one_node_is_that_node_and_may_lack_fields(form: str) -> None:
    found = record(FEEDS[form], f"{HOST}/node/150001/feed")
    assert (found.node_id, found.county, found.submitted_by) == (150001, "Larch County", "Ada Quill")
    assert (found.title, found.reference, found.url) == ("20240311-91530-7", "20240311-91530-7", f"{HOST}/node/150001")
    assert (found.submitted_at, found.incomplete, found.form) == ("2024-03-11T13:15:30Z", True, "html")
    assert parsed(FEEDS[form], f"{HOST}/node/7").kind is not Kind.RECORD, "the feed of another page"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"nid": [{"value": 5}], "type": [{"target_id": "blog"}], "title": [{"value": "News"}], "body": []}, Kind.OTHER),
        ({"nid": [{"value": 5}], "type": [{"target_id": "blog"}], "field_county": [{"value": "Larch"}]}, Kind.OTHER),
        ([core()], Kind.NOT_HTML),
        ({"jsonapi": {}, "data": [jsonapi()["data"]]}, Kind.NOT_HTML),
        ({"data": {"type": "user--user", "id": "u"}}, Kind.NOT_HTML),
        ({"nid": 5, "title": "tta"}, Kind.NOT_HTML),
        ({"message": "The requested page could not be found."}, Kind.NOT_HTML),
        ("{broken", Kind.NOT_HTML),
        ('<?xml version="1.0"?><response><title/></response>', Kind.NOT_HTML),
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><response><nid><value>5</value></nid></response>', Kind.NOT_HTML),
        (FEED.replace("</item>", "</item><item><link>x</link></item>"), Kind.NOT_HTML),
    ],
)  # fmt: skip
def test_only_a_document_that_is_one_node_of_a_record_is_a_record(document: Any, kind: Kind) -> None:
    assert parsed(document).kind is kind


def test_a_document_without_an_address_is_read_by_itself() -> None:
    found = record(core(), None)
    assert (found.node_id, found.url) == (150001, None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from("value end_value target_id target_type url uri processed format data attributes".split()),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_makes_the_reader_raise(value: Any) -> None:
    parsed(core(field_county=value, created=value, uid=value, type=value, title=value, body=value))
    parsed(core(field_county=[{"entity": value}], uid=[{"entity": value}]))
    related = {"uid": value, "field_x": value}
    parsed({"data": {"type": "node--tta", "attributes": {"field_county": value}, "relationships": related}})
    parsed({"data": value, "included": value, "_links": value, "nid": [value]})
