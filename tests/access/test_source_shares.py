"""What an address may have of a source, by default and as set."""

from __future__ import annotations

import pytest

from textstream.access.caller import Caller
from textstream.access.source_shares import SourceShares

HERE = ["", "127.0.0.1", "127.8.0.1", "::1"]
ELSEWHERE = ["192.0.2.7", "2001:db8::/64", "10.0.0.1"]


@pytest.mark.parametrize(("slots", "running"), [(1, 1), (2, 1), (4, 3), (0, 0)])
@pytest.mark.parametrize("address", HERE)
def test_on_loopback_one_slot_is_left_to_others(address: str, slots: int, running: int) -> None:
    assert SourceShares().running_of(Caller(address), slots) == running
    assert SourceShares().waiting_of(Caller(address)) == 64


@pytest.mark.parametrize("address", ELSEWHERE)
def test_elsewhere_they_are_small(address: str) -> None:
    assert SourceShares().running_of(Caller(address), 4) == 2
    assert SourceShares().waiting_of(Caller(address)) == 4


@pytest.mark.parametrize("address", [*HERE, *ELSEWHERE])
def test_what_is_set_counts_for_all(address: str) -> None:
    assert SourceShares(5, 0).running_of(Caller(address), 4) == 5
    assert SourceShares(0, 7).running_of(Caller(address), 4) == 0
    assert SourceShares(5, 0).waiting_of(Caller(address)) == 0
    assert SourceShares(0, 7).waiting_of(Caller(address)) == 7
