"""What addresses say: node numbers, archives' prefixes, absolute links."""

from __future__ import annotations

import pytest

from parsers.urls import absolute, node_id, without_archive

HOST = "https://bjatta.bja.ojp.gov"


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/node/5",
        "http://rp.bjatta.bja.ojp.gov:80/node/5/",
        f"{HOST}/node/5?page=1#top",
        f"{HOST}/NODE/5",
        f"{HOST}//node//5",
        f"{HOST}/%6eode/%35",
        f"{HOST}/es/node/5",
        f"{HOST}/pt-br/node/5",
        f"{HOST}/index.php/node/5",
        f"{HOST}/?q=node/5",
        f"{HOST}/index.php?q=node/5",
        f"https://web.archive.org/web/20250131000000id_/{HOST}/node/5",
        f"https://web.archive.org/web/2025/https://web.archive.org/web/2024im_/{HOST}/node/5",
    ],
)
def test_spellings_of_one_node(url: str) -> None:
    assert node_id(url) == 5


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        f"{HOST}/",
        f"{HOST}/node/5/edit",
        f"{HOST}/node/5/revisions/7/view",
        f"{HOST}/node/add",
        f"{HOST}/node/0",
        f"{HOST}/node/99999999999999999999",
        f"{HOST}/media/blog/node/5",
        f"{HOST}/user/login?destination=node/5",
        "https://[bad/node/5",
        f"{HOST}/node/٥",
    ],
)
def test_what_is_no_node_page(url: str | None) -> None:
    assert node_id(url) is None


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/taxonomy/term/1", f"{HOST}/taxonomy/term/1"),
        ("//other.example/x", "https://other.example/x"),
        ("https://web.archive.org/web/20250131000000/https://x.example/y", "https://x.example/y"),
        ("/web/20250131000000/https://x.example/y", "https://x.example/y"),
        ("https://web.archive.org/web/2025/http:/x.example/y", "http://x.example/y"),
        ("https://web.archive.org/web/2025/mailto:a@example.org", "mailto:a@example.org"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("", None),
        (None, None),
    ],
)
def test_links_are_absolute_on_the_pages_own_host(href: str | None, expected: str | None) -> None:
    assert absolute(href, f"{HOST}/node/5") == expected


def test_a_page_played_by_an_archive_resolves_against_its_own_host() -> None:
    assert absolute("/node/7", f"https://web.archive.org/web/2025/{HOST}/node/5") == f"{HOST}/node/7"


def test_a_relative_link_stays_as_it_is_where_the_page_has_no_address() -> None:
    assert absolute("/node/7", None) == "/node/7"


def test_an_ordinary_address_with_digits_is_no_archives() -> None:
    assert without_archive(f"{HOST}/files/2024/report.pdf") == f"{HOST}/files/2024/report.pdf"
