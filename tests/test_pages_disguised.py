"""The example pages in disguise: the same page written another way gives the same record.

Each disguise changes spelling and wrapping, as other themes, templates, archives and translators do, and no content.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.page import parse_page
from parsers.record import Record
from tests import goldens
from tests.goldens import as_json

INNER = re.compile(r">([^<>\n]*[^<>\s][^<>\n]*)</(div|dd|td|dt|th|h2|h3|a)>")
LABEL = re.compile(r'<(div|h3|h4)( class="(?:field--label|field__label)[^"]*")>([^<]+)</\1>')
ITEM = re.compile(r'(<div class="field(?:--|__)item">)([^<>\n]+)(</div>)')
OPENING = re.compile(r"(<(?:div|dt|dd|td|th|h3|li)\b[^>]*>)")
BLOCK = re.compile(r">(?=<(?:div|article|footer|ul|li|dl|dt|dd|table|tr|td|th|h\d|p)\b)")
QUICK_FACTS = "<aside><h2>Quick facts</h2><dl><dt>County</dt><dd>Kelp County</dd></dl></aside></body>"


def _relabelled(tag: str) -> Callable[[str], str]:
    return lambda page: LABEL.sub(rf"<{tag}\2>\3</{tag}>", page)


def _wrapped(page: str) -> str:
    """The article in further elements, as layouts and panels do."""
    if page.count("<article") != 1:
        return page
    page = page.replace("<article", '<div class="region region-content"><section><div><article')
    return page.replace("</article>", "</article></div></section></div>")


def _respelled(page: str, one: str) -> str:
    for part in ("label", "items", "item"):
        page = re.sub(rf'field--{part}(?=["\s])', f"field{one}{part}", page)
    return page


DISGUISES: dict[str, Callable[[str], str]] = {
    "tags in capitals": lambda page: re.sub(
        r"(?<=<)/?(?:div|span|article|h3|p|ul|li|time|a)\b", lambda tag: tag[0].upper(), page
    ),
    "one line": lambda page: re.sub(r">\s*\n\s*<", "><", page),
    "line breaks between tags": lambda page: BLOCK.sub(">\n\n   ", page),
    "carriage returns": lambda page: page.replace("\n", "\r\n"),
    "comments": lambda page: OPENING.sub(r"\1<!-- c -->", page),
    "empty elements as in XML": lambda page: (
        '<html xmlns="http://www.w3.org/1999/xhtml">' + OPENING.sub(r'\1<script src="x" />', page)
    ),
    "more attributes": lambda page: re.sub(r"<(div|dt|dd|li|td)\b", r'<\1 data-x="1" style="margin:0"', page),
    "single quotes": lambda page: re.sub(r'="([^"\']*)"', r"='\1'", page),
    "more classes": lambda page: page.replace('class="field ', 'class="clearfix mb-2 field '),
    "underscores in classes": lambda page: _respelled(page, "__"),
    "classes of Drupal 7": lambda page: _respelled(page, "-"),
    "text in spans": lambda page: INNER.sub(r"><span>\1</span></\2>", page),
    "text translated": lambda page: INNER.sub(r"><font><font>\1</font></font></\2>", page),
    "text padded": lambda page: INNER.sub(r">&nbsp;\1 </\2>", page),
    "ends left out": lambda page: re.sub(r"</(?:li|p|dd|dt|td|th|tr)>", "", page),
    "no doctype": lambda page: page.replace("<!DOCTYPE html>", ""),
    "sections for articles": lambda page: re.sub(r"<(/?)article\b", r"<\1section", page),
    "labels in spans": _relabelled("span"),
    "labels in label elements": _relabelled("label"),
    "labels in headings": _relabelled("h4"),
    "labels in bold": lambda page: LABEL.sub(r"<\1\2><strong>\3</strong></\1>", page),
    "values in paragraphs": lambda page: ITEM.sub(r"\1<p>\2</p>\3", page),
    "values in blocks": lambda page: ITEM.sub(r"\1<div>\2</div>\3", page),
    "wrapped": _wrapped,
    "facts beside": lambda page: page.replace("</body>", QUICK_FACTS),
    "scripts after": lambda page: page + '<script>var a = "<div>County</div>";</script><!-- cut',
}


def records() -> list[Path]:
    """Example pages of records in UTF-8 with the usual address; what is unclosed is disguise enough."""
    html = [page for page in goldens.pages() if page.suffix == ".html" and not page.with_suffix(".meta.json").exists()]
    whole = [page for page in html if "unclosed" not in page.parent.name]
    return [page for page in whole if goldens.expected(page)["kind"] == "record"]


def content(record: Record | None) -> dict[str, Any]:
    """What the record says, without how its page was written."""
    assert record is not None
    found = as_json(record, "shape", "url", "fields", "flags")
    rows = [{key: value for key, value in as_json(row).items() if key != "name"} for row in record.fields]
    return {**found, "fields": rows}


@cache
def read(page: str) -> dict[str, Any]:
    return content(parse_page(page.encode(), **goldens.USUAL).record)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_page_in_disguise_reads_the_same(disguise: str) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in records()}
    disguised = {page: DISGUISES[disguise](html) for page, html in pages.items()}
    assert disguised != pages, "a disguise that changes nothing"
    for page, html in pages.items():
        assert read(disguised[page]) == read(html), page.name
