"""Saves the served pages as a folder for any web server or disk: the application renders each page in this process.

Links between saved pages are relative, so the folder works under any URL and from a disk. A link to a list of records leads to
`records.html`, whose script filters in the browser; a link that needs a server becomes plain text. A record's page is made
smaller: what it repeats for every value is shown once, and the instructions of the portal's form are on the page of definitions.

For searching, the words of all records are in small files that a page loads as scripts: a page on a disk may load nothing else.
"""

import asyncio
import gzip
import hashlib
import itertools
import json
import mimetypes
import posixpath
import re
import shutil
import sqlite3
import tomllib
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from functools import lru_cache
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from datasette.utils import tilde_encode
from datasette.utils.asgi import Request
from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper import explore
from scraper.config import Serve
from scraper.database.connection import reading
from scraper.database.contacts import Mode, cleared_copy
from scraper.database.tables import BY_NAME, VIEWS, columns_in
from scraper.errors import TtaError
from scraper.explore.links import DATABASE
from scraper.explore.metadata import QUESTIONS, metadata
from scraper.explore.record import FACTS
from scraper.export.selection import RECORDS_FIRST
from scraper.export.tables import LIST_COLUMNS
from scraper.serve import application
from scraper.workers.processes import Job, Processes, cores

RECORDS = "records.html"
"""The page whose script searches and lists records in the browser."""
_LISTS = ("/-/search", "/tta/records")
_TABLES = {f"/tta/{name}" for name in [*QUESTIONS, *(view.name for view in VIEWS), "dictionary", "organizations"]}
_PAGES = {"/-/charts", "/-/codebook", "/-/map", "/-/new", "/-/new.csv", *_TABLES}
_TYPES = {".parquet": "application/vnd.apache.parquet", ".gz": "application/gzip", ".cff": "application/yaml"}
_TEXTS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PATTERN: dict[str, re.Pattern[str]] = {name: re.compile(text) for name, text in _TEXTS["patterns"].items()}
_SECONDS = 300.0  # for a page's query; nobody waits for it
_AT_A_TIME = 200  # records whose pages a worker process saves before it takes others
_STATIC = Path(explore.__file__).with_name("static")
AT_ONCE = 1_000
"""Records in one file."""
PREFIX = 3
"""Number of initial letters that the words of one file share."""
MAX_WORD = 40
_WORD = re.compile(r"\w{2,}")
_Part = tuple[Path, Path, Mode, dict[str, str], list[str]]
"""Records whose pages a worker process saves, after what `Site` takes."""
COMPARED = ("exact", "arraycontains", "in", "gt", "gte", "lt", "lte", "startswith")
"""Conditions that `site.js` tests by value; it also tests isnull and notnull for each of these columns."""
_TITLES = ("title", "tta_title", "short_name")  # searched first


def save_site(database: Path, folder: Path, contacts: Mode, times: dict[str, Any]) -> None:
    """Saves all pages, the database and the files for searching into a folder that already contains the other downloads.

    `times`: of the first and last capture.
    """
    with ExitStack() as stack:
        served = database if contacts is True else stack.enter_context(cleared_copy(database, contacts)).path
        shown = stack.enter_context(reading(served))
        plain = Path(stack.enter_context(TemporaryDirectory(dir=folder.parent)), "tta.db")
        shown.execute("COMMIT")
        shown.execute("VACUUM INTO ?", [str(plain)])
        with plain.open("rb") as file, gzip.GzipFile(folder / "download" / "tta.db.gz", "wb", mtime=0) as packed:
            shutil.copyfileobj(file, packed, 1 << 20)
        downloads = []
        for path in sorted(path for path in (folder / "download").rglob("*") if path.is_file()):
            media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            downloads.append((path.relative_to(folder).as_posix(), media_type, path.stat().st_size))
        forms = {_anchor(text): text for (text,) in shown.execute(_TEXTS["forms"])}
        records = [record_id for (record_id,) in shown.execute(f"SELECT record_id FROM records ORDER BY {RECORDS_FIRST}")]
        parts = [(plain, folder, contacts, forms, records[n : n + _AT_A_TIME]) for n in range(0, len(records), _AT_A_TIME)]
        site = Site(plain, folder, contacts, forms)
        pool = Processes(min(cores(), len(parts)))
        for _, found in pool.run(_JOB, parts) if len(parts) > 1 else [(part, _save_records(part)) for part in parts]:
            for conditions, addresses in found:
                site.conditions |= conditions
                for address in addresses:
                    site.file(address)
        asyncio.run(site.save({"files": downloads, "times": times}))
        save_search(shown, folder / "search", site.conditions)


def _save_records(part: _Part) -> list[tuple[set[str], list[str]]]:
    """Saves the pages of records. Returns what their links ask for and lead to."""
    site = Site(*part[:-1])
    asyncio.run(site.save_records(part[-1]))
    return [(site.conditions, list(site.files))]


def _give_up(part: _Part) -> NoReturn:
    raise TtaError(f"the page of {part[-1][0]} can't be saved: its process ended; make memory free")


_JOB = Job(_save_records, lambda part: [(*part[:-1], [one]) for one in part[-1]], _give_up)
_application = lru_cache(maxsize=1)(application)


def _anchor(text: str) -> str:
    return f"form-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class Site:
    """Saves the pages that Datasette shows into a folder. `forms`: the form's instructions, which are saved once, by anchor.

    `conditions`: the names in links to lists of records, such as `county__exact`; `files`: where the pages that links lead to are
    saved, by address.
    """

    def __init__(self, database: Path, folder: Path, contacts: Mode, forms: dict[str, str]) -> None:
        self.conditions = {"agency"}
        self.files: dict[str, str] = {}
        self._head = _TEXTS["head"] + _TEXTS["unlisted"] * (contacts is True)
        self._datasette: Any = _application(database, Serve(contacts=contacts, query_seconds=_SECONDS))
        self._folder, self._forms = folder, forms
        self._waiting: list[str] = []

    async def save_records(self, records: Iterable[str]) -> None:
        """Saves a page for each record: the template of the served page, without what a server adds to it."""
        shown = {"database": DATABASE, "table": "records", "renderers": {}, "foreign_key_tables": []}
        await self._datasette.invoke_startup()
        for record_id in records:
            key = tilde_encode(record_id)
            request = Request.fake(f"/tta/records/{key}", url_vars={"pks": key})
            request.scope["csrftoken"] = str
            text = await self._datasette.render_template("row-tta-records.html", shown, request=request, view_name="row")
            self._write(f"tta/records/{key}.html", text)

    async def save(self, about: dict[str, Any]) -> None:
        """Saves the home page and all that links lead to; the records' pages are there already. Raises TtaError.

        `about`: `files` and `times` for the templates `_downloads.html` and `_dataset.html`.
        """
        await self._save("/", "index.html")
        for name, before in (("_dataset.html", "</head>"), ("_downloads.html", "<p class=tta-doors>")):
            self._insert("index.html", await self._datasette.render_template(name, about | {"metadata": metadata()}), before)
        await self._save("/-/search", RECORDS)
        for address in ("/-/static-plugins/tta/map.js", "/-/codebook", "/tta/dictionary"):
            self.file(address)
        self._save_script("states.js", f"window.ttaStates = {(_STATIC / 'states.geojson').read_text(encoding='utf-8')};")
        (menu,) = LexborHTMLParser((self._folder / "index.html").read_bytes()).css(".tta-nav")
        columns = columns_in("records")
        conditions = {columns[name].heading: (one, columns[name].type is bool) for name, one in FACTS.items()}
        scripts = [one.read_text(encoding="utf-8") for one in (_STATIC / "explore.js", Path(__file__).with_name("site.js"))]
        constants = f"const MENU = {json.dumps(menu.html)}, FACTS = {json.dumps(conditions)};\n"
        self._save_script("site.js", constants + "".join(scripts))
        while self._waiting:
            address = self._waiting.pop()
            if not address.startswith("/tta/records/"):
                await self._save(address, self.files[address])
        forms = "".join(f'<li id={anchor} class="tta-text tta-prose">{escape(text)}\n' for anchor, text in self._forms.items())
        section = f'<section class="content" aria-label="Form"><h2>Instructions on the form</h2>\n<ul>\n{forms}</ul></section>\n'
        self._insert("tta/dictionary.html", section, "<footer")

    def _insert(self, file: str, html: str, before: str) -> None:
        path = self._folder / file
        text = path.read_text(encoding="utf-8").replace(before, html + before, 1)
        path.write_text(text, encoding="utf-8", newline="\n")

    async def _save(self, address: str, file: str) -> None:
        all_rows = "?_size=max" * (address in _TABLES or "/organizations/" in address)
        answer = await self._datasette.client.get(address + all_rows)
        if answer.status_code != 200:
            raise TtaError(f"the page {address} can't be saved: the application answers {answer.status_code}")
        if file.endswith(".js"):
            self._save_script(file.rpartition("/")[2], answer.text)
        else:
            self._write(file, answer.text if file.endswith(".html") else answer.content)

    def _write(self, file: str, content: str | bytes) -> None:
        """Writes a file, or a page as it is saved."""
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._clean_page(content, file).encode() if isinstance(content, str) else content)

    def _save_script(self, name: str, text: str) -> None:
        """Saves a module as a classic script with its own scope: a page on a disk may not load modules."""
        returned = "window.L = leafletSrc;" if "leafletSrc" in text else ""
        self._write(f"static/{name}", f"(() => {{\n{_PATTERN['exports'].sub('', text)}\n{returned}}})();\n".encode())

    def file(self, address: str) -> str | None:
        """Returns the file in which a URL is saved; None if it needs a server. Saved CSV files have the names of columns."""
        path, _, query = (address := re.sub(r"[?&]_header=labels$", "", address)).partition("?")
        if path == "/" and not query:
            return "index.html"
        if path in _LISTS and "_organization=" not in query:  # an organization's page lists its records
            self.conditions.update(name for name, _ in parse_qsl(query))
            return RECORDS
        if path.startswith(("/-/static/", "/-/static-plugins/")):
            address, file = path, f"static/{path.rpartition('/')[2]}"
        elif (chart := _PATTERN["chart"].fullmatch(path)) and query:
            file = f"charts/{hashlib.sha256(query.encode()).hexdigest()[:12]}{chart[1] or '.html'}"
        elif not query and (path in _PAGES or _PATTERN["rows"].fullmatch(path)):
            file = path.removeprefix("/").removeprefix("-/") + ".html" * (not path.endswith(".csv"))
        elif book := re.fullmatch(r"/-/codebook\?table=(\w+)", address):
            file = f"codebook/{book[1]}.html"
        elif (table := _PATTERN["table_file"].fullmatch(address)) and table[1] in _TABLES:
            address, file = path, path.removeprefix("/")
        else:
            return None
        if address not in self.files:
            self.files[address] = file
            self._waiting.append(address)
        return file

    def _clean_page(self, text: str, file: str) -> str:
        """Returns a page as saved: without other scripts than ours, without forms except the search, with relative links."""
        tree = LexborHTMLParser(text)
        top = posixpath.relpath(".", posixpath.dirname(file) or ".")
        is_map = tree.css_matches("body.tta-map-page")
        dropped = [_TEXTS["dropped"], *["script"] * (file == "index.html"), *['link[href*="leaflet"]'] * (not is_map)]
        for node in tree.css(", ".join(dropped)):
            node.decompose()
        for node in tree.css(".tta-next"):
            node.attrs["href"], node.inner_html = f"/{file.removesuffix('.html')}.csv", "All of them, as CSV"
        for node in tree.css("[href]"):
            self._make_relative(node, file)
        for node in tree.css("form"):
            if node.attributes.get("action") in _LISTS:
                node.attrs["action"] = posixpath.join(top, RECORDS)
            else:
                node.inner_html = f"<p><a href={top}/{RECORDS}>Choose records</a>; for more, run <code>tta serve</code>.</p>"
                node.unwrap()
        for node in tree.css(".tta-menu:not(:has(a))"):
            node.decompose()
        for node in tree.css("p.crumbs"):
            node.inner_html = " / ".join(link.html or "" for link in node.css("a"))
        for node in tree.css(".tta-map"):
            self.file(node.attributes["data-leaflet"] or "")
            node.attrs["data-records"] = "tta/records"
        for node in tree.css("footer"):
            said = _PATTERN["powered"].sub("", node.inner_html or "")
            node.inner_html = " ".join(f"Saved from the program tta; works without a server. {said}".split())
        if file.startswith("tta/records/"):
            _drop_repetitions(tree)
        html = _PATTERN["around_blocks"].sub("", _PATTERN["space"].sub(">\n<", tree.html or ""))
        html = html.replace("<html>", '<html lang="en">', 1)
        html = _PATTERN["form"].sub(self._link_instructions, _PATTERN["unneeded"].sub("", html))
        html = _PATTERN["tag"].sub(lambda tag: _PATTERN["quoted"].sub(r"=\1", tag[0]), html)
        scripts = ["site.js", *(["states.js", "leaflet-v1.7.1.js", "map.js"] if is_map else [])]
        added = "".join(f"<script defer src={top}/static/{name}></script>\n" for name in scripts)
        return html.replace("</head>", f"{self._head}{added}</head>", 1)

    def _make_relative(self, node: LexborNode, page: str) -> None:
        """Makes a link relative; a link to a page that is not saved becomes its text, or is removed with its list item."""
        href = (node.attributes["href"] or "").removeprefix("http://localhost")
        parts = urlsplit(href)
        if parts.scheme or parts.netloc or href.startswith("#"):
            return
        file, around = self.file(href.partition("#")[0]), (node.parent or node).attributes.get("class") or ""
        if file is not None:
            fragment = parts.query if file == RECORDS else parts.fragment
            relative = quote(posixpath.relpath(file, posixpath.dirname(page) or "."), safe="/~+")
            node.attrs["href"] = relative + (f"#{fragment}" if fragment else "")
        elif node.tag == "link" or "download" in node.attributes or around.startswith(("tta-views", "tta-doors")):
            node.decompose()
        else:
            del node.attrs["href"]
            node.unwrap()

    def _link_instructions(self, found: re.Match[str]) -> str:
        """Returns the end of a section's heading as a link to the instructions of the form, which are saved once."""
        anchor = _anchor(unescape(found[3].partition(">")[2].removesuffix("</div>")))
        if anchor not in self._forms:
            return found[0]
        return f'<a href="../dictionary.html#{anchor}">{found[1]}</a></h{found[2]}>'


def _drop_repetitions(tree: LexborHTMLParser) -> None:
    """Takes off a record's page the mark of the capture that most values are from, and what other pages or parts of it show."""
    marks = tree.css("a.tta-source")
    counts = Counter(mark.text() for mark in marks)
    most = min(counts, key=lambda number: (-counts[number], number), default="")
    for mark in marks:
        if mark.text() == most:
            mark.decompose()
    for note in tree.css("#captures + p") if marks else []:
        note.inner_html = f"{note.inner_html} A value without a number was read from capture {most}."
    # The milestones have the notes in full, `site.js` has the menu, and what grows would change with each new record of a family.
    for node in tree.css(".tta-steps small, .tta-nav, .tta-grows"):
        node.decompose()
    for node in tree.css('.tta-facts a[href*="records.html#"]'):  # `site.js` makes links of these again, and of the portal's
        node.unwrap()
    for original in tree.css("#original"):
        portal = urljoin(original.attributes["href"] or "", "/")
        for node in tree.css(f'dd > a[rel][href^="{portal}"]'):
            node.parent.attrs["data-at"] = (node.attributes["href"] or "").removeprefix(portal)  # type: ignore[union-attr]
            node.unwrap()


def words_of(text: str) -> set[str]:
    """Returns the words of a text as they are looked up: lower case, without accents. `site.js` does the same."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return {word[:MAX_WORD] for word in _WORD.findall("".join(one for one in plain if not unicodedata.combining(one)))}


def save_search(db: sqlite3.Connection, folder: Path, asked: Collection[str]) -> None:
    """Writes the words and values of all records for `site.js`. `asked`: the names of conditions, such as `county__isnull`."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {name.partition("__")[0] for name in asked}
    filtered = [name for name in BY_NAME["records"].columns if name in columns]
    valued = [name for name in filtered if {name, *(f"{name}__{one}" for one in COMPARED)} & set(asked)]
    codes: dict[str, dict[Any, int]] = {name: defaultdict(itertools.count().__next__) for name in valued}
    places: dict[str, array[int]] = defaultdict(lambda: array("I"))
    searched = [*_TITLES, *(name for name in BY_NAME["records"].searched if name not in _TITLES)]
    names = ["record_id", "latitude", "longitude", *searched, *filtered]
    rows = db.execute(f"SELECT {', '.join(names)} FROM records ORDER BY {RECORDS_FIRST}")
    count = 0
    for number, some in enumerate(iter(lambda: list(itertools.islice(rows, AT_ONCE)), [])):
        documents = []
        for record_id, latitude, longitude, *row in some:
            texts, values = row[: len(searched)], dict(zip(filtered, row[len(searched) :], strict=True))
            printed = [value for (value,) in db.execute("SELECT value FROM fields WHERE record_id = ?", [record_id])]
            in_title = words_of(" ".join(filter(None, texts[:3])))
            for word in in_title | words_of(" ".join(filter(None, [record_id, *texts, *printed, values["agency"]]))):
                places[word].append(2 * count + (word in in_title))
            there = "".join("01"[values[name] is not None] for name in filtered)
            title = texts[1] or texts[2] or texts[0] or record_id
            coded: list[Any] = []
            for name in valued:  # the number of a value among those of its column, or the numbers of a list's
                value, known = values[name], codes[name]
                items = json.loads(value) if value and name in LIST_COLUMNS else None
                coded.append([known[one] for one in items] if items is not None else None if value is None else known[value])
            documents.append([record_id, title, texts[0], latitude, longitude, there, *coded])
            count += 1
        _save(folder / f"records-{number}.js", "records", number, documents)
    by_prefix: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for word in sorted(places):  # its positions: twice the difference from the previous record, plus 1 for a title
        before, steps = 0, []
        for place in places.pop(word):
            steps.append(2 * (place // 2 - before) + place % 2)
            before = place // 2
        by_prefix["-".join(f"{ord(one):x}" for one in word[:PREFIX])][word] = steps
    for prefix, words in by_prefix.items():
        _save(folder / f"words-{prefix}.js", "words", prefix, words)
    about: dict[str, Any] = {"columns": filtered, "values": {name: list(found) for name, found in codes.items()}}
    about |= {"atOnce": AT_ONCE, "prefix": PREFIX, "prefixes": list(by_prefix)}
    _save(folder / "about.js", "about", count, about)


def _save(path: Path, kind: str, key: Any, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"tta.loaded({json.dumps(kind)},{json.dumps(key)},{text});\n", encoding="utf-8", newline="\n")
