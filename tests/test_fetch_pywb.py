"""Against pywb, a real web archive: what it plays we store, what we store it plays."""

import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scraper.archive.store import Archive
from scraper.capture import Capture, WarcType, iso
from tests.dbkit import WHEN, plain_page, revisit
from tests.fakearchive.bucket import Bucket, serve_range
from tests.fakearchive.pywb import BIN, pywb
from tests.fakearchive.run import captures, pywb_archive, run, stored, write_config
from tests.fakearchive.server import FakeArchive

HTML = (("Content-Type", "text/html; charset=UTF-8"), ("X-Drupal-Cache", "HIT"))
FIRST = "<html>page 1 \u2013</html>".encode()
REVISIT = replace(
    revisit(plain_page(payload=FIRST), WHEN + timedelta(days=3), by="place"), http_status=200, http_headers=HTML[:1]
)


def originals() -> list[Capture]:
    where = (("Location", "https://bjatta.bja.ojp.gov/node/1"),)
    return [
        *(plain_page(number, http_headers=HTML, payload=f"<html>page {number} \u2013</html>".encode()) for number in range(1, 6)),
        plain_page(1, http_headers=HTML, payload=FIRST, captured_at=WHEN + timedelta(days=1)),
        plain_page(1, http_headers=HTML, captured_at=WHEN + timedelta(days=2)),
        plain_page(6, http_status=302, http_reason="Found", http_headers=where, payload=b"to"),
        plain_page(7, http_status=404, http_reason="Not Found", http_headers=HTML),
        plain_page(8, http_status=503, http_reason="Service Unavailable", http_headers=HTML),
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Pywb serving the originals; its address and their file."""
    folder = tmp_path_factory.mktemp("pywb")
    with Archive(folder / "source", writable=True) as archive:
        for capture in [*originals(), REVISIT]:
            archive.add(capture)
    file = folder / "source" / "tta-000001.warc.gz"
    with pywb(folder / "pywb", [file]) as url:
        yield url, file


def settings(folder: Path, url: str) -> Path:
    """A configuration with pywb at this address as its only archive."""
    return write_config(folder / "tta.toml", url, sources__pywb__archives=[pywb_archive("local", f"{url}/cdx", f"{url}/")])


def test_what_pywb_plays_is_stored_and_what_is_stored_pywb_plays(served: tuple[str, Path], tmp_path: Path) -> None:
    config = settings(tmp_path, served[0])
    ran = run(tmp_path / "data", config, "pywb")
    assert (ran.status, ran.source("pywb:local")["listed"]) == (0, 11), ran.err
    expected = [*originals(), REVISIT]
    assert captures(tmp_path / "data") == sorted((capture.url, iso(capture.captured_at)) for capture in expected)  # type: ignore[type-var]
    found = {(capture.url, capture.captured_at): capture for capture in stored(tmp_path / "data")}
    bodies = {(capture.url, capture.captured_at): capture.payload for capture in originals()}
    for key, body in bodies.items():
        capture = found[key]
        assert capture.warc_type is WarcType.REVISIT or capture.content == body
        assert capture.warc_type is WarcType.REVISIT or capture.header("x-drupal-cache") == next(
            (c.header("x-drupal-cache") for c in originals() if (c.url, c.captured_at) == key), None
        )
    assert found[(expected[7].url, WHEN)].header("location") == "https://bjatta.bja.ojp.gov/node/1"
    assert sum(capture.warc_type is WarcType.REVISIT for capture in found.values()) == 2
    assert {capture.source for capture in found.values()} == {"pywb:local"}
    again = run(tmp_path / "data", config, "pywb")
    assert (again.status, again.source("pywb:local")["asked"]) == (0, 0)
    _plays_back(tmp_path, expected)


def _plays_back(tmp_path: Path, expected: list[Capture]) -> None:
    (warc,) = (tmp_path / "data" / "archive").glob("*.warc.gz")
    checked = subprocess.run([str(BIN / "warcio"), "check", "-v", str(warc)], check=False, capture_output=True, text=True)
    assert (checked.returncode, "digest failed" in checked.stdout) == (0, False), checked.stdout
    assert checked.stdout.count("digest pass") >= 9
    with pywb(tmp_path / "again", [warc]) as url:
        for capture in expected:
            if capture.http_status != 200 or not capture.captured_at:
                continue
            address = f"{url}/{capture.captured_at:%Y%m%d%H%M%S}id_/{capture.url}"
            with urllib.request.urlopen(address, timeout=20) as answer:
                body = FIRST if capture.warc_type is WarcType.REVISIT else capture.payload
                assert answer.read() == body
                assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"


def test_an_unlisted_time_is_redirected_to_the_exact_one_and_not_fetched_twice(
    served: tuple[str, Path], fake: FakeArchive, tmp_path: Path
) -> None:
    url, _ = served
    fake.add("https://bjatta.bja.ojp.gov/node/2", "20210101000000")
    fake.add("https://bjatta.bja.ojp.gov/node/2", "20220101000000", b"<html>other")
    config = write_config(
        tmp_path / "tta.toml", url, sources__wayback__replay_url=f"{url}/", sources__wayback__cdx_url=f"{fake.url}/cdx"
    )
    ran = run(tmp_path / "data", config)
    assert ran.status == 0, ran.err
    assert captures(tmp_path / "data") == [("https://bjatta.bja.ojp.gov/node/2", iso(WHEN))]


def test_common_crawls_way_through_pywb(served: tuple[str, Path], fake: FakeArchive, tmp_path: Path) -> None:
    url, file = served
    bucket = Bucket(fake)
    crawls = [f'{{"id": "CC-MAIN-2026-{number}", "cdx-api": "{url}/cdx"}}' for number in range(10, 80)]
    fake.files["/collinfo.json"] = lambda handler: handler.answer(200, f"[{','.join(crawls)}]".encode())
    fake.files[f"/{file.name}"] = lambda handler: serve_range(handler, file.read_bytes())
    config = write_config(tmp_path / "tta.toml", bucket.fake.url, sources__commoncrawl__crawls=1)
    ran = run(tmp_path / "data", config, "commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["listed"]) == (0, 11), ran.err
    assert len(captures(tmp_path / "data")) == 11
