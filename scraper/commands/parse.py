"""`tta parse`: prints the record on one page as JSON; uses no database."""

import sys
import tempfile
from pathlib import Path

import click
import orjson

from parsers.record import Kind, ParseResult
from scraper.capture import Capture
from scraper.errors import DataLooksWrong, ExitStatus, TtaError
from scraper.reading import read_capture
from scraper.sources.files import read_file
from scraper.sources.saved import Unused
from scraper.terminal import escape


@click.command("parse")
@click.argument("path", metavar="PATH|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--url", metavar="ADDRESS", help="The page's address, if the file does not contain it.")
@click.option("--text", "is_text", is_flag=True, help="Read the page as a text capture, even if it looks like HTML.")
def parse(path: Path, url: str | None, is_text: bool) -> int:
    """Print the record on one page as JSON.

    PATH is an HTML file, a text capture, or a WARC file with one capture; - is standard input. If the page is not a record, its
    kind is printed and the status is 3.
    """
    page = _read(path, url, is_text=is_text)
    if page.record is None:
        click.echo(orjson.dumps({"kind": page.kind, "reason": page.reason}, option=orjson.OPT_INDENT_2))
        raise DataLooksWrong(f"{escape(path)}: not a TTA record but {page.kind.value}: {escape(page.reason)}")
    click.echo(orjson.dumps(page.record, option=orjson.OPT_INDENT_2))
    return ExitStatus.DONE


def _read(path: Path, url: str | None, *, is_text: bool) -> ParseResult:
    """Returns the ParseResult of the only capture in a file. Raises TtaError if the file has no capture or more than one."""
    captures: list[Capture] = []
    problems: list[Unused] = []
    with tempfile.NamedTemporaryFile() as copy:
        if str(path) == "-":
            copy.write(sys.stdin.buffer.read())
            copy.flush()
        for item in read_file(Path(copy.name) if str(path) == "-" else path):
            (problems if isinstance(item, Unused) else captures).append(item)  # type: ignore[arg-type]
            if len(captures) > 1:
                raise TtaError(f"{escape(path)}: contains more than one capture; use `tta import` and `tta load`")
    for problem in problems:
        click.echo(f"{escape(path)}: {escape(problem.reason)}", err=True)
    if not captures:
        if problems and problems[0].reason.startswith("not a page"):
            return ParseResult(kind=Kind.NOT_HTML, reason=problems[0].reason)
        raise TtaError(f"{escape(path)}: nothing to parse; give an HTML file, a text capture or a WARC file")
    return read_capture(captures[0], url=url, is_text=is_text)
