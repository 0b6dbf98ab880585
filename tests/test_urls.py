"""Addresses: node numbers, wrapped pages, capture times, absolute links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.urls import absolute, archive_time, node_id, page_address, without_archive
from tests.tables import read_table

CASES = read_table("tables/urls.toml")
HOST = "https://bjatta.bja.ojp.gov"


NODE_5 = f"""\
{HOST}/node/5 http://rp.bjatta.bja.ojp.gov:80/node/5/ {HOST}/node/5?page=1#top {HOST}/NODE/5 {HOST}//node//5 {HOST}/%6eode/%35
{HOST}/es/node/5 {HOST}/pt-br/node/5 {HOST}/index.php/node/5 {HOST}/?q=node/5 {HOST}/index.php?q=node/5
https://web.archive.org/web/20250131000000id_/{HOST}/node/5
https://web.archive.org/web/2025/https://web.archive.org/web/2024im_/{HOST}/node/5"""
NO_NODE = f"""\
{HOST}/ {HOST}/node/5/edit {HOST}/node/5/revisions/7/view {HOST}/node/add {HOST}/node/0 {HOST}/node/99999999999999999999
{HOST}/media/blog/node/5 {HOST}/user/login?destination=node/5 https://[bad/node/5 {HOST}/node/٥"""


@pytest.mark.parametrize("url", NODE_5.split())
def test_spellings_of_one_node(url: str) -> None:
    assert node_id(url) == 5


@pytest.mark.parametrize("url", [None, "", *NO_NODE.split()])
def test_what_is_no_node_page(url: str | None) -> None:
    assert node_id(url) is None


@pytest.mark.parametrize(("href", "expected"), CASES["links"])
def test_links_are_absolute_on_the_pages_own_host(href: str | None, expected: str | None) -> None:
    assert absolute(href, f"{HOST}/node/5") == expected


def test_a_link_resolves_against_the_pages_own_host_and_stays_as_it_is_where_the_page_has_no_address() -> None:
    assert absolute("/node/7", f"https://web.archive.org/web/2025/{HOST}/node/5") == f"{HOST}/node/7"
    assert absolute("/node/7", None) == "/node/7"


@pytest.mark.parametrize(("wrapped", "time"), CASES["wrapped"])
def test_a_wrapped_address_is_the_pages_own_with_the_archives_time(wrapped: str, time: str | None) -> None:
    url = wrapped.replace("{}", f"{HOST}/node/5").replace("{quoted}", "https%3A%2F%2Fbjatta.bja.ojp.gov%2Fnode%2F5")
    assert page_address(url).removeprefix("http://").removeprefix("https://") == "bjatta.bja.ojp.gov/node/5"
    assert (node_id(url), archive_time(url)) == (5, time)


NO_WRAPPER = f"""\
https://social.example/sharer.php?u={HOST}/node/5 https://social.example/intent?text=x&url={HOST}/node/5
{HOST}/user/login?destination={HOST}/node/5 {HOST}/leaving/https://other.example/node/5 mailto:?body={HOST}/node/5
https://web.archive.org/web/2025*/{HOST}/node/5 https://web.archive.org/web/timemap/link/{HOST}/node/5
{HOST}/files/20250131000000/report.pdf {HOST}/files/2024/report.pdf"""


@pytest.mark.parametrize("url", NO_WRAPPER.split())
def test_an_address_that_only_mentions_another_is_no_wrapper(url: str) -> None:
    assert (page_address(url), without_archive(url), archive_time(url)) == (url, url, None)


def test_a_link_to_a_translation_or_print_version_stays_as_it_is() -> None:
    for link in (f"https://translate.google.com/translate?u={HOST}/node/5", f"{HOST}/node/5/print"):
        assert absolute(link, f"{HOST}/node/5") == link


@given(
    st.lists(
        st.sampled_from(["https://", "http%3A%2F%2F", "web/2025/", "a.b/", "?url=", "cache:", "//", ":", "%", "/", "x"]),
        max_size=40,
    )
)
def test_no_address_makes_a_reader_raise(parts: list[str]) -> None:
    url = "".join(parts)
    for read in (page_address, without_archive, archive_time, node_id):
        read(url)
    absolute(url, url)
