"""Against pywb, a real web archive: what it plays we store, what we store it plays."""

import subprocess
import urllib.request
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from scraper.archive.store import Archive
from scraper.capture import Capture, WarcType, iso
from tests.dbkit import WHEN, plain_page, revisit
from tests.fakearchive.pywb import BIN, pywb
from tests.fakearchive.run import captures, pywb_archive, run, stored, write_config

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


def test_what_pywb_plays_is_stored_and_what_is_stored_pywb_plays(tmp_path: Path) -> None:
    expected = [*originals(), REVISIT]
    with Archive(tmp_path / "source", writable=True) as archive:
        for capture in expected:
            archive.add(capture)
    with pywb(tmp_path / "pywb", [tmp_path / "source" / "tta-000001.warc.gz"]) as url:
        archives = [pywb_archive("local", f"{url}/cdx", f"{url}/")]
        _is_stored(tmp_path, write_config(tmp_path / "tta.toml", url, sources__pywb__archives=archives), expected)
    _plays_back(tmp_path, expected)


def _is_stored(tmp_path: Path, config: Path, expected: list[Capture]) -> None:
    ran = run(tmp_path / "data", config, "pywb")
    assert (ran.status, ran.source("pywb:local")["listed"]) == (0, 11), ran.err
    assert captures(tmp_path / "data") == sorted((capture.url, iso(capture.captured_at)) for capture in expected)  # type: ignore[type-var]
    found = {(capture.url, capture.captured_at): capture for capture in stored(tmp_path / "data")}
    for original in originals():
        capture = found[original.url, original.captured_at]
        if capture.warc_type is not WarcType.REVISIT:
            assert (capture.content, capture.header("x-drupal-cache")) == (original.payload, original.header("x-drupal-cache"))
    assert found[(expected[7].url, WHEN)].header("location") == "https://bjatta.bja.ojp.gov/node/1"
    assert sum(capture.warc_type is WarcType.REVISIT for capture in found.values()) == 2
    assert {capture.source for capture in found.values()} == {"pywb:local"}
    again = run(tmp_path / "data", config, "pywb")
    assert (again.status, again.source("pywb:local")["asked"]) == (0, 0)


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
