"""Which record a capture belongs to, as laws: the answer follows from what is known and never from its order."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.database.assign_records import Marks, address_key, identify

REFERENCES = [f"20250129-14563{n}-07" for n in range(4)]
ADDRESSES = [f"bjatta.bja.ojp.gov/tta/{n}" for n in range(4)]
marks = st.builds(Marks, st.sampled_from([None, *REFERENCES]), st.sampled_from([None, *ADDRESSES])).filter(any)
nodes_of = st.dictionaries(st.sampled_from(REFERENCES + ADDRESSES), st.integers(1, 9), max_size=4)


def grouped(captures: list[Marks], nodes: dict[str, int]) -> dict[Marks, str]:
    return identify(captures, nodes.get, nodes.get)


@given(st.lists(marks, max_size=8), nodes_of, st.randoms())
def test_order_makes_no_difference(captures: list[Marks], nodes: dict[str, int], chance: object) -> None:
    shuffled = list(captures)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert grouped(captures, nodes) == grouped(shuffled, nodes) == grouped(captures + shuffled, nodes)


@given(st.lists(marks, max_size=8), nodes_of)
def test_a_reference_of_a_node_leads_to_it(captures: list[Marks], nodes: dict[str, int]) -> None:
    for one, record_id in grouped(captures, nodes).items():
        if one.reference in nodes:
            assert record_id == str(nodes[one.reference])
        elif one.address in nodes:
            assert record_id == str(nodes[one.address])


@given(st.lists(marks, max_size=8))
def test_without_nodes_what_shares_a_mark_is_one_record(captures: list[Marks]) -> None:
    records = grouped(captures, {})
    for one in captures:
        for other in captures:
            if (one.reference and one.reference == other.reference) or (one.address and one.address == other.address):
                assert records[one] == records[other]
    for record_id in records.values():
        assert record_id in REFERENCES or record_id.startswith("url:")


@given(st.lists(marks, max_size=8))
def test_every_record_is_named_for_one_of_its_own_marks(captures: list[Marks]) -> None:
    for record_id in set((records := grouped(captures, {})).values()):
        own = [one for one in captures if records[one] == record_id]
        digests = {f"url:{sha256(one.address.encode()).hexdigest()[:16]}" for one in own if one.address}
        names = {one.reference for one in own} | digests
        assert record_id in names


@given(st.lists(marks, min_size=1, max_size=8), nodes_of, st.integers(1, 9))
def test_a_node_that_becomes_known_takes_its_reference_along(captures: list[Marks], nodes: dict[str, int], node: int) -> None:
    reference = next((one.reference for one in captures if one.reference), None)
    if reference:
        records = grouped(captures, nodes | {reference: node})
        assert all(records[one] == str(node) for one in captures if one.reference == reference)


def test_through_another_capture() -> None:
    via = [Marks(REFERENCES[0], None), Marks(REFERENCES[0], ADDRESSES[0]), Marks(None, ADDRESSES[0])]
    assert set(grouped(via, {ADDRESSES[0]: 5}).values()) == {"5"}


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://www.bjatta.bja.ojp.gov/tta/A/", "bjatta.bja.ojp.gov/tta/A"),
        ("http://BJATTA.bja.ojp.gov:80/tta/A#top", "bjatta.bja.ojp.gov/tta/A"),
        ("https://web.archive.org/web/20250131000000id_/https://bjatta.bja.ojp.gov/tta/A", "bjatta.bja.ojp.gov/tta/A"),
        ("https://bjatta.bja.ojp.gov/tta/A?b=1", "bjatta.bja.ojp.gov/tta/A?b=1"),
        ("https://rp.bjatta.bja.ojp.gov/", "rp.bjatta.bja.ojp.gov"),
        ("https://www2.bjatta.bja.ojp.gov:443/tta/A", "bjatta.bja.ojp.gov/tta/A"),
        ("https://[bad", "https://[bad"),
        ("/tta/A", "/tta/A"),
        ("", None),
        (None, None),
    ],
)
def test_addresses_of_one_page_are_one(url: str | None, plain: str | None) -> None:
    assert address_key(url) == plain
