"""From content, theme and options to a `Page`: bytes, address, headers and truth. The entry point for tests of HTML
pages.
"""

from __future__ import annotations

import re

from tests.pagegen.content import Content
from tests.pagegen.derive import page_truth
from tests.pagegen.invent import invent
from tests.pagegen.options import PLAIN, Options, Theme
from tests.pagegen.render_page import address, page_html
from tests.pagegen.truth import Page
from tests.pagegen.uglify import translated, wayback

MARK = re.compile(r"\ue000(\d+)\ue001")
BOM = b"\xef\xbb\xbf"
CODECS = {"windows-1252": "cp1252", "windows-1252-undeclared": "cp1252"}


def html_of(content: Content, theme: Theme = "bootstrap3", options: Options = PLAIN) -> str:
    """The page as text, without what encoding and cutting do to it."""
    return MARK.sub("", marked_html(content, theme, options))


def marked_html(content: Content, theme: Theme, options: Options) -> str:
    html = page_html(theme, content, options)
    if options.translated:
        html = translated(html)
    if options.wayback:
        html = wayback(html, host=content.host, path=address(content, options))
    return html


def encode(html: str, options: Options) -> tuple[bytes, list[int]]:
    """The bytes, and where in them each marked part ends."""
    pieces = MARK.split(html)
    codec = CODECS.get(options.charset, "utf-8")
    data = BOM if options.charset == "utf-8-bom" else b""
    ends = []
    for index, piece in enumerate(pieces):
        if index % 2:
            ends.append(len(data))
        else:
            data += piece.encode(codec, "xmlcharrefreplace")
    return data, ends


def render(content: Content, theme: Theme = "bootstrap3", options: Options = PLAIN) -> Page:
    """The page. A cut (`options.keep`) never falls before the end of the body, as then nothing could be promised."""
    data, ends = encode(marked_html(content, theme, options), options)
    kept = None
    if options.keep is not None:
        cut = max(int(len(data) * options.keep), ends[0])
        data = data[:cut]
        kept = sum(end <= cut for end in ends[1:])
    declared = options.charset in ("utf-8", "utf-8-bom", "windows-1252")
    charset = "windows-1252" if options.charset.startswith("windows") else "UTF-8"
    return Page(
        data=data,
        url=f"https://{content.host}{address(content, options)}",
        content_type=f"text/html; charset={charset}" if declared else "text/html",
        truth=page_truth(content, theme, options, entries_kept=kept),
    )


def make_page(seed: int, theme: Theme = "bootstrap3", options: Options = PLAIN) -> Page:
    """A made-up record's page from a seed."""
    return render(invent(seed), theme, options)
