"""The configuration file: every setting with its built-in default, checked when the file is read (DESIGN.md, "Configuration").

Archives change their limits over the years, so these are settings; the defaults are those of November 2026 (ARCHIVES.md).
config.toml states how each is checked. Plain dataclasses: importing pydantic took 0.4 s (docs/decisions/configuration.md).
"""

import json
import re
import tomllib
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from scraper.errors import WrongUsage
from scraper.terminal import escape

DEFAULT_FILE = Path("tta.toml")
_RULES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
"""How settings are checked: the limits of each `number`, the kind of each `text`, and these `kinds`, by name."""


@dataclass(frozen=True, slots=True)
class Http:
    contact: str | None = None
    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Wayback:
    enabled: bool = True
    hosts: tuple[str, ...] = ("bjatta.bja.ojp.gov",)
    cdx_url: str = "https://web.archive.org/cdx/search/cdx"
    replay_url: str = "https://web.archive.org/web/"
    cdx_interval: float = 3.0
    replay_interval: float = 1.5
    page_limit: int = 50_000


@dataclass(frozen=True, slots=True)
class CommonCrawl:
    enabled: bool = False
    collinfo_url: str = "https://index.commoncrawl.org/collinfo.json"
    data_url: str = "https://data.commoncrawl.org/"
    crawls: int | tuple[str, ...] = 2
    index_interval: float = 2.0
    data_interval: float = 1.5


@dataclass(frozen=True, slots=True)
class EndOfTerm:
    """The End of Term collections since 2016, when the portal's records begin. They no longer change: each is listed once."""

    enabled: bool = False
    index_url: str = "https://eotarchive.s3.amazonaws.com/eot-index/collections/"
    data_url: str = "https://eotarchive.s3.amazonaws.com/"
    collections: tuple[str, ...] = ("EOT-2016", "EOT-2020", "EOT-2024")
    index_interval: float = 1.0
    data_interval: float = 1.0


@dataclass(frozen=True, slots=True)
class PywbArchive:
    """One archive that runs pywb. Some archives block clients permanently, so the default rates stay far below their limits."""

    name: str
    cdx_url: str
    replay_url: str
    cdx_interval: float = 10.0
    replay_interval: float = 5.0


@dataclass(frozen=True, slots=True)
class Pywb:
    enabled: bool = False
    archives: tuple[PywbArchive, ...] = ()

    def __post_init__(self) -> None:
        if len({one.name for one in self.archives}) < len(self.archives):
            raise ValueError("sources.pywb.archives: two archives have the same name")


@dataclass(frozen=True, slots=True)
class Live:
    enabled: bool = False
    base_urls: tuple[str, ...] = ("https://bjatta.bja.ojp.gov/",)
    interval: float = 10.0


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
    attempts: int = 4
    backoff: float = 2.0
    deadline: float = 120.0


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

    tile_url: str | None = None
    tile_attribution: str = ""
    contacts: bool | Literal["strict"] = True
    sql: bool = True
    base_url: str = "/"
    query_seconds: float = 1.0
    content_security_policy: bool = True
    plugins: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """The nightly run. `deadline` is for all of it; `reserve` is the part of it that is kept for loading and checking."""

    deadline: float = 21_600.0
    reserve: float = 1_800.0
    healthcheck_url: str | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """Limits of the checks before the commit (docs/decisions/data-checks.md). A check that compares shares fails only if the
    difference is also at least `floor` pages or records: a few odd pages in a small night must not raise an alarm.
    """

    floor: int = 20
    vanished_records: int = 0
    parsed_drop: float = 0.05
    parsed_drop_tonight: float = 0.5
    filled_drop: float = 0.05
    filled_drop_tonight: float = 0.5
    recent_pages: int = 20
    recent_failures: int = 4
    recent_share: float = 0.4
    unknown_label_records: int = 5
    new_shape_share: float = 0.5
    new_shape_captures: int = 20
    shared_references: int = 20
    silent_days: float = 14.0


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `Config()` contains the defaults, used if there is no file."""

    http: Http = Http()
    sources: Sources = Sources()
    retry: Retry = Retry()
    serve: Serve = Serve()
    refresh: Refresh = Refresh()
    checks: Checks = Checks()


def _read(kind: Any, value: Any, where: str) -> Any:
    """Checks a setting's value against its type, which is never None (TOML has no null). Raises ValueError that names the key."""
    if is_dataclass(kind):
        return _build_section(kind, value, f"{where}.")
    kinds = [one for one in get_args(kind) if one is not NoneType] if get_origin(kind) in (Union, UnionType) else [kind]
    if get_origin(kinds[-1]) is tuple and (isinstance(value, list) or len(kinds) == 1):
        if not isinstance(value, list):
            raise ValueError(f"{where}: must be a list")
        return tuple(_read(get_args(kinds[-1])[0], one, f"{where}[{number}]") for number, one in enumerate(value))
    if get_origin(kinds[0]) is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: must be a table")
        return value
    if kinds[0] is bool:
        choices = (True, False, *get_args(kinds[-1]))
        if not any(value is one or (isinstance(value, str) and value == one) for one in choices):  # true is not 1
            raise ValueError(f"{where}: must be {' or '.join(map(json.dumps, choices))}")
        return value
    rules, name = _RULES["text" if kinds[0] is str else "number"], re.sub(r"\[\d+\]", "", where)
    rule = rules.get(name) or rules[name.rpartition(".")[2]]
    if kinds[0] is not str:
        least, most = rule["least"], rule["most"]
        types, noun = ((int,), "whole number") if isinstance(least, int) else ((int, float), "number")
        if type(value) not in types or not least <= value <= most:
            raise ValueError(f"{where}: must be a {noun} from {least:g} to {most:g}")
        return type(least)(value)
    rule, text = _RULES["kinds"][rule], value if isinstance(value, str) else ""
    text = text.lower().rstrip(".") if "lower" in rule else text
    text = text.removesuffix(rule["end"]) + rule["end"] if "end" in rule else text
    if not isinstance(value, str) or not re.fullmatch(rule["pattern"], text) or not re.search(rule.get("contains", ""), text):
        raise ValueError(f"{where}: must be {rule['wanted']}")
    return text


def _build_section(section: Any, values: Any, where: str = "") -> Any:
    """Builds a section from the file's values. Raises ValueError that names all wrong keys. An unknown key is an error: if
    misspelled, its default would stay in effect unnoticed.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where.rstrip('.')}: must be a section")
    known = get_type_hints(section)
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

    The command line passes what `--config` or TTA_CONFIG names. A named file must exist, because the defaults would query other
    archives than intended. Raises WrongUsage with one line that names the file and the key.
    """
    path = given or DEFAULT_FILE
    try:
        config: Config = _build_section(Config, tomllib.loads(path.read_bytes().decode()))
        return config
    except FileNotFoundError:
        if given is None:
            return Config()
        problem = "there is no such configuration file"
    except OSError as error:
        problem = str(error.strerror)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"not a TOML file: {escape(error)}"
    except ValueError as error:
        problem = escape(error, 1000)
    raise WrongUsage(f"{path}: {problem}")
