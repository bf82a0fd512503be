"""What comes from other threads: in order, without a wait where it is there already."""

from __future__ import annotations

import threading
from collections.abc import Generator

from tests.sources.waiting import texts
from textstream.sources.arrivals import Arrivals
from textstream.sources.base import Wait


def take(arrivals: Arrivals[str], count: int) -> Generator[str | Wait, None, None]:
    for _ in range(count):
        yield (yield from arrivals.take())


def test_what_is_there_is_taken_without_a_wait() -> None:
    arrivals: Arrivals[str] = Arrivals()
    arrivals.put("a")
    arrivals.put("b")
    assert len(arrivals) == 2
    assert list(take(arrivals, 2)) == ["a", "b"]


def test_a_wait_is_over_when_something_comes() -> None:
    arrivals: Arrivals[str] = Arrivals()
    taking = take(arrivals, 1)
    wait = next(taking)
    assert isinstance(wait, Wait)
    assert not wait.is_over
    arrivals.put("a")
    assert wait.is_over
    assert list(taking) == ["a"]


def test_asked_too_early_it_waits_once_more() -> None:
    arrivals: Arrivals[str] = Arrivals()
    taking = take(arrivals, 1)
    next(taking)
    assert isinstance(next(taking), Wait)
    arrivals.put("a")
    assert list(taking) == ["a"]


def test_from_another_thread_nothing_is_lost() -> None:
    arrivals: Arrivals[str] = Arrivals()
    sent = [str(number) for number in range(2000)]

    def send() -> None:
        for one in sent:
            arrivals.put(one)

    sender = threading.Thread(target=send)
    sender.start()
    assert list(texts(take(arrivals, len(sent)))) == sent
    sender.join()
