"""Made-up records from a seed: the same seed gives the same record, whatever else has been made."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from tests.pagegen.catalog import (
    EMERGING,
    EVIDENCE,
    FIELDS,
    METRIC_FIELDS,
    MILESTONE_FIELDS,
    OTHER_AREA,
    UNKNOWN_FIELDS,
    Spec,
)
from tests.pagegen.content import SITE_ZONE, Content, Entry, Field, Group, Section, Value
from tests.pagegen.invent_body import agency, body, mail
from tests.pagegen.words import (
    FIRST_NAMES,
    INSTRUCTIONS,
    LAST_NAMES,
    METRICS,
    MILESTONES,
    PLACES,
    PROVIDERS,
    TERMS,
    TOPICS,
    Place,
    Topic,
)

HOSTS = ("bjatta.bja.ojp.gov", "rp.bjatta.bja.ojp.gov", "ocp.bjatta.bja.ojp.gov")
FIRST_DAY = datetime(2016, 10, 1, tzinfo=SITE_ZONE)
DAYS = 9 * 365
LONGEST_NAME = 15  # the site cuts longer user names
LONGEST_STRING = 255
ALWAYS = ("TTA Title", "I Agree", "Archived")
SCOPE_NO_ONLY = ("Primary Recipient Agency Name", "Contact Name", "Email Address")


def number_of(words: str) -> int:
    """A stable made-up id for a term, person or node."""
    return zlib.crc32(words.encode()) % 9000 + 100


def person(rng: Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def shown_author(name: str) -> str:
    """As the site prints it: cut to 15 characters, the last being an ellipsis."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def reference_of(submitted: datetime, serial: int) -> str:
    """`YYYYMMDD-time-serial` of the local time; the hour is not zero-padded."""
    local = submitted.astimezone(SITE_ZONE)
    return f"{local:%Y%m%d}-{local.hour}{local:%M%S}-{serial}"


def term(words: str) -> Value:
    return Value(words, f"/taxonomy/term/{number_of(words)}")


def user(name: str) -> Value:
    return Value(name, f"/user/{number_of(name)}")


def provider(name: str) -> Value:
    return Value(name, f"/node/{number_of(name)}")


def terms(rng: Random, label: str, *, many: bool) -> tuple[Value, ...]:
    choices = TERMS[label]
    count = rng.choice((1, 1, 2, 3)) if many else 1
    return tuple(term(words) for words in rng.sample(choices, k=min(count, len(choices))))


def title_text(rng: Random, topic: Topic, place: Place, submitted: datetime) -> str:
    name = rng.choice(topic.titles)
    if rng.random() < 0.25:
        kind = rng.choice(TERMS["Category"])
        return f"REQ: {submitted.astimezone(SITE_ZONE):%Y-%m-%d} - {agency(rng, topic, place)} ({kind})"
    return rng.choice((f"{name} - {place.county}", f"{name}: {place.city}, {place.state}", name))[:LONGEST_STRING]


def event_range(rng: Random, submitted: datetime) -> Value:
    start = (submitted + timedelta(days=rng.randint(10, 200))).replace(hour=rng.randint(12, 18), minute=0, second=0)
    length = rng.choice((timedelta(0), timedelta(hours=3), timedelta(days=1, hours=7), timedelta(days=120)))
    return Value(start=start, end=start + length)


def geo(rng: Random, place: Place) -> str:
    """Mostly a point; now and then what must not become one."""
    bad = ("POLYGON ((-71 42, -71 43, -70 43, -71 42))", "POINT (-999.5 42.3)", "POINT (0 )", "POINT EMPTY")
    return rng.choice(bad) if rng.random() < 0.1 else f"POINT ({place.longitude} {place.latitude})"


def string_values(rng: Random, topic: Topic, place: Place, submitted: datetime) -> dict[str, Value]:
    """Values of the fields that contain text, by label."""
    title = title_text(rng, topic, place, submitted)
    address = mail(rng)
    return {
        "TTA Title": Value(title),
        "TTA Short Name": Value(title if rng.random() < 0.8 else rng.choice(topic.titles)),
        "County": Value(place.county),
        OTHER_AREA: Value(topic.other),
        "Primary Recipient Agency Name": Value(str(rng.randint(1000, 99999))),
        "Contact Name": Value(person(rng)),
        "Email Address": Value(address, f"mailto:{address}"),
        "Event Location Geo": Value(geo(rng, place)),
        "Remote TTAC ID": Value(str(rng.choice((0, 0, rng.randint(1, 90000))))),
        "Status Changed": Value(start=submitted + timedelta(days=rng.randint(0, 90), minutes=rng.randint(0, 600))),
        "TTA Event Date": event_range(rng, submitted),
        **{label: Value(rng.choice(("Yes", "No"))) for label in (EVIDENCE, EMERGING, "Recipient Agency Scope")},
        "Display event on public TTA Catalog": Value(rng.choice(("Yes", "No"))),
        "I Agree": Value(rng.choice(("On", "Off"))),
        "Archived": Value(rng.choice(("Off", "Off", "On"))),
    }


def reference_values(rng: Random, spec: Spec, topic: Topic) -> tuple[Value, ...]:
    """Values of a field that contains references."""
    match spec.label:
        case "Provider Reference":
            return tuple(provider(name) for name in rng.sample(PROVIDERS, k=rng.choice((1, 1, 2))))
        case "TTA Point of Contact":
            return tuple(user(person(rng)) for _ in range(rng.choice((1, 1, 2))))
        case "BJA Grant Manager":
            return (user(person(rng)),)
        case "TTA Program Area":
            return tuple(term(area) for area in topic.areas)
        case "Program Area - Sub Topics":
            return tuple(term(subtopic) for subtopic in topic.subtopics[: rng.randint(1, len(topic.subtopics))])
    return terms(rng, spec.label, many=spec.multiple)


def milestone(rng: Random, title: str, about: str, submitted: datetime, used: Sequence[str]) -> tuple[Field, ...]:
    due = submitted + timedelta(days=rng.randint(20, 300))
    values = {
        "Milestone Title": (Value(title),),
        "Milestone Description": (Value(about),),
        "Milestone Projected Date": (Value(start=due),),
        "Milestone Completed Date": (Value(start=due + timedelta(days=9)),) if rng.random() < 0.5 else (),
        "Milestone Status": terms(rng, "Milestone Status", many=False),
        "Milestone Notes": (Value(f"{title} took longer than planned.\nSee the call notes."),),
    }
    return tuple(Field(MILESTONE_FIELDS[label], values[label]) for label in used)


def milestones(rng: Random, submitted: datetime) -> tuple[tuple[Field, ...], ...]:
    """None to eight, all with the same fields."""
    used = [label for label in MILESTONE_FIELDS if label == "Milestone Title" or rng.random() < 0.6]
    chosen = MILESTONES[: rng.choice((0, 1, 2, 3, 8))]
    return tuple(milestone(rng, title, about, submitted, used) for title, about in chosen)


def metrics(rng: Random) -> tuple[tuple[Field, ...], ...]:
    question, answer = METRIC_FIELDS.values()
    chosen = METRICS[: rng.choice((0, 1, 2, 4))]
    return tuple((Field(question, (Value(q),)), Field(answer, (Value(rng.choice(a)),))) for q, a in chosen)


def unknown_fields(rng: Random, submitted: datetime) -> list[Field]:
    """Fields whose labels nobody has listed."""
    values = {
        "Markups Received": (Value(str(rng.randint(0, 9))),),
        "Travel Authorization Number": (Value(f"TA-{rng.randint(100, 999)}-{rng.randint(10, 99)}"),),
        "Delivery Language": terms(rng, "Delivery Language", many=True),
        "Follow-up Call Date": (Value(start=submitted + timedelta(days=300)),),
        "Lessons Learned": (Value("Start earlier.\nAsk the night shift.\n• Bring printed forms"),),
        "Is a language interpreter needed?": (Value(rng.choice(("Yes", "No"))),),
        "Site Coordinator Phone": (Value("(555) 555-0142", "tel:5555550142"),),
        "Number of Attendees (estimated)": (Value("1,200"),),
        "Año fiscal": (Value(f"Año {submitted.year}"),),
    }
    return [Field(UNKNOWN_FIELDS[label], values[label]) for label in rng.sample(list(values), k=rng.randint(0, 3))]


def entries(rng: Random, topic: Topic, place: Place, submitted: datetime) -> tuple[Entry, ...]:
    """The record's fields in page order: few, most or all of them, some empty, some unknown, now and then one twice."""
    share = rng.choice((0.3, 0.75, 1.0))
    strings = string_values(rng, topic, place, submitted)
    groups = {"Milestone": milestones(rng, submitted), "Performance Metrics": metrics(rng)}
    chosen: list[Entry] = []
    for label, spec in FIELDS.items():
        if label not in ALWAYS and rng.random() > share:
            continue
        if spec.kind == "markup":
            chosen.append(Section(spec, INSTRUCTIONS[label]))
        elif spec.kind == "group":
            chosen += [Group(spec, groups[label])] if groups[label] else []
        elif label not in SCOPE_NO_ONLY or strings["Recipient Agency Scope"].text == "No":
            values = (strings[label],) if label in strings else reference_values(rng, spec, topic)
            chosen.append(Field(spec, values if label in ALWAYS or rng.random() > 0.08 else ()))
    for field in unknown_fields(rng, submitted):
        chosen.insert(rng.randint(0, len(chosen)), field)
    if rng.random() < 0.1:
        chosen.append(Field(FIELDS["County"], (Value(rng.choice(PLACES).county),)))
    return tuple(chosen)


def invent(seed: int) -> Content:
    """One made-up record."""
    rng = Random(seed)
    topic, place = rng.choice(TOPICS), rng.choice(PLACES)
    day = FIRST_DAY + timedelta(days=rng.randint(0, DAYS))
    submitted = day.replace(hour=rng.randint(7, 18), minute=rng.randint(0, 59), second=rng.randint(0, 59))
    submitted = submitted.astimezone(UTC)
    title = reference_of(submitted, rng.randint(1, 99)) if rng.random() < 0.85 else rng.choice(topic.titles)
    signed = rng.random() < 0.9
    return Content(
        node_id=rng.randint(13435, 242510),
        host=rng.choice(HOSTS),
        title=title,
        author=shown_author(person(rng)) if signed else None,
        submitted=submitted if signed else None,
        body=body(rng, topic, place),
        entries=entries(rng, topic, place, submitted),
    )


def without(content: Content, *labels: str) -> Content:
    """The same record without some of its fields."""
    return replace(content, entries=tuple(entry for entry in content.entries if entry.spec.label not in labels))
