"""`tta mcp`: tools for an AI assistant on this machine, by the Model Context Protocol on standard input and output.

They read a copy of the database without contact details, because an assistant passes on what it reads.
"""

import json
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import click

from scraper.database.about import CAVEAT, TITLE
from scraper.database.connection import reading
from scraper.database.contacts import cleared_copy
from scraper.errors import TtaError
from scraper.export.manifest import describe_database
from scraper.folders import Folders
from scraper.provenance import Why, find_record
from scraper.search_query import match
from scraper.sqlite import dicts

_SQL: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class Tools(NamedTuple):
    """The tools. Each answer has the captures that it is from, and the caveats to repeat with it."""

    database: Path
    archive: Path

    @contextmanager
    def _open_database(self) -> Iterator[sqlite3.Connection]:
        from mcp.server.mcpserver.exceptions import ToolError

        try:
            with reading(self.database) as db:
                yield db
        except TtaError as error:  # the text of no other exception reaches the assistant
            raise ToolError(str(error)) from None

    def find(self, words: str) -> dict[str, Any]:
        """Finds records that contain all the words: the 20 most relevant. AND, OR, NOT, "a phrase" and prefix* work."""
        with self._open_database() as db:
            found = dicts(db, _SQL["find"], match(words))
            return _answer(db, [one["record_id"] for one in found], records=found)

    def record(self, record: str) -> dict[str, Any]:
        """All known values of a record, by node number, reference or record_id, and how they changed between captures."""
        with self._open_database() as db:
            (row,) = dicts(db, _SQL["record"], found := find_record(db, record))
            changes = dicts(db, _SQL["changes"], found)
            return _answer(db, [found], values={name: value for name, value in row.items() if value is not None}, changes=changes)

    def why(self, record: str, field: str) -> dict[str, Any]:
        """Where a field of a record comes from: the captures, the place in the page, and the columns that it is derived from."""
        with self._open_database() as db:
            found = find_record(db, record)
            reason = asdict(Why(db, self.archive, found).field(field))
            for origin in reason["origins"]:  # the archive's pages name people; only the copy's values are without them
                origin["places"] = [{"place": one["place"], "problem": one["problem"]} for one in origin["places"]]
            return _answer(db, [found], reason=reason)

    def coverage(self) -> dict[str, Any]:
        """How much of the portal the data covers: records, captures, from when to when, and completeness by fiscal year."""
        with self._open_database() as db:
            return _answer(db, [], **describe_database(db))


def _answer(db: sqlite3.Connection, about: list[str], **more: Any) -> dict[str, Any]:
    return {**more, "sources": dicts(db, _SQL["sources"], json.dumps(about)), "caveats": CAVEAT}


@click.command("mcp")
@click.pass_obj
def command(folders: Folders) -> None:
    """Serve tools to an AI assistant: find, record, why, coverage.

    The assistant starts this command and talks to it on standard input and output (Model Context Protocol). It gets no contact
    details. Needs the package mcp: run pip install '.[ai]' in a clone of this program.
    """
    try:
        from mcp.server.mcpserver import MCPServer  # importing it takes a second
    except ModuleNotFoundError:
        raise TtaError("the package mcp is not installed: run `pip install '.[ai]'` in a clone of this program") from None
    with cleared_copy(folders.database, False) as copy:
        tools = Tools(copy.path, folders.archive)
        rules = f"{TITLE}. {CAVEAT} Name the capture that a value is from, and repeat the caveats."
        server = MCPServer("tta", instructions=rules)
        for tool in (tools.find, tools.record, tools.why, tools.coverage):
            server.tool()(tool)
        server.run()
