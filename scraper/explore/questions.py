"""Questions that are asked often, as queries that Datasette offers by name: the texts and the SQL are in `questions.yml`.

docs/guides/analyst.md lists them.
"""

from collections.abc import Mapping
from functools import reduce
from importlib.resources import files
from typing import NamedTuple

import yaml

from scraper.explore.arrays import holding

_UNKNOWN_LABELS = """\
with unknown (label) as (
  select distinct label from fields_shared where label is not null and item is null and not is_known_label(label)
)
"""
UNKNOWN_LABELS = f"{_UNKNOWN_LABELS}select count(*) from unknown"


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


_TEXTS = {
    "{year}": "(:fiscal_year = '' or fiscal_year = :fiscal_year)",
    "{area}": f"(:program_area = '' or {holding('program_areas', 'program_area')})",
    "{state}": "(:state = '' or place_state = :state or place_state_code = upper(:state))",
    "{record_state}": "(:state = '' or records.place_state = :state or records.place_state_code = upper(:state))",
    "{since}": "Leave the date empty for all.",
    "{unknown_labels}\n": _UNKNOWN_LABELS,
}


def _filled(text: str) -> str:
    return reduce(lambda filled, name: filled.replace(name, _TEXTS[name]), _TEXTS, text)


QUESTIONS = {
    name: Question(**one | {"description": _filled(one["description"]), "sql": _filled(one["sql"])})
    for name, one in yaml.safe_load((files("scraper.explore") / "questions.yml").read_text(encoding="utf-8")).items()
}
