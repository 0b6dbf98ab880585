"""Pages that were made to break parsers: each a unit that is repeated, so that the same page can be had at any size.

`page(name, n)` gives a record's page with `n` repetitions inside, whatever the browser standard makes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.tables import read_table
from tests.textkit import BASE

HEAD = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>20240311-91530-7 | BJA NTTAC</title></head><body><main>'
    '<h1>20240311-91530-7</h1><article data-history-node-id="150001" class="tta full clearfix"><div class="content">'
    '<div class="field field--name-body field--label-hidden field--item"><p>Helped the sheriff.</p></div>'
)
FIELD = '<div class="field field--name-x"><div class="field--label">{}</div><div class="field--item">{}</div></div>'
FIELDS = FIELD.format("TTA Short Name", "Reentry unit") + FIELD.format("County", "Larch County") + FIELD.format("Archived", "Off")
TAIL = "</div></article></main></body></html>"
OPEN_TAGS = (
    "a abbr article aside b blockquote br button center dd details div dl dt em fieldset figure font footer form frameset h1 h2 "
    "header hr i iframe label legend li main marquee math nav nobr object ol optgroup option p pre ruby rt s section select "
    "small span strong summary sup svg table tbody td template textarea th thead time tr tt u ul video x-y"
).split()

TABLE = read_table("tables/hostile.toml")
UNITS: dict[str, str] = {f"open {tag}": f"<{tag}>" for tag in OPEN_TAGS} | TABLE["units"]
"""What is repeated; `{n}` stands for the number of the repetition."""


def page(name: str, n: int) -> bytes:
    """A record's page in which the unit stands `n` times after the fields."""
    unit = UNITS[name]
    repeated = "".join(unit.replace("{n}", str(number)) for number in range(n)) if "{n}" in unit else unit * n
    return f"{HEAD}{FIELDS}{repeated}{TAIL}".encode()


def with_text(text: str) -> bytes:
    """A record's page that ends in that text."""
    return f"{HEAD}{FIELDS}{text}".encode()


def with_value(label: str, value: str) -> bytes:
    """A record's page with one more field."""
    return f"{HEAD}{FIELDS}{FIELD.format(label, value)}{TAIL}".encode()


def attributes(value: str, n: int) -> bytes:
    """A record's page with an element of `n` attributes."""
    return f"{HEAD}{FIELDS}<div {' '.join(f'a{i}{value}' for i in range(n))}>x</div>{TAIL}".encode()


TEXTS: dict[str, tuple[str, str, str]] = {name: ("", unit, "") for name, unit in TABLE["texts"].items()} | {
    "fields without a place in a record": (BASE.partition("Archived")[0], "Some Label\na value\n", "Archived\nOff\n"),
    "headings below a text": (f"{BASE}Field Notes\n\nA.\n\n", "Some Label\n\n", ""),
    "blanks in front of a word": (" \n" * 5_000, " ", "x"),
    "lines below the signature of a mail": ("\n-- \n", f"{'x' * 5_000}\n", ""),
    "heads of forwarded mails": ("--- Forwarded message ---\n", "From: x\n \n", ""),
}
"""Texts that were made to break parsers: what stands in front, what is repeated, and what stands after it."""


def text(name: str, length: int) -> bytes:
    """A text in which the unit is repeated up to that many characters."""
    before, unit, after = TEXTS[name]
    return f"{before}{unit * (length // len(unit))}{after}".encode()


MANY_OPEN = [f"open {tag}" for tag in ("div", "b", "p", "li", "select")]
HUGE: dict[str, Callable[[], bytes]] = {
    "20 MB on one line": lambda: with_text(f"<p>{'lorem ipsum ' * 1_700_000}</p>"),
    "one word of 20 MB": lambda: with_text(f"<p>{'a' * 20_000_000}</p>"),
    "20 MB of zero bytes": lambda: page("words", 1) + b"\x00" * 20_000_000,
    "6 MB of lone surrogates": lambda: page("words", 1) + b"\xed\xa0\x80" * 2_000_000,
    "6 MB of invalid bytes": lambda: page("words", 1) + b"\xff\xfe\x81" * 2_000_000,
    "a tag that never ends": lambda: with_text(f"<div {'x ' * 5_000_000}"),
    "an attribute that never ends": lambda: with_text(f'<div a="{"x" * 10_000_000}'),
    "a million attributes": lambda: attributes("", 1_000_000),
    "attributes that hold brackets": lambda: attributes('="<"', 100_000),
    "one attribute again and again": lambda: with_text(f"<div {'class=x ' * 500_000}>x</div>"),
    "a million classes": lambda: with_text(f'<div class="{"field " * 1_000_000}">x</div>'),
    "a number of a million digits": lambda: with_value("Remote TTAC ID", "9" * 1_000_000),
    "a cost of a million digits": lambda: with_value("TTA Estimated Costs", "$" + "1" * 500_000 + " - " + "2," * 300_000),
    "many points": lambda: with_value("Event Location Geo", "MULTIPOINT (" + "(1 2)," * 200_000),
    "points that never end": lambda: with_value("Event Location Geo", "POINT (" * 300_000),
    "dates without end": lambda: with_value("TTA Event Date", "03/01/2024 - January " * 100_000),
    "a long title": lambda: page("words", 1).replace(b"<h1>", b"<h1>" + b"20240311-" * 500_000),
    "submitted by and by": lambda: page("words", 1).replace(b"<h1>", b"<p>Submitted by " + b"a on " * 500_000 + b"</p><h1>"),
    "a wide table": lambda: with_value("Milestone", "<table>" + ("<tr>" + "<td>x</td>" * 5_000 + "</tr>") * 4 + "</table>"),
    "a table of spans": lambda: with_value("Milestone", "<table>" + "<tr><td rowspan=65534 colspan=1000>x</td></tr>" * 1000),
    **{f"20,000 times {name}": partial(page, name, 20_000) for name in ("formatting in paragraphs", *MANY_OPEN)},
    "charsets": lambda: page("words", 1).replace(b"<title>", b'<meta charset="x">' * 100_000 + b"<title>"),
    "entities that name entities": lambda: b'<!DOCTYPE x [<!ENTITY a "&b;&b;"><!ENTITY b "&a;&a;">]>' + page("entities", 10),
}
