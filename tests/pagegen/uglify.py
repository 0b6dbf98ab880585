"""What archives, translators and accidents do to a finished page: pure functions from HTML to HTML."""

from __future__ import annotations

import re

FONT = '<font style="vertical-align: inherit;"><font style="vertical-align: inherit;">'
UNTOUCHED = re.compile(r"(<!--.*?-->|<(script|style|head)\b.*?</\2>|<!DOCTYPE[^>]*>)", re.DOTALL)
TEXT_NODE = re.compile(r">([^<>]*[^<>\s][^<>]*)<")
MARKS_ONLY = re.compile(r"(?:\s|\ue000\d+\ue001)*")
LINK = re.compile(r'\b(href|src|action)="(https?://[^"]*|/[^"]*)"')


def translated(html: str) -> str:
    """Every text inside two `<font>` elements, as a browser's page translation leaves it."""

    def dressed(match: re.Match[str]) -> str:
        words = match[1]
        return match[0] if MARKS_ONLY.fullmatch(words) else f">{FONT}{words}</font></font><"

    pieces = UNTOUCHED.split(html)
    # split() gives: text, whole untouched piece, its tag name (or None), text, ...
    out = []
    for index in range(0, len(pieces), 3):
        out.append(TEXT_NODE.sub(dressed, pieces[index]))
        out.append(pieces[index + 1] if index + 1 < len(pieces) else "")
    return "".join(out).replace('<html lang="en"', '<html lang="es" class="translated-ltr"', 1)


def wayback(html: str, *, host: str, path: str) -> str:
    """The page as the Wayback Machine plays it to a browser: links led through the archive, a toolbar, comments and
    scripts.
    """
    prefix = "https://web.archive.org/web/20250131000000"

    def led(match: re.Match[str]) -> str:
        target = match[2] if match[2].startswith("http") else f"https://{host}{match[2]}"
        return f'{match[1]}="{prefix}{"im_" if match[1] == "src" else ""}/{target}"'

    html = LINK.sub(led, html)
    head = (
        '<head><script type="text/javascript" src="/_static/js/bundle-playback.js"></script>\n'
        f'<script type="text/javascript">__wm.init("{prefix}");</script>\n'
        '<link rel="stylesheet" type="text/css" href="/_static/css/banner-styles.css" />\n'
        "<!-- End Wayback Rewrite JS Include -->\n"
    )
    bar = (
        "<body><!-- BEGIN WAYBACK TOOLBAR INSERT -->\n"
        '<div id="wm-ipp-base" lang="en"><div id="wm-ipp"><form action="/submit" method="get">'
        f'<input type="text" name="url" value="https://{host}{path}" /></form>'
        f'<a href="{prefix}*/https://{host}{path}">12 captures</a><div>29 Jan 2025 - 31 Jan 2025</div>'
        '<table><tr><td class="c">31</td></tr><tr><td>2024</td><td>2025</td><td>2026</td></tr></table>'
        "<p>About this capture</p><p>COLLECTED BY</p></div></div>\n<!-- END WAYBACK TOOLBAR INSERT -->"
    )
    end = "<!--\n     FILE ARCHIVED ON 00:00:00 Jan 31, 2025 AND RETRIEVED FROM THE\n     INTERNET ARCHIVE LATER.\n-->\n"
    return html.replace("<head>", head, 1).replace("<body>", bar, 1) + end
