"""Made-up records whose organizations and families of texts are known: names spelled in many ways, copies of templates."""

from collections import defaultdict
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from tests.dbkit import day, html, loaded, node, page, query

POINTS = {
    "MA": "POINT (-71.0464339 42.3458497)",
    "TX": "POINT (-94.83 30.8)",  # in its Polk County
    "OH": "POINT (-82.99 39.96)",
    "OR": "POINT (-122.6 45.52)",
    "IA": "POINT (-93.62 41.6)",  # in its Polk County
}
LABELS = {
    "agency": "Primary Recipient Agency Name",
    "provider": "Provider Reference",
    "title": "TTA Title",
    "contact": "Contact Name",
}
NAMES = {
    "Larch Police Department": ("MA", "TX", "OH"),
    "Rowan, City of (RPD) Police & Fire": ("TX", "IA"),
    "Hazel Department of Youth and Family Services": ("MA", "OR"),
    "Polk County Sheriff's Office": ("TX", "IA"),
    "Multnomah County District Attorney": ("OR",),
    "Texas Department of Sample Justice": ("TX",),
}
"""Agencies of these names are in these states: real counties, of which other states have one as well, and made-up cities."""
PROVIDERS = {
    7001: ("Example Institute", "Example Institute for Justice"),
    7002: ("Center for Sample Policy",),
    7003: ("Test Bureau, Inc.",),
}
"""By number; the first was renamed."""
WORDS = [
    f"{one}{two}{three}"
    for one in ("ba", "do", "fi", "lu", "me", "ra", "so", "ti")
    for two in "lmnrst"
    for three in ("en", "o", "ar", "ing")
]


def request(agency: str, kind: str = "Training - In Person") -> str:
    return f"REQ: 2024-02-14 - {agency} ({kind})"


def record(number: int, *, links: dict[str, int] | None = None, state: str | None = None, **fields: Any) -> Any:
    """A page with these fields; values in `links` are links to nodes, and the event was in that state."""
    own = {LABELS[name]: value for name, value in fields.items()} | ({"Event Location Geo": POINTS[state]} if state else {})
    payload = html(own, node=number)
    for text, target in (links or {}).items():
        payload = payload.replace(f">{text}<".encode(), f'><a href="/node/{target}">{text}</a><'.encode())
    return page(payload, url=node(number), when=day(number % 500))


def spelled(rng: Random, name: str, state: str) -> str:
    """One of many ways to write a name, with or without its state."""
    ways = (name, name.upper(), name.replace("Department", "Dept."), f"The {name}", name.replace("&", "and").replace("'", "’"))
    ends = ("", "", "", f", {state}", f" ({state})", f" - {state.lower()}")
    return rng.choice(ways) + rng.choice(ends)


def make_truth(seed: int, count: int = 400) -> tuple[list[Any], dict[int, tuple[str, str | None]]]:
    """Records, and of each the true agency and provider: one name in several states, events away from home, also where another
    agency of that name is at home, renamed providers, numbers without names and names without numbers.
    """
    rng = Random(seed)
    agencies = [(name, state) for name, states in NAMES.items() for state in states]
    number = {one: 105_000 + index for index, one in enumerate(agencies) if index % 3}
    records, truth = [], {}
    for index in range(count):
        agency, provider = rng.choice(agencies), rng.choice(list(PROVIDERS))
        name = PROVIDERS[provider][-1 if index > count / 2 else 0]
        away = [None, *POINTS] if "County" not in agency[0] else [None, "MA", "OH"]  # not in another county of its name
        place = agency[1] if rng.random() < 0.7 else rng.choice(away)
        fields: dict[str, Any] = {"state": place, "provider": name, "links": {name: provider} if rng.random() < 0.8 else {}}
        has_title = agency not in number or rng.random() < 0.7
        if has_title:
            fields["title"] = request(spelled(rng, *agency))
        if agency in number and (not has_title or rng.random() < 0.7):
            fields["agency"] = str(number[agency])
        records.append(record(1000 + index, **fields))
        truth[1000 + index] = (str(agency), str(provider))
    return records, truth


def pairs(groups: dict[Any, list[int]]) -> set[tuple[int, int]]:
    """The pairs of members that are in one group."""
    return {pair for members in groups.values() for pair in combinations(sorted(members), 2)}


def measure_organizations(folder: Path, seed: int = 1) -> dict[str, float]:
    """Precision and recall, in percent, of pairs of records that have one agency, or one provider."""
    records, truth = make_truth(seed)
    rows = query(loaded(folder, records), "SELECT record_id, agency_id, provider_id, agency FROM records")
    figures = {}
    for column, (kind, place) in enumerate({"agency_id": 0, "provider_id": 1, "agency": 0}.items()):
        true, read = defaultdict(list), defaultdict(list)
        for record_id, *found in rows:
            true[truth[int(record_id)][place]].append(int(record_id))
            if found[column] is not None:
                read[found[column]].append(int(record_id))
        both = len(pairs(true) & pairs(read))
        figures |= {f"{kind}, precision": 100 * both / len(pairs(read)), f"{kind}, recall": 100 * both / len(pairs(true))}
    return figures


def sentence(rng: Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(8, 16))).capitalize() + "."


def make_texts(seed: int, families: int = 25, members: int = 6, alone: int = 150) -> dict[int, tuple[str, int]]:
    """By record a text and its family: copies of a template with other names and dates, some with a sentence more or less."""
    rng = Random(seed)
    texts = []
    for family in range(families):
        template = [sentence(rng) for _ in range(rng.randint(4, 9))]
        for _ in range(members):
            own = [f"On {rng.randint(1, 28)} May {rng.choice(WORDS)} {rng.choice(WORDS)} asked.", *template]
            if rng.random() < 0.3:
                own.pop(rng.randrange(1, len(own)))
            if rng.random() < 0.3:
                own.append(sentence(rng))
            words = " ".join(own).split()  # and every thirtieth word is another in each copy: names, places, numbers
            texts.append((" ".join(word if rng.random() > 0.03 else rng.choice(WORDS) for word in words), family))
    texts += [(" ".join(sentence(rng) for _ in range(rng.randint(3, 9))), 1000 + index) for index in range(alone)]
    rng.shuffle(texts)
    return dict(enumerate(texts, 100))


def records(texts: dict[int, tuple[str, int]]) -> list[object]:
    return [
        page(html({}, node=number, body=text), url=node(number), when=day(number % 300)) for number, (text, _) in texts.items()
    ]


def measure_families(folder: Path, seed: int = 1) -> dict[str, float]:
    """Precision and recall, in percent, of pairs of records in one family."""
    texts = make_texts(seed)
    true, read = defaultdict(list), defaultdict(list)
    for number, (_, family) in texts.items():
        true[family].append(number)
    for record_id, family in query(
        loaded(folder, records(texts)), "SELECT record_id, family_id FROM records WHERE family_id IS NOT NULL"
    ):
        read[family].append(int(record_id))
    both = len(pairs(true) & pairs(read))
    return {"family_id, precision": 100 * both / len(pairs(read)), "family_id, recall": 100 * both / len(pairs(true))}
