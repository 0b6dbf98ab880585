"""What a real portal page carries around its record: scripts, style sheets, settings, menus and a footer, some 20 KB of it.

`tests.pagegen` leaves it out, because it tells the parser nothing; a measurement needs it, because it has to be
read all the same.
"""

from __future__ import annotations

import json

_MODULES = (
    "system views datetime paragraphs address geolocation webform extlink better_exposed_filters ckeditor menu block".split()
)
_AREAS = "Courts Corrections Policing Reentry Prosecution Pretrial Tribal Rural Forensics Technology Training Grants".split()
_TOPICS = (
    "Overview and eligibility",
    "Request assistance for your agency",
    "Find a provider in your state",
    "Publications and archived webinars",
    "Frequently asked questions",
    "Events of the coming months",
)


def head() -> str:
    """Style sheets, icons, meta elements and the tag manager's script, as they stand in the document's head."""
    sheets = "\n".join(
        f'<link rel="stylesheet" media="all" href="/core/modules/{name}/css/{name}.{part}.css?s{number}k{part[0]}7" />'
        for number, name in enumerate(_MODULES)
        for part in ("module", "theme")
    )
    metas = "\n".join(
        f'<meta property="og:{name}" content="A made-up national center for training and technical assistance: {name}" />'
        for name in ("site_name", "type", "description", "image", "updated_time", "locale")
    )
    icons = "\n".join(
        f'<link rel="icon" sizes="{size}x{size}" href="/themes/custom/portal/icons/favicon-{size}.png" type="image/png" />'
        for size in (16, 32, 96, 180, 192, 512)
    )
    script = (
        "<script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'start':new Date().getTime(),event:'gtm.js'});"
        "var f=d.getElementsByTagName(s)[0],j=d.createElement(s);j.async=true;j.src='/made-up.js?id='+i+l;"
        "f.parentNode.insertBefore(j,f);})(window,document,'script','dataLayer','MADE-UP');</script>"
    )
    return f"{metas}\n{icons}\n{sheets}\n{script}\n"


def before() -> str:
    """Banner and menus: a link to every topic of every area, which is what makes real pages heavy."""
    areas = "\n".join(
        f'<li class="expanded dropdown menu-item-{number}"><a href="/areas/{name.lower()}" class="dropdown-toggle" '
        f'data-toggle="dropdown" aria-expanded="false">{name} <span class="caret"></span></a>\n<ul class="dropdown-menu">'
        + "".join(
            f'<li class="leaf"><a href="/areas/{name.lower()}/{place}" '
            f'data-drupal-link-system-path="node/{600 + 12 * number + place}">{topic}</a></li>\n'
            for place, topic in enumerate(_TOPICS)
        )
        + "</ul></li>"
        for number, name in enumerate(_AREAS)
    )
    banner = (
        '<section class="usa-banner" aria-label="Banner"><div class="usa-accordion"><header class="usa-banner__header">'
        '<div class="usa-banner__inner"><p class="usa-banner__header-text">A made-up website of no government</p>'
        '<button class="usa-banner__button" aria-expanded="false"><span>How to tell</span></button>'
        "</div></header></div></section>"
    )
    return (
        f'{banner}\n<div class="navbar-collapse collapse" id="mega-menu"><ul class="menu nav navbar-nav">\n{areas}\n</ul></div>\n'
    )


def after() -> str:
    """Footer links, drawings, Drupal's settings and the scripts at the end of the body."""
    links = "".join(f'<li><a href="/footer/{name.lower()}" class="footer-link">{name} resources</a></li>\n' for name in _AREAS)
    drawing = "".join(f"M{n} {n * 7 % 24}l{n % 5} {n % 7}c{n % 3} 1 {n % 4} 2 {n % 6} 3z" for n in range(40))
    icons = "".join(
        f'<a href="/follow/{name}" aria-label="{name}"><svg viewBox="0 0 24 24" aria-hidden="true">'
        f'<path d="{drawing}"/></svg></a>\n'
        for name in ("letter", "feed", "video")
    )
    settings = {
        "path": {"baseUrl": "/", "pathPrefix": "", "currentLanguage": "en"},
        "ajaxTrustedUrl": {f"/{name}/autocomplete": True for name in _MODULES},
        "views": {"ajaxViews": {f"views_dom_id:{n:032x}": {"view_name": n, "view_args": ""} for n in range(9, 18)}},
        "bootstrap": {f"option_{n}": {"enabled": bool(n % 2), "delay": n * 10, "selector": ".portal"} for n in range(24)},
    }
    scripts = "\n".join(f'<script src="/core/modules/{name}/js/{name}.min.js?v=9.5.{len(name)}"></script>' for name in _MODULES)
    return (
        f'<div class="region region-footer"><ul class="menu">\n{links}</ul>\n{icons}</div>\n'
        f'<script type="application/json" data-made-up="settings">{json.dumps(settings)}</script>\n{scripts}\n'
    )


def dressed(page: str) -> str:
    """A page of `tests.pagegen` with all of that around it."""
    page = page.replace("</head>", f"{head()}</head>", 1).replace("<body>\n", f"<body>\n{before()}", 1)
    return page.replace("</body>", f"{after()}</body>", 1)
