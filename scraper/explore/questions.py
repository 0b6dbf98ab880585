"""Questions that are asked often, as queries that Datasette offers by name: the texts and the SQL are in `questions.yml`.

docs/guides/analyst.md lists them.
"""

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
    """`parameters` are those of the SQL, in the order of the form."""

    title: str
    description: str
    sql: str
    parameters: tuple[str, ...] = ()


_TEXTS = {
    "{year}": "(:fiscal_year = '' or fiscal_year = :fiscal_year)",
    "{area}": f"(:program_area = '' or {holding('program_areas', 'program_area')})",
    "{state}": "(:state = '' or place_state = :state or place_state_code = upper(:state))",
    "{since}": "`since` is a date such as 2024-10-01; leave it empty for all.",
    "{unknown_labels}\n": _UNKNOWN_LABELS,
}


def _filled(text: str) -> str:
    return reduce(lambda filled, name: filled.replace(name, _TEXTS[name]), _TEXTS, text)


QUESTIONS = {
    name: Question(one["title"], _filled(one["description"]), _filled(one["sql"]), tuple(one.get("parameters", ())))
    for name, one in yaml.safe_load((files("scraper.explore") / "questions.yml").read_text(encoding="utf-8")).items()
}
