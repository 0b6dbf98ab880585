"""Archives that run pywb: ways of asking, numbered pages, listings cut at a limit, several archives with limits of their own."""

import json
from pathlib import Path

import pytest

from tests.dbkit import sql
from tests.fakearchive import faults
from tests.fakearchive.pywb import lines, rows_of, understands
from tests.fakearchive.run import HOST, Fetch, captures, pywb_archive
from tests.fakearchive.server import FakeArchive, Fault, Handler


def limited(most: int, *, honors_limit: bool = False) -> Fault:
    """A server without pages that cuts a listing at a limit."""

    def answer(handler: Handler) -> None:
        asked = int(handler.query().get("limit", most)) if honors_limit else most
        handler.answer(200, lines(rows_of(handler)[: min(most, asked)]))

    return answer


def paged(size: int) -> Fault:
    def answer(handler: Handler) -> None:
        rows, query = rows_of(handler), handler.query()
        if "showNumPages" in query:
            handler.answer(200, json.dumps({"pages": -(-len(rows) // size)}).encode())
        else:
            start = int(query["page"]) * size
            handler.answer(200, lines(rows[start : start + size]))

    return answer


def ignores_match_type(handler: Handler) -> None:
    """A server that understands prefixes only, so that the address of the host alone is its home page."""
    rows = rows_of(handler)
    found = {f"{HOST}/*": rows, HOST: rows[:1]}.get(handler.query()["url"])
    handler.answer(200, lines(found)) if found else handler.answer(404, b'{"message": "No Captures found for: x"}')


SERVERS: dict[str, Fault] = {
    "prefix, and the home page for a host": ignores_match_type,
    "wildcard": understands(url=f"*.{HOST}"),
    "match type": understands(url=HOST, matchType="domain"),
    "both": understands(url=f"*.{HOST}", matchType="domain"),
    "prefix": understands(url=f"{HOST}/*"),
    "pages": paged(7),
    "cut at 20": limited(20),
    "cut at 20, honors limits": limited(20, honors_limit=True),
}


def archive(fake: FakeArchive, name: str = "one", path: str = "/pywb") -> dict[str, object]:
    return pywb_archive(name, f"{fake.url}{path}", f"{fake.url}/web/")


def test_every_capture_is_listed_whatever_the_server_understands(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scraper.sources.cdx.USUAL_LIMITS", 20)
    for number in range(50):
        fake.add(f"https://{HOST}/node/{number}", f"20{number % 25:02}0101{number:06}")
    archives = []
    for number, server in enumerate(SERVERS.values()):
        fake.files[f"/pywb{number}"] = server
        archives.append(archive(fake, str(number), f"/pywb{number}"))
    ran = tta_fetch("pywb", sources__pywb__archives=archives)
    assert ran.status == 0, ran.err
    assert {name: ran.source(f"pywb:{number}")["listed"] for number, name in enumerate(SERVERS)} == dict.fromkeys(SERVERS, 50)
    assert len(captures(tmp_path / "data")) == 50
    fake.arrivals.clear()
    assert tta_fetch("pywb", sources__pywb__archives=archives).status == 0
    assert fake.arrivals == []


@pytest.mark.parametrize("name", ["match type", "prefix, and the home page for a host"])
def test_only_the_way_that_listed_everything_is_asked_next_time(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, name: str
) -> None:
    """All ways again where that one lists nothing any more."""
    for number in range(5):
        fake.add(f"https://{HOST}/node/{number}", "20240101000000")

    def listings(server: Fault) -> int:
        sql(tmp_path / "data/ledger.db", "UPDATE listings SET started_at = '2026-01-01T00:00:00Z'")
        fake.arrivals.clear()
        fake.files["/pywb"] = server
        assert tta_fetch("pywb", sources__pywb__archives=[archive(fake)]).source("pywb:one")["listed"] == 5
        return len({path.partition("&limit")[0].partition("&output")[0] for _, path in fake.arrivals})

    fake.files["/pywb"] = SERVERS[name]
    tta_fetch("pywb", sources__pywb__archives=[archive(fake)])
    assert listings(SERVERS[name]) == 1
    assert listings(SERVERS["wildcard"]) == 4
    assert listings(SERVERS["wildcard"]) == 1


def test_one_archives_trouble_is_not_anothers(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    fake.add(f"https://{HOST}/node/1", "20240101000000")
    fake.files["/good"] = understands(url=f"*.{HOST}")
    fake.files["/bad"] = faults.answers(200, b"<html>busy</html>")
    ran = tta_fetch("pywb", sources__pywb__archives=[archive(fake, "bad", "/bad"), archive(fake, "good", "/good")])
    assert (ran.status, ran.source("pywb:bad")["outcome"], ran.source("pywb:good")["fetched"]) == (4, "partly", 1), ran.err
    assert [bool(ran.source(name)["answered"]) for name in ("pywb:bad", "pywb:good")] == [False, True]


def test_pywb_without_archives_is_a_line(tta_fetch: Fetch) -> None:
    ran = tta_fetch("pywb")
    assert (ran.status, "archives in [sources.pywb]" in ran.err, ran.err.count("\n")) == (1, True, 1)


@pytest.mark.parametrize("status", [504, 524])
def test_a_listing_of_recent_captures_that_times_out_is_replaced_by_a_full_one_at_once(
    fake: FakeArchive, tta_fetch: Fetch, status: int
) -> None:
    fake.add(f"https://{HOST}/node/1", "20240101000000")
    assert tta_fetch().status == 0
    fake.add(f"https://{HOST}/node/2", "20240101000000")
    fake.arrivals.clear()
    fake.on_listing += [faults.answers(status)]
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.listings())) == (0, 1, 2), ran.err
    assert ["from=" in path for path in fake.listings()] == [True, False]
