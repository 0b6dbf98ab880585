"""The command line keeps its promises: statuses, one line an error, results on standard output only."""

import subprocess
import sys
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest

from scraper.cli import cli
from tests.commandkit import tta

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples"
SAMPLE = SAMPLES / "20250129-145639-07.txt"
LOGIN = (
    b"<html><head><title>Log in | Portal</title></head><body><h1>Log in</h1><form><input type='password'></form></body></html>"
)


def test_the_whole_path_from_captures_to_exports_and_back(tmp_path: Path) -> None:
    data, first, second = tmp_path / "data", tmp_path / "first", tmp_path / "second"
    assert tta("--data", data, "status").out.startswith("nothing in")
    once, twice = (tta("--data", data, "import", "--json", SAMPLES).report for _ in range(2))
    assert (once["added"] == twice["known"] > 60, twice["added"]) == (True, 0)
    assert tta("--data", data, "load").status == 0
    counts = tta("--data", data, "status", "--json").report["completeness"]
    assert counts["sources"]["made-up"]["captured"] == counts["total"]["captured"] == counts["total"]["known"] > 50
    assert "record numbers\n  made-up: " in tta("--data", data, "status").out
    assert tta("--data", data, "export", "csv", first).status == 0
    (data / "tta.db").unlink()
    assert tta("--data", data, "load").status == 0
    assert tta("--data", data, "export", "csv", second).status == 0
    names = sorted(path.name for path in first.iterdir())
    assert "records.csv" in names and "fields.csv" in names
    assert [(first / name).read_bytes() for name in names] == [(second / name).read_bytes() for name in names]


def test_parse_prints_one_record_and_needs_no_data_folder(tmp_path: Path) -> None:
    done = tta("parse", SAMPLE, cwd=tmp_path)
    assert done.status == 0
    assert done.report["county"] == "Suffolk County"
    assert tta("parse", "-", stdin=SAMPLE.read_bytes(), cwd=tmp_path).report == done.report
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("stdin", "status", "kind"),
    [(LOGIN, 3, "blocked"), (b'{"a": 1}', 3, "not_html"), (b"\x89PNG\r\n\x1a\n\0\0", 3, "not_html"), (b"", 1, None)],
)
def test_parse_reports_what_a_page_is_that_is_no_record(stdin: bytes, status: int, kind: str | None) -> None:
    done = tta("parse", "-", stdin=stdin)
    assert done.status == status
    assert done.err
    assert (done.report["kind"] if done.out else None) == kind


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["import", "--help"], 0),
        ([], 2),
        (["nonsense"], 2),
        (["import"], 2),
        (["export", "nonsense", "x"], 2),
        (["parse", "/nowhere/at/all"], 1),
        (["import", "/nowhere/at/all"], 4),
    ],
)
def test_statuses(tmp_path: Path, arguments: list[str], status: int) -> None:
    done = tta("--data", tmp_path / "data", *arguments)
    assert done.status == status, done.err
    assert status == 0 or done.err


def test_a_name_with_control_characters_reaches_the_terminal_escaped(tmp_path: Path) -> None:
    path = tmp_path / "evil\x1b[31m\nname"
    path.write_bytes(b"")
    done = tta("--data", tmp_path / "data", "import", path)
    assert done.status == 4
    assert "\x1b" not in done.err and done.err.count("\n") == 1
    done = tta("--data", path / "data", "import", SAMPLE)  # a folder that can't be made
    assert (done.status, "\x1b" in done.err, done.err.count("\n")) == (1, False, 1)


def test_the_list_of_commands_fits_a_terminal_and_cuts_no_line() -> None:
    commands = tta("--help").out.partition("Commands:\n")[2].splitlines()
    assert len(commands) == 14
    assert [line for line in commands if line.endswith("...") or len(line) > 80] == []


def test_the_list_of_commands_has_the_first_sentence_of_each_command() -> None:
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    shown = click.HelpFormatter(width=200)
    cli.format_commands(context, shown)
    lines = [line.split(maxsplit=1) for line in shown.getvalue().splitlines()[1:]]
    assert lines == [[name, command.get_short_help_str(200)] for name, command in commands.items() if command]


_MANY_MODULES = 25
"""Packages of the standard library with this many modules take long to import, such as asyncio (33 modules, 60 ms)."""
_ARCHIVE = {"brotli", "click", "zstandard"}
_DATABASE = _ARCHIVE | {"orjson"}
_PARSERS = _DATABASE | {"selectolax", "webencodings"}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], {"click"}),
        (["--version"], {"click"}),
        (["status"], _DATABASE),
        (["why", "20250129-145639-07"], _PARSERS),
        (["parse", SAMPLE], _PARSERS),
        (["export", "csv", "out"], _DATABASE),
        (["import", SAMPLE], _ARCHIVE),
        (["load"], _PARSERS),
        (["refresh"], _PARSERS | {"h11", "Protego", "tomli_w"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_imports_only_the_libraries_that_it_needs(tmp_path: Path, arguments: list[object], needed: set[str]) -> None:
    (tmp_path / "tta.toml").write_text("[sources.wayback]\nenabled = false\n")
    if arguments[0] in ("why", "export", "load", "refresh"):
        for command in (["import", SAMPLE], ["load"]):
            assert tta("--data", tmp_path, *command).status == 0
    code = "import atexit, sys; atexit.register(lambda: print('imported', *sys.modules)); from scraper.cli import main; main()"
    command = [sys.executable, "-c", code, "--data", str(tmp_path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True)
    modules = Counter(name.partition(".")[0] for name in done.stdout.rpartition("imported ")[2].split())
    found = {one for name, ones in packages_distributions().items() if name in modules for one in ones} - {"setuptools", "tta"}
    assert found | {name for name in modules.keys() & sys.stdlib_module_names if modules[name] >= _MANY_MODULES} == needed
