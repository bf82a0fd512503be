"""Hosts and ports as people write them."""

from __future__ import annotations

import pytest

from textstream.chaos.address import format_address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:5002", ("127.0.0.1", 5002)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_an_address(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert format_address(address) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "5002", ":5002", "host", "host:", "host:x", "host:65536", "host:-1", "host:+1"),
        *("host:٣", "::1:5002", "[::1]", "[]:1", "[host]:1", "http://127.0.0.1:5002", "a b:1"),
        "h:000001",
    ],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        parse_address(text)
