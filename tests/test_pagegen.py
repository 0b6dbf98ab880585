"""The generator itself: what it says is on a page must be there, and the same seed must give the same page."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.dbkit import SAMPLE
from tests.pagegen.catalog import EMERGING, EVIDENCE, FIELDS, OTHER_AREA
from tests.pagegen.content import Content, Entry, Field, Paragraph, Section, Value
from tests.pagegen.invent import term
from tests.pagegen.render_page import NOTICE_TEXT
from tests.pagegen.render_text import extracted_text
from tests.pagegen.words import INSTRUCTIONS


def _sample_record(text: str) -> Content:
    """The record behind the sample, with made-up links and times in place of those the text has lost."""
    moment = datetime(2025, 1, 29, 19, 56, 39, tzinfo=UTC)
    body = text.split("Submitted by Hope Fiori on\n\n")[1].split("\n\nTTA Short Name\n", maxsplit=1)[0]
    lines = text.split("\n")
    known = {
        label: Value(lines[lines.index(label, lines.index("TTA Short Name")) + 1])
        for label in (
            *("TTA Short Name", "TTA Title", EVIDENCE, EMERGING, "County", OTHER_AREA, "Recipient Agency Scope"),
            *("Display event on public TTA Catalog", "I Agree", "Archived", "Event Location Geo", "Remote TTAC ID"),
        )
    }
    known["Status Changed"] = Value(start=moment)
    known["TTA Event Date"] = Value(start=moment, end=moment.replace(day=30))
    entries: list[Entry] = []
    for label, spec in FIELDS.items():
        if label not in lines:
            continue
        if spec.kind == "markup":
            entries.append(Section(spec, INSTRUCTIONS[label]))
        else:
            entries.append(Field(spec, (known.get(label, term("x")),)))
    return Content(
        node_id=1,
        host="bjatta.bja.ojp.gov",
        title=lines[2],
        author="Hope Fiori",
        submitted=moment,
        body=tuple(Paragraph(tuple(part.split("\n"))) for part in body.split("\n\n")),
        entries=tuple(entries),
    )


def test_text_form_is_the_samples() -> None:
    """A Bootstrap 3 page of the sample's record, sent through the extractor, gives the sample to the letter."""
    notice = next(line for line in SAMPLE.split("\n") if line.startswith("This website"))
    order = [line for line in SAMPLE.split("\n") if line in FIELDS]
    record = _sample_record(SAMPLE)
    made = [entry.spec.label for entry in record.entries]
    record = Content(**{**vars(record), "entries": tuple(sorted(record.entries, key=lambda e: order.index(e.spec.label)))})
    assert sorted(made) == sorted(order)
    assert extracted_text(record).replace(NOTICE_TEXT, notice) == SAMPLE
