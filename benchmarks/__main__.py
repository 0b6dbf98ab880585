"""Measures what the program costs and writes docs/performance.md: `make bench`, or `python -m benchmarks --help`.

Everything that is compared is measured in one run, and told as a ratio: ratios carry over to other machines, times do not.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks import browsing
from benchmarks.corpus import BLOCK, make
from benchmarks.loading import WAYS, html_pages
from benchmarks.measure import Measured, machine, measured
from benchmarks.multiply import multiply

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
USUAL_PAGES = 300
PARSED_PAGES = 400


class Sizes(NamedTuple):
    """How much is measured on: captures of the load, captures of each memory measurement, records of each database browsed.

    A part is handed all of them, but for the databases: `datasette` browses one at a time. `pages`: a folder of WARC files with
    other pages to parse, such as real Drupal's.
    """

    captures: int
    memory: tuple[int, ...]
    records: tuple[int, ...]
    repeat: int
    pages: Path | None = None


class Row(NamedTuple):
    """A line of a table: what was measured, its figure, and what it is held against."""

    what: str
    figure: str
    ratio: str = ""


Part = Callable[[Path, Sizes], Iterator[Row]]


def _rate(count: int, one: Measured) -> str:
    return f"{count / one.wall:,.0f} captures/s; {1e6 * one.cpu / count:,.0f} µs of processor each"


def loading(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Loading, against the floor"""
    folder = str(make(sizes.captures, data / f"corpus-{sizes.captures}"))
    workers = len(os.sched_getaffinity(0))
    least = measured("benchmarks.loading:floor", folder, repeat=sizes.repeat)
    one = measured("benchmarks.loading:full_load", folder, 1, repeat=sizes.repeat)
    every = measured("benchmarks.loading:full_load", folder, workers, repeat=sizes.repeat)
    rebuilt = measured("benchmarks.loading:rebuild", folder, repeat=sizes.repeat)
    again = measured("benchmarks.loading:load_again", folder, repeat=sizes.repeat)
    yield Row("floor: FastWARC and the bare HTML parser, one process", _rate(sizes.captures, least), "1")
    for name, load in (("`tta load --workers 1`", one), (f"`tta load --workers {workers}`", every)):
        wall, cpu = least.wall / load.wall, least.cpu / load.cpu
        yield Row(name, _rate(sizes.captures, load), f"{wall:.2f} of the floor's speed ({cpu:.2f} by processor time)")
    writer = every.own_cpu / sizes.captures
    yield Row(
        "of it in the one process that writes",
        f"{1e6 * writer:,.0f} µs of processor each",
        f"at most {1 / writer:,.0f} captures/s",
    )
    yield Row(
        "`tta load` of pages that are parsed already",
        _rate(sizes.captures, rebuilt),
        f"{rebuilt.wall / one.wall:.2f} of a full load by one",
    )
    yield Row("`tta load` with nothing new", f"{again.wall:.2f} s", f"{again.wall / one.wall:.2%} of a full load by one")


def parsing(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Parsing alone, against the bare parser it stands on, and the usual ways to read the same pages"""
    folder = str(make(sizes.captures, data / f"corpus-{sizes.captures}"))
    spent = measured("benchmarks.loading:parser_alone", folder, PARSED_PAGES).result
    of = {"made-up pages": spent["all"]} | {f"made-up pages, {WAYS[way]}": spent[way] for way in WAYS}
    for path in sorted(sizes.pages.glob("*.warc.gz")) if sizes.pages else ():
        of[f"real Drupal: {path.name.removesuffix('.warc.gz')}"] = measured("benchmarks.loading:parser_on", str(path)).result
    for name, one in of.items():
        if one["pages"]:
            figure = f"{1e6 * one['parse_page']:,.0f} µs a page, {one['pages']} pages"
            bare, parsel, soup = (one["parse_page"] / one[reader] for reader in ("bare", "parsel", "soup"))
            yield Row(name, figure, f"{bare:.1f} bare parses; {parsel:.2f} of parsel's time, {soup:.2f} of BeautifulSoup's")


def usual(data: Path, sizes: Sizes) -> Iterator[Row]:
    """The same job as one would usually write it (a part of what `tta` does: one theme, no history, no sources)"""
    folder = str(make(sizes.captures, data / f"corpus-{sizes.captures}"))
    load = measured("benchmarks.loading:full_load", folder, 1, repeat=sizes.repeat)
    each = load.cpu / sizes.captures
    yield Row("`tta load --workers 1`", f"{1e6 * each:,.0f} µs of processor a capture", "1")
    for name, work in (
        ("BeautifulSoup, an insert per record", "usual_way"),
        ("parsel, an insert per record", "usual_way_with_parsel"),
    ):
        one = measured(f"benchmarks.loading:{work}", folder, USUAL_PAGES)
        yield Row(
            name, f"{1e6 * one.cpu / one.result:,.0f} µs of processor a page", f"{one.cpu / one.result / each:.1f} times as long"
        )


def memory(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Peak memory of a full load by two workers, against the number of captures"""
    first: Measured | None = None
    for captures in sizes.memory:
        folder = str(make(captures, data / f"corpus-{captures}"))
        load = measured("benchmarks.loading:full_load", folder, 2)
        first = first or load
        figure = f"{load.own_mib:.0f} MiB, and {load.others_mib:.0f} MiB in the largest worker"
        yield Row(f"{captures:,} captures", figure, f"{load.own_mib / first.own_mib:.2f} of the smallest")


def datasette(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Datasette's pages and questions, over HTTP, the first request of each"""
    (records,) = sizes.records
    folder = data / f"records-{records}"
    if not (folder / "tta.db").exists():
        multiply(records, folder, tell=lambda what: print(f"  making {records:,} records: {what}", flush=True))
    dearest = sorted(browsing.pages(folder).items(), key=lambda one: -one[1].worked)
    whole = [one for _, one in dearest if not one.missing]
    quick = sum(one.took <= 1 for one in whole)
    yield Row(f"{len(dearest)} pages", f"{quick} whole and within a second, {len(whole)} whole", "")
    for name, one in dearest:
        figure = f"{1000 * one.took:,.0f} ms; {1000 * one.worked:,.0f} ms of processor"
        lacks = f"cut off: {one.missing} missing" if one.missing else ""
        yield Row(name, figure, lacks or ("over 1 s" if one.took > 1 else ""))


def exports(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Exports, against every table through Python's sqlite3 and csv"""
    folder = str(make(sizes.captures, data / f"corpus-{sizes.captures}"))
    measured("benchmarks.loading:full_load", folder, 2)
    with tempfile.TemporaryDirectory() as out:
        plain = measured("benchmarks.loading:export_with_sqlite3", folder, f"{out}/plain", repeat=sizes.repeat)
        yield Row("sqlite3 and csv: no check, no manifest", f"{plain.cpu:.2f} s of processor", "1")
        for form in ("csv", "jsonl", "parquet", "geojson", "datapackage"):
            one = measured("benchmarks.loading:export_with_tta", folder, form, f"{out}/{form}")
            yield Row(f"`tta export {form}`", f"{one.cpu:.2f} s of processor", f"{one.cpu / plain.cpu:.1f}")


def size(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Room on the disk, and what other ways to compress a WARC record would take"""
    folder = make(sizes.captures, data / f"corpus-{sizes.captures}")
    records = measured("benchmarks.loading:full_load", str(folder), 2).result
    archived = sum(path.stat().st_size for path in folder.glob("archive/*.warc.gz"))
    yield Row("archive", f"{archived / sizes.captures:,.0f} bytes a capture")
    for name, what in (
        ("tta.db", "database"),
        ("parsed.db", "parsed pages, which can be deleted"),
        ("similar.db", "families of texts"),
    ):
        if (folder / name).exists():
            yield Row(what, f"{(folder / name).stat().st_size / records:,.0f} bytes a record")
    pages = sizes.pages or folder / "archive"
    ways = measured("benchmarks.loading:packed_by", str(pages), PARSED_PAGES).result
    for name, (each, write, read) in ways.items():
        figure = f"{each:,.0f} bytes a record; {1e6 * write:,.0f} µs to write, {1e6 * read:,.0f} to read"
        yield Row(f"compression: {name}", figure, f"{each / ways['gzip 9'][0]:.2f}")


def commands(data: Path, sizes: Sizes) -> Iterator[Row]:
    """Whole commands, as users run them"""
    page = make(BLOCK, data / f"corpus-{BLOCK}") / "page.html"
    page.write_bytes(html_pages(str(page.parent), 1)[0].content)
    yield Row("`tta --help`", *_command(["--help"]))
    yield Row("`tta parse FILE`", *_command(["parse", str(page)]))
    for captures in sorted({1_000, sizes.captures, *sizes.memory}):
        folder = make(captures, data / f"corpus-{captures}")
        measured("benchmarks.loading:full_load", str(folder), 2)
        for line in (["status"], ["why", measured("benchmarks.loading:a_record", str(folder)).result], ["load"], ["doctor"]):
            yield Row(f"`tta {line[0]}`, {captures:,} captures", *_command(["--data", str(folder), *line]))


def _command(arguments: list[str]) -> tuple[str, str]:
    """Seconds on the wall and of processor of the quickest of five runs, and nothing."""
    runs = []
    for _ in range(5):
        began, before = time.perf_counter(), os.times()
        subprocess.run([Path(sys.executable).with_name("tta"), *arguments], stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        runs.append((time.perf_counter() - began, cpu))
    wall, cpu = min(runs)
    return f"{wall:.2f} s; {cpu:.2f} s of processor", ""


PARTS: dict[str, Part] = {part.__name__: part for part in (loading, parsing, usual, memory, size, commands, datasette, exports)}


HEAD = """\
# What it costs

Written by `make bench`, each part below by itself. What is compared was measured in one run; ratios carry over to other
machines, times do not. Below each heading stands how much was measured and how busy the machine was: where other programs were
running, go by processor time.

The captures are made up (`benchmarks/corpus.py`). Of a hundred, 72 show a record for the first time, 12 a record that has changed
since and 8 one that has not, 4 are revisits, one is an extracted text, and 3 show a log-in, a missing page and a blog post. A
record page has a portal's menus and scripts around it, 39 KB in all, and some 43 fields. Of ten record pages seven are of the
Bootstrap 3 theme, which is the form seen most often, one each of Classy, Starterkit and USWDS. The fields of USWDS have no
classes to know them by. One page in ten has pagegen's own furniture inside its content, one in five comments and an
empty author picture, one in five groups of fields or a layout builder's wrappers.
The parser keeps some thousand fields by their source; there are 3,000 different pages, so that what is
a record's own is new to it each time, and only what records share (a status, a provider, an empty field) comes again.
Pages called real Drupal were rendered by Drupal 10 and 11 in five themes, and `non-stark` are 28 pages of other kinds (lists,
terms, teasers). "Parsing alone" reads the same pages three times, so the fields that it keeps are known; a load reads each page
once, and also looks for families of texts after its commit.
"""


def _write(title: str, about: str, rows: list[Row]) -> None:
    """Puts a part into the document, in place of an older one; the other parts stay."""
    table = ["| what | figure | ratio |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows)]
    parts = _parts(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else {}
    parts[title] = "\n".join([about, "", *table])
    known = [_title(name) for name in PARTS]
    of_part = [sorted((one for one in parts if one.startswith(part)), key=lambda one: (len(one), one)) for part in known]
    sections = [f"\n## {name}\n\n{parts[name]}\n" for names in of_part for name in names]
    DOCUMENT.write_text(HEAD + "".join(sections), encoding="utf-8")


def _title(name: str) -> str:
    return (PARTS[name].__doc__ or "").strip()


def _parts(document: str) -> dict[str, str]:
    found = (section.partition("\n") for section in document.split("\n## ")[1:])
    return {title.strip(): text.strip() for title, _, text in found}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    arguments.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; everything by default")
    arguments.add_argument("--captures", type=int, default=10_000)
    arguments.add_argument("--memory", type=int, nargs="+", default=[10_000, 30_000], metavar="CAPTURES")
    arguments.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000], metavar="RECORDS")
    arguments.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="WARC files with other pages to parse, such as real Drupal's"
    )
    arguments.add_argument("--repeat", type=int, default=2, help="of several runs the quickest counts")
    arguments.add_argument("--folder", type=Path, default=Path("data/bench"), help="where made-up data is kept for the next run")
    given = arguments.parse_args()
    sizes = Sizes(given.captures, tuple(given.memory), tuple(given.records), given.repeat, given.pages)
    for name, title, measured_on in _jobs(given.parts or PARTS, sizes):
        print(f"\n{title}")
        load = os.getloadavg()[0]
        rows = []
        for row in PARTS[name](given.folder, measured_on):
            print(f"  {row.what:55s} {row.figure:55s} {row.ratio}", flush=True)
            rows.append(row)
        busy = f"{load:.0f} other processes were running" if load >= 0.5 else "the machine was idle"
        _write(title, f"{datetime.now(UTC):%Y-%m-%d}; {_size(name, measured_on)}; {busy}; {machine()}.", rows)


def _jobs(names: Iterable[str], sizes: Sizes) -> Iterator[tuple[str, str, Sizes]]:
    """What to measure, under which title, on how much. Each size of database has a part of its own, which stays without it."""
    for name in names:
        if name == "datasette":
            for records in sizes.records:
                yield name, f"{_title(name)}, on {records:,} records", sizes._replace(records=(records,))
        else:
            yield name, _title(name), sizes


def _size(name: str, sizes: Sizes) -> str:
    if name == "datasette":
        return f"{sizes.records[0]:,} records"
    return "captures as named" if name == "memory" else f"{sizes.captures:,} captures"


if __name__ == "__main__":
    main()
