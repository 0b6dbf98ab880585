"""Texts by foreign extractors, read back and compared with the truth: how much of what each text contains is read rightly.

`python -m tests.campaigns.extractors` renders made-up pages in all themes; `--drupal FOLDER` takes pages that a real Drupal
rendered (`warc/*.warc.gz` and `truth.json.gz`, as the judge of ../shared/cases/drupal has them). Extractors that are programs
are used where they are installed (w3m, lynx, elinks, html2text, pandoc). Prints a line for each extractor; `--faults` all faults.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from parsers.page import parse_page
from tests.pagegen.extractors import DISGUISES, extractors
from tests.pagegen.invent import invent
from tests.pagegen.options import THEMES, Options
from tests.pagegen.render import html_of
from tests.pagegen.text_truth import Tally, Told, compare, told_of, told_of_drupal

SUBJECTS = ("record", "title", "author", "body", "county", "point", "yes/no", "name", "other value")
WRONG = ("wrong values", "invented labels", "unlabelled rows")
OPTIONS = (Options(), Options(labels="mixed", furniture=True), Options(milestones="table", body="breaks", wrapper="fieldset"))


def of_drupal(folder: Path, limit: int) -> Iterator[tuple[str, Told]]:
    truths = {str(one["nid"]): one for one in json.loads(gzip.decompress((folder / "truth.json.gz").read_bytes()))}
    for path in sorted((folder / "warc").glob("*.warc.gz")):
        taken = 0
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
                truth = truths.get((record.headers["WARC-Target-URI"] or "").rpartition("/")[2])
                if truth is not None and taken < limit:
                    taken += 1
                    yield record.reader.read().decode("utf-8", "replace"), told_of_drupal(truth)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--drupal", type=Path)
    parser.add_argument("--pages", type=int, default=12, help="pages of each WARC file of --drupal")
    parser.add_argument("--disguise", choices=list(DISGUISES))
    parser.add_argument("--faults", action="store_true")
    given = parser.parse_args()
    if given.drupal:
        pages = of_drupal(given.drupal, given.pages)
    else:
        made_up = (
            (invent(seed), theme, OPTIONS[(seed + at) % 3]) for seed in range(given.seeds) for at, theme in enumerate(THEMES)
        )
        pages = ((html_of(*page), told_of(*page)) for page in made_up)
    tallies: dict[str, Tally] = {}
    for html, told in pages:
        for name, extract in extractors().items():
            text = DISGUISES.get(given.disguise, str)(extract(html))
            compare(told, text, parse_page(text.encode(), is_text=True).record, tallies.setdefault(name, Tally()))
    for name, tally in tallies.items() if given.faults else ():
        sys.stdout.writelines(f"{name}: {fault}\n" for fault in tally.faults)
    sys.stdout.write(f"{'':22s}" + "".join(f"{subject:>13s}" for subject in (*SUBJECTS, *WRONG)) + "\n")
    for name, tally in tallies.items():
        shares = [f"{tally.right[subject]}/{tally.contained[subject]}" for subject in SUBJECTS]
        cells = [*shares, *(str(tally.contained[subject]) for subject in WRONG)]
        sys.stdout.write(f"{name:22s}" + "".join(f"{cell:>13s}" for cell in cells) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
