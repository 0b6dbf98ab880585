"""Columns, milestones and metrics are derived from rows in one way, from the rows of any reader."""

from __future__ import annotations

from typing import Any

import pytest

from parsers.columns import fits, make_record, milestones, performance_metrics
from parsers.record import Field, FieldState, PageHead
from parsers.registry import Type


def rows(*fields: dict[str, Any]) -> list[Field]:
    return [
        Field(position=position, state=FieldState.VALUE if one.get("value") else FieldState.EMPTY, **one)
        for position, one in enumerate(fields, start=1)
    ]


def member(label: str | None, value: str | None, item: str = "Milestone 1", **more: Any) -> dict[str, Any]:
    return {"label": label, "value": value, "item": item, **more}


def test_a_value_that_the_end_of_the_capture_cuts_feeds_no_column_but_the_description() -> None:
    fields = rows(
        {"name": "body", "value": "A workshop for two agen", "truncated": True},
        {"label": "Type of Agency", "value": "Police"},
        {"label": "Type of Agency", "value": "Cour", "truncated": True},
        {"label": "Category", "value": "Adjudic", "truncated": True},
        {"label": "Status Changed", "value": "2024-01-1", "truncated": True},
    )
    found = make_record(PageHead(), fields, [], "html")
    assert (found.agency_types, found.category, found.status_changed_at) == (["Police"], None, None)
    assert found.description == "A workshop for two agen"


def test_a_printed_label_counts_before_a_machine_name_and_a_filled_field_before_an_empty_one() -> None:
    fields = rows(
        {"name": "field_county", "value": "Fir County"},
        {"label": "County", "value": None},
        {"label": "County", "value": "Elm County", "occurrence": 2},
    )
    assert make_record(PageHead(), fields, [], "html").county == "Elm County"
    assert make_record(PageHead(), fields[:2], [], "html").county == "Fir County"


@pytest.mark.parametrize(
    ("label", "value", "datetime", "column", "expected", "flags"),
    [
        ("Status Changed", "2024-04-01", "2024-04-01T12:00:00Z", "status_changed_at", "2024-04-01", 0),
        ("Status Changed", "04/01/2024 - 08:00", "2024-04-01T12:00:00Z", "status_changed_at", "2024-04-01T12:00:00Z", 0),
        ("Status Changed", "See the memo of 04/01/2024", None, "status_changed_at", None, 1),
        ("TTA Event Date", "04/01/2024 through 04/02/2024", None, "event_end", "2024-04-02", 0),
        ("TTA Estimated Costs", "$1,000 - $5,000", None, "estimated_cost_upper", 5000, 0),
        ("Event Location Geo", "POINT (200 42)", None, "latitude", None, 1),
        ("Archived", "perhaps", None, "archived", None, 1),
        ("Remote TTAC ID", "4,711", None, "remote_ttac_id", 4711, 0),
    ],
)
def test_a_value_is_typed_by_its_label(
    label: str, value: str, datetime: str | None, column: str, expected: object, flags: int
) -> None:
    record = make_record(PageHead(), rows({"label": label, "value": value, "datetime": datetime}), [], "html")
    assert (getattr(record, column), len(record.flags)) == (expected, flags)


def test_lists_of_columns_are_each_records_own() -> None:
    fields = rows({"label": "Type of Agency", "value": "Police"})
    make_record(PageHead(), fields, [], "html").agency_types.append("Court")
    assert make_record(PageHead(), fields, [], "html").agency_types == ["Police"]


@pytest.mark.parametrize("group", ["Milestone", "TTA Milestones", "Milestone(s)", "field_milestones"])
def test_a_milestone_is_made_of_its_members_whatever_the_group_is_called(group: str) -> None:
    item = f"{group} 1"
    (found,) = milestones(
        rows(
            member("Due Date", "04/01/2024", item, datetime="2024-04-01T12:00:00Z"),
            member("Milestone Title", "Kick-off", item),
            member("Staff", "Bo Reed", item),
            member("Staff", "Al Pine", item),
            member("Milestone Notes", "In the town hall.", item),
        )
    )
    assert (found.title, found.date, found.notes) == ("Kick-off", "2024-04-01", "In the town hall.")
    assert found.details == (
        "Due Date: 04/01/2024\nMilestone Title: Kick-off\nStaff: Bo Reed; Al Pine\nMilestone Notes: In the town hall."
    )


def test_a_milestones_members_without_labels_are_known_by_their_machine_names() -> None:
    (found,) = milestones(
        rows(
            member(None, "In the town hall.", name="field_milestone_notes"),
            member(None, "2024-04-01", name="field_milestone_due"),
            member(None, "Kick-off", name="field_milestone_title"),
        )
    )
    assert (found.title, found.date, found.notes) == ("Kick-off", "2024-04-01", "In the town hall.")


def test_a_milestone_of_one_line_is_its_title_and_a_date_in_prose_is_not_its_date() -> None:
    found = milestones(rows(member("Milestone", "Kick-off on 04/01/2024 in town"), member(None, "Report", "Milestone 2")))
    assert [(one.position, one.title, one.date) for one in found] == [
        (1, "Kick-off on 04/01/2024 in town", None),
        (2, "Report", None),
    ]


def test_a_metric_is_a_question_and_its_answer() -> None:
    one, two, three = performance_metrics(
        rows(
            member("Question", "How many were trained?", "Performance Metrics 1"),
            member("Answer", "25", "Performance Metrics 1"),
            member("Were the goals met?", "Yes", "Performance Metrics 2"),
            member("Performance Metrics", "All went well.", "Performance Metrics 3"),
        )
    )
    assert (one.question, one.answer) == ("How many were trained?", "25")
    assert (two.question, two.answer) == ("Were the goals met?", "Yes")
    assert (three.question, three.answer) == (None, "All went well.")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Type.YES_NO, "Off", True),
        (Type.YES_NO, "Offered", False),
        (Type.POINT, "POINT (1 2)", True),
        (Type.POINT, "POLYGON ((1 2, 3 4, 5 6, 1 2))", True),
        (Type.POINT, "Boston", False),
        (Type.NUMBER, "7", True),
        (Type.NUMBER, "seven", False),
        (Type.DATE, "04/01/2024", True),
        (Type.DATE, "04/01/2024 and more", False),
        (Type.RANGE, "04/01/2024 -", True),
        (Type.RANGE, "-", False),
        (Type.TEXT, "anything", None),
    ],
)
def test_a_text_fits_a_type_or_not(kind: Type, text: str, expected: bool | None) -> None:
    assert fits(kind, text) is expected
