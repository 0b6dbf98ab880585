"""Laws of the parser on made-up pages with known truth: whatever the theme and the wrappers, the record is the same.

The pages come from `tests.pagegen`, whose author has not read the parser.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings

from parsers.page import parse_page
from parsers.record import ParseResult, Record
from tests import quality
from tests.goldens import as_json
from tests.pagegen import truth
from tests.pagegen.options import CLASSLESS, THEMES, Options, Theme
from tests.pagegen.strategies import Case, any_options, cases

WELL_FORMED = {"fake_fields": False, "unclosed": False, "numberless": False, "plain_dates": False}
PAGES = settings(max_examples=60)


def read(page: truth.Page) -> ParseResult:
    return parse_page(page.data, url=page.url, content_type=page.content_type, http_status=page.status, is_text=page.text_form)


def scores(page: truth.Page, record: Record) -> dict[str, quality.Score]:
    """How much of the truth was read, by what it is about."""
    report = quality.Report()
    assert page.truth is not None
    quality.count(report, "", "", page.truth, record)
    return {name: score for (_, name), score in report.measures.items()}


def holds_body(page: truth.Page, record: Record) -> bool:
    assert page.truth is not None
    return str(quality.plain(page.truth.description)) in str(quality.plain(record.description))


def own_fields(record: Record) -> list[dict[str, object]]:
    """The fields that the record's page itself has; text without label and name may be a theme's furniture."""
    return [as_json(row, "position") for row in record.fields if row.label or row.name]


def shown_labels(case: Case) -> bool:
    """Where labels are printed, and not only in places: without labels and classes nobody can know more than the values."""
    return case.options.labels not in ("hidden", "some_hidden") or case.theme not in CLASSLESS


def certain_charset(case: Case) -> bool:
    """Mojibake in windows-1252 that is not declared is valid UTF-8 of another text; nobody can tell which was meant."""
    return case.options.charset != "windows-1252-undeclared"


@PAGES
@given(cases(options=any_options(**WELL_FORMED)).filter(shown_labels).filter(certain_charset))
def test_any_record_in_any_theme_and_wrapper_reads_back(case: Case) -> None:
    page = case.page()
    record = read(page).record
    assert record is not None
    assert {name: one for name, one in scores(page, record).items() if one.missing or one.invented} == {}


@PAGES
@given(cases(options=any_options()).filter(certain_charset))
def test_no_word_of_the_content_is_lost_and_the_page_is_a_record(case: Case) -> None:
    page = case.page()
    assert page.truth is not None
    record = read(page).record
    if record is None:  # only a page without any label, class and reference may be taken for another one
        assert not shown_labels(case)
        return
    held = [record.title, record.submitted_by, record.description]
    held += [text for row in record.fields for text in (row.label, row.item, row.value)]
    held += [text for section in record.sections for text in (section.label, section.text)]
    words = set(re.findall(r"\w+", " ".join(text for text in held if text)))
    wanted = [page.truth.description or ""]
    wanted += [text for field in page.truth.fields for text in (field.label or "", *field.values)]
    wanted += [text for section in page.truth.sections for text in (section.label, section.text)]
    assert not set(re.findall(r"\w+", " ".join(wanted))) - words


@PAGES
@given(cases(options=any_options(cut=True, **WELL_FORMED)).filter(shown_labels))
def test_a_cut_page_gives_what_it_still_holds(case: Case) -> None:
    page = case.page()
    record = read(page).record
    if record is None:  # cut before the first labels, on a page whose title and classes tell nothing either
        assert page.truth is not None and len(page.truth.fields) < 3
        return
    if page.truth is not None and page.truth.cut and b"</body" not in page.data:
        assert record.incomplete
    fields = scores(page, record)["fields"]
    assert fields.missing.total() <= max(2, fields.true // 10), fields.missing


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_is_read_the_same_however_it_was_archived(theme: Theme) -> None:
    noise = Options(rdf=True, twig_debug=True, wayback=True, translated=True, furniture=True)
    one, two = read(Case(3, theme).page()).record, read(Case(3, theme, noise).page()).record
    assert one is not None and two is not None
    without = {"url", "shape", "fields", "form"}
    assert as_json(one, *without) == as_json(two, *without)
    assert own_fields(one) == own_fields(two)
    assert (one.form, two.form) == ("html", "translation")


@pytest.mark.parametrize("seed", range(12))
def test_a_text_capture_reads_back(seed: int) -> None:
    page = Case(seed).text()
    record = read(page).record
    assert record is not None and record.form == "text"
    found = scores(page, record)
    assert found["fields"].invented == found["columns"].missing == Counter()
    assert holds_body(page, record)


@pytest.mark.parametrize("seed", range(6))
def test_prose_without_labels_keeps_its_words_and_guesses_nothing(seed: int) -> None:
    page = Case(seed).prose()
    assert page.truth is not None
    record = read(page).record
    assert record is not None
    assert holds_body(page, record)
    assert {row.label for row in record.fields} == {None}
    assert (record.county, record.evidence_based, record.title) == (None, None, None)
