"""Who asks reaches the source with what is asked."""

from __future__ import annotations

from textstream.access.caller import Caller
from textstream.sources import SourceRegistry
from textstream.sources.text import text_source
from textstream.web.starts import RequestLimits, read_start


def test_a_start_says_who_asks() -> None:
    registry = SourceRegistry([text_source()], preferred="text")
    caller = Caller("192.0.2.1", "sid")
    assert read_start("Hello", registry, RequestLimits(), caller).request.caller == caller
