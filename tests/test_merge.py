"""Merging captures of one record: laws that hold for any captures, and the cases that need judgement."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scraper.database.merge import Merged, Seen, merge
from scraper.database.stored_page import FieldValue, StoredPage
from tests.dbkit import time_order

KEYS = ("short_name", "county", "status", "weather", "description")


def row(
    key: str, value: str | None, state: str | None = None, *, item: str | None = None, label: str | None = None
) -> FieldValue:
    state = state or ("empty" if value is None else "value")
    return FieldValue(key, None, label or key, None, item, value, state, None, None)


def lost(key: str, **more: Any) -> FieldValue:
    return row(key, None, "not_captured", **more)


def seen(number: int, *rows: FieldValue, form: str = "html", cut: bool = False, when: bool = True, **more: Any) -> Seen:
    content = StoredPage(form, cut, None, more.get("head", [None] * 4), list(rows), more.get("sections", []), [], [], [])
    return Seen(f"c{number}", f"2025-01-{number:02d}T00:00:00Z" if when else None, content)


def merged(*captures: Seen) -> Merged:
    return merge(sorted(captures, key=time_order))


def state(merge: Merged) -> list[tuple[str, str | None, str]]:
    return [(one.row.key, one.row.value, one.capture_id) for one in merge.fields]


values = st.sampled_from([None, "a", "b", "a b"])
rows = st.builds(row, st.sampled_from(KEYS), values) | st.builds(lost, st.sampled_from(KEYS))


def captures_in(*forms: str) -> st.SearchStrategy[list[Seen]]:
    one = st.builds(
        lambda number, fields, form, known: seen(number, *fields, form=form, when=known),
        st.integers(1, 28),
        st.lists(rows, max_size=6, unique_by=lambda one: one.key),
        st.sampled_from(forms),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=6, unique_by=lambda one: one.capture_id)


captures = captures_in("html", "text")


@given(captures, st.randoms())
def test_order_of_arrival_makes_no_difference(some: list[Seen], chance: Any) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)
    first, second = merged(*some), merged(*shuffled)
    assert first.fields == second.fields
    assert first.changes == second.changes


@given(captures_in("html"))
def test_the_last_that_captured_a_field_counts(some: list[Seen]) -> None:
    by_time = sorted(some, key=time_order)
    result = merged(*some).fields
    for key in {one.key for capture in some for one in capture.content.fields}:
        telling = [
            [one for one in capture.content.fields if one.key == key]
            for capture in by_time
            if any(one.key == key and one.state != "not_captured" for one in capture.content.fields)
        ]
        found = [one.row for one in result if one.row.key == key]
        if telling:
            assert " ".join(one.value or "" for one in found).split() == " ".join(one.value or "" for one in telling[-1]).split()
        else:
            assert all(one.state == "not_captured" for one in found)
        assert found


@given(captures)
def test_a_single_capture_is_what_it_says(some: list[Seen]) -> None:
    one = some[0]
    assert [sourced.row for sourced in merged(one).fields] == one.content.fields


@given(captures)
def test_the_same_page_again_changes_only_the_source(some: list[Seen]) -> None:
    last = max(some, key=time_order)
    again = Seen("d", "2026-01-01T00:00:00Z", last.content)
    before, after = merged(*some), merged(*some, again)
    if last.captured_at:
        assert [one.row for one in before.fields] == [one.row for one in after.fields]
        assert before.changes == after.changes


@given(captures)
def test_a_capture_that_lost_everything_takes_nothing_away(some: list[Seen]) -> None:
    nothing = seen(30, *[lost(key) for key in KEYS], form="text")
    before = {(one.row, one.capture_id) for one in merged(*some).fields if one.row.state != "not_captured"}
    after = {(one.row, one.capture_id) for one in merged(*some, nothing).fields if one.row.state != "not_captured"}
    assert before == after


@given(captures)
def test_changes_lie_between_known_times_and_are_changes(some: list[Seen]) -> None:
    known = {one.captured_at for one in some}
    for change in merged(*some).changes:
        assert {change.seen_after, change.seen_by} <= known
        assert change.seen_after < change.seen_by
        assert change.old_value != change.new_value


def test_kept_fields_follow_what_they_followed() -> None:
    first = seen(1, row("a", "1"), row("b", "1"), row("c", "1"), row("d", "1"))
    second = seen(2, row("d", "2"), row("a", "2"), row("new", "2"))
    assert [key for key, _, _ in state(merged(first, second))] == ["d", "a", "b", "c", "new"]


def test_an_emptied_field_is_empty_and_one_that_an_extractor_lost_is_not() -> None:
    first = seen(1, row("county", "Essex"), row("status", "Open"))
    emptied = (row("county", None), lost("status"))
    assert state(merged(first, seen(2, *emptied))) == [("county", None, "c2"), ("status", "Open", "c1")]
    assert state(merged(first, seen(2, *emptied, form="text"))) == [("county", "Essex", "c1"), ("status", "Open", "c1")]


def test_a_cut_page_does_not_shorten_its_last_field() -> None:
    whole = seen(1, row("county", "Essex"), row("description", "one two three"))
    cut = seen(2, row("county", "Suffolk"), row("description", "one tw"), cut=True)
    assert state(merged(whole, cut)) == [("county", "Suffolk", "c2"), ("description", "one two three", "c1")]
    assert [change.field for change in merged(whole, cut).changes] == ["county"]
    other = seen(2, row("county", "Suffolk"), row("description", "other"), cut=True)
    assert state(merged(whole, other))[1] == ("description", "other", "c2")
    assert [change.field for change in merged(cut, seen(3, row("description", "one two three"))).changes] == []


def test_the_value_before_is_dated_by_the_last_capture_that_shows_it() -> None:
    story = merged(*(seen(number, row("status", text)) for number, text in ((1, "Open"), (4, "Open"), (9, "Done"), (11, "Open"))))
    assert [(change.seen_after[8:10], change.seen_by[8:10]) for change in story.changes] == [("04", "09"), ("09", "11")]


def milestone(number: int, title: str, date: str | None = None, *, form: str = "html") -> list[FieldValue]:
    item = f"Milestone {number}"
    when = (
        lost("milestones", item=item, label="Milestone Date")
        if form == "text"
        else row("milestones", date, item=item, label="Milestone Date")
    )
    return [row("milestones", title, item=item, label="Milestone Title"), when]


def test_a_new_milestone_in_a_text_has_no_date_of_another() -> None:
    page = seen(1, *milestone(1, "Kick-off", "2025-01-01"))
    text = seen(2, *milestone(1, "Planning", form="text"), *milestone(2, "Kick-off", form="text"), form="text")
    story = merged(page, text)
    assert [(one.row.item, one.row.value) for one in story.fields] == [
        ("Milestone 1", "Planning"),
        ("Milestone 1", None),
        ("Milestone 2", "Kick-off"),
        ("Milestone 2", "2025-01-01"),
    ]
    assert len(story.changes) == 1


def test_a_value_that_a_text_still_shows_keeps_its_link_when_another_is_added() -> None:
    linked = row("provider_reference", "Alder Institute")._replace(href="/node/5")
    later = seen(2, row("provider_reference", "Alder Institute"), row("provider_reference", "Birch Institute"), form="text")
    fields = merged(seen(1, linked), later).fields
    assert [(one.row.value, one.row.href) for one in fields] == [("Alder Institute", "/node/5"), ("Birch Institute", None)]


def test_head_and_sections_are_kept_too() -> None:
    first = seen(1, head=["t", 5, "Hope Fiori", "2025-01-29"], sections=[["Event Date Markup", "When?"]])
    second = seen(2, head=["t2", None, None, None], sections=[["Event Date Markup", None], ["Milestones Markup", "What?"]])
    story = merged(first, second)
    assert story.head == {"title": "t2", "node_id": 5, "submitted_by": "Hope Fiori", "submitted_at": "2025-01-29"}
    assert [tuple(one) for one in story.sections] == [
        ("Event Date Markup", "When?", "c1"),
        ("Milestones Markup", "What?", "c2"),
    ]
    assert [change.field for change in story.changes] == ["title"]


def test_a_line_of_a_text_that_the_page_shows_as_label_or_value_is_no_field_of_its_own() -> None:
    page = seen(1, row("weather", "Rain", label="Weather"), row("county", "Essex"))
    bare = [
        FieldValue("text in no section", None, None, None, None, text, "value", None, None)
        for text in ("Weather", "A line was added.")
    ]
    text = seen(2, *bare, row("county", "Essex"), form="text")
    assert [one.row.value for one in merged(page, text).fields] == ["Rain", "A line was added.", "Essex"]
