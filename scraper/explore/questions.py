"""Questions that are asked often, as queries that Datasette offers by name. An empty parameter selects everything.

docs/guides/analyst.md lists them.
"""

from __future__ import annotations

from typing import NamedTuple

from scraper.explore.arrays import holding

_YEAR = "(:fiscal_year = '' or fiscal_year = :fiscal_year)"
_AREA = f"(:program_area = '' or {holding('program_areas', 'program_area')})"
_STATE = "(:state = '' or place_state = :state or place_state_code = upper(:state))"
_SINCE = "`since` is a date such as 2024-10-01; leave it empty for all."

_UNKNOWN_LABELS = """\
with recursive labels (label) as (
  select min(label) from fields
  union all
  select (select min(fields.label) from fields where fields.label > labels.label) from labels where label is not null
), unknown (label) as (
  select label from labels
  where label is not null and not is_known_label(label)
    and exists (select 1 from fields where fields.label = labels.label and item is null)
)
"""
"""A step along the index for every label: counting millions of rows takes a second."""
UNKNOWN_LABELS = f"{_UNKNOWN_LABELS}select count(*) from unknown"


class Question(NamedTuple):
    """`parameters` are those of the SQL, in the order of the form."""

    title: str
    description: str
    sql: str
    parameters: tuple[str, ...] = ()


QUESTIONS = {
    "areas_by_year": Question(
        "Which program areas received assistance, by year?",
        "Records by fiscal year and program area, optionally for one state (name or postal code). "
        "A record with several program areas is counted once in each.",
        f"""\
with counted as (
  select fiscal_year, program_areas, count(*) as records
  from records
  where {_STATE}
  group by fiscal_year, program_areas
)
select fiscal_year, area.value as program_area, sum(records) as records
from counted, json_each(counted.program_areas) as area
group by fiscal_year, program_area
order by fiscal_year desc, records desc, program_area
""",
        ("state",),
    ),
    "agencies_helped": Question(
        "Which types of agency received the most assistance?",
        "Records by type of agency, optionally for one fiscal year or program area. "
        "A record with several types is counted in each.",
        f"""\
select agency.value as agency_type,
       count(*) as records,
       min(fiscal_year) as first_year,
       max(fiscal_year) as last_year
from records, json_each(records.agency_types) as agency
where {_YEAR}
  and {_AREA}
group by agency_type
order by records desc, agency_type
""",
        ("fiscal_year", "program_area"),
    ),
    "places": Question(
        "Where was assistance delivered?",
        "Records by state and county of the point on their page, optionally for one state (name or postal code) or "
        "fiscal year. Records without a point are counted in one row without a state.",
        f"""\
select place_state as state, place_county as county, place_county_code as county_code, count(*) as records
from records
where {_STATE}
  and {_YEAR}
group by place_state, place_county_code
order by records desc, state, county
""",
        ("state", "fiscal_year"),
    ),
    "emerging_needs": Question(
        "How many requests responded to an emerging public safety need?",
        "By fiscal year, optionally for one program area. Percentages exclude records whose answer is not known.",
        f"""\
select fiscal_year,
       count(*) as records,
       sum(emerging_need) as emerging,
       round(100.0 * sum(emerging_need) / count(emerging_need), 1) as percent_of_known,
       sum(emerging_need is null) as not_known
from records
where {_AREA}
group by fiscal_year
order by fiscal_year desc
""",
        ("program_area",),
    ),
    "evidence_based_share": Question(
        "What share of assistance supported an evidence-based practice?",
        "By program area, optionally for one fiscal year. Percentages exclude records whose answer is not known.",
        f"""\
with counted as (
  select program_areas, count(*) as records, sum(evidence_based) as evidence_based, count(evidence_based) as known
  from records
  where {_YEAR}
  group by program_areas
)
select area.value as program_area,
       sum(records) as records,
       sum(evidence_based) as evidence_based,
       round(100.0 * sum(evidence_based) / sum(known), 1) as percent_of_known,
       sum(records - known) as not_known
from counted, json_each(counted.program_areas) as area
group by program_area
order by percent_of_known desc, records desc
""",
        ("fiscal_year",),
    ),
    "providers": Question(
        "Which providers delivered assistance?",
        "Providers by number of records, optionally for one fiscal year or program area.",
        f"""\
with counted as (
  select provider_reference as provider, place_state, min(fiscal_year) as first_year, max(fiscal_year) as last_year,
         count(*) as records
  from records
  where {_YEAR}
    and {_AREA}
  group by provider, place_state
)
select provider,
       sum(records) as records,
       count(place_state) as states,
       min(first_year) as first_year,
       max(last_year) as last_year
from counted
group by provider
order by records desc, provider
""",
        ("fiscal_year", "program_area"),
    ),
    "costs": Question(
        "What was the estimated cost of assistance?",
        "Records by the printed range of the estimated cost, with its bounds in US dollars, optionally for one fiscal year or "
        "program area.",
        f"""\
select estimated_cost, estimated_cost_lower, estimated_cost_upper, count(*) as records
from records
where {_YEAR}
  and {_AREA}
group by estimated_cost, estimated_cost_lower, estimated_cost_upper
order by estimated_cost_lower is null, estimated_cost_lower, estimated_cost
""",
        ("fiscal_year", "program_area"),
    ),
    "latest_changes": Question(
        "What has changed since a given date?",
        f"The latest 500 differences between successive captures of a record, optionally for one field. {_SINCE}",
        """\
select changes.seen_by, changes.record_id, records.title, changes.field, changes.old_value, changes.new_value
from changes join records using (record_id)
where changes.seen_by >= :since
  and (:field = '' or changes.field = :field)
order by changes.seen_by desc
limit 500
""",
        ("since", "field"),
    ),
    "disappeared": Question(
        "Which records disappeared?",
        "Records whose address returns 'not found' or redirects elsewhere in a later capture. A record without a later "
        f"capture is not listed, because its status is unknown. {_SINCE}",
        """\
select gone_since, last_captured_at as last_seen, record_id, title, tta_title, fiscal_year, url
from records
where availability = 'gone'
  and gone_since >= :since
order by gone_since desc
""",
        ("since",),
    ),
    "unknown_labels": Question(
        "Which page fields are not mapped to a column yet?",
        "Labels on record pages that have no column of their own; their values are in the table fields. Labels "
        "inside a milestone or another group are not included.",
        f"""\
{_UNKNOWN_LABELS}select label,
       (select count(*) from fields where fields.label = unknown.label) as fields,
       (select value from fields where fields.label = unknown.label and value is not null limit 1) as example
from unknown
order by fields desc, label
""",
    ),
    "newest": Question(
        "Which records are newest?",
        f"The latest 100 records by date of submission, optionally for one state (name or postal code). {_SINCE}",
        f"""\
select submitted_on, record_id, tta_title, status, place_state, county, last_captured_at
from records
where submitted_on >= :since
  and {_STATE}
order by submitted_at desc
limit 100
""",
        ("since", "state"),
    ),
}
