"""Text captures: the style is determined first, and each style has its rules (docs/decisions/reading.md)."""

import re
import textwrap

import pytest

from parsers import textlines
from parsers.locate import locate
from parsers.page import parse_page
from parsers.record import FieldState, Kind
from parsers.registry import LABELS, label_of
from tests.pagegen.extractors import ADDRESS, DISGUISES, LIBRARIES
from tests.pagegen.invent import invent
from tests.pagegen.options import Options
from tests.pagegen.render import html_of
from tests.pagegen.text_truth import Tally, compare, told_of
from tests.textkit import BASE, CHECK, METRICS, OTHER, labels, read, values


@pytest.mark.parametrize(
    ("lines", "label", "expected"),
    {
        "several values": ("Type of Agency\nCourts\nTribal", "Type of Agency", ["Courts", "Tribal"]),
        "long text": (f"{OTHER} describe below\nfirst\nsecond", f"{OTHER} describe below", ["first\nsecond"]),
        "plain cost": ("TTA Estimated Costs\n$5,000 - $9,999", "TTA Estimated Costs", ["$5,000 - $9,999"]),
        "two points": ("Event Location Geo\nPOINT (1 2)\nPOINT (3 4)", "Event Location Geo", ["POINT (1 2)", "POINT (3 4)"]),
        "on one line": ("Recipient Agency Scope: No", "Recipient Agency Scope", ["No"]),
        "blank line": ("Recipient Agency Scope\n\nNo", "Recipient Agency Scope", ["No"]),
        "wrapped label": (f"{OTHER}\ndescribe below\nsafety", f"{OTHER} describe below", ["safety"]),
        "a date that is none": ("Status Changed\nSite Visits\n12", "Status Changed", [None]),
        "only the dash of a range": ("TTA Event Date\n-", "TTA Event Date", [None]),
        "range over lines": ("TTA Event Date\n03/01/2024\n-\n03/02/2024", "TTA Event Date", ["03/01/2024 - 03/02/2024"]),
        "no other line for a range": ("TTA Event Date\n-\nBring a friend", "TTA Event Date", [None]),
        "role": ("Primary Recipient Email Address\na@b.example\nLead Trainer\nMara Vale", "Lead Trainer", ["Mara Vale"]),
        "dates": ("Category\nTraining\nSession Dates\n\n03/01/2024\n\n03/02/2024", "Session Dates", ["03/01/2024", "03/02/2024"]),
        "heading of a group": ("Type of Agency\nCourts\n\nEvent Settings\nCategory\nTraining", "Type of Agency", ["Courts"]),
        "group called information": ("Type of Agency\nCourts\nGeneral Information", "Type of Agency", ["Courts"]),
        "unlisted label": ("BJA Grant Manager\nWynn Dunmore\nSite Visits\n12", "Site Visits", ["12"]),
        "value equal to its label": ("TTA Title\nTTA Title\nCategory\nTraining", "TTA Title", ["TTA Title"]),
        "commas between lines": ("Type of Agency\nCourts\n,\nTribal", "Type of Agency", ["Courts", "Tribal"]),
        "degrees": ("Event Location Geo\n42.35, -71.05", "Event Location Geo", ["42.35, -71.05"]),
        "degrees and minutes": ("Event Location Geo\n42° 20' N, 71° 2' W", "Event Location Geo", ["42° 20' N, 71° 2' W"]),
        "explanation of a group": ("Type of Agency\nCourts\nFill in as you can.\nWho", "Type of Agency", ["Courts"]),
        "byline of a reference": ("Provider Reference\nAn Agency\nSubmitted by Hope Quill", "Provider Reference", ["An Agency"]),
        "heading below a cost": ("TTA Estimated Costs\n$5,000\nEvent", "TTA Estimated Costs", ["$5,000"]),
        "heading and explanation": ("Recipient Agency Scope\nNo\nWhere\nFill in as you can.", "Where", []),
        "number with a unit": ("BJA Grant Manager\nWynn Dunmore\nNumber Served\n12 people", "Number Served", ["12 people"]),
        "file": ("TTA Title\nA title\nFinal Report\nreport.pdf\nClosing", "Final Report", ["report.pdf"]),
        "text of several lines": (
            "TTA Title\nA title\nMailing Address\nHall\nX, MA\n02101",
            "Mailing Address",
            ["Hall\nX, MA\n02101"],
        ),
        "a label is no value of a contact": ("TTA Title\nA title\nPhone Number\nMailing Address\nHall", "Phone Number", []),
        "name after a blank line": (
            "Milestone\n\nMilestone Title\nPlan\n\nMilestone Staff\n\nWynn Dunmore\nwynn@example.org\n",
            "Milestone Staff",
            ["Wynn Dunmore\nwynn@example.org"],
        ),
        "website without its link": ("TTA Title\nA title\nAgency Website\n12 people", "Agency Website", []),
        "entity in full": (
            "Type of Agency\nCourts\nProvider Reference\nAn Agency\nSubmitted by Mara Vale on 11/14/2023\nIt asks for help.\n"
            "Type of Agency\nTribal\nCounty\nKelp County\nPhone\n617-555-0100",
            "Type of Agency",
            ["Courts"],
        ),
        "label of an entity in full": ("Provider Reference\nA\nPosted by B on 1/1/2023\nPhone\n617-555-0100", "Phone", []),
        "each after a blank line": ("Type of Agency\n\nCourts\n\nTribal\n", "Type of Agency", ["Courts", "Tribal"]),
        "one of a kind": ("TTAR Source\nBJA\nFiscal Year\nYear 2024", "TTAR Source", ["BJA"]),
        "two providers": (
            "Provider Reference\nAn Agency\nAnother\nSpecial Populations",
            "Provider Reference",
            ["An Agency", "Another"],
        ),
        "an answer is no reference": ("BJA Grant Manager\nYes", "BJA Grant Manager", [None]),
        "a time is no reference": ("TTAR Source\n03/01/2024", "TTAR Source", [None]),
        "one phone number": ("TTA Title\nA title\nPhone Number\n617-555-0100\n12 people", "Phone Number", ["617-555-0100"]),
        "bullet": ("Type of Agency\n*\nCourts", "Type of Agency", ["Courts"]),
        "point with a space": ("Event Location Geo\n42.35 , -71.05", "Event Location Geo", ["42.35 , -71.05"]),
        "heading of a part of the form": (
            "Type of Agency\nCourts\nTribal\nBudget and Funding",
            "Type of Agency",
            ["Courts", "Tribal"],
        ),
        "no value above a heading": ("TTA Title\nAudience and Area", "TTA Title", [None]),
        "another reference by its noun": ("Type of Agency\nCourts\nDelivery Format\nHybrid", "Delivery Format", ["Hybrid"]),
        "empty answer": (
            "Demographic - Other\nVeterans\nRecipient Agency Scope\nFiscal Year\nYear 2024",
            "Demographic - Other",
            ["Veterans"],
        ),
        "prose above a section": (
            f"Type of Agency\nCourts\nLessons Learned\nStart earlier.\n{CHECK}",
            "Lessons Learned",
            ["Start earlier."],
        ),
        "another person": ("TTA Point of Contact\nMara Vale\nSite Trainer\nBo Pine", "TTA Point of Contact", ["Mara Vale"]),
        "prose after references": (
            "Type of Agency\nCourts\nLessons Learned\nStart earlier.\nAsk the night shift.",
            "Lessons Learned",
            ["Start earlier.\nAsk the night shift."],
        ),
        "heading in place of a name": ("BJA Grant Manager\nEvent", "BJA Grant Manager", [None]),
        "label in place of a text": ("TTA Title\nPrimary Recipient Contact Name\nCategory\nTraining", "TTA Title", [None]),
        "an address has a sign": ("Primary Recipient Email Address\nSite Contacts", "Primary Recipient Email Address", [None]),
        "no date below": ("Category\nTraining\nDue Date\nmoved to May", "Due Date", []),
        "field below a text": (
            "TTA Title\nA title\nDescription\n\nFirst.\n\nAfter it, more\n\nMeeting Days\nMonday\n- Friday",
            "Description",
            ["First.\n\nAfter it, more"],
        ),
        "colons on lines of their own": ("Type of Agency\n:\nCourts", "Type of Agency", ["Courts"]),
        "values below a blank line": (
            "TTA Title\nA\nField Notes\nThey met\n\nMeeting Days\n\nMonday\nFriday",
            "Field Notes",
            ["They met"],
        ),
        "label in front of each value": (
            "Type of Agency\nType of Agency: Courts\nType of Agency: Tribal\nCategory\nCategory: A\n"
            "TTAR Source\nTTAR Source: B\nGuests\nGuests: 4",
            "Type of Agency",
            ["Courts", "Tribal"],
        ),
        "no instructions as a value": (f"Category\nTraining\nAlternate Phone\n\n{CHECK}", "Alternate Phone", []),
        "part of the form": ("TTA Title\nA title\nContact Website\nhttps://a.example\nCover Letter", "Cover Letter", []),
        "no cost": ("Demographic - Other\n* Of the county\n* $1,000", "Demographic - Other", ["Of the county"]),
        "no second provider": ("Provider Reference\nA\nVeterans\nTTA Title", "Provider Reference", ["A"]),
        "long text that goes on": (f"{OTHER} describe below\na, b\n(c)\nAdult", f"{OTHER} describe below", ["a, b\n(c)"]),
        "value equal to the next label": ("Type of Agency\nCounty\nCategory\nTraining", "Type of Agency", ["County"]),
    }.values(),
)
def test_a_value_is_what_follows_its_label(lines: str, label: str, expected: list[str | None]) -> None:
    before = "Target Audience" if label_of(label) in LABELS[:10] else "Archived"
    record = read(BASE.replace(before, f"{lines}\n{before}"))
    assert values(record, label) == expected
    assert (record.archived, record.county, record.target_audience) == (False, "Larch County", ["Judges", "Probation Officers"])


@pytest.mark.parametrize("printed", ["Recpient Agency Scope", "Recipient Agency Scopes", "Recipient Agency Socpe"])
def test_a_misspelled_label_is_a_label_and_is_flagged(printed: str) -> None:
    record = read(BASE.replace("Archived", f"{printed}\nNo\nArchived"))
    assert (values(record, "Recipient Agency Scope"), record.county) == (["No"], "Larch County")
    assert [flag for flag in record.flags if printed in flag]


@pytest.mark.parametrize(
    ("form", "below", "has_links"),
    {
        "lynx": ("[{number}]{text}", "", False),
        "lynx, number alone": ("[{number}]\n\n{text}\n", "", False),
        "lynx with its list": ("[{number}]{text}", "\nReferences\n\n   1. http://a.example/1\n   2. http://a.example/2\n", True),
        "lynx, inline": ("[http://a.example/{number}]{text}", "", True),
        "Markdown": ("[{text}](http://a.example/{number})", "", True),
        "Markdown's list": ("[{text}][{number}]", "\n[1]: http://a.example/1\n[2]: http://a.example/2\n", True),
        "in parentheses": ("{text} (http://a.example/{number})", "", True),
        "in brackets": ("{text} [http://a.example/{number}]", "", True),
        "HTML": ('<a href="http://a.example/{number}"><span><b>{text}</b></span></a>', "", True),
        "HTML over lines": ('<a\nhref="http://a.example/{number}" class="x"><span>{text}</span></a>', "", True),
        "MediaWiki": ("[[http://a.example/{number}|{text}]]", "", True),
        "Org": ("[[http://a.example/{number}][{text}]]", "", True),
        "Jira": ("[{text}|http://a.example/{number}]", "", True),
        "AsciiDoc": ("http://a.example/{number}[{text}]", "", True),
        "Textile": ('"{text}":http://a.example/{number}', "", True),
        "reStructuredText": ("`{text} <http://a.example/{number}>`__", "", True),
        "bullets": ("* {text}", "", False),
        "definition list of pandoc": (":   {text}", "\n```{=html}\n```\n", False),
        "emphasis": ("_{text}_", "", False),
    }.values(),
)
def test_marks_of_the_extractor_are_removed_and_links_kept(form: str, below: str, has_links: bool) -> None:
    numbers = iter(range(1, 99))
    references = "Complete|Judges|Probation Officers"
    record = read(re.sub(references, lambda found: form.format(text=found[0], number=next(numbers)), BASE) + below)
    assert (record.status, record.target_audience) == ("Complete", ["Judges", "Probation Officers"])
    hrefs = [row.href for row in record.fields if row.value in ("Complete", "Judges")]
    assert hrefs == (["http://a.example/1", "http://a.example/2"] if has_links else [None, None])
    assert labels(record) == labels(read(BASE))


@pytest.mark.parametrize("line", ["* * *", "---", "_" * 40, "━" * 20, "⎯⎯⎯", "⸻"])
def test_a_line_drawn_across_the_page_is_no_text(line: str) -> None:
    body = "A body of one line."
    assert read(BASE.replace(body, f"{body}\n\n{line}\n\nAnd more of it.")).description == f"{body}\n\nAnd more of it."


def test_entities_that_an_extractor_left_are_decoded_and_an_authors_are_kept() -> None:
    left = read(BASE.replace("Larch", "O&#039;Hara").replace("Complete", "Tried &amp; Complete"))
    assert (left.county, left.status) == ("O'Hara County", "Tried & Complete")
    assert read(BASE.replace("Larch", "R&amp;D & Larch")).county == "R&amp;D & Larch County"


@pytest.mark.parametrize("url", [None, "https://copies.example/AB12-CD34", "https://bjatta.bja.ojp.gov/training/help"])
def test_the_address_that_is_printed_around_a_page_names_its_node(url: str | None) -> None:
    """As on pages in HTML: it counts where the capture's own address has no node number, and no other address does."""
    record = read(f"Source: https://bjatta.bja.ojp.gov/node/7\n\n{BASE}", url=url)
    assert record.node_id == 7
    assert read(f"Source: https://bjatta.bja.ojp.gov/node/7\n\n{BASE}", url="https://bjatta.bja.ojp.gov/node/8").node_id == 8


def test_items_of_a_list_may_be_longer_than_the_margin_of_a_wrapped_text() -> None:
    body = textwrap.fill("The two agencies met and agreed on a plan. " * 6, 76) + f"\n\n- {'a long item ' * 9}"
    assert (read(BASE.replace("A body of one line.", body)).description or "").count("\n") == 2


@pytest.mark.parametrize(
    ("fields", "audience", "area"), [("", ["Judges", "County"], None), ("TTA Program Area\nCourts\n", ["Judges"], ["Courts"])]
)
def test_a_line_like_a_label_without_a_value_is_one_if_it_is_at_its_usual_place(
    fields: str, audience: list[str], area: list[str] | None
) -> None:
    text = BASE.replace("County\nLarch County\n", "").replace("Probation Officers\n", f"County\n{fields}")
    assert (read(text).target_audience, read(text).program_areas) == (audience, area)


@pytest.mark.parametrize(("missing", "expected"), [("", None), ("TTA Title\nA title\n", ["Veterans"])])
def test_where_links_are_dropped_a_line_is_no_value_if_the_label_of_a_text_is_missing_below(
    missing: str, expected: list[str] | None
) -> None:
    dropped = "Status Changed\nType of Agency\nSpecial Populations\nVeterans\n"
    text = re.sub(
        "Complete\n|Judges\n|Probation Officers\n", "", BASE.replace("Target", f"{dropped}{missing}TTAR Source\nTarget")
    )
    assert read(text).special_populations == expected


@pytest.mark.parametrize(("mark", "end"), [("", ":"), ("**", "**"), ("* ", ""), ("#### ", "")])
def test_where_labels_are_printed_unlike_values_other_labels_are_known_by_it(mark: str, end: str) -> None:
    text = BASE.replace("Deliverable Markup", "Regions Served\nNorth\nSouth\nDeliverable Markup").replace("Judges", "- Judges")
    names = sorted([*filter(None, labels(read(BASE))), "Regions Served", "Deliverable Markup for Questions"], key=len)
    printed = "\n".join(f"{mark}{line}{end}" if line in names else f"    {line}" for line in text.split("\n"))
    record = read(printed)
    assert (record.target_audience, values(record, "Regions Served")) == (["Judges", "Probation Officers"], ["North", "South"])


def test_an_item_of_a_list_is_no_label_where_labels_and_values_share_lines() -> None:
    pairs = "Status of Deliverable: Complete\nCategory: Training\nTarget Audience:\n* Court: Judges\n* Police\nTTA Title: One\n"
    record = read(f"{BASE.partition('TTA Short Name')[0]}{pairs}County: Kelp County\nArchived: Off\n")
    assert (record.target_audience, record.county) == (["Court: Judges", "Police"], "Kelp County")


def test_a_label_that_a_text_has_twice_is_one_where_it_fits() -> None:
    comments = "Reply\nCounty\nit is another one\nTarget Audience\nwho was there?\nReply\n"
    assert read(BASE + comments).county == "Larch County"
    assert read(BASE + comments + comments).target_audience == ["Judges", "Probation Officers"]


@pytest.mark.parametrize(
    ("field", "label", "expected"),
    [
        ("TTA Estimated Costs $5,000 - $9,999 Event", "TTA Estimated Costs", ["$5,000 - $9,999"]),
        ("Primary Recipient Agency Name 4321 Sessions Held 4", "Primary Recipient Agency Name", ["4321"]),
        ("BJA Grant Manager Mara Vale Event", "BJA Grant Manager", [None]),
        ("Category Training Sessions Held 4", "Category", [None]),
        ("Category Training", "Category", ["Training"]),
        ("Category Training Agency Size Medium", "Category", [None]),
        ("TTA Point of Contact Mara ValeHope Quill", "TTA Point of Contact", [None]),
        ("Category 5: a storm", "Category", []),
        ("Milestone" + " Milestone Title Report Milestone Notes Sent" * 9, "Milestone", []),
    ],
)
def test_a_value_within_a_line_ends_where_its_form_does_or_is_left_open(
    field: str, label: str, expected: list[str | None]
) -> None:
    record = read(" ".join(BASE.replace("Deliverable Markup", f"{field}\nDeliverable Markup").split()))
    assert (values(record, label), record.emerging_need) == (expected, True)


def test_labels_printed_twice_for_screen_readers_are_read_once() -> None:
    names = {*labels(read(BASE)), "Deliverable Markup for Questions"}
    record = read("\n".join(f"{line}\n{line}" if line in names else line for line in BASE.split("\n")))
    assert [(row.label, row.value) for row in record.fields] == [(row.label, row.value) for row in read(BASE).fields]


def test_what_follows_the_last_label_is_no_field_without_a_typed_value() -> None:
    other = "See also\n20190503-112233-4\nSubmitted by Bo Pine on 05/03/2019\nCounty\nKelp County\nTTA Short Name\nOther\n"
    record = read(f"{BASE}{other}Example Bureau\n[Privacy Policy](/privacy)\n[Terms](/terms)\n")
    assert (record.county, values(record, "County"), values(record, "TTA Short Name")) == (
        "Larch County",
        ["Larch County"],
        ["Two-agency workshop"],
    )
    assert labels(record) <= {*labels(read(BASE)), None}


def test_a_question_with_its_answer_above_the_first_label_is_a_field() -> None:
    record = read(BASE.replace("TTA Short Name", "General Information\nIs an interpreter needed?\nYes\nTTA Short Name"))
    assert (record.description, values(record, "Is an interpreter needed?")) == ("A body of one line.", ["Yes"])


def test_fields_without_anything_between_them_are_read_where_that_is_certain() -> None:
    head, _, fields = BASE.partition("TTA Short Name")
    record = read(head + "TTA Short Name" + fields.replace("\n\n", " ").replace("\n", ""))
    assert (record.emerging_need, record.county, record.archived, record.description) == (
        True,
        "Larch County",
        False,
        "A body of one line.",
    )


@pytest.mark.parametrize("disguise", DISGUISES)
def test_another_layout_of_a_text_says_the_same(disguise: str) -> None:
    text = DISGUISES[disguise](BASE)
    plain, other = read(BASE), read(text)
    assert (other.form, other.node_id) == ("text", 7 if ADDRESS in text else None)
    same = ("title", "submitted_by", "submitted_at", "short_name", "status", "emerging_need", "county", "archived")
    assert [getattr(other, name) for name in same] == [getattr(plain, name) for name in same]
    assert labels(other) == labels(plain)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x0c", "\u2028"])
def test_bytes_and_line_ends_do_not_matter(encoding: str, newline: str) -> None:
    text = BASE.replace("Larch County", "\u200bLarch\xa0County").replace("\n", newline)
    assert (read(text.encode(encoding)).county, read(text.encode(encoding)).archived) == ("Larch County", False)


def test_groups_have_items_by_the_labels_of_their_members() -> None:
    lines = "Milestone\nMilestone Title\nKickoff\nMilestone Due Date\n03/01/2024\nMilestone Notes\n\nCounty\n\nAll came.\n\n"
    record = read(BASE.replace("Archived", f"TTA {lines}Milestone Title\nReport\nMilestone Due Date\nArchived"))
    assert [(row.title, row.date) for row in record.milestones] == [("Kickoff", "2024-03-01"), ("Report", None)]
    assert record.milestones[0].notes == "County\n\nAll came."
    lines = "Milestone\nMilestone Title\nKickoff\nMilestone Title\nReport\nDays Spent\n5\n"
    record = read(BASE.replace("Archived", f"{lines}\nArchived"))
    assert [row.item for row in record.fields if row.value in ("Report", "5")] == ["Milestone 2", None]
    lines = "Milestone\nMilestone Title\nKickoff\nCompleted\nNo\nNarrative\nMilestone Due Date\nsoon\n"
    record = read(BASE.replace("Archived", f"{lines}{METRICS}\nArchived"))
    assert [(row.label, row.value) for row in record.fields if row.item] == [
        *(("Milestone Title", "Kickoff"), ("Completed", "No"), (None, "Narrative"), ("Milestone Due Date", None), (None, "soon"))
    ]
    for rows in (
        "Milestone Title | Milestone Date\n---|---\nKickoff | 03/01/2024",
        "Milestone Title\nMilestone Date\nKickoff\n03/01/2024",
    ):
        table = read(BASE.replace("Archived", f"Milestone\n{rows}\nArchived"))
        assert [(row.title, row.date) for row in table.milestones] == [("Kickoff", "2024-03-01")]
    cells = "Kickoff\n03/01/2024\nAll came.\nSome stayed.\nReport\n04/01/2024\nEnd\n05/01/2024\nDone."
    table = read(BASE.replace("Archived", f"Milestone\nMilestone Title\nMilestone Due Date\nMilestone Notes\n{cells}\nArchived"))
    assert [(row.title, row.notes) for row in table.milestones] == [
        ("Kickoff", "All came.\nSome stayed."),
        ("Report", None),
        ("End", "Done."),
    ]
    flat = read(BASE.replace("Archived", "Milestone\nMilestone TitleMilestone Date\nKickoff 03/01/2024\nArchived"))
    assert not [label for label in labels(flat) if label and "TitleMilestone" in label]


def test_a_text_whose_labels_have_no_structure_says_so() -> None:
    named = "Fill in TTA Short Name, Status of Deliverable, TTA Title, TTAR Source, TTA Source, and Recipient Agency Scope."
    page = parse_page(named.encode(), is_text=True)
    assert (page.kind, page.reason[:7]) == (Kind.OTHER, "names 6")


def test_a_value_that_the_end_of_the_text_cuts_is_marked() -> None:
    record = read(BASE.partition("ch County")[0], incomplete=True)
    assert [(row.value, row.truncated) for row in record.fields][-1] == ("Lar", True)
    assert [row for row in record.fields if row.state is FieldState.EMPTY] == []


def test_a_text_of_more_lines_than_are_read_in_seconds_is_read_as_one_that_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textlines, "MAX_LINES", BASE.partition("Archived")[0].count("\n"))
    record = read(BASE)
    assert ("Archived" in labels(record), record.fields[-1].value, record.fields[-1].truncated) == (False, "Larch County", True)


def test_each_value_tells_the_lines_it_was_read_from() -> None:
    positions = locate(BASE.encode(), is_text=True)
    assert positions is not None
    found = {row.label: positions.fields[index] for index, row in enumerate(positions.record.fields)}
    assert found["County"] == ("lines 20 to 21", "County\nLarch County")
    assert positions.head["title"] == ("line 1", "20240311-91530-7")


@pytest.mark.parametrize("name", LIBRARIES)
def test_texts_of_foreign_extractors_are_read_rightly(name: str) -> None:
    tally = Tally()
    for seed, theme in ((0, "bootstrap3"), (1, "olivero"), (3, "bare")):
        page = (invent(seed), theme, Options(furniture=True))
        told, text = told_of(*page), LIBRARIES[name](html_of(*page))
        compare(told, text, parse_page(text.encode(), is_text=True).record, tally)
    has_lines = "one line" not in name and "html2txt" not in name
    subjects = ("record", *(("title", "author", "county", "point", "yes/no") if has_lines else ()))
    assert [tally.right[subject] for subject in subjects] == [tally.contained[subject] for subject in subjects], tally.faults
    assert tally.contained["invented labels"] == 0, tally.faults
