"""The sources by name: which of them a run asks, and how each is made from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import urlsplit

from scraper.config import SOURCES, Config
from scraper.errors import NothingEnabled, TtaError, UnknownSource
from scraper.sources.base import Source, SourceContext
from scraper.sources.commoncrawl import CommonCrawl
from scraper.sources.endofterm import EndOfTerm
from scraper.sources.live import Live
from scraper.sources.pywb import Pywb
from scraper.sources.wayback import Wayback
from scraper.terminal import escape
from scraper.web.addresses import LOOPBACK

_SOURCES: dict[str, Callable[[SourceContext], Source]] = {one.name: one for one in (Wayback, CommonCrawl, EndOfTerm, Live)}


def chosen(settings: Config, named: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the sources to ask: those named, otherwise those enabled. Raises TtaError where none can be asked."""
    for name in named:
        if name not in SOURCES:
            raise UnknownSource(f"there is no source {escape(name, 40)}; the sources are {', '.join(SOURCES)}")
    names = tuple(name for name in SOURCES if (name in named if named else getattr(settings.sources, name).enabled))
    if not names:
        raise NothingEnabled(
            "no source is enabled: name one, or set enabled = true under [sources.NAME] in the configuration file"
        )
    if "pywb" in names and not settings.sources.pywb.archives:
        raise NothingEnabled("pywb has no archives: list them under archives in [sources.pywb] of the configuration file")
    for name in names:
        if not settings.http.contact and any(urlsplit(url).hostname != LOOPBACK for url in _urls(settings, name)):
            raise TtaError(
                f"{name} can't be asked without a contact, because archives block clients without one: set contact = "
                '"mailto:you@example.org" under [http] in the configuration file'
            )
    return names


def _urls(settings: Config, name: str) -> list[str]:
    """Returns every URL in the settings of a source."""
    section = asdict(getattr(settings.sources, name))
    values = [value for table in (section, *section.get("archives", ())) for key, value in table.items() if "_url" in key]
    return [url for value in values for url in (value if isinstance(value, tuple) else (value,))]


def make_sources(name: str, context: SourceContext) -> list[Source]:
    """Returns the sources of that name, ready to be asked: one, or for pywb one per archive."""
    if name == "pywb":
        return [Pywb(archive, context) for archive in context.settings.sources.pywb.archives]
    return [_SOURCES[name](context)]
