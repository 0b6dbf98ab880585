"""Made-up descriptions: from one sentence to several pages, with everything in them that misleads a parser."""

from __future__ import annotations

from random import Random

from tests.pagegen.catalog import ALL_LABELS
from tests.pagegen.content import Block, Bullets, Heading, Paragraph, Table
from tests.pagegen.words import FIRST_NAMES, LAST_NAMES, PROVIDERS, Place, Topic

OPENINGS = (
    "{agency} asks for help with {subject}. {need}",
    "{need} {agency} would like to learn how other sites of its size have dealt with this.",
    "At the request of {agency}, {provider} will support work on {subject} over the coming months.",
    "{provider} and {agency} will hold two working sessions on {subject}. {need}",
)
CLOSINGS = (
    "All sessions will be recorded for staff who work nights.",
    "The site’s leadership has agreed to release staff for both days.",
    "Travel is covered by the provider; the site offers rooms and equipment.",
    "A follow-up call takes place ninety days after delivery.",
)
ODD_TEXTS = (
    "Staff said they don?t know who owns the form, and that it?s been so “since the flood”.",
    "The agencyâ€™s letter was pasted twice; see the attachment.",
    "Contact: Señora Ñandú, Åsa Ølgaard and Đỗ Thị Hương — 日本語 also spoken ✓",
    "Ranges like 5 < 10 & 20 > 15 matter here; so do \"quotes\" and <angle brackets>.",
    "Access denied. You are not authorized to access this page.",
    "Page not found: the requested page could not be found.",
    "Please log in with username and password, then verify that you are human.",
    "Please see https://www.example.org/guide?a=1&b=2 before the call.",
)  # fmt: skip


def agency(rng: Random, topic: Topic, place: Place) -> str:
    """Who asks."""
    return rng.choice(topic.world.askers).format(city=place.city, county=place.county, state=place.state)


def mail(rng: Random) -> str:
    """An address at a domain that is reserved for examples."""
    return f"{rng.choice(FIRST_NAMES)}.{rng.choice(LAST_NAMES)}@example.org".lower().replace("'", "")


def opening(rng: Random, topic: Topic, place: Place) -> str:
    subject = topic.subtopics[0].lower()
    words = rng.choice(OPENINGS)
    return words.format(agency=agency(rng, topic, place), provider=rng.choice(PROVIDERS), subject=subject, need=topic.need)


def plain_body(rng: Random, topic: Topic, place: Place) -> list[Block]:
    """A description without tricks, as most are."""
    blocks: list[Block] = [Paragraph((opening(rng, topic, place),))]
    if rng.random() < 0.8:
        blocks += [Heading("Goals:"), Bullets(tuple((goal, ()) for goal in topic.goals))]
    if rng.random() < 0.6:
        blocks += [Heading("Expected outcomes:"), Bullets(tuple((outcome, ()) for outcome in topic.outcomes))]
    if rng.random() < 0.5:
        blocks.append(Paragraph((rng.choice(CLOSINGS),)))
    return blocks


def tricks(rng: Random, topic: Topic, place: Place) -> list[Block]:
    """Blocks that look like something else."""
    label = rng.choice(ALL_LABELS)
    return [
        Paragraph((label,)),
        Paragraph((f"{label}:", "to be decided at the first meeting")),
        Paragraph(("County", f"{place.county} and its neighbors", "TTA Title", "the same as last year")),
        Paragraph(("POINT (1 2)",)),
        Paragraph(("Submitted by nobody on 01/01/1970",)),
        Paragraph((topic.need, rng.choice(CLOSINGS)), quote=True),
        Paragraph((rng.choice(ODD_TEXTS),)),
        Paragraph(("From: " + mail(rng), "To: " + mail(rng), "Subject: RE: FW: our request", "Hi all,", topic.need)),
        Heading("Agenda", level=rng.choice((2, 3, 4))),
        Table((("Day", "Session"), ("One", topic.titles[0]), ("Two", topic.titles[-1]))),
        Bullets(tuple((goal, topic.outcomes) for goal in topic.goals[:2])),
        Paragraph(("Yes", "No", "-", "Off")),
    ]


def body(rng: Random, topic: Topic, place: Place) -> tuple[Block, ...]:
    """One sentence, an ordinary description, or a long one with tricks in it."""
    size = rng.choice(("sentence", "ordinary", "tricky", "tricky", "long"))
    if size == "sentence":
        return (Paragraph((topic.need,)),)
    blocks = plain_body(rng, topic, place)
    if size == "ordinary":
        return tuple(blocks)
    choices = tricks(rng, topic, place)
    middle = rng.sample(choices, k=rng.randint(1, 4) if size == "tricky" else len(choices))
    if size == "long":
        middle += [Paragraph((f"{number}. {opening(rng, topic, place)}",)) for number in range(1, rng.randint(8, 40))]
    return (blocks[0], *middle, *blocks[1:])
