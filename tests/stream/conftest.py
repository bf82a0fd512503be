"""Every implementation of a log. A new one adds itself to ``LOGS``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from textstream.stream.log import Log
from textstream.stream.memory_log import MemoryLog

NewLog = Callable[[int], Log]
"""Makes an empty log that keeps so many bytes."""

LOGS: dict[str, NewLog] = {"memory": MemoryLog}

PLENTY = 2**20


@pytest.fixture(params=list(LOGS.values()), ids=list(LOGS))
def new_log(request: pytest.FixtureRequest) -> NewLog:
    made: NewLog = request.param
    return made


@pytest.fixture
def log(new_log: NewLog) -> Log:
    return new_log(PLENTY)
