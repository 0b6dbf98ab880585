"""The demo's archive file is what its generator writes."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

from tests.pagegen.demo import FIRST_NODE, RECORDS, history
from tests.pagegen.samples import FILE_NAME, SOURCE, captures, write_samples

COMMITTED = Path(__file__).parents[1] / "data" / "samples" / FILE_NAME
MOST_BYTES = 300_000


def test_committed_file_is_what_the_generator_writes(tmp_path: Path) -> None:
    """If this fails: `python -m tests.pagegen.samples data/samples`, and commit the file."""
    made = write_samples(tmp_path).read_bytes()
    # Uncompressed, as another release of zlib may pack the same bytes in another way.
    assert gzip.decompress(made) == gzip.decompress(COMMITTED.read_bytes())
    assert made == write_samples(tmp_path).read_bytes()


def test_every_record_says_that_it_is_made_up() -> None:
    data = gzip.decompress(COMMITTED.read_bytes())
    assert data.count(b"WARC/1.") == data.count(f"{SOURCE[0]}: {SOURCE[1]}\r\n".encode())
    for _, page in captures():
        assert page.truth is None or b"[Made-up record]" in page.data
        assert int(page.url.rsplit("/", 1)[1]) >= FIRST_NODE


def test_demo_is_small_and_varied() -> None:
    assert COMMITTED.stat().st_size < MOST_BYTES
    histories = [list(history(index)) for index in range(RECORDS)]
    assert sum(len(snapshots) > 1 for snapshots in histories) >= 15
    for snapshots in histories:
        times = [snapshot.captured_at for snapshot in snapshots]
        assert times == sorted(set(times))
        assert all(a.content != b.content for a, b in pairwise(snapshots))
