"""Killed loads and refreshes, and full disks, leave the old state or the new; `make campaigns` does this some hundred times."""

from __future__ import annotations

from tests.campaigns.pull_plug import campaign


def test_what_is_killed_or_finds_no_room_leaves_the_old_state_or_the_new() -> None:
    counts = campaign(kills=5, full=2, seed=1)
    assert (counts.kills.total(), counts.full.total()) >= (5, 2)
