"""Precision and recall of what is derived: columns of made-up records whose truth is known, organizations and families.

`make quality` prints them; `test_quality` holds them above their floors, and the dictionary states the precision of each rule.
"""

import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from scraper.database.counties import REGIONS, STATES
from scraper.database.derived import RULES
from scraper.database.places import atlas
from tests.dbkit import day, html, loaded, node, page, query
from tests.derivedkit import measure_families, measure_organizations
from tests.pagegen.words import PLACES

AGENCIES = (
    "Larch Police Department",
    "Alder County Sheriff's Office (TX)",
    "Rowan, City of",
    "Hazel A&M - North Campus Police",
    "HPD (MA)",
)
KINDS = {
    "Training - In Person": "in person",
    "Training - Distance": "remote",
    "Technical Assistance - On-site": "in person",
    "Technical Assistance (Remote)": "remote",
    "Peer-to-Peer Visit": None,
    "Webinar": "remote",
    "Training - Hybrid": "hybrid",
}
COSTS = {
    "Under $2,500": "up to $2,500",
    "$5,000 - $9,999": "$5,000 to $9,999",
    "$50,000 or more": "$50,000 and more",
    "unknown": None,
}
STATE_CODES = {name: (code, postal) for code, (name, postal) in STATES.items()}


def invented(rng: Random) -> tuple[dict[str, Any], list[date], str, dict[str, Any]]:
    """Fields of a page, dates of its milestones, its reference, and the derived columns that follow."""
    submitted = date(2017, 1, 1) + timedelta(days=rng.randint(0, 3000))
    requested, start = submitted - timedelta(days=rng.randint(0, 60)), submitted + timedelta(days=rng.randint(-20, 200))
    last, kind, cost, place = (
        start + timedelta(days=rng.choice((0, 0, 2))),
        rng.choice(list(KINDS)),
        rng.choice(list(COSTS)),
        rng.choice(PLACES),
    )
    due = [start + timedelta(days=rng.randint(0, 90)) for _ in range(rng.choice((0, 1, 3)))]
    is_request, has_event, has_point = (rng.random() < share for share in (0.6, 0.7, 0.7))
    agency = rng.choice(AGENCIES)
    forms = ("REQ: {0} - {1} ({2})", "req: {0:%m/%d/%Y} – {1} ({2})", "REQ {0:%m/%d/%y} - {1} [{2}]", "REQ_{0:%Y%m%d}_{1} ({2}).")
    forms += ("Request: {0:%b %d, %Y} — {1} ({2})", "RE: REQ: {0:%d %B %Y}: {1} ({2}) - UPDATED", "REQ # {0:%y-%m-%d}, {1} ({2})")
    own = rng.choice(forms).format(requested, agency, kind)
    fields: dict[str, Any] = {
        "TTA Title": own if is_request else f"Help for {agency}",
        "TTA Estimated Costs": cost,
        "County": place.county,
    }
    fields |= {} if is_request and rng.random() < 0.5 else {"Category": kind}
    fields |= {"TTA Event Date": f"{start:%a, %m/%d/%Y} - 23:30 - {last:%a, %m/%d/%Y} - 23:45"} if has_event else {}
    fields |= {"Event Location Geo": f"POINT ({place.longitude} {place.latitude})"} if has_point else {}
    (code,) = atlas().names.codes(f"{place.county}, {place.state}") if has_point else (None,)
    state, postal = STATE_CODES[place.state]
    region, division = REGIONS[state]
    of_place = {"place_state": place.state, "place_state_code": postal, "place_county": place.county, "place_county_code": code}
    of_place |= {"place_name": f"{place.county}, {postal}", "region": region, "division": division, "county_agrees": 1}
    of_place |= {"place_county_code_2023": code} if state != "09" else {}
    truth: dict[str, Any] = {
        "submitted_on": str(submitted),
        "submitted_year": submitted.year,
        "tta_type": kind,
        "delivery_mode": KINDS[kind],
    }
    truth |= {"cost_range": COSTS[cost], "milestone_count": len(due) or None} | (of_place if has_point else {})
    if has_event:
        truth |= {
            "event_on": str(start),
            "event_fiscal_year": start.year + (start.month >= 10),
            "event_days": (last - start).days + 1,
        }
    if is_request:
        truth |= {"request_date": str(requested), "days_to_event": (start - requested).days if has_event else None}
        truth |= {"days_to_last_milestone": (max(due) - requested).days} if due else {}
    return fields, due, f"{submitted:%Y%m%d}-145639-07", truth


def columns(folder: Path, seed: int = 5, count: int = 400) -> dict[str, float]:
    """Precision and recall of each rule's column, in percent."""
    rng, captures, truths = Random(seed), [], {}
    for number in range(1, count + 1):
        fields, due, title, truths[str(number)] = invented(rng)
        milestones = [{"Milestone Title": "Call", "Milestone Date": f"{one:%m/%d/%Y}"} for one in due]
        captures.append(
            page(html(fields, node=number, title=title, milestones=milestones), url=node(number), when=day(number % 300))
        )
    names = [name for name, rule in RULES.items() if "rule" in rule]
    true, read, both = Counter[str](), Counter[str](), Counter[str]()
    for record_id, *values in query(loaded(folder, captures), f"SELECT record_id, {', '.join(names)} FROM records"):
        for name, value in zip(names, values, strict=True):
            wanted = truths[record_id].get(name)
            true[name] += wanted is not None
            read[name] += value is not None
            both[name] += value is not None and value == wanted
    figures = {f"{name}, precision": 100 * both[name] / read[name] for name in names}
    return figures | {f"{name}, recall": 100 * both[name] / true[name] for name in names}


def figures() -> dict[str, float]:
    found: dict[str, float] = {}
    for measure in (columns, measure_organizations, measure_families):
        with tempfile.TemporaryDirectory() as folder:
            found |= measure(Path(folder))
    return {f"derived, {name}": round(value, 2) for name, value in sorted(found.items())}
