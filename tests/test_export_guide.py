"""The researcher's page says what works: its commands, code and queries are run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.commandkit import tta
from tests.dbkit import day, html, loaded, node, page, query
from tests.officekit import picture
from tests.webkit import ROOT, demo

GUIDE = (ROOT / "docs/guides/cite.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_the_guide_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = demo(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for line in map(str.strip, "".join(blocks("sh")).strip().splitlines()):
        ran = tta("--data", "data", *shlex.split(line, comments=True)[1:])
        assert ran.status == 0, ran.err
        if " parquet " in line or " datapackage " in line:
            Path("out").rename(line.split()[2])
    (said,) = re.findall(r'it ends in "(.*?)"', GUIDE)
    assert said in json.loads(Path("evidence/MANIFEST.json").read_text())["citation"]
    for file in [
        *Path("parquet").glob("*.parquet"),
        Path("datapackage/datapackage.json"),
    ]:  # the guide's three folders are one here
        file.rename(Path("out", file.name))
    count = query(folders, "SELECT count(*) FROM records")[0][0]
    monkeypatch.syspath_prepend(ROOT / "docs/examples")
    typed, from_csv = (run(code) for code in blocks("python"))
    ours = dict(query(folders, "SELECT value, count(*) FROM records, json_each(program_areas) GROUP BY value"))
    assert typed["by_area"].groupby("program_areas").sum().to_dict() == ours
    records = from_csv["records"]
    assert len(records) == count and set(records["program_areas"].explode().dropna()) == set(ours)
    ours_answered = query(folders, "SELECT count(evidence_based), sum(evidence_based), max(last_captured_at) FROM records")
    answered = from_csv["answered"]
    assert [(len(answered), answered.sum(), f"{records['last_captured_at'].max():%Y-%m-%dT%H:%M:%SZ}")] == ours_answered
    (sql,) = blocks("sql")
    with duckdb.connect() as connection:
        found = connection.execute(sql).fetchall()
    by_year = "SELECT fiscal_year, count(*), sum(evidence_based IS 1) FROM records GROUP BY fiscal_year ORDER BY fiscal_year"
    assert found == query(folders, by_year)
    for name in re.findall(r"`(\w+)\.csv`|`out/(\w+)\.\w+`", GUIDE):
        assert any(Path("out", f"{one}.csv").exists() or Path("out", f"{one}.json").exists() for one in name if one)


def test_r_loads_a_data_package(tmp_path: Path) -> None:
    if subprocess.run(["sh", "-c", "Rscript -e 'library(jsonlite)'"], capture_output=True, check=False).returncode:
        pytest.skip("no R with jsonlite here")
    texts: dict[str, str | list[str]] = {"County": "＝1+1", "TTA Title": "'tis", "TTA Program Area": ["Courts", "Ünïcode"]}
    folders = loaded(tmp_path / "data", [page(html(texts), url=node(1), when=day(0)), page(html({}), url=node(2), when=day(1))])
    assert tta("--data", folders.data, "export", "datapackage", tmp_path / "out").status == 0
    script = f'source("{ROOT}/docs/examples/load.R"); r <- load_tta("{tmp_path}/out/datapackage.json")$records; '
    script += "cat(nrow(r), r$county[1], r$tta_title[1], r$program_areas[[1]], format(max(r$last_captured_at)), sep = '|')"
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "2|＝1+1|'tis|Courts|Ünïcode|2025-01-02 12:00:00"


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "cite.md", "exec"), names)
    return names


@pytest.mark.skipif(os.environ.get("TTA_SCREENSHOTS") != "1", reason="pictures are taken when asked: make screenshots")
def test_take_the_picture_of_the_spreadsheet(tmp_path: Path) -> None:
    folders = demo(tmp_path / "data")
    command = blocks("sh")[0].replace("evidence/", str(tmp_path / "evidence"))
    tta("--data", folders.data, *shlex.split(command)[1:])
    file = ROOT / "docs/images/spreadsheet.png"
    picture(tmp_path / "evidence/records_flat.csv", file, tmp_path)
    assert file.stat().st_size < 150_000
