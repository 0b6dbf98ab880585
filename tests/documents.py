"""Writes the generated documents: Datasette's two files, the command reference and the data dictionary. `make docs` runs it."""

from pathlib import Path

import click
import yaml

from scraper.cli import cli
from scraper.database.schema import dictionary_rows
from scraper.database.tables import TABLES
from scraper.explore.lines import config
from scraper.explore.metadata import metadata

ROOT = Path(__file__).parents[1]
MADE = "<!-- Made by `make docs`; edit the texts in the code instead. -->"
HEADER = "# Made by `make docs` from parsers/registry.toml, record.py, scraper/database/tables.py, explore/; edit those.\n"
WIDTH = 100


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
)


def documents() -> dict[str, str]:
    """Every generated file by its path from the repository's root."""
    return {
        "metadata.yml": _yaml(metadata()),
        "datasette.yaml": _yaml(config()),
        "docs/commands.md": commands(),
        "docs/dictionary.md": dictionary(),
    }


def _yaml(content: object) -> str:
    return HEADER + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=130)


def commands() -> str:
    """The `--help` text of every command."""
    parts = [MADE, "", "# Commands"]
    context = click.Context(cli, info_name="tta", terminal_width=WIDTH, max_content_width=WIDTH, **cli.context_settings)
    for name in [None, *cli.list_commands(context)]:
        command = cli.get_command(context, name) if name else cli
        assert command
        shown = click.Context(command, context, name) if name else context
        parts += ["", *([f"## tta {name}", ""] if name else []), "```text", command.get_help(shown), "```"]
    return "\n".join(parts) + "\n"


def dictionary() -> str:
    """Every table and column with its description."""
    parts = [MADE, "", "# Data dictionary", ""]
    parts += [f"* [{table.name}](#{table.name}): {table.about}" for table in TABLES]
    header = ["| column | heading | meaning | unit | label on the page |", "| --- | --- | --- | --- | --- |"]
    for table in TABLES:
        parts += ["", f"## {table.name}", "", table.about, "", *header]
        for of, column, text, label, unit, heading in dictionary_rows():
            if of == table.name:
                cells = (heading, text, unit, label)
                parts.append(" | ".join([f"| `{column}`", *((cell or "").replace("|", "\\|") for cell in cells)]) + " |")
    return "\n".join(parts) + "\n"


def write(root: Path = ROOT) -> list[Path]:
    """Writes the files; returns those that were not up to date."""
    changed = []
    for name, text in documents().items():
        path = root / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for path in write():
        click.echo(path.relative_to(ROOT))
