"""Agencies and providers: made-up ones, spelled in many ways, whose truth is known."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scraper.database.load import load
from scraper.database.organizations import HEADING, MATCHES, key_of_name
from scraper.errors import TtaError
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query
from tests.webkit import Site

POINTS = {"MA": "POINT (-71.0464339 42.3458497)", "TX": "POINT (-97.74 30.27)", "OH": "POINT (-82.99 39.96)"}
Link = tuple[str, int]


def linked(payload: bytes, links: dict[str, int]) -> bytes:
    """The page with its values `links` turned into links to nodes."""
    for text, number in links.items():
        payload = payload.replace(f">{text}<".encode(), f'><a href="/node/{number}">{text}</a><'.encode())
    return payload


def request(agency: str, kind: str = "Training - In Person") -> str:
    return f"REQ: 2024-02-14 - {agency} ({kind})"


def record(number: int, *, links: dict[str, int] | None = None, **fields: Any) -> Any:
    labels = {
        "agency": "Primary Recipient Agency Name",
        "provider": "Provider Reference",
        "title": "TTA Title",
        "contact": "Contact Name",
    }
    state = fields.pop("state", None)
    own = {labels[name]: value for name, value in fields.items()} | ({"Event Location Geo": POINTS[state]} if state else {})
    return page(linked(html(own, node=number), links or {}), url=node(number), when=day(number % 500))


def organizations(folders: Folders) -> dict[str, tuple[Any, ...]]:
    rows = query(folders, "SELECT organization_id, kind, portal_id, name, state_code, how, records FROM organizations")
    return {row[0]: row[1:] for row in rows}


def spellings(rng: Random, name: str) -> list[str]:
    """Five spellings that mean the same to a reader."""
    return [
        name,
        name.upper(),
        name.replace("Department", "Dept."),
        f"The {name}",
        name.replace(" and ", " & ").replace("'", "’"),
    ]


def make_truth(seed: int) -> tuple[list[Any], dict[int, tuple[str, str | None]]]:
    """Records, and of each the true agency and provider: names that two states have, renamed providers, numbers without names."""
    rng = Random(seed)
    places = ["Larch", "Alder", "Rowan", "Hazel", "Aspen", "Linden"]
    kinds = [
        "Police Department",
        "County Sheriff's Office",
        "County District Attorney",
        "Department of Youth and Family Services",
    ]
    agencies = [(f"{place} {kind}", state) for place in places for kind in kinds for state in ("MA", "TX")]
    number = {one: 105_000 + index for index, one in enumerate(agencies) if index % 3}
    providers = {
        7001: ["Example Institute", "Example Institute for Justice"],
        7002: ["Center for Sample Policy"],
        7003: ["Test Bureau, Inc."],
    }
    records, truth = [], {}
    for index in range(600):
        agency = rng.choice(agencies)
        spelled = rng.choice(spellings(rng, agency[0])) + (f", {agency[1]}" if rng.random() < 0.2 else "")
        provider = rng.choice(list(providers))
        name = providers[provider][-1 if index > 300 else 0]
        fields: dict[str, Any] = {"state": agency[1], "provider": name, "links": {name: provider} if rng.random() < 0.8 else {}}
        has_title = agency not in number or rng.random() < 0.7
        if has_title:
            fields["title"] = request(spelled)
        if agency in number and (not has_title or rng.random() < 0.7):
            fields["agency"] = str(number[agency])
        records.append(record(1000 + index, **fields))
        truth[1000 + index] = (str(agency), str(provider))
    return records, truth


def pairs(groups: dict[Any, list[int]]) -> set[tuple[int, int]]:
    return {pair for members in groups.values() for pair in combinations(sorted(members), 2)}


def measure(folder: Path, seed: int = 1) -> dict[str, float]:
    """Precision and recall, in percent, of pairs of records that have one agency, or one provider."""
    records, truth = make_truth(seed)
    folders = loaded(folder, records)
    found = {int(row[0]): row[1:] for row in query(folders, "SELECT record_id, agency_id, provider_id FROM records")}
    figures = {}
    for place, kind in enumerate(("agency_id", "provider_id")):
        true, read = defaultdict(list), defaultdict(list)
        for number, names in truth.items():
            true[names[place]].append(number)
            if found[number][place] is not None:
                read[found[number][place]].append(number)
        both = len(pairs(true) & pairs(read))
        figures |= {f"{kind}, precision": 100 * both / len(pairs(read)), f"{kind}, recall": 100 * both / len(pairs(true))}
    return figures


def test_no_two_organizations_are_merged_and_most_spellings_are_found(tmp_path: Path) -> None:
    figures = measure(tmp_path)
    assert (figures["agency_id, precision"], figures["provider_id, precision"]) == (100, 100)
    assert figures["agency_id, recall"] > 95
    assert figures["provider_id, recall"] > 95


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Larch Co. Police Dept., TX", "LARCH COUNTY PD (TX)"),
        ("The Alder Sheriff’s Office, Texas", "Alder Sheriffs Office - tx"),
        ("Peña & Sons, Inc.", "Pena and Sons"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert key_of_name(one) == key_of_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Larch Police, TX", "Larch Police, OH"),
        ("Larch County Police", "Larch Police"),
        ("Larch Police Department", "Larch Fire Department"),
        ("Larch District 1", "Larch District 11"),
    ],
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert key_of_name(one) != key_of_name(other)


def test_a_number_is_one_organization_however_it_is_spelled(tmp_path: Path) -> None:
    named = [
        record(1, agency="#105380", title=request("Larch Police"), state="TX"),
        record(2, agency="105380", title=request("City of Larch"), state="TX"),
        record(3, agency="105380", title=request("City of Larch"), state="TX"),
        record(4, title=request("CITY OF LARCH"), state="TX"),
        record(5, title=request("Larch Police"), state="TX"),  # a minority of the number's titles: an organization of its own
        record(6, title=request("City of Larch"), state="OH"),
        record(7, agency="9"),
    ]
    assert organizations(loaded(tmp_path, named)) == {
        "105380": ("agency", "105380", "City of Larch", "TX", "title", 4),
        "agency-larch-police-tx": ("agency", None, "Larch Police", "TX", "title", 1),
        "agency-city-of-larch-oh": ("agency", None, "City of Larch", "OH", "title", 1),
        "9": ("agency", "9", None, None, "number", 1),
    }


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


def test_two_numbers_of_one_name_leave_a_name_without_number_alone(tmp_path: Path) -> None:
    named = [record(number, agency=str(number), title=request("Larch Police"), state="TX") for number in (11, 12)]
    folders = loaded(tmp_path, [*named, record(13, title=request("Larch Police"), state="TX")])
    assert set(organizations(folders)) == {"11", "12", "agency-larch-police-tx"}


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
    assert (row["decision"], {row["organization_id"], row["other_id"]}) == (
        "",
        {"105380", "agency-larch-police-department-of-texas-tx"},
    )
    decide(folders, "Match")
    assert {one: row[-1] for one, row in organizations(folders).items()} == {"105380": 2}
    load(folders)
    assert [row["decision"].lower() for row in rows_of(folders)] == ["match"]
    decide(folders, "no match")
    assert len(organizations(folders)) == 2
    with pytest.raises(TtaError, match="match, no match or empty"):
        decide(folders, "perhaps")


def test_a_decision_undoes_a_match_by_name(tmp_path: Path) -> None:
    named = [
        record(1, agency="105380", title=request("Larch Police"), state="TX"),
        record(2, title=request("Larch Police"), state="TX"),
    ]
    folders = loaded(tmp_path, named)
    assert len(organizations(folders)) == 1
    text = ",".join(HEADING) + "\nno match,105380,,,,agency-larch-police-tx,,,,\n"
    (folders.data / MATCHES).write_text(text, encoding="utf-8")
    load(folders)
    assert len(organizations(folders)) == 2


def test_the_order_of_loads_makes_no_difference(tmp_path: Path) -> None:
    records, _ = make_truth(2)
    records = records[:60]
    one = loaded(tmp_path / "one", records)
    other = loaded(tmp_path / "other", records[40:], records[:10], records[10:40])
    for sql in ("SELECT * FROM organizations ORDER BY 1", "SELECT record_id, agency_id, provider_id FROM records ORDER BY 1"):
        assert query(one, sql) == query(other, sql)


def test_an_organization_has_a_page_with_its_records_and_milestones(tmp_path: Path) -> None:
    milestones = [{"Milestone Title": "Kick-off <call>", "Milestone Date": "2024-03-01"}]
    fields: dict[str, Any] = {
        "TTA Title": request("Larch Police & Co"),
        "TTA Program Area": ["Reentry"],
        "Event Location Geo": POINTS["TX"],
    }
    later = page(html({**fields, "County": "Travis"}, node=1, milestones=milestones), url=node(1), when=day(9))
    first = page(html({**fields, "County": "Old"}, node=1, milestones=milestones), url=node(1), when=day(1))
    site = Site(loaded(tmp_path, [first, later, record(2, agency="105380")]).database)
    text = site.get("/tta/organizations/agency-larch-police-and-county-tx").text
    for part in (
        "Larch Police &amp; Co",
        "Kick-off &lt;call&gt;",
        "Reentry",
        "Travis County, TX",
        "<del>Old</del>",
        "/tta/records/1",
    ):
        assert part in text, part
    assert "Name not captured" in site.get("/tta/organizations/105380").text
    assert "/tta/organizations/105380" in site.get("/tta/records/2").text
    assert site.get("/tta/organizations/105380.json").status_code == 200
    assert site.get("/tta/organizations/none").status_code == 404


def test_similar_help_of_different_providers_to_one_agency_is_found(tmp_path: Path) -> None:
    body = "The county asked for help with its reentry program and for training of its staff in the mapping of cases."
    captures = []
    for number, (agency, provider, year) in enumerate(
        [("7", "A", 2023), ("7", "B", 2024), ("7", "C", 2028), ("8", "B", 2024), ("7", "A", 2024)], 1
    ):
        fields: dict[str, Any] = {"Primary Recipient Agency Name": agency, "Provider Reference": f"Institute {provider}"}
        title = f"{year}0129-145639-07"
        captures.append(page(html(fields, node=number, body=body, title=title), url=node(number), when=day(number)))
    site = Site(loaded(tmp_path, captures).database)
    found = site.json("/tta/overlaps.json?_shape=array&state=")
    assert {(row["record_id"], row["other_record_id"], row["same_text"]) for row in found} == {("2", "1", 1), ("5", "2", 1)}
