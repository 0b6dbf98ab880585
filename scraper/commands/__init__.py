"""The `tta` commands, one module each: options, wording and exit status. The work is done by the packages they call.

This module has the options that several commands share, and prints all results.
"""

import json
from collections.abc import Iterable
from typing import Literal

import click

from scraper.terminal import escape

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
workers_option = click.option(
    "--workers", metavar="N", type=click.IntRange(1, 256), help="Number of parallel processes; by default as many as are useful."
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Use the dask cluster with this scheduler, such as tcp://10.0.0.5:8786."
)
without_contacts = click.option(
    "--without-contacts",
    "contacts",
    flag_value="without",
    help="Leave out people's names, email addresses and phone numbers, except in prose.",
)
strict_contacts = click.option(
    "--strict-contacts", "contacts", flag_value="strict", help="The same, and mask email addresses and phone numbers in prose."
)
MODES: dict[str | None, bool | Literal["strict"]] = {None: True, "without": False, "strict": "strict"}
"""Converts the two options to a mode of `scraper.database.contacts`."""


def show(result: object, lines: Iterable[str], problems: Iterable[object] = (), *, as_json: bool = False) -> None:
    """Prints problems to standard error, one per line, and the result to standard output: as lines, or as JSON."""
    for problem in problems:
        click.echo(escape(problem, 1000), err=True)
    for line in [json.dumps(result, indent=2)] if as_json else lines:
        click.echo(line)
