"""The researcher's page says what works: its commands, code and queries are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
import pytest

from scraper.cli import main
from tests.dbkit import query
from tests.webkit import ROOT, demo

GUIDE = (ROOT / "docs/guides/cite.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_the_guide_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folders = demo(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    (shell,) = blocks("sh")
    for line in shell.splitlines():
        with pytest.raises(SystemExit) as left:
            main(["--data", "data", *shlex.split(line, comments=True)[1:]])
        assert left.value.code == 0, capsys.readouterr().err
        if " parquet " in line:
            Path("out").rename("parquet")
    for file in Path("parquet").glob("*.parquet"):  # the guide's three folders are one here
        file.rename(Path("out", file.name))
    count = query(folders, "SELECT count(*) FROM records")[0][0]
    typed, from_csv = (run(code) for code in blocks("python"))
    ours = dict(query(folders, "SELECT value, count(*) FROM records, json_each(program_areas) GROUP BY value"))
    assert typed["by_area"].groupby("program_areas").sum().to_dict() == ours
    assert len(from_csv["records"]) == count and set().union(*filter(None, from_csv["records"]["program_areas"])) == set(ours)
    (sql,) = blocks("sql")
    with duckdb.connect() as connection:
        found = connection.execute(sql).fetchall()
    by_year = "SELECT fiscal_year, count(*), sum(evidence_based IS 1) FROM records GROUP BY fiscal_year ORDER BY fiscal_year"
    assert found == query(folders, by_year)
    for name in re.findall(r"`(\w+)\.csv`|`out/(\w+)\.\w+`", GUIDE):
        assert any(Path("out", f"{one}.csv").exists() or Path("out", f"{one}.json").exists() for one in name if one)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "cite.md", "exec"), names)
    return names
