"""What can go wrong, by what the person at the terminal has to do about it. `cli` turns each into one line and a status."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The command line's promise (DESIGN.md, "Contract"); scripts and cron jobs rely on the numbers."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    DATA_LOOKS_WRONG = 3
    PARTLY_DONE = 4


class TtaError(Exception):
    """An error whose text is one line that says what happened and what to do next; nothing was done."""

    status = ExitStatus.ERROR


class DataLooksWrong(TtaError):
    """The input or the database is not what it should be; nothing was changed. Look at what the text names."""

    status = ExitStatus.DATA_LOOKS_WRONG


class ArchiveDamaged(TtaError):
    """The archive folder holds something that can't be read; run `tta doctor` or restore the named file from a copy."""
