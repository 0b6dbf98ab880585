"""How well pages are read: precision and recall per level, form, theme and field, on made-up pages with known truth.

`python -m tests.quality` prints the report. `measure` gives the figures that `test_quality` holds above the floor in
`quality_floor.json`. Recall is what share of the truth was read, precision what share of what was read is true.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parsers.page import parse_page
from parsers.record import Record
from tests.goldens import as_json
from tests.pagegen.invent import invent
from tests.pagegen.options import CLASSLESS, THEMES, Options, Theme
from tests.pagegen.render import render
from tests.pagegen.render_text import extracted_page, words_of
from tests.pagegen.truth import FieldTruth, Page, PageTruth

FLOOR = Path(__file__).parent / "quality_floor.json"
SEEDS = range(700, 706)
WELL_FORMED = (
    Options(),
    Options(labels="mixed", label_tag="h3", wrapper="tabs", twig_debug=True, furniture=True, items_always=True),
    Options(labels="inline", body="divs", rdf=True, quickedit=True, wayback=True, related=True, empty="empty_item"),
    Options(labels="visually_hidden", milestones="table", wrapper="layout_builder", body="breaks", charset="windows-1252"),
    Options(translated=True, label_tag="strong", wrapper="fieldset", alias=True, charset="utf-8-bom", empty="space_item"),
)
UGLY = (
    Options(labels="some_hidden", fake_fields=True, furniture=True, related=True),
    Options(fake_fields=True, unclosed=True, plain_dates=True, body="divs", milestones="table", wayback=True),
    Options(labels="mixed", fake_fields=True, numberless=True, alias=True, translated=True, milestones="lines"),
    Options(unclosed=True, label_tag="span", charset="utf-8-undeclared", wrapper="details", plain_dates=True, items_always=True),
)
TRUNCATED = tuple(Options(keep=keep, fake_fields=keep > 0.6, wayback=keep < 0.5) for keep in (0.35, 0.5, 0.65, 0.8, 0.95))
KEYS = ("section", "label", "name", "item", "value", "state", "href", "datetime")
LEVELS = {"well-formed": WELL_FORMED, "ugly": UGLY, "truncated": TRUNCATED}


@dataclass
class Score:
    """Counts of what is true, what was read, and what is both; and what was missed or read beyond the truth."""

    true: int = 0
    read: int = 0
    both: int = 0
    missing: Counter[Any] = field(default_factory=Counter)
    invented: Counter[Any] = field(default_factory=Counter)

    def add(self, true: Counter[Any], read: Counter[Any]) -> None:
        """Both sides as multisets."""
        self.true += true.total()
        self.both += (true & read).total()
        self.read += read.total()
        self.missing += true - read
        self.invented += read - true

    @property
    def recall(self) -> float:
        return 100 * self.both / self.true if self.true else 100.0

    @property
    def precision(self) -> float:
        return 100 * self.both / self.read if self.read else 100.0


@dataclass
class Report:
    """Scores by level and by what they are about: a measure, a theme or a field."""

    measures: dict[tuple[str, str], Score] = field(default_factory=dict)
    themes: dict[tuple[str, str], Score] = field(default_factory=dict)
    fields: dict[tuple[str, str], Score] = field(default_factory=dict)


def score(table: dict[tuple[str, str], Score], level: str, name: str) -> Score:
    return table.setdefault((level, name), Score())


def plain(value: object) -> object:
    """Texts without differences of white space and bullets, empty ones as None; anything else as it is."""
    return " ".join(words_of(value)) or None if isinstance(value, str) else value


def expected_rows(field: FieldTruth) -> list[dict[str, Any]]:
    """The rows of `fields` that one field makes: a row per value, one with a NULL value where there is none."""
    same = {key: getattr(field, key) for key in ("section", "label", "name", "item", "state")}
    values = list(zip(field.values, field.hrefs, field.datetimes, strict=True)) or [(None, None, None)]
    return [same | {"value": value, "href": href, "datetime": time} for value, href, time in values]


def key_of(row: dict[str, Any], keys: Iterable[str] = KEYS) -> tuple[object, ...]:
    return tuple(plain(row.get(key)) for key in keys)


def shown(value: object) -> str:
    """A column's value where 1, 1.0 and True are the same, and so are texts but for their white space."""
    if isinstance(value, list | tuple):
        return " | ".join(shown(one) for one in value)
    return str(float(value)) if isinstance(value, bool | int | float) else str(plain(value))


def pages(level: str) -> Iterator[tuple[str, Page]]:
    """The theme or form's name and the page."""
    for seed in SEEDS:
        content = invent(seed)
        for number, options in enumerate(LEVELS[level]):
            for theme in some_themes(seed + number):
                if not (theme in CLASSLESS and options.labels == "some_hidden"):
                    yield f"html {theme}", render(content, theme, options)
        if level == "well-formed":
            yield "text", extracted_page(content, Options())


def some_themes(number: int) -> tuple[Theme, ...]:
    """Half of the themes by turns, so that all are measured in half the time."""
    return THEMES[number % 2 :: 2]


def measure() -> Report:
    report = Report()
    for level in LEVELS:
        for theme, page in pages(level):
            read = parse_page(
                page.data, url=page.url, content_type=page.content_type, http_status=page.status, is_text=page.text_form
            )
            assert page.truth is not None
            count(report, level, theme, page.truth, read.record)
    return report


def count(report: Report, level: str, theme: str, truth: PageTruth, record: Record | None) -> None:
    score(report.measures, level, "records").add(Counter(["record"]), Counter(["record"] if record else []))
    found = as_json(record) if record else {}
    rows = [row for row in found.get("fields", []) if row["label"]]
    sure = [field for field in truth.fields if field.certain]
    wanted = [row for field in sure for row in expected_rows(field)]
    named = [row for row in wanted if row["label"]]
    whole = len(sure) == len(truth.fields) and not truth.cut
    true_keys, read_keys = Counter(map(key_of, named)), Counter(map(key_of, rows))
    for table, name in ((report.measures, "fields"), (report.themes, theme)):
        score(table, level, name).add(true_keys, read_keys if whole else read_keys & true_keys)
    for label in {row["label"] for row in named}:
        one = Counter(key_of(row) for row in named if row["label"] == label)
        same = Counter(key_of(row) for row in rows if row["label"] == label)
        score(report.fields, level, label).add(one, same if whole else same & one)
    values = Counter(plain(row["value"]) for row in wanted if row["value"])
    all_values = Counter(plain(row["value"]) for row in found.get("fields", []))
    score(report.measures, level, "values").add(values, all_values & values)
    columns = Counter((key, shown(value)) for key, value in truth.columns.items() if value is not None)
    same_columns = Counter((key, shown(found[key])) for key in truth.columns if found.get(key) is not None)
    score(report.measures, level, "columns").add(columns, same_columns & columns if truth.cut else same_columns)
    if truth.description_certain:
        bodies = Counter([plain(truth.description)] if truth.description else [])
        read_bodies = Counter([plain(found["description"])] if found.get("description") else [])
        score(report.measures, level, "descriptions").add(bodies, read_bodies)
    sections = Counter((plain(row.label), plain(row.text)) for row in truth.sections if row.certain)
    score(report.measures, level, "sections").add(
        sections, sections & Counter((plain(row["label"]), plain(row["text"])) for row in found.get("sections", []))
    )


def figures(report: Report) -> dict[str, float]:
    """What the floor is about: each measure's recall and precision, in percent with two digits."""
    found = {}
    for (level, name), one in report.measures.items():
        found[f"{level}, {name}, recall"] = round(one.recall, 2)
        found[f"{level}, {name}, precision"] = round(one.precision, 2)
    return found


def floor() -> dict[str, float]:
    read: dict[str, float] = json.loads(FLOOR.read_text(encoding="utf-8"))
    return read


def lines(report: Report) -> Iterator[str]:
    """The report, the worst fields only: what is right on all pages needs no line."""
    for title, table in (("measure", report.measures), ("theme or form", report.themes), ("field", report.fields)):
        yield f"{title:60} {'level':12} {'recall':>8} {'precision':>10} {'rows':>7}"
        for (level, name), one in sorted(table.items(), key=lambda item: (item[0][0], item[1].recall)):
            if title != "field" or one.recall < 100 or one.precision < 100:
                yield f"{name[:60]:60} {level:12} {one.recall:8.2f} {one.precision:10.2f} {one.true:7}"
        yield ""


def main() -> None:
    from tests.quality_derived import figures as derived  # here, because it imports this module's neighbors and tests

    for line in (*lines(measure()), *(f"{name:73} {value:8.2f}" for name, value in derived().items())):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
