"""An export is whole or not there, and its manifest proves which."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scraper.errors import DataLooksWrong, TtaError
from scraper.export import csvfile, jsonfiles, manifest, run
from scraper.export.run import FOLDERS
from scraper.export.selection import Selection
from scraper.export.tables import EXPORTED
from scraper.folders import Folders
from tests.commandkit import tta
from tests.dbkit import day, exported, html, loaded, node, page, query

FORMATS = sorted({*run.FORMATS} - {"site"})
"""A site has tests of its own."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    captures = [page(html({"County": f"County {number}"}), url=node(number), when=day(number)) for number in range(1, 6)]
    return loaded(tmp_path_factory.mktemp("files") / "data", captures)


def written(folders: Folders, form: str, path: Path, selection: Selection | None = None) -> Path:
    exported(form, folders, path, selection)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("form", FORMATS)
def test_the_manifest_says_what_was_written(folders: Folders, tmp_path: Path, form: str) -> None:
    out = written(folders, form, tmp_path / "out", Selection(where="node_id > 2"))
    beside = out / "MANIFEST.json" if form in FOLDERS else tmp_path / "out.manifest.json"
    told = json.loads(beside.read_text())
    assert (told["format"], told["selection"]["where"], told["selection"]["contacts"]) == (form, "node_id > 2", True)
    assert told["database"]["captures"] == 5 and told["database"]["last_captured_at"] == "2025-01-06T12:00:00Z"
    files = {file["name"]: file for file in told["files"]}
    folder = out if form in FOLDERS else tmp_path
    assert set(files) == {name for name in names(folder) if not name.lower().endswith("manifest.json")}
    for name, file in files.items():
        data = (folder / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert data.startswith(b"PAR1") is name.endswith(".parquet")
    if form in FOLDERS:
        suffix = "parquet" if form == "parquet" else "csv"
        assert files[f"records.{suffix}"]["rows"] == 3
    else:
        assert files["out"]["rows"] == (0 if form == "geojson" else 3)
    assert manifest.verify(out) == (len(files), [])


HARM = {
    "changed": ("has other content", lambda path, data: path.write_bytes(data.replace(b"County 3", b"County 4"))),
    "cut": ("has other content", lambda path, data: path.write_bytes(data[:-9])),
    "removed": ("No such file", lambda path, _: path.unlink()),
}


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_named_and_a_file_beside_the_export_does_not_matter(folders: Folders, tmp_path: Path, harm: str) -> None:
    out = written(folders, "csv", tmp_path / "out")
    (out / "notes.txt").write_text("mine")
    assert manifest.verify(out) == (len(EXPORTED) + 1, [])
    said, do = HARM[harm]
    do(out / "fields.csv", (out / "fields.csv").read_bytes())
    with pytest.raises(DataLooksWrong, match=rf"fields\.csv.*{said}"):
        manifest.verify(out)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"files": []}',
        '{"files": [{"name": "../x", "rows": 1, "bytes": 1, "sha256": ""}]}',
        "[" * 100_000,
        "shorter",
        "behind 50 MB of spaces",
    ],
)
def test_a_strange_manifest_is_a_line(folders: Folders, tmp_path: Path, content: str) -> None:
    written(folders, "csv", tmp_path)
    told = json.loads((tmp_path / "MANIFEST.json").read_text())
    strange = {
        "shorter": json.dumps(told | {"files": told["files"][1:]}),
        "behind 50 MB of spaces": " " * 50_000_000 + json.dumps(told),
    }
    (tmp_path / "MANIFEST.json").write_text(strange.get(content, content))
    with pytest.raises(TtaError, match="is not a manifest"):
        manifest.verify(tmp_path)
    assert manifest.read_owned(tmp_path / "MANIFEST.json") == {}


def test_verify_as_a_command(folders: Folders, tmp_path: Path) -> None:
    out = written(folders, "jsonl", tmp_path / "r.jsonl")

    def verified(path: Path) -> tuple[int, str]:
        ran = tta("export", "--verify", path)
        assert ran.err.count("\n") <= 1
        return ran.status, ran.out + ran.err

    assert verified(out) == (0, f"{out}: 1 file is as exported\n")
    out.write_bytes(out.read_bytes()[:-1])
    assert verified(out)[0] == 3
    (tmp_path / "r.jsonl.manifest.json").unlink()
    assert verified(out)[0] == 1
    assert verified(tmp_path / "nothing")[0] == 1


def test_a_narrower_export_takes_its_own_older_files_away(folders: Folders, tmp_path: Path) -> None:
    out = written(folders, "csv", tmp_path)
    (out / "mine.csv").write_text("kept")
    written(folders, "csv", out, Selection(tables=("records",)))
    assert names(out) == ["CITATION.cff", "MANIFEST.json", "mine.csv", "records.csv"]
    written(folders, "parquet", out, Selection(tables=("records",)))
    assert names(out) == ["CITATION.cff", "MANIFEST.json", "mine.csv", "records.parquet"]


@pytest.mark.parametrize(
    ("form", "victim", "content"),
    [
        ("csv", "out/records.csv", "the thesis of three years"),
        ("csv", "out/MANIFEST.json", "{}"),
        ("jsonl", "out", "the thesis of three years"),
        ("xlsx", "out", "the thesis of three years"),
    ],
)
@pytest.mark.parametrize("exported_before", [False, True])
def test_a_file_that_no_export_wrote_is_never_replaced(
    folders: Folders, tmp_path: Path, form: str, victim: str, content: str, exported_before: bool
) -> None:
    """Also one that an export wrote and somebody changed since."""
    if exported_before:
        written(folders, form, tmp_path / "out")
    path = tmp_path / victim
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(TtaError, match="move it away"):
        written(folders, form, tmp_path / "out")
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_an_export_that_is_killed_while_its_files_take_their_places_can_be_run_again(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = written(folders, "csv", tmp_path / "out", Selection(where="node_id = 1"))
    replace, moved = Path.replace, []

    def killed(self: Path, target: Path) -> Path:
        if self.suffix == ".csv":
            moved.append(self.name)
            if len(moved) == 4:
                raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        written(folders, "csv", out)
    monkeypatch.undo()
    with pytest.raises(TtaError, match="not complete"):
        manifest.verify(out)
    assert manifest.verify(written(folders, "csv", out)) == (len(EXPORTED) + 1, [])
    assert not [name for name in names(out) if name.startswith(".")]


_OPENSSL = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout {key}.key -out {key}.crt",
    "openssl cms -sign -binary -signer {key}.crt -inkey {key}.key -in {} -out {}.p7s -outform DER",
    "openssl cms -verify -binary -inform DER -in {}.p7s -content {} -CAfile {key}.crt -purpose any -out /dev/null",
)
_MINISIGN = ("minisign -G -W -p {key}.pub -s {key}.key", "minisign -S -s {key}.key -m {}", "minisign -V -p {key}.pub -m {}")
_AUTHORITY = """exec >/dev/null 2>&1; set -e; cd "$(dirname "$0")"
if [ "$1" = make ]; then
    use="extendedKeyUsage=critical,timeStamping"
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=me -addext $use -keyout $2.key -out $2.crt
    printf "%s\\n" "[tsa]" "default_tsa = t" "[t]" "serial = $2.no" "default_policy = 1.2.3" "digests = sha256" > $2.cnf
    echo "signer_digest = sha256" >> $2.cnf
else
    openssl ts -query -data $3 -sha256 -cert -out $2.tsq
    openssl ts -reply -queryfile $2.tsq -config $2.cnf -signer $2.crt -inkey $2.key -out $3.tsr
fi"""
_STAMP = ("sh {key}.sh make {key}", "sh {key}.sh stamp {key} {}", "openssl ts -verify -data {} -in {}.tsr -CAfile {key}.crt")


@pytest.mark.parametrize(
    ("commands", "suffix"), [(_OPENSSL, "p7s"), (_MINISIGN, "minisig"), (_STAMP, "tsr")], ids=["openssl", "minisign", "timestamp"]
)
def test_a_signature_is_made_and_checked_by_the_users_own_commands(
    folders: Folders, tmp_path: Path, commands: tuple[str, str, str], suffix: str
) -> None:
    """A changed manifest, another key and a forgotten check are reported."""
    if shutil.which(commands[0].split()[0]) is None:
        pytest.skip(f"no {commands[0].split()[0]} here")
    mine, other = ([one.replace("{key}", f"{tmp_path}/{name}") for one in commands] for name in ("mine", "other"))
    for name, make in (("mine", mine[0]), ("other", other[0])):
        (tmp_path / f"{name}.sh").write_text(_AUTHORITY)
        subprocess.run(make.split(), check=True, capture_output=True, stdin=subprocess.DEVNULL)
    out = tmp_path / "out"

    def said(*arguments: object) -> tuple[int, str]:
        ran = tta("--data", folders.data, "export", *arguments)
        return ran.status, ran.err

    signature = out / f"MANIFEST.json.{suffix}"
    assert said("csv", out, "--sign", mine[1])[0] == 0 and signature.is_file()
    checked = ["--verify", out, "--check", mine[2]]
    assert said(*checked) == (0, "")
    assert said("--verify", out) == (0, f"{signature.name}: not checked; give the command that checks it with --check\n")
    assert said("--verify", out, "--check", other[2])[0] == 3
    told = (out / "MANIFEST.json").read_text()
    (out / "MANIFEST.json").write_text(told.replace("tta 0", "tta 1"))
    assert said("--verify", out)[0] == 0 and said(*checked)[0] == 3
    (out / "MANIFEST.json").write_text(told)
    assert said("csv", out)[0] == 0 and not signature.exists()  # it was of the manifest before
    assert said("csv", out, "--sign", "no-such-program {}")[0] == 1
    assert said("csv", "-", "--table", "records", "--sign", mine[1])[0] == 2 and said("csv", out, "--check", mine[2])[0] == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_where_the_disk_is_full_the_old_export_stays(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    out = written(folders, form, tmp_path / "out", Selection(where="node_id = 1"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TtaError, match="No space left on device; nothing was exported"):
        written(folders, form, out)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert manifest.verify(out)


@pytest.mark.parametrize(("form", "number"), [("csv", signal.SIGTERM), ("jsonl", signal.SIGINT)])
def test_an_export_that_is_ended_leaves_nothing_half_done(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, number: int
) -> None:
    def ended(rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            yield row
            signal.raise_signal(number)

    write, lines = csvfile.write, jsonfiles.json_lines
    monkeypatch.setattr(csvfile, "write", lambda columns, rows, file, **more: write(columns, ended(rows), file, **more))
    monkeypatch.setattr(jsonfiles, "json_lines", lambda source: ended(lines(source)))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    try:
        ran = tta("--data", folders.data, "export", form, tmp_path / "out")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ran.status, ran.err.strip()) == (4, "tta: stopped")
    assert list(tmp_path.iterdir()) == []


def test_text_is_written_as_it_goes() -> None:
    """Rows are not gathered before the first is written."""

    def broken() -> Iterator[tuple[str]]:
        yield from (("x" * 100,) for _ in range(5_000))
        raise KeyboardInterrupt

    file = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        csvfile.write(["a"], broken(), file)
    assert file.tell() > 400_000


def test_standard_output_has_no_manifest(folders: Folders, tmp_path: Path) -> None:
    command = ("--data", folders.data, "export", "csv", "-", "--table", "fields", "--columns", "label,value")
    ran = tta(*command, cwd=tmp_path)
    assert ran.out.startswith("record_id,position,label,value\r\n") and list(tmp_path.iterdir()) == []
    assert ran.out.count("\r\n") == 1 + query(folders, "SELECT count(*) FROM fields")[0][0]
    assert (ran.status, "\x1b" in ran.err, ran.err.count("\n")) == (0, False, 1)


def test_the_citation_file_names_the_files_and_the_newest_capture(folders: Folders, tmp_path: Path) -> None:
    out = written(folders, "datapackage", tmp_path / "out")
    told = yaml.safe_load((out / "CITATION.cff").read_text())
    citation = json.loads((out / "MANIFEST.json").read_text())["citation"]
    assert (told["type"], told["date-released"], told["message"]) == ("dataset", "2025-01-06", citation)
    assert told["identifiers"][0]["value"].removeprefix("sha256:") in citation
