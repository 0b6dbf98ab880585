"""Pages that a real Drupal rendered, against what was put into it: `python -m tests.campaigns.drupal_pages FOLDER TRUTH`.

FOLDER has WARC files of pages, `non-*` those that are no records. TRUTH is a JSON list, gzipped or not, of nodes as Drupal's
entity API gives them: `nid`, `title`, `body_html`, and `fields`, each with `label`, `type` and `values`; a value has `text`,
`lines` or `html`, or `children` with `label` and `values` of their own. Prints for each file what was read right, of how many.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser
from warcio.archiveiterator import ArchiveIterator

from parsers.page import parse_page
from parsers.record import Record
from parsers.urls import node_id

_MARKS = re.compile(r"^\s*(?:[•◦▪·*-]|\d+\.)\s+", re.MULTILINE)


def letters(text: str | None) -> str:
    """A text without spaces and list marks, by which what was put in and what was read can be compared."""
    return "".join(_MARKS.sub("", text or "").replace("|", "").replace("\u200b", "").split())


def text_of(value: dict[str, Any]) -> str:
    """The text that a value prints."""
    if "html" in value:
        body = LexborHTMLParser(value["html"]).body
        return body.text() if body is not None else ""
    return "\n".join(value["lines"]) if "lines" in value else value.get("text", "")


def expected(truth: dict[str, Any]) -> Counter[tuple[str | None, str, str]]:
    """The rows that a page's truth makes: item, label and letters of each value."""
    rows: Counter[tuple[str | None, str, str]] = Counter()
    for field in truth["fields"]:
        for number, value in enumerate(field["values"], 1):
            if field["type"] == "entity_reference_revisions":
                item = f"{field['label']} {number}"
                rows.update(
                    (item, child["label"], letters(text_of(one))) for child in value["children"] for one in child["values"]
                )
            elif field["type"] != "markup":
                rows[None, field["label"], letters(text_of(value))] += 1
    return rows


def compare(record: Record, truth: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """What is compared, how much of it is right, of how much."""
    wanted = expected(truth)
    read = Counter((row.item, row.label or "", letters(row.value)) for row in record.fields if row.value and row.name != "body")
    yield "values", (wanted & read).total(), wanted.total()
    yield "pages without stray rows", int(not read - wanted), 1
    yield "titles", int(record.title == truth["title"]), 1
    yield "bodies", int(letters(record.description) == letters(text_of({"html": truth["body_html"] or ""}))), 1
    markup = [field for field in truth["fields"] if field["type"] == "markup"]
    sections = Counter((field["label"], letters(text_of(field["values"][0]))) for field in markup)
    yield "sections", (sections & Counter((one.label, letters(one.text)) for one in record.sections)).total(), len(markup)


def judge(path: Path, truths: dict[int, dict[str, Any]]) -> dict[str, list[int]]:
    """What was read right on the pages of a WARC file, of how many."""
    right: dict[str, list[int]] = {}
    with path.open("rb") as stream:
        for one in ArchiveIterator(stream):
            if one.rec_type != "response":
                continue
            url, status = one.rec_headers.get_header("WARC-Target-URI"), int(one.http_headers.get_statuscode())
            kind = one.http_headers.get_header("Content-Type")
            record = parse_page(one.content_stream().read(), url=url, content_type=kind, http_status=status).record
            truth = truths.get(node_id(url) or 0)
            found = [("right kinds", int((record is not None) == (truth is not None and not path.name.startswith("non-"))), 1)]
            if record is not None and truth is not None:
                found += compare(record, truth)
            for name, good, of in found:
                total = right.setdefault(name, [0, 0])
                total[0] += good
                total[1] += of
    return right


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("truth", type=Path)
    given = arguments.parse_args()
    content = given.truth.read_bytes()
    nodes = json.loads(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
    truths = {node["nid"]: node for node in nodes}
    for path in sorted(given.folder.glob("*.warc*")):
        shown = ", ".join(f"{name} {good} of {of}" for name, (good, of) in judge(path, truths).items())
        sys.stdout.write(f"{path.name}: {shown}\n")


if __name__ == "__main__":
    main()
