"""The registry finds labels and groups by every name that a page gives them, and nothing by chance."""

from __future__ import annotations

import pytest

from parsers import registry
from parsers.registry import GROUPS, LABELS, label_key, label_named, label_of

LABELS_OF_GROUPS = {
    "milestones": "Milestone|milestones:|TTA Milestones|Project Milestones|Milestone(s)|Milestones 2|Milestone #3"
    "|Key milestones (optional)|Deliverables & Milestones|field_milestones|field-tta-milestone|field_milestone_items",
    "performance_metrics": "Performance Metrics|Performance Measure|Metrics|field_metrics_ref|field_performance_metric",
    None: "Metric|Number of Milestones|Date of Milestone|Milestones Markup|Milestone Title|County||field_milestone_title"
    "|Milestones are an element, activity, or a phase of the project|field_milestones_markup|field_metric|field_county",
}
PARAGRAPHS_OF_GROUPS = {
    "milestones": "paragraph--type--milestone|paragraph--type--tta-milestone|milestone_item",
    "performance_metrics": "metric",
    None: "text_block|",
}
MEMBERS_OF_GROUPS = {
    "milestones": "Due Date+Milestone Title|Milestone's Notes|field_milestone_title",
    "performance_metrics": "Performance Metric Question|Question+Answer",
    None: "Question+Due Date|Milestones|+Title",
}


@pytest.mark.parametrize("table", LABELS_OF_GROUPS)
def test_a_group_is_known_by_its_label_machine_name_paragraph_type_and_members(table: str | None) -> None:
    for label in LABELS_OF_GROUPS[table].split("|"):
        assert registry.group_table(label or None) == table, label
    for paragraph in PARAGRAPHS_OF_GROUPS[table].split("|"):
        assert registry.group_of_paragraph(paragraph) == table, paragraph
    for members in MEMBERS_OF_GROUPS[table].split("|"):
        assert registry.group_of_members([label or None for label in members.split("+")]) == table, members


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.text)
def test_a_label_is_found_by_each_of_its_texts_and_by_the_name_that_drupal_makes_of_it(label: registry.Label) -> None:
    for text in (label.text, *label.also):
        assert label_of(f" {text.upper()} : ") is label
    name = "".join(char if char.isalnum() else " " for char in label_key(label.text))
    assert label_named("field_" + "_".join(name.split())[:26].rstrip("_")) is label


@pytest.mark.parametrize("text", ["Contact Name", "County", "Archived"])
def test_a_label_that_other_pages_have_too_proves_nothing(text: str) -> None:
    assert label_of(text) is not None
    assert not registry.is_distinctive(text)
    assert registry.is_distinctive("Primary Recipient Contact Name")


def test_columns_and_groups_are_named_once() -> None:
    names = [column.name for label in LABELS for column in label.columns]
    assert len(set(names)) == len(names)
    assert all(registry.group_table(group.item) == table for table, group in GROUPS.items())


def test_a_line_is_a_members_label_by_its_form_and_words() -> None:
    assert all(map(registry.is_member_line, ("Milestone Due Date", "Question", "Milestone Title:")))
    assert not any(map(registry.is_member_line, ("Milestone was reached in May", "Milestone")))


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


def test_instruction_fields_are_known_by_label_or_name() -> None:
    assert all(
        map(registry.is_instructions, ("Event Date Markup", "Cover Letter Instructions", "Other markup", "field_x_markup"))
    )
    assert not registry.is_instructions("Markups Received")
