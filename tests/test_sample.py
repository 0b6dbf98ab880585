"""Nothing of the one real capture is lost, and all of it can be found; `pages/text-real` has the record that a person reads."""

from __future__ import annotations

from parsers.locate import locate
from parsers.page import parse_page
from tests.dbkit import SAMPLE


def test_no_line_of_the_page_is_lost_or_doubtful() -> None:
    record = parse_page(SAMPLE.encode(), is_text=True).record
    assert record is not None and (record.form, record.incomplete, record.flags) == ("text", False, ())
    kept = [record.title, record.submitted_by, *(section.label for section in record.sections)]
    kept += [section.text for section in record.sections]
    kept += [text for row in record.fields for text in (row.label, row.value)]
    everything = "\n".join(text for text in kept if text)
    chrome = ("Skip to main content", "Attention", "This website is under construction", "Questions?", "Submitted by", "-")
    for line in SAMPLE.splitlines():
        assert line.startswith(chrome) or line.replace("\xa0", " ").strip() in everything, line


def test_every_value_can_be_found_on_the_page() -> None:
    positions = locate(SAMPLE.encode(), is_text=True)
    assert positions is not None
    county = next(index for index, row in enumerate(positions.record.fields) if row.label == "County")
    assert positions.fields[county] == ("lines 76 to 77", "County\nSuffolk County")
    assert len(positions.fields) == len(positions.record.fields) and all(positions.fields)
    assert len(positions.sections) == len(positions.record.sections) and all(positions.sections)
