"""The home page: how much there is, how fresh it is, and where to begin."""

from __future__ import annotations

from typing import Any

from scraper.database.schema import table_description
from scraper.database.tables import TABLES
from scraper.explore.metadata import LOOKS
from scraper.explore.questions import QUESTIONS
from scraper.explore.record import MADE_UP

FIGURES = """
SELECT (SELECT count(*) FROM records) AS records, (SELECT count(*) FROM captures) AS captures,
       (SELECT min(captured_at) FROM captures) AS first, (SELECT max(captured_at) FROM captures) AS last,
       (SELECT count(*) FROM records WHERE last_captured_at IS NULL) AS undated,
       EXISTS (SELECT 1 FROM captures WHERE source = ?) AS demo
"""


async def context(datasette: Any) -> dict[str, Any]:
    """What the template `index.html` shows beside the metadata."""
    found = await datasette.get_database("tta").execute(FIGURES, [MADE_UP])
    return {
        **dict(found.first()),
        "tables": [(table.name, LOOKS[table.name].title, table_description(table)) for table in TABLES],
        "questions": [(name, one.title, one.description) for name, one in QUESTIONS.items()],
    }
