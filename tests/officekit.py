"""LibreOffice for tests: opens a file as a double click would, says what each cell became, and can make a picture of it.

Its import dialog can't be shown here, so the dialog's own proposals are given: comma, semicolon and tab separate, the quotation
mark quotes, and UTF-8 because of the byte order mark.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from openpyxl import load_workbook

OFFICE = next(filter(None, map(shutil.which, ("soffice", "libreoffice"))), None)
REQUIRED = os.environ.get("TTA_REQUIRE_OFFICE") == "1"
SECONDS = 100


@dataclass(frozen=True)
class Cell:
    """A cell: its type (string, float, date, ...; empty for none), its value as text, and a formula where there is one."""

    type: str
    shown: str
    formula: str | None


def opened(path: Path, scratch: Path) -> list[list[Cell]]:
    """The rows of the only sheet that LibreOffice makes of a CSV file, without the empty ones at its end."""
    (sheet,) = sheets(path, scratch, "--infilter=CSV:44/59/9,34,76").values()
    return sheet


def sheets(path: Path, scratch: Path, *options: str) -> dict[str, list[list[Cell]]]:
    """The same of each sheet of a workbook, by name."""
    book = load_workbook(_converted(path, "xlsx", scratch / "opened", *options))
    return {sheet.title: [[_cell(one) for one in row] for row in sheet.iter_rows()] for sheet in book}


def _cell(one: Any) -> Cell:
    kind = {"s": "string", "n": "float" if one.number_format == "General" else one.number_format, "d": "date", "b": "boolean"}
    formula = one.value if one.data_type == "f" else None
    return Cell("" if one.value is None else kind.get(one.data_type, one.data_type), str(one.value or ""), formula)


def picture(path: Path, target: Path, scratch: Path) -> None:
    """Writes a PNG of the sheet's upper left corner as LibreOffice prints it, with grid and headings and no very wide column."""
    sheet = _converted(path, "fods", scratch, "--infilter=CSV:44/59/9,34,76")
    text = re.sub(r'column-width="(?:[2-9]|\d\d)\.\d+in"', 'column-width="2in"', sheet.read_text(encoding="utf-8"))
    page = 'style:print="headers grid" fo:page-width="12in" fo:page-height="2.9in" fo:margin="0.02in"'
    text = re.sub(r"<style:page-layout-properties", rf"\g<0> {page}", text)
    sheet.write_text(re.sub(r"<style:(header|footer)>", r'<style:\1 style:display="false">', text), encoding="utf-8")
    printed = _converted(sheet, "pdf", scratch)
    command = ["pdftoppm", "-png", "-gray", "-r", "80", "-singlefile", str(printed), str(target.with_suffix(""))]
    subprocess.run(command, timeout=SECONDS, check=True)


@cache
def _profile() -> TemporaryDirectory[str]:
    """LibreOffice's settings, made at its first start; removed when the tests have ended."""
    return TemporaryDirectory(prefix="tta-office-")


def _converted(path: Path, form: str, scratch: Path, *options: str) -> Path:
    """What LibreOffice makes of a file, in `scratch`."""
    if OFFICE is None:
        if REQUIRED:
            pytest.fail("TTA_REQUIRE_OFFICE is set and there is no soffice: install libreoffice-calc-nogui")
        pytest.skip("no LibreOffice here")
    profile = f"-env:UserInstallation={Path(_profile().name).as_uri()}"
    command = [OFFICE, profile, "--headless", *options, "--convert-to", form, "--outdir", str(scratch), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    made = scratch / f"{path.stem}.{form}"
    assert made.is_file(), done.stdout + done.stderr
    return made
