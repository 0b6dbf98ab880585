"""A user's own table beside the records: keys, vintage, match rate, and that it survives a rebuild."""

from pathlib import Path

import pytest

from scraper.database.load import LoadOptions, load
from scraper.folders import Folders
from tests.commandkit import Ran, tta
from tests.dbkit import day, html, loaded, node, page, query
from tests.webkit import Site

PLACES = {1: (-71.0464339, 42.3458497), 2: (-72.6851, 41.7637), 3: (-86.6, 32.5)}  # Suffolk MA, Hartford CT, Autauga AL


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    points = {number: f"POINT ({longitude} {latitude})" for number, (longitude, latitude) in PLACES.items()} | {4: "POINT (0 0)"}
    captures = [
        page(html({"Event Location Geo": one}, node=number), url=node(number), when=day(number)) for number, one in points.items()
    ]
    return loaded(tmp_path / "data", captures)


def overlay(folders: Folders, *arguments: object) -> Ran:
    return tta("--data", folders.data, "overlay", *arguments)


def joined(folders: Folders, column: str) -> list[tuple[object, ...]]:
    return query(folders, f"SELECT record_id, population FROM records JOIN overlay_pop USING ({column}) ORDER BY 1")


@pytest.mark.parametrize(
    ("heading", "connecticut", "column", "records"),
    [
        ("FIPS", "09110", "place_county_code_2023", 3),
        ("FIPS", "09003", "place_county_code", 3),
        ("FIPS", "10001", "place_county_code_2023", 2),
        ("place_county_code_2023", "09003", "place_county_code_2023", 2),  # the file's own name for it counts more
    ],
)
def test_keys_are_joined_with_the_codes_of_their_own_year(
    folders: Folders, tmp_path: Path, heading: str, connecticut: str, column: str, records: int
) -> None:
    file = tmp_path / "pop.csv"
    file.write_text(
        f"county,{heading},population\nSuffolk,25025,1\nCT,{connecticut},2\nAutauga,1001,3\nNowhere,99999,4\n", encoding="utf-8"
    )
    done = overlay(folders, "add", file, "--key", heading)
    assert done.status == 0, done.err
    assert f"joined with records.{column}" in done.out
    assert f"{records} of the 3 records" in done.out
    assert "leading zeros restored: 1 key\n" in done.out and "99999" in done.out
    assert len(joined(folders, column)) == records


def test_an_overlay_survives_a_rebuild_and_a_new_database_and_goes_when_removed(folders: Folders, tmp_path: Path) -> None:
    file = tmp_path / "pop.csv"
    file.write_bytes("FIPS;Größe;population\n25025;ü;7\n25025;<b>;8\n".encode("cp1252"))
    assert "in more than one row: 1 key" in overlay(folders, "add", file, "--key", "FIPS").out
    expected = [("1", 7), ("1", 8)]
    load(folders, LoadOptions(rebuild=True))
    assert joined(folders, "place_county_code_2023") == expected
    folders.database.unlink()
    load(folders)
    assert joined(folders, "place_county_code_2023") == expected
    text = Site(folders.database).get("/tta/records/1").text
    assert "&lt;b&gt;" in text and "Größe" in text
    assert overlay(folders, "list").out == "pop\n"
    assert overlay(folders, "remove", "pop").status == 0
    assert overlay(folders, "list").out == ""
    assert not query(folders, "SELECT name FROM sqlite_master WHERE name LIKE 'overlay%'")


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("a,b\n1,2\n", ("--key", "c"), "has no column 'c'"),
        ("a,a\n1,2\n", ("--key", "a"), "names must differ"),
        ("a,b\n1\n", ("--key", "a"), "as many cells"),
        ("\0\0", ("--key", "a"), "not a CSV file"),
        ("a,b\n1,2\n", ("--key", "a=nothing"), "no column 'nothing'"),
    ],
)
def test_what_can_not_be_attached_is_refused(
    folders: Folders, tmp_path: Path, content: str, arguments: tuple[str, ...], message: str
) -> None:
    file = tmp_path / "pop.csv"
    file.write_text(content)
    done = overlay(folders, "add", file, *arguments)
    assert done.status and message in done.err
    assert overlay(folders, "list").out == ""


@pytest.mark.parametrize("name", ["../pop", "none", ""])
def test_only_what_is_attached_is_removed(folders: Folders, tmp_path: Path, name: str) -> None:
    (folders.data / "pop.csv").write_text("a\n1\n")
    assert "there is no overlay" in overlay(folders, "remove", name).err
    assert (folders.data / "pop.csv").exists()
