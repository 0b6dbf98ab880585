"""What is above the fields of a text capture: title, byline, body; and text without labels."""

import pytest

from parsers.page import parse_page
from parsers.record import Kind
from tests.pagegen.extractors import FORWARDED
from tests.textkit import BASE, CHECK, LETTER, METRICS, MILESTONES, labels, read, values

NOTICE = "Attention\nThis website is under construction.\nQuestions?"
MENU = "\n".join(["A Plain Title | Example Portal", "Skip to main content", *(f"Menu item {number}" for number in range(100))])


@pytest.mark.parametrize(
    ("top", "title"),
    {
        "reference": ("20240311-91530-7\nSubmitted by Hope Quill on Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "heading as in the document's title": ("A Plain Title\nSubmitted by Hope Quill on 03/11/2024", "A Plain Title"),
        "link without space": (
            "20240311-91530-7\nSubmitted by[Hope Quill](/user/1) on Mon, 03/11/2024 - 09:15",
            "20240311-91530-7",
        ),
        "icons": ("20240311-91530-7\n__[Hope Quill](/user/1)\n__Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "Olivero": ("20240311-91530-7\nBy Hope Quill , 11 March, 2024", "20240311-91530-7"),
        "byline over lines": ("20240311-91530-7\nSubmitted by\nHope Quill\non\n03/11/2024", "20240311-91530-7"),
        "wrapped": ("20240311-91530-7\nSubmitted by\nHope Quill on Mon,\n03/11/2024 -\n09:15", "20240311-91530-7"),
        "tabs": ("20240311-91530-7\nPrimary tabs\nView\nRevisions\nBy Hope Quill, 03/11/2024", "20240311-91530-7"),
        "without a verb": ("20240311-91530-7\nHope Quill\nMon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "no space": ("20240311-91530-7\nSubmitted by Hope Quillon Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "date first": ("20240311-91530-7\nPosted on 03/11/2024 by Hope Quill", "20240311-91530-7"),
        "menus between": (
            "20240311-91530-7\nUser account menu\n* Log in\nMain navigation\n* Home\nLink\nSubmitted by Hope Quill on 3/11/2024",
            "20240311-91530-7",
        ),
        "dash before the date": ("20240311-91530-7\nPublished by Hope Quill - Mon, 03/11/2024 - 09:15", "20240311-91530-7"),
        "date below the name": ("20240311-91530-7\nBy Hope Quill\nMarch 11, 2024", "20240311-91530-7"),
        "no word": ("20240311-91530-7\nBreadcrumb\n1. Home\nHope Quill 11 March 2024", "20240311-91530-7"),
        "a breadcrumb's arrows": ("* Home >\n* 20240311-91530-7 >\nSubmitted by Hope Quill on 03/11/2024", "20240311-91530-7"),
        "again in a breadcrumb": ("A Title\n* Home\n* A Title\nBy Hope Quill, 03/11/2024", "A Title"),
        "far above": ("REQ: 2024-01-02 - A\nMenu\nClose\nLink\nBy Hope Quill, 03/11/2024", "REQ: 2024-01-02 - A"),
        "blank lines": (f"20240311-91530-7\nBy{9 * chr(10)}Hope Quill\n\n03/11/2024", "20240311-91530-7"),
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
        "County\nKelp County\nTTA Short Name\nan old one\nSubmitted by Nobody on 01/01/1970",
        *("Submitted by Nobody on 01/01/1970", "County\nKelp County", "TTA Title\nan old one", "Milestone:\nlater"),
        "County\nKelp County\nArchived\nNo",
    ],
)
def test_a_body_may_contain_labels_and_bylines(quoted: str) -> None:
    body = f"A first line.\n\n{quoted}\n\nA last line."
    record = read(BASE.replace("A body of one line.", body))
    assert (record.description, record.submitted_by, record.county) == (body, "Hope Quill", "Larch County")
    assert labels(record) == labels(read(BASE))


@pytest.mark.parametrize(
    "top",
    [
        "20240311-91530-7\nUser account menu\n* Log in\nMain navigation\nA link\n* Home",
        "20240311-91530-7\n1. Home\n2. 20240311-91530-7",
        "Two agencies meet\nTwo agencies meet",
        "20240311-91530-7\nBy Hope Quill on",
    ],
)
def test_a_body_begins_after_menus_breadcrumbs_and_a_line_whose_date_was_dropped(top: str) -> None:
    record = read(BASE.replace(BASE.partition("\n\nA body")[0], top))
    assert (record.title, record.description) == (top.partition("\n")[0], "A body of one line.")


def test_an_item_of_a_list_above_a_time_is_no_author() -> None:
    text = BASE.replace("Submitted by Hope Quill on Mon, 03/11/2024", "- In Progress\nMon, 03/11/2024")
    assert (read(text).title, read(text).submitted_by) == ("20240311-91530-7", None)


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
        "only the document's, above menus": (
            BASE.replace("20240311-91530-7", "A Plain Title | Portal\nSkip to main content\nPortal\nMain navigation\nHome"),
            "A Plain Title",
        ),
        "above tabs": (
            BASE.replace("20240311-91530-7", "A Plain Title\nBreadcrumb\n1. Home\nPrimary tabs\nView"),
            "A Plain Title",
        ),
        "below a breadcrumb": (
            f"Portal\n* Log in\nPrimary tabs\nView\nBreadcrumb\n1. Home\n2.\nA Plain Title\n{BASE.partition('09:15')[2]}",
            "A Plain Title",
        ),
        "a heading with the site's name": (BASE.replace("20240311-91530-7", "# A Plain Title | Portal"), "A Plain Title"),
        "in one line with a menu": (BASE.replace("20240311-91530-7", "HomeAboutLog in20240311-91530-7"), None),
        "in a menu's line": (BASE.replace("20240311-91530-7", "HomeAboutLog inTwo-agency workshop"), None),
        "with the site's name": (BASE.replace("-7\n", "-7 | Example Portal\n", 1), "20240311-91530-7"),
        "how long an author is a member": (BASE.replace("20240311-91530-7", "Member for\n34 minutes 49 seconds"), None),
        "a menu below a breadcrumb is none": (f"Breadcrumb\n1. Home\nMain navigation\n{BASE.partition('09:15')[2]}", None),
        "a menu's item is none": (BASE.replace("20240311-91530-7", "Start\nHome\nLog in\nHome"), None),
    }.values(),
)
def test_the_title_is_found_where_it_is_printed_and_is_no_menu_item(text: str, title: str | None) -> None:
    record = read(text)
    assert (record.title, record.description, record.county) == (title, "A body of one line.", "Larch County")


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


def test_a_page_with_teasers_of_other_records_is_its_own_record() -> None:
    teaser = "20230101-80000-1\nSubmitted by Mara Vale on 01/01/2023\nOther words.\nTTA Title\nAnother\n"
    teaser += "Read more about 20230101-80000-1\n"
    record = read("20240311-91530-7\nSearch\nBrowse TTAs\n" + teaser + BASE.partition("\n\n")[2])
    assert (record.title, record.submitted_by, record.tta_title) == ("20240311-91530-7", "Hope Quill", None)
    listing = parse_page(("Browse TTAs\n" + teaser + teaser.replace("-1\n", "-2\n")).encode(), is_text=True)
    assert listing.kind is Kind.OTHER
    assert parse_page(teaser.encode(), is_text=True).kind is Kind.OTHER


def test_comments_and_what_a_field_shows_of_a_page_are_not_part_of_the_record() -> None:
    below = "Comments\n\nCounty\n\nMara Vale\nMon, 03/11/2024 - 09:15\n\nLog in or register to post comments\n"
    field = "Type of Agency\nCourts\nProvider Reference\nAn Agency\nRead more about An Agency\nTarget Audience"
    record = read(BASE.replace("Target Audience", field) + below)
    assert (record.title, record.submitted_by, record.description) == ("20240311-91530-7", "Hope Quill", "A body of one line.")
    assert (record.status, record.provider_reference, values(record, "County")) == ("Complete", "An Agency", ["Larch County"])


def test_a_site_s_name_above_its_menus_is_no_title_and_a_byline_in_parts_is_one() -> None:
    menu = "Skip to main content\nPortal\nSearch\nMain navigation\n* Home\nUser account menu\n* Log in\nBreadcrumb\n1. Home\n"
    menu += "Search\n"
    byline = "Submitted by\nHope Quill\non\nMon, 03/11/2024 - 09:15"
    record = read(menu + byline + BASE.partition("09:15")[2])
    assert (record.title, record.submitted_by, record.description) == (None, "Hope Quill", "A body of one line.")
