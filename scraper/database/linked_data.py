"""Describes the data and its records for search engines and catalogs: JSON-LD in the words of schema.org and DCAT."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from scraper.database.about import CAVEAT, LICENSE_URL, PUBLISHER, SOURCE_URL, SUMMARY, TITLE

CONTEXT = {"@vocab": "https://schema.org/", "dcat": "http://www.w3.org/ns/dcat#"}
_DATASET = ["Dataset", "dcat:Dataset"]


def dataset(first: str | None, last: str | None, files: Iterable[tuple[str, str, int]] = ()) -> dict[str, Any]:
    """The dataset, captured from `first` to `last` (ISO 8601). `files`: address, media type and bytes of each download."""
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": _DATASET,
        "name": TITLE,
        "description": f"{SUMMARY} {CAVEAT}",
        "license": LICENSE_URL,
        "isBasedOn": SOURCE_URL,
        "creator": {"@type": "Organization", "name": PUBLISHER},
        "keywords": ["criminal justice", "training and technical assistance", "web archives", PUBLISHER],
        "spatialCoverage": "United States",
        "isAccessibleForFree": True,
    }
    if first and last:
        found |= {"temporalCoverage": f"{first[:10]}/{last[:10]}", "version": last[:10], "dateModified": last}
    shown = [
        {
            "@type": ["DataDownload", "dcat:Distribution"],
            "contentUrl": address,
            "encodingFormat": media_type,
            "contentSize": f"{size} B",
            "dcat:downloadURL": {"@id": address},
            "dcat:mediaType": media_type,
            "dcat:byteSize": size,
        }
        for address, media_type, size in files
    ]
    return found | ({"distribution": shown, "dcat:distribution": shown} if shown else {})


def record(row: Mapping[str, Any], captures: Iterable[str]) -> dict[str, Any]:
    """A record, a row of `records`. `captures`: addresses at which its captures can be looked at."""
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "CreativeWork",
        "identifier": [one for one in (row["reference"], row["record_id"]) if one],
        "name": row["tta_title"] or row["short_name"] or row["title"],
        "dateCreated": row["submitted_on"],
        "about": json.loads(row["program_areas"] or "[]"),
        "isBasedOn": list(captures),
        "sameAs": row["url"],
        "isPartOf": {"@type": _DATASET, "name": TITLE},
    }
    if row["latitude"] is not None and row["longitude"] is not None:
        point = {"@type": "GeoCoordinates", "latitude": row["latitude"], "longitude": row["longitude"]}
        found["spatialCoverage"] = {"@type": "Place", "name": row["place_county"] or row["place_state"], "geo": point}
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def script(content: dict[str, Any]) -> str:
    """The element that holds it in a page; no text in it can end the element."""
    text = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'
