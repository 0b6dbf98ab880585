"""The configuration file: every setting with its built-in default, checked when the file is read (DESIGN.md, "Configuration").

Limits that archives set change over the years, so they are settings; the defaults are those of November 2026 (ARCHIVES.md). Plain
dataclasses with checks of their own: importing pydantic took 0.4 s in every command (docs/decisions/configuration.md).
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from scraper.errors import BadConfiguration
from scraper.terminal import escape

DEFAULT_FILE = Path("tta.toml")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URL = re.compile(r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?")
_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?=[^?#]*\{z\})(?=[^?#]*\{x\})(?=[^?#]*\{y\})/[A-Za-z0-9_./{}@-]+")
_CONTACT = re.compile(r"[\x21-\x7e](?=[\x20-\x7e]{0,199}$).*")
_REACHABLE = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[\w-]+(?:\.[\w-]+)+", re.ASCII)

Check = Callable[[Any], Any]
"""Returns the value to use for a value of the file. Raises ValueError with what it must be."""


def number(low: float, high: float, *, whole: bool = False, above: bool = False) -> Check:
    """Checks a number from `low` to `high`. `whole`: an integer; `above`: greater than `low`."""

    def check(value: Any) -> Any:
        kinds = (int,) if whole else (int, float)
        is_number = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not low <= value <= high or (above and value == low):
            raise ValueError(f"must be a{' whole' if whole else ''} number {'above' if above else 'from'} {low:g} to {high:g}")
        return value if whole else float(value)

    return check


def text(pattern: str | re.Pattern[str], wanted: str) -> Callable[[Any], str]:
    """Checks that a text matches all of `pattern`."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must be {wanted}")
        return value

    return check


def flag(value: Any, word: str | None = None) -> Any:
    """Checks true, false, or the word."""
    if not isinstance(value, bool) and (word is None or value != word):
        raise ValueError(f'must be true, false or "{word}"' if word else "must be true or false")
    return value


def maybe(check: Check) -> Check:
    """Also permits a missing value."""
    return lambda value: None if value is None else check(value)


def several(check: Check) -> Check:
    """Checks every value of a list."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list")
        return tuple(check(one) for one in value)

    return check_all


url = text(_URL, "a URL such as https://host/path, without user name, query or fragment")


def folder_url(value: Any) -> str:
    """Checks a URL; returns it with a slash at the end."""
    return url(value + "/" if isinstance(value, str) and not value.endswith("/") else value)


def host(value: Any) -> str:
    """Checks a host name; returns it in lower case."""
    return text(_HOST, "a host name")(value.lower().rstrip(".") if isinstance(value, str) else value)


def contact(value: Any) -> str:
    """Checks a contact: one line of ASCII with an e-mail address or a web address in it."""
    found = text(_CONTACT, 'one line of plain ASCII text, such as "mailto:you@example.org"')(value)
    if not _REACHABLE.search(found):
        raise ValueError('must contain an e-mail address or a URL, such as "mailto:you@example.org"')
    return found


def crawls(value: Any) -> Any:
    """Checks a number of crawls, or their names."""
    return several(name)(value) if isinstance(value, list | tuple) else number(1, 200, whole=True)(value)


name = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, dots, dashes and underscores")
seconds = number(0, 86_400)
share = number(0, 1)
count = number(0, 1_000_000_000, whole=True)


def key(default: Any, check: Check) -> Any:
    """A setting: its default, and how a value of the file is checked."""
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True, slots=True)
class Http:
    contact: str | None = key(None, maybe(contact))
    allow_loopback: bool = key(False, flag)


@dataclass(frozen=True, slots=True)
class Wayback:
    enabled: bool = key(True, flag)
    hosts: tuple[str, ...] = key(("bjatta.bja.ojp.gov",), several(host))
    cdx_url: str = key("https://web.archive.org/cdx/search/cdx", url)
    replay_url: str = key("https://web.archive.org/web/", folder_url)
    cdx_interval: float = key(3.0, seconds)
    replay_interval: float = key(1.5, seconds)
    page_limit: int = key(50_000, number(1, 150_000, whole=True))


@dataclass(frozen=True, slots=True)
class CommonCrawl:
    enabled: bool = key(False, flag)
    collinfo_url: str = key("https://index.commoncrawl.org/collinfo.json", url)
    data_url: str = key("https://data.commoncrawl.org/", folder_url)
    crawls: int | tuple[str, ...] = key(2, crawls)
    index_interval: float = key(2.0, seconds)
    data_interval: float = key(1.5, seconds)


@dataclass(frozen=True, slots=True)
class EndOfTerm:
    """The portal's records begin in 2016, so the collections since then are listed, each once."""

    enabled: bool = key(False, flag)
    index_url: str = key("https://eotarchive.s3.amazonaws.com/eot-index/collections/", folder_url)
    data_url: str = key("https://eotarchive.s3.amazonaws.com/", folder_url)
    collections: tuple[str, ...] = key(("EOT-2016", "EOT-2020", "EOT-2024"), several(name))
    index_interval: float = key(1.0, seconds)
    data_interval: float = key(1.0, seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PywbArchive:
    """One archive that runs pywb. Some block a client permanently, so the intervals stay far below their limits."""

    name: str = key(..., name)
    cdx_url: str = key(..., url)
    replay_url: str = key(..., folder_url)
    cdx_interval: float = key(10.0, seconds)
    replay_interval: float = key(5.0, seconds)


def archives(value: Any) -> tuple[PywbArchive, ...]:
    """Checks the tables of archives; their names must differ."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, dict) for one in value):
        raise ValueError("must be tables with name, cdx_url and replay_url")
    found = tuple(_made(PywbArchive, one, f"[{number}].") for number, one in enumerate(value))
    if len({one.name for one in found}) < len(found):
        raise ValueError("two archives have the same name")
    return found


@dataclass(frozen=True, slots=True)
class Pywb:
    enabled: bool = key(False, flag)
    archives: tuple[PywbArchive, ...] = key((), archives)


@dataclass(frozen=True, slots=True)
class Live:
    enabled: bool = key(False, flag)
    base_urls: tuple[str, ...] = key(("https://bjatta.bja.ojp.gov/",), several(folder_url))
    interval: float = key(10.0, seconds)


@dataclass(frozen=True, slots=True)
class Sources:
    wayback: Wayback = field(default_factory=Wayback)
    commoncrawl: CommonCrawl = field(default_factory=CommonCrawl)
    endofterm: EndOfTerm = field(default_factory=EndOfTerm)
    pywb: Pywb = field(default_factory=Pywb)
    live: Live = field(default_factory=Live)


SOURCES = tuple(one.name for one in fields(Sources))


@dataclass(frozen=True, slots=True)
class Retry:
    attempts: int = key(4, number(1, 20, whole=True))
    backoff: float = key(2.0, number(0, 300))
    deadline: float = key(120.0, number(0, 3600, above=True))


@dataclass(frozen=True, slots=True)
class Serve:
    """What `tta serve` shows. Without `tile_url` the map has state outlines only, and no page requests anything from another
    host.

    `contacts` false: people's names, email addresses and phone numbers in fields of their own are left out; "strict": also
    masked in prose. `sql` false: visitors can't write SQL; the questions still work.
    `base_url`: the path that a web server in front passes on.
    `query_seconds`: a query that takes longer is cut off, and its page states what is missing.
    """

    tile_url: str | None = key(None, maybe(text(_TILES, "a URL such as https://host/{z}/{x}/{y}.png")))
    tile_attribution: str = key("", text(re.compile(r".*", re.DOTALL), "a text"))
    contacts: bool | Literal["strict"] = key(True, partial(flag, word="strict"))
    sql: bool = key(True, flag)
    base_url: str = key("/", text(r"(?=.{1,200}$)/(?:[A-Za-z0-9._~-]+/)*", "a path such as /tta/, with a slash at both ends"))
    query_seconds: float = key(1.0, number(0.1, 60))


@dataclass(frozen=True, slots=True)
class Refresh:
    """The nightly run. `deadline` is for all of it; `reserve` is the part of it that is kept for loading and checking."""

    deadline: float = key(21_600.0, number(0, 604_800, above=True))
    reserve: float = key(1_800.0, number(0, 604_800))
    healthcheck_url: str | None = key(None, maybe(url))


@dataclass(frozen=True, slots=True)
class Checks:
    """Limits of the checks before the commit (docs/decisions/data-checks.md). A check that compares shares fails only where the
    difference is also at least `floor` pages or records: a few odd pages in a small night are no alarm.
    """

    floor: int = key(20, count)
    vanished_records: int = key(0, count)
    parsed_drop: float = key(0.05, share)
    parsed_drop_tonight: float = key(0.5, share)
    filled_drop: float = key(0.05, share)
    filled_drop_tonight: float = key(0.5, share)
    recent_pages: int = key(20, count)
    recent_failures: int = key(4, count)
    recent_share: float = key(0.4, share)
    unknown_label_records: int = key(5, count)
    new_shape_share: float = key(0.5, share)
    new_shape_captures: int = key(20, count)
    shared_references: int = key(20, count)
    silent_days: float = key(14.0, number(0, 10_000, above=True))


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `Config()` is what a missing file means."""

    http: Http = field(default_factory=Http)
    sources: Sources = field(default_factory=Sources)
    retry: Retry = field(default_factory=Retry)
    serve: Serve = field(default_factory=Serve)
    refresh: Refresh = field(default_factory=Refresh)
    checks: Checks = field(default_factory=Checks)


def _made(section: type[Any], values: Any, where: str = "") -> Any:
    """Returns the section with the file's values. Raises ValueError that names all wrong keys; unknown keys are errors, because a
    misspelled key would leave its default in force unnoticed.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where.rstrip('.')}: must be a section")
    known = {one.name: one for one in fields(section)}
    problems = [f"unknown key {where}{name}" for name in values if name not in known]
    made: dict[str, Any] = {}
    for name, one in known.items():
        check = one.metadata.get("check")
        try:
            if name not in values and one.default is ...:
                raise ValueError("is missing")
            if name in values:
                read = check or partial(_made, one.default_factory, where=f"{where}{name}.")  # type: ignore[arg-type]
                made[name] = read(values[name])
        except ValueError as error:
            told = str(error)
            problems.append(f"{where}{name}{'' if told.startswith('[') else ': '}{told}" if check else told)
    if problems:
        raise ValueError("; ".join(problems))
    return section(**made)


def load_config(given: Path | None = None) -> Config:
    """Returns the settings in `given`, otherwise in `tta.toml` in the working directory, which need not exist.

    The command line passes what `--config` or TTA_CONFIG names. A named file must exist, because the defaults would ask other
    archives than intended. Raises BadConfiguration with one line that names the file and the key.
    """
    path = given or DEFAULT_FILE
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError:
        if given is None:
            return Config()
        raise BadConfiguration(f"{path}: there is no such configuration file") from None
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadConfiguration(f"{path}: not a TOML file: {escape(error)}") from None
    try:
        return _made(Config, values)  # type: ignore[no-any-return]
    except ValueError as error:
        raise BadConfiguration(f"{path}: {escape(error, 1000)}") from None


def as_toml(settings: Any, section: str = "") -> Iterator[str]:
    """Yields the lines of a configuration file with these settings; keys without a value are comments."""
    plain = {one.name: getattr(settings, one.name) for one in fields(settings)}
    if values := {name: value for name, value in plain.items() if not is_dataclass(value)}:
        yield f"[{section}]"
        for name, value in values.items():
            yield f"# {name} is not set" if value is None else f"{name} = {_toml(value)}"
        yield ""
    for name, value in plain.items():
        if is_dataclass(value):
            yield from as_toml(value, f"{section}.{name}" if section else name)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if is_dataclass(value) and not isinstance(value, type):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in asdict(value).items()) + " }"
    return json.dumps(value)  # strings, numbers, true and false are spelled alike in JSON and TOML
