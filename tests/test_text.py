"""Text captures: the style is determined first, and each style has its rules (docs/decisions/reading.md)."""

import re
import textwrap

import pytest

from parsers.locate import locate
from parsers.page import parse_page
from parsers.record import FieldState, Kind, Record
from parsers.registry import LABELS, label_of
from tests.pagegen.extractors import ADDRESS, DISGUISES, FORWARDED, LIBRARIES
from tests.pagegen.invent import invent
from tests.pagegen.options import Options
from tests.pagegen.render import html_of
from tests.pagegen.text_truth import Tally, compare, told_of

CHECK = "Please check the box next to the following questions if the answer is 'yes'."
MILESTONES = "Milestones are an element, activity, work product, or key task associated with completing the TTA (e.g. a call)."
METRICS = "Please respond to the Performance Metrics below."
LETTER = "Please submit a signed letter of support from your agency's executive or other senior staff member."
OTHER = "If your program area sub-topic is one of the 'Other Program Areas', please"
BASE = f"""20240311-91530-7

Submitted by Hope Quill on Mon, 03/11/2024 - 09:15

A body of one line.

TTA Short Name
Two-agency workshop
Status of Deliverable
Complete
Target Audience
Judges
Probation Officers
Deliverable Markup for Questions

{CHECK}

Is this TTA in response to emerging public safety needs?
Yes
County
Larch County
Archived
Off
"""
"""A labelled text. What a case adds is put where labels like it usually are."""


def read(text: str | bytes, **more: object) -> Record:
    content = text if isinstance(text, bytes) else text.encode()
    page = parse_page(content, is_text=True, **more)  # type: ignore[arg-type]
    assert page.record is not None, page.reason
    return page.record


def values(record: Record, label: str | None) -> list[str | None]:
    return [row.value for row in record.fields if row.label == label]


def labels(record: Record) -> set[str | None]:
    return {row.label for row in record.fields}


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


NOTICE = "Attention\nThis website is under construction.\nQuestions?"
MENU = "\n".join(["A Plain Title | Example Portal", "Skip to main content", *(f"Menu item {number}" for number in range(100))])


@pytest.mark.parametrize(
    ("top", "title"),
    {
        "reference": ("20240311-91530-7\nSubmitted by Hope Quill on Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "heading as in the document's title": ("A Plain Title\nSubmitted by Hope Quill on 03/11/2024", "A Plain Title"),
        "Olivero": ("20240311-91530-7\nBy Hope Quill , 11 March, 2024", "20240311-91530-7"),
        "byline over lines": ("20240311-91530-7\nSubmitted by\nHope Quill\non\n03/11/2024", "20240311-91530-7"),
        "wrapped": ("20240311-91530-7\nSubmitted by\nHope Quill on Mon,\n03/11/2024 -\n09:15", "20240311-91530-7"),
        "tabs": ("20240311-91530-7\nPrimary tabs\nView\nRevisions\nBy Hope Quill, 03/11/2024", "20240311-91530-7"),
        "without a verb": ("20240311-91530-7\nHope Quill\nMon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "no space": ("20240311-91530-7\nSubmitted by Hope Quillon Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "date first": ("20240311-91530-7\nPosted on 03/11/2024 by Hope Quill", "20240311-91530-7"),
        "notice between": (f"20240311-91530-7\n{NOTICE}\nSubmitted by Hope Quill on 03/11/2024", "20240311-91530-7"),
    }.values(),
)
def test_title_and_byline_are_found_behind_any_number_of_menus(top: str, title: str) -> None:
    body = BASE.partition("09:15\n")[2]
    record = read(f"{MENU}\n{top}\n{body}\nRecent Posts\nA post.\nEmail Address\nSign up\nPrivacy Policy\nMenu item 1\n")
    assert (record.title, record.submitted_by, (record.submitted_at or "")[:10]) == (title, "Hope Quill", "2024-03-11")
    assert record.description == "A body of one line."
    assert labels(record) == labels(read(BASE))
    assert not [row for row in record.fields if row.value and ("Menu" in row.value or "Privacy" in row.value)]


@pytest.mark.parametrize(
    "quoted",
    [
        *("Submitted by Nobody on 01/01/1970", "County\nKelp County", "TTA Title\nan old one", "Milestone:\nlater"),
        "County\nKelp County\nArchived\nNo",
    ],
)
def test_a_body_may_contain_labels_and_bylines(quoted: str) -> None:
    body = f"A first line.\n\n{quoted}\n\nA last line."
    record = read(BASE.replace("A body of one line.", body))
    assert (record.description, record.submitted_by, record.county) == (body, "Hope Quill", "Larch County")
    assert labels(record) == labels(read(BASE))


PROSE = [
    *("Work Plan:", "County", "The two agencies met and agreed on a plan.", CHECK, "The method was tried before.", MILESTONES),
    *("Invite the partners.", "Write the guide", METRICS, LETTER),
    "- General information regarding the request for TTA services, i.e., the who.",
    "Please call [site:phone] if you need further assistance completing this application.",
]


@pytest.mark.parametrize(
    ("top", "author"),
    {
        "no byline": ("", None),
        "a mail's header": (FORWARDED, None),
        "one of its own": ("By Hope Quill,\n", "Hope Quill"),
        "a notice": (f"{NOTICE}\n", None),
    }.values(),
)
def test_a_byline_quoted_in_prose_is_body(top: str, author: str | None) -> None:
    body = f"Title: {'The two agencies met and agreed on a plan. ' * 3}\nSubmitted by Nobody on 01/01/1970\nThe work goes on."
    record = read(f"{top}{body}\n{CHECK}\n{MILESTONES}\nInvite the partners.\n{METRICS}\n{LETTER}\n")
    assert ((record.description or "").split(), record.submitted_by, record.title) == (body.split(), author, None)


def test_what_one_line_cannot_tell_apart_is_text_and_is_named() -> None:
    text = BASE.replace("20240311-91530-7", "A Plain Title").replace("Two-agency workshop", "Workshop in Kelp County")
    record = read(" ".join(f"A Plain Title | Example Portal Skip to main content {text}".split()))
    assert (record.title, record.county, values(record, "County")) == ("A Plain Title", "Larch County", ["Larch County"])
    assert (record.target_audience, record.status, record.emerging_need) == (None, "Complete", True)
    assert "Judges Probation Officers" in values(record, None)
    assert [flag for flag in record.flags if flag.startswith("Target Audience: ")]


@pytest.mark.parametrize("separator", ["\t", " | ", "|", "   "])
def test_a_separator_in_place_of_line_breaks_separates_lines(separator: str) -> None:
    record = read(separator.join(line for line in BASE.split("\n") if line))
    assert (record.title, record.submitted_by, record.description) == ("20240311-91530-7", "Hope Quill", "A body of one line.")
    assert (record.target_audience, record.county, record.archived) == (["Judges", "Probation Officers"], "Larch County", False)
    assert labels(record) == labels(read(BASE))


@pytest.mark.parametrize(
    ("text", "title"),
    {
        "front matter": ('---\ntitle: "A Plain Title"\nauthor: x\n---\n' + BASE.partition("\n")[2], "A Plain Title"),
        "above tabs": (
            BASE.replace("20240311-91530-7", "A Plain Title\nBreadcrumb\n1. Home\nPrimary tabs\nView"),
            "A Plain Title",
        ),
        "a heading with the site's name": (BASE.replace("20240311-91530-7", "# A Plain Title | Portal"), "A Plain Title"),
        "in one line with a menu": (BASE.replace("20240311-91530-7", "HomeAboutLog in20240311-91530-7"), None),
        "in a menu's line": (BASE.replace("20240311-91530-7", "HomeAboutLog inTwo-agency workshop"), None),
        "with the site's name": (BASE.replace("-7\n", "-7 | Example Portal\n", 1), "20240311-91530-7"),
        "how long an author is a member": (BASE.replace("20240311-91530-7", "Member for\n34 minutes 49 seconds"), None),
        "a menu's item is none": (BASE.replace("20240311-91530-7", "Start\nHome\nLog in\nHome"), None),
    }.values(),
)
def test_the_title_is_found_where_it_is_printed_and_is_no_menu_item(text: str, title: str | None) -> None:
    record = read(text)
    assert (record.title, record.description, record.county) == (title, "A body of one line.", "Larch County")


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


def test_a_value_may_be_spelled_like_a_label_without_a_value() -> None:
    text = BASE.replace("County\nLarch County\n", "").replace("Probation Officers", "County")
    assert read(text).target_audience == ["Judges", "County"]


def test_comments_and_what_a_field_shows_of_a_page_are_not_part_of_the_record() -> None:
    below = "Comments\n\nCounty\n\nMara Vale\nMon, 03/11/2024 - 09:15\n\nLog in or register to post comments\n"
    field = "Type of Agency\nCourts\nProvider Reference\nAn Agency\nRead more about An Agency\nTarget Audience"
    record = read(BASE.replace("Target Audience", field) + below)
    assert (record.title, record.submitted_by, record.description) == ("20240311-91530-7", "Hope Quill", "A body of one line.")
    assert (record.status, record.provider_reference, values(record, "County")) == ("Complete", "An Agency", ["Larch County"])


def test_fields_without_anything_between_them_are_read_where_that_is_certain() -> None:
    head, _, fields = BASE.partition("TTA Short Name")
    record = read(head + "TTA Short Name" + fields.replace("\n\n", " ").replace("\n", ""))
    assert (record.emerging_need, record.county, record.archived, record.description) == (
        True,
        "Larch County",
        False,
        "A body of one line.",
    )


@pytest.mark.parametrize("join", ["\n", "\n\n", "\r\n"])
def test_in_prose_nothing_is_a_label(join: str) -> None:
    record = read(join.join(PROSE))
    assert (record.form, record.title, labels(record)) == ("prose", None, {None})
    assert (record.description or "").split() == " ".join(PROSE[:3]).split()
    assert [row.title for row in record.milestones] == ["Invite the partners.", "Write the guide"]
    assert [section.label for section in record.sections] == [
        "Deliverable Markup for Questions", "Milestones Markup", "Performance Metrics Markup", "Cover Letter Instructions",
    ]  # fmt: skip
    assert all(line in (record.sections[-1].text or "") for line in PROSE[-3:])
    assert "several records" in parse_page(join.join(PROSE * 2).encode(), is_text=True).reason


def test_prose_stays_prose_where_its_body_quotes_a_section_and_where_it_is_in_one_line() -> None:
    record = read("\n".join(["POINT (1 2)", "Deliverable Markup for Questions", CHECK, *PROSE[2:]]))
    assert (record.form, labels(record), record.longitude) == ("prose", {None}, None)
    record = read(" ".join(PROSE[2:]))
    assert (record.form, record.description, record.fields[1].value) == ("prose", PROSE[2], PROSE[4])


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


def test_a_page_with_teasers_of_other_records_is_its_own_record() -> None:
    teaser = "20230101-80000-1\nSubmitted by Mara Vale on 01/01/2023\nOther words.\nTTA Title\nAnother\n"
    teaser += "Read more about 20230101-80000-1\n"
    record = read("20240311-91530-7\nSearch\nBrowse TTAs\n" + teaser + BASE.partition("\n\n")[2])
    assert (record.title, record.submitted_by, record.tta_title) == ("20240311-91530-7", "Hope Quill", None)
    listing = parse_page(("Browse TTAs\n" + teaser + teaser.replace("-1\n", "-2\n")).encode(), is_text=True)
    assert listing.kind is Kind.OTHER
    assert parse_page(teaser.encode(), is_text=True).kind is Kind.OTHER


def test_a_text_whose_labels_have_no_structure_says_so() -> None:
    named = "Fill in TTA Short Name, Status of Deliverable, TTA Title, TTAR Source, TTA Source, and Recipient Agency Scope."
    page = parse_page(named.encode(), is_text=True)
    assert (page.kind, page.reason[:7]) == (Kind.OTHER, "names 6")


def test_a_value_that_the_end_of_the_text_cuts_is_marked() -> None:
    record = read(BASE.partition("ch County")[0], incomplete=True)
    assert [(row.value, row.truncated) for row in record.fields][-1] == ("Lar", True)
    assert [row for row in record.fields if row.state is FieldState.EMPTY] == []


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


@pytest.mark.parametrize(
    "text",
    [
        *("County\n" * 20_000, "a b\n" * 1_000_000, "[" * 300_000, "Submitted by\n" * 20_000, "Some Label\nYes\n" * 10_000),
        *("word " * 100_000, "TTA Event Date\n-\n" * 10_000, f"{CHECK}\n" * 5_000, "some words of a long text\n" * 20_000),
        *(
            'x"' * 200_000,
            "<a href=" * 50_000,
            "`x <y" * 50_000,
            "[[x|" * 50_000,
            ".. container::\n x\n" * 20_000,
            "&amp;" * 200_000,
        ),
        *("Read more\n" * 20_000, "Read more about 20240311-91530-7 " * 10_000, "x | " * 100_000, "a@b (" * 50_000),
        BASE.replace("Archived", "Some Label\na value\n" * 10_000 + "Archived"),
        *("\f\n" * 20_000, " \n" * 20_000 + " " * 500_000 + "x", "\n-- \n" + f"{'x' * 5_000}\n" * 30, "URL: " * 100_000),
        *("1/9\n" * 20_000, "County: x\n" * 20_000, "--- Forwarded message ---\n" + "From: x\n \n" * 10_000),
    ],
    ids=range(27),
)
@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time(text: str) -> None:
    assert parse_page(text.encode(), is_text=True).kind in (Kind.OTHER, Kind.RECORD)
