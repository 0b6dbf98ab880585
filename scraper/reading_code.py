"""A digest of the code that makes rows of captures: two programs with the same one read the same out of the same bytes."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import parsers
import scraper

_ROOT = Path(scraper.__file__).parent
_FOLDERS = (Path(parsers.__file__).parent, _ROOT / "archive", _ROOT / "database", _ROOT / "scan")
_MODULES = ("capture.py", "encoding.py", "reading.py")
_LIBRARIES = ("charset-normalizer", "fastwarc", "selectolax")


@cache
def reading_code() -> str:
    """Sixteen hex digits. A changed comment counts too: better once too often."""
    modules = [*(path for folder in _FOLDERS for path in folder.glob("*.py")), *(_ROOT / name for name in _MODULES)]
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}\n".encode())
    for path in sorted(modules, key=lambda path: (path.parent.name, path.name)):
        digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
