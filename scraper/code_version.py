"""Digests of this program's code: programs with the same digest produce the same results from the same captures."""

import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

import parsers
import scraper

_SCRAPER = Path(scraper.__file__).parent
_PARSING = ("capture.py", "encoding.py", "reading.py", "archive/*.*", "database/parse*.*", "database/stored_page.py")
"""Modules of `scraper` that a parsed page depends on; a test checks that `parse_captures` imports no others that matter."""
_PARSING_LIBRARIES = ("brotli", "charset-normalizer", "selectolax", "orjson", "zstandard")  # whose versions change what is parsed
_FOLDERS = ("archive", "database", "database/atlas", "database/rules", "scan")  # whose code builds the database


@cache
def parsing_code() -> str:
    """Digest of the code that parses captures, the key of `DIR/parsed.db`. A changed comment changes it, too."""
    modules = (path for pattern in _PARSING for path in _SCRAPER.glob(pattern))
    return _digest([*Path(parsers.__file__).parent.glob("*.*"), *modules], _PARSING_LIBRARIES)


@cache
def loading_code() -> str:
    """Digest of the code that builds the database from the archive, and of `tta scan`: a cluster's workers must have the same."""
    return _digest((path for folder in _FOLDERS for path in (_SCRAPER / folder).glob("*.*")), (), parsing_code())


def _digest(files: Iterable[Path], libraries: Iterable[str], *more: str) -> str:
    """Returns the first sixteen hex digits of the SHA-256 of the Python version, library versions and files."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {more}\n".encode())
    for library in libraries:
        digest.update(f"{library} {metadata.version(library)}\n".encode())
    for path in sorted(files, key=lambda path: (path.parent.name, path.name)):
        digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
