"""Asking an API that replays bytes, with nothing of the environment's in the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sources.waiting import texts
from tests.sources.wire_endpoint import WireEndpoint
from tests.sources.wire_rows import DONE, OK, say
from textstream.sources.base import Source, SourceRequest
from textstream.sources.openai_compatible import openai_source
from textstream.sources.openai_params import OpenAIParams

Ask = Callable[..., list[str]]
ANSWER = [OK, say("Hi"), DONE]


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def wire() -> Iterator[WireEndpoint]:
    endpoint = WireEndpoint()
    endpoint.script = ANSWER
    yield endpoint
    endpoint.close()


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask the API at an address; return what it says."""
    sources: list[Source] = []

    def begin(base_url: str, **settings: Any) -> list[str]:
        source = openai_source(
            **{"base_url": base_url, "api_key": "k", "model": "m", "timeout": 30.0, **settings}
        )
        sources.append(source)
        return list(texts(source.generate(SourceRequest("Hi", OpenAIParams()))))

    yield begin
    for source in sources:
        source.close()


@pytest.fixture
def at_close() -> Iterator[list[Source]]:
    """Sources to close after the test."""
    sources: list[Source] = []
    yield sources
    for source in sources:
        source.close()
