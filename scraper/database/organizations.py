"""Agencies and providers: fills `organization_mentions`; organizations.sql builds `organizations` and the records' ids.

An organization is identified by its node number on the portal. A name without a number is matched to a numbered one only by the
rules in organizations.sql or by a decision in `organization_matches.csv`. Otherwise a provider is identified by its name, and an
agency by its name with the state in it. An agency without a state in its name belongs to that record alone: two agencies with one
name may be helped in one place (docs/decisions/organizations.md). A value repeated in a contact field is a person's name.
"""

import csv
import re
import sqlite3
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from itertools import combinations, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from parsers.contacts import denotes_person, has_contact
from parsers.registry import label_key, label_named, label_of
from parsers.scalars import cached_short
from parsers.urls import node_id
from scraper.database.counties import STATES
from scraper.database.places import atlas
from scraper.database.request_title import split_request_title
from scraper.database.schema import insert_sql, search_renewed
from scraper.errors import TtaError
from scraper.sqlite import run_statements

MATCHES = "organization_matches.csv"
HEADING = "decision organization_id name state_code records other_id other_name other_state_code other_records why".split()
MAX_CANDIDATES = 300
"""Rows without a decision that are written at most: more than a person reviews in an hour."""
WHY = "one name, in a state where events were: one agency, or several?"
SIMILAR = 0.6
"""Minimum share of common words of two names in one state to be listed for review."""
_SQL = re.split(r"(?m)^-- (\w+)\n", (files("scraper.database") / "organizations.sql").read_text(encoding="utf-8"))
_QUERIES = dict(zip(_SQL[1::2], _SQL[2::2], strict=True))
_KINDS = {"provider_reference": "provider", "recipient_agency_name": "agency"}
_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_STATE_AGENCY, _IN_COUNTY = map(re.compile, _TEXTS["patterns"].values())
_CODES = {re.sub(r"[^a-z]", "", text.lower()): code for name, code in STATES.values() for text in (name, code)}


@cached_short
def key_of_name(name: str) -> tuple[str, str | None]:
    """Returns one key for a name's spellings, and the state at its end: `larch-county-police-department`, TX."""
    found = re.fullmatch(r"(.+?)(?:,\s*|\s*\(|\s+-\s+)([A-Za-z][A-Za-z. ]+)\)?", name.strip())
    state = _CODES.get(re.sub(r"[^a-z]", "", found[2].lower())) if found else None
    plain = unicodedata.normalize("NFKD", found[1] if found and state else name).encode("ascii", "ignore").decode().lower()
    spelled = re.sub(r"['`.]", "", plain).replace("&", " and ")
    first, *words = [_TEXTS["anywhere"].get(word, word) for word in re.findall(r"[a-z0-9]+", spelled) if word != "the"] or [""]
    if words and words[-1] in _TEXTS["at_the_end"]:
        words[-1:] = _TEXTS["at_the_end"][words[-1]].split()
    return "-".join([first, *words]), state


def state_in_name(name: str, state: str | None, county_code: str | None) -> str | None:
    """Returns the state that a name implies: of a state agency, if the record's point is in that state; or of a county in the
    name: the only county so named, unless the point is elsewhere, or the one that contains the point.
    """
    if (found := _STATE_AGENCY.match(name[:300])) and state and _CODES.get(re.sub(r"[^a-z]", "", found[1].lower())) == state:
        return state
    for found in _IN_COUNTY.finditer(name[:300]):
        words = found[1].split()
        codes = next(filter(None, (atlas().names.codes(" ".join(words[at:])) for at in range(len(words)))), frozenset[str]())
        states = {STATES[code[:2]][1] for code in codes}
        if county_code in codes or (len(states) == 1 and state in (None, *states)):
            return state or states.pop()
    return None


def assign_organizations(db: sqlite3.Connection, data: Path) -> None:
    """Rewrites the mentions of the records in `temp.affected`, their organizations and those in `temp.renewed`, and their ids."""
    run_statements(db, _QUERIES["forget"])
    fields = groupby(db.execute(_QUERIES["fields"]), key=itemgetter(0))
    waiting = next(fields, None)
    for head in db.execute(_QUERIES["heads"]):  # both in the order of records, so that memory is bounded
        named = list(waiting[1]) if waiting and waiting[0] == head[0] else []
        waiting = next(fields, None) if named else waiting
        mentions = enumerate(dict.fromkeys(_mentions(head, named)), 1)
        db.executemany(insert_sql("organization_mentions"), ((head[0], place, *one, head[-1], None) for place, one in mentions))
    run_statements(db, _QUERIES["rules"])
    decided = {frozenset(pair): is_match for *pair, is_match in decisions(data)}
    aliases: dict[str, str] = dict(db.execute("SELECT * FROM temp.aliases"))
    aliases = {own_id: one for own_id, one in aliases.items() if decided.get(frozenset((own_id, one)), True)}
    members = defaultdict[str, list[str]](list)
    for own_id, group in db.execute(_QUERIES["groups"]) if any(one.endswith("-*") for pair in decided for one in pair) else ():
        members[group].append(own_id)
    for pair in sorted(sorted(pair) for pair, is_match in decided.items() if is_match):
        ids = {one for given in pair for one in (given.removesuffix("-*"), *members[given])}
        keep, *dropped = sorted({aliases.get(one, one) for one in ids}, key=lambda one: (not one.isdecimal(), one))
        aliases |= {own_id: keep for own_id in (*aliases, *dropped) if aliases.get(own_id, own_id) in dropped}
    db.execute("DELETE FROM temp.aliases")
    db.executemany("INSERT INTO temp.aliases VALUES (?, ?)", aliases.items())
    run_statements(db, _QUERIES["resolve"])
    with search_renewed(db, ["organizations"], "organization_id IN (SELECT organization_id FROM temp.renewed)"):
        run_statements(db, _QUERIES["rewrite"])
    with search_renewed(db, ["records"], "record_id IN (SELECT record_id FROM temp.renamed)"):
        run_statements(db, _QUERIES["agencies"])
    db.execute("DROP TABLE temp.renamed")


def _mentions(head: tuple[Any, ...], rows: list[tuple[Any, ...]]) -> Iterator[tuple[str | None, ...]]:
    """Yields the organizations that a record names, as rows from `kind` to `own_id`: in page order, then from its title."""
    record_id, *titles, seen_at, state, county_code, _ = head
    place = record_id, state, county_code
    people = {label_key(value) for *_, value, _, contact, _ in rows if contact} | {row[4] for row in rows if row[5]} - {None}
    agencies = set()
    for _, label, name, value, href, contact, captured_at in rows:
        entry = (label_of(label) if label else None) or label_named(name)
        kind = _KINDS.get(entry.columns[0].name) if entry and entry.columns else None
        digits = value.strip().lstrip("#0") if value.strip().lstrip("#").isdecimal() else None
        number = str(found) if (found := node_id(href)) else digits
        if entry is None and found and not denotes_person(label or name):
            kind = "provider" if "provider" in (label or name).lower() else "agency"
        if (
            kind
            and (number or any(map(str.isalpha, value)))
            and not (contact or href in people or label_key(value) in people or has_contact(value))
        ):
            how = "number" if digits else "link" if number else "field"
            yield _mention_row(kind, number, None if digits else value, how, captured_at, *place)
            agencies |= {number} if kind == "agency" else set()
    request = next(filter(None, (split_request_title(one) for one in titles if one)), None)
    if request and label_key(request.agency) not in people and not has_contact(request.agency):
        digits = request.agency if request.agency.isdecimal() else None
        (number,) = agencies if len(agencies) == 1 else (digits,)  # the record's only agency is the one in its title
        yield _mention_row("agency", number, None if digits else request.agency, "number" if digits else "title", seen_at, *place)


def _mention_row(
    kind: str, number: str | None, name: str | None, how: str, seen_at: str | None, record_id: str, *place: str | None
) -> tuple[str | None, ...]:
    """Returns the columns of a mention from `kind` to `may_be`. `place`: state and county code of the record's point."""
    key, state = key_of_name(name) if name else (None, None)
    is_agency = kind == "agency"
    state = state or (state_in_name(name, *place) if name and is_agency else None)
    may_be = number or "-".join(filter(None, (kind, key, (state or (place[0] if is_agency else None) or "").lower())))
    own_id = may_be if number or state or not is_agency else f"{may_be}-{record_id}"
    return kind, number, name, how, seen_at, key, state, place[0] if is_agency else None, own_id, may_be


def decisions(data: Path) -> list[tuple[str, str, bool]]:
    """Returns the decisions in the file of matches: two ids, and whether they are one organization. Raises TtaError."""
    return sorted((row[1], row[5], row[0] == "match") for row in _read_matches(data) if row[0])


def _read_matches(data: Path) -> list[list[str]]:
    """Returns the rows of the file of matches, without its heading. Raises TtaError."""
    path = data / MATCHES
    try:
        heading, *rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if path.exists() else [HEADING]
    except (OSError, ValueError, csv.Error) as error:
        raise TtaError(f"{path} can't be read ({error}): correct it, or delete it and `tta load` writes it again") from error
    rows = [[row[0].strip().lower(), *row[1:]] for row in rows if any(row)]
    for row in rows if heading == HEADING else [heading]:
        if len(row) != len(HEADING) or row[0] not in ("", "match", "no match"):
            raise TtaError(f"{path}: in {','.join(row)[:80]!r} the first column is not match, no match or empty: correct it")
    return rows


def write_matches(db: sqlite3.Connection, data: Path) -> None:
    """Writes pairs of organizations that may be the same to the file of matches, for review, below those already decided."""
    rows = [row for row in _read_matches(data) if row[0]]
    decided = {frozenset((row[1], row[5])) for row in rows}
    blocks: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    named = {row[0]: row for row in db.execute(_QUERIES["named"])}
    found = [(row[3], ["", row[5], *row[1:3], 0, *row[:4], WHY]) for row in named.values() if row[3] > 1 and row[5]]
    found = [row for row in found if row[1][1] not in named and frozenset((row[1][1], row[1][5])) not in decided]
    for row in named.values():
        words = key_of_name(row[1])[0].split("-")
        blocks[row[4], words[0]].append((*row[:4], frozenset(words)))
    for one, other in (pair for block in blocks.values() for pair in combinations(block[:MAX_CANDIDATES], 2)):
        shared = len(one[4] & other[4]) / len(one[4] | other[4])
        apart = one[2] and other[2] and one[2] != other[2]
        if shared >= SIMILAR and not apart and frozenset((one[0], other[0])) not in decided:
            why = "same words" if shared == 1 else f"{shared:.0%} of the words in common"
            found.append((one[3] + other[3], ["", *one[:4], *other[:4], why]))
    shown = sorted((-count, [str(cell or "") for cell in row]) for count, row in found)[:MAX_CANDIDATES]
    rows += [row for _, row in shown]
    if rows != _read_matches(data):
        new = data / f"{MATCHES}.new"
        with new.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADING, *rows])
        new.replace(data / MATCHES)
