"""Pages that end inside a value, a label or a tag: what was printed is kept, and marked as truncated."""

import pytest

from parsers.record import Field
from tests.markupkit import BARE, CLASSED, bare, field, page, read

OPENED = '<div class="field field--name-field-x"><div class="field--label">'
CUT: dict[str, tuple[str, tuple[str, str | None, str, bool]]] = {
    "in a value": (field("Room", "Adjudic|ation"), ("Room", "Adjudic", "value", True)),
    "in a link": (field("Room", '<a href="/t/1">Adjudic|ation</a>'), ("Room", "Adjudic", "value", True)),
    "in a category": (field("Status of Deliverable", "Adjudic|ation"), ("Status of Deliverable", "Adjudic", "value", True)),
    "between paragraphs": (field("Notes", "<p>One.</p><p>Two.</p>|<p>Three.</p>"), ("Notes", "One.\n\nTwo.", "value", True)),
    "behind a value": (field("Room", '<a href="/t/1">Hall</a>|'), ("Room", "Hall", "value", False)),
    "behind a label": (f"{OPENED}Room</div>|", ("Room", None, "not_captured", False)),
    "in a label": (f"{OPENED}Roo|m</div>", ("County", "Ada County", "value", False)),
    "in a tag": (f"</fieldset><fieldset><div>{bare('Room', '12')}<|", ("Room", "12", "value", False)),
}


@pytest.mark.parametrize("where", CUT)
def test_the_value_in_which_a_page_ends_is_marked(where: str) -> None:
    inside, expected = CUT[where]
    content = page((f"<fieldset><div>{BARE}</div>" if where == "in a tag" else CLASSED) + inside)
    record = read(content[: content.index(b"|")])
    last: Field = record.fields[-1]
    assert record.incomplete
    assert (last.label, last.value, str(last.state), last.truncated) == expected
    assert record.status is None, "half a word is no category"
