"""Charts: a measure of the records that a URL selects, by one or two dimensions, prepared for `_charts.html`.

`read_spec` reads the requested chart, `count` queries the database, and `draw` turns the counts into marks in percent of the
chart area. `scraper.explore.dashboard` has the pages.
"""

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from math import ceil, floor, log10
from statistics import median
from typing import Any, NamedTuple

from scraper.errors import BadQuery
from scraper.explore.filters import QUERIES, RecordFilters, equal, heading, read_yaml
from scraper.explore.links import DATABASE, NOT_KNOWN, list_values
from scraper.export.tables import LIST_COLUMNS

TEXTS: dict[str, Any] = read_yaml("charts")
STATE_PATHS: dict[str, str] = json.loads((files("scraper.explore") / "static" / "state-paths.json").read_text(encoding="utf-8"))
"""The SVG path of each state that is drawn, by its name, in a drawing of 960 by 600 units (see `tests.state_paths`)."""
SHADE_COUNT = 5
FEW = 10
"""Records below which a share, mean or median is not compared; CDC WONDER withholds figures of fewer than 10 cases."""
MAX_SERIES = 8
"""As many colors as can be distinguished; bars combine the values after the first seven."""
MAX_CHOICES = 200
"""Values that the form lists to choose from."""
MAX_ROWS = 20
"""Maximum number of bars; the table of the numbers has all."""
OTHER = "all others"
_CUT_OFF = ("…", "...")
"""End of a truncated value. Such a value is not a category."""

Value = str | int | float | None


class Dimension(NamedTuple):
    """What records are counted by. `columns`: their filters select a value's rows; `order`: values have a natural order.

    A value may have a display name after a tab.
    """

    heading: str
    sql: str
    columns: tuple[str, ...]
    lookup: str = "exact"
    order: bool = False

    @property
    def name_in_text(self) -> str:
        name = self.heading if self.heading[:2].isupper() else self.heading[0].lower() + self.heading[1:]
        return name.removesuffix("s") if self.lookup == "arraycontains" else name

    def values(self, stored: Value) -> Sequence[Value]:
        """Returns the categories of a stored value: none if it is truncated, several for a list."""
        found: Sequence[Value] = list_values(str(stored)) or [None] if self.lookup == "arraycontains" else [stored]
        return [one for one in dict.fromkeys(found) if not str(one).endswith(_CUT_OFF)]

    def filters(self, value: Value) -> list[tuple[str, object]]:
        """Returns the table's filters that select the rows with the value."""
        if self.lookup == "own":
            return [(self.columns[0], value or NOT_KNOWN)]
        if value is None:
            return [equal(self.columns[0], None)]
        parts = str(value).partition("\t")[0].rsplit(", ", len(self.columns) - 1)
        return [(f"{column}__{self.lookup}", part) for column, part in zip(self.columns, parts, strict=False)]

    def name(self, value: Value) -> str:
        if value is None:
            return NOT_KNOWN
        return ("No", "Yes")[bool(value)] if self.columns[0] in TEXTS["answers"] else str(value).rpartition("\t")[2]

    def key(self, value: Value) -> Any:
        """Returns a sort key that orders numbers in texts as numbers: cost ranges, years."""
        return value is None, [int(digits) for digits in re.findall(r"\d+", str(value).replace(",", ""))], str(value)


class Measure(NamedTuple):
    """What is computed for each group of records. `sql`: a record's value; `of`: computes the result from the value counts.

    `unit`: what the figure counts, if it is a count.
    """

    heading: str
    about: str
    form: str = "{:,.0f}"
    sql: str = "NULL"
    of: Callable[[Counter[Any]], float] = Counter.total
    adds_up: bool = False
    unit: str = ""


DIMENSIONS = {
    name: Dimension(heading(name), name, (name,), "arraycontains" if name in LIST_COLUMNS else "exact", name in TEXTS["ordered"])
    for name in (*TEXTS["ordered"], *TEXTS["plain"], *TEXTS["answers"])
}
for name, one in TEXTS["derived"].items():
    DIMENSIONS[name] = Dimension(**one | {"sql": one["sql"].format(label=QUERIES["label"])})
_FIGURES: dict[str | None, Callable[[Counter[Any]], float]] = {
    "yes": lambda answers: percent(sum(n for answer, n in answers.items() if answer), answers.total()),
    "mean": lambda numbers: sum(number * n for number, n in numbers.items()) / numbers.total(),
    "median": lambda numbers: median(numbers.elements()),
}
MEASURES = {name: Measure(**one | {"of": _FIGURES.get(one.get("of"), Counter.total)}) for name, one in TEXTS["measures"].items()}
KINDS: dict[str, str] = TEXTS["kinds"]
CHOICES: dict[str, Mapping[str, Any]] = {"measure": MEASURES, "by": DIMENSIONS, "split": DIMENSIONS, "kind": KINDS}
OF_ROWS = {name: (Dimension(**one["by"]), Measure(**one["measure"])) for name, one in TEXTS["rows"].items()}
"""How the rows of a question are drawn and what they count, if its answer is not a count of records."""


class Spec(NamedTuple):
    """A chart's definition: keys of MEASURES, DIMENSIONS (`split` may be empty) and KINDS (empty: chosen automatically)."""

    measure: str = "records"
    by: str = "fiscal_year"
    split: str = ""
    kind: str = ""
    only: str = ""
    """Names of the values of `split`, or else of `by`, that are drawn, on a line each; empty: as many as there are colors."""

    @property
    def figure(self) -> Measure:
        return MEASURES.get(self.measure) or OF_ROWS[self.measure][1]

    @property
    def across(self) -> Dimension:
        return DIMENSIONS.get(self.by) or OF_ROWS[self.by][0]

    @property
    def down(self) -> Dimension | None:
        return DIMENSIONS.get(self.split)

    @property
    def title(self) -> str:
        return f"{self.figure.heading} by {' and '.join(one.name_in_text for one in (self.across, self.down) if one)}"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The URL parameters of the chart."""
        return [(f"_{name}", one) for name, value in self._asdict().items() for one in value.split("\n") if one]


def read_spec(args: Any) -> Spec:
    """Returns the chart that a URL requests. Raises BadQuery if there is no such chart."""
    found = Spec(**{name: "\n".join(args.getlist(f"_{name}")) or default for name, default in Spec._field_defaults.items()})
    for value, known in zip(found, CHOICES.values(), strict=False):
        if value and value not in known:
            raise BadQuery(f"There is no chart of {value!r}: choose one of {', '.join(filter(None, known))}.")
    return found._replace(split="") if found.split == found.by else found


@dataclass(slots=True)
class Counts:
    """How often each value of the measure occurs in each group. `unknown`: numbers of records left out, by reason."""

    total: int = 0
    shown: int = 0
    cells: dict[tuple[Value, Value], Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    rows: dict[Value, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    unknown: Counter[str] = field(default_factory=Counter)


async def incomplete_periods(database: Any) -> dict[tuple[str, Value], str]:
    """Returns why the records of a year or month are known to be incomplete, by dimension and value."""
    return {(row["dimension"], row["value"]): row["lack"] for row in (await database.execute(QUERIES["incomplete"])).rows}


async def count(database: Any, spec: Spec, filters: RecordFilters) -> Counts:
    """Counts the selected records by the chart's dimensions. Raises QueryInterrupted at the time limit."""
    by, split, measure = spec.across, spec.down, spec.figure
    parts = [by.sql, split.sql if split else "NULL", measure.sql]
    groups = ", ".join(str(place) for place, part in enumerate(parts, start=1) if part != "NULL")
    sql = f"SELECT {', '.join(parts)}, count(*) FROM records {filters.where} GROUP BY {groups}"
    found = await database.execute(sql, filters.params, log_sql_errors=False)
    counts, only = Counts(), spec.only.split("\n")
    for first, second, value, n in found.rows:
        across, down = by.values(first), split.values(second) if split else (None,)
        reasons = [f"unknown {measure.heading.lower()}"] if measure.sql != "NULL" and value is None else []
        if spec.only and not any((split or by).name(one) in only for one in (down if split else across)):
            reasons.append(f"another {(split or by).name_in_text}")
        empty = [(one, values) for one, values in ((by, across), (split, down)) if one and (None in values or not values)]
        reasons += [f"{'unknown' if values else 'cut-off'} {one.name_in_text}" for one, values in empty]
        counts.total += n
        counts.shown += 0 if reasons else n
        counts.unknown.update(dict.fromkeys(reasons[:1], n))
        if measure.sql == "NULL" or value is not None:
            for x in across:
                counts.rows[x][value] += n if down else 0
                for series in down:
                    counts.cells[x, series][value] += n
    return counts


class Mark(NamedTuple):
    """A figure for `records` records, which `url` lists (empty: no link)."""

    value: float
    records: int
    url: str


class Row(NamedTuple):
    """A value of the first dimension; `marks` has one for each series, None if it has no record."""

    name: str
    value: float
    records: int
    url: str
    marks: list[Mark | None]


@dataclass(frozen=True)
class Chart:
    """A chart as drawn: `drawn` of the `rows`. `lacks`: why years or months with a star are not complete, by name.

    `choices`: the values that `spec.only` can choose of, and their records. `others`: how many values of the second dimension
    have no series of their own.
    """

    spec: Spec
    counts: Counts
    series: list[str]
    rows: list[Row]
    drawn: list[Row]
    lacks: dict[str, str]
    choices: list[tuple[str, int]]
    others: int

    def is_few(self, one: Mark | Row) -> bool:
        """Returns whether the figure is of too few records to be compared. Counts always can be."""
        return not self.spec.figure.adds_up and one.records < FEW

    @cached_property
    def limits(self) -> list[float]:
        """Returns the upper limit of each shade, round numbers. Those of counts grow squared, because most counts are small."""
        if not self.spec.figure.adds_up:
            return [tick for tick in self.ticks if tick > 0]
        return sorted({_round_up(self.ticks[-1] * (n / SHADE_COUNT) ** 2) for n in range(1, SHADE_COUNT + 1)})

    def shade(self, value: float) -> int:
        """Returns the shade of a value, 1 to SHADE_COUNT; 0 for none or less."""
        return ceil(SHADE_COUNT * (bisect_left(self.limits, value) + 1) / len(self.limits)) if value > 0 else 0

    @property
    def left_out(self) -> Counter[str]:
        """Returns the numbers of records that are not drawn, by reason."""
        drawn = [(self.spec.across, NOT_KNOWN in [row.name for row in self.drawn]), (self.spec.down, NOT_KNOWN in self.series)]
        known = {f"unknown {one.name_in_text}" for one, is_drawn in drawn if one and is_drawn}
        return Counter({reason: n for reason, n in self.counts.unknown.items() if reason not in known})

    @property
    def is_stack(self) -> bool:
        return self.spec.figure.adds_up and self.spec.kind == "bars" and len(self.series) > 1

    @cached_property
    def ticks(self) -> list[float]:
        """Returns round numbers, including 0, from one end of the scale to the other."""
        values = [[mark.value for mark in row.marks if mark] for row in self.drawn]
        top = max((sum(row) if self.is_stack else max(row, default=0) for row in values), default=0)
        bottom = min((min(row, default=0) for row in values), default=0)
        step = _round_up(max(top, -bottom) / 4)
        return [step * n for n in range(floor(min(bottom, 0) / step), max(ceil(top / step - 1e-9), 1) + 1)]

    def at(self, value: float) -> float:
        """Returns the position of a value on the scale, from 0 to 1."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def draw(spec: Spec, counts: Counts, chosen: RecordFilters, lacking: Mapping[tuple[str, Value], str] | None = None) -> Chart:
    """Returns the chart. Incomplete values (`lacking`) get a star; the least frequent series are combined into one."""
    by, split, measure = spec.across, spec.down, spec.figure
    sizes: Counter[Value] = Counter()
    for (_, second), cell in counts.cells.items():
        sizes[second] += cell.total()
    order = sorted(sizes, key=split.key if split and split.order else lambda one: (one is None, -sizes[one], str(one)))
    whole = sizes if split else Counter({one: found.total() for one, found in counts.rows.items()})
    totals = {(split or by).name(one): n for one, n in whole.most_common()}
    only = [one for one in spec.only.split("\n") if one in totals]
    order = [one for one in order if not split or not spec.only or split.name(one) in only]
    fits = {"bars": True, "lines": by.order, "heat": split, "map": spec.by == "place_state" and not split}
    best = "lines" if by.order and split else "heat" if len(order) > MAX_SERIES // 2 else "bars"
    kind = spec.kind if fits.get(spec.kind) else "map" if fits["map"] else best
    spec = spec._replace(only="\n".join(only) or spec.only, kind=kind)
    known = [one for one in order if one is not None]
    most = len(known) if spec.kind == "heat" else MAX_SERIES - (len(known) > MAX_SERIES and spec.kind != "lines")
    kept = known[-most:] if split and split.order else known[:most]  # the latest or the most frequent
    others: list[Value] = [OTHER] if kept != known and spec.kind != "lines" else []
    series = [*others, *kept] if split and split.order else [*kept, *others]
    series += [None] * (None in order)
    cells: dict[tuple[Value, Value], Counter[Any]] = defaultdict(Counter)
    for (first, second), cell in counts.cells.items():
        if second in order:
            cells[first, second if second in series else OTHER].update(cell)

    def figure(cell: Counter[Any], whole: int) -> float:
        return percent(cell.total(), whole) if spec.measure == "share" else measure.of(cell)

    def mark(first: Value, second: Value) -> Mark | None:
        if not (cell := cells.get((first, second))):
            return None
        filters = [*by.filters(first), *(split.filters(second) if split else [])]
        whole = counts.rows[first].total() if split else counts.shown
        url = "" if second == OTHER or not chosen.table_url else chosen.url(*filters)
        return Mark(figure(cell, whole), cell.total(), url)

    shown = {*((spec.by, one) for one in counts.rows), *((spec.split, one) for one in series)}
    lacks = {str(value): lack for (key, value), lack in (lacking or {}).items() if (key, value) in shown}

    firsts = _fill_gaps(sorted(counts.rows, key=by.key)) if by.order else [*counts.rows]
    firsts = [one for one in firsts if (order if split else not spec.only or by.name(one) in only)]
    same = Counter(map(by.name, firsts))  # agencies of one name, which their numbers tell apart

    def row(first: Value) -> Row:
        found, name, key = counts.rows[first], by.name(first), str(first).partition("\t")[0]
        name += (f", number {key}" if key.isdigit() else ", without a number") * (same[name] > 1)
        name += "*" * ((spec.by, first) in (lacking or {}))
        marks = [mark(first, second) for second in series]
        return Row(name, figure(found, counts.shown) if found else 0.0, found.total(), chosen.url(*by.filters(first)), marks)

    rows = list(map(row, firsts))
    if not by.order:
        rows.sort(key=lambda one: (one.name == NOT_KNOWN, not measure.adds_up and one.records < FEW, -one.value, one.name))
    drawn = [one for one in rows if one.name != NOT_KNOWN or spec.kind not in ("lines", "map")]
    drawn = drawn if by.order or spec.kind == "map" else drawn[:MAX_ROWS]
    stars = ["*" * ((spec.split, one) in (lacking or {})) for one in series]
    names = [split.name(one) + star if split else measure.heading for one, star in zip(series, stars, strict=True)]
    return Chart(spec, counts, names, rows, drawn, lacks, list(totals.items())[:MAX_CHOICES], len(known) - len(kept))


def draw_rows(urls: Any, name: str, rows: Sequence[Any]) -> Chart:
    """Returns the chart of a question's rows (`OF_ROWS`); its marks lead to the rows of the table, if there is one."""
    counts, one = Counts(), TEXTS["rows"][name]
    for row in rows:
        value, n = row[one["column"]], row[one["count"]] if "count" in one else 1
        counts.rows[value][None] += n
        counts.cells[value, None][None] += n
        counts.total, counts.shown = counts.total + n, counts.shown + n
    return draw(Spec(name, name), counts, RecordFilters(one["table"] and urls.table(DATABASE, one["table"]), [], "", {}, ""))


def _fill_gaps(values: list[Value]) -> list[Value]:
    """Returns years and months in order, including those without a value."""
    known = [one for one in values if one is not None]
    if not known or not all(isinstance(one, int) or re.fullmatch(r"\d{4}-\d\d", str(one)) for one in known):
        return values
    years = range(int(str(known[0])[:4]), int(str(known[-1])[:4]) + 1)
    months = [f"{year}-{n:02}" for year in years for n in range(1, 13)]
    span = years if isinstance(known[0], int) else months[months.index(str(known[0])) : months.index(str(known[-1])) + 1]
    return [*span, *values[len(known) :]]


def _round_up(size: float) -> float:
    """Returns the first round number that is not smaller, at least 1."""
    digits = 10.0 ** floor(log10(max(size, 1)))
    return next(n * digits for n in (1, 2, 2.5, 5, 10) if n * digits >= size - 1e-9)


def percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0
