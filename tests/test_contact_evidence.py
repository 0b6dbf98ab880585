"""What counts as a person's contact detail, and what does not. All names and numbers are invented."""

from __future__ import annotations

import pytest

from parsers.contacts import denotes_person, has_contact, is_contact, is_personal_link, mask_contacts

PERSONS = """\
Point of Contact|TTA POC|POCs|Agency Contact|Contact Person|Contact Information|Primary Contact Name|Emergency Contact #2
Trainer|Lead Trainer|Trainer(s)|Trainer 2|Trainers|Name of Trainer|Facilitator Name|Project Director|Director of Training
Grant Manager|BJA Grant Manager|Signed by|Submitted By|Prepared by|Assigned to|Approved by|Author|Requestor
Email|E-mail|E-Mail Address|Email Addresses|Phone|Phone Number|Telephone|Fax|Cell|Mobile|Mobile Number
First Name|Last Name|field_trainer_name|field_poc_email|Sheriff|Police Chief
Point-of-contact|Name/Title|Recipient Contact Title|List of Attendees|Who to contact|Nominated By
Executive Sponsor Name|Approving Official|Interpreter Name|Task Force Members
Trainer's Phone|Staff Names|Name|Contact:|Primary Recipient Contact Name"""
OTHERS = """\
Mobile Crisis Team|Number of Police Contacts|Emails Sent|Contact Hours|Date of Contact|Type of Contact|Agency Name
Managers Trained|TTA Short Name|County|Target Audience|Provider Reference|Case Manager Training
Grants Management System|Award Number
Number of Trainers|Cell Blocks|Trainer Hours|Who was the trainer?|Program Name|Milestone Title|Primary Recipient Agency Name
Members Trained|Executive Session Topic|Lead Agency Name|Name of Lead Agency|Responsible Agency Name
Victim Services Provider Name|Host Site Address|Speaker Series Title|Participant Agencies|Head Start Program
Author's Note|Contact Method|Judicial Officer Training|Officers Trained|Phone Calls Made|Lead Agency|Facsimile Machines"""


@pytest.mark.parametrize("label", "|".join(PERSONS.split("\n")).split("|"))
def test_labels_of_persons(label: str) -> None:
    assert denotes_person(label)


@pytest.mark.parametrize("label", "|".join(OTHERS.split("\n")).split("|"))
def test_labels_of_other_things(label: str) -> None:
    assert not denotes_person(label)


REACHING = """\
ocean.kestrel@example.org|Ocean Kestrel <ocean@mail.example.org>|ocean [at] example [dot] org|ocean(at)example.org
ocean at example dot org|Ocean Kestrel, 202-555-0100|(202) 555‑0100|202.555.0100 ext. 7|+1 202 555 0100|202–555–0100x12
+44 20 7946 0018|ocean _at_ example.org|Tel. 2025550100
ocean[@]example.org|ocean AT example.org|ocean&#64;example.org|call 555-0100
(202)5550100|2025550100 cell|0044 20 7946 0018|２０２-555-0100|@oceankestrel"""
REACHING_NOBODY = """\
100-200-3000|001-2024|15PBJA-21-GG-04321-BJAX|20250129-145639-07|POINT (-71.0464339 42.3458497)|$200,300 - $400,500
2024-01-29 to 2024-02-12|meeting at the county courthouse|24/7 line, 365 days|1234567890123"""


@pytest.mark.parametrize("value", "|".join(REACHING.split("\n")).split("|"))
def test_values_that_reach_a_person(value: str) -> None:
    assert has_contact(value)
    assert has_contact(f"Call or write: {value}") or value.startswith("@")
    assert "left out]" in mask_contacts(f"Please call or write to {value}.") or value.startswith("@")


@pytest.mark.parametrize("value", "|".join(REACHING_NOBODY.split("\n")).split("|"))
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


@pytest.mark.parametrize(
    ("row", "contact"),
    [
        (("Something Unheard Of", None, None, "Ocean Kestrel", f"{SITE}/user/7"), True),
        (("Hours", None, "Trainer 2", "5", None), True),
        (("Trainers", None, None, "12", None), False),
        (("Judge", None, None, "Yes", None), False),
        (("Phone", None, None, "5550100", None), True),
        (("Team", None, None, "Trainer\tHours\nQuill Marlowe\t5", None), True),
        (("Roster", None, None, "Room\t5\nContact\tQuill Marlowe", None), True),
        (("Agenda", None, None, "Day\tTopic\nOne\tTraining", None), False),
        (("Trainer", None, None, "Quill Marlowe", None), True),
        ((None, "field_trainer", None, "Quill Marlowe", None), True),
        (("Type of Agency", None, None, "Courts", f"{SITE}/taxonomy/term/3"), False),
    ],
)
def test_rows(row: tuple[str | None, ...], *, contact: bool) -> None:
    assert is_contact(*row) is contact


def test_markup_of_a_person_is_evidence() -> None:
    assert is_contact("Reviewed", value="Ocean Kestrel", is_person=True)


def test_a_text_without_details_is_masked_to_itself() -> None:
    assert mask_contacts("Curly “quotes” – and dashes") == "Curly “quotes” – and dashes"
