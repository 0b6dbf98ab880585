"""One export: the format's files, their manifest, and both in their place."""

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from parsers.record import columns_of
from scraper.errors import TtaError, WrongUsage
from scraper.export import csvfile, datapackage, flat, geojson, jsonl, manifest, wacz
from scraper.export.columns import values_of
from scraper.export.files import new_file, new_folder
from scraper.export.manifest import Written
from scraper.export.selection import Selection, Source
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS
from scraper.folders import Folders
from scraper.progress import ProgressBar

_NOT_FLAT = tuple(name for name in EXPORTED if name != FLAT)
TABLES_OF = {
    "csv": EXPORTED,
    "xlsx": _NOT_FLAT,
    "jsonl": tuple(name for name in _NOT_FLAT if name not in LONG_VIEWS and name != CODEBOOK),
    "parquet": _NOT_FLAT,
    "geojson": ("records",),
    "datapackage": EXPORTED,
    "wacz": ("captures",),
    "site": EXPORTED,
}
"""The tables that each format can hold."""
FOLDERS = ("csv", "parquet", "datapackage", "site")
FORMATS = tuple(TABLES_OF)
_TOO_LONG = ("fields", "sections", "captures")
"""Tables of which a site offers no CSV and no sheet: they are in its Parquet files and its database, in a tenth of the space."""


def export(form: str, db: sqlite3.Connection, destination: Path | None, selection: Selection | None = None) -> dict[str, int]:
    """Writes the database, open for reading, in one of FORMATS; None is standard output.

    Returns the number of rows of each table, or of records; of features for GeoJSON. Raises TtaError.
    """
    asked = selection or Selection()
    if destination is None and form in FOLDERS and (form, len(asked.tables)) != ("csv", 1):
        raise WrongUsage(f"{form} is a folder: name one in place of -, or choose csv with one --table")
    if form == "jsonl" and asked.tables and "records" not in asked.tables:
        raise WrongUsage("jsonl has a line for each record: ask for records too with --table records")
    if form == "site" and asked != Selection(contacts=asked.contacts):
        raise WrongUsage("a site shows all records: leave out --where, --since, --columns and --table")
    if form == "wacz" and asked != Selection(asked.where, asked.since):
        raise WrongUsage("a WACZ holds the captures as they are: leave out --columns, --table and what leaves out contacts")
    if form == "site":
        return _export_site(db, destination, asked)
    with ProgressBar() as bar:
        one = _Export(form, Source(db, asked, TABLES_OF[form]), bar)
        if destination is None:
            return one.write(sys.stdout.buffer)
        if form not in FOLDERS:
            with new_file(destination, one.describe_file) as file:
                one.counts = one.write(file)
        else:
            with new_folder(destination, one.describe_folder) as folder:
                one.write_tables(folder)
        return one.counts


def _export_site(db: sqlite3.Connection, destination: Path | None, asked: Selection) -> dict[str, int]:
    """The pages, the files to download and the files for searching."""
    from scraper.export.site import save_site  # here, because Datasette takes a while to start

    assert destination is not None
    source = Source(db, asked)
    state = manifest.state(db)

    def describe(folder: Path) -> str:
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        files = [manifest.written(folder, name) for name in names]
        data = [file for file in files if file.name.startswith("download/")]
        citation = manifest.citation(state, source.records, data)
        (folder / manifest.CITATION).write_text(manifest.citation_file(state, data, citation), encoding="utf-8", newline="\n")
        files.append(manifest.written(folder, manifest.CITATION))
        return manifest.text("site", asked, files, state, citation)

    with new_folder(destination, describe) as folder:
        some = tuple(name for name in source.tables if name not in _TOO_LONG)
        export("csv", db, folder / "download" / "csv", Selection(tables=some, contacts=asked.contacts))
        sheets = tuple(name for name in some if name != FLAT)
        export("xlsx", db, folder / "download" / "tta.xlsx", Selection(tables=sheets, contacts=asked.contacts))
        if find_spec("pyarrow"):
            export("parquet", db, folder / "download" / "parquet", asked)
        times = {"first": state["first_captured_at"], "last": state["last_captured_at"]}
        save_site(_folders(db).database, folder, asked.contacts, times)
        return {"pages": sum(1 for _ in folder.rglob("*.html"))}


def _folders(db: sqlite3.Connection) -> Folders:
    """The data folder that the database is in."""
    return Folders(Path(db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]).parent)


class _Export:
    """Writes the rows of a source in one format; `counts` are the rows of each table."""

    def __init__(self, form: str, source: Source, bar: ProgressBar) -> None:
        self.counts: dict[str, int] = {}
        self._form = form
        self._source = source
        self._bar = bar

    def write(self, file: BinaryIO) -> dict[str, int]:
        """Writes a format that is one file, or the only table of one that is a folder; returns the counts."""
        source = self._source
        if self._form == "xlsx":
            return self._write_workbook(file)
        if self._form == "wacz":
            created = manifest.state(source.database)["last_captured_at"] or "1970-01-01T00:00:00Z"
            captures = self._bar.watch("captures", source.captures(), None)
            return wacz.write(_folders(source.database).archive, captures, created, file)
        if self._form == "geojson":
            features = self._write_lines(geojson.lines(source), file) - 2  # the first and last line hold them together
            return {"features": features, "records without a place": source.records - features}
        if self._form == "jsonl":
            return {"records": self._write_lines(jsonl.lines(source), file)}
        (name,) = source.tables
        return {name: self._write_table(name, file)}

    def write_tables(self, folder: Path) -> None:
        """Writes a format that is a folder with a file per table."""
        for name in self._source.tables:
            with (folder / self._file_name(name)).open("wb") as file:
                self.counts[name] = self._write_table(name, file)

    def describe_file(self, path: Path) -> str:
        """The manifest of a format that is one file."""
        files = [manifest.written(path.parent, path.name, next(iter(self.counts.values())))]
        return manifest.text(self._form, self._source.selection, files, *self._state(files))

    def describe_folder(self, folder: Path) -> str:
        """Adds the texts that describe a folder's tables, and returns the manifest of all; they cite the files with data."""
        files = [manifest.written(folder, self._file_name(name), self.counts[name]) for name in self._source.tables]
        state, citation = self._state(files)
        texts = {manifest.CITATION: manifest.citation_file(state, files, citation)}
        if self._form == "datapackage":
            tables = {name: self._source.columns(name) for name in self._source.tables}
            texts[datapackage.NAME] = datapackage.describe(tables, files, state, citation)
            texts[datapackage.README] = datapackage.readme(citation)
        for name, content in texts.items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
            files.append(manifest.written(folder, name))
        return manifest.text(self._form, self._source.selection, files, state, citation)

    def _state(self, files: list[Written]) -> tuple[dict[str, Any], str]:
        state = manifest.state(self._source.database)
        return state, manifest.citation(state, self._source.records, files)

    def _rows(self, name: str) -> Iterable[tuple[Any, ...]]:
        return self._bar.watch(name, self._source.rows(name), self._source.records if name in ("records", FLAT) else None)

    def _file_name(self, name: str) -> str:
        return f"{name}.{'parquet' if self._form == 'parquet' else 'csv'}"

    def _write_table(self, name: str, file: BinaryIO) -> int:
        columns, rows = self._source.columns(name), self._rows(name)
        if self._form != "parquet":
            return flat.write(columns, rows, file) if name == FLAT else csvfile.write(columns, rows, file)
        try:
            from scraper.export import parquet  # here, because pyarrow takes a while to start, and need not be installed
        except ModuleNotFoundError as error:
            raise TtaError(
                f"Parquet needs the package {error.name}, which is not installed: run `pip install 'tta[parquet]'`, "
                "or `make setup` in a clone"
            ) from None
        return parquet.write(name, columns, rows, file)

    def _write_workbook(self, file: BinaryIO) -> dict[str, int]:
        from scraper.export.xlsx import SheetColumn, Workbook

        counts, cut = {}, 0
        with Workbook(file) as book:
            for name in self._source.tables:
                infos = columns_of(BY_NAME[name].model)
                columns = [SheetColumn(infos[column].heading, values_of(infos[column])) for column in self._source.columns(name)]
                found = book.add(name, columns, self._rows(name))
                counts[name] = found.rows
                cut += found.cut
        return counts | ({"texts cut, because a cell can hold no more": cut} if cut else {})

    def _write_lines(self, lines: Iterator[str], file: BinaryIO) -> int:
        count = 0
        for line in self._bar.watch("records", lines, self._source.records):
            file.write(line.encode() + b"\n")
            count += 1
        return count
