"""Questions that are asked often, as queries that Datasette offers by name: the texts and the SQL are in `questions.yml`.

docs/guides/analyst.md lists them.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any, NamedTuple

from scraper.explore.filters import ARRAY_CONTAINS, texts


class Question(NamedTuple):
    """`parameters` are those of the SQL, in the order of the form; `chart` is the picture above the rows (`charts.Spec`).

    `of`: filters of the records that the chart counts.
    """

    title: str
    description: str
    sql: str
    parameters: tuple[str, ...] = ()
    chart: Mapping[str, str] | None = None
    of: Mapping[str, str] = {}


_ALL: dict[str, Any] = texts("questions")
_PARTS: dict[str, str] = _ALL.pop("parts")
_PARTS["{program_area_condition}"] = ARRAY_CONTAINS.format(t="records", c="program_areas", p="program_area")


def _filled(text: str) -> str:
    return reduce(lambda filled, name: filled.replace(name, _PARTS[name]), _PARTS, text)


UNKNOWN_LABELS = _filled("{unknown_labels}\nselect count(*) as labels from unknown")
QUESTIONS = {
    name: Question(**one | {"description": _filled(one["description"]), "sql": _filled(one["sql"])}) for name, one in _ALL.items()
}
