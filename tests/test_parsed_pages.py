"""The store of parsed pages: the same code parses nothing twice, and whatever happens to the file, the database is right."""

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scraper import code_version
from scraper.database import load as loading
from scraper.database import parsed_pages
from scraper.database.load import LoadOptions, load
from scraper.database.schema import VERSION
from scraper.errors import TtaError
from scraper.folders import Folders
from tests.dbkit import add, day, exports, html, loaded, lose_catalog, node, page, query, revisit, sql

FIRST = page(html({"County": "Essex"}, node=1), url=node(1), when=day(0))
LATER = page(html({"County": "Suffolk"}, node=1), url=node(1), when=day(1))
OTHER = page(html({"County": "Kent"}, node=2), url=node(2), when=day(0))
CAPTURES = [FIRST, revisit(FIRST, day(3)), OTHER]
SCRAPER = Path(code_version.__file__).parent


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return loaded(tmp_path, CAPTURES)


def store(folders: Folders) -> Path:
    return folders.data / parsed_pages.NAME


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What all captures give when they are loaded at once."""
    return exports(loaded(tmp_path_factory.mktemp("anew"), [*CAPTURES, LATER]))


def test_a_later_capture_is_all_that_is_parsed(folders: Folders, expected: dict[str, bytes]) -> None:
    add(folders, [LATER])
    done = load(folders)
    assert (done.parsed, done.captures, done.built, done.unchanged) == (1, 1, 1, False)
    assert exports(folders) == expected
    again = load(folders)
    assert (again.parsed, again.captures, again.built, again.records, again.unchanged) == (0, 0, 0, 2, True)
    assert load(folders, LoadOptions(rebuild=True)).parsed == 4


@pytest.mark.parametrize("changed", ["schema", "loading", "parsing"])
def test_other_code_makes_the_database_anew_and_parses_only_where_parsing_changed(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    before = exports(folders)
    match changed:
        case "schema":
            sql(folders.database, "PRAGMA user_version = 1", "DROP TABLE program")
        case "loading":
            monkeypatch.setattr(loading, "loading_code", lambda: "changed")
        case "parsing":
            monkeypatch.setattr(loading, "loading_code", lambda: "changed")
            monkeypatch.setattr(parsed_pages, "parsing_code", lambda: "changed")
    done = load(folders)
    assert (done.captures, done.built, done.parsed) == (3, 2, 3 if changed == "parsing" else 0)
    assert exports(folders) == before
    assert query(folders, "SELECT code FROM program") == [(loading.loading_code(),)]


def _changed(*statements: str) -> object:
    return lambda path: sql(path, *statements)


def _flipped(column: str, at: int) -> object:
    """Bytes that are wrong in a file that SQLite finds in order."""

    def flip(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db, db:
            for key, value in db.execute(f"SELECT capture_id, {column} FROM pages WHERE page IS NOT NULL").fetchall():
                wrong = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
                db.execute(f"UPDATE pages SET {column} = ? WHERE capture_id = ?", [wrong, key])

    return flip


def _swapped(path: Path) -> None:
    """Each page under the other capture's name."""
    with closing(sqlite3.connect(path)) as db, db:
        rows = db.execute("SELECT capture_id, result, page, checksum FROM pages WHERE page IS NOT NULL").fetchall()
        for (key, *_), (_, *values) in zip(rows, reversed(rows), strict=True):
            db.execute("UPDATE pages SET result = ?, page = ?, checksum = ? WHERE capture_id = ?", [*values, key])


DAMAGE = {
    "missing": Path.unlink,
    "cut": lambda path: os.truncate(path, 5000),
    "garbage": lambda path: path.write_bytes(b"\xff" * 20_000),
    "text": lambda path: path.write_text("not a database"),
    "foreign": _changed("DROP TABLE state", "DROP TABLE pages", "CREATE TABLE mine (a)"),
    "no state": _changed("DELETE FROM state"),
    "result flipped": _flipped("result", 3),
    "page flipped": _flipped("page", 40),
    "swapped": _swapped,
    "rows lost": _changed("DELETE FROM pages WHERE page IS NOT NULL"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_store_is_replaced_and_the_database_is_right(
    folders: Folders, expected: dict[str, bytes], damage: object
) -> None:
    add(folders, [LATER])
    damage(store(folders))  # type: ignore[operator]
    load(folders)
    assert exports(folders) == expected
    damage(store(folders))  # type: ignore[operator]
    load(folders, LoadOptions(forget_missing_captures=True))
    assert exports(folders) == expected


def test_a_store_that_cannot_be_written_is_a_line(folders: Folders) -> None:
    add(folders, [LATER])
    store(folders).unlink()
    store(folders).mkdir()
    with pytest.raises(TtaError, match=r"parsed\.db"):
        load(folders)


def test_a_load_that_ended_early_continues_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Folders(tmp_path)
    add(folders, [page(html({"County": f"County {n}"}, node=n), url=node(n), when=day(n)) for n in range(1, 9)])

    def fail(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(loading, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        load(folders, LoadOptions(progress=fail))
    assert sql(folders.database, "SELECT name FROM sqlite_master") == []
    assert (load(folders).parsed, len(query(folders, "SELECT 1 FROM records"))) == (3, 8)


def test_the_store_holds_a_row_for_each_capture_of_the_archive_and_no_more(folders: Folders, tmp_path: Path) -> None:
    sql(store(folders), "INSERT INTO pages SELECT 'other', 'tta-9.warc.gz', 0, checksum, result, page FROM pages LIMIT 1")
    add(folders, [LATER])
    load(folders)
    listed = [(one.capture_id,) for one in sorted((*CAPTURES, LATER), key=lambda one: one.capture_id)]
    assert sql(store(folders), "SELECT capture_id FROM pages ORDER BY 1") == listed


def test_the_parsing_code_covers_every_module_that_parsing_imports() -> None:
    """Else a changed module would leave results of the old one in the store."""
    code = "import sys, scraper.database.parse_captures; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    files = {f"{name.replace('.', '/')}.py" for name in names if name.startswith("scraper.")}
    harmless = {f"scraper/{name}.py" for name in ("errors", "folders", "sqlite", "terminal", "workers/processes")}
    covered = {f"scraper/{path.relative_to(SCRAPER)}" for pattern in code_version._PARSING for path in SCRAPER.glob(pattern)}
    assert {path for path in files if (SCRAPER.parent / path).exists()} <= covered | harmless


def test_a_changed_file_changes_the_digest(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1")
    two.write_text("b = 1")
    before = code_version._digest([one, two], ["orjson"])
    assert code_version._digest([two, one], ["orjson"]) == before
    two.write_text("b = 2")
    assert code_version._digest([one, two], ["orjson"]) != before
    assert code_version.parsing_code() != code_version.loading_code()


@pytest.mark.parametrize(
    ("version", "name", "lost"), [(1, "tta-000009", 3), (VERSION, "tta-000009", 3), (VERSION, "tta-000001", 2)]
)
def test_an_update_does_not_lose_captures_of_a_missing_or_replaced_file(
    folders: Folders, version: int, name: str, lost: int
) -> None:
    """In the replaced file, a capture has the place of the first one, which may be the same under other rules."""
    before = exports(folders)
    sql(folders.database, f"PRAGMA user_version = {version}")
    for path in folders.archive.iterdir():  # the catalog as well, so that nothing else knows of them
        path.rename(path.with_suffix(".aside"))
    add(folders, [page(html({"County": "Kent"}, node=2), url=node(2), when=day(8))])
    (folders.archive / "tta-000001.warc.gz").rename(folders.archive / f"{name}.warc.gz")
    lose_catalog(folders.archive)
    with pytest.raises(TtaError, match=f"lacks {lost} captures"):
        load(folders)
    sql(folders.database, f"PRAGMA user_version = {VERSION}")
    assert exports(folders) == before


def test_sqlites_log_stays_small_while_pages_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open statement kept SQLite from copying it into the file: a load of 100,000 captures had a log of 580 MB."""
    folders, chance = Folders(tmp_path), random.Random(1)
    add(folders, [page(html({}, body=chance.randbytes(150_000).hex()), url=node(n), when=day(n)) for n in range(1, 60)])
    sizes: list[int] = []
    monkeypatch.setattr(loading, "BATCH", 5)
    load(folders, LoadOptions(progress=lambda *_: sizes.append(Path(f"{store(folders)}-wal").stat().st_size)))
    assert max(sizes) < 7_000_000 < store(folders).stat().st_size
