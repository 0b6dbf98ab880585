"""All exception classes of `scraper`. Each docstring states what its caller, or the person at the terminal, should do.

`cli` prints a TtaError as one line and exits with its `status`. This module imports nothing of the project.
"""

from datetime import UTC, datetime
from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of the command line (DESIGN.md, "Command line"); scripts and cron jobs rely on the numbers."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    DATA_LOOKS_WRONG = 3
    PARTLY_DONE = 4


class TtaError(Exception):
    """Nothing was done. The text is one line that states what happened and what to do next: print it and exit with `status`."""

    status = ExitStatus.ERROR


class WrongUsage(TtaError):
    """An option, argument, address or setting is unusable. Change what the text names and run the command again."""

    status = ExitStatus.USAGE


class BadQuery(WrongUsage):
    """A search page's query is unusable. Show the text, which states what to enter, in place of results."""


class NothingEnabled(TtaError):
    """No source was named and none is enabled. Name one, or enable one in the configuration file."""


class Stopped(BaseException):
    """Ctrl-C or SIGTERM arrived, or the run's time is up. Save what is complete and return."""


class DataLooksWrong(TtaError):
    """The input or the database is not as expected; nothing was changed. Check what the text names."""

    status = ExitStatus.DATA_LOOKS_WRONG


class RefreshRefused(DataLooksWrong):
    """A check of this refresh failed, or a load would commit what one refused. See the checks that the text names."""


class ArchiveDamaged(TtaError):
    """A WARC file is damaged or missing. Run `tta doctor`, or restore the file that the text names from a copy."""


class Broken(Exception):
    """A gzip member or zstd frame at byte `position` can't be decompressed. Keep what came before, and look for the next one.

    `is_cut`: it is intact as far as it goes, and the file ends within it.
    """

    def __init__(self, position: int, reason: str, *, is_cut: bool = False) -> None:
        super().__init__(reason)
        self.position = position
        self.is_cut = is_cut


class SqliteDamaged(TtaError):
    """An SQLite file is damaged, or another program's. Run `tta doctor --repair`, which sets it aside and replaces it."""


class ParsedPagesDamaged(SqliteDamaged):
    """The file of parsed pages is damaged. Delete it and run `tta load`, which recreates it from the archive."""


class PageTookTooLong(Exception):
    """A page exceeded its parse time. Mark the capture as unreadable and continue with the next page."""


class ConnectionFailed(Exception):
    """No whole answer arrived. Request it again."""


class ConnectionRefused(ConnectionFailed):
    """The host refused the connection, as it does with clients that it bans. Request it again later."""


class TimedOut(ConnectionFailed):
    """The deadline passed before the answer was complete. Request it again later."""


class NotAllowed(TtaError):
    """The source may not request this address (scheme, host, port or private network). Do not request it again."""


class RequestFailed(TtaError):
    """No usable answer after all attempts. Nothing is known about what was requested: request it again in a later run."""

    status = ExitStatus.PARTLY_DONE


class TooLarge(TtaError):
    """The body exceeds a limit, compressed or decompressed. Do not request it again in the near future."""

    status = ExitStatus.PARTLY_DONE


class SourcePaused(TtaError):
    """The host must not be asked before `until`. End this source's part of the run; the ledger stores the time."""

    status = ExitStatus.PARTLY_DONE

    def __init__(self, host: str, until: datetime, reason: str) -> None:
        moment = f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        super().__init__(f"{host} must not be contacted before {moment}: {reason} (--now overrides)")
        self.host = host
        self.until = until


class NotCdx(TtaError):
    """The answer is not a complete CDX listing. Request it again later, unless `final`: then the answer will not change."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class ListingTimedOut(NotCdx):
    """The CDX server could not answer a listing with `from=` in time (504). Request the full listing at once."""


class UndecodableContent(TtaError):
    """A body's content encoding is wrong, truncated or exceeds a limit. `partial` contains what was decoded before: keep it."""

    def __init__(self, problem: str, partial: bytes = b"") -> None:
        super().__init__(problem)
        self.partial = partial
