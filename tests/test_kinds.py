"""What a page is that shows no record, where its markup tells: a firewall's challenge, a form to log in."""

from __future__ import annotations

import pytest

from parsers.page import parse_page
from parsers.record import Kind

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
