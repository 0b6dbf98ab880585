"""Agencies and providers: known by number, name and state, and by what people decide; `quality_derived` measures how well."""

import csv
from pathlib import Path
from typing import Any

import pytest

from scraper.database.load import load
from scraper.database.organizations import HEADING, MATCHES, key_of_name, state_in_name
from scraper.doctor.verify import verify_search
from scraper.errors import TtaError
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query
from tests.derivedkit import POINTS, record, request
from tests.webkit import Site


def organizations(folders: Folders) -> dict[str, tuple[Any, ...]]:
    rows = query(folders, "SELECT organization_id, kind, portal_id, name, state_code, how, records FROM organizations")
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Larch Co. Police Dept., TX", "LARCH COUNTY PD (TX)", True),
        ("The Alder Sheriff’s Office, Texas", "Alder Sheriffs Office - tx", True),
        ("Peña & Sons, Inc.", "Pena and Sons", True),
        ("Larch Police, TX", "Larch Police, OH", False),
        ("Larch County Police", "Larch Police", False),
        ("Larch Police Department", "Larch Fire Department", False),
        ("Larch District 1", "Larch District 11", False),
    ],
)
def test_spellings_of_one_name_share_a_key_and_different_names_do_not(one: str, other: str, same: bool) -> None:
    assert (key_of_name(one) == key_of_name(other)) is same


@pytest.mark.parametrize(
    ("name", "point", "state"),
    [
        ("Multnomah County District Attorney", (None, None), "OR"),
        ("Multnomah County District Attorney", ("WA", "53033"), None),  # perhaps it traveled, perhaps the name is another's
        ("POLK COUNTY Sheriff", ("TX", "48373"), "TX"),
        ("Polk County Sheriff", ("TX", "48453"), None),
        ("Polk County Sheriff", (None, None), None),
        ("Office of Prince George's County Police", ("MD", None), "MD"),
        ("Texas Dept. of Public Safety", ("TX", None), "TX"),
        ("Texas Dept. of Public Safety", ("LA", None), None),
        ("Kansas City Police Department", ("KS", "20209"), None),
        ("Larch Police", ("TX", "48373"), None),
        ("x" * 50_000 + " county", ("TX", "48373"), None),  # and takes no time
    ],
)
def test_a_name_tells_its_state_by_a_county_or_a_state_in_it(name: str, point: tuple[str | None, str | None], state: Any) -> None:
    assert state_in_name(name, *point) == state


def test_a_number_is_one_organization_however_it_is_spelled(tmp_path: Path) -> None:
    named = [
        record(1, agency="#105380", title=request("Larch Police, TX"), state="TX"),
        record(2, agency="105380", title=request("City of Larch (TX)"), state="TX"),
        record(3, agency="105380", title=request("City of Larch"), state="TX"),
        record(4, title=request("CITY OF LARCH, Texas"), state="OH"),
        record(5, title=request("Larch Police, TX")),  # a minority of the number's titles: an organization of its own
        record(6, title=request("City of Larch"), state="TX"),
        record(7, agency="9"),
    ]
    assert organizations(loaded(tmp_path, named)) == {
        "105380": ("agency", "105380", "CITY OF LARCH, Texas", "TX", "title", 4),
        "agency-larch-police-tx": ("agency", None, "Larch Police, TX", "TX", "title", 1),
        "agency-city-of-larch-tx-6": ("agency", None, "City of Larch", "TX", "title", 1),
        "9": ("agency", "9", None, None, "number", 1),
    }


def test_a_record_shows_the_name_of_its_agency_also_if_a_later_one_names_it(tmp_path: Path) -> None:
    numbered, named = record(1, agency="105380"), record(2, agency="105380", title=request("Larch Police"))
    agencies = "SELECT DISTINCT agency FROM records"
    assert query(loaded(tmp_path / "number", [numbered]), agencies) == [("Agency number 105380",)]
    for folder, nights in {"later": ([numbered], [named]), "at once": ([named, numbered],)}.items():
        folders = loaded(tmp_path / folder, *nights)
        assert query(folders, agencies) == [("Larch Police",)]
        assert query(folders, "SELECT rowid FROM records_fts WHERE records_fts MATCH 'larch'") == [(1,), (2,)]
        assert list(verify_search(folders.database)) == []


def test_a_renamed_provider_has_its_latest_name_and_its_page_outweighs_links(tmp_path: Path) -> None:
    named = [
        record(number, provider=name, links={name: 8142})
        for number, name in ((3, "Newer Name"), (1, "Older Name"), (2, "Older Name"))
    ]
    folders = loaded(tmp_path, named)
    assert organizations(folders) == {"8142": ("provider", "8142", "Newer Name", None, "link", 3)}
    own = (
        b"<html><head><title>x</title></head><body><h1>Own Name</h1><p>We help counties everywhere, every day.</p></body></html>"
    )
    folders = loaded(tmp_path, [page(own, url=node(8142), when=day(400))])
    assert organizations(folders) == {"8142": ("provider", "8142", "Own Name", None, "page", 3)}


def test_encounters_are_the_records_that_name_an_organization_by_fiscal_year(tmp_path: Path) -> None:
    years = [("20240102-101010-1", "A"), ("20240203-101010-2", "A"), ("20241001-101010-3", "A"), ("20240102-101010-4", "B")]
    fields = [{"Provider Reference": [name, name], "Primary Recipient Agency Name": "7"} for _, name in years]
    named = [html(one, node=at, title=title) for at, (one, (title, _)) in enumerate(zip(fields, years, strict=True), 1)]
    folders = loaded(tmp_path, [page(payload, url=node(at)) for at, payload in enumerate(named, 1)])
    found = query(folders, "SELECT organization_id, fiscal_year, encounters FROM organization_years")
    assert found == [("7", 2024, 3), ("7", 2025, 1), ("provider-a", 2024, 2), ("provider-a", 2025, 1), ("provider-b", 2024, 1)]


def test_two_numbers_of_one_name_leave_a_name_without_number_alone(tmp_path: Path) -> None:
    named = [record(number, agency=str(number + 10), title=request("Larch Police, TX")) for number in (1, 2)]
    folders = loaded(tmp_path, [*named, record(3, title=request("Larch Police, TX"))])
    assert set(organizations(folders)) == {"11", "12", "agency-larch-police-tx"}
    site = Site(folders.database)
    for key, shown in (("12", "number 12"), ("agency-larch-police-tx", "without a number")):
        assert f"Larch Police, TX (TX), {shown}" in site.get(f"/tta/records?agency_id={key}").text
    found = site.json("/tta/organizations.json?_search=12&_shape=array")
    assert [row["organization_id"] for row in found] == ["12"]


def test_people_are_no_organizations(tmp_path: Path) -> None:
    named = [
        record(1, provider="Hope Fiori", contact="Hope Fiori", title=request("hope fiori")),
        record(2, agency="hope@example.org", title=request("call 555-010-7788")),
        record(3, provider="Otto Brandt", links={"Otto Brandt": 5}, contact="Nell Marsh"),
    ]
    payload = named[2].payload.replace(b'href="/node/5"', b'href="/user/5"')
    folders = loaded(tmp_path, [*named[:2], page(payload, url=node(3), when=day(3))])
    assert organizations(folders) == {}


def rows_of(folders: Folders) -> list[dict[str, str]]:
    return list(csv.DictReader((folders.data / MATCHES).read_text(encoding="utf-8").splitlines()))


def decide(folders: Folders, decision: str) -> None:
    rows = rows_of(folders)
    with (folders.data / MATCHES).open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADING)
        writer.writeheader()
        writer.writerows(row | {"decision": decision} for row in rows)
    load(folders)


def test_people_decide_on_uncertain_matches_and_the_next_load_honors_it(tmp_path: Path) -> None:
    named = [
        record(1, agency="105380", title=request("Larch Police Department"), state="TX"),
        record(2, title=request("Larch Police Department of Texas"), state="TX"),
    ]
    folders = loaded(tmp_path, named)
    (row,) = rows_of(folders)
    ids = {"105380", "agency-larch-police-department-of-texas-tx-*"}
    assert (row["decision"], {row["organization_id"], row["other_id"]}) == ("", ids)
    decide(folders, "Match")
    assert {one: row[-1] for one, row in organizations(folders).items()} == {"105380": 2}
    load(folders)
    assert [row["decision"].lower() for row in rows_of(folders)] == ["match"]
    decide(folders, "no match")
    assert len(organizations(folders)) == 2
    with pytest.raises(TtaError, match="match, no match or empty"):
        decide(folders, "perhaps")


def test_one_decision_makes_all_of_one_name_in_one_state_one_agency_also_later(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [record(number, title=request("Larch Police"), state="TX") for number in (1, 2)])
    of_it = "agency-larch-police-tx"
    assert set(organizations(folders)) == {f"{of_it}-1", f"{of_it}-2"}
    (row,) = rows_of(folders)
    assert (row["organization_id"], row["other_id"], row["other_records"]) == (of_it, f"{of_it}-*", "2")
    decide(folders, "match")
    later = [record(3, title=request("LARCH POLICE"), state="TX"), record(4, title=request("Larch Police"), state="OH")]
    found = {one: row[-1] for one, row in organizations(loaded(tmp_path, later)).items()}
    assert found == {of_it: 3, "agency-larch-police-oh-4": 1}


def test_a_decision_undoes_a_match_by_name(tmp_path: Path) -> None:
    named = [record(1, agency="105380", title=request("Larch Police, TX")), record(2, title=request("Larch Police, TX"))]
    folders = loaded(tmp_path, named)
    assert len(organizations(folders)) == 1
    text = ",".join(HEADING) + "\nno match,105380,,,,agency-larch-police-tx,,,,\n"
    (folders.data / MATCHES).write_text(text, encoding="utf-8")
    load(folders)
    assert len(organizations(folders)) == 2


def test_an_organization_has_a_page_with_its_records_and_milestones(tmp_path: Path) -> None:
    milestones = [{"Milestone Title": "Kick-off <call>", "Milestone Date": "2024-03-01"}]
    fields: dict[str, Any] = {"TTA Title": request("Larch Police & Co"), "TTA Program Area": ["Reentry"]}
    fields["Event Location Geo"] = POINTS["TX"]
    shown = [html({**fields, "County": county}, node=1, milestones=milestones) for county in ("Old", "Travis")]
    captures = [page(one, url=node(1), when=day(at)) for at, one in enumerate(shown)]
    site = Site(loaded(tmp_path, [*captures, record(2, agency="105380")]).database)
    text = site.get("/tta/organizations/agency-larch-police-and-county-tx-1").text
    expected = (
        "Larch Police &amp; Co",
        "Kick-off &lt;call&gt;",
        "Reentry",
        "Polk County, TX",
        "<del>Old</del>",
        "/tta/records/1",
    )
    assert [part for part in expected if part not in text] == []
    assert "Agency number 105380, name not captured" in site.get("/tta/organizations/105380").text
    assert "/tta/organizations/105380" in site.get("/tta/records/2").text
    assert site.get("/tta/organizations/105380.json").status_code == 200
    assert site.get("/tta/organizations/none").status_code == 404


def test_similar_help_of_different_providers_to_one_agency_is_found(tmp_path: Path) -> None:
    body = "The county asked for help with its reentry program and for training of its staff in the mapping of cases."
    captures = []
    for number, (agency, provider, year) in enumerate(("7A3", "7B4", "7C8", "8B4", "7A4"), 1):
        fields: dict[str, Any] = {"Primary Recipient Agency Name": agency, "Provider Reference": f"Institute {provider}"}
        fields["Event Location Geo"] = "POINT (-71.05 42.35)" if number == 1 else "POINT (-97.74 30.27)"
        payload = html(fields, node=number, body=body, title=f"202{year}0129-145639-07")
        captures.append(page(payload, url=node(number), when=day(number)))
    site = Site(loaded(tmp_path, captures).database)
    both = {("2", "1", 1), ("5", "2", 1)}
    for state, expected in (("", both), ("TX", both), ("Massachusetts", set())):
        found = site.json(f"/tta/overlaps.json?_shape=array&state={state}")
        assert {(row["record_id"], row["other_record_id"], row["same_text"]) for row in found} == expected
