"""Charts: a measure of the records that a URL selects, by one or two dimensions, prepared for `_charts.html`.

`read_spec` reads the requested chart, and `draw` turns counts into marks in percent of the chart area.
`scraper.explore.dashboard` queries the database, and has the pages.
"""

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
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
"""As many colors as can be distinguished; bars combine the values after the first seven, and further lines are gray."""
MAX_LINES = 20
"""Lines that have room for a name at their end: a chart of 320 pixels, 15 for each name."""
MAX_CHOICES = 200
"""Values that the form lists to choose from, and rows of a heat map of few columns."""
MAX_ROWS = 20
"""Maximum number of bars; the table of the numbers has all."""
MAX_CELLS = 1_500
"""Cells of a heat map that has more than `MAX_ROWS` rows; 1,000 take 0.2 s (November 2026)."""
OTHER = "all others"
_CUT_OFF = ("…", "...")  # end of a truncated value, which is not a category

Value = str | int | float | None


class Dimension(NamedTuple):
    """What records are counted by. `columns` filter a value's rows; `order`: values have one; a tab precedes a display name."""

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
        if value is None or self.lookup == "own":
            return [equal(self.columns[0], value)]
        parts = str(value).partition("\t")[0].rsplit(", ", len(self.columns) - 1)
        return [(f"{column}__{self.lookup}", part) for column, part in zip(self.columns, parts, strict=False)]

    def name(self, value: Value) -> str:
        if value is None:
            return NOT_KNOWN
        return ("No", "Yes")[bool(value)] if self.columns[0] in TEXTS["answers"] else str(value).rpartition("\t")[2]

    def key(self, value: Value) -> Any:
        """Returns a sort key that orders numbers in texts as numbers: cost ranges, of which "up to" begins at 0, and years."""
        text = re.sub(r"^up to ", "0 ", str(value).replace(",", ""))
        return value is None, [int(digits) for digits in re.findall(r"\d+", text)], text


class Measure(NamedTuple):
    """A figure, which `of` computes from a value of each record (`sql`; `value`: its name, `known`: its column), in `unit`."""

    heading: str
    about: str
    form: str = "{:,.0f}"
    sql: str = "NULL"
    of: Callable[[Counter[Any]], float] = Counter.total
    adds_up: bool = False
    unit: str = ""
    value: str = ""
    known: str = ""


DIMENSIONS = {
    name: Dimension(heading(name), name, (name,), "arraycontains" if name in LIST_COLUMNS else "exact", name in TEXTS["ordered"])
    for name in (*TEXTS["ordered"], *TEXTS["plain"], *TEXTS["answers"])
}
for name, one in TEXTS["derived"].items():
    DIMENSIONS[name] = Dimension(**one | {"sql": one["sql"].format(label=QUERIES["label"])})
_FIGURES: dict[str | None, Callable[[Counter[Any]], float]] = {
    "yes": lambda answers: percent(sum(n for answer, n in answers.items() if answer), answers.total()),
    "mean": lambda numbers: sum(number * n for number, n in numbers.items()) / numbers.total(),
    "median": lambda numbers: float(median(numbers.elements())),
}
MEASURES = {name: Measure(**one | {"of": _FIGURES.get(one.get("of"), Counter.total)}) for name, one in TEXTS["measures"].items()}
CHOICES: dict[str, Mapping[str, Any]] = {"measure": MEASURES, "by": DIMENSIONS, "split": DIMENSIONS, "kind": TEXTS["kinds"]}
OF_ROWS = {name: (Dimension(**one["by"]), Measure(**one["measure"])) for name, one in TEXTS["rows"].items()}
"""How the rows of a question are drawn and what they count, if its answer is not a count of records."""


class Spec(NamedTuple):
    """A chart's definition: keys of MEASURES, DIMENSIONS (`split` may be empty) and kinds (empty: chosen automatically)."""

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

    def words(self, filters: RecordFilters) -> str:
        """Returns the filters, and which values are drawn, in words."""
        return "; ".join(filter(None, [filters.words, self.only.replace("\n", ", ")]))


def read_spec(args: Any) -> Spec:
    """Returns the chart that a URL requests. Raises BadQuery if there is no such chart."""
    found = Spec(**{name: "\n".join(args.getlist(f"_{name}")) or default for name, default in Spec._field_defaults.items()})
    for value, known in zip(found, CHOICES.values(), strict=False):
        if value and value not in known:
            raise BadQuery(f"There is no chart of {value!r}: choose one of {', '.join(filter(None, known))}.")
    return found._replace(split="") if found.split == found.by else found


@dataclass(slots=True)
class Counts:
    """How often each value of the measure occurs in each group of records.

    `groups`: numbers of records by their values of both dimensions and why they have an unknown or unwanted one (empty: none).
    `lacking`: why the records of a year or month are known to be incomplete, by dimension and value.
    """

    cells: dict[tuple[Value, Value], Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    rows: dict[Value, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    groups: Counter[tuple[tuple[Value, ...], tuple[Value, ...], str]] = field(default_factory=Counter)
    lacking: Mapping[tuple[str, Value], str] = field(default_factory=dict)

    def add(self, n: int, across: Sequence[Value], down: Sequence[Value] = (None,), value: Any = None, reason: str = "") -> None:
        """Adds records; those without a value of a dimension have no cell."""
        self.groups[tuple(across), tuple(down), reason] += n
        for x in across:
            self.rows[x][value] += n if down else 0
            for series in down:
                self.cells[x, series][value] += n

    def left_out(self, shown: Sequence[tuple[Dimension | None, Collection[Value]]]) -> tuple[Counter[str], Counter[str]]:
        """Counts the records of which nothing is drawn, and those drawn as not known, by reason. `shown`: values by dimension."""
        by_reason = (Counter[str](), Counter[str]())
        for (*values, reason), n in self.groups.items():
            missed = [one for (one, known), of in zip(shown, values, strict=True) if one and not any(x in known for x in of)]
            if missed or reason:
                of = missed[0].name_in_text if missed and any(values) else ""  # one of the other dimension leaves nothing out
                by_reason[not missed][reason if reason.endswith(of) else f"another {of}"] += n
        return by_reason


class Mark(NamedTuple):
    """A figure for `records` records, which `url` lists (empty: no link)."""

    value: float
    records: int
    url: str


class Row(NamedTuple):
    """A value of the first dimension; `marks` returns one for each series, None if it has no record.

    They are made when needed, because most of thousands of rows are not drawn.
    """

    name: str
    value: float
    records: int
    url: str
    marks: Callable[[], list[Mark | None]]


@dataclass(frozen=True)
class Chart:
    """A chart as drawn: `drawn` of the `rows`. `lacks`: why years or months with a star are not complete, by name.

    `choices`: the values that `spec.only` can choose of, and their records. `others`: values of the second dimension that have no
    series of their own. `left_out`, `unknown`: numbers of records that are not drawn, or drawn as not known, by reason.
    `grays`: places of the `series` that are gray lines.
    """

    spec: Spec
    counts: Counts
    series: list[str]
    grays: range
    rows: list[Row]
    drawn: list[Row]
    lacks: dict[str, str]
    choices: list[tuple[str, int]]
    others: list[str]
    left_out: Counter[str]
    unknown: Counter[str]

    def is_few(self, one: Mark | Row) -> bool:
        """Returns whether the figure is of too few records to be compared, or is a share of so few. Counts always can be."""
        is_part = self.spec.measure == "share" and self.spec.split and isinstance(one, Mark)
        return 100 * one.records < FEW * one.value if is_part else not self.spec.figure.adds_up and one.records < FEW

    @cached_property
    def limits(self) -> list[float]:
        """Returns the upper limit of each shade, round numbers. Those of counts grow squared, because most counts are small."""
        squares = {_round_up(self.ticks[-1] * (n / SHADE_COUNT) ** 2) for n in range(1, SHADE_COUNT + 1)}
        return sorted(squares) if self.spec.figure.adds_up else self.ticks[1:]

    def shade(self, value: float) -> int:
        """Returns the shade of a value, 1 to SHADE_COUNT; 0 for none, unless there are negative values, which have shades too."""
        return ceil(SHADE_COUNT * (bisect_left(self.limits, value) + 1) / len(self.limits)) if value or self.ticks[0] else 0

    @property
    def is_stack(self) -> bool:
        return self.spec.figure.adds_up and self.spec.kind == "bars" and len(self.series) > 1

    @cached_property
    def ticks(self) -> list[float]:
        """Returns round numbers from one end of the scale to the other, including 0 but for shades of what does not add up."""
        is_shaded = not self.spec.figure.adds_up and self.spec.kind in ("heat", "map")  # then only differences matter
        rows = [[one.value for one in row.marks() if one and not (is_shaded and self.is_few(one))] for row in self.drawn]
        rows = [row for row in rows if row] + [[0]] * (not is_shaded) or [[0]]
        top, bottom = max(sum(row) if self.is_stack else max(row) for row in rows), min(map(min, rows))
        step = _round_up((top - bottom) / (SHADE_COUNT if is_shaded else 4))
        first = floor(bottom / step)
        return [step * n for n in range(first, max(ceil(top / step - 1e-9), first + 1) + 1)]

    def at(self, value: float) -> float:
        """Returns the position of a value on the scale, from 0 to 1."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def draw(spec: Spec, counts: Counts, chosen: RecordFilters) -> Chart:
    """Returns the chart. Incomplete values (`counts.lacking`) get a star; the least frequent series are combined into one."""
    by, split, measure = spec.across, spec.down, spec.figure
    chosen_of, sizes = split or by, Counter[Value]()
    for (across, down, _), n in counts.groups.items():
        sizes.update(dict.fromkeys((down if split else across) if across else (), n))
    ranks = dict(sizes) if chosen_of.columns[0] not in TEXTS["answers"] else {one: int(one == 1) for one in sizes}  # Yes is first
    order = sorted(sizes, key=chosen_of.key if chosen_of.order else lambda one: (one is None, -ranks[one], str(one)))
    totals = {chosen_of.name(one): sizes[one] for one in order}
    only = [one for one in spec.only.split("\n") if one in totals]
    order = [one for one in order if not spec.only or split.name(one) in only] if split else [None]
    spec = spec._replace(only="\n".join(only) or spec.only, kind=_choose_kind(spec, len(order)))
    is_span = chosen_of.order and spec.kind in ("heat", "numbers") and not only
    known = [one for one in (_fill_gaps(order) if is_span else order) if one is not None]
    most_rows = max(MAX_ROWS, min(MAX_CHOICES, MAX_CELLS // (len(counts.rows if by.order else known[:MAX_CHOICES]) or 1)))
    kept, others, grays = _choose_series(spec, known, most_rows)
    rest: list[Value] = [OTHER] if others and spec.kind != "lines" else []
    series = ([*rest, *kept] if split and split.order else [*kept, *rest]) + [None] * (None in order)

    firsts = _fill_gaps(sorted(counts.rows, key=by.key)) if by.order else [*counts.rows]
    firsts = [one for one in firsts if (order if split else not spec.only or by.name(one) in only)]
    shown: Any = {spec.by: counts.rows.keys() & set(firsts), spec.split: series}
    stars = {name: [one for key, one in counts.lacking if key == name] for name in (spec.by, spec.split)}
    lacks = {str(value): lack for (key, value), lack in counts.lacking.items() if value in shown.get(key, ())}
    make_row = partial(_Marks(spec, counts, chosen, others).row, series=series)
    rows = dict(zip(firsts, map(make_row, firsts, _name_values(by, firsts, counts.rows, stars[spec.by])), strict=True))
    if not by.order:
        firsts.sort(key=lambda x: (x is None, not measure.adds_up and rows[x].records < FEW, -rows[x].value, rows[x].name))
    limit = None if by.order or spec.kind == "map" else most_rows if spec.kind == "heat" else MAX_ROWS
    drawn = {one: rows[one] for one in [x for x in firsts if x is not None or spec.kind not in ("lines", "map")][:limit]}
    left_out = counts.left_out(((by, drawn), (split, {*series, *(others if rest else [])})))
    choices = list(totals.items())[-MAX_CHOICES if chosen_of.order else 0 :][:MAX_CHOICES]
    hidden = [split.name(one) for one in others if split]
    headings = _name_values(split, series, sizes, stars[spec.split]) if split else [measure.heading]
    return Chart(spec, counts, headings, grays, [rows[x] for x in firsts], [*drawn.values()], lacks, choices, hidden, *left_out)


def _choose_kind(spec: Spec, series: int) -> str:
    """Returns the kind of a chart with so many series: the wanted one, if it fits, or else the best."""
    by, split = spec.across, spec.down
    fits = {"numbers": True, "bars": True, "lines": by.order, "heat": split, "map": spec.by == "place_state" and not split}
    best = "lines" if by.order and split else "heat" if series > MAX_SERIES // 2 else "bars"
    return spec.kind if fits.get(spec.kind) else "map" if fits["map"] else best


class _Marks(NamedTuple):
    """Makes the rows and marks of a chart. `others`: the values of the second dimension that are combined into one series."""

    spec: Spec
    counts: Counts
    chosen: RecordFilters
    others: Sequence[Value]

    def row(self, first: Value, name: str, series: Sequence[Value]) -> Row:
        found, url = self.counts.rows[first], self._url(*self.spec.across.filters(first))
        value = self._figure(found, self.counts.groups.total()) if found else 0.0
        return Row(name, value, found.total(), url, cache(lambda: [self._mark(first, one) for one in series]))

    def _mark(self, first: Value, second: Value) -> Mark | None:
        parts = (self.counts.cells.get((first, one), Counter()) for one in (self.others if second == OTHER else [second]))
        if not (cell := sum(parts, Counter[Any]())):
            return None
        whole = self.counts.rows[first] if (split := self.spec.down) else self.counts.groups
        filters = [*self.spec.across.filters(first), *(split.filters(second) if split else [])]
        url = "" if second == OTHER or not self.chosen.table_url else self._url(*filters)
        return Mark(self._figure(cell, whole.total()), cell.total(), url)

    def _figure(self, cell: Counter[Any], whole: int) -> float:
        return percent(cell.total(), whole) if self.spec.measure == "share" else self.spec.figure.of(cell)

    def _url(self, *filters: tuple[str, object]) -> str:
        known = self.spec.figure.known
        return self.chosen.url(*filters, *[(f"{known}__notnull", 1)] * bool(known))


def _name_values(of: Dimension, values: Sequence[Value], every: Iterable[Value], stars: Collection[Value]) -> list[str]:
    """Returns the names of values, which tell them from others of `every` value, with a star for those in `stars`."""
    same, names = Counter(map(of.name, every)), []
    for one in values:
        key, name = str(one).partition("\t")[0], of.name(one)
        if same[name] > 1:  # agencies, which are told apart by their numbers or, without one, by the number of a record
            end = key.rpartition("-")[2]
            name += f", number {key}" if key.isdigit() else ", without a number" + f" (record {end})" * end.isdigit()
        names.append(name + "*" * (one in stars))
    return names


def _choose_series(spec: Spec, known: Sequence[Value], most_rows: int) -> tuple[Sequence[Value], Sequence[Value], range]:
    """Returns the values of the second dimension with a series, those without one, and the places of the former's gray lines."""
    most = {"numbers": len(known), "lines": MAX_LINES, "heat": most_rows if spec.across.order else MAX_CHOICES}
    limit = most.get(spec.kind, MAX_SERIES - (len(known) > MAX_SERIES))
    drawn = min(len(known), limit)
    gray = max(drawn - MAX_SERIES, 0) if spec.kind == "lines" else 0
    if spec.down and spec.down.order:  # the latest are kept, else the most frequent
        return known[-limit:], known[:-limit], range(gray)
    return known[:limit], known[limit:], range(drawn - gray, drawn)


def draw_rows(urls: Any, name: str, rows: Sequence[Any]) -> Chart:
    """Returns the chart of a question's rows (`OF_ROWS`); its marks lead to the rows of the table, if there is one."""
    counts, one = Counts(), TEXTS["rows"][name]
    for row in rows:
        counts.add(row[one["count"]] if "count" in one else 1, [row[one["column"]]])
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
