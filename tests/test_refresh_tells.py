"""What a refresh reports: the log, the healthcheck, the report, `tta status`."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scraper.config import load_config
from scraper.database import runs
from scraper.fetch.run import Display
from scraper.folders import Folders
from scraper.refresh.run import Log, RefreshOptions, refresh
from tests.commandkit import tta
from tests.dbkit import add, day, html, loaded, node, page, query
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, run, write_config
from tests.fakearchive.server import FakeArchive

AT = "20240101000000"
HOSTILE = "Evil\x1b[31m\u202elabel\nnew line"


def healthchecks(fake: FakeArchive, status: int = 200) -> str:
    """Makes it a healthcheck service as well; returns its address."""
    fake.always = lambda handler: handler.path.startswith("/ping/") and handler.answer(status)
    return f"{fake.url}/ping/secret"


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def shown(fake: FakeArchive, tmp_path: Path) -> Callable[..., str]:
    """What a command prints."""
    config = write_config(tmp_path / "tta.toml", fake.url)
    return lambda *arguments: tta("--data", tmp_path / "data", "--config", config, *arguments).out


def test_the_healthcheck_is_notified_of_start_success_and_failure(fake: FakeArchive, tmp_path: Path) -> None:
    config, log = write_config(tmp_path / "tta.toml", fake.url, refresh__healthcheck_url=healthchecks(fake)), tmp_path / "log"
    for at, body, status, end in (("20240101000000", html({}), 0, ""), ("20240201000000", b"<h1>No record</h1>", 3, "/fail")):
        for n in range(1, 31):
            fake.add(f"https://{HOST}/node/{n}", at, body + bytes([n + 64]))
        fake.arrivals.clear()
        assert run(tmp_path / "data", config, "--log-file", str(log), command="refresh").status == status
        asked = [path for _, path in fake.arrivals if path.startswith("/ping/")]
        assert asked == ["/ping/secret/start", f"/ping/secret{end}"]
    assert "secret" not in log.read_text()


@pytest.mark.parametrize("fault", [500, 302, None])
def test_a_healthcheck_that_fails_changes_nothing_but_the_log(fake: FakeArchive, tmp_path: Path, fault: int | None) -> None:
    folders = Folders(tmp_path / "data")
    add(folders, [page(html({}), url=node(1), when=day(0))])
    url = healthchecks(fake, fault) if fault else "http://127.0.0.1:9/"
    config = write_config(tmp_path / "tta.toml", url, sources__wayback__enabled=False, refresh__healthcheck_url=url)
    ran = run(folders.data, config, "--log-file", str(tmp_path / "log"), command="refresh")
    assert (ran.status, ran.err) == (0, "")
    assert [one["level"] for one in events(tmp_path / "log") if one["event"].startswith("healthcheck")] == ["warning", "warning"]


def test_a_healthcheck_address_that_may_not_be_asked_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    add(Folders(tmp_path / "data"), [page(html({}), url=node(1), when=day(0))])
    for url in (
        "http://example.org/ping",
        "https://127.0.0.1/",
        "http://169.254.169.254/x",
        "ftp://a.org/",
        "https://a.org:8443/",
    ):
        config = write_config(tmp_path / "tta.toml", url, sources__wayback__enabled=False, refresh__healthcheck_url=url)
        ran = run(tmp_path / "data", config, command="refresh")
        assert (ran.status, "healthcheck_url" in ran.err, ran.err.count("\n")) == (2, True, 1), (url, ran.err)


def test_the_log_holds_json_lines_without_words_of_pages(fake: FakeArchive, tmp_path: Path) -> None:
    for n in range(1, 9):
        fake.add(f"https://{HOST}/node/{n}", AT, html({HOSTILE: "Rain"}, node=n, title="A secret title", submitted="Ada Example"))
    alias = fake.add(f"https://{HOST}/tta/help-for-ada-example?mail=ada@example.org", AT, html({}, node=9))
    fake.fault(alias, *[faults.answers(503)] * 20)
    log = tmp_path / "log"
    config = write_config(tmp_path / "tta.toml", fake.url)
    for _ in range(2):
        ran = run(tmp_path / "data", config, "--now", "--log-file", str(log), command="refresh")
        assert ran.status == 4, ran.err
    text = log.read_text()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|secret|ada|Ada", text), text
    assert [one["event"] for one in events(log) if one["event"].startswith("run.")] == ["run.start", "run.committed"] * 2
    failed = [one["text"] for one in events(log) if one["event"] == "fetch.told"]
    assert len(failed) == 2
    assert failed[0].startswith(f"wayback: {AT} https://{HOST}/...")
    assert all({"time", "level", "event", "pid"} <= one.keys() for one in events(log))


def test_the_log_goes_on_in_a_new_file_when_it_was_moved_away(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.info("one", text="\x1b[31m a\nb https://bjatta.bja.ojp.gov/node/7?x=1 https://bjatta.bja.ojp.gov/tta/somebody")
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.info("two")
    assert [one["event"] for one in events(tmp_path / "log")] == ["two"]
    (first,) = events(tmp_path / "log.1")
    assert first["text"] == "\\x1b[31m a\\x0ab https://bjatta.bja.ojp.gov/node/7 https://bjatta.bja.ojp.gov/..."
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0


def test_a_log_that_cannot_be_written_is_reported_before_anything_is_done(fake: FakeArchive, tmp_path: Path) -> None:
    config = write_config(tmp_path / "tta.toml", fake.url)
    ran = run(tmp_path / "data", config, "--log-file", str(tmp_path / "none" / "log"), command="refresh")
    assert (ran.status, "--log-file" in ran.err, fake.arrivals) == (1, True, [])


def test_a_mistake_after_the_checks_is_no_success(tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run calls itself committed by then, and the commit does not come."""
    add_run = runs.add

    def mistaken(*_: object) -> int:
        monkeypatch.setattr(runs, "add", add_run)
        raise AssertionError

    folders = loaded(tmp_path / "data", [page(html({}), url=node(1), when=day(1))])
    monkeypatch.setattr(runs, "add", mistaken)
    with pytest.raises(AssertionError), Display() as display:
        refresh(folders, load_config(offline), RefreshOptions(log_file=tmp_path / "log"), display)
    assert events(tmp_path / "log")[-1]["event"] == "run.failed"
    assert query(folders, "SELECT outcome FROM runs") == [("failed",)]


def test_a_new_label_is_in_the_report_escaped_and_not_in_the_log(fake: FakeArchive, tmp_path: Path) -> None:
    config = write_config(tmp_path / "tta.toml", fake.url, checks__unknown_label_records=2)
    command, told = ("--data", tmp_path / "data", "--config", config), ""
    for n in range(1, 9):
        fake.add(f"https://{HOST}/node/{n}", AT, html({"Category" if n < 3 else HOSTILE: "Rain"}, node=n))
        if n in (2, 8):
            ran = tta(*command, "refresh", "--log-file", tmp_path / "log")
            told += ran.out + ran.err
    assert "look at: unknown labels (Evil" in ran.err
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", told + tta(*command, "status").out)
    assert [one["name"] for one in events(tmp_path / "log") if one["event"] == "check"].count("unknown labels") == 2
    assert "Evil" not in (tmp_path / "log").read_text()


def test_the_report_is_read_in_ten_seconds_and_status_knows_the_last_run(fake: FakeArchive, shown: Callable[..., str]) -> None:
    fake.add(f"https://{HOST}/node/1", AT, html({}, node=1))
    lines = shown("refresh").splitlines()
    assert len(lines) <= 12
    assert re.fullmatch(r"run      \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, number 1", lines[0])
    assert lines[1:4] == [
        "fetched  wayback: 1 new captures, 1 listed, 0 waiting; done",
        "loaded   1 captures, 1 records written",
        "records  none before, 1 now; 0 new changes",
    ]
    assert lines[-1] == "committed: the database has the new data"
    (refreshed,) = [line for line in shown("status").splitlines() if line.startswith("refreshed")]
    assert refreshed.endswith("the database has the new data")
