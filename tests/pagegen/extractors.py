"""Foreign text extractors over a page: how others make text of HTML, in as many styles as can be had.

Those in Python are development dependencies. Those in `PROGRAMS` are used where they are installed: w3m, lynx, elinks,
html2text (the C program) and pandoc. `DISGUISES` are what happens to a text afterwards.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable

import html2text
import inscriptis
import trafilatura
from bs4 import BeautifulSoup
from markdownify import markdownify
from resiliparse.extract.html2text import extract_plain_text

Extractor = Callable[[str], str]
SECONDS = 60


def _html2text(html: str, **options: object) -> str:
    converter = html2text.HTML2Text()
    for name, value in options.items():
        setattr(converter, name, value)
    return str(converter.handle(html))


def _soup(html: str, separator: str, *, strip: bool) -> str:
    return BeautifulSoup(html, "html.parser").get_text(separator, strip=strip)


def _program(*command: str) -> Extractor:
    def run(html: str) -> str:
        done = subprocess.run(command, input=html.encode(), capture_output=True, timeout=SECONDS, check=True)
        return done.stdout.decode("utf-8", "replace")

    return run


LIBRARIES: dict[str, Extractor] = {
    "resiliparse main": lambda html: extract_plain_text(html, main_content=True),
    "resiliparse": extract_plain_text,
    "resiliparse links": lambda html: extract_plain_text(html, links=True, alt_texts=True),
    "trafilatura": lambda html: trafilatura.extract(html) or "",
    "trafilatura recall": lambda html: trafilatura.extract(html, favor_recall=True) or "",
    "trafilatura markdown": lambda html: (
        trafilatura.extract(html, output_format="markdown", include_links=True, include_formatting=True) or ""
    ),
    "trafilatura html2txt": trafilatura.html2txt,
    "inscriptis": inscriptis.get_text,
    "html2text": _html2text,
    "html2text unwrapped": lambda html: _html2text(html, body_width=0, ignore_links=True),
    "html2text references": lambda html: _html2text(html, inline_links=False),
    "markdownify": markdownify,
    "get_text": lambda html: _soup(html, "", strip=False),
    "get_text lines": lambda html: _soup(html, "\n", strip=True),
    "get_text one line": lambda html: _soup(html, " ", strip=True),
}
PROGRAMS: dict[str, tuple[str, ...]] = {
    "w3m": ("w3m", "-dump", "-T", "text/html", "-I", "utf-8", "-O", "utf-8", "-cols", "80"),
    "lynx": ("lynx", "-stdin", "-dump", "-assume_charset=utf-8", "-display_charset=utf-8"),
    "lynx wide": ("lynx", "-stdin", "-dump", "-nolist", "-width=1000", "-assume_charset=utf-8", "-display_charset=utf-8"),
    "elinks": ("elinks", "-dump", "-dump-charset", "utf-8", "-force-html"),
    "html2text (C)": ("/usr/bin/html2text", "-utf8", "-nobs"),
    "pandoc plain": ("pandoc", "-f", "html", "-t", "plain"),
    "pandoc markdown": ("pandoc", "-f", "html", "-t", "markdown"),
    "pandoc gfm": ("pandoc", "-f", "html", "-t", "gfm", "--wrap=none"),
}
ADDRESS = "https://bjatta.bja.ojp.gov/node/7"
FORWARDED = "---------- Forwarded message ---------\nFrom: Pat Doe <pat@example.org>\nSubject: A record\n\n"
LABEL = "County|Category|Archived|I Agree|Status of Deliverable|Recipient Agency Scope|Target Audience|TTA \\w+(?: \\w+)?"


def _paired(text: str, separator: str) -> str:
    return re.sub(rf"(?m)^({LABEL})\n(?=\S)", lambda found: found[1] + separator, text)


def _printed(lines: list[str]) -> str:
    """Pages of nine lines, with what a browser prints at their edges."""
    pages = [lines[at : at + 9] for at in range(0, len(lines), 9)]
    edges = (
        ("1/29/24, 2:56 PM   A record | Portal\n\n", f"\n\n{ADDRESS}   {at}/{len(pages)}\n\f") for at in range(1, len(pages) + 1)
    )
    return "".join(top + "\n".join(page) + foot for page, (top, foot) in zip(pages, edges, strict=True))


DISGUISES: dict[str, Extractor] = {
    "quoted": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "quoted, 72 columns": lambda text: "\n".join(
        f"> {piece}" for line in text.split("\n") for piece in textwrap.wrap(line, 70, break_long_words=False) or [""]
    ),
    "line numbers": lambda text: "\n".join(f"{at:4d}: {line}" for at, line in enumerate(text.split("\n"), start=1)),
    "double-spaced": lambda text: text.replace("\n", "\n\n"),
    "no blank lines": lambda text: re.sub(r"\n\s*\n+", "\n", text),
    "CRLF, no-break spaces": lambda text: text.replace("\n", "\r\n").replace(" - ", "\xa0- "),
    "60 columns": lambda text: "\n".join(
        piece for line in text.split("\n") for piece in textwrap.wrap(line, 60, break_long_words=False) or [""]
    ),
    "one line": lambda text: " ".join(text.split()),
    "colons": lambda text: re.sub(r"\?\n(?=Yes|No)", "? ", _paired(text, ": ")),
    "tabs": lambda text: _paired(text, "\t"),
    "arrows": lambda text: _paired(text, " → "),
    "CSV": lambda text: re.sub('(?m)^(.*)","(.*)$', r'"\1","\2"', _paired(text, '","')),
    "nothing between": lambda text: _paired(text, ""),
    "capitals": lambda text: re.sub(rf"(?m)^({LABEL})$", lambda found: found[0].upper(), text),
    "unseen characters": lambda text: (
        re.sub(r"(?<=[a-z])(?=[a-z])", "\u00ad", text).replace(" ", " \u200b").replace("-", "\u2011")
    ),
    "printed": lambda text: _printed(text.split("\n")),
    "printed by an archive": lambda text: (
        f"The Wayback Machine - https://web.archive.org/web/2024/{ADDRESS}\n\n3 captures\n{text}"
    ),
    "in a mail": lambda text: f"{FORWARDED}{ADDRESS}\n\n{text}\n-- \nPat Doe\nLead Analyst\n(555) 555-0199\n",
    "quoted in a mail": lambda text: (
        f"Hi,\n\nsee below.\n\nOn Monday Pat Doe wrote:\n{DISGUISES['quoted'](text)}\n\nBest Wishes\n"
    ),
}
"""What happens to a text between the extractor and the archive."""


def extractors() -> dict[str, Extractor]:
    """All that can be had on this machine."""
    return LIBRARIES | {name: _program(*command) for name, command in PROGRAMS.items() if shutil.which(command[0])}
