"""What an export shows a reader, whatever its format packs it in."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow.parquet as pq


def shown_text(path: Path) -> str:
    """The text of all files of an export, unpacked: of a folder, of a workbook, of an archive in an archive."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
    return "\n".join(_unpacked(file.read_bytes()) for file in files)


def _unpacked(data: bytes) -> str:
    if data.startswith(b"PAR1"):
        return str(pq.read_table(io.BytesIO(data)).to_pylist())
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return "\n".join(_unpacked(parts.read(name)) for name in parts.namelist())
    if data.startswith(b"\x1f\x8b"):
        return _unpacked(gzip.decompress(data))
    return data.decode("utf-8", "replace")
