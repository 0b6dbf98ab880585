"""Mutated pages into the parser for as long as is asked: `python -m tests.campaigns.fuzz_parser --minutes 10 --seed 7`.

A finding is a page that makes the parser raise, takes it longer than it may, gives a verdict that contradicts itself or
another verdict the second time. Each is written to the folder of findings, cut down to what is needed, for a test.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import orjson

from parsers.page import parse_page
from parsers.record import FieldState, Kind, ParseResult
from tests import goldens
from tests.mutate import mutated
from tests.pagegen.options import THEMES
from tests.pagegen.render import make_page
from tests.pagegen.render_text import extracted_page
from tests.pagegen.strategies import Case

SECONDS_PER_MB = 4.0
LEAST_SECONDS = 2.0
"""Time a page may take whatever its length: what else the machine does must not become a finding."""
UTF8, LATIN1 = "text/html; charset=utf-8", "text/html; charset=iso-8859-1"
CONTENT_TYPES = (None, "text/html", UTF8, LATIN1, "text/plain", "application/xhtml+xml")
CUTTING = 200
"""Attempts at making a finding smaller."""


def corpus(seed: int) -> list[bytes]:
    """Example pages, and made-up records of every theme and as texts."""
    records = [make_page(seed + number, theme).data for number, theme in enumerate(THEMES)]
    texts = [extracted_page(Case(seed + number).content).data for number in range(3)]
    examples = [page.read_bytes() for page in goldens.pages()]
    return [*records, *texts, *examples]


def complaint(content: bytes, content_type: str | None, is_text: bool) -> str | None:
    """What is wrong with the parser's answer, in a line; None where nothing is."""
    start = time.process_time()
    try:
        page = parse_page(content, url=goldens.USUAL["url"], content_type=content_type, http_status=200, is_text=is_text)
        orjson.dumps(page)
    except Exception:
        return "raises " + traceback.format_exc().strip().splitlines()[-1][:120] + _place()
    taken = time.process_time() - start
    if taken > max(LEAST_SECONDS, SECONDS_PER_MB * len(content) / 1e6):
        return f"takes {taken:.1f} s for {len(content)} bytes"
    return contradiction(page)


def _place() -> str:
    frames = traceback.extract_tb(sys.exc_info()[2])
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}"


def contradiction(page: ParseResult) -> str | None:
    """What can't be true of any page."""
    record = page.record
    if (record is not None) != (page.kind == Kind.RECORD):
        return "the verdict and the record disagree"
    if record is None:
        return None
    wrong = [
        ("a position is missing", [row.position for row in record.fields] != list(range(1, len(record.fields) + 1))),
        ("a value without its state", any((row.value is not None) != (row.state == FieldState.VALUE) for row in record.fields)),
        ("a point off the map", not (abs(record.longitude or 0) <= 180 and abs(record.latitude or 0) <= 90)),
        ("half a point", (record.longitude is None) != (record.latitude is None)),
        ("a section that is not there", _sections_differ(page)),
        ("an empty value", any(row.value is not None and not row.value.strip() for row in record.fields)),
    ]
    return next((text for text, is_so in wrong if is_so), None)


def _sections_differ(page: ParseResult) -> bool:
    assert page.record is not None
    return not {row.section for row in page.record.fields if row.section} <= {row.label for row in page.record.sections}


def smaller(content: bytes, still_wrong: Callable[[bytes], bool]) -> bytes:
    """The page without pieces that the finding does not need."""
    size = max(1, len(content) // 2)
    for _ in range(CUTTING):
        for at in range(0, len(content), size):
            shorter = content[:at] + content[at + size :]
            if still_wrong(shorter):
                content = shorter
                break
        else:
            if size == 1:
                break
            size //= 2
    return content


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--findings", type=Path, default=Path("data/findings"))
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    rng, pages = random.Random(seed), corpus(seed % 1000)
    end, tried, found = time.monotonic() + 60 * given.minutes, 0, dict[str, bytes]()
    os.nice(10)
    _say(f"seed {seed}, {len(pages)} pages to start from")
    while time.monotonic() < end:
        content = mutated(rng.choice(pages), rng, rng.randrange(1, 15), pages)
        content_type, is_text = rng.choice(CONTENT_TYPES), rng.random() < 0.15
        wrong = complaint(content, content_type, is_text)
        tried += 1
        kind = "takes" if wrong and wrong.startswith("takes") else wrong
        if wrong is None or kind is None or kind in found:
            continue

        def again(shorter: bytes, kind: str = kind, content_type: str | None = content_type, is_text: bool = is_text) -> bool:
            return (complaint(shorter, content_type, is_text) or "").startswith(kind)

        found[kind] = smaller(content, again)
        given.findings.mkdir(parents=True, exist_ok=True)
        path = given.findings / f"{hashlib.sha256(found[kind]).hexdigest()[:12]}{'.txt' if is_text else '.html'}"
        path.write_bytes(found[kind])
        _say(f"{wrong}\n  {path} ({len(found[kind])} bytes, {content_type}, text: {is_text})")
    _say(f"{tried} pages, {len(found)} findings, seed {seed}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
