"""Merges captures of one record in many forms: an unchanged record must have no changes, a true change exactly one.

`python -m tests.campaigns.merge_forms --records 20 --seed 1`. The pages are made-up ones in several themes; with `--warc FILE`,
which may be repeated, they are those of WARC files that show the same nodes in different themes. Texts are made of them by every
extractor that this machine has (`tests.pagegen.extractors`).
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import filterfalse
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from parsers.page import parse_page
from scraper.database.merge import Merged, Seen, merge
from scraper.database.stored_page import StoredPage, decode, encode, with_keys
from tests.dbkit import time_order
from tests.pagegen.content import Content, Field, Group, Paragraph, Value
from tests.pagegen.extractors import extractors
from tests.pagegen.invent import invent
from tests.pagegen.options import PLAIN, Options, Theme
from tests.pagegen.render import render

THEMES: tuple[Theme, ...] = ("bootstrap3", "olivero", "classy", "starterkit")
LENGTH = 5
EXAMPLES = 30


@dataclass
class Tally:
    """What was merged, and what went wrong, by kind, with examples."""

    merged: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, is_right: bool, example: str, subject: str = "") -> None:
        """`subject`: one example of each is kept."""
        self.merged[kind] += 1
        if not is_right:
            self.wrong[kind] += 1
            self.examples.setdefault(f"{kind} {subject}", example)


Forms = dict[str, StoredPage]


def _in_degrees(found: re.Match[str]) -> str:
    def coordinate(printed: str, directions: str) -> str:
        seconds = round(abs(float(printed)) * 3600)
        return f"{seconds // 3600}° {seconds // 60 % 60}' {seconds % 60}\" {directions[float(printed) < 0]}"

    return f"{coordinate(found[2], 'NS')}, {coordinate(found[1], 'EW')}"


_POINT = re.compile(r"POINT ?\((-?\d+\.\d+) (-?\d+\.\d+)\)")
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(256)}
NOISES: dict[str, Callable[[str], str]] = {
    "rounded points": lambda page: _POINT.sub(lambda one: f"POINT ({round(float(one[1]), 2)} {round(float(one[2]), 2)})", page),
    "points in degrees": lambda page: _POINT.sub(_in_degrees, page),
    "latitude first": lambda page: _POINT.sub(r"\2, \1", page),
    "without accents": lambda page: "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFD", page))),
    "question marks": lambda page: page.encode("ascii", "replace").decode(),
    "no-break spaces": lambda page: re.sub(r"(?<=[a-z]) (?=[a-z]{3} )(?![^<>]*>)", "\xa0", page),
    "escaped twice": lambda page: page.replace("&amp;", "&amp;amp;").replace("&#039;", "&amp;#039;"),
    "notes": lambda page: re.sub(r"(?<=[a-z])\.(?=</p>)", ".<sup>[1]</sup>", page),
    "decoded wrongly": lambda page: "".join(_WINDOWS[byte] for byte in page.encode()),
}
"""What happens to a page between the site and the archive: it shows the same record."""
SPOILING = ("rounded points", "without accents", "question marks", "decoded wrongly")
"""Those of which a page shows less than before."""


def forms_of(pages: dict[str, bytes], url: str, chance: random.Random, *, most: int = 8) -> Forms:
    """The record as each page shows it, and as texts of some of the pages do."""
    read = {name: _read(page, url, is_text=False) for name, page in pages.items()}
    tools = extractors()
    for name in chance.sample(sorted(tools), min(most, len(tools))):
        theme = chance.choice(sorted(pages))
        try:
            text = tools[name](pages[theme].decode("utf-8", "replace"))
        except Exception as error:  # a foreign program's failure is no finding
            sys.stderr.write(f"{name} failed: {type(error).__name__}\n")
            continue
        read[f"{name} of {theme}"] = _read(text.encode(), url, is_text=True)
    for noise, change in NOISES.items():
        theme = chance.choice(sorted(pages))
        read[f"{theme}, {noise}"] = _read(change(pages[theme].decode("utf-8", "replace")).encode(), url, is_text=False)
    return {name: page for name, page in read.items() if page is not None}


def _read(data: bytes, url: str, *, is_text: bool) -> StoredPage | None:
    content_type = "text/plain" if is_text else "text/html; charset=utf-8"
    record = parse_page(data, url=url, content_type=content_type, is_text=is_text).record
    return with_keys(decode(encode(record))) if record is not None else None


def merged(captures: list[StoredPage]) -> Merged:
    seen = [Seen(f"c{day}", f"2025-01-{day:02d}T00:00:00Z", page) for day, page in enumerate(captures, start=1)]
    return merge(sorted(seen, key=time_order))


def check_unchanged(forms: Forms, page: str, name: str, chance: random.Random, tally: Tally) -> None:
    """Each form before and after the page, and sequences of several forms. The state must be what the page alone shows."""
    alone = merged([forms[page]])
    sequences = [[page, other] for other in forms] + [[other, page] for other in forms]
    sequences += [[page, *chance.choices(sorted(forms), k=LENGTH - 1)] for _ in range(10)]
    for sequence in sequences:
        if len(sequence) == LENGTH:
            chance.shuffle(sequence)
        result = merged([forms[one] for one in sequence])
        for change in result.changes:
            tally.note("a field of an unchanged record", False, f"{name} {sequence}: {change}"[:700], f"{name} {change.field}")
        tally.note("an unchanged record", not result.changes, f"{name} {sequence}")
        lost = {(row.label, row.item, row.value) for row, *_ in alone.fields} - {
            (row.label, row.item, row.value) for row, *_ in result.fields
        }
        is_poorer = [forms[one].form != "html" or one.partition(", ")[2] in SPOILING for one in sequence]
        if all(poorer or one == page for poorer, one in zip(is_poorer, sequence, strict=True)):
            tally.note("the page's own values", not lost, f"{name} {sequence}: {sorted(map(str, lost))}"[:700])


# --- true changes -----------------------------------------------------------------------------------------------------


def _with_field(content: Content, label: str, change: Callable[[str], str]) -> Content | None:
    entries = list(content.entries)
    for index, entry in enumerate(entries):
        if isinstance(entry, Field) and entry.spec.label == label and len(entry.values) == 1 and entry.values[0].text:
            value = entry.values[0]
            entries[index] = replace(entry, values=(replace(value, text=change(value.text)),))
            return replace(content, entries=tuple(entries))
    return None


def _with_word(content: Content) -> Content | None:
    for index, block in enumerate(content.body):
        if isinstance(block, Paragraph) and len(block.lines[0].split()) > 4:
            words = block.lines[0].split()
            words[2] = "emended"
            body = (*content.body[:index], replace(block, lines=(" ".join(words), *block.lines[1:])), *content.body[index + 1 :])
            return replace(content, body=body)
    return None


def _with_milestone(content: Content) -> Content | None:
    entries = list(content.entries)
    for index, entry in enumerate(entries):
        if isinstance(entry, Group) and entry.items and entry.spec.label == "Milestone" and entry.items[0][0].values:
            first = replace(entry.items[0][0], values=(Value("An altered milestone"),))
            entries[index] = replace(entry, items=((first, *entry.items[0][1:]), *entry.items[1:]))
            return replace(content, entries=tuple(entries))
    return None


CHANGES: dict[str, Callable[[Content], Content | None]] = {
    "status": lambda content: _with_field(content, "Status of Deliverable", lambda text: f"Not {text}"),
    "county": lambda content: _with_field(content, "County", lambda text: f"New {text}"),
    "estimated_cost": lambda content: _with_field(content, "TTA Estimated Costs", lambda text: text.replace("0", "7", 1)),
    "agreed": lambda content: _with_field(content, "I Agree", lambda text: "Off" if text == "On" else "On"),
    "archived": lambda content: _with_field(content, "Archived", lambda text: "Off" if text == "On" else "On"),
    "tta_title": lambda content: _with_field(content, "TTA Title", lambda text: f"{text} II"),
    "longitude": lambda content: _with_field(
        content, "Event Location Geo", lambda text: re.sub(r"(?<=\()-\d+", lambda found: str(int(found[0]) + 3), text)
    ),
    "description": _with_word,
    "milestones": _with_milestone,
}
"""For each field, the record with another value there; None where the record has none."""


def check_changed(before: Forms, after: Forms, pages: tuple[str, str], key: str, chance: random.Random, tally: Tally) -> None:
    """Several forms of the old value, then of the new one, a page among each: one row, of this field."""
    for _ in range(4):
        old = [*chance.choices(sorted(before), k=2), pages[0]]
        new = [*chance.choices(sorted(after), k=2), pages[1]]
        chance.shuffle(old)
        chance.shuffle(new)
        result = merged([before[one] for one in old] + [after[one] for one in new])
        found = [change for change in result.changes if change.field == key]
        others = [change for change in result.changes if change.field != key]
        tally.note(f"change of {key}", len(found) == 1, f"{old} {new}: {found}"[:900])
        tally.note("other fields beside a change", not others, f"{old} {new}: {others}"[:900])


def made_up(records: int, seed: int, chance: random.Random, tally: Tally) -> None:
    for number in range(seed, seed + records):
        content = invent(number)
        options = replace(PLAIN, labels="above")
        forms = forms_of(_pages(content, options), f"https://{content.host}{content.path(alias=False)}", chance)
        check_unchanged(forms, THEMES[0], f"record {number}", chance, tally)
        for key, change in CHANGES.items():
            changed = change(content)
            if changed is not None and changed != content:
                url = f"https://{content.host}{content.path(alias=False)}"
                after = forms_of(_pages(changed, options), url, chance, most=3)
                check_changed(forms, after, (THEMES[0], THEMES[1]), key, chance, tally)


def _pages(content: Content, options: Options) -> dict[str, bytes]:
    return {theme: render(content, theme, options).data for theme in THEMES}


def from_warcs(paths: list[str], records: int, chance: random.Random, tally: Tally) -> None:
    pages: dict[str, dict[str, bytes]] = {}
    for path in paths:
        with Path(path).open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    url = record.rec_headers.get_header("WARC-Target-URI")
                    pages.setdefault(url, {})[Path(path).name.partition(".")[0]] = record.content_stream().read()
    several = {url: some for url, some in sorted(pages.items()) if len(some) > 1}
    for url, some in list(several.items())[:records]:
        forms = forms_of(some, url, chance)
        page = next((name for name in some if name in forms), None)
        if page is not None:
            check_unchanged(forms, page, url, chance, tally)


def lines(tally: Tally) -> Iterator[str]:
    for kind, count in sorted(tally.merged.items()):
        yield f"{kind}: {tally.wrong[kind]} wrong of {count}"
    for kind, example in list(tally.examples.items())[:EXAMPLES]:
        yield f"{kind}: {example}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warc", action="append", default=[])
    asked = parser.parse_args()
    chance, tally = random.Random(asked.seed), Tally()
    if asked.warc:
        from_warcs(asked.warc, asked.records, chance, tally)
    else:
        made_up(asked.records, asked.seed, chance, tally)
    sys.stdout.writelines(f"{line}\n" for line in lines(tally))
    return 1 if tally.wrong.total() else 0


if __name__ == "__main__":
    raise SystemExit(main())
