"""warcio's writer. Importing it takes 0.1 s (it imports fsspec), so `warc` imports this module only when a record is written."""

from __future__ import annotations

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

__all__ = ["ArcWarcRecord", "Utf8Headers", "WARCWriter"]


class Utf8Headers(StatusAndHeaders):  # type: ignore[misc]  # (warcio has no types)
    """HTTP headers, written as they are. warcio percent-encodes values and fails if a name or reason is not ASCII."""

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        self.headers_buff = self.to_bytes(header_filter)
