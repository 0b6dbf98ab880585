"""The one real capture we have becomes the record that a person reads in it: one result per value (issue: the whole path)."""

from __future__ import annotations

from pathlib import Path

import pytest

from parsers.locate import locate
from parsers.page import parse_page
from parsers.record import FieldState, Record

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "20250129-145639-07.txt"
SHORT_NAME = (
    "IACP Conference 2024: Exploring the Value of Deflection in Reducing Crime, Preventing Overdose, and Building Trust: "
    "A Roundtable Discussion"
)
NOT_CAPTURED = (
    "Status of Deliverable|Status Changed|Type of Agency|TTA Point of Contact|TTAR Source|Category|Demographic - Gender|"
    "Target Audience|TTA Program Area|Program Area - Sub Topics|Demographic - Age|Demographic - Race|TTA Estimated Costs|"
    "Demographic - Ethnicity|Demographic - Other|TTA Event Date|Performance Metrics"
).split("|")
SECTIONS = {
    "Deliverable Markup for Questions": "Please check the box next to the following questions if the answer is 'yes'.",
    "Event Date Markup": (
        "Please enter the applicable Event Date if there is an Event associated with this TTA.\n"
        "When entering an Event Date, the Time is also required."
    ),
    "Demographics Markup": ("If the TTA is targeted to a particular audience or location, please complete the questions below."),
    "Milestones Markup": "Milestones are an element, activity, work product, or key task",
    "Performance Metrics Markup": "Please respond to the Performance Metrics below.",
    "Cover Letter Instructions": "Please submit a signed letter of support from your agency’s executive",
}


@pytest.fixture(scope="module")
def record() -> Record:
    page = parse_page(SAMPLE.read_bytes(), is_text=True)
    assert page.record is not None, page.reason
    return page.record


@pytest.mark.parametrize(
    ("column", "value"),
    {
        "reference": "20250129-145639-07",
        "title": "20250129-145639-07",
        "node_id": None,
        "submitted_by": "Hope Fiori",
        "submitted_at": None,
        "short_name": SHORT_NAME,
        "tta_title": SHORT_NAME,
        "county": "Suffolk County",
        "evidence_based": False,
        "emerging_need": False,
        "recipient_agency_scope": True,
        "in_public_catalog": False,
        "agreed": False,
        "archived": False,
        "other_program_area": "first responder deflection, pre-arrest diversion",
        "longitude": -71.0464339,
        "latitude": 42.3458497,
        "remote_ttac_id": 0,
        "status": None,
        "agency_types": None,
        "event_start": None,
        "event_end": None,
        "form": "text",
        "incomplete": False,
        "flags": (),
    }.items(),
)
def test_column(record: Record, column: str, value: object) -> None:
    assert getattr(record, column) == value


@pytest.mark.parametrize("label", NOT_CAPTURED)
def test_a_label_whose_value_was_a_link_or_a_date_is_not_captured(record: Record, label: str) -> None:
    (row,) = [row for row in record.fields if row.label == label]
    assert (row.state, row.value) == (FieldState.NOT_CAPTURED, None)


@pytest.mark.parametrize(("label", "start"), SECTIONS.items())
def test_section_has_its_instructions(record: Record, label: str, start: str) -> None:
    (section,) = [section for section in record.sections if section.label == label]
    assert (section.text or "").startswith(start)
    assert (section.text or "").count("\n\n\n") == 0


def test_sections_are_in_page_order_and_not_among_the_fields(record: Record) -> None:
    assert [section.label for section in record.sections] == list(SECTIONS)
    assert not {row.label for row in record.fields} & set(SECTIONS)


def test_the_cover_letter_instructions_end_with_the_agreement(record: Record) -> None:
    text = record.sections[-1].text or ""
    assert "  1. " not in text
    assert "1. General information regarding the request for TTA services, i.e., the who, what, where, when, and why." in text
    assert text.endswith("Please call [site:phone] if you need further assistance completing this application.")


def test_the_description_is_the_whole_body_with_bullets_and_line_breaks(record: Record) -> None:
    description = record.description or ""
    assert description.startswith("Title: Exploring the Value of Deflection in Reducing Crime")
    assert description.endswith("to enhance or expand your deflection efforts?")
    source = SAMPLE.read_text(encoding="utf-8")
    start, end = source.index("Title: Exploring"), source.index("TTA Short Name")
    assert description == source[start:end].strip()


def test_fields_know_their_section(record: Record) -> None:
    sections = {row.label: row.section for row in record.fields}
    assert sections["TTA Short Name"] is None
    assert sections["County"] == "Deliverable Markup for Questions"
    assert sections["Display event on public TTA Catalog"] == "Event Date Markup"
    assert sections["Archived"] == "Cover Letter Instructions"


def test_no_line_of_the_page_is_lost(record: Record) -> None:
    kept = [record.title, record.submitted_by, *(section.label for section in record.sections)]
    kept += [section.text for section in record.sections]
    kept += [text for row in record.fields for text in (row.label, row.value)]
    everything = "\n".join(text for text in kept if text)
    chrome = ("Skip to main content", "Attention", "This website is under construction", "Questions?", "Submitted by", "-")
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        assert line.startswith(chrome) or line.replace("\xa0", " ").strip() in everything, line


def test_every_value_can_be_found_on_the_page(record: Record) -> None:
    positions = locate(SAMPLE.read_bytes(), is_text=True)
    assert positions is not None
    county = next(index for index, row in enumerate(positions.record.fields) if row.label == "County")
    assert positions.fields[county] == ("lines 76 to 77", "County\nSuffolk County")
    assert len(positions.fields) == len(record.fields) and all(positions.fields)
    assert len(positions.sections) == len(record.sections) and all(positions.sections)
