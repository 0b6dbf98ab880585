"""The sources by name: which a run asks, and how each is made from the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from scraper.config import Config, Sources
from scraper.errors import NothingEnabled, TtaError, UnknownSource
from scraper.sources.base import Room, Source
from scraper.sources.commoncrawl import CommonCrawl
from scraper.sources.endofterm import EndOfTerm
from scraper.sources.live import Live
from scraper.sources.wayback import Wayback
from scraper.terminal import escape
from scraper.web.addresses import LOOPBACK

NAMES = tuple(Sources.model_fields)


def chosen(settings: Config, named: tuple[str, ...]) -> tuple[str, ...]:
    """The sources to ask: those named, else those enabled, in the order of NAMES. Raises TtaError where none may be asked."""
    for name in named:
        if name not in NAMES:
            raise UnknownSource(f"there is no source {escape(name, 40)}; there are {', '.join(NAMES)}")
    names = tuple(name for name in NAMES if (name in named if named else getattr(settings.sources, name).enabled))
    if not names:
        raise NothingEnabled(
            "no source is enabled: name one, or set enabled = true under [sources.NAME] in the configuration file"
        )
    for name in names:
        outside = [url for url in _addresses(settings, name) if urlsplit(url).hostname != LOOPBACK]
        if outside and not settings.http.contact:
            raise TtaError(
                f"{name} can't be asked without saying who asks: archives block such clients. Set contact = "
                '"mailto:you@example.org" under [http] in the configuration file'
            )
    return names


def _addresses(settings: Config, name: str) -> list[str]:
    """Every address that the settings of a source name."""
    values = getattr(settings.sources, name).model_dump().items()
    return [url for key, value in values if "_url" in key for url in (value if isinstance(value, list | tuple) else [value])]


def make_source(name: str, settings: Config, room: Room) -> Source:
    """The source of that name, ready to be asked."""
    loopback = settings.http.allow_loopback
    sources, retry = settings.sources, settings.retry
    hosts = sources.wayback.hosts
    match name:
        case "commoncrawl":
            return CommonCrawl(sources.commoncrawl, hosts, retry, room, loopback=loopback)
        case "endofterm":
            return EndOfTerm(sources.endofterm, hosts, room, loopback=loopback)
        case "live":
            return Live(sources.live, room, contact=settings.http.contact, loopback=loopback)
        case _:
            return Wayback(sources.wayback, retry, room, loopback=loopback)
