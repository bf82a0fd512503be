"""Every implementation of a log. A new one adds itself to ``LOGS``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.list_log import ListLog
from textstream.access.account import Account, Kind
from textstream.stream.log import Log, NewLog
from textstream.stream.memory_log import MemoryLog

LOGS: dict[str, Callable[[int], NewLog]] = {
    "memory": lambda max_bytes: partial(MemoryLog, max_bytes=max_bytes),
    "list": lambda max_bytes: partial(ListLog, max_bytes=max_bytes),
}
"""By name: for a bound in bytes, what makes logs as a server does."""

PLENTY = 2**20

MakeLog = Callable[..., Log]
"""Makes an empty log that keeps so many bytes; the second argument counts them, if it is given."""


@pytest.fixture(params=list(LOGS))
def make_log(request: pytest.FixtureRequest, kept: Account) -> MakeLog:
    factory = LOGS[request.param]

    def make(max_bytes: int, count: Account = kept) -> Log:
        return factory(max_bytes)("s", partial(count.add, Kind.TEXT))

    return make


@pytest.fixture
def kept() -> Account:
    """Counts the bytes that the test's logs keep."""
    return Account()


@pytest.fixture
def log(make_log: MakeLog) -> Log:
    return make_log(PLENTY)
