"""Whoever reads while a refresh is on sees yesterday's data until the commit and today's after it, never a mixture."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from scraper.database.checks import CheckInput, check_all
from scraper.refresh import run as refresh_run
from tests.dbkit import add, day, html, loaded, node, page
from tests.fakearchive.run import run, wait_for
from tests.webkit import serving

STATE = """select count(*) as records, sum(county = 'Old') as old, sum(county = 'New') as new,
    (select count(*) from fields where value = 'New') as fields, (select count(*) from captures) as captures,
    (select count(*) from changes) as changes,
    (select count(*) from records_fts where records_fts match 'new') as found,
    (select ifnull(max(run_id), 0) from runs) as run from records"""
READERS = 3
Answer = tuple[object, ...]


class Reader(threading.Thread):
    """Asks the server the same again and again."""

    def __init__(self, address: str, going_on: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.address = f"{address.rstrip('/')}/tta.json?_shape=array&sql={quote(STATE)}"
        self.going_on = going_on
        self.answers: Counter[Answer] = Counter()

    def run(self) -> None:
        while self.going_on():
            with urlopen(self.address, timeout=30) as answer:
                self.answers[tuple(json.load(answer)[0].values())] += 1
            time.sleep(0.02)


def test_every_answer_of_a_live_server_is_wholly_old_or_wholly_new(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [page(html({"County": "Old"}, node=n), url=node(n), when=day(0)) for n in range(1, 61)]
    new = [page(html({"County": "New"}, node=n), url=node(n), when=day(1)) for n in range(1, 91)]
    folders = loaded(tmp_path / "data", old)
    add(folders, new)
    yesterday, today = (60, 60, 0, 0, 60, 0, 0, 0), (90, 0, 90, 90, 150, 60, 90, 1)
    patient = tmp_path / "tta.toml"
    patient.write_text("[serve]\nquery_seconds = 30\n")  # on a busy machine a query waits for more than a second
    with serving(folders, config=patient) as address:
        over = threading.Event()
        readers = [Reader(address, lambda: not over.is_set()) for _ in range(READERS)]
        asked_within = []

        def slow(looked: CheckInput) -> object:
            """All is written and nothing committed: several answers are given now."""
            before = sum(reader.answers.total() for reader in readers)
            wait_for(lambda: sum(reader.answers.total() for reader in readers) >= before + 6)
            asked_within.append(True)
            return check_all(looked)

        monkeypatch.setattr(refresh_run, "check_all", slow)
        for reader in readers:
            reader.start()
        wait_for(lambda: all(reader.answers for reader in readers))
        assert run(folders.data, offline, command="refresh").status == 0
        wait_for(lambda: all(reader.answers[today] for reader in readers))
        time.sleep(0.1)
        over.set()
        for reader in readers:
            reader.join(30)
    assert asked_within
    assert set().union(*(reader.answers for reader in readers)) == {yesterday, today}
