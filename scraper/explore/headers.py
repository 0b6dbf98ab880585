"""Security headers on every answer. Scripts run only from this server's files, or where they are Datasette's own, unchanged."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
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


def inline_scripts(datasette: Any) -> list[str]:
    """The scripts that Datasette and its Leaflet plugin write into their pages; those of templates only where they are fixed."""
    found = []
    templates = resources.files("datasette") / "templates"
    for template in sorted(templates.iterdir(), key=lambda one: one.name):
        if template.name.endswith(".html"):
            found += _INLINE.findall(template.read_text(encoding="utf-8"))
    found = [script for script in found if "{{" not in script and "{%" not in script]
    found += [f"DATASETTE_ALLOW_FACET = {allowed};" for allowed in ("true", "false")]
    return [*found, str(datasette_leaflet.extra_body_script(datasette))]


def policy(scripts: Iterable[str], tile_url: str | None) -> str:
    """The Content-Security-Policy. Only map tiles may come from another host, and only where they are configured."""
    digests = sorted({base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts})
    tiles = [f"{urlsplit(tile_url).scheme}://{urlsplit(tile_url).netloc}"] if tile_url else []
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *(f"'sha256-{digest}'" for digest in digests)],
        "style-src": ["'self'", "'unsafe-inline'"],  # Datasette colours its headings in style attributes
        "img-src": ["'self'", "data:", *tiles],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())


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
    """All of them, by name. `settings`: those of `scraper.config.Serve`."""
    if settings.get("content_security_policy") is False:
        return _FIXED
    return {"Content-Security-Policy": policy(inline_scripts(datasette), settings.get("tile_url")), **_FIXED}
