"""The errors, their codes, and the tree in the docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from textstream import errors
from textstream.errors import (
    OffsetGone,
    RateLimited,
    StreamFailed,
    TextStreamError,
    TooManyStreams,
)


def all_errors(base: type[TextStreamError] = TextStreamError) -> Iterator[type[TextStreamError]]:
    for error in base.__subclasses__():
        if error.__module__ == errors.__name__:
            yield error
            yield from all_errors(error)


WIRE_CODES = {
    "invalid_request": False, "unknown_event": False, "unknown_source": False,
    "unknown_stream": False, "offset_gone": False,
    "source_unavailable": False, "source_failed": True,
    "too_many_streams": True, "rate_limited": True, "unauthorized": False, "forbidden": False,
    "shutting_down": True, "unavailable": True, "unreachable": True,
}  # fmt: skip
"""Each code, and whether the same request may succeed later. Clients rely on both."""


def test_the_codes_are_the_protocol() -> None:
    found = {e.code: e.retryable for e in all_errors() if e is not StreamFailed}
    assert found == WIRE_CODES


def test_the_docstring_draws_every_error_with_its_code() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +(\S+)", errors.__doc__ or ""))
    assert drawn.pop("StreamFailed") == "(the"
    assert drawn == {e.__name__: e.code for e in all_errors() if e is not StreamFailed}


@pytest.mark.parametrize(
    "error", [e for e in all_errors() if e not in {OffsetGone, StreamFailed}], ids=str
)
def test_on_the_wire(error: type[TextStreamError]) -> None:
    raised = error("Do this.")
    assert str(raised) == raised.message == "Do this."
    assert raised.to_wire() == {
        "code": error.code, "message": "Do this.", "retryable": error.retryable,
    }  # fmt: skip


def test_a_gone_offset_says_what_is_left() -> None:
    assert OffsetGone("Gone.", first=7).to_wire()["first"] == 7


def test_the_clients_error_carries_the_servers_code() -> None:
    failed = StreamFailed("source_failed", "It broke.", retryable=True)
    assert failed.to_wire() == {"code": "source_failed", "message": "It broke.", "retryable": True}
    assert StreamFailed("x", "y").retryable is False


def test_a_limit_says_whose_it_is_and_when_to_ask_again() -> None:
    error = TooManyStreams("Too many.", retry_after=5.0, scope="address")
    assert error.to_wire() == {
        "code": "too_many_streams",
        "message": "Too many.",
        "retryable": True,
        "retry_after": 5.0,
        "scope": "address",
    }
    assert RateLimited("Too often.", retry_after=0.0).to_wire()["retry_after"] == 0.0
    assert set(RateLimited("Too often.").to_wire()) == {"code", "message", "retryable"}
