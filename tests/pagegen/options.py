"""How a page is printed: its theme, and everything about a page that is not its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["bootstrap3", "bootstrap3_old", "classy", "starterkit", "claro", "olivero", "barrio", "bare", "uswds", "dl"]
THEMES: tuple[Theme, ...] = (
    "bootstrap3",
    "bootstrap3_old",
    "classy",
    "starterkit",
    "claro",
    "olivero",
    "barrio",
    "bare",
    "uswds",
    "dl",
)
CLASSLESS: frozenset[Theme] = frozenset({"bare", "uswds"})  # their field templates print no classes

Display = Literal["above", "inline", "visually_hidden", "hidden"]
Labels = Literal["above", "inline", "visually_hidden", "hidden", "mixed", "some_hidden"]
Wrapper = Literal["none", "div", "fieldset", "details", "tabs", "layout_builder"]
GroupShape = Literal["paragraphs", "table", "lines"]
BodyShape = Literal["rich", "breaks", "divs"]
Charset = Literal["utf-8", "utf-8-bom", "utf-8-undeclared", "windows-1252", "windows-1252-undeclared"]
LabelTag = Literal["div", "h2", "h3", "span", "strong"]
EmptyShape = Literal["no_item", "empty_item", "space_item"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """One way to print a page. The defaults are the shape seen most often.

    `labels`: how data fields show theirs; `mixed` takes turns without hiding any, `some_hidden` leaves every fourth
    one out. `milestones` is the shape of both groups, milestones and metrics. `plain_dates`: times are printed
    without `<time>`. `items_always`: also a single value sits in the items' wrapper. `fake_fields`: the body has
    markup that looks like fields. `furniture`: menus, blocks and footers; `related`: a teaser of another record
    beside this one. `alias`: the address is a path of words; `numberless`: nor is the node's number in the page.
    `keep`: cut the page after that share of its bytes.
    """

    labels: Labels = "above"
    label_tag: LabelTag = "div"
    wrapper: Wrapper = "none"
    milestones: GroupShape = "paragraphs"
    body: BodyShape = "rich"
    empty: EmptyShape = "no_item"
    charset: Charset = "utf-8"
    rdf: bool = False
    quickedit: bool = False
    twig_debug: bool = False
    wayback: bool = False
    translated: bool = False
    furniture: bool = False
    related: bool = False
    alias: bool = False
    numberless: bool = False
    plain_dates: bool = False
    items_always: bool = False
    fake_fields: bool = False
    unclosed: bool = False
    keep: float | None = None

    @property
    def edit_marks(self) -> bool:
        """Whether quick edit's attributes are there; they contain the node's number."""
        return self.quickedit and not self.numberless


PLAIN = Options()


def display_of(options: Options, position: int) -> Display:
    """How the data field at that place of the page shows its label."""
    turns: tuple[Display, ...] = ("above", "inline", "visually_hidden")
    if options.labels == "mixed":
        return turns[position % len(turns)]
    if options.labels == "some_hidden":
        return "hidden" if position % 4 == 3 else "above"
    return options.labels
