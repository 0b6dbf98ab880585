"""Example pages with what must be read from them, side by side in `pages/<form>-<theme>/`: finding, reading, rewriting them.

A page is `name.html` or `name.txt`; `name.meta.json` has the arguments of `parse_page` that differ from the usual ones, and
`name.json` what is expected: the kind, and of a record every column that is not NULL and every row of fields and groups.
`make expectations` rewrites the expectations from what the parser says today; read the difference before it is committed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from parsers.page import parse_page
from parsers.record import RecordValues, columns_of

PAGES = Path(__file__).parent / "pages"
USUAL: dict[str, Any] = {
    "url": "https://bjatta.bja.ojp.gov/node/150001",
    "content_type": "text/html; charset=UTF-8",
    "http_status": 200,
}
USUAL_TEXT: dict[str, Any] = {"url": USUAL["url"], "is_text": True}
ROW = ("section", "label", "name", "item", "value", "state", "href", "datetime")
GROUPS = ("sections", "milestones", "performance_metrics")
Json = dict[str, Any]


def pages() -> list[Path]:
    """Every example page."""
    return sorted(path for path in PAGES.rglob("*") if path.suffix in (".html", ".txt"))


def name_of(page: Path) -> str:
    return page.relative_to(PAGES).with_suffix("").as_posix()


def expectation_of(page: Path) -> Path:
    return page.with_suffix(".json")


def expected(page: Path) -> Json:
    """What must be read; nothing where the expectation is missing, which is a failure of its own."""
    path = expectation_of(page)
    found: Json = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def as_json(row: object, *without: str) -> Json:
    """A row or a record as JSON has it, without some of its columns."""
    values: Json = orjson.loads(orjson.dumps(row))
    return {key: value for key, value in values.items() if key not in without}


def arguments(page: Path) -> Json:
    """What `parse_page` is given with an example page."""
    meta = page.with_suffix(".meta.json")
    return {**(USUAL_TEXT if page.suffix == ".txt" else USUAL), **(json.loads(meta.read_text()) if meta.exists() else {})}


@cache
def actual(page: Path) -> Json:
    """What the parser reads, in the form of an expectation."""
    verdict = parse_page(page.read_bytes(), **arguments(page))
    if verdict.record is None:
        return {"kind": str(verdict.kind)}
    record = as_json(verdict.record)
    columns = {key: record[key] for key in columns_of(RecordValues) if record[key] is not None}
    if record["incomplete"]:
        columns["incomplete"] = True
    rows = [{key: row[key] for key in ROW if row[key] is not None} for row in record["fields"]]
    for row, found in zip(rows, verdict.record.fields, strict=True):
        if found.truncated:
            row["truncated"] = True
    groups = {group: [_filled(row) for row in record[group]] for group in GROUPS if record[group]}
    return {"kind": str(verdict.kind), "columns": columns, "fields": rows, **groups}


def _filled(row: Json) -> Json:
    return {key: value for key, value in row.items() if value is not None and key != "position"}


def results(page: Json) -> dict[str, Any]:
    """A page's expectation or reading as single results: the kind, each column, each field, each row of a group.

    A field is all rows of one label within one item of a group, so that the difference of two shows a lost value alone.
    """
    found: dict[str, Any] = {"kind": page.get("kind")}
    found |= {f"column {key}": value for key, value in page.get("columns", {}).items()}
    for row in page.get("fields", []):
        key = f"field {row.get('item', '')}/{row.get('label') or row.get('name') or 'without label'}"
        found.setdefault(key, []).append(row)
    for group in GROUPS:
        found |= {f"{group} {number}": row for number, row in enumerate(page.get(group, []), start=1)}
    found["order of fields"] = [row.get("label") for row in page.get("fields", [])]
    return found


def main() -> None:
    """Writes each expectation that the parser's result differs from."""
    for page in pages():
        if actual(page) != expected(page):
            expectation_of(page).write_text(json.dumps(actual(page), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
