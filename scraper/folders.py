"""Where things lie in the data folder (DESIGN.md, "Rooms")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folder and the configuration file that a command was called with."""

    data: Path
    config_file: Path | None = None

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def database(self) -> Path:
        return self.data / "tta.db"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"
