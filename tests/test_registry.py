"""The registry finds labels and groups by every name that a page gives them, and nothing by chance."""

from __future__ import annotations

import pytest

from parsers import registry
from parsers.registry import GROUPS, LABELS, known, known_name, normal


@pytest.mark.parametrize(
    ("label", "table"),
    [
        ("Milestone", "milestones"),
        ("milestones:", "milestones"),
        ("TTA Milestones", "milestones"),
        ("Project Milestones", "milestones"),
        ("Milestone(s)", "milestones"),
        ("Milestones 2", "milestones"),
        ("Milestone #3", "milestones"),
        ("Key milestones (optional)", "milestones"),
        ("Deliverables & Milestones", "milestones"),
        ("Performance Metrics", "performance_metrics"),
        ("Performance Measure", "performance_metrics"),
        ("Metrics", "performance_metrics"),
        ("Metric", None),
        ("Number of Milestones", None),
        ("Date of Milestone", None),
        ("Milestones Markup", None),
        ("Milestone Title", None),
        ("Milestones are an element, activity, or a phase of the project", None),
        ("County", None),
        (None, None),
    ],
)
def test_a_group_is_known_by_its_label(label: str | None, table: str | None) -> None:
    assert registry.group_table(label) == table


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("field_milestones", "milestones"),
        ("field-tta-milestone", "milestones"),
        ("field_milestone_items", "milestones"),
        ("field_metrics_ref", "performance_metrics"),
        ("field_performance_metric", "performance_metrics"),
        ("field_milestone_title", None),
        ("field_milestones_markup", None),
        ("field_metric", None),
        ("field_county", None),
    ],
)
def test_a_group_is_known_by_its_machine_name(name: str, table: str | None) -> None:
    assert registry.group_table(name) == table


@pytest.mark.parametrize(
    ("paragraph", "table"),
    [
        ("paragraph--type--milestone", "milestones"),
        ("paragraph--type--tta-milestone", "milestones"),
        ("milestone_item", "milestones"),
        ("metric", "performance_metrics"),
        ("text_block", None),
    ],
)
def test_a_group_is_known_by_its_paragraph_type(paragraph: str, table: str | None) -> None:
    assert registry.group_of_paragraph(paragraph) == table


@pytest.mark.parametrize(
    ("labels", "table"),
    [
        (["Due Date", "Milestone Title"], "milestones"),
        (["Milestone's Notes"], "milestones"),
        (["field_milestone_title"], "milestones"),
        (["Performance Metric Question"], "performance_metrics"),
        (["Question", "Answer"], "performance_metrics"),
        (["Question", "Due Date"], None),
        (["Milestones"], None),
        ([None, "Title"], None),
    ],
)
def test_a_group_is_known_by_the_labels_of_its_members(labels: list[str | None], table: str | None) -> None:
    assert registry.group_of_members(labels) == table


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.text)
def test_a_label_is_found_by_each_of_its_texts_and_by_the_name_that_drupal_makes_of_it(label: registry.Label) -> None:
    for text in (label.text, *label.also):
        assert known(f" {text.upper()} : ") is label
    name = "".join(char if char.isalnum() else " " for char in normal(label.text))
    assert known_name("field_" + "_".join(name.split())[:26].rstrip("_")) is label


@pytest.mark.parametrize("text", ["Contact Name", "County", "Archived"])
def test_a_label_that_other_pages_have_too_proves_nothing(text: str) -> None:
    assert known(text) is not None
    assert not registry.is_evidence(text)
    assert registry.is_evidence("Primary Recipient Contact Name")


def test_columns_and_groups_are_named_once() -> None:
    names = [column.name for label in LABELS for column in label.columns]
    assert len(set(names)) == len(names)
    assert all(registry.group_table(group.item) == table for table, group in GROUPS.items())


@pytest.mark.parametrize(
    ("line", "is_label"),
    [
        ("Milestone Due Date", True),
        ("Question", True),
        ("Milestone Title:", True),
        ("Milestone was reached in May", False),
        ("Milestone", False),
    ],
)
def test_a_line_is_a_members_label_by_its_form_and_words(line: str, is_label: bool) -> None:
    assert registry.is_member_line(line) is is_label


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("2. Please submit a signed letter of support from", "Cover Letter Instructions"),
        ("PLEASE ENTER THE APPLICABLE EVENT DATE below.", "Event Date Markup"),
        ("We please enter the applicable event date", None),
    ],
)
def test_instructions_are_known_by_how_they_begin(line: str, section: str | None) -> None:
    assert registry.section_of_instruction(line) == section


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Event Date Markup", True),
        ("Cover Letter Instructions", True),
        ("Other markup", True),
        ("field_x_markup", True),
        ("Markups Received", False),
    ],
)
def test_instruction_fields_are_known_by_label_or_name(label: str, expected: bool) -> None:
    assert registry.is_instructions(label) is expected
