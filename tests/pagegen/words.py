"""The words that records are made of: terms, invented people, places, subjects, instruction texts, from the data files here."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from tests.pagegen.content import Block, Bullets, Paragraph
from tests.tables import read_table

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Place:
    """A county seat or large city in a real county; degrees, WGS 84."""

    city: str
    county: str
    state: str
    longitude: float
    latitude: float


@dataclass(frozen=True)
class World:
    """Who asks for such help: names of agencies with places for a place's parts, their types, and who is taught."""

    askers: tuple[str, ...]
    agency_types: tuple[str, ...]
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """`areas` and `subtopics` are the record's terms; `other` fills the free-text area."""

    world: World
    areas: tuple[str, ...]
    subtopics: tuple[str, ...]
    titles: tuple[str, ...]
    need: str
    goals: tuple[str, ...]
    outcomes: tuple[str, ...]
    other: str


_WORDS, _TOPICS = read_table("pagegen/words.toml"), read_table("pagegen/topics.toml")
PROVIDERS: tuple[str, ...] = _WORDS["providers"]
FIRST_NAMES: tuple[str, ...] = _WORDS["first_names"]
LAST_NAMES: tuple[str, ...] = _WORDS["last_names"]
TERMS: dict[str, tuple[str, ...]] = _WORDS["terms"]
MILESTONES: tuple[tuple[str, str], ...] = tuple(_WORDS["milestones"].items())
METRICS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(_WORDS["metrics"].items())
INSTRUCTIONS: dict[str, tuple[Block, ...]] = {
    label: tuple(Paragraph(tuple(text.split("\n"))) for text in texts) for label, texts in _WORDS["instructions"].items()
}
INSTRUCTIONS["Cover Letter Instructions"] = (
    Paragraph((_WORDS["letter"],)),
    Bullets(tuple((item, ()) for item in _WORDS["letter_content"]), ordered=True),
    Paragraph((_WORDS["agreement"],)),
    *INSTRUCTIONS["Cover Letter Instructions"],
)
with (HERE / "places.csv").open(encoding="utf-8", newline="") as _file:
    PLACES = tuple(Place(city, county, state, float(x), float(y)) for city, county, state, x, y in csv.reader(_file))
_WORLDS = {name: World(**world) for name, world in _TOPICS["worlds"].items()}
TRIBE = _WORLDS["tribe"]
TOPICS = tuple(Topic(**topic | {"world": _WORLDS[topic["world"]]}) for topic in _TOPICS["topics"])
