"""Small pieces of HTML shared by the renderers."""

from __future__ import annotations

from html import escape

from tests.pagegen.content import Block, Bullets, Heading, Paragraph, Table
from tests.pagegen.options import BodyShape


def text(words: str) -> str:
    """Escaped as Drupal does it: quotes become entities too."""
    return escape(words, quote=True).replace("&#x27;", "&#039;")


def tag(name: str, inner: str, **attributes: str | None) -> str:
    """An element; `class_` is the class attribute, underscores become hyphens, None and empty attributes are left
    out.
    """
    pairs = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value}
    written = "".join(f' {key}="{text(value)}"' for key, value in pairs.items())
    return f"<{name}{written}>{inner}</{name}>"


def classes(*names: str | None) -> str:
    return " ".join(name for name in names if name)


def broken_lines(lines: tuple[str, ...]) -> str:
    return "<br />\n".join(text(line) for line in lines)


def block_html(block: Block, shape: BodyShape, *, unclosed: bool = False) -> str:
    """One block. `breaks` is what people paste from office programs: bullets are characters, a heading is a line."""
    end = "" if unclosed else "</p>"
    match block:
        case Paragraph():
            html = _paragraph(block, shape, end)
        case Heading(text=words, level=level):
            html = f"<h{level}>{text(words)}</h{level}>" if level else f"<p><strong>{text(words)}</strong>{end}"
        case Bullets(items=items, ordered=False) if shape == "breaks":
            lines = tuple(line for item, below in items for line in (f"• {item}", *(f"o {each}" for each in below)))
            html = f"<p>{broken_lines(lines)}{end}"
        case Bullets(items=items, ordered=ordered):
            html = list_html(items, ordered=ordered, unclosed=unclosed)
        case Table(rows=rows):
            html = table_html(rows)
    return html


def _paragraph(block: Paragraph, shape: BodyShape, end: str) -> str:
    if block.quote:
        return f"<blockquote><p>{broken_lines(block.lines)}{end}</blockquote>"
    if shape == "divs":
        return "".join(f"<div>{text(line)}</div>\n" for line in block.lines)
    return f"<p>{broken_lines(block.lines)}{end}"


def list_html(items: tuple[tuple[str, tuple[str, ...]], ...], *, ordered: bool = False, unclosed: bool = False) -> str:
    name, end = ("ol" if ordered else "ul"), ("" if unclosed else "</li>")
    rows = []
    for item, below in items:
        nested = list_html(tuple((each, ()) for each in below)) if below else ""
        rows.append(f"\t<li>{text(item)}{nested}{end}\n")
    return f"<{name}>\n{''.join(rows)}</{name}>"


def table_html(rows: tuple[tuple[str, ...], ...], class_: str | None = None) -> str:
    """The first row contains the headings."""
    heads = "".join(f"<th>{text(cell)}</th>" for cell in rows[0])
    cells = ["".join(f"<td>{text(cell)}</td>" for cell in row) for row in rows[1:]]
    body = "".join(f"<tr>{row}</tr>\n" for row in cells)
    return tag("table", f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n", class_=class_)


def blocks_html(blocks: tuple[Block, ...], shape: BodyShape = "rich", *, unclosed: bool = False) -> str:
    return "\n\n".join(block_html(block, shape, unclosed=unclosed) for block in blocks)
