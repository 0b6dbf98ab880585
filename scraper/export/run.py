"""Runs one export: writes the format's files and their manifest, then moves both to the destination."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from parsers.record import columns_of
from scraper.errors import TtaError, WrongUsage
from scraper.export import csvfile, datapackage, jsonfiles, manifest, wacz
from scraper.export.selection import Selection, Source
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS, values_of
from scraper.terminal import ProgressBar

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
"""The tables that each format can contain."""
FOLDERS = {"csv": "csv", "parquet": "parquet", "datapackage": "csv", "site": ""}
"""The formats that are folders, and the suffix of their files, one per table."""
FORMATS = tuple(TABLES_OF)
_TOO_LONG = ("fields", "sections", "captures")
"""Tables that a site offers neither as CSV nor as a sheet: its Parquet files and database have them, in a tenth of the space."""


def export(form: str, db: sqlite3.Connection, destination: Path | None, selection: Selection | None = None) -> dict[str, int]:
    """Writes the database, open for reading, in one of FORMATS; None is standard output.

    Returns the number of rows of each table, or of records; of features for GeoJSON. Raises TtaError.
    """
    asked = selection or Selection()
    if destination is None and form in FOLDERS and (form, len(asked.tables)) != ("csv", 1):
        raise WrongUsage(f"{form} is a folder: name one instead of -, or use csv with one --table")
    if form == "jsonl" and asked.tables and "records" not in asked.tables:
        raise WrongUsage("jsonl has a line for each record: add --table records")
    if form == "site" and asked != Selection(contacts=asked.contacts):
        raise WrongUsage("a site shows all records: omit --where, --since, --columns and --table")
    if form == "wacz" and asked != Selection(asked.where, asked.since):
        raise WrongUsage("a WACZ contains whole captures: omit --columns, --table and --without-contacts")
    with ProgressBar() as bar:
        one = _Export(form, Source(db, asked, TABLES_OF[form]), bar)
        if destination is None:
            one.write_file(sys.stdout.buffer)
        else:
            with manifest.write_export(destination, one.describe, is_folder=form in FOLDERS) as path:
                if form in FOLDERS:
                    one.write_folder(path)
                else:
                    with path.open("wb") as file:
                        one.write_file(file)
        return one.counts


class _Export:
    """Writes the rows of a source in one format; `counts` are the rows of each table."""

    def __init__(self, form: str, source: Source, bar: ProgressBar) -> None:
        self.counts: dict[str, int] = {}
        self._form = form
        self._source = source
        self._bar = bar
        self._written: dict[str, int | None] = {}

    def write_file(self, file: BinaryIO) -> None:
        """Writes a format that is one file, or the only table of a folder format."""
        source = self._source
        if self._form == "xlsx":
            self._write_workbook(file)
        elif self._form == "wacz":
            created = manifest.describe_database(source.database)["last_captured_at"] or "1970-01-01T00:00:00Z"
            captures = self._bar.watch("captures", source.captures(), None)
            self.counts = wacz.write(source.folders.archive, captures, created, file)
        elif self._form in ("jsonl", "geojson"):
            lines = (jsonfiles.geojson if self._form == "geojson" else jsonfiles.json_lines)(source)
            count = 0
            for line in self._bar.watch("records", lines, source.records):
                file.write(line.encode() + b"\n")
                count += 1
            self.counts = {"records": count}
            if self._form == "geojson":  # its first and last line enclose the features
                self.counts = {"features": count - 2, "records without a place": source.records - (count - 2)}
        else:
            self._write_table(source.tables[0], file)

    def write_folder(self, folder: Path) -> None:
        """Writes a format that is a folder."""
        if self._form == "site":
            self._write_site(folder)
            return
        for name in self._source.tables:
            file_name = f"{name}.{FOLDERS[self._form]}"
            with (folder / file_name).open("wb") as file:
                self._write_table(name, file)
            self._written[file_name] = self.counts[name]

    def describe(self, path: Path) -> str:
        """Adds the texts that describe a folder's files (and cite those with data), and returns the manifest of all."""
        source, folder = self._source, path if path.is_dir() else path.parent
        rows = self._written or {path.name: next(iter(self.counts.values()))}
        found = [manifest.describe_file(folder, name, count) for name, count in rows.items()]
        data = [file for file in found if self._form != "site" or file.name.startswith("download/")]
        state = manifest.describe_database(source.database)
        citation = manifest.citation(state, source.records, data)
        texts = {manifest.CITATION: manifest.citation_file(state, data, citation)} if path.is_dir() else {}
        if self._form == "datapackage":
            texts |= datapackage.describe({name: source.columns[name] for name in source.tables}, data, state, citation)
        for name, content in texts.items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
            found.append(manifest.describe_file(folder, name))
        whole: dict[str, Any] = {"format": self._form, "program": manifest.PROGRAM, "citation": citation, "database": state}
        whole |= {"selection": asdict(source.selection), "files": [file._asdict() for file in found]}
        return json.dumps(whole | {"fingerprint": manifest.fingerprint(found)}, ensure_ascii=False, indent=2) + "\n"

    def _write_site(self, folder: Path) -> None:
        """Writes the pages, the downloads and the files for searching."""
        from scraper.export.site import save_site  # imported here, because Datasette takes a while to load

        db, contacts = self._source.database, self._source.selection.contacts
        some = tuple(name for name in self._source.tables if name not in _TOO_LONG)
        export("csv", db, folder / "download/csv", Selection(tables=some, contacts=contacts))
        sheets = tuple(name for name in some if name != FLAT)
        export("xlsx", db, folder / "download/tta.xlsx", Selection(tables=sheets, contacts=contacts))
        if find_spec("pyarrow"):
            export("parquet", db, folder / "download/parquet", self._source.selection)
        state = manifest.describe_database(db)
        times = {"first": state["first_captured_at"], "last": state["last_captured_at"]}
        save_site(self._source.folders.database, folder, contacts, times)
        paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        self._written = dict.fromkeys(paths)
        self.counts = {"pages": sum(path.endswith(".html") for path in paths)}

    def _write_table(self, name: str, file: BinaryIO) -> None:
        columns, rows, suffix = self._source.columns[name], self._rows(name), FOLDERS.get(self._form)
        if suffix == "csv":
            self.counts[name] = (csvfile.write_flat if name == FLAT else csvfile.write)(columns, rows, file)
            return
        if suffix != "parquet":
            raise NotImplementedError(f"nothing writes {self._form}: add a branch here, or to write_file if it is one file")
        try:
            from scraper.export import parquet  # imported here, because pyarrow takes a while to load, and need not be installed
        except ModuleNotFoundError as error:
            raise TtaError(f"Parquet needs {error.name}: run `pip install '.[parquet]'` in a clone of this program") from None
        self.counts[name] = parquet.write(name, columns, rows, file)

    def _write_workbook(self, file: BinaryIO) -> None:
        from scraper.export.xlsx import SheetColumn, Workbook

        cut = 0
        with closing(Workbook(file)) as book:
            for name in self._source.tables:
                infos = columns_of(BY_NAME[name].model)
                columns = [SheetColumn(infos[column].heading, values_of(infos[column])) for column in self._source.columns[name]]
                found = book.add(name, columns, self._rows(name))
                self.counts[name] = found.rows
                cut += found.cut
        self.counts |= {"texts truncated to the maximum length of a cell": cut} if cut else {}

    def _rows(self, name: str) -> Iterator[tuple[Any, ...]]:
        return self._bar.watch(name, self._source.rows(name), self._source.records if name in ("records", FLAT) else None)
