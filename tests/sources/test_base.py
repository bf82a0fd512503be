"""The cancel token: once, to everyone, whenever they ask."""

from __future__ import annotations

import logging
import threading

import pytest

from textstream.sources.base import CancelToken


def test_calls_back_once_in_the_order_of_registration() -> None:
    token, called = CancelToken(), list[int]()
    token.on_cancel(lambda: called.append(1))
    token.on_cancel(lambda: called.append(2))
    assert not token.cancelled
    token.cancel()
    token.cancel()
    assert token.cancelled
    assert called == [1, 2]


def test_one_that_comes_too_late_is_called_at_once() -> None:
    token, called = CancelToken(), list[int]()
    token.cancel()
    token.on_cancel(lambda: called.append(1))
    assert called == [1]


def test_a_callback_may_use_the_token() -> None:
    token, called = CancelToken(), list[bool]()
    token.on_cancel(lambda: token.on_cancel(lambda: called.append(token.cancelled)))
    token.on_cancel(token.cancel)
    token.cancel()
    assert called == [True]


def test_one_that_fails_is_logged_and_keeps_nobody_from_being_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    token, called = CancelToken(), list[int]()

    def fail() -> None:
        raise RuntimeError("a bug of a source")

    token.on_cancel(fail)
    token.on_cancel(lambda: called.append(1))
    token.cancel()
    assert called == [1]
    token.on_cancel(fail)
    first, second = caplog.records
    assert (first.levelno, first.getMessage()) == (second.levelno, second.getMessage())
    assert first.levelno == logging.WARNING
    assert first.getMessage().endswith("fail > RuntimeError")


def test_waiting_ends_when_it_is_cancelled() -> None:
    token = CancelToken()
    assert not token.wait(0)
    canceller = threading.Thread(target=token.cancel)
    canceller.start()
    assert token.wait(30)
    canceller.join()
