"""Pages of the same addresses that are no records: the examples in `tests/pages/not-a-record`, as a server gives them."""

from __future__ import annotations

from tests import goldens
from tests.pagegen.truth import Page


def other(name: str) -> Page:
    path = goldens.PAGES / "not-a-record" / f"{name}.html"
    given = goldens.arguments(path)
    return Page(data=path.read_bytes(), url=given["url"], content_type=given["content_type"], status=given["http_status"])
