"""The configuration file: every setting with its built-in default, checked when it is read (DESIGN.md, "Configuration").

Limits that archives set change over the years, so they are settings; the defaults are those of November 2026 (ARCHIVES.md).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from scraper.errors import BadConfiguration
from scraper.terminal import escape

DEFAULT_FILE = Path("tta.toml")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URL = re.compile(r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?")
_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?=[^?#]*\{z\})(?=[^?#]*\{x\})(?=[^?#]*\{y\})/[A-Za-z0-9_./{}@-]+")

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError("must be an address such as https://host/path, without user name, query or fragment")
    return value


def _folder_url(value: str) -> str:
    return _url(value if value.endswith("/") else value + "/")


class _Section(BaseModel):
    """Unknown keys are errors: a misspelt key would otherwise leave a default in force unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Http(_Section):
    contact: str | None = None
    allow_loopback: bool = False

    @field_validator("contact")
    @classmethod
    def _is_plain(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,199}", value):
            raise ValueError("must be one line of plain ASCII text, such as mailto:you@example.org")
        return value


class Wayback(_Section):
    enabled: bool = True
    hosts: tuple[str, ...] = ("bjatta.bja.ojp.gov",)
    cdx_url: str = "https://web.archive.org/cdx/search/cdx"
    replay_url: str = "https://web.archive.org/web/"
    cdx_interval: Seconds = 3.0
    replay_interval: Seconds = 1.5
    page_limit: Annotated[int, Field(ge=1, le=150_000)] = 50_000

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return _hosts(hosts)

    _check_cdx = field_validator("cdx_url")(_url)
    _check_replay = field_validator("replay_url")(_folder_url)


class CommonCrawl(_Section):
    enabled: bool = False
    collinfo_url: str = "https://index.commoncrawl.org/collinfo.json"
    data_url: str = "https://data.commoncrawl.org/"
    crawls: Annotated[int, Field(ge=1, le=200)] | tuple[Name, ...] = 2
    index_interval: Seconds = 2.0
    data_interval: Seconds = 1.5

    _check_collinfo = field_validator("collinfo_url")(_url)
    _check_data = field_validator("data_url")(_folder_url)


class EndOfTerm(_Section):
    enabled: bool = False
    index_url: str = "https://eotarchive.s3.amazonaws.com/eot-index/collections/"
    data_url: str = "https://eotarchive.s3.amazonaws.com/"
    collections: tuple[Name, ...] = ("EOT-2024",)
    index_interval: Seconds = 1.0
    data_interval: Seconds = 1.0

    _check_index = field_validator("index_url")(_folder_url)
    _check_data = field_validator("data_url")(_folder_url)


class Live(_Section):
    enabled: bool = False
    base_urls: tuple[str, ...] = ("https://bjatta.bja.ojp.gov/",)
    interval: Seconds = 10.0

    @field_validator("base_urls")
    @classmethod
    def _are_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_folder_url(url) for url in urls)


class Sources(_Section):
    wayback: Wayback = Wayback()
    commoncrawl: CommonCrawl = CommonCrawl()
    endofterm: EndOfTerm = EndOfTerm()
    live: Live = Live()


class Retry(_Section):
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    backoff: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = 2.0
    deadline: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 120.0


class Serve(_Section):
    """What `tta serve` shows. Without `tile_url` the map has state outlines only, and no page asks another host for anything.

    `contacts` false: without names, e-mail addresses and telephone numbers of people. `sql` false: visitors can't write SQL;
    the questions still work. `base_url`: the path that a web server in
    front passes on. `query_seconds`: a query that takes longer is cut off, and its page says what is missing.
    """

    tile_url: str | None = None
    tile_attribution: str = ""
    contacts: bool = True
    sql: bool = True
    base_url: Annotated[str, StringConstraints(pattern=r"^/(?:[A-Za-z0-9._~-]+/)*$", max_length=200)] = "/"
    query_seconds: Annotated[float, Field(ge=0.1, le=60, allow_inf_nan=False)] = 1.0

    @field_validator("tile_url")
    @classmethod
    def _is_tiles(cls, value: str | None) -> str | None:
        if value is not None and not _TILES.fullmatch(value):
            raise ValueError("must be an address such as https://host/{z}/{x}/{y}.png")
        return value


class Refresh(_Section):
    """The nightly run. `deadline` is for the whole of it; of that, `reserve` is kept for loading and checking."""

    deadline: Annotated[float, Field(gt=0, le=604_800, allow_inf_nan=False)] = 21_600.0
    reserve: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] = 1_800.0
    healthcheck_url: str | None = None

    @field_validator("healthcheck_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        return None if value is None else _url(value)


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Checks(_Section):
    """What the new data may look like beside that of the last good run. A check that compares shares fails only where the
    difference is also at least `floor` pages or records: a few odd pages in a small night are no alarm.
    """

    floor: Count = 20
    vanished_records: Count = 0
    parsed_drop: Share = 0.05
    parsed_drop_tonight: Share = 0.5
    filled_drop: Share = 0.05
    filled_drop_tonight: Share = 0.5
    unknown_label_records: Count = 5
    new_shape_share: Share = 0.5
    new_shape_captures: Count = 20
    shared_references: Count = 20
    silent_days: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 14.0


class Config(_Section):
    """The whole file. `Config()` is what a missing file means."""

    http: Http = Http()
    sources: Sources = Sources()
    retry: Retry = Retry()
    serve: Serve = Serve()
    refresh: Refresh = Refresh()
    checks: Checks = Checks()


def _hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    cleaned = tuple(host.lower().rstrip(".") for host in hosts)
    for host in cleaned:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{escape(host)} is not a host name")
    return cleaned


def load_config(given: Path | None = None) -> Config:
    """The settings in `given`, else in `tta.toml` in the working directory, which need not exist.

    The command line gives what `--config` or TTA_CONFIG names; a file that was named has to be there, since going on with the
    defaults would ask other archives than was meant. Raises BadConfiguration with one line that names the file and the key.
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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: not a TOML file: {escape(error)}") from None
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise BadConfiguration(f"{path}: {'; '.join(_in_words(one) for one in error.errors())}") from None


def _in_words(error: ErrorDetails) -> str:
    key = escape(".".join(str(part) for part in error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}"
    return f"{key}: {escape(error['msg'].removeprefix('Value error, '))}"
