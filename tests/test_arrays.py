"""The filter "array contains": the rows of Datasette's own condition, on its pages and on ours, and its names."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scraper.explore.filters import ARRAY_CONTAINS
from tests.webkit import Site, demo

DATASETTES = ':p0 in (select value from json_each("records"."program_areas"))'
"""The condition of Datasette 0.65, which takes every row's array apart."""
_ITEMS = st.sampled_from(
    ["Courts", "Courts, Law", 'say "yes"', "it's", "", "é", "1", "[", '["Courts"]', "null", "COURTS", "a\\b"]
)
_ARRAYS = st.none() | st.lists(_ITEMS | st.none() | st.integers(0, 1), max_size=4)


@given(st.lists(_ARRAYS, max_size=12), _ITEMS)
@example([None, [], ["Courts", "Courts"], ["Courts"], ["Courts, Law"]], "Courts")
@example([None, None, []], "")
@example([[1], ["1"], [["1"]]], "1")
def test_rows_are_those_of_datasettes_condition(arrays: list[Any], wanted: str) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE records (number INTEGER PRIMARY KEY, program_areas TEXT) STRICT")
        rows = [None if array is None else json.dumps(array, ensure_ascii=False) for array in arrays]
        db.executemany("INSERT INTO records (program_areas) VALUES (?)", [(row,) for row in rows])
        found = [
            db.execute(f"SELECT number FROM records WHERE {condition} ORDER BY number", {"p0": wanted}).fetchall()
            for condition in (DATASETTES, ARRAY_CONTAINS.format(t="records", c="program_areas", p="p0"))
        ]
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demo, with arrays that no page prints added to some of its records."""
    folders = demo(tmp_path_factory.mktemp("demo"))
    with closing(sqlite3.connect(folders.database)) as db, db:
        odd = [None, "[]", '["Law Enforcement","Law Enforcement"]', '["Law Enforcement, Courts"]', '["say \\"yes\\"","it\'s"]']
        names = [name for (name,) in db.execute("SELECT record_id FROM records ORDER BY 1 LIMIT ?", [len(odd)])]
        db.executemany("UPDATE records SET program_areas = ? WHERE record_id = ?", zip(odd, names, strict=True))
    return Site(folders.database)


def _found(site: Site, query: dict[str, str]) -> Any:
    return site.json(f"/tta/records.json?{urlencode(query | {'_size': '100'})}")


@pytest.mark.parametrize("area", ["Law Enforcement", "Law Enforcement, Courts", 'say "yes"', "it's", "nothing of the kind"])
def test_tables_filter_and_its_words_are_datasettes(site: Site, area: str) -> None:
    found = _found(site, {"program_areas__arraycontains": area})
    slow = _found(site, {"_where": DATASETTES.replace(":p0", "'" + area.replace("'", "''") + "'")})
    assert [row[0] for row in found["rows"]] == [row[0] for row in slow["rows"]]
    assert bool(found["rows"]) is (area != "nothing of the kind")
    assert "select distinct" in found["query"]["sql"], "the quick condition is not in use"
    assert found["human_description_en"].startswith(f'where program_areas contains "{area}"')
    counted = site.get(f"/-/charts?{urlencode({'program_areas__arraycontains': area})}").text
    count = found["filtered_table_rows_count"]
    assert f"{count} record{'' if count == 1 else 's'}</a>" in counted


def test_a_facets_value_leads_to_as_many_rows_as_it_says(site: Site) -> None:
    facets = site.json("/tta/records.json?_facet_size=max")["facet_results"]["program_areas"]["results"]
    assert len(facets) > 5
    for facet in facets:
        chosen = site.json(facet["toggle_url"].partition("localhost")[2].replace("/tta/records?", "/tta/records.json?"))
        assert chosen["filtered_table_rows_count"] == facet["count"], facet["value"]


@pytest.mark.parametrize(
    "also", ["", "&label=County", "&value=", "&_record._search=training", "&_where=value <> 'x'", "&_search=county"]
)
@pytest.mark.parametrize("table", ["fields", "sections"])
def test_rows_of_filtered_records_are_counted_as_those_that_are_listed(site: Site, table: str, also: str) -> None:
    if table == "sections" and ("value" in also or also.startswith("&_search")):
        pytest.skip("it has no such column")
    found = site.json(f"/tta/{table}.json?_record.fiscal_year__in=2022,2023{also}&_size=max&_facet_size=max")
    labels = Counter(dict(zip(found["columns"], row, strict=True))["label"] for row in found["rows"])
    assert found["filtered_table_rows_count"] == labels.total()
    assert {one["value"]: one["count"] for one in found["facet_results"]["label"]["results"]} == labels
