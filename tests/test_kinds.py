"""What a page is that shows no record, where its markup tells: a firewall's challenge, a form to log in, a listing, a guide."""

# ruff: noqa: E501 (markup is easier to read in one line)
from __future__ import annotations

import pytest

from parsers.page import parse_page
from parsers.record import Kind
from parsers.registry import LABELS
from tests.markupkit import BARE, CLASSED, URL, bare

LONG = "<p>" + "Words of a page that is about something else. " * 200 + "</p>"


def kind(body: str, status: int = 200) -> Kind:
    return parse_page(f"<html><body>{body}</body></html>".encode(), content_type="text/html", http_status=status).kind


PDF, PNG = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
HTML, ERROR = "text/html; charset=UTF-8", b"The website encountered an unexpected error. Please try again later."


@pytest.mark.parametrize(
    ("content", "content_type", "status", "found"),
    [
        (PDF, "application/pdf", 200, Kind.NOT_HTML),
        (PDF, HTML, 200, Kind.NOT_HTML),  # the bytes decide
        (PNG, "image/png", 200, Kind.NOT_HTML),
        (b'{"nid": [{"value": 7}], "title": [{"value": "20250129-145639-07"}]}', "application/json", 200, Kind.NOT_HTML),
        (b"", HTML, 200, Kind.UNREADABLE),
        (ERROR, HTML, 500, Kind.ERROR),
    ],
)
def test_what_is_no_page_is_known_by_its_bytes_and_status(content: bytes, content_type: str, status: int, found: Kind) -> None:
    assert parse_page(content, content_type=content_type, http_status=status).kind is found


@pytest.mark.parametrize("mark", ["cf-chl-widget", "CF-CHL-Widget", "G-ReCaptcha", "/_Incapsula_Resource?x=1", "px-captcha"])
@pytest.mark.parametrize(("status", "without"), [(200, Kind.OTHER), (503, Kind.ERROR)])
def test_a_challenge_is_known_by_its_markup_however_it_is_spelled(mark: str, status: int, without: Kind) -> None:
    page = "<p>One moment</p><div class='{}'></div>"
    assert kind(page.format(mark), status) is Kind.BLOCKED
    assert kind(page.format("widget"), status) is without


@pytest.mark.parametrize("form", ["<input type=password>", "<INPUT name='p' TYPE = 'PASSWORD'>"])
def test_a_form_to_log_in_is_known_however_it_is_spelled(form: str) -> None:
    page = f"<p>Welcome</p><form>{form}</form>"
    assert kind(page) is Kind.BLOCKED
    assert kind("<p>Your password has expired</p>") is Kind.OTHER
    assert kind(page + "<ARTICLE><p>News</p></ARTICLE>") is Kind.OTHER, "a page with a form beside its content"


@pytest.mark.parametrize("mark", ["<div class='h-captcha'></div>", "<form><input type='password'></form>"])
def test_a_long_page_blocks_nobody(mark: str) -> None:
    assert kind(f"<p>Welcome</p>{mark}") is Kind.BLOCKED
    assert kind(f"{LONG}{mark}") is Kind.OTHER


TITLED = '<h2><a href="/node/7" rel="bookmark">20240129-145639-07</a></h2>'
CELLS = '<th id="view-{0}-table-column" class="views-field views-field-{0}">{1}</th>'
TABLE = f"<tr>{CELLS.format('a', 'TTA Title')}{CELLS.format('b', 'County')}{CELLS.format('c', 'TTA Source')}</tr>"
OTHERS = {
    "a teaser": f"<article data-history-node-id='7'>{TITLED}{BARE}<a href='/node/7'>Read more</a></article>",
    "a full node in a listing": f"<div class='views-row'><article data-history-node-id='7' class='tta full'>{CLASSED}</article></div>",
    "a table of Views": f"<table class='views-table'>{TABLE}<tr><td>x</td><td>Ada County</td><td>y</td></tr></table>",
    "a row of Views": "<div class='views-row'>" + BARE.replace("<div><div>", "<div class='views-field'><div>") + "</div>",
    "a row whose heading leads to a record": f"<div><h3><a href='/node/7'>20240129-145639-07</a></h3>{BARE}</div>",
    "search results": f"<ol><li class='search-result'>{BARE}</li></ol>",
    "an article that quotes labels": "<article><div><p>Fill in:</p><ul><li>TTA Title</li><li>TTA Source</li></ul><p>County</p></div></article>",
    "a guide to the form": "<article><h3>TTA Title</h3><p>Enter the title.</p><h3>TTA Source</h3><p>"
    + "Choose where the request came from. " * 5
    + "</p></article>",
    "a guide in short sentences": "".join(f"<h2>{entry.text}</h2><p>Choose one.</p>" for entry in LABELS[:9]),
}


def kind_at(url: str | None, content: str) -> Kind:
    return parse_page(f"<html><body><main><h1>Browse</h1>{content}</main></body></html>".encode(), url=url).kind


@pytest.mark.parametrize("what", OTHERS)
def test_a_page_of_another_kind_is_no_record(what: str) -> None:
    assert kind_at("https://bjatta.bja.ojp.gov/browse", OTHERS[what]) == Kind.OTHER


@pytest.mark.parametrize("pair", ["<p>{}</p><p>Choose one of {}.</p>", "<dt>{}</dt><dd>What {} means is explained here.</dd>"])
def test_a_guide_to_the_form_at_a_nodes_address_is_no_record(pair: str) -> None:
    assert kind_at(URL, "".join(pair.format(entry.text, entry.order) for entry in LABELS)) == Kind.OTHER


@pytest.mark.parametrize(("value", "found"), [("", Kind.OTHER), (" Remote", Kind.RECORD)])
def test_lines_are_a_record_only_if_four_of_the_known_labels_have_values(value: str, found: Kind) -> None:
    lines = f"<h1>20240129-145639-07</h1><div>TTA Title: x<br>TTA Source: y<br>County: Ada<br>Category:{value}<br>Archived:<br>Room: 12</div>"
    assert kind_at(URL, lines) is found
    assert kind_at(URL, f"{lines}<p>{'Words. ' * 30_000}</p>") is Kind.OTHER, "a page longer than any record"


@pytest.mark.parametrize("path", ["/revisions/8/view", "/latest", "/revisions/8/view?page=1"])
def test_an_older_or_a_newer_state_than_the_published_one_is_no_record(path: str) -> None:
    record = f"<link rel=canonical href={URL}><article data-history-node-id=7 class='tta full'>{CLASSED}</article>"
    assert (kind_at(URL, record), kind_at(URL + path, record)) == (Kind.RECORD, Kind.OTHER)
    linked = record.replace("<div", TITLED + "<div", 1)  # on its own page, Drupal prints no link to it
    assert (kind_at(None, record), kind_at(None, linked)) == (Kind.RECORD, Kind.OTHER)


def test_of_several_articles_the_one_with_most_of_the_labels_is_the_record() -> None:
    other = bare("County", "Elm County")
    own = BARE + "".join(bare(label, "x") for label in ("TTA Title", "TTA Source", "TTAR Source"))
    content = f"<article><div>{other}</div></article><article><div>{own}</div></article>"
    assert (kind_at(None, content), kind_at(None, content.replace(own, other))) == (Kind.RECORD, Kind.OTHER)


def test_drupals_settings_say_what_a_page_without_an_address_shows() -> None:
    settings = (
        '<script type="application/json" data-drupal-selector="drupal-settings-json">{"path":{"currentPath":"%s"}}</script>'
    )
    article = f"<article data-history-node-id='7' class='tta full'>{CLASSED}</article>"
    assert kind_at(None, article + settings % "browse") == Kind.OTHER
    assert kind_at(None, article + settings % "node\\/7") == Kind.RECORD


def test_a_refresh_for_readers_without_scripts_is_no_redirect() -> None:
    refresh = '<meta http-equiv="Refresh" content="0; URL=/elsewhere">'
    content = "<html><head>{}<title>Edit</title></head><body><h1>Edit</h1></body></html>"
    assert parse_page(content.format(f"<noscript>{refresh}</noscript>").encode()).kind == Kind.OTHER
    assert parse_page(content.format(refresh).encode()).kind == Kind.REDIRECT
