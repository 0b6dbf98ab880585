"""The archive's catalog, `catalog.db`: its tables, its version, and how it is opened. `store` fills it.

It repeats what is in the WARC files, so one of another version is emptied and filled from them again.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from parsers import urls
from scraper.archive import dating
from scraper.errors import ArchiveDamaged
from scraper.sqlite import explain, open_memory, open_readonly, open_writable

CATALOG = "catalog.db"
SOURCES = ("wayback", "commoncrawl", "endofterm", "live")
"""The order of the configuration's sources (a test holds it); others come after them by name."""
SCHEMA = Path(__file__).with_name("catalog.sql").read_text(encoding="utf-8")
VERSION = crc32((SCHEMA + dating.PATTERNS).encode() + Path(dating.__file__).read_bytes() + Path(urls.__file__).read_bytes()) >> 1
"""`user_version` (31 bits): another one means other tables, or other rules for addresses and times.

Then the catalog is filled again from the WARC files, so that a better rule dates and addresses old captures too.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalog: what is known of a stored capture without opening its WARC file.

    Times are ISO 8601 in UTC; `captured_at` is as precise as its source, down to a year (`2019`). `intact` is 0 if the record was
    damaged when it was imported (`Capture.damage`): an intact capture of the same address and time replaces it.
    """

    capture_id: str
    warc_file: str
    warc_offset: int
    warc_length: int
    form: str
    source: str
    url: str | None
    captured_at: str | None
    fetched_at: str | None
    http_status: int | None
    content_type: str | None
    sha256: str | None
    payload_digest: str | None
    truncated: str | None
    warc_record_id: str | None
    revisit_profile: str | None
    original_record_id: str | None
    original_url: str | None
    original_captured_at: str | None
    intact: int

    def rank(self) -> tuple[object, ...]:
        """Of the deliveries of a capture, the same page at the same time with the same body, the lowest counts.

        Intact before damaged, whole before truncated, then by source; else by what surrounds the body, so that the catalog does
        not depend on which came first.
        """
        place = SOURCES.index(self.source) if self.source in SOURCES else len(SOURCES)
        details = (self.form, self.content_type, self.payload_digest, self.warc_record_id)
        original = (self.original_record_id, self.original_url, self.original_captured_at)
        ranks = ((one is None, one or "") for one in (*details, *original))
        return -self.intact, self.truncated or "", place, self.source, *ranks


def open_catalog(folder: Path, *, writable: bool) -> sqlite3.Connection:
    """Opens the catalog of the archive in `folder`. Raises ArchiveDamaged, SqliteDamaged.

    For reading, a missing one is replaced by an empty one in memory, and one of another version is refused. For writing, it is
    created, or emptied if it is of another version.
    """
    path = folder / CATALOG
    if not writable and not path.exists():
        catalog = open_memory()
        catalog.executescript(SCHEMA)
        return catalog
    try:
        catalog = open_writable(path) if writable else open_readonly(path)
        if writable:
            catalog.execute("PRAGMA journal_mode = WAL")
        is_other = catalog.execute("PRAGMA user_version").fetchone()[0] != VERSION
        if is_other and not writable:
            raise ArchiveDamaged(f"{path} was written by another version of this program: run `tta load`, which makes it anew")
        if is_other:
            tables = [name for (name,) in catalog.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            drops = " ".join(f'DROP TABLE "{name}";' for name in tables)
            catalog.executescript(f"BEGIN IMMEDIATE; {drops} {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
    except sqlite3.Error as error:
        raise explain(path, error) from None
    catalog.isolation_level = "DEFERRED"  # the first write opens a transaction, and `Archive.flush` commits it
    return catalog
