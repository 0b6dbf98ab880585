"""Fields as Drupal's themes print them: one `Style` per family, after the structure of their `field.html.twig`.

The families differ in class names, and agree on the tree: with a label, a box holding the label and the items, the
items in one more box where the field may have several; without a label that box falls away and its classes go to the
items' box.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.pagegen.catalog import TYPE_CLASS, Spec
from tests.pagegen.content import Field, Group, Section, Value, printed
from tests.pagegen.markup import blocks_html, broken_lines, classes, table_html, tag, text
from tests.pagegen.options import Display, Options, Theme


@dataclass(frozen=True)
class Style:
    """A theme family's class names; `classed` False prints none at all (Stable, USWDS)."""

    label: str = "field__label"
    items: str = "field__items"
    item: str = "field__item"
    hidden: str = "visually-hidden"
    formatted: str = ""
    inline: str = ""
    time: str | None = None
    classed: bool = True
    definition_list: bool = False


BOOTSTRAP = Style("field--label", "field--items", "field--item", "sr-only")
CLASSY = Style(formatted="clearfix text-formatted", inline="clearfix", time="datetime")
STYLES: dict[Theme, Style] = {
    "bootstrap3": BOOTSTRAP,
    "bootstrap3_old": replace(BOOTSTRAP, items="field__items"),
    "classy": CLASSY,
    "starterkit": CLASSY,
    "claro": replace(CLASSY, formatted="clearfix"),
    "olivero": Style(formatted="text-content clearfix", time="datetime"),
    "barrio": Style(inline="clearfix", formatted="clearfix text-formatted"),
    "bare": Style(classed=False),
    "uswds": Style(classed=False, hidden="usa-sr-only"),
    "dl": Style(definition_list=True, time="datetime"),
}


def box_classes(style: Style, spec: Spec, display: Display) -> str:
    """The outer element's classes: `field field--name-… field--type-… field--label-…`."""
    kind = TYPE_CLASS[spec.kind]
    return classes(
        style.formatted if spec.kind == "markup" or kind.startswith("text") else None,
        "field",
        f"field--name-{spec.name.replace('_', '-')}",
        f"field--type-{kind}",
        f"field--label-{display}",
        style.inline if display == "inline" else None,
    )


def field_box(style: Style, spec: Spec, items: list[str], display: Display, options: Options, *, node_id: int) -> str:
    """A field's element around its rendered items."""
    outer = box_classes(style, spec, display) if style.classed else None
    edit = f"node/{node_id}/{spec.name}/en/full" if options.edit_marks and style.classed else None
    wrapped = spec.multiple or options.items_always
    if display == "hidden" and not wrapped and len(items) == 1:
        return tag("div", items[0], class_=outer and f"{outer} {style.item}", data_quickedit_field_id=edit)
    inner = _items(style, items)
    if display == "hidden":
        return tag("div", inner, class_=outer and f"{outer} {style.items}", data_quickedit_field_id=edit)
    if style.definition_list:
        return tag("dl", f"\n{_label(style, spec, display, 'dt')}\n{inner}\n", class_=outer, data_quickedit_field_id=edit)
    if wrapped and items:
        inner = tag("div", f"\n{inner}\n", class_=style.items if style.classed else None)
    label = _label(style, spec, display, options.label_tag)
    return tag("div", f"\n    {label}\n    {inner}\n  ", class_=outer, data_quickedit_field_id=edit)


def _label(style: Style, spec: Spec, display: Display, name: str) -> str:
    hidden = style.hidden if display == "visually_hidden" else None
    return tag(name, text(spec.label), class_=classes(style.label if style.classed else None, hidden))


def _items(style: Style, items: list[str]) -> str:
    name = "dd" if style.definition_list else "div"
    return "\n".join(tag(name, item, class_=style.item if style.classed else None) for item in items)


def value_html(style: Style, spec: Spec, value: Value, options: Options) -> str:
    """The inside of one item."""
    if value.start is not None:
        return _times(style, value, options)
    inner = broken_lines(tuple(value.text.split("\n"))) if spec.kind == "long" else text(value.text)
    if value.path is None:
        return inner
    return tag("a", inner, href=value.path, hreflang="en" if value.path.startswith("/") else None)


def attribute_time(moment: datetime) -> str:
    """As Drupal writes it: UTC with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _times(style: Style, value: Value, options: Options) -> str:
    if options.plain_dates:
        return value.shown
    ends = [value.start] if value.end in (None, value.start) else [value.start, value.end]
    shown = [tag("time", printed(end), datetime=attribute_time(end), class_=style.time) for end in ends if end]
    return " - ".join(shown)


def field_html(style: Style, field: Field, display: Display, options: Options, node_id: int) -> str:
    items = [value_html(style, field.spec, value, options) for value in field.values]
    if not items and options.empty != "no_item":
        items = ["" if options.empty == "empty_item" else "&nbsp;"]
    return field_box(style, field.spec, items, display, options, node_id=node_id)


def section_html(style: Style, section: Section, options: Options, node_id: int) -> str:
    return field_box(style, section.spec, [blocks_html(section.blocks)], "above", options, node_id=node_id)


def group_html(style: Style, group: Group, options: Options, node_id: int) -> str:
    """Milestones or metrics: nested paragraphs, one table, or plain lines."""
    if options.milestones == "table" and group.items:
        heads = tuple(field.spec.label for field in group.items[0])
        rows = tuple(tuple(_cell(field) for field in item) for item in group.items)
        items = [table_html((heads, *rows), class_="table" if style.classed else None)]
    elif options.milestones == "lines":
        items = ["<br />\n".join(_line(field) for field in item) for item in group.items]
    else:
        items = [_paragraph(style, group, item, options, node_id) for item in group.items]
    return field_box(style, group.spec, items, "above", options, node_id=node_id)


def _cell(field: Field) -> str:
    return "; ".join(value.shown for value in field.values)


def _line(field: Field) -> str:
    return text(f"{field.spec.label}: {_cell(field)}").replace("\n", "<br />\n")


def _paragraph(style: Style, group: Group, item: tuple[Field, ...], options: Options, node_id: int) -> str:
    kind = group.spec.name.removeprefix("field_").replace("_", "-")
    inner = "\n".join(field_html(style, field, "above", options, node_id) for field in item)
    outer = f"paragraph paragraph--type--{kind} paragraph--view-mode--default" if style.classed else None
    return tag("div", f"\n{inner}\n", class_=outer)
