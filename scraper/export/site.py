"""The served pages as a folder that any web server or disk can show: the application is asked for each page in this process.

Links between saved pages are relative, so the folder works under any address and from a disk. A link to a list of records leads
to `records.html`, whose script filters in the browser; what only a server can answer becomes plain text.
"""

import asyncio
import gzip
import hashlib
import mimetypes
import posixpath
import re
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from datasette.utils import tilde_encode
from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.config import Serve
from scraper.database.connection import reading
from scraper.database.contacts import Mode, cleared_copy
from scraper.database.tables import VIEWS
from scraper.errors import TtaError
from scraper.explore import register_routes
from scraper.explore.metadata import QUESTIONS
from scraper.export import search_files
from scraper.export.selection import RECORDS_FIRST
from scraper.serve import application

RECORDS = "records.html"
"""The page that searches and lists records in the browser."""
_LISTS = ("/-/search", "/tta/records")
_ROWS = re.compile(r"/tta/(records|organizations)/[^/?.]+")
_CHART = re.compile(r"/-/chart(\.svg|\.csv|)")
_SPACE = re.compile(r">\s*\n\s*<")
_UNLISTED = '<meta name="robots" content="noindex, nofollow">\n'
_NOTE = "Saved from the program tta; works without a server."
_HELP = "Finds records that contain all the words. A word of four letters or more also finds longer ones: train finds training."
_DROPPED = "script:not([type*=json]), link[rel=alternate], form:not([role=search]), .tta-map-small, .tta-map-small + p, .tta-next"
_POWERED = re.compile(r"Powered by.*?</a>", re.DOTALL)
_QUERIES = re.compile(r"·\s*Queries took [\d.]+\s*ms|&middot;\s*Queries took [\d.]+&nbsp;ms")
_EXPORTS = re.compile(r"^export .*$", re.MULTILINE)


def save_site(database: Path, folder: Path, contacts: Mode, times: dict[str, Any]) -> None:
    """Saves all pages, and the database and the files for searching, into a folder whose other downloads are there already.

    `times`: of the first and last capture.
    """
    with ExitStack() as stack:
        served = database if contacts is True else stack.enter_context(cleared_copy(database, contacts)).path
        shown = stack.enter_context(reading(served))
        plain = Path(stack.enter_context(TemporaryDirectory(dir=folder.parent)), "tta.db")
        shown.execute("COMMIT")
        shown.execute("VACUUM INTO ?", [str(plain)])
        (folder / "download").mkdir(exist_ok=True)
        with plain.open("rb") as file, gzip.GzipFile(folder / "download" / "tta.db.gz", "wb", mtime=0) as packed:
            shutil.copyfileobj(file, packed, 1 << 20)
        files = [path for path in sorted((folder / "download").rglob("*")) if path.is_file()]
        downloads = [(path.relative_to(folder).as_posix(), _media_type(path), path.stat().st_size) for path in files]
        site = Site(application(plain, Serve(contacts=contacts)), folder, _UNLISTED if contacts is True else "")
        records = [record_id for (record_id,) in shown.execute(f"SELECT record_id FROM records ORDER BY {RECORDS_FIRST}")]
        asyncio.run(site.save(records, {"files": downloads, "times": times}))
        search_files.write(shown, folder / "search", site.conditions)


def _media_type(path: Path) -> str:
    own = {".parquet": "application/vnd.apache.parquet", ".gz": "application/gzip"}
    return own.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


class Site:
    """Saves pages of the application `datasette` into a folder. `head` is HTML for the head of every page.

    `conditions`: the names in links to lists of records, such as `county__exact`.
    """

    def __init__(self, datasette: Any, folder: Path, head: str) -> None:
        self.conditions: set[str] = set()
        self._head = f'<meta charset="utf-8">\n<link rel="icon" href="data:,">\n{head}'
        self._added: dict[str, str] = {}
        self._datasette = datasette
        self._client = datasette.client
        self._folder = folder
        self._waiting: list[str] = []
        self._files: dict[str, str] = {}
        self._pages = {f"/tta/{name}" for name in [*QUESTIONS, *(view.name for view in VIEWS), "dictionary", "organizations"]}

    async def save(self, records: Iterable[str], about: dict[str, Any]) -> None:
        """Saves the home page, a page for each record and all that links lead to. Raises TtaError.

        `about`: `files` and `times` for the templates `_downloads.html` and `_dataset.html`.
        """
        for pattern, _ in register_routes():
            path = pattern.strip("^$")
            if re.fullmatch(r"/-/[a-z-]+", path) and path not in (*_LISTS, "/-/health", "/-/chart"):
                answer = await self._client.get(path)
                if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                    self._pages.add(path)
        about |= {"metadata": self._datasette.metadata()}
        for name, before in (("_dataset.html", "</head>"), ("_downloads.html", '<p class="tta-doors">')):
            self._added[before] = await self._datasette.render_template(name, about) + before
        await self._save("/", "index.html")
        await self._save("/-/search", RECORDS)
        for name in ("explore.js", "map.js"):
            self._file(f"/-/static-plugins/tta/{name}")
        for record_id in records:
            self._file(f"/tta/records/{tilde_encode(record_id)}")
        self._script("states.js", f"window.ttaStates = {(_static('scraper.explore', 'states.geojson'))};")
        self._script("site.js", _static("scraper.export", "site.js"))
        while self._waiting:
            address = self._waiting.pop()
            await self._save(address, self._files[address])

    async def _save(self, address: str, file: str) -> None:
        is_table = address.startswith("/tta/") and "?" not in address and not _ROWS.fullmatch(address)
        answer = await self._client.get(f"{address}?_size=max" if is_table else address)
        if answer.status_code != 200:
            raise TtaError(f"the page {address} can't be saved: the application answers {answer.status_code}")
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.endswith(".js"):
            self._script(path.name, answer.text)
        elif not file.endswith(".html"):
            path.write_bytes(answer.content)
        else:
            html = self._page(answer.text, file)
            for before, added in self._added.items() if file == "index.html" else ():
                html = html.replace(before, added, 1)
            path.write_text(html, encoding="utf-8", newline="\n")

    def _script(self, name: str, text: str) -> None:
        """Saves a script as a classic one in a scope of its own: a page on a disk may load no module."""
        returned = "window.L = leafletSrc;" if "leafletSrc" in text else ""
        text = f"(() => {{\n{_EXPORTS.sub('', text)}\n{returned}}})();\n" if name != "site.js" else text
        (self._folder / "static").mkdir(exist_ok=True)
        (self._folder / "static" / name).write_text(text, encoding="utf-8", newline="\n")

    def _file(self, address: str) -> str | None:
        """The file of an address that is saved; None for what only a server can answer."""
        path, _, query = address.partition("?")
        if path == "/" and not query:
            return "index.html"
        if path in _LISTS:
            self.conditions.update(name for name, _ in parse_qsl(query))
            return RECORDS
        if path.startswith(("/-/static/", "/-/static-plugins/")):
            address, file = path, f"static/{path.rpartition('/')[2]}"
        elif (chart := _CHART.fullmatch(path)) and query:
            file = f"charts/{hashlib.sha256(query.encode()).hexdigest()[:12]}{chart[1] or '.html'}"
        elif not query and (path in self._pages or _ROWS.fullmatch(path)):
            file = f"{path.removeprefix('/').removeprefix('-/')}.html"
        else:
            return None
        if address not in self._files:
            self._files[address] = file
            self._waiting.append(address)
        return file

    def _href(self, href: str, page: str) -> str | None:
        """A link of a saved page; None where it leads to nothing that is saved."""
        parts = urlsplit(href)
        if parts.scheme or parts.netloc or not parts.path:
            return href
        file = self._file(href.partition("#")[0])
        if file is None:
            return None
        fragment = parts.query if file == RECORDS else parts.fragment
        return quote(posixpath.relpath(file, posixpath.dirname(page) or "."), safe="/~+") + (f"#{fragment}" if fragment else "")

    def _page(self, text: str, file: str) -> str:
        """A page as it is saved: no script but ours, no form but the search, relative links."""
        tree = LexborHTMLParser(text)
        is_map = tree.css_matches("body.tta-map-page")
        dropped = [_DROPPED, *(["script"] if file == "index.html" else []), *([] if is_map else ['link[href*="leaflet"]'])]
        for node in tree.css(", ".join(dropped)):
            node.decompose()
        for node in tree.css("form"):
            if node.attributes.get("action") in _LISTS:
                node.attrs["action"] = posixpath.relpath(RECORDS, posixpath.dirname(file) or ".")
            else:
                node.decompose()
        for node in tree.css("[href]"):
            self._relate(node, file)
        for node in tree.css("p.crumbs"):
            node.inner_html = " / ".join(link.html or "" for link in node.css("a"))
        for node in tree.css("div.table-wrapper"):
            node.attrs["role"], node.attrs["tabindex"], node.attrs["aria-label"] = "region", "0", "Table"
        for node in tree.css(".tta-map"):
            self._file(node.attributes["data-leaflet"] or "")
            node.attrs["data-records"] = "tta/records"
        top = posixpath.relpath(".", posixpath.dirname(file) or ".")
        scripts = ["explore.js", *(["site.js"] if file == RECORDS or is_map else [])]
        if is_map:
            scripts += ["states.js", "leaflet-v1.7.1.js", "map.js"]
        added = "".join(f'<script defer src="{top}/static/{name}"></script>\n' for name in scripts)
        for node in tree.css("footer"):
            node.inner_html = _QUERIES.sub("", _POWERED.sub(_NOTE, node.inner_html or ""))
        for node in tree.css("section.content > p.tta-small") if file == RECORDS else ():
            node.inner_html = _HELP
        html = _SPACE.sub(">\n<", tree.html or "").replace("<html>", '<html lang="en">', 1)
        html = html.replace(f"{_HELP}</p>", f'{_HELP}</p>\n<div id="tta-found"></div>', 1)
        if "<h2" not in html:
            html = html.replace("<h3", "<h2").replace("</h3>", "</h2>")  # the form between them is gone
        return html.replace("</head>", f"{self._head}{added}</head>", 1)

    def _relate(self, node: LexborNode, page: str) -> None:
        href = self._href(node.attributes["href"] or "", page)
        if href is not None:
            node.attrs["href"] = href
        elif node.tag == "link" or (node.parent and "tta-views" in (node.parent.attributes.get("class") or "")):
            node.decompose()
        else:
            del node.attrs["href"]
            node.unwrap()


def _static(package: str, name: str) -> str:
    return (resources.files(package) / "static" / name).read_text(encoding="utf-8")
