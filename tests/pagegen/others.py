"""Pages of the same addresses that are no records, each with the kind, status and type that a capture of it has.

What makes them hard: forms and lists carry the records' labels, blog posts quote them, and firewalls answer with
status 200.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from resiliparse.extract.html2text import extract_plain_text

from tests.pagegen.catalog import ALL_LABELS, FIELDS, TYPE_CLASS
from tests.pagegen.content import Content
from tests.pagegen.invent import invent
from tests.pagegen.markup import tag, text
from tests.pagegen.options import Options
from tests.pagegen.render_page import NOTICE, SITE_NAME
from tests.pagegen.render_wrappers import furniture
from tests.pagegen.truth import CaptureKind, Page

HOST = "https://bjatta.bja.ojp.gov"
NODE = f"{HOST}/node/900000999"
HTML = "text/html; charset=UTF-8"
FURNISHED = Options(furniture=True)


def shell(title: str, main: str) -> bytes:
    """The site's frame around a page that is not a node's full page."""
    before, after = furniture("bootstrap3", FURNISHED)
    notice = f'<section class="block clearfix"><h2 class="block-title">Attention</h2>{NOTICE}</section>'
    return (
        '<!DOCTYPE html>\n<html lang="en" dir="ltr">\n<head><meta charset="utf-8" />'
        f"<title>{text(title)} | {SITE_NAME}</title></head>\n<body>\n"
        '<a href="#main-content" class="visually-hidden focusable skip-link">Skip to main content</a>\n'
        f'{before}\n<div role="main" class="main-container container"><h1 class="page-header">{text(title)}</h1>\n'
        f'{notice}<a id="main-content"></a>\n<div class="region region-content">\n{main}\n</div></div>\n{after}\n'
        "</body>\n</html>\n"
    ).encode()


def page(data: bytes, url: str = NODE, *, kind: CaptureKind = "other", status: int = 200, content_type: str = HTML) -> Page:
    return Page(data=data, url=url, content_type=content_type, status=status, kind=kind)


LOGIN_FORM = (
    '<form class="user-login-form" data-drupal-selector="user-login-form" action="/node/900000999" method="post" '
    'id="user-login-form" accept-charset="UTF-8">'
    '<div class="form-item js-form-item-name"><label for="edit-name" class="js-form-required">Username</label>'
    '<input type="text" id="edit-name" name="name" value="" /></div>'
    '<div class="form-item js-form-item-pass"><label for="edit-pass">Password</label>'
    '<input type="password" id="edit-pass" name="pass" /></div>'
    '<input type="hidden" name="form_id" value="user_login_form" />'
    '<button type="submit" id="edit-submit" name="op" value="Log in">Log in</button></form>'
)
DENIED = "<p>You are not authorized to access this page.</p>"


def login() -> Page:
    """The login form in place of a record, with status 200 as the site answers it."""
    return page(shell("Log in", LOGIN_FORM), kind="blocked")


def _form_item(label: str) -> str:
    spec = FIELDS[label]
    name = f"edit-{spec.name.replace('_', '-')}-0-value"
    heading = f'<label for="{name}" class="control-label">{text(label)}</label>'
    control = f'<input class="form-control" type="text" id="{name}" name="{spec.name}[0][value]" value="draft" />'
    outer = f"field--type-{TYPE_CLASS[spec.kind]} field--name-{spec.name.replace('_', '-')} form-wrapper form-group"
    return f'<div class="{outer}"><div class="form-item form-group">{heading}{control}</div></div>'


def edit_form() -> Page:
    """Every label of a record, as labels of controls."""
    items = "\n".join(_form_item(label) for label in ALL_LABELS)
    form = (
        '<form class="node-tta-edit-form" id="node-tta-edit-form" method="post" action="/node/900000999/edit">'
        f'<div class="form-item"><label for="edit-title-0-value">Title</label><input id="edit-title-0-value" '
        f'name="title[0][value]" value="20250129-145639-07" /></div>{items}'
        '<button name="op" value="Save">Save</button><a href="/node/900000999/delete">Delete</a></form>'
    )
    return page(shell("Edit TTA 20250129-145639-07", form), f"{NODE}/edit")


def _teaser(content: Content) -> str:
    link = f'<h2><a href="/node/{content.node_id}" rel="bookmark"><span>{text(content.title)}</span></a></h2>'
    fields = "".join(
        '<div class="field field--name-{} field--label-above"><div class="field--label">{}</div>'
        '<div class="field--item">{}</div></div>'.format(
            field.spec.name.replace("_", "-"), text(label), text(field.values[0].shown)
        )
        for label, field in content.fields().items()
        if label in ("TTA Title", "County", "Status of Deliverable") and field.values
    )
    by = f'<footer><div class="author">Submitted by <span>{text(content.author or "someone")}</span></div></footer>'
    return tag(
        "article",
        f"{link}{by}<div class='content'>{fields}</div>",
        data_history_node_id=str(content.node_id),
        role="article",
        class_="tta is-promoted teaser clearfix",
    )


def _teasers(count: int) -> str:
    rows = "\n".join(f'<div class="views-row">{_teaser(invent(seed))}</div>' for seed in range(count))
    return f'<div class="view view-tta view-id-tta"><div class="view-content">{rows}</div></div>'


def _post(kind: str, title: str, body: str) -> bytes:
    who, when = "<span><span>Wynn Quill</span></span>", "<span>Mon, 02/03/2025 - 10:11</span>"
    by = f'<footer><div class="author">Submitted by {who} on {when}</div>'
    item = f'<div class="field field--name-body field--label-hidden field--item">{body}</div>'
    inner = f'{by}</footer><div class="content">{item}</div>'
    return shell(title, f'<article data-history-node-id="4711" role="article" class="{kind} full">{inner}</article>')


def blog_post() -> Page:
    body = "<p>TTA providers met to compare notes on deflection, reentry and crime analysis.</p>"
    return _blog("what-we-learned-this-spring", "What we learned this spring", body)


def _bare(title: str, body: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>".encode()


def not_found() -> Page:
    return page(shell("Page not found", "<p>The requested page could not be found.</p>"), kind="error", status=404)


def redirect() -> Page:
    target = f"{HOST}/user/login?destination=/node/900000999"
    body = _bare(f"Redirecting to {target}", f'Redirecting to <a href="{target}">{target}</a>.')
    return Page(data=body, url=NODE, content_type=HTML, status=302, kind="redirect", headers=(("Location", target),))


def _as_text(name: str) -> Page:
    """What a text extractor leaves of a page; a conversion record has no status of its own."""
    original = OTHERS[name]()
    text_only = extract_plain_text(original.data.decode(), main_content=True)
    return replace(original, data=text_only.encode(), content_type="text/plain", text_form=True)


ITEMS = "".join(f'<div class="views-row"><h3><a href="/media/news/item-{n}">Item {n}</a></h3></div>' for n in range(9))
PAGER = '<nav class="pager-nav"><ul class="pagination"><li><a href="?page=1">Next</a></li></ul></nav>'
FOUND = "".join(
    f'<li><h3><a href="/node/{900 + seed}">{text(invent(seed).title)}</a></h3>'
    "<p>… TTA Short Name … <strong>County</strong> Suffolk County … Milestones Markup …</p></li>"
    for seed in range(5)
)
GUIDE = "".join(f"<p>{text(label)}</p><p>Tell us about it in a few words.</p>" for label in ALL_LABELS)
"""A guide to the form: all labels, each followed by a sentence, as in a text of a record."""
CHALLENGE = (
    '<noscript><p>Enable JavaScript and cookies to continue</p></noscript><div id="challenge-form"></div>'
    '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script><p>Ray ID: 8f0c0ffee0ddba11</p>'
)
REFERENCE_NUMBER = (
    "<h1>Access Denied</h1><p>You don't have permission to access \"http&#58;&#47;&#47;bjatta&#46;bja&#46;ojp&#46;gov"
    '&#47;node&#47;900000999" on this server.</p><p>Reference&#32;&#35;18&#46;2f0e1702&#46;1738090000&#46;1a2b3c4d</p>'
)
INCIDENT = (
    '<iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=5&incident_id=1234-5678" width="100%">'
    "Request unsuccessful. Incapsula incident ID: 1234000560-78901234567890</iframe>"
)
MAINTENANCE = "<h1>Site under maintenance</h1><p>The site is currently under maintenance. Thank you for your patience.</p>"
UNEXPECTED = b"The website encountered an unexpected error. Please try again later."
NODE_AS_JSON = json.dumps({"nid": [{"value": 900000999}], "title": [{"value": "20250129-145639-07"}]}).encode()
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
GREY_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636800000082008177cd72b60000000049"
    "454e44ae426082"
)


def _blog(slug: str, title: str, body: str) -> Page:
    return page(_post("blog", title, body), f"{HOST}/media/blog/{slug}")


OTHERS: dict[str, Callable[[], Page]] = {
    "login": login,
    "login_at_its_own_address": lambda: replace(login(), url=f"{HOST}/user/login?destination=/node/900000999"),
    "access_denied": lambda: page(shell("Access denied", DENIED), kind="blocked", status=403),
    "access_denied_with_status_200": lambda: page(shell("Access denied", DENIED), kind="blocked"),
    "edit_form": edit_form,
    "edit_form_at_the_node": lambda: page(edit_form().data),  # the path is no evidence
    "teaser_list": lambda: page(shell("TTA Catalog", _teasers(8) + PAGER), f"{HOST}/frontpage?page=3"),
    "list_of_one_teaser": lambda: page(shell("Suffolk County", _teasers(1)), f"{HOST}/taxonomy/term/412"),
    "search_results": lambda: page(
        shell("Search for county", f'<ol class="search-results">{FOUND}</ol>'), f"{HOST}/search/node?keys=county"
    ),
    "blog_post": blog_post,
    "blog_post_that_lists_every_label": lambda: _blog("how-to-report-your-tta", "How to report your TTA", GUIDE),
    "news_list": lambda: page(shell("News", ITEMS), f"{HOST}/media/news?page=2"),
    "challenge_by_script": lambda: page(_bare("Just a moment...", CHALLENGE), kind="blocked"),
    "reference_number_denial": lambda: page(_bare("Access Denied", REFERENCE_NUMBER), kind="blocked"),
    "incident_frame": lambda: page(_bare("", INCIDENT), kind="blocked"),  # a firewall that answers 200 with an empty frame
    "too_many_requests": lambda: page(
        _bare("Attention Required!", "<h1>Sorry, you have been blocked</h1>"), kind="blocked", status=403
    ),
    "not_found": not_found,
    "server_error": lambda: page(UNEXPECTED, kind="error", status=500),
    "redirect": redirect,
    "json_answer": lambda: page(NODE_AS_JSON, f"{NODE}?_format=json", kind="not_html", content_type="application/json"),
    "pdf": lambda: page(PDF, f"{HOST}/sites/default/files/guide.pdf", kind="not_html", content_type="application/pdf"),
    "pdf_that_says_html": lambda: page(PDF, f"{HOST}/sites/default/files/guide", kind="not_html"),  # the bytes decide
    "png": lambda: page(GREY_PIXEL, f"{HOST}/sites/default/files/logo.png", kind="not_html", content_type="image/png"),
    "empty_page": lambda: page(b"", kind="unreadable"),
    "maintenance": lambda: page(_bare("Site under maintenance", MAINTENANCE), kind="error", status=503),
    "blog_post_as_text": lambda: _as_text("blog_post"),
    "blog_post_that_lists_every_label_as_text": lambda: _as_text("blog_post_that_lists_every_label"),
    "teaser_list_as_text": lambda: _as_text("teaser_list"),
    "access_denied_as_text": lambda: _as_text("access_denied_with_status_200"),
}
