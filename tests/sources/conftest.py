"""The real model, loaded once for all tests, and the real HTTP endpoint in front of it.

- ``model``: the local model, in `SLOTS` slots.
- ``endpoint``: the OpenAI-compatible HTTP server that the engine itself is.
- ``wire``: an endpoint that replays bytes; ``ask`` asks it, ``at_close`` closes sources.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.asking import ask, at_close, no_environment, wire
from tests.sources.endpoint import SLOTS, Endpoint
from tests.support.leaks import LeakGuard
from tests.support.requirement import require
from textstream.errors import SourceUnavailable
from textstream.sources.local_llm import LocalModel

__all__ = ["ask", "at_close", "no_environment", "wire"]  # fixtures: pytest finds them here


def new_model(slots: int = SLOTS) -> LocalModel:
    """Return a local model that is not loaded yet; skip or fail where it is not installed."""
    model = LocalModel(model=None, slots=slots, context=2048, threads=0)
    try:
        model.check()
    except SourceUnavailable as error:
        require(error.message)
    return model


@pytest.fixture(scope="session")
def model(leak_guard: LeakGuard) -> Iterator[LocalModel]:
    """The local model, loaded. Tests leave none of its slots in use."""
    shared = new_model()
    shared.preload()
    leak_guard.allow_all_there_is()
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def endpoint(leak_guard: LeakGuard) -> Iterator[Endpoint]:
    """A real OpenAI-compatible server on a free port."""
    new_model()
    server = Endpoint()
    leak_guard.allow_all_there_is()
    yield server
    server.close()
