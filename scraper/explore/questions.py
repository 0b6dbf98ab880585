"""Questions that are asked often, as queries that Datasette offers by name; the README shows the same."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    title: str
    description: str
    sql: str


QUESTIONS = {
    "areas_by_year": Question(
        "Which program areas got help, year by year?",
        "Records by fiscal year and program area. A record with two areas counts in both.",
        """\
select fiscal_year, area.value as program_area, count(*) as records
from records, json_each(records.program_areas) as area
group by fiscal_year, program_area
order by fiscal_year desc, records desc
""",
    ),
    "emerging_needs": Question(
        "How many requests answered an emerging public safety need?",
        "By fiscal year. Records whose answer is not known count in neither share.",
        """\
select fiscal_year,
       count(*) as records,
       sum(emerging_need) as emerging,
       round(100.0 * sum(emerging_need) / count(emerging_need), 1) as percent_of_known,
       sum(emerging_need is null) as not_known
from records
group by fiscal_year
order by fiscal_year desc
""",
    ),
    "latest_changes": Question(
        "What changed lately?",
        "The hundred latest differences between successive captures of a record.",
        """\
select changes.seen_by, records.title, changes.field, changes.old_value, changes.new_value, changes.record_id
from changes join records using (record_id)
order by changes.seen_by desc
limit 100
""",
    ),
}
