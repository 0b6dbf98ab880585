"""Makes written files survive a loss of power."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Returns when the disk has a file's bytes, or a folder's list of new and renamed files. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
