"""What our parsers take h11 takes too, and understands the same."""

from __future__ import annotations

import random

import h11
import pytest

from tests.transport.http.against_h11 import judge, read_h11, run
from tests.transport.http.heads import REFUSED, SERVED
from tests.transport.http.mutations import WHOLE
from tests.transport.http.stricter import STRICTER


@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests_are_understood_alike(seed: int) -> None:
    verdicts = run(seed, 1_000)
    # Or it would show nothing: enough of them are taken, refused, and not whole.
    assert verdicts["both take"] > 100, verdicts
    assert verdicts["we refuse, h11 refuses"] > 100, verdicts
    assert verdicts["we wait, h11 waits"] > 20, verdicts


@pytest.mark.parametrize("data", WHOLE)
def test_before_the_mutations_both_take_them(data: bytes) -> None:
    assert judge(random.Random(0), data) == "both take"


@pytest.mark.parametrize("name", sorted(set(SERVED) - {"the longest body"}))
def test_what_is_served_h11_takes(name: str) -> None:
    verdict = judge(random.Random(0), SERVED[name][0])
    assert verdict in {"both take", "we wait, h11 waits"}  # for the body


def test_what_is_refused_h11_refuses_or_ours_is_stricter() -> None:
    """And each way in which it is stricter is one: h11 does take what is refused for it."""
    five = b"0\r\n\r\n"  # bytes of a body, and one in chunks as well
    verdicts = {
        name: judge(random.Random(0), data + five)
        for name, (data, _, _) in REFUSED.items()
        if name != "something behind the end"  # which is the next request's
    }
    assert {name for name, verdict in verdicts.items() if not verdict.startswith("we ")} == set()
    of_bodies = {"a chunk's size", "long extensions", "trailers", "a length without sense"}
    shown = {f"we are stricter: {name}" for name in set(STRICTER) - of_bodies}
    assert shown <= set(verdicts.values())


@pytest.mark.parametrize("data", WHOLE)
def test_nothing_that_both_take_is_explained(data: bytes) -> None:
    _, taken = read_h11(data)
    assert [name for name, holds in STRICTER.items() if holds(taken)] == []


def test_h11_is_as_strict_as_it_was() -> None:
    """The judge itself: it refuses what nobody should take."""
    for name in ("a space before the colon", "two Hosts", "a length with a sign"):
        with pytest.raises(h11.RemoteProtocolError):
            read_h11(REFUSED[name][0])
