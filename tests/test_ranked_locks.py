"""The locks' order is checked wherever tests run the server's code, and the check can fail."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from tests.support.doubles import new_stream
from tests.support.ranked_locks import ORDER, RankedLock, WrongOrder, held
from textstream.access.account import Account
from textstream.hub.keeper import Keeper, Limits
from textstream.reading.dispatcher import Dispatcher
from textstream.stream.memory_log import MemoryLog

ARCHITECTURE = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"


def test_the_servers_locks_are_ranked() -> None:
    stream = new_stream()
    assert isinstance(stream.lock, RankedLock)
    with stream.lock, stream.lock:
        assert held() == ["Stream", "Stream"], "reentrant"
    assert held() == []
    assert not isinstance(threading.Lock(), RankedLock), "other people's are not"


def test_a_wrong_order_fails() -> None:
    stream, count = new_stream(), Account()
    with count._lock, pytest.raises(WrongOrder, match="Stream under that of Account"):
        stream.stop("stopped")
    log = MemoryLog("s", lambda _nbytes: stream.begin(), max_bytes=100)
    with pytest.raises(WrongOrder, match="Stream under that of MemoryLog"):
        log.append("a", keep_from=0)
    assert held() == []


def test_two_streams_are_never_locked_at_once() -> None:
    with new_stream().lock, pytest.raises(WrongOrder, match="Stream under that of Stream"):
        new_stream(stream_id="other").begin()


def test_the_keeper_is_asked_with_a_streams_lock_held_never_the_other_way_round() -> None:
    dispatcher = Dispatcher(clock=lambda: 0.0, sleep=lambda _seconds: None)
    keeper = Keeper(dispatcher, clock=lambda: 0.0, limits=Limits())
    stream = new_stream(observer=keeper)
    with keeper._lock, pytest.raises(WrongOrder, match="Stream under that of Keeper"):
        stream.begin()


def test_the_documents_have_the_same_order() -> None:
    section = ARCHITECTURE.read_text(encoding="utf-8").split("## Locks")[1].split("\n## ")[0]
    named = [set(re.findall(r"`(\w+)\.\w+`", line)) for line in section.splitlines()]
    rows = [names for names in named if names]
    known = [set(row) & set().union(*rows) for row in ORDER]
    assert [row for row in known if row] == rows
