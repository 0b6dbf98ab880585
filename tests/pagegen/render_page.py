"""A whole page: what surrounds the fields in each theme (head, title, notice, byline, body, menus, footer)."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.pagegen.catalog import Spec
from tests.pagegen.content import SITE_ZONE, Content, Field, Group, Section, printed
from tests.pagegen.markup import blocks_html, tag, text
from tests.pagegen.options import CLASSLESS, Options, Theme, display_of
from tests.pagegen.render_fields import STYLES, Style, field_html, group_html, section_html
from tests.pagegen.render_wrappers import debug, furniture, wrap

SITE_NAME = "BJA NTTAC"
BODY = Spec("Body", "body", "long")

# A mark after each part of the page, taken out again by `render`, which then knows what a cut page still contains.
MARK_START, MARK_END = "\ue000", "\ue001"


def address(content: Content, options: Options) -> str:
    """The page's path."""
    return content.path(alias=options.alias or options.numberless)


def mark(position: int) -> str:
    return f"{MARK_START}{position}{MARK_END}"


NODE_LINKS = '<div class="node__links"><ul class="links inline"><li><a href="/user/login">Log in</a></li></ul></div>\n'
FAKE_FIELDS = (
    '<div class="field field--name-field-county field--type-string field--label-above">'
    '<div class="field--label">County</div><div class="field--item">Quoted County</div></div>\n'
    "<div><div>TTA Title</div><div>A title quoted in the body</div></div>\n"
    "<dl><dt>Archived</dt><dd>On</dd></dl>\n"
)


def entry_html(style: Style, entry: Field | Section | Group, position: int, content: Content, options: Options) -> str:
    match entry:
        case Section():
            return section_html(style, entry, options, content.node_id)
        case Group():
            return group_html(style, entry, options, content.node_id)
        case Field():
            return field_html(style, entry, display_of(options, position), options, content.node_id)


def body_html(style: Style, content: Content, options: Options) -> str:
    """The body, which never has a label: the item carries the field's classes."""
    inner = blocks_html(content.body, options.body, unclosed=options.unclosed)
    if options.unclosed:
        # Emphasis that is never closed: a browser opens it again in every element that follows, labels included.
        inner = "<p><em>".join(inner.rsplit("<p>", 1))
    if options.fake_fields:
        inner += "\n" + FAKE_FIELDS
    outer = "field field--name-body field--type-text-with-summary field--label-hidden"
    return tag(
        "div",
        inner,
        class_=f"{style.formatted} {outer} {style.item}".strip() if style.classed else None,
        property="schema:text" if options.rdf else None,
        data_quickedit_field_id=f"node/{content.node_id}/body/en/full" if options.edit_marks and style.classed else None,
    )


def fields_html(theme: Theme, content: Content, options: Options) -> str:
    """The body and all entries, each followed by its mark, in the wrappers asked for."""
    style = STYLES[theme]
    parts = [debug("field", BODY.name, body_html(style, content, options), options) + mark(0)]
    for position, entry in enumerate(content.entries, start=1):
        html = debug("field", entry.spec.name, entry_html(style, entry, position, content, options), options)
        parts.append(html + mark(position))
    return wrap(parts, content, options, classed=style.classed)


def _created(content: Content, options: Options, class_: str | None) -> str:
    submitted = content.submitted or datetime(2020, 1, 1, tzinfo=UTC)
    if options.plain_dates:
        return printed(submitted)
    local = submitted.astimezone(SITE_ZONE)
    title = local.strftime("%A, %B %-d, %Y - %H:%M")
    return tag("time", printed(submitted), datetime=local.isoformat(), title=title, class_=class_)


def byline(theme: Theme, content: Content, options: Options) -> str:
    """The `Submitted by` line in the theme's own words and boxes; empty where the site shows none."""
    if content.author is None:
        return ""
    style = STYLES[theme]
    person = tag("span", text(content.author), typeof="schema:Person" if options.rdf else None)
    time = _created(content, options, style.time)
    if theme in ("bootstrap3", "bootstrap3_old"):
        who, when = tag("span", person), tag("span", time)
        return f'<footer>\n  <div class="author">\n    Submitted by {who} on {when}\n  </div>\n</footer>'
    if theme in CLASSLESS:
        return f"<footer>\n  <div>\n    Submitted by <span>{person}</span> on <span>{time}</span>\n  </div>\n</footer>"
    if theme == "olivero":
        return f'<div class="node__meta"><span>By <span class="node__author">{person}</span>, {time}</span></div>'
    label = "field--type-{} field--label-hidden"
    who = tag("span", person, class_=f"field field--name-uid {label.format('entity-reference')}")
    when = tag("span", time, class_=f"field field--name-created {label.format('created')}")
    box = f'<div class="node__submitted">\n    Submitted by {who} on {when}\n  </div>'
    # The author's picture is an article of its own, inside the node's.
    picture = '<article class="profile" typeof="schema:Person" about="/user/12"></article>\n  ' if options.rdf else ""
    return f'<footer class="node__meta">\n  {picture}{box}\n</footer>'


ARTICLE_CLASSES: dict[Theme, str | None] = {
    "bootstrap3": "tta is-promoted full clearfix",
    "bootstrap3_old": "tta is-promoted full clearfix",
    "bare": None,
    "uswds": None,
    "dl": "node node--tta",
    "barrio": "node node--type-tta node--promoted node--view-mode-full clearfix",
}


def article(theme: Theme, content: Content, options: Options) -> str:
    """The node's element; the title of a full page is outside of it."""
    style = STYLES[theme]
    inner = {"bootstrap3": "content", "bootstrap3_old": "content", "bare": None, "uswds": None}.get(
        theme, "node__content clearfix"
    )
    head = byline(theme, content, options)
    if theme == "olivero":
        head = f"<header>\n{head}\n</header>"
    meta = f'<span property="schema:name" content="{text(content.title)}" class="rdf-meta hidden"></span>'
    links = NODE_LINKS if options.furniture and style.classed else ""
    fields = tag("div", f"\n{fields_html(theme, content, options)}\n{links}", class_=inner)
    return tag(
        "article",
        f"\n{meta if options.rdf else ''}{head}\n  {fields}\n",
        data_history_node_id=None if options.numberless else str(content.node_id),
        data_quickedit_entity_id=f"node/{content.node_id}" if options.edit_marks and style.classed else None,
        role=None if theme == "olivero" else "article",
        about=address(content, options) if options.rdf else None,
        typeof="schema:Article" if options.rdf else None,
        class_=ARTICLE_CLASSES.get(theme, "node node--type-tta node--promoted node--view-mode-full"),
    )


SETTINGS = (
    '<script type="application/json" data-drupal-selector="drupal-settings-json">'
    '{"path":{"currentPath":"node\\/NUMBER","isFront":false}}</script>'
)


def head(content: Content, options: Options) -> str:
    """The document's head; `…-undeclared` charsets leave out every word about it."""
    declared = not options.charset.endswith("-undeclared")
    charset = "windows-1252" if options.charset.startswith("windows") else "utf-8"
    url, short = (f"https://{content.host}{path}" for path in (address(content, options), content.path(alias=False)))
    parts = [
        f'<meta charset="{charset}" />' if declared else "",
        f'<link rel="canonical" href="{url}" />',
        "" if options.numberless else f'<link rel="shortlink" href="{short}" />',
        '<meta name="Generator" content="Drupal 8 (https://www.drupal.org)" />',
        f"<title>{text(content.title)} | {SITE_NAME}</title>",
        '<link rel="stylesheet" media="all" href="/sites/default/files/css/css_made_up.css" />',
        "" if options.numberless else SETTINGS.replace("NUMBER", str(content.node_id)),
    ]
    return "\n  ".join(part for part in parts if part)


NOTICE = (
    "<p>This website is under construction. Please send questions or comments to "
    '<a href="mailto:help-desk@example.org">help-desk@example.org</a>.</p>'
)
NOTICE_TEXT = "This website is under construction. Please send questions or comments to help-desk@example.org."


def _notice(theme: Theme) -> str:
    """The site's notice, printed between title and record."""
    box = None if theme in CLASSLESS else "block block-block-content clearfix"
    heading = None if theme in CLASSLESS else "block-title"
    inner = tag("h2", "Attention", class_=heading) + f"\n<div>{NOTICE}</div>\n" + tag("h2", "Questions?", class_=heading)
    return tag("section" if theme.startswith("bootstrap") else "div", f"\n{inner}\n", class_=box)


def _title(theme: Theme, content: Content) -> str:
    """The page's title block; in Classy's family the title is printed as a field, outside of the node's element."""
    bootstrap = theme.startswith("bootstrap")
    field = None if bootstrap or theme in CLASSLESS else "field field--name-title field--type-string field--label-hidden"
    heading = None if theme in CLASSLESS else "page-header" if bootstrap else "title page-title"
    return tag("h1", tag("span", text(content.title), class_=field), class_=heading)


def page_html(theme: Theme, content: Content, options: Options) -> str:
    """The document, with marks still in it."""
    title = _title(theme, content)
    main = "\n".join([title, _notice(theme), '<a id="main-content"></a>', article(theme, content, options)])
    before, after = furniture(theme, options)
    skip_class = "visually-hidden focusable skip-link"
    skip = tag("a", "\n  Skip to main content\n", href="#main-content", class_=skip_class)
    body = f"{skip}\n{before}\n" + tag("main", f"\n{main}\n", role="main", class_="main-container container") + f"\n{after}"
    end = "" if options.unclosed else "\n</body>\n</html>\n"
    return f'<!DOCTYPE html>\n<html lang="en" dir="ltr">\n<head>\n  {head(content, options)}\n</head>\n<body>\n{body}{end}'
