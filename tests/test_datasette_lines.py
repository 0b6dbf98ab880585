"""Both lines of Datasette show the same. `make datasette-alpha` runs this, and tests of what is served, on the newest alpha."""

import json
import re
import subprocess
from collections import Counter, deque

import pytest
from datasette.filters import Filters
from selectolax.lexbor import LexborHTMLParser

from scraper.explore.filters import ARRAY_CONTAINS
from scraper.explore.lines import IS_1, replace_array_condition
from tests.webkit import ROOT, Site

STABLE = ROOT / ".venv/bin/python"
NOT_WALKED = re.compile(
    r"\.(csv|xlsx|json|svg|atom)\b|[?&](sql|_next|_sort|_sort_desc)=|^/-/static|"
    r"^/tta(/-/.*)?$|^/tta/(?!records|organizations)\w+/"  # Datasette's own pages: of the database, of rows
)
OWN_TO_A_LINE = re.compile(r"sql=[^ ]*|/-/query(?=\?sql)|does not contain(?=ends)|at byte \d+")  # each builds its own archive
EACH = 4
"""Pages of one kind that are compared: rows of a table, filters of one."""


def test_datasette_uses_the_condition_of_arrays_that_replaces_its_own() -> None:
    """If this fails after an upgrade, `lines.replace_array_condition` has to find the filter where Datasette now has it."""
    replace_array_condition(ARRAY_CONTAINS)
    clauses, _ = Filters([("program_areas__arraycontains", "Courts")]).build_where_clauses("records")
    assert clauses == [ARRAY_CONTAINS.format(t='"records"', c='"program_areas"', p="p0")]


def walk() -> dict[str, str]:
    """Status, words and links of each page, by address."""
    site, waiting, kinds, found = Site(), deque(["/"]), Counter[str](), {}
    while waiting:
        address = waiting.popleft()
        kind = re.sub(r"^(/tta/\w+/).*", r"\1", address.partition("?")[0])
        kinds[kind] += 1
        if address in found or kinds[kind] > EACH:
            continue
        answer = site.get(address)
        (content,) = LexborHTMLParser(answer.text).css("section.content")
        links = [node.attributes.get("href") or "" for node in content.css("a")]
        for node in content.css("script, style"):
            node.decompose()
        found[address] = OWN_TO_A_LINE.sub("", " ".join([str(answer.status_code), *content.text().split(), *links]))
        waiting.extend(one for link in links if (one := link.partition("#")[0]).startswith("/") and not NOT_WALKED.search(one))
    return found


@pytest.mark.skipif(not IS_1 or not STABLE.exists(), reason="Datasette 0.65 is installed: make datasette-alpha compares with 1.0")
def test_every_page_is_the_same_on_both_lines() -> None:
    command = [STABLE, "-c", "import json, sys; from tests.test_datasette_lines import walk; json.dump(walk(), sys.stdout)"]
    pages = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert len(pages) > 70 and pages.keys() >= {"/-/map", "/-/new", "/tta/areas_by_year", "/tta/records"}
    now = walk()
    assert {address: now.get(address) for address in pages if now.get(address) != pages[address]} == {}
