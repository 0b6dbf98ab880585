"""A labelled text, and how tests read texts."""

from parsers.page import parse_page
from parsers.record import Record

CHECK = "Please check the box next to the following questions if the answer is 'yes'."
MILESTONES = "Milestones are an element, activity, work product, or key task associated with completing the TTA (e.g. a call)."
METRICS = "Please respond to the Performance Metrics below."
LETTER = "Please submit a signed letter of support from your agency's executive or other senior staff member."
OTHER = "If your program area sub-topic is one of the 'Other Program Areas', please"
BASE = f"""20240311-91530-7

Submitted by Hope Quill on Mon, 03/11/2024 - 09:15

A body of one line.

TTA Short Name
Two-agency workshop
Status of Deliverable
Complete
Target Audience
Judges
Probation Officers
Deliverable Markup for Questions

{CHECK}

Is this TTA in response to emerging public safety needs?
Yes
County
Larch County
Archived
Off
"""
"""A labelled text. What a case adds is put where labels like it usually are."""


def read(text: str | bytes, **more: object) -> Record:
    content = text if isinstance(text, bytes) else text.encode()
    page = parse_page(content, is_text=True, **more)  # type: ignore[arg-type]
    assert page.record is not None, page.reason
    return page.record


def values(record: Record, label: str | None) -> list[str | None]:
    return [row.value for row in record.fields if row.label == label]


def labels(record: Record) -> set[str | None]:
    return {row.label for row in record.fields}
