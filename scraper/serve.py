"""Runs Datasette on `tta.db`: its settings, and the loopback server around it. `scraper.explore` has the pages."""

import asyncio
import errno
import logging
import signal
import socket
import sqlite3
import sys
import tomllib
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette

from scraper.config import Serve
from scraper.database.connection import reading
from scraper.database.contacts import Copy, cleared_copy, describe_left_out
from scraper.errors import TtaError
from scraper.explore.lines import options
from scraper.explore.links import DATABASE
from scraper.explore.middleware import GuardedDatabase
from scraper.stopping import handled
from scraper.web.addresses import LOOPBACK

ADDRESS = (LOOPBACK, 8001)
GRACEFUL_SECONDS = 4
"""Seconds to finish responses after SIGTERM; systemd and Docker kill a service after ten seconds or more."""
RENEW_SECONDS = 30.0
"""Seconds between two checks for changes of a copy without contact details; a server on the database itself needs none."""
SETTINGS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def application(database: Path, settings: Serve | None = None, plugins_dir: Path | None = None) -> Datasette:
    """Returns Datasette on an existing database: read-only, but not immutable, so that a refresh is visible without a restart.

    `plugins_dir`: folder with Datasette plugins as Python files. What the settings leave out must already be removed from the
    database (`scraper.database.contacts`).
    """
    chosen = settings or Serve()
    limit = round(1000 * chosen.query_seconds)
    limits = {"base_url": chosen.base_url, "sql_time_limit_ms": limit, "facet_time_limit_ms": limit}
    texts = options(chosen.base_url, {**(chosen.plugins or {}), "tta": {**asdict(chosen), "plugins": None}}, sql=chosen.sql)
    datasette = Datasette([str(database.resolve())], settings=SETTINGS | limits, plugins_dir=plugins_dir, **texts)
    datasette.remove_database(DATABASE)
    datasette.add_database(GuardedDatabase(datasette, str(database.resolve())), name=DATABASE)
    return datasette


def serve(database: Path, address: tuple[str, int], settings: Serve | None = None, plugins_dir: Path | None = None) -> None:
    """Serves until Ctrl-C or SIGTERM. `address`: host and port, 0 for any free one. Raises TtaError without database or port."""
    chosen = settings or Serve()
    with reading(database):
        pass
    try:  # checked before anything starts
        listener = socket.create_server(address)
    except OSError as error:
        reason = "it is in use: end what uses it" if error.errno == errno.EADDRINUSE else error.strerror
        raise TtaError(f"can't listen on {address[0]}, port {address[1]}: {reason}, or name another with --port") from None
    with listener, ExitStack() as stack:
        made = None if chosen.contacts is True else stack.enter_context(cleared_copy(database, chosen.contacts))
        if made:
            print(f"left out: {describe_left_out(made.left_out)}", file=sys.stderr)  # noqa: T201
        datasette = application(made.path if made else database, chosen, plugins_dir)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        _Server(datasette, made).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Prints its address once it answers, keeps the copy up to date, and ends normally on Ctrl-C, which uvicorn raises."""

    def __init__(self, datasette: Datasette, copy: Copy | None) -> None:
        app, seconds = datasette.app(), GRACEFUL_SECONDS
        super().__init__(uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=seconds))
        self._datasette, self._copy = datasette, copy

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._task = asyncio.create_task(self._renew())
        for listener in sockets or ():
            address = (*listener.getsockname(), self._datasette.setting("base_url"))
            print("http://{}:{}{} (Ctrl-C ends)".format(*address), flush=True)  # noqa: T201 - scripts wait for it

    async def _renew(self) -> None:
        while self._copy:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await asyncio.to_thread(self._copy.renew)
            except (sqlite3.Error, OSError) as error:
                print(f"still serving the previous copy: the database can't be copied: {error}", file=sys.stderr)  # noqa: T201

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._task.cancel()
        await super().shutdown(sockets=sockets)
        self._datasette.get_database(DATABASE).end_queries()

    def capture_signals(self) -> AbstractContextManager[bool]:  # type: ignore[override]
        return handled(self.handle_exit, signal.SIGINT, signal.SIGTERM)
