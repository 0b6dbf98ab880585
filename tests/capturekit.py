"""Captures that bear on each other in every way the contract knows, for tests of what follows from all of them together."""

from dataclasses import replace

from scraper.capture import Capture
from tests.dbkit import HOST, SAMPLE, day, html, node, page, revisit, text

REFERENCE = "20240101-90000-1"
ALIAS = f"{HOST}/tta/help-for-suffolk"


def _deliveries_and_departures(a: Capture) -> list[Capture]:
    """The very same capture from other sources, and captures that say of nodes 1 and 2 that they are gone."""
    gone = page(b"not found", url=node(1), when=day(10), http_status=404)
    away = (("Content-Type", "text/html"), ("Location", "/frontpage"))
    alias = (("Content-Type", "text/html"), ("Location", "/tta/help-for-suffolk"))
    login = (("Content-Type", "text/html"), ("Location", "/user/login?destination=/node/2"))
    return [
        replace(a, source="commoncrawl", warc_record_id="<urn:uuid:6f0d4ab4-0000-4000-8000-000000000001>"),
        replace(a, source="files", content_type=None, http_headers=()),
        revisit(replace(a, warc_record_id="<urn:uuid:6f0d4ab4-0000-4000-8000-000000000001>"), day(12), by="place"),
        gone,
        revisit(gone, day(11)),
        page(b"not found", url="http://rp.bjatta.bja.ojp.gov/node/1/", when=day(2, 6), http_status=410),
        page(b"", url=node(2), when=day(5), http_status=301, http_headers=away),
        page(b"", url=node(1), when=day(6, 6), http_status=302, http_headers=alias),
        page(b"", url=node(2), when=day(7), http_status=302, http_headers=login),
        page(b"not found", url=ALIAS, when=day(8, 6), http_status=404),
        page(b"not found", url=f"{HOST}/other", when=day(2), http_status=404),
        page(b"not found", url=node(3), when=day(2), http_status=404),
    ]


def _captures() -> list[Capture]:
    """Captures that bear on each other in every way the contract knows."""
    a = page(html({"County": "A", "Status of Deliverable": "Open"}, node=1), url=node(1), when=day(0))
    b = page(html({"County": "B", "Category": "TTA"}, node=1), url="http://rp.bjatta.bja.ojp.gov/node/1/", when=day(1))
    alias = page(html({"County": "B"}, node=1, title=REFERENCE), url=ALIAS, when=day(3))
    whole = html({"County": "C", "Weather": "Rain"}, node=2, body="A long description of the help.", title="Help")
    cut = page(whole[: whole.index(b"</div>", whole.index(b"Rain"))], url=node(2), when=day(4), truncated="length")
    return [
        a,
        b,
        page(a.payload, url=node(1), when=day(2)),
        revisit(b, day(5), by="digest"),
        revisit(a, day(6), by="record", url=ALIAS),
        revisit(revisit(a, day(6), by="record", url=ALIAS), day(7), by="place"),
        alias,
        text(SAMPLE, when=day(2)),
        text(SAMPLE, url=ALIAS, when=day(8)),
        text(SAMPLE.replace("20250129-145639-07", REFERENCE), url=f"{ALIAS}/"),
        page(html({"County": "D"}, title=REFERENCE), url=None, when=None),
        page(whole, url=node(2), when=day(3)),
        cut,
        page(html({"County": "E"}, title="No reference"), url=f"{HOST}/other", when=day(1)),
        page(html({"County": "F"}, title="Nothing at all"), url=None, when=day(1)),
        page(b"<html><body>Access denied</body></html>", url=node(1), when=day(9), http_status=403),
        revisit(page(b"unknown", url=node(2), when=day(0)), day(9)),
        *_deliveries_and_departures(a),
    ]


CAPTURES = _captures()
