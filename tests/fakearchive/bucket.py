"""Common Crawl and the End of Term archive on the fake server: WARC files by range, an index by query, an index in files."""

import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from scraper.archive.warc import record_bytes, sha1_digest
from scraper.capture import Capture, WarcType
from tests.fakearchive.server import FakeArchive, Fault, Handler, Kept

WARC = "crawl-data/CC-MAIN-2026-40/segments/1/warc/one.warc.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Bucket:
    """One WARC file and its index, served by `fake`. `rows` can be changed before a fetch."""

    def __init__(self, fake: FakeArchive, crawl: str = "CC-MAIN-2026-40", file: str = WARC) -> None:
        self.fake = fake
        self.crawl = crawl
        self.file = file
        self.data = b"a record of somebody else's, which no range may reach" * 10
        self.rows: list[dict[str, str]] = []
        self.on_data: list[Fault] = []
        self.on_index: list[Fault] = []
        self.pages = 1
        fake.files[f"/{file}"] = self._serve_data
        fake.files["/collinfo.json"] = self.serve_crawls
        fake.files[f"/{crawl}-index"] = self._serve_index
        fake.files["/CC-MAIN-2020-00-index"] = no_captures

    def add(self, url: str, timestamp: str, body: bytes, **changes: object) -> dict[str, str]:
        headers = (("Content-Type", "text/html"), ("Set-Cookie", "secret=1"), ("X-Crawler-Content-Encoding", "gzip"))
        moment = datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        capture = Capture(warc_type=WarcType.RESPONSE, source="crawler", payload=body, url=url, captured_at=moment)
        capture = replace(capture, **({"http_status": 200, "http_reason": "OK", "http_headers": headers} | changes))  # type: ignore[arg-type]
        record, digest = record_bytes(capture, NOW), sha1_digest(body).removeprefix("sha1:")
        row = {"urlkey": Kept(url, "").urlkey, "timestamp": timestamp, "url": url, "mime": "text/html", "status": "200"}
        row |= {"digest": digest, "length": str(len(record)), "offset": str(len(self.data)), "filename": self.file}
        self.data += record
        self.rows.append(row)
        return row

    def serve_crawls(self, handler: Handler) -> None:
        names = [self.crawl, *(f"CC-MAIN-2020-{number:02d}" for number in range(70))]
        crawls = [{"id": name, "name": name, "cdx-api": f"{self.fake.url}/{name}-index"} for name in names]
        handler.answer(200, json.dumps(crawls).encode(), (("Content-Type", "application/json"),))

    def _serve_index(self, handler: Handler) -> None:
        query = handler.query()
        if self.on_index and self.on_index.pop(0)(handler) is not False:
            return
        host = query["url"].removeprefix("*.")
        rows = [row for row in self.rows if ("." + (urlsplit(row["url"]).hostname or "")).endswith("." + host)]
        if not rows:
            no_captures(handler)
        elif query.get("showNumPages"):
            handler.answer(200, json.dumps({"pages": self.pages, "pageSize": 5, "blocks": 1}).encode())
        elif int(query.get("page", "0")) >= self.pages:
            handler.answer(400, json.dumps({"message": f"Page {query['page']} invalid: First Page is 0"}).encode())
        else:
            rows = rows[int(query.get("page", "0")) :: self.pages]
            body = "".join(json.dumps(row) + "\n" for row in rows)
            handler.answer(200, body.encode(), (("Content-Type", "text/x-ndjson"),))

    def _serve_data(self, handler: Handler) -> None:
        if self.on_data and self.on_data.pop(0)(handler) is not False:
            return
        serve_range(handler, self.data)

    def as_end_of_term(self, collection: str = "EOT-2024", per_block: int = 2) -> None:
        """The same rows as files of an index, between the keys of other hosts."""
        lines = [f"{row['urlkey']} {row['timestamp']} {json.dumps(row)}\n" for row in self.rows]
        for other in ("gov,ojp,bja)/", "gov,ojp,bja,bjattax)/", "com,example)/", "gov,ojp,bja,zzz)/", "net,many)/"):
            for number in range(400):
                lines.append(f"{other}{number:04d} 20240101000000 {json.dumps({'url': 'https://example.org/'})}\n")
        lines.sort()
        blocks, cluster, offset = b"", "", 0
        for number, start in enumerate(range(0, len(lines), per_block)):
            block = gzip.compress("".join(lines[start : start + per_block]).encode())
            key = " ".join(lines[start].split(" ")[:2])
            cluster += f"{key}\tcdx-00000.gz\t{offset}\t{len(block)}\t{number + 1}\n"
            blocks, offset = blocks + block, offset + len(block)
        base = f"/eot-index/collections/{collection}/indexes"
        self.fake.files[f"{base}/cluster.idx"] = lambda handler: serve_range(handler, cluster.encode())
        self.fake.files[f"{base}/cdx-00000.gz"] = lambda handler: serve_range(handler, blocks)


def no_captures(handler: Handler) -> None:
    handler.answer(404, json.dumps({"message": f"No Captures found for: {handler.query()['url']}"}).encode())


def serve_range(handler: Handler, data: bytes) -> None:
    wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
    if not wanted:
        handler.answer(200, data)
    elif int(wanted[1]) >= len(data):
        handler.answer(416, b"", (("Content-Range", f"bytes */{len(data)}"),))
    else:
        start, end = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        handler.answer(206, data[start : end + 1], (("Content-Range", f"bytes {start}-{end}/{len(data)}"),))
