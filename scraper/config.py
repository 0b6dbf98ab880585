"""The configuration file: every setting with its built-in default, checked when the file is read (DESIGN.md, "Configuration").

Limits that archives set change over the years, so they are settings; the defaults are those of November 2026 (ARCHIVES.md). The
type of a setting states how it is checked. Plain dataclasses: importing pydantic took 0.4 s (docs/decisions/configuration.md).
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from scraper.errors import BadConfiguration
from scraper.terminal import escape

DEFAULT_FILE = Path("tta.toml")

Check = Callable[[Any], Any]
"""Returns the value to use for a value of the file. Raises ValueError with what it must be."""


def number(low: float, high: float) -> Check:
    """Checks a number from `low` to `high`; a whole number where `low` is one."""
    kinds, noun = ((int,), "whole number") if isinstance(low, int) else ((int, float), "number")

    def check(value: Any) -> Any:
        if type(value) not in kinds or not low <= value <= high:
            raise ValueError(f"must be a {noun} from {low:g} to {high:g}")
        return type(low)(value)

    return check


def text(pattern: str, wanted: str, tidy: Callable[[str], str] = str, *, contains: str = "") -> Check:
    """Checks that a text, after `tidy`, matches all of `pattern` and has a match of `contains`."""

    def check(value: Any) -> str:
        tidied = tidy(value) if isinstance(value, str) else ""
        if not isinstance(value, str) or not re.fullmatch(pattern, tidied) or not re.search(contains, tidied, re.ASCII):
            raise ValueError(f"must be {wanted}")
        return tidied

    return check


def one_of(*values: object) -> Check:
    """Checks that a value is one of these; true is not 1."""

    def check(value: Any) -> Any:
        if not any(value is one or (isinstance(value, str) and value == one) for one in values):
            raise ValueError(f"must be {' or '.join(json.dumps(one) for one in values)}")
        return value

    return check


def crawl_choice(value: Any) -> Any:
    """Checks a number of crawls, or their names."""
    return _read(tuple[Name, ...], value, "crawls") if isinstance(value, list) else number(1, 200)(value)


_URL = r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?"
_A_URL = "a URL such as https://host/path, without user name, query or fragment"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TILES = r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?=[^?#]*\{z\})(?=[^?#]*\{x\})(?=[^?#]*\{y\})/[A-Za-z0-9_./{}@-]+"


def table(value: Any) -> dict[str, Any]:
    """Checks that a value is a table; what is in it is for others to check."""
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return value


Flag = Annotated[bool, one_of(True, False)]
Url = Annotated[str, text(_URL, _A_URL)]
FolderUrl = Annotated[str, text(_URL, _A_URL, lambda url: url.removesuffix("/") + "/")]
Host = Annotated[str, text(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}", "a host name", lambda host: host.lower().rstrip("."))]
Name = Annotated[str, text(r"[A-Za-z0-9][\w.-]{0,63}", "a name of letters, digits, dots, dashes and underscores")]
Contact = Annotated[
    str,
    text(
        r"[\x21-\x7e][\x20-\x7e]{0,199}",
        'one line of plain ASCII text with an e-mail address or a URL, such as "mailto:you@example.org"',
        contains=r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[\w-]+(?:\.[\w-]+)+",
    ),
]
Seconds = Annotated[float, number(0.0, 86_400)]
Share = Annotated[float, number(0.0, 1)]
Count = Annotated[int, number(0, 1_000_000_000)]


@dataclass(frozen=True, slots=True)
class Http:
    contact: Contact | None = None
    allow_loopback: Flag = False


@dataclass(frozen=True, slots=True)
class Wayback:
    enabled: Flag = True
    hosts: tuple[Host, ...] = ("bjatta.bja.ojp.gov",)
    cdx_url: Url = "https://web.archive.org/cdx/search/cdx"
    replay_url: FolderUrl = "https://web.archive.org/web/"
    cdx_interval: Seconds = 3.0
    replay_interval: Seconds = 1.5
    page_limit: Annotated[int, number(1, 150_000)] = 50_000


@dataclass(frozen=True, slots=True)
class CommonCrawl:
    enabled: Flag = False
    collinfo_url: Url = "https://index.commoncrawl.org/collinfo.json"
    data_url: FolderUrl = "https://data.commoncrawl.org/"
    crawls: Annotated[int | tuple[str, ...], crawl_choice] = 2
    index_interval: Seconds = 2.0
    data_interval: Seconds = 1.5


@dataclass(frozen=True, slots=True)
class EndOfTerm:
    """The portal's records begin in 2016, so the collections since then are listed, each once."""

    enabled: Flag = False
    index_url: FolderUrl = "https://eotarchive.s3.amazonaws.com/eot-index/collections/"
    data_url: FolderUrl = "https://eotarchive.s3.amazonaws.com/"
    collections: tuple[Name, ...] = ("EOT-2016", "EOT-2020", "EOT-2024")
    index_interval: Seconds = 1.0
    data_interval: Seconds = 1.0


@dataclass(frozen=True, slots=True)
class PywbArchive:
    """One archive that runs pywb. Some block a client permanently, so the intervals stay far below their limits."""

    name: Name
    cdx_url: Url
    replay_url: FolderUrl
    cdx_interval: Seconds = 10.0
    replay_interval: Seconds = 5.0


@dataclass(frozen=True, slots=True)
class Pywb:
    enabled: Flag = False
    archives: tuple[PywbArchive, ...] = ()

    def __post_init__(self) -> None:
        if len({one.name for one in self.archives}) < len(self.archives):
            raise ValueError("sources.pywb.archives: two archives have the same name")


@dataclass(frozen=True, slots=True)
class Live:
    enabled: Flag = False
    base_urls: tuple[FolderUrl, ...] = ("https://bjatta.bja.ojp.gov/",)
    interval: Seconds = 10.0


@dataclass(frozen=True, slots=True)
class Sources:
    wayback: Wayback = Wayback()
    commoncrawl: CommonCrawl = CommonCrawl()
    endofterm: EndOfTerm = EndOfTerm()
    pywb: Pywb = Pywb()
    live: Live = Live()


SOURCES = tuple(one.name for one in fields(Sources))


@dataclass(frozen=True, slots=True)
class Retry:
    attempts: Annotated[int, number(1, 20)] = 4
    backoff: Annotated[float, number(0.0, 300)] = 2.0
    deadline: Annotated[float, number(0.001, 3600)] = 120.0


@dataclass(frozen=True, slots=True)
class Serve:
    """What `tta serve` shows. Without `tile_url` the map has state outlines only, and no page requests anything from another
    host.

    `contacts` false: people's names, email addresses and phone numbers in fields of their own are left out; "strict": also
    masked in prose. `sql` false: visitors can't write SQL; the questions still work.
    `base_url`: the path that a web server in front passes on.
    `query_seconds`: a query that takes longer is cut off, and its page states what is missing.
    `content_security_policy` false: pages may run scripts of other origins, which some plugins of Datasette need.
    `plugins`: settings of other plugins, by name, as in Datasette's metadata.
    """

    tile_url: Annotated[str, text(_TILES, "a URL such as https://host/{z}/{x}/{y}.png")] | None = None
    tile_attribution: Annotated[str, text(r"(?s:.*)", "a text")] = ""
    contacts: Annotated[bool | Literal["strict"], one_of(True, False, "strict")] = True
    sql: Flag = True
    base_url: Annotated[str, text(r"(?=.{1,200}$)/(?:[\w.~-]+/)*", "a path such as /tta/, with a slash at both ends")] = "/"
    query_seconds: Annotated[float, number(0.1, 60)] = 1.0
    content_security_policy: Flag = True
    plugins: Annotated[dict[str, Any], table] | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """The nightly run. `deadline` is for all of it; `reserve` is the part of it that is kept for loading and checking."""

    deadline: Annotated[float, number(0.001, 604_800)] = 21_600.0
    reserve: Annotated[float, number(0.0, 604_800)] = 1_800.0
    healthcheck_url: Url | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """Limits of the checks before the commit (docs/decisions/data-checks.md). A check that compares shares fails only where the
    difference is also at least `floor` pages or records: a few odd pages in a small night are no alarm.
    """

    floor: Count = 20
    vanished_records: Count = 0
    parsed_drop: Share = 0.05
    parsed_drop_tonight: Share = 0.5
    filled_drop: Share = 0.05
    filled_drop_tonight: Share = 0.5
    recent_pages: Count = 20
    recent_failures: Count = 4
    recent_share: Share = 0.4
    unknown_label_records: Count = 5
    new_shape_share: Share = 0.5
    new_shape_captures: Count = 20
    shared_references: Count = 20
    silent_days: Annotated[float, number(0.001, 10_000)] = 14.0


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `Config()` is what a missing file means."""

    http: Http = Http()
    sources: Sources = Sources()
    retry: Retry = Retry()
    serve: Serve = Serve()
    refresh: Refresh = Refresh()
    checks: Checks = Checks()


def _read(kind: Any, value: Any, where: str) -> Any:
    """The value of a setting of this type. Raises ValueError that names `where`, the key."""
    if is_dataclass(kind):
        return _section(kind, value, f"{where}.")
    inner = get_args(kind)
    if get_origin(kind) in (Union, UnionType):  # TOML has no null, so a file can't set None
        return _read(next(one for one in inner if one is not NoneType), value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where}: must be a list")
        return tuple(_read(inner[0], one, f"{where}[{number}]") for number, one in enumerate(value))
    try:
        return inner[1](value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _section(section: Any, values: Any, where: str = "") -> Any:
    """A section with the file's values. Raises ValueError that names all wrong keys. An unknown one is wrong: a misspelled
    key would leave its default in force unnoticed.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where.rstrip('.')}: must be a section")
    known = get_type_hints(section, include_extras=True)
    problems = [f"unknown key {where}{name}" for name in values if name not in known]
    problems += [f"{where}{one.name}: is missing" for one in fields(section) if one.default is MISSING and one.name not in values]
    made: dict[str, Any] = {}
    for name in known.keys() & values.keys():
        try:
            made[name] = _read(known[name], values[name], f"{where}{name}")
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(sorted(problems)))
    return section(**made)


def load_config(given: Path | None = None) -> Config:
    """Returns the settings in `given`, otherwise in `tta.toml` in the working directory, which need not exist.

    The command line passes what `--config` or TTA_CONFIG names. A named file must exist, because the defaults would ask other
    archives than intended. Raises BadConfiguration with one line that names the file and the key.
    """
    path = given or DEFAULT_FILE
    try:
        config: Config = _section(Config, tomllib.loads(path.read_bytes().decode()))
    except FileNotFoundError:
        if given is None:
            return Config()
        raise BadConfiguration(f"{path}: there is no such configuration file") from None
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadConfiguration(f"{path}: not a TOML file: {escape(error)}") from None
    except ValueError as error:
        raise BadConfiguration(f"{path}: {escape(error, 1000)}") from None
    return config


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
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)  # strings, numbers, true and false are spelled alike in JSON and TOML
