"""What counts as a person's contact detail, and what does not. All names and numbers are invented."""

from __future__ import annotations

import pytest

from parsers.contacts import denotes_person, has_contact, is_contact, is_personal_link, mask_contacts
from tests.tables import read_table

CASES = read_table("tables/contact_evidence.toml")


@pytest.mark.parametrize("label", CASES["labels_of_persons"])
def test_labels_of_persons(label: str) -> None:
    assert denotes_person(label)


@pytest.mark.parametrize("label", CASES["labels_of_other_things"])
def test_labels_of_other_things(label: str) -> None:
    assert not denotes_person(label)


@pytest.mark.parametrize("value", CASES["reaching"])
def test_values_that_reach_a_person(value: str) -> None:
    assert has_contact(value)
    assert has_contact(f"Call or write: {value}") or value.startswith("@")
    assert "left out]" in mask_contacts(f"Please call or write to {value}.") or value.startswith("@")


@pytest.mark.parametrize("value", CASES["reaching_nobody"])
def test_values_that_reach_nobody(value: str) -> None:
    assert not has_contact(value)


def test_prose_reaches_nobody() -> None:
    assert not has_contact("A long description. " * 20 + "ocean@example.org")


SITE = "https://bjatta.bja.ojp.gov"
PERSONAL = f"mailto:a@example.org TEL:+12025550100 {SITE}/user/7 {SITE}/es/users/ocean {SITE}/find?mail=a%40example.org"
IMPERSONAL = f"{SITE}/node/8142 {SITE}/taxonomy/term/1 https://example.org/userguide"


def test_links_that_reach_a_person() -> None:
    assert [href for href in PERSONAL.split() if not is_personal_link(href)] == []
    assert [href for href in IMPERSONAL.split() if is_personal_link(href)] == []


@pytest.mark.parametrize(("row", "contact"), CASES["rows"])
def test_rows(row: tuple[str | None, ...], *, contact: bool) -> None:
    assert is_contact(*row) is contact


def test_markup_of_a_person_is_evidence() -> None:
    assert is_contact("Reviewed", value="Ocean Kestrel", is_person=True)


def test_a_text_without_details_is_masked_to_itself() -> None:
    assert mask_contacts("Curly “quotes” – and dashes") == "Curly “quotes” – and dashes"
