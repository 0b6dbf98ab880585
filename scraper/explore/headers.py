"""Security headers on every answer. Scripts run only from this server's files, or where they are Datasette's own, unchanged."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import datasette_leaflet

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def with_headers(app: App, headers: dict[str, str]) -> App:
    """The application, with the headers in every answer in place of any of the same name."""
    added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    names = {name for name, _ in added}

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped


def headers(datasette: Any, settings: Mapping[str, Any]) -> dict[str, str]:
    """All of them, by name. `settings`: those of `scraper.config.Serve`. Only map tiles may come from another host."""
    if settings.get("content_security_policy") is False:
        return _FIXED
    templates = [
        one.read_text(encoding="utf-8") for one in (resources.files("datasette") / "templates").iterdir() if one.is_file()
    ]
    scripts = [script for text in templates for script in _INLINE.findall(text) if "{{" not in script and "{%" not in script]
    scripts += [f"DATASETTE_ALLOW_FACET = {allowed};" for allowed in ("true", "false")]
    scripts.append(str(datasette_leaflet.extra_body_script(datasette)))
    digests = sorted({base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts})
    tiles = urlsplit(settings.get("tile_url") or "")
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)]),
        "style-src": "'self' 'unsafe-inline'",  # Datasette colours its headings in style attributes
        "img-src": "'self' data:" + f" {tiles.scheme}://{tiles.netloc}" * bool(tiles.netloc),
        **dict.fromkeys(("connect-src", "form-action"), "'self'"),
        **dict.fromkeys(("base-uri", "frame-ancestors"), "'none'"),
    }
    return {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in rules.items()), **_FIXED}
