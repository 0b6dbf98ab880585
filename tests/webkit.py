"""What the tests of `tta serve` share: a demo database, a server of its own on a free port, and a watched browser page."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
from datasette import hookimpl
from datasette.plugins import pm
from jinja2 import Environment, FileSystemBytecodeCache
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from scraper.config import Serve
from scraper.database.load import LoadOptions, load
from scraper.database.tables import BY_NAME
from scraper.explore.lines import IS_1
from scraper.folders import Folders
from scraper.serve import application
from scraper.sources.files import import_paths

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--hide-scrollbars"
).split()
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = os.environ.get("TTA_REQUIRE_BROWSER") == "1"
SECONDS = 30
COMPILED = ROOT / "build" / "templates"


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Keeps compiled templates, which otherwise each `Site` compiles again."""
    COMPILED.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(COMPILED))


pm.register(sys.modules[__name__])


@cache
def _built() -> tuple[TemporaryDirectory[str], Folders]:
    folder = TemporaryDirectory(prefix="tta-demo-")
    folders = Folders(Path(folder.name))
    import_paths(folders.archive, [SAMPLES])
    load(folders, LoadOptions(workers=1))
    return folder, folders


def demo(folder: Path | None = None) -> Folders:
    """The demo's data folder, as `make run` builds it, made once; a copy in `folder` for tests that change it."""
    _, built = _built()
    if not folder:
        return built
    shutil.copytree(built.data, folder, dirs_exist_ok=True)
    return Folders(folder)


class Site:
    """Datasette on a database, without a server; on the demo's where none is named."""

    def __init__(self, database: Path | None = None, settings: Serve | None = None) -> None:
        self._datasette = application(database or demo().database, settings)

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._datasette.client.get(path, follow_redirects=path.startswith(("/tta?", "/tta.json?"))))

    def json(self, path: str) -> Any:
        """The JSON at an address; of tables and questions what Datasette 0.65 has by itself, and 1.0 on demand."""
        if IS_1 and path.startswith("/tta"):
            is_table = path.startswith(tuple(f"/tta/{one}.json" for one in BY_NAME))
            path += f"{'&' if '?' in path else '?'}_extra=columns,query"
            path += ",count,facet_results,human_description_en" if is_table else ""
            path += "" if "_shape=" in path else "&_shape=arrays"
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        if IS_1 and "facet_results" in found:
            found |= {"filtered_table_rows_count": found["count"], "facet_results": found["facet_results"]["results"]}
        return found


def start(
    folders: Folders, *options: str, config: Path | None = None, cwd: Path | None = None, quick: bool = False
) -> Popen[str]:
    """`tta serve` as a process of its own. `quick`: looks for changes of the database every fifth of a second."""
    hurry = "import scraper.serve; scraper.serve.RENEW_SECONDS = 0.2; " if quick else ""
    command = [sys.executable, "-c", f"{hurry}from scraper.cli import main; main()", "--data", folders.data.resolve()]
    named = ["--config", config] if config else []
    return Popen([*command, *named, "serve", *options], stdout=PIPE, stderr=PIPE, text=True, cwd=cwd)


@contextmanager
def serving(folders: Folders, *, config: Path | None = None, cwd: Path | None = None, quick: bool = False) -> Iterator[str]:
    """The address of `tta serve` on a free port; the server ends with the block, by Ctrl-C and without a word."""
    server = start(folders, "--port", "0", config=config, cwd=cwd, quick=quick)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), line or server.communicate(timeout=SECONDS)[1]
        yield line.split()[0]
    finally:
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=SECONDS)
    unexpected = [line for line in errors.splitlines() if not line.startswith("left out: ")]
    assert (server.returncode, unexpected) == (0, [])


@dataclass
class Watched:
    """A page of the browser, and everything about it that should not have happened."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("requestfailed", self._on_failure)
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before the answer
            self.problems.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address.rstrip("/") + path, wait_until="networkidle")
        return self.page

    def check(self) -> None:
        """Fails on anything that went wrong, or that was asked of another host."""
        assert self.problems == []
        assert self.hosts - {""} <= {urlsplit(self.address).netloc}


@contextmanager
def browser(profile: Path) -> Iterator[BrowserContext]:
    """Chromium with a new profile."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=FLAGS,
            headless=True,
            viewport={"width": 1200, "height": 800},
        )
        try:
            yield context
        finally:
            context.close()
