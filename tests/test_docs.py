"""The documents: generated ones are up to date, and written ones refer to what exists."""

import re
from pathlib import Path

import pytest

from scraper.cli import cli
from scraper.database.tables import TABLES
from scraper.explore.metadata import LOOKS, QUESTIONS, metadata
from tests.dbkit import html, sql
from tests.documents import documents
from tests.fakearchive.run import write_config
from tests.fakearchive.server import FakeArchive
from tests.webkit import ROOT, demo

README = (ROOT / "README.md").read_text(encoding="utf-8")
ANALYST = (ROOT / "docs/guides/analyst.md").read_text(encoding="utf-8")
WRITTEN = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    file for folder in ("docs", "docs/decisions", "docs/deploy", "docs/guides") for file in (ROOT / folder).glob("*.md")
)


@pytest.mark.parametrize("name", documents())
def test_generated_document_is_up_to_date(name: str) -> None:
    """If this fails: `make docs`, and commit what it wrote."""
    assert (ROOT / name).read_text(encoding="utf-8") == documents()[name]


def test_every_table_has_a_look_and_facets_that_exist() -> None:
    assert set(LOOKS) == {table.name for table in TABLES}
    for table in TABLES:
        look = LOOKS[table.name]
        named = [*look.get("facets", ())]
        named += [name for name in map(look.get, ("sort", "sort_desc", "label_column")) if name] + look.get("first", [])
        assert set(named) <= set(table.columns)


def test_every_column_has_a_text() -> None:
    for table in metadata()["databases"]["tta"]["tables"].values():
        assert all(text.strip() for text in table.get("columns", {}).values())


def test_the_guide_names_the_questions_that_are_served_and_its_own_sql_has_answers(tmp_path: Path) -> None:
    assert [one.title for one in QUESTIONS.values() if one.title not in " ".join(ANALYST.split())] == []
    queries = re.findall(r"```sql\n(.*?)```", ANALYST, re.DOTALL)
    assert queries
    database = demo(tmp_path).database
    assert all(len(sql(database, query)) > 5 for query in queries)


def test_commands_of_the_readme_exist() -> None:
    named = set(re.findall(r"^(?:\S+ )*tta (?:--data \S+ )?([a-z]+)", README, re.MULTILINE)) | set(
        re.findall(r"`tta ([a-z]+)", README)
    )
    assert named
    assert named <= set(cli.commands) | set(cli.list_commands(None))


def test_python_examples_of_the_guide_run(fake: FakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = html({"County": "Suffolk County"}, node=150001)
    fake.add("https://bjatta.bja.ojp.gov/node/150001", "20240315120000", record)
    fake.add("https://bjatta.bja.ojp.gov/node/150001", "20230101000000", record)
    write_config(tmp_path / "tta.toml", fake.url)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    guide = (ROOT / "docs/guides/python.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert examples
    for example in examples:
        exec(example, {})
    assert sum(path.startswith("/web/") for path, _ in fake.requests) == 2


def test_the_readme_fits_on_one_screen() -> None:
    assert len(README.splitlines()) <= 50


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_tasks_of_documents_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / target).exists(), target
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= tasks
    for module in re.findall(r"`((?:scraper|parsers|tests|docs)/[\w./]+)`", text):
        assert (ROOT / module).exists(), module


@pytest.mark.parametrize("index", ["docs/README.md", "docs/decisions/README.md"])
def test_an_index_leads_to_every_document(index: str) -> None:
    path = ROOT / index
    linked = set(re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")))
    folders = [path.parent, path.parent / "guides"]
    there = {str(file.relative_to(path.parent)) for folder in folders for file in folder.glob("*.md") if file != path}
    assert there - linked == set()
