"""When a record counts as gone, and when nothing is known: 404, 410 and redirects elsewhere, and what never says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scraper.capture import Capture
from scraper.folders import Folders
from scraper.status import missing as missing_addresses
from tests.dbkit import HOST, SAMPLE, day, html, loaded, node, page, query, revisit, text

ALIAS = f"{HOST}/tta/help-for-suffolk"
SHOWN = page(html({"County": "Essex"}, node=7), url=node(7), when=day(0))
NOT_FOUND = b"<html><head><title>Page not found</title></head><body>The requested page could not be found.</body></html>"


def missing(number: int = 5, *, url: str = node(7), status: int = 404, body: bytes = NOT_FOUND) -> Capture:
    return page(body, url=url, when=day(number), http_status=status)


def sent(to: str, number: int = 5, *, url: str = node(7), status: int = 301) -> Capture:
    headers = (("Content-Type", "text/html"), ("Location", to))
    return page(b"", url=url, when=day(number), http_status=status, http_headers=headers)


def history(folders: Folders) -> list[tuple[Any, ...]]:
    columns = "old_value, new_value, seen_after, seen_by"
    return query(folders, f"SELECT {columns} FROM changes WHERE field = 'availability' ORDER BY seen_by")


UNKNOWN = ("unknown", None)
GONE = ("gone", "2025-01-06T12:00:00Z")


SAYS_GONE = [
    missing(),
    missing(status=410, body=b""),
    missing(url="http://rp.bjatta.bja.ojp.gov/node/7/"),
    missing(url=f"https://web.archive.org/web/20250106120000/{node(7)}"),
    missing(url=f"{node(7)}?page=2"),
    sent(HOST),
    sent("/frontpage"),
    sent("/media/news"),
    sent(node(99)),
    sent("https://bja.ojp.gov/program/nttac"),
    sent("https://web.archive.org/web/20250106120000id_/https://bja.ojp.gov/"),
]
SAYS_NOTHING = [
    missing(status=403, body=b"<title>Access denied</title>"),
    missing(status=401),
    missing(status=429),
    missing(status=451),
    missing(status=500),
    missing(status=503),
    missing(status=404, body=b"<html><script src='/cdn-cgi/challenge-platform/h/b'></script></html>"),
    missing(status=200),
    missing(url=node(8)),
    missing(url=f"{HOST}/es/node/7"),
    missing(url="https://elsewhere.example.org/node/7"),
    missing(url=f"{node(7)}/edit"),
    sent("http://bjatta.bja.ojp.gov/node/7"),
    sent("https://www.bjatta.bja.ojp.gov/node/7/"),
    sent("https://ocp.bjatta.bja.ojp.gov/node/7?check_logged_in=1"),
    sent("https://new.example.gov/node/7"),
    sent("/user/login?destination=/node/7"),
    sent("/user"),
    sent("https://login.example.gov/openid_connect/authorize?client=1"),
    sent("https://sso.example.gov/adfs/ls/"),
    sent("/tta/an-alias-that-nobody-captured"),
    sent("javascript:alert(1)"),
    sent(""),
]


def _of_node(capture: Capture, number: int) -> Capture:
    """The same story told of another node."""
    own = f"/node/{number}"
    headers = tuple((name, value.replace("/node/7", own)) for name, value in capture.http_headers)
    return replace(capture, url=(capture.url or "").replace("/node/7", own), http_headers=headers)


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A record for each case, from node 100 on."""
    captures = [
        one
        for number, case in enumerate(SAYS_GONE + SAYS_NOTHING, start=100)
        for one in (page(html({"County": "Essex"}, node=number), url=node(number), when=day(0)), _of_node(case, number))
    ]
    return loaded(tmp_path_factory.mktemp("each"), captures)


def _name(case: object) -> str:
    return f"{case.http_status} {case.url} {case.header('location')}" if isinstance(case, Capture) else str(case)


@pytest.mark.parametrize(("number", "case"), list(enumerate(SAYS_GONE + SAYS_NOTHING, start=100)), ids=_name)
def test_only_not_found_and_a_redirect_elsewhere_mean_gone(each: Folders, number: int, case: Capture) -> None:
    expected = GONE if case in SAYS_GONE else UNKNOWN
    assert query(each, "SELECT availability, gone_since FROM records WHERE node_id = ?", number) == [expected]
    assert query(each, "SELECT new_value FROM changes WHERE record_id = ?", str(number)) == [("gone",)] * (expected == GONE)


def test_gone_and_back_and_gone_again(tmp_path: Path) -> None:
    again = page(html({"County": "Suffolk"}, node=7), url=node(7), when=day(9))
    captures = [SHOWN, missing(3), sent("/frontpage", 5), again, missing(11, status=410), missing(12)]
    folders = loaded(tmp_path, *([one] for one in reversed(captures)))
    assert history(folders) == [
        ("shown", "gone", "2025-01-01T12:00:00Z", "2025-01-04T12:00:00Z"),
        ("gone", "shown", "2025-01-06T12:00:00Z", "2025-01-10T12:00:00Z"),
        ("shown", "gone", "2025-01-10T12:00:00Z", "2025-01-12T12:00:00Z"),
    ]
    columns = "availability, gone_since, last_captured_at, captures, county"
    assert query(folders, f"SELECT {columns} FROM records") == [
        ("gone", "2025-01-12T12:00:00Z", "2025-01-10T12:00:00Z", 2, "Suffolk")
    ]
    evidence = "SELECT captured_at, record_id, kind, redirect_to FROM captures WHERE gone_record_id = '7' ORDER BY captured_at"
    assert query(folders, evidence)[:2] == [
        ("2025-01-04T12:00:00Z", None, "error", None),
        ("2025-01-06T12:00:00Z", None, "redirect", f"{HOST}/frontpage"),
    ]


LEADS = [SHOWN, sent("/tta/help-for-suffolk")]
NEWS = page(b"<html><body><h1>News</h1><p>Something</p></body></html>", url=ALIAS, when=day(6))
ALIASED = page(html({"County": "Essex"}, title="20240101-90000-1"), url=ALIAS, when=day(0))
AGAIN = page(SHOWN.payload, url=node(7), when=day(4))
YEAR = replace(missing(), captured_at=day(0), date_length=4)
HOME, ELSEWHERE = sent(HOST, 1, url=node(7)), sent(HOST, 1, url=node(9))
LONE = replace(revisit(missing(2, body=b"x"), day(5)), http_status=404, http_reason="Not Found")
STORIES: dict[str, tuple[list[Capture], Capture, tuple[str, str | None]]] = {
    "the alias shows the record": (LEADS, page(SHOWN.payload, url=ALIAS, when=day(1)), UNKNOWN),
    "the alias shows another page": (LEADS, NEWS, GONE),
    "the alias is missing": (LEADS, missing(6, url=ALIAS), GONE),
    "the alias is blocked": (LEADS, missing(6, url=ALIAS, status=403), UNKNOWN),
    "the alias fails": (LEADS, missing(6, url=ALIAS, status=500), UNKNOWN),
    "the alias leads home": (LEADS, sent("/frontpage", 6, url=ALIAS), GONE),
    "the alias leads back": (LEADS, sent(node(7), 6, url=ALIAS), UNKNOWN),
    "the alias leads to itself": (LEADS, sent(ALIAS, 6, url=ALIAS), UNKNOWN),
    "the alias leads to another alias": (LEADS, sent("/tta/more", 6, url=ALIAS), UNKNOWN),
    "back as a revisit": ([SHOWN, missing()], revisit(SHOWN, day(9)), UNKNOWN),
    "back as a revisit of what is not there": (
        [SHOWN, missing()],
        revisit(page(b"not in the archive", url=node(7), when=day(-9)), day(9)),
        UNKNOWN,
    ),
    "back at an alias": ([SHOWN, missing()], page(SHOWN.payload, url=ALIAS, when=day(9)), UNKNOWN),
    "back in the same second": ([SHOWN, missing()], page(SHOWN.payload, url=node(7), when=day(5)), UNKNOWN),
    "a revisit of a missing page": ([SHOWN, missing(3), AGAIN], revisit(missing(3), day(5)), GONE),
    "a revisit of a missing page that is not there": ([SHOWN, missing(3), AGAIN], LONE, GONE),
    "a revisit of a redirect": ([SHOWN, page(SHOWN.payload, url=node(7), when=day(2)), HOME], revisit(HOME, day(5)), GONE),
    "a revisit of a redirect from elsewhere": ([SHOWN, ELSEWHERE], revisit(ELSEWHERE, day(5), url=node(7)), UNKNOWN),
    "shown at an unknown time": ([page(SHOWN.payload, url=node(7), when=None)], missing(), UNKNOWN),
    "missing at an unknown time": ([SHOWN], page(NOT_FOUND, url=node(7), http_status=404), UNKNOWN),
    "missing in the same year": ([SHOWN], YEAR, UNKNOWN),
    "missing in a later year": ([replace(SHOWN, captured_at=day(-400))], YEAR, ("gone", "2025")),
    "without a node number, its address": ([ALIASED], missing(url=f"{ALIAS}/"), GONE),
    "without a node number, another address": ([ALIASED], missing(url=f"{ALIAS}-2"), UNKNOWN),
    "known as text only": ([text(SAMPLE, url=node(7), when=day(0))], missing(), GONE),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_the_last_capture_says_of_a_record(tmp_path: Path, name: str) -> None:
    """It comes in a later load, which may have nothing else of the record."""
    first, last, expected = STORIES[name]
    assert query(loaded(tmp_path, first, [last]), "SELECT availability, gone_since FROM records") == [expected]


def test_missing_before_it_was_ever_shown_is_not_gone(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [missing(-3), SHOWN, missing(-2, url=node(99))])
    assert query(folders, "SELECT record_id, availability FROM records") == [("7", "unknown")]
    assert history(folders) == []


@pytest.mark.parametrize(
    ("lowest", "percent"), [("Under $2,500", 50.0), ("Under $5,000", None), ("$1,000 or more", None), ("$2,500 or more", 0.0)]
)
def test_completeness_counts_what_is_held_seen_published_and_gone_by_year(tmp_path: Path, lowest: str, percent: object) -> None:
    costs = {10: lowest, 20: "$5,000 - $9,999", 30: "unknown"}
    payloads = {
        number: html({"TTA Estimated Costs": cost}, node=number, title="20200722-170836-4") for number, cost in costs.items()
    }
    refused = page(b"<html><title>Access denied</title></html>", url=node(15), when=day(40), http_status=403)
    gone = [missing(50, url=node(number)) for number in (10, 16)]
    folders = loaded(
        tmp_path, [page(one, url=node(number), when=day(number)) for number, one in payloads.items()], [refused, *gone]
    )
    columns = "records, seen_but_never_captured, published_total, percent_of_published, percent_under_2500, gone"
    assert query(folders, f"SELECT {columns} FROM completeness WHERE fiscal_year = 2020") == [(3, 1, 6000, 0.1, percent, 1)]
    assert query(folders, "SELECT * FROM disappearances LIMIT 1") == [("2025-02", 1, 1)]
    assert missing_addresses(folders) == [node(15)]


def test_records_that_pages_refer_to_are_seen_though_never_captured(tmp_path: Path) -> None:
    """By a field whose links lead to records, and by listings; links to anything else are not counted."""

    def linking(number: int, **targets: int) -> Capture:
        payload = html({"Parent TTA": "one", "Provider Reference": "two", "Related": "three"}, node=number)
        for value, target in targets.items():
            payload = payload.replace(f">{value}<".encode(), f'><a href="/node/{target}">{value}</a><'.encode())
        return page(payload, url=node(number), when=day(number))

    listing = b"""<html><body><h1>Latest</h1><p>What is new on the portal, every day.</p>
        <article class="tta is-promoted teaser" data-history-node-id="40"><h2><a href="/node/40">A title</a></h2></article>
        <article class="blog teaser" data-history-node-id="41"><h2><a href="/node/41">A post</a></h2></article>
        <a href="/node/42" hreflang="en"><span> 20200722-170836-4 </span></a> <a href="/node/43">More</a></body></html>"""
    other = page(b"<html><body><h1>A blog post</h1><p>About nothing that anybody asked for.</p></body></html>", url=node(33))
    folders = loaded(
        tmp_path,
        [linking(10, one=11, two=31, three=10), linking(11, one=30, two=31, three=33), linking(12, three=34), other],
        [page(listing, url="https://bjatta.bja.ojp.gov/frontpage?page=2", when=day(1))],
    )
    seen = query(folders, "SELECT node_id, seen_as FROM unseen_records")
    assert seen == [(30, "link"), (40, "listing"), (42, "listing")]
    assert missing_addresses(folders) == [node(30), node(40), node(42)]
