"""An AI assistant asks `tta mcp`, and every answer has its captures and caveats."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from scraper.database.about import CAVEAT
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    fields: dict[str, str | list[str]] = {"County": "Kings", "TTA Point of Contact": "Zeph Quill"}
    captures = [
        page(html({**fields, "Status of Deliverable": state}), url=node(1), when=day(at))
        for state, at in (("Open", 0), ("Done", 9))
    ]
    return loaded(
        tmp_path_factory.mktemp("mcp") / "data", [*captures, page(html({"County": "Queens"}), url=node(2), when=day(1))]
    )


def test_each_tool_answers_with_captures_and_caveats_and_without_contacts(folders: Folders) -> None:
    from mcp import StdioServerParameters  # here, as it takes a second
    from mcp.client import Client

    async def asked() -> tuple[set[str], list[dict[str, Any]], str]:
        arguments = ["-c", "from scraper.cli import main; main()", "--data", str(folders.data), "mcp"]
        async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            answers = []
            for tool, values in (
                ("find", {"words": "king*"}),
                ("record", {"record": "1"}),
                ("why", {"record": "1", "field": "county"}),
                ("coverage", {}),
                ("why", {"record": "1", "field": "submitted_by"}),
            ):
                answers.append(json.loads((await client.call_tool(tool, values)).content[0].text))  # type: ignore[union-attr]
            refused = await client.call_tool("record", {"record": "77"})
            return names, answers, refused.content[0].text  # type: ignore[union-attr]

    names, (found, record, why, coverage, author), refused = asyncio.run(asyncio.wait_for(asked(), 60))
    assert names == {"find", "record", "why", "coverage"} and "give a node number" in refused
    assert [one["record_id"] for one in found["records"]] == ["1"] and len(found["sources"]) == 2
    assert record["values"]["county"] == "Kings" and [one["new_value"] for one in record["changes"]] == ["Done"]
    assert why["reason"]["origins"][0]["capture"]["captured_at"].startswith("2025-01-10") and len(why["sources"]) == 2
    assert (coverage["records"], coverage["captures"], coverage["last_captured_at"]) == (2, 3, "2025-01-10T12:00:00Z")
    assert all(one["caveats"] == CAVEAT for one in (found, record, why, coverage))
    given = json.dumps([found, record, why, coverage, author])
    assert "Quill" not in given and "Fiori" not in given, "the archive's pages name both"
