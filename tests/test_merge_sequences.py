"""Sequences of captures: an unchanged record has no changes, a true change is recorded once, the best value is kept."""

from typing import Any, NamedTuple

import pytest

from parsers.columns import field_key
from parsers.record import Field
from scraper.database.merge import HEAD, Merged, Seen, merge
from scraper.database.stored_page import FieldValue, StoredPage

LOST = object()
"""A label whose value the extractor dropped."""


class Cut(NamedTuple):
    """A value that the page's end cuts."""

    text: str


class Dated(NamedTuple):
    """A printed time with the `datetime` attribute of its element."""

    text: str
    datetime: str


Values = dict[str, Any]
"""Values by label: a text, a list of texts, LOST, None (printed empty), Cut, Dated; of a group a list of such dicts."""
Capture = tuple[str, Values]


def rows_of(values: Values, item: str | None = None) -> list[FieldValue]:
    rows: list[FieldValue] = []
    for label, value in values.items():
        for number, one in enumerate(value if isinstance(value, list) else [value], start=1):
            if isinstance(one, dict):
                rows += rows_of(one, f"{label} {number}")
                continue
            text = None if one is LOST or one is None else one if isinstance(one, str) else one.text
            state = "not_captured" if one is LOST else "empty" if one is None else "value"
            name, shown = (label, None) if label == "body" or label.startswith("field_") else (None, label or None)
            key = field_key(Field(position=1, label=shown, name=name, item=item, state=state))
            when = one.datetime if isinstance(one, Dated) else None
            rows.append(FieldValue(key, None, shown, name, item, text, state, None, when, 1, isinstance(one, Cut)))
    return rows


def seen(number: int, capture: Capture) -> Seen:
    form, values = capture
    fields = rows_of({label: value for label, value in values.items() if label not in HEAD})
    incomplete = any(row.truncated for row in fields)
    page = StoredPage(form, incomplete, None, [values.get(name) for name in HEAD], fields, [], [], [], [])
    return Seen(f"c{number}", f"2025-01-{number:02d}T00:00:00Z", page)


def merged(*captures: Capture) -> Merged:
    return merge([seen(number, one) for number, one in enumerate(captures, start=1)])


def changes(result: Merged) -> list[tuple[str, str | None, str | None]]:
    return [(one.field, one.old_value, one.new_value) for one in result.changes]


BODY = "Goals of the visit:\n• Train twelve officers — in person\n• Write a “model” policy\nA report follows in May."
STEPS = [
    {"Milestone Title": "Kick-off call", "Milestone Date": Dated("January 5, 2025", "2025-01-05T12:00:00Z")},
    {"Milestone Title": "Final report", "Milestone Date": Dated("May 1, 2025", "2025-05-01T12:00:00Z")},
]
BARE_STEPS = [{"Milestone Title": one["Milestone Title"], "Milestone Date": LOST} for one in STEPS]
RANGE = Dated("Mon, 03/03/2025 - 09:00 - Tue, 03/04/2025 - 17:00", "2025-03-03T14:00:00Z/2025-03-04T22:00:00Z")


def same(label: str, rich: Any, poor: Any, forms: str = "html text", **more: Any) -> tuple[str, Capture, Capture]:
    """A field as a richer and a poorer capture of the unchanged record show it. `more`: what the richer one shows besides."""
    richer, poorer = forms.split()
    return label, (richer, {label: rich} | more), (poorer, {label: poor})


POLICY, MODEL = "See the policy of the court", "See the model policy now"
POINT = "POINT (-71.0464339 42.3458497)"
POINTS, AGENCIES = ["POINT (-71.05 42.34)", "POINT (-80.1 25.7)"], ["Courts", "Local, Police"]
DAYS = [Dated("March 3, 2025", "2025-03-03T12:00:00Z"), Dated("May 2, 2025", "2025-05-02T12:00:00Z")]
CHANGED = Dated("Wednesday, January 29, 2025 - 14:56", "2025-01-29T19:56:39Z")
TABLE, LINES = "Agenda\n9:00\tWelcome\n10:00\tWork", [{"": "Kick-off call"}, {"": "Final report"}]
OTHER_DAYS = [one | {"Milestone Date": day} for one, day in zip(STEPS, ("01/05/2025", "05/01/2025"), strict=True)]
THE_SAME = {
    "bullets as hyphens": same("body", BODY, BODY.replace("•", "-")),
    "bullets as asterisks": same("body", BODY, BODY.replace("•", "  *")),
    "no bullets": same("body", BODY, BODY.replace("• ", "")),
    "straight quotes": same("body", BODY, BODY.replace("“", '"').replace("”", '"')),
    "another dash": same("body", BODY, BODY.replace("—", "--")),
    "headings lost": same("body", BODY, "\n".join(BODY.split("\n")[1:]), "html prose"),
    "drawn line": same("body", BODY, f"{'━' * 30}\n{BODY}"),
    "list items lost": same("body", BODY, "Goals of the visit:\nA report follows in May."),
    "end cut": same("body", BODY, BODY[:90]),
    "all in one line": same("body", BODY, BODY.replace("\n", " ")),
    "a list and not its heading in one line": same("body", "Agenda\nPlan\no Act\nRest", "Plan o Act Rest"),
    "wrapped": same("body", BODY, BODY.replace("officers ", "officers\n  ")),
    "Markdown": same("body", MODEL, "## See the **[model policy](/node/9)** now"),
    "footnote marks": same("body", POLICY, "See the [12]policy of the court"),
    "numbered list": same("body", "Do:\nPlan\nAct", "Do:\n 1. Plan\n 2. Act"),
    "numbers of a list lost": same("body", "Do:\n1. Plan\n2. Act\na) Rest", "Do:\nPlan\nAct\na) Rest"),
    "label taken along": same("County", "spaced", "County spaced"),
    "table": same("body", TABLE, "Agenda\n| 9:00 | Welcome |\n|---|---|\n| 10:00 | Work |"),
    "table lost": same("body", TABLE + "\nAll are invited.", "Agenda\nAll are invited."),
    "caption below its table": same("body", TABLE + "\nAll.", "9:00 Welcome\n10:00 Work\nAgenda\nAll."),
    "decomposed accents": same("County", "Doña Ana County", "Don\u0303a Ana County"),
    "no-break spaces": same("County", "Doña Ana County", "Doña\u00a0Ana County", "html html"),
    "several lines": same("Mailing Address", "City Hall\n1 Beacon St\nBoston", "City Hall"),
    "decoded wrongly": same("body", "Café’s “plan”", "CafÃ©â€™s â€œplanâ€\x9d", "html html"),
    "decoded in part": same("body", "Café’s “plan”", "Café\ufffds “plan\ufffd", "html html"),
    "escaped twice": same("County", "Lake & Sons", "Lake &amp; Sons", "html html"),
    "letters lost": same("County", "Doña Ana County", "Do?a Ana County", "html html"),
    "mark lost": same("First request", "✖", "?", "html html"),
    "letters without codes": same("Title", "Íñiguez Hall", "Ã\x8dÃ±iguez Hall", "html html"),
    "in degrees": same("Event Location Geo", POINT, "42° 20' 45\" N, 71° 2' 47\" W"),
    "accents lost": same("County", "Doña Ana County", "Dona Ana County", "html html"),
    "point with fewer digits": same("Event Location Geo", POINT, "POINT (-71.05 42.35)", "html html"),
    "points cut off": same(
        "Event Location Geo", [POINT, "POINT (-80.1234 25.7654)"], ["POINT (-71.04 42.34)", "POINT (-80.12 25.76)"]
    ),
    "latitude first": same("Event Location Geo", POINTS[0], "42.34, -71.05"),
    "text of a picture": same("body", f"{TABLE}\nAll are invited.", f"{TABLE}\nA chart of results\nAll are invited."),
    "translated": same("body", BODY, "Objetivos de la visita", "html translation"),
    "author cut": same("submitted_by", "Hope Fiorimonti-Vale", "Hope Fiorimont…", "html html"),
    "value cut": same("Category", "Training - In Person", "Training - In P..."),
    "local time": same("submitted_at", "2025-01-29T19:56:39Z", "2025-01-29T14:56:00", "html html"),
    "another extractor's local time": same("submitted_at", "2025-01-29T14:56:00", "2025-01-29T14:56", "html html"),
    "day only": same("submitted_at", "2025-07-01T02:56:39Z", "2025-06-30"),
    "printed time": same("Status Changed", CHANGED, "01/29/2025 - 14:56", "html html"),
    "noon for a date": same("Reviewed On", Dated("Fri, 09/20/2024 - 12:00", "2024-09-20T12:00:00Z"), "09/20/2024 - 12:00"),
    "range with to": same("TTA Event Date", RANGE, "03/03/2025 09:00 to 03/04/2025 17:00"),
    "half a range": same("TTA Event Date", RANGE, "Mon, 03/03/2025 - 09:00 -"),
    "range without hours": same("TTA Event Date", RANGE, "March 3 - 4, 2025"),
    "several days": same("Session Dates", DAYS, "March 3, 2025\n\nMay 2, 2025"),
    "cost with to": same("TTA Estimated Costs", "$1,000 - $5,000", "$1,000 to $5,000"),
    "second point lost": same("Event Location Geo", POINTS, POINTS[0]),
    "values in one line": same("Type of Agency", AGENCIES, "Courts, Local, Police"),
    "values in another order": same("Type of Agency", AGENCIES, AGENCIES[::-1], "html html"),
    "a value lost": same("Type of Agency", AGENCIES, AGENCIES[1:]),
    "spelling of yes": same("I Agree", "1", "On", "data html"),
    "value lost": same("County", "Essex", LOST),
    "printed empty": same("County", "Essex", None),
    "page cut": same("Category", "Adjudication", Cut("Adjudic\ufffd"), "html html"),
    "list cut": same("Type of Agency", AGENCIES, ["Courts", Cut("Loc")], "html html"),
    "next fields taken along": same("Agency", "42799", "42799 Contact Robin Vale Fax 555", Contact="Robin Vale", Fax="555"),
    "other fields below the body": same(
        "body", BODY, f"{BODY}\nThey meet weekly.\nHours\n6", Outcome="They meet weekly.", Hours="6"
    ),
    "other fields below a group": same("Milestone", STEPS, [BARE_STEPS[0], BARE_STEPS[1] | {"": ["Hours", "6"]}], Hours="6"),
    "the next label taken for another value": same("Type of Agency", AGENCIES, [*AGENCIES, "Name"], Name="Robin Vale"),
    "the label of a group taken for the value": same(
        "Website", "a.example", "Site Visits", **{"Site Visits": [{"Place": "Lane"}]}
    ),
    "the next label taken for the value": same("Language", "Tiếng Việt", "Año fiscal", **{"Año fiscal": "Año 2019"}),
    "a field quoted in the body": same("Category", "Assistance", "Training", body="They wrote: Category Training, in May."),
    "top of the page taken along": same("body", "Help.", "Home 20250129-145639-07 By Hope Help.", title="20250129-145639-07"),
    "another line as title": same("title", "20250129-145639-07", "Goals of the visit", "html prose"),
    "dates of milestones lost": same("Milestone", STEPS, BARE_STEPS),
    "milestones as lines": same("Milestone", STEPS, LINES, "html prose"),
    "a milestone lost": same("Milestone", STEPS, BARE_STEPS[:1]),
    "dates of milestones printed otherwise": same("Milestone", STEPS, OTHER_DAYS, "html html"),
    "labels of milestones as values": same("Milestone", [{"Title": "Kick-off"}], [{"": ["Title", "Kick-off"]}], "html html"),
}
"""Each also holds where the poorer capture comes first."""
POORER_PAGES = (
    *("author cut", "local time", "page cut", "list cut"),
    *("decoded wrongly", "decoded in part", "point with fewer digits"),
    *("letters lost", "mark lost", "letters without codes", "accents lost"),
)


def shown(result: Merged, label: str) -> list[tuple[str | None, str | None]]:
    if label in HEAD:
        return [(result.head[label], None)]
    rows = [one.row for one in result.fields]
    return [(row.value, row.datetime) for row in rows if label in (row.label, row.name, (row.item or "").rpartition(" ")[0])]


@pytest.mark.parametrize("name", THE_SAME)
def test_an_unchanged_record_has_no_changes_and_the_richest_value(name: str) -> None:
    label, rich, poor = THE_SAME[name]
    alone = merged(rich)
    for captures in ((rich, poor), (poor, rich), (poor, rich, poor), (rich, poor, poor, rich), (poor, poor, rich)):
        result = merged(*captures)
        assert changes(result) == []
        if rich[0] != poor[0] or name in POORER_PAGES:
            assert shown(result, label) == shown(alone, label), captures


TRUE_CHANGES: dict[str, tuple[str, Any, Any]] = {
    # name: label, old value, new value
    "status": ("Status of Deliverable", "Complete", "Not Complete"),
    "word in the body": ("body", BODY, BODY.replace("twelve", "twenty")),
    "letter in the body": ("body", BODY, BODY.replace("policy", "polity")),
    "sentence added": ("body", BODY, BODY + "\nIt was extended."),
    "phrase added to a line": (
        "body",
        f"{POLICY}, and report to all in May.",
        f"{POLICY}, and report to all in May in Lane County",
    ),
    "cost": ("TTA Estimated Costs", "$1,000 - $5,000", "$1,000 - $6,000"),
    "decimal point": ("Share", "10.5 percent", "105 percent"),
    "yes to no": ("I Agree", "On", "Off"),
    "another letter with an accent": ("County", "Doña Ana County", "Dora Ana County"),
    "moved point with fewer digits": ("Event Location Geo", POINT, "POINT (-71.09 42.35)"),
    "moved point": ("Event Location Geo", "POINT (-71.05 42.34)", "POINT (-71.06 42.34)"),
    "another day": ("TTA Event Date", "03/03/2025", "03/10/2025"),
    "another hour": ("Status Changed", "01/29/2025 - 14:56", "01/29/2025 - 15:56"),
    "value added": ("Type of Agency", ["Courts"], ["Courts", "Local Police"]),
    "value replaced": ("Type of Agency", ["Courts", "Local Police"], ["Courts", "Tribal Police"]),
    "longer name": ("County", "Essex", "Essex County"),
    "number": ("Remote TTAC ID", "1234", "1235"),
    "number of a field that nobody has listed": ("Guests", "12", "15"),
    "number in a group": (
        "Performance Metrics",
        [{"Question": "How many?", "People": "40"}],
        [{"Question": "How many?", "People": "45"}],
    ),
    "milestone added": ("Milestone", STEPS[:1], STEPS),
    "milestone renamed": ("Milestone", STEPS, [STEPS[0] | {"Milestone Title": "Kick-off visit"}, STEPS[1]]),
}
ADDITIONS = ("sentence added", "phrase added to a line", "value added", "milestone added")
"""A richer capture that shows more than a poorer one did is no evidence of a change."""
FORMS = ("html html", "text text", "html text", "html text html", "html html text", "html text text html", "text html")


@pytest.mark.parametrize("name", TRUE_CHANGES)
@pytest.mark.parametrize("forms", FORMS)
def test_a_true_change_is_recorded_once(name: str, forms: str) -> None:
    """The second capture is the first one of the new value."""
    label, old, new = TRUE_CHANGES[name]
    if forms == "text html" and name in ADDITIONS:
        return
    values = [old, *[new] * (len(forms.split()) - 1)]
    result = merged(*((form, {label: value}) for form, value in zip(forms.split(), values, strict=True)))
    assert len(result.changes) == 1, changes(result)
    assert (result.changes[0].seen_after, result.changes[0].seen_by) == ("2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z")
    assert shown(result, label) == shown(merged(("html", {label: new})), label)


@pytest.mark.parametrize("form", ["html", "data", "text"])
def test_a_removed_value_counts_where_the_form_shows_all_values(form: str) -> None:
    result = merged((form, {"Type of Agency": ["Courts", "Local Police"]}), (form, {"Type of Agency": ["Courts"]}))
    assert changes(result) == [("agency_types", "Courts; Local Police", "Courts")]


def test_a_value_of_a_group_may_change_to_one_that_the_page_has_elsewhere() -> None:
    old, new = ({"Performance Metrics": [{"Question": "How many?", "People": people}], "Guests": "45"} for people in ("40", "45"))
    assert len(changes(merged(("html", old), ("text", new)))) == 1


def test_texts_of_two_extractors_may_lack_different_parts() -> None:
    """The list marks show that these are not two texts of one extractor, of which the second one would show a removal."""
    first, second = ("text", {"body": BODY}), ("text", {"body": "Goals of the visit:\n- Write a “model” policy"})
    assert changes(merged(first, second)) == changes(merged(second, first)) == []
    assert len(merged(first, ("text", {"body": "Goals of the visit:\n• Write a “model” policy"})).changes) == 1


def test_two_values_are_one_where_a_later_capture_shows_that_each_is_a_part_of_it() -> None:
    pages = [("html", {"County": name}) for name in ("Do?a Ana", "Dona Ana", "Doña Ana")]
    assert changes(merged(*pages)) == []


def test_a_text_that_was_misread_between_two_pages_leaves_no_trace() -> None:
    page, misread = ("html", {"body": BODY}), ("prose", {"body": "Something else was taken for the body of this record here."})
    assert changes(merged(page, misread, page)) == []
    agencies, others = ({"Type of Agency": ["Courts", one]} for one in ("Jails", "Police"))
    assert changes(merged(("html", agencies), ("text", others), ("html", agencies))) == []
    assert len(merged(("html", {"I Agree": "On"}), ("text", {"I Agree": "Off"}), ("html", {"I Agree": "On"})).changes) == 2


def test_a_change_that_a_text_shows_keeps_what_it_could_not_carry() -> None:
    renamed = [{"Milestone Title": "Kick-off visit", "Milestone Date": LOST}, BARE_STEPS[1]]
    result = merged(("html", {"Milestone": STEPS}), ("text", {"Milestone": renamed}))
    assert shown(result, "Milestone") == [
        ("Kick-off visit", None),
        (None, None),
        ("Final report", None),
        ("May 1, 2025", "2025-05-01T12:00:00Z"),
    ]
    assert len(result.changes) == 1


@pytest.mark.parametrize("label", ["Description", "Title", "Status", "Longitude"])
def test_a_label_that_is_spelled_like_a_column_does_not_change_the_column(label: str) -> None:
    record = {"title": "A visit", "body": BODY, "Status of Deliverable": "Complete", "Event Location Geo": POINT}
    old, new = (record | {label: value} for value in ("Short", "Long"))
    assert [one[1:] for one in changes(merged(("html", old), ("html", new)))] == [("Short", "Long")]
    assert changes(merged(("html", record), ("text", old | {"body": BODY}))) == []


def test_a_field_is_one_field_whether_its_label_is_printed_or_not() -> None:
    labelled = rows_of({"Weather Report": "Rain"})[0]._replace(name="field_weather")
    named = rows_of({"field_weather": "Sun"})[0]
    for first, second in ((labelled, named), (named, labelled)):
        pages = [StoredPage("html", False, None, [None] * 4, [row], [], [], [], []) for row in (first, second)]
        result = merge([Seen(f"c{number}", f"2025-01-0{number}", page) for number, page in enumerate(pages, start=1)])
        assert changes(result) == [("weather report", first.value, second.value)]
        assert [one.row.value for one in result.fields] == [second.value]


def at(*captures: tuple[str | None, str, str]) -> Merged:
    """Captures of one field by time, form and value."""
    pages = [
        (time, StoredPage(form, False, None, [None] * 4, rows_of({"County": value}), [], [], [], []))
        for time, form, value in captures
    ]
    return merge([Seen(f"c{number}", time, page) for number, (time, page) in enumerate(pages, start=1)])


@pytest.mark.parametrize(
    ("earlier", "later", "rows"),
    [
        ("2019", "2020-01-01T00:00:00Z", 1),
        ("2019-03", "2019-04", 1),
        ("2019", "2019-03-01T00:00:00Z", 0),
        ("2019-03-01", "2019-03-01T10:00:00Z", 0),
        (None, "2019", 0),
        ("2019-03-01T10:00:00Z", "2019-03-01T10:00:00Z", 0),
    ],
)
def test_a_change_lies_between_times_that_certainly_differ(earlier: str | None, later: str, rows: int) -> None:
    result = at((earlier, "html", "Essex"), (later, "html", "Kent"))
    assert len(result.changes) == rows
    assert [one.row.value for one in result.fields] == ["Kent"]


def test_of_one_time_the_richest_capture_counts_in_the_history_too() -> None:
    result = at(("2018", "html", "Essex"), ("2019", "text", "Kent"), ("2019", "html", "Dover"), ("2020", "html", "Dover"))
    assert changes(result) == [("county", "Essex", "Dover")]
    back = at(("2018", "html", "Essex"), ("2019", "text", "Kent"), ("2019", "html", "Essex"), ("2020", "html", "Essex"))
    assert changes(back) == []


def test_the_captures_that_agree_with_a_value_are_known() -> None:
    result = merged(
        ("html", {"County": "Essex"}), ("html", {"County": "Kent"}), ("text", {"County": LOST}), ("text", {"County": "Kent"})
    )
    assert result.agreeing["county"] == ["c2", "c4"]
    assert [(one.row.value, one.capture_id) for one in result.fields] == [("Kent", "c2")]


def test_a_value_that_the_end_of_a_page_cuts_is_kept_until_a_whole_one_comes() -> None:
    cut = ("html", {"Type of Agency": ["Courts", Cut("Loc")]})
    assert shown(merged(cut), "Type of Agency") == [("Courts", None), ("Loc", None)]
    whole = merged(cut, ("html", {"Type of Agency": ["Courts", "Local Police"]}))
    assert shown(whole, "Type of Agency") == [("Courts", None), ("Local Police", None)] and changes(whole) == []


def test_an_instruction_within_a_text_is_a_change_only_where_the_form_shows_it_in_its_own_place_too() -> None:
    letter = ("Cover Letter Instructions", "Please submit a signed letter of support from an executive.")
    longer = f"{BODY}\n{letter[1]}\nTwelve officers will attend."
    html, text = seen(1, ("html", {"body": BODY})), seen(2, ("text", {"body": longer}))
    html = html._replace(content=html.content._replace(sections=[letter]))
    assert changes(merge([html, text])) == [], "the extractor ran the form's text into the body"
    apart = text._replace(content=text.content._replace(sections=[letter]))
    assert changes(merge([html, apart])) == [("description", BODY, longer)]
