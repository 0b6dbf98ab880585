"""The same captures in every container that is read, made by hand or by the standard library, never by the code under test."""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import quopri
import tarfile
import zipfile
from base64 import b32encode
from collections.abc import Callable

import zstandard

HOST = "bjatta.bja.ojp.gov"
TIME = "2019-03-01T12:00:00Z"
DIGITS = "20190301120000"
NUMBERS = (7001, 7002, 7003)


def url(number: int) -> str:
    return f"https://{HOST}/node/{number}"


def body(number: int) -> bytes:
    """A page of some KB that packs badly, so that damage can meet any part of it."""
    noise = hashlib.sha512(str(number).encode()).hexdigest()
    rows = "".join(f"<p>Row {row} {hashlib.sha1(f'{number}{row}'.encode()).hexdigest()}</p>\n" for row in range(30))
    return f"<!DOCTYPE html>\n<html><head><title>Page {number}</title></head><body>{noise}\n{rows}</body></html>\n".encode()


def http(number: int, date: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{date}\r\n".encode() + body(number)


def sha1(block: bytes) -> str:
    return "sha1:" + b32encode(hashlib.sha1(block).digest()).decode()


def record(number: int, *, end: str = "\r\n", digest: bool = True, block: bytes | None = None, **headers: str) -> bytes:
    """A WARC record. `end`: its line ends; a header without a value is left out."""
    block = http(number) if block is None else block
    named = {
        "WARC-Type": "response",
        "WARC-Target-URI": url(number),
        "WARC-Date": TIME,
        "WARC-Record-ID": f"<urn:uuid:{number}>",
        "Content-Type": "application/http; msgtype=response",
        "WARC-Block-Digest": sha1(block) if digest else "",
        "Content-Length": str(len(block)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = end.join(["WARC/1.0", *(f"{name}: {value}" for name, value in named.items() if value)])
    return f"{head}{end}{end}".encode() + block + (end * 2).encode()


def warc(*numbers: int) -> bytes:
    return b"".join(map(record, numbers))


def warc_gz(*numbers: int) -> bytes:
    return b"".join(gzip.compress(record(number), mtime=0) for number in numbers)


def warc_zst(*numbers: int) -> bytes:
    """With a dictionary in a skippable frame, as the Archive Team's crawls have it."""
    dictionary = zstandard.ZstdCompressionDict(record(1)[:2000])
    packer = zstandard.ZstdCompressor(dict_data=dictionary, write_checksum=True)
    content = dictionary.as_bytes()
    frames = b"".join(packer.compress(record(number)) for number in numbers)
    return b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content + frames


def arc(*numbers: int) -> bytes:
    version = "1 0 Example\nURL IP-address Archive-date Content-type Archive-length\n"
    head = f"filedesc://x.arc 0.0.0.0 {DIGITS} text/plain {len(version)}\n{version}\n".encode()
    return head + b"".join(
        f"{url(one)} 10.0.0.1 {DIGITS} text/html {len(http(one))}\n".encode() + http(one) + b"\n" for one in numbers
    )


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()


def wacz(*numbers: int, digest: str = "") -> bytes:
    content = warc_gz(*numbers)
    digest = digest or hashlib.sha256(content).hexdigest()
    package = {"resources": [{"path": "archive/data.warc.gz", "hash": f"sha256:{digest}"}]}
    members = {
        "archive/data.warc.gz": content,
        "pages/pages.jsonl": b'{"format": "json-pages-1.0"}\n',
        "archive/../evil.warc.gz": b"no",
    }
    return zipped(members | {"datapackage.json": json.dumps(package).encode()}, zipfile.ZIP_STORED)


def multi_wacz(*numbers: int) -> bytes:
    return zipped({f"{one}.wacz": wacz(one) for one in numbers} | {"datapackage.json": b"{}"}, zipfile.ZIP_STORED)


def zip_of_mhtml(*numbers: int) -> bytes:
    return zipped({f"{one}.mhtml": mhtml(one) for one in numbers})


def tar(*numbers: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as package:
        for one in numbers:
            info = tarfile.TarInfo(f"{one}.warc.gz")
            info.size = len(warc_gz(one))
            package.addfile(info, io.BytesIO(warc_gz(one)))
    return out.getvalue()


def mhtml(number: int, encoding: str = "quoted-printable") -> bytes:
    packed = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes, "binary": bytes}[encoding](body(number))
    return (
        (
            f"From: <Saved by Blink>\r\nSnapshot-Content-Location: {url(number)}\r\nSubject: x\r\n"
            f"Date: Fri, 1 Mar 2019 12:00:00 -0000\r\nMIME-Version: 1.0\r\n"
            f'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----B"\r\n\r\n\r\n------B\r\n'
            f"Content-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Location: {url(number)}\r\n\r\n"
        ).encode()
        + packed
        + b"\r\n------B\r\nContent-Type: text/css\r\nContent-Location: cid:css\r\n\r\nbody {}\r\n------B--\r\n"
    )


def har(*numbers: int) -> bytes:
    def entry(address: str, media_type: str, text: str) -> dict[str, object]:
        content = {"mimeType": media_type, "text": text}
        response = {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "Content-Encoding", "value": "br"}],
            "content": content,
        }
        return {"startedDateTime": TIME, "request": {"url": address}, "response": response}

    entries = [entry(url(one), "text/html", body(one).decode()) for one in numbers]
    return json.dumps(
        {"log": {"version": "1.2", "entries": [*entries, entry("https://x.example/a.js", "text/javascript", "a()")]}}
    ).encode()


ONE_BY_ONE: dict[str, Callable[..., bytes]] = {
    "warc": warc,
    "warc.gz": warc_gz,
    "warc.gz in one member": lambda *numbers: gzip.compress(warc(*numbers), mtime=0),
    "warc.zst with a dictionary": warc_zst,
    "warc.zst": lambda *numbers: b"".join(zstandard.compress(record(one)) for one in numbers),
    "warc.bz2": lambda *numbers: bz2.compress(warc(*numbers)),
    "warc.xz": lambda *numbers: lzma.compress(warc(*numbers)),
    "arc": arc,
    "arc.gz": lambda *numbers: gzip.compress(arc(*numbers), mtime=0),
    "wacz": wacz,
    "multi-wacz": multi_wacz,
    "zip of mhtml": zip_of_mhtml,
    "tar": tar,
    "tar.gz": lambda *numbers: gzip.compress(tar(*numbers), mtime=0),
    "har": har,
}
"""Containers of several captures."""
CHECKED = frozenset(ONE_BY_ONE) - {"arc", "har", "warc.zst"}
"""Of those, containers in which no byte of a page can change unnoticed: by checksums, or by the records' digests."""
