"""The demo's records: sixty believable ones with a history, spread over years, states and subjects.

Unlike `invent`, which makes difficult cases, this makes a good first impression; every text is marked as made up. Charts of
them show a trend: ever more requests, which are answered ever sooner and respond ever more to emerging
needs; a surge of opioid requests from 2022 to 2024; and Texas, where half of that surge is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

from tests.pagegen.catalog import EMERGING, EVIDENCE, FIELDS, METRIC_FIELDS, MILESTONE_FIELDS, OTHER_AREA
from tests.pagegen.content import (
    SITE_ZONE,
    Block,
    Bullets,
    Content,
    Entry,
    Field,
    Group,
    Heading,
    Paragraph,
    Section,
    Value,
)
from tests.pagegen.invent import person, provider, reference_of, shown_author, term, user
from tests.pagegen.invent_body import CLOSINGS, agency, mail, opening
from tests.pagegen.options import Theme
from tests.pagegen.words import INSTRUCTIONS, METRICS, MILESTONES, PLACES, PROVIDERS, TERMS, TOPICS, TRIBE, Place, Topic

HOST = "bjatta.bja.ojp.gov"
FIRST_NODE = 900_000_001  # far above any number the site has given out, so that no real record is ever replaced
YEARS = {2017: 3, 2018: 4, 2019: 4, 2020: 5, 2021: 6, 2022: 7, 2023: 9, 2024: 11, 2025: 11}  # requests of each fiscal year
YEAR_OF = tuple(year for year, requests in YEARS.items() for _ in range(requests))
RECORDS = len(YEAR_OF)
SURGE = range(2022, 2025)
SURGING = next(topic for topic in TOPICS if "Opioid Response" in topic.subtopics)
SURGING_PLACES = tuple(place for place in PLACES if place.state == "Texas")
SPREAD = 0.012  # degrees; every place is at least that far inside its county
TRIBAL_STATES = ("Arizona", "Montana", "New Mexico", "North Dakota", "Oklahoma", "South Dakota")
TRIBAL_PLACES = tuple(place for place in PLACES if place.state in TRIBAL_STATES and place.city != "Phoenix")
NEVER = datetime(2026, 9, 30, tzinfo=UTC)  # no capture is later than this

HISTORY_THEMES: tuple[Theme, ...] = (
    *("bootstrap3", "bootstrap3", "olivero", "bootstrap3", "classy", "bootstrap3", "bare", "bootstrap3", "uswds"),
    "bootstrap3",
)
# Which instructions a page carries varies with its year; in the demo the form grew once.
FORM_CHANGED = 2021
LATER_SECTIONS = frozenset({"Cover Letter Instructions", "Demographics Markup"})
TEXT_ONLY = frozenset({7, 23, 41})  # captured as text and never as HTML
TEXT_LAST = frozenset({11})  # HTML first, then text


@dataclass(frozen=True)
class Snapshot:
    """The state of one record when an archive came by, and the form in which the archive kept it."""

    captured_at: datetime
    content: Content
    theme: Theme
    form: Literal["html", "text"]


@dataclass(frozen=True)
class Plot:
    """What decides a record's values."""

    index: int
    rng: Random
    topic: Topic
    place: Place
    submitted: datetime

    @property
    def year(self) -> int:
        return YEAR_OF[self.index % RECORDS]


def plot(index: int) -> Plot:
    """Each record has its own random numbers, so that adding one changes no other."""
    rng = Random(f"demo {index}")
    year = YEAR_OF[index % RECORDS]
    day = datetime(year - 1, 10, 1, tzinfo=SITE_ZONE) + timedelta(days=rng.randint(4, 340))
    day -= timedelta(days=max(0, day.weekday() - 4))  # requests come in on working days
    submitted = day.replace(hour=rng.randint(7, 18), minute=rng.randint(0, 59), second=rng.randint(0, 59))
    surges = year in SURGE and index % 2 == 0
    topic = SURGING if surges else TOPICS[index % len(TOPICS)]
    places = TRIBAL_PLACES if topic.world is TRIBE else SURGING_PLACES if surges and index % 4 == 0 else PLACES
    place = places[index * 7 % len(places)]
    return Plot(index, rng, topic, place, submitted.astimezone(UTC))


def _description(story: Plot) -> tuple[Block, ...]:
    rng, topic = story.rng, story.topic
    blocks: list[Block] = [Paragraph((f"[Made-up record] {opening(rng, topic, story.place)}",))]
    blocks += [Heading("What are the goals?"), Bullets(tuple((goal, ()) for goal in topic.goals))]
    if rng.random() < 0.7:
        blocks += [Heading("Expected outcomes:"), Bullets(tuple((outcome, ()) for outcome in topic.outcomes))]
    if rng.random() < 0.6:
        blocks.append(Paragraph((rng.choice(CLOSINGS),)))
    return tuple(blocks)


def _title(story: Plot) -> str:
    rng, place = story.rng, story.place
    name = story.topic.titles[story.index // len(TOPICS) % len(story.topic.titles)]
    if rng.random() < 0.45:
        day = story.submitted.astimezone(SITE_ZONE)
        return f"REQ: {day:%Y-%m-%d} - {agency(rng, story.topic, place)} ({rng.choice(TERMS['Category'])})"
    return rng.choice((f"{name} - {place.county}, {place.state}", f"{name}: {place.city}, {place.state}"))


def _geo(story: Plot) -> str:
    rng, place = story.rng, story.place
    longitude = place.longitude + rng.uniform(-SPREAD, SPREAD)
    latitude = place.latitude + rng.uniform(-SPREAD, SPREAD)
    return f"POINT ({longitude:.7f} {latitude:.7f})"


def _sampled(rng: Random, choices: tuple[str, ...], most: int) -> tuple[Value, ...]:
    return tuple(term(words) for words in rng.sample(choices, k=rng.randint(1, min(most, len(choices)))))


def _picked(rng: Random, label: str, most: int = 1) -> tuple[Value, ...]:
    return _sampled(rng, TERMS[label], most)


def _first_status(story: Plot) -> str:
    recent = story.year >= 2024
    return story.rng.choice(("In Progress", "Approved", "Not Started") if recent else ("Completed", "In Progress"))


def _event(story: Plot) -> Value:
    days = story.rng.randint(30, 150) * (1 - 0.07 * (story.year - YEAR_OF[0]))
    local = story.submitted.astimezone(SITE_ZONE) + timedelta(days=round(days))
    start = local.replace(hour=story.rng.choice((8, 9, 13)), minute=0, second=0).astimezone(UTC)
    return Value(start=start, end=start + story.rng.choice((timedelta(0), timedelta(hours=8), timedelta(days=2))))


def _flag(rng: Random, chance: float) -> tuple[Value, ...]:
    return (Value("Yes" if rng.random() < chance else "No"),)


def _values(story: Plot) -> dict[str, tuple[Value, ...]]:
    """The record's values by label; a label left out is not on the page."""
    rng, topic = story.rng, story.topic
    title, address = _title(story), mail(rng)
    values = {
        "TTA Short Name": (Value(title),),
        "TTA Title": (Value(title),),
        "Status of Deliverable": (term(_first_status(story)),),
        "Status Changed": (Value(start=story.submitted + timedelta(days=rng.randint(1, 25), minutes=rng.randint(1, 400))),),
        "Type of Agency": _sampled(rng, topic.world.agency_types, 2),
        "Provider Reference": (provider(rng.choice(PROVIDERS)),),
        "TTA Point of Contact": (user(person(rng)),),
        "TTAR Source": _picked(rng, "TTAR Source"),
        "Category": _picked(rng, "Category"),
        EVIDENCE: _flag(rng, 0.6),
        EMERGING: _flag(rng, 0.1 + 0.1 * (story.year - YEAR_OF[0])),
        "Target Audience": _sampled(rng, topic.world.audiences, 3),
        "County": (Value(story.place.county),),
        "TTA Program Area": tuple(term(area) for area in topic.areas),
        "Program Area - Sub Topics": tuple(term(subtopic) for subtopic in topic.subtopics),
        "TTA Source": _picked(rng, "TTA Source"),
        "TTA Estimated Costs": _picked(rng, "TTA Estimated Costs"),
        "BJA Grant Manager": (user(person(rng)),),
        "Recipient Agency Scope": _flag(rng, 0.8),
        "Display event on public TTA Catalog": _flag(rng, 0.5),
        "I Agree": (Value(rng.choice(("On", "Off"))),),
        "Archived": (Value("Off"),),
        "Event Location Geo": (Value(_geo(story)),),
        "Remote TTAC ID": (Value(str(rng.choice((0, rng.randint(1000, 90000))))),),
    }
    if "Other Program Areas" in topic.subtopics:
        values[OTHER_AREA] = (Value(topic.other),)
    if values["Recipient Agency Scope"][0].text == "No":
        values["Primary Recipient Agency Name"] = (Value(str(rng.randint(10000, 99999))),)
        values["Contact Name"] = (Value(person(rng)),)
        values["Email Address"] = (Value(address, f"mailto:{address}"),)
    if rng.random() < 0.75:
        values["TTA Event Date"] = (_event(story),)
    for label in ("Special Populations", "Demographic - Gender", "Demographic - Age", "Demographic - Race"):
        if rng.random() < 0.4:
            values[label] = _picked(rng, label, 2)
    return values


def _milestones(story: Plot) -> tuple[tuple[Field, ...], ...]:
    rng = story.rng
    chosen = sorted(rng.sample(range(len(MILESTONES)), k=rng.choice((0, 2, 3, 4))))
    items = []
    for step, number in enumerate(chosen, start=1):
        title, about = MILESTONES[number]
        values = {
            "Milestone Title": (Value(title),),
            "Milestone Description": (Value(about),),
            "Milestone Projected Date": (Value(start=story.submitted + timedelta(days=45 * step)),),
            "Milestone Status": (term("Completed" if step == 1 else "In Progress"),),
        }
        items.append(tuple(Field(MILESTONE_FIELDS[label], value) for label, value in values.items()))
    return tuple(items)


def _metrics(rng: Random, *, done: bool) -> tuple[tuple[Field, ...], ...]:
    """Answered once the work is done."""
    question, answer = METRIC_FIELDS.values()
    chosen = METRICS[: rng.choice((2, 3, 4))] if done else ()
    return tuple((Field(question, (Value(q),)), Field(answer, (Value(rng.choice(a)),))) for q, a in chosen)


def first_state(story: Plot) -> Content:
    """The record as first captured."""
    rng = story.rng
    values = _values(story)
    groups = {
        "Milestone": _milestones(story),
        "Performance Metrics": _metrics(rng, done=values["Status of Deliverable"][0].text == "Completed"),
    }
    entries: list[Entry] = []
    for label, spec in FIELDS.items():
        if spec.kind == "markup":
            if label in LATER_SECTIONS and story.year < FORM_CHANGED:
                continue
            entries.append(Section(spec, INSTRUCTIONS[label]))
        elif groups.get(label):
            entries.append(Group(spec, groups[label]))
        elif label in values:
            entries.append(Field(spec, values[label]))
    return Content(
        node_id=FIRST_NODE + story.index,
        host=HOST,
        title=reference_of(story.submitted, rng.randint(1, 60)),
        author=shown_author(person(rng)),
        submitted=story.submitted,
        body=_description(story),
        entries=tuple(entries),
    )


def later_state(content: Content, rng: Random, when: datetime) -> Content:
    """The same record after some months: work has gone on, or was stopped."""
    status = {field.values[0].text for label, field in content.fields().items() if label == "Status of Deliverable"}
    done = "Completed" in status
    changes = {
        "Status of Deliverable": (term(rng.choice(("Completed", "Completed", "On Hold", "Cancelled"))),),
        "Status Changed": (Value(start=when - timedelta(days=rng.randint(2, 40))),),
        "TTA Estimated Costs": _picked(rng, "TTA Estimated Costs"),
        "Archived": (Value("On" if done else "Off"),),
    }
    if done:
        del changes["Status of Deliverable"]
    entries = tuple(_changed(entry, changes) for entry in content.entries)
    note = Paragraph(("Update: the calendar was agreed with the site, and the first session has taken place.",))
    body = (*content.body, note) if rng.random() < 0.3 and note not in content.body else content.body
    return replace(content, entries=entries, body=body)


def _changed(entry: Entry, changes: dict[str, tuple[Value, ...]]) -> Entry:
    if isinstance(entry, Field) and entry.spec.label in changes:
        return replace(entry, values=changes[entry.spec.label])
    return _all_completed(entry) if isinstance(entry, Group) else entry


def _all_completed(group: Group) -> Group:
    def completed(field: Field) -> Field:
        return replace(field, values=(term("Completed"),)) if field.spec.label == "Milestone Status" else field

    return replace(group, items=tuple(tuple(completed(field) for field in item) for item in group.items))


def history(index: int) -> Iterator[Snapshot]:
    """The captures of one record: one for most, a second for a third of them, a third for some old ones."""
    story = plot(index)
    rng = story.rng
    content = first_state(story)
    theme = HISTORY_THEMES[index % len(HISTORY_THEMES)]
    when = story.submitted + timedelta(days=rng.randint(30, 200), minutes=rng.randint(0, 1400))
    yield Snapshot(when, content, theme, "text" if index in TEXT_ONLY else "html")
    if (index // len(YEARS) + index) % 3 or index in TEXT_ONLY:
        return
    for _ in range(2 if story.year <= 2020 and index % 2 else 1):
        when = min(when + timedelta(days=rng.randint(90, 180), minutes=rng.randint(0, 1400)), NEVER)
        content = later_state(content, rng, when)
        yield Snapshot(when, content, theme, "text" if index in TEXT_LAST else "html")
