"""What modules and modes put around fields and pages: debug comments, field groups, layouts, menus, blocks, footers."""

from __future__ import annotations

from tests.pagegen.content import Content
from tests.pagegen.markup import tag
from tests.pagegen.options import CLASSLESS, Options, Theme

GROUP_SIZE = 12
GROUP_LEGENDS = ("General Information", "Audience and Area", "Event", "Follow-up", "Administration", "More", "Rest")


def debug(hook: str, name: str, html: str, options: Options) -> str:
    """Twig's debug comments, which contain text that looks like a page's."""
    if not options.twig_debug:
        return html
    file = f"core/themes/stable/templates/{hook}/{hook}.html.twig"
    names = f"   * {hook}--node--{name.replace('_', '-')}--tta.html.twig\n   * {hook}--tta.html.twig\n   x {hook}.html.twig"
    return (
        f"\n<!-- THEME DEBUG -->\n<!-- THEME HOOK: '{hook}' -->\n<!-- FILE NAME SUGGESTIONS:\n{names}\n-->\n"
        f"<!-- BEGIN OUTPUT from '{file}' -->\n{html}\n<!-- END OUTPUT from '{file}' -->\n"
    )


def wrap(parts: list[str], content: Content, options: Options, *, classed: bool) -> str:
    """The rendered fields, in the boxes that layout builder or the field-group module put around them."""
    if options.wrapper == "none":
        return "\n  ".join(parts)
    if options.wrapper == "layout_builder":
        return _layout(parts, content, classed=classed)
    groups = [parts[start : start + GROUP_SIZE] for start in range(1, len(parts), GROUP_SIZE)]
    boxes = [_group("\n".join(group), number, options, classed=classed) for number, group in enumerate(groups)]
    inner = "\n".join(boxes)
    if options.wrapper == "tabs":
        inner = tag("div", f'\n<div data-vertical-tabs-panes="">\n{inner}\n</div>\n', class_="field-group-tabs-wrapper")
    return f"{parts[0]}\n{inner}"


def _group(inner: str, number: int, options: Options, *, classed: bool) -> str:
    legend = GROUP_LEGENDS[number % len(GROUP_LEGENDS)]
    if options.wrapper == "fieldset":
        title = f'<legend><span class="fieldset-legend">{legend}</span></legend>'
        inside = tag("div", f"\n{inner}\n", class_="fieldset-wrapper")
        return tag("fieldset", f"\n{title}\n{inside}\n", class_="field-group-fieldset js-form-item form-item")
    if options.wrapper in ("details", "tabs"):
        title = f'<summary role="button" aria-expanded="true">{legend}</summary>'
        inside = tag("div", f"\n{inner}\n", class_="details-wrapper")
        return tag("details", f"\n{title}\n{inside}\n", class_="field-group-details js-form-wrapper", open="open")
    return tag("div", f"\n{inner}\n", class_="group-information field-group-html-element" if classed else None)


def _layout(parts: list[str], content: Content, *, classed: bool) -> str:
    """Layout builder: a block around each field, regions around blocks."""
    names = ["body", *(entry.spec.name for entry in content.entries)]
    blocks = [
        tag(
            "div",
            f"\n{part}\n",
            class_=f"block block-layout-builder block-field-blocknodetta{name.replace('_', '-')}" if classed else None,
        )
        for name, part in zip(names, parts, strict=True)
    ]
    half = len(blocks) // 2
    regions = [
        tag("div", "\n" + "\n".join(chosen) + "\n", class_=f"layout__region layout__region--{side}" if classed else None)
        for side, chosen in (("first", blocks[:half]), ("second", blocks[half:]))
    ]
    return tag("div", "\n" + "\n".join(regions) + "\n", class_="layout layout--twocol-section" if classed else None)


MENU = (
    ("Home", "/"),
    ("About NTTAC", "/about"),
    ("TTA Catalog", "/tta-catalog"),
    ("Blog", "/media/blog"),
    ("News", "/media/news"),
    ("Contact Us", "/contact"),
)
RELATED = (
    '<aside><section class="block block-views"><h2>See also</h2>'
    '<article data-history-node-id="812" role="article" class="tta is-promoted teaser clearfix">'
    '<h2><a href="/node/812" rel="bookmark"><span>20190503-112233-4</span></a></h2>'
    '<footer><div class="author">Submitted by <span>Another Author</span> on <span>Fri, 05/03/2019 - 11:22</span></div>'
    '</footer><div class="content"><div class="field field--name-field-county field--label-above">'
    '<div class="field--label">County</div><div class="field--item">Neighbor County</div></div>'
    "<div><div>TTA Title</div><div>The title of another record</div></div></div></article></section></aside>\n"
)
RECENT = ("20230214-101530-11", "20220908-91145-3")


def furniture(theme: Theme, options: Options) -> tuple[str, str]:
    """What precedes and follows the main part: menus, search, breadcrumb, sidebar, footer, scripts. Empty if not
    asked for.
    """
    related = RELATED if options.related else ""
    if not options.furniture:
        return "", related
    items = "".join(f'<li><a href="{path}">{name}</a></li>' for name, path in MENU)
    heading = '<h2 class="visually-hidden">Main navigation</h2>'
    nav = f'<nav role="navigation">{heading}<ul class="menu nav">{items}</ul></nav>'
    search = (
        '<form action="/search/node" method="get" id="search-block-form" accept-charset="UTF-8">'
        '<label for="edit-keys">Search</label><input type="search" id="edit-keys" name="keys" value="" />'
        '<button type="submit">Search</button></form>'
    )
    crumbs = '<ol class="breadcrumb"><li><a href="/">Home</a></li><li>TTA</li></ol>'
    banner = "" if theme not in CLASSLESS else '<section class="usa-banner"><p>An official-looking banner.</p></section>'
    before = f'{banner}<header role="banner">{nav}{search}</header>\n{crumbs}'
    links = "".join(f'<li><a href="/node/{900 + index}">{title}</a></li>' for index, title in enumerate(RECENT))
    sidebar = (
        f'<aside role="complementary"><section class="block block-views"><h2 class="block-title">Recent TTA</h2>'
        f"<ul>{links}</ul></section></aside>"
    )
    footer = (
        '<footer class="footer container" role="contentinfo"><p>The made-up office, 1 Example Street, Exampleton.</p>'
        '<div class="field field--name-body field--label-hidden field--item"><p>Powered by a content system.</p></div>'
        "</footer>"
    )
    scripts = (
        '<script>window.dataLayer = window.dataLayer || []; document.write("County");</script>'
        '<style>.field--label { font-weight: bold; }</style><noscript><img src="/pixel.gif" alt="" /></noscript>'
    )
    return before, f"{related}{sidebar}\n{footer}\n{scripts}"
