"""One export: the format's files, their manifest, and both in their place."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from scraper.errors import TtaError, WrongUsage
from scraper.export import csvfile, datapackage, flat, geojson, jsonl, manifest
from scraper.export.files import MANIFEST, manifest_of, new_file, new_folder
from scraper.export.manifest import Written
from scraper.export.selection import EXPORTED, Selection, Source, known_tables
from scraper.progress import ProgressBar

FOLDERS = ("csv", "parquet", "datapackage")
FILES = ("jsonl", "geojson")
FORMATS = ("csv", "jsonl", "parquet", "geojson", "datapackage")


def export(form: str, db: sqlite3.Connection, destination: Path | None, selection: Selection | None = None) -> dict[str, int]:
    """Writes the database, open for reading, in one of FORMATS; None is standard output.

    Returns the number of rows of each table, or of records; of features for GeoJSON. Raises TtaError.
    """
    asked = selection or Selection()
    _fits(form, destination, asked)
    source = Source(db, _without_flat(asked))
    with ProgressBar() as bar:
        if form in FOLDERS and destination is not None:
            return _Folder(form, source, asked, bar).write(destination)
        if destination is None:
            return _write_stream(form, source, asked, sys.stdout.buffer, bar)
        with new_file(destination) as file:
            counts = _write_stream(form, source, asked, file, bar)
        _write_manifest(form, source, asked, destination, counts)
        return counts


def write_csv(db: sqlite3.Connection, folder: Path) -> dict[str, int]:
    """All tables as CSV."""
    return export("csv", db, folder)


def write_jsonl(db: sqlite3.Connection, destination: Path | None) -> int:
    """All records as JSON Lines; returns their number."""
    return export("jsonl", db, destination)["records"]


def _fits(form: str, destination: Path | None, asked: Selection) -> None:
    """Raises WrongUsage, also for an unknown table."""
    known_tables(_without_flat(asked))
    if form != "csv" and flat.NAME in asked.tables:
        raise WrongUsage(f"{flat.NAME} is a CSV file: ask for it with csv")
    if destination is None and form in ("parquet", "datapackage"):
        raise WrongUsage(f"{form} is a folder of tables: name one in place of -")
    if destination is None and form == "csv" and len(asked.tables) != 1:
        raise WrongUsage("csv is a folder of tables: name one in place of -, or choose one table with --table")
    if form == "geojson" and asked.tables:
        raise WrongUsage("geojson holds records only: leave out --table")
    if form == "jsonl" and asked.tables and "records" not in asked.tables:
        raise WrongUsage("jsonl has a line for each record: ask for records too with --table records")


def _without_flat(asked: Selection) -> Selection:
    """The flat file is made of the records."""
    if flat.NAME not in asked.tables:
        return asked
    tables = tuple(dict.fromkeys("records" if name == flat.NAME else name for name in asked.tables))
    return Selection(asked.where, asked.since, asked.columns, tables, asked.contacts)


def _write_stream(form: str, source: Source, asked: Selection, file: BinaryIO, bar: ProgressBar) -> dict[str, int]:
    if form == "csv":
        (name,) = asked.tables
        table = _without_flat(asked).tables[0]
        write = flat.write if name == flat.NAME else csvfile.write
        return {name: write(source.columns(table), _watched(source, table, bar), file)}
    if form == "geojson":
        lines = bar.watch("records", geojson.lines(source), source.records)
        features = _write_lines(lines, file) - 2  # the first and the last line hold the features together
        return {"features": features, "records without a place": source.records - features}
    return {"records": _write_lines(bar.watch("records", jsonl.lines(source), source.records), file)}


def _write_lines(lines: Iterable[str], file: BinaryIO) -> int:
    count = 0
    for line in lines:
        file.write(line.encode() + b"\n")
        count += 1
    return count


def _watched(source: Source, name: str, bar: ProgressBar) -> Iterable[tuple[Any, ...]]:
    return bar.watch(name, source.rows(name), source.count(name) if bar.shown else None)


def _write_manifest(form: str, source: Source, asked: Selection, destination: Path, counts: dict[str, int]) -> None:
    """Beside a file, once that is in its place."""
    rows = counts.get("records", counts.get("features"))
    file = manifest.written(destination, next(iter(counts.values())) if rows is None else rows)
    with new_file(manifest_of(destination)) as beside:
        state = manifest.state(source.database)
        citation = manifest.citation(state, source.records, [file])
        beside.write(manifest.text(form, state, asked, [file], citation).encode())


class _Folder:
    """The formats that are folders."""

    def __init__(self, form: str, source: Source, asked: Selection, bar: ProgressBar) -> None:
        self._form = form
        self._source = source
        self._asked = asked
        self._bar = bar
        self._written: list[Written] = []

    def write(self, destination: Path) -> dict[str, int]:
        """Writes all files and the manifest; returns the number of rows of each table."""
        with new_folder(destination, self._finish, self._replaced) as folder:
            self._write_tables(folder)
        return {Path(file.name).stem: file.rows for file in self._written if file.rows is not None}

    def _write_tables(self, folder: Path) -> None:
        suffix = "parquet" if self._form == "parquet" else "csv"
        only_flat = flat.NAME in self._asked.tables and "records" not in self._asked.tables
        for name in self._source.tables:
            if not (only_flat and name == "records"):
                self._write_file(folder / f"{name}.{suffix}", name, self._writer(name))
        if self._form == "csv" and (not self._asked.tables or flat.NAME in self._asked.tables):
            self._write_file(folder / f"{flat.NAME}.csv", "records", flat.write)

    def _writer(self, name: str) -> Callable[..., int]:
        if self._form == "parquet":
            try:
                from scraper.export import parquet  # here, because pyarrow takes a while to start, and need not be installed
            except ModuleNotFoundError as error:
                raise TtaError(
                    f"Parquet needs the package {error.name}, which is not installed: run `pip install 'tta[parquet]'`, "
                    "or `make setup` in a clone"
                ) from None

            return lambda *given: parquet.write(name, *given)
        return csvfile.write

    def _write_file(self, path: Path, name: str, write: Callable[..., int]) -> None:
        with path.open("wb") as file:
            count = write(self._source.columns(name), _watched(self._source, name, self._bar), file)
        self._written.append(manifest.written(path, count))

    def _finish(self, folder: Path) -> None:
        """The description of a data package, then the manifest of all; both cite the files with data in them."""
        state = manifest.state(self._source.database)
        citation = manifest.citation(state, self._source.records, self._written)
        if self._form == "datapackage":
            tables = {name: self._source.columns(name) for name in self._source.tables}
            texts = {
                datapackage.NAME: datapackage.describe(tables, list(self._written), state, citation),
                datapackage.README: datapackage.readme(citation),
            }
            for name, content in texts.items():
                (folder / name).write_text(content, encoding="utf-8", newline="\n")
                self._written.append(manifest.written(folder / name, None))
        content = manifest.text(self._form, state, self._asked, self._written, citation)
        (folder / MANIFEST).write_text(content, encoding="utf-8", newline="\n")

    def _replaced(self, folder: Path) -> set[str]:
        """The files of an earlier export in the folder; only names that an export can have."""
        ours = {f"{name}.{suffix}" for name in (*EXPORTED, flat.NAME) for suffix in ("csv", "parquet")} | {datapackage.NAME}
        return ours.intersection(manifest.names(folder))
