"""Each source runs in a context of its own: what it sets, nobody else sees, and it finds again."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest

from tests.stream.line import Line
from tests.support.timing import patient
from textstream.sources.base import CancelToken, Source, SourceRequest, Wait
from textstream.stream.pools import Pools

TIMEOUT = patient(10.0)
USER: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


def in_new_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_what_a_source_sets_is_there_on_the_next_thread_and_nowhere_else() -> None:
    waits = [Wait(), Wait()]
    seen: list[str] = []

    def generate(_request: SourceRequest) -> Iterator[str | Wait]:
        token = USER.set("alice")
        for wait in waits:
            yield wait
            seen.append(USER.get())
        USER.reset(token)
        seen.append(USER.get())

    line = Line(Source("sets", generate))
    in_new_thread(line.run)
    for wait in waits:
        wait.over()
        in_new_thread(line.run)
    assert seen == ["alice", "alice", "nobody"]
    assert line.ended == ("completed", 0)


def test_two_on_one_thread_do_not_see_each_other() -> None:
    seen: list[str] = []

    def generate(_request: SourceRequest) -> Iterator[str]:
        seen.append(USER.get())
        USER.set("alice")
        yield "x"

    pools = Pools(1)
    for _ in range(3):
        Line(Source("sets", generate), pools=pools)
    pools.close(time.monotonic() + TIMEOUT)
    assert seen == ["nobody"] * 3
    assert USER.get() == "nobody"


@pytest.mark.parametrize("immediate", [True, False])
def test_a_source_sees_what_whoever_started_it_has_set(immediate: bool) -> None:
    seen: list[str] = []

    def generate(_request: SourceRequest) -> Iterator[str]:
        seen.append(USER.get())
        USER.set("the source's")
        yield "x"
        seen.append(USER.get())

    source = Source("reads", generate, immediate=immediate)
    line = contextvars.copy_context().run(lambda: (USER.set("bob"), Line(source), USER.get()))
    assert line[2] == "bob", "also where its first text is taken in that very thread"
    in_new_thread(line[1].run)
    assert seen == ["bob", "the source's"]


@pytest.mark.parametrize("ends", ["closed", "wrong type"])
def test_a_generator_is_closed_in_its_context(ends: str) -> None:
    seen: list[str] = []

    def generate(_request: SourceRequest) -> Iterator[Any]:
        token = USER.set("alice")
        try:
            yield 7 if ends == "wrong type" else Wait()
        finally:
            seen.append(USER.get())
            USER.reset(token)

    line = Line(Source("sets", generate))
    in_new_thread(line.run)
    line.stream.stop("stopped")
    in_new_thread(line.run)
    assert seen == ["alice"]


def test_cancelling_calls_back_in_a_copy_of_the_source_s_context() -> None:
    seen: list[str] = []

    def note() -> None:
        seen.append(USER.get())
        USER.set("left behind")

    def generate(request: SourceRequest) -> Iterator[str | Wait]:
        USER.set("alice")
        request.cancel.on_cancel(note)
        yield Wait()

    line = Line(Source("sets", generate))
    in_new_thread(line.run)
    contextvars.copy_context().run(lambda: (USER.set("mallory"), line.stream.stop("stopped")))
    assert seen == ["alice"]
    cancelled = CancelToken()
    cancelled.cancel()
    cancelled.on_cancel(note)
    assert USER.get() == "nobody"


def test_the_cancel_callback_may_run_while_the_generator_does() -> None:
    """Of one context, two threads cannot be in it at a time."""
    in_it, called = threading.Event(), threading.Event()

    def generate(request: SourceRequest) -> Iterator[str]:
        request.cancel.on_cancel(called.set)
        in_it.set()
        assert called.wait(TIMEOUT)
        yield "x"

    line = Line(Source("blocks", generate))
    thread = threading.Thread(target=line.run)
    thread.start()
    assert in_it.wait(TIMEOUT)
    line.stream.stop("stopped")
    thread.join()
    assert called.is_set()


def test_flask_s_context_does_not_leak_from_one_user_s_source_to_another_s() -> None:
    app = flask.Flask("app")
    seen: list[str | None] = []

    def generate(_request: SourceRequest) -> Iterator[str]:
        seen.append(flask.g.user if flask.has_app_context() else None)
        assert flask.has_request_context() == flask.has_app_context()
        app.test_request_context().push()  # as careless code does
        flask.g.user = "the source's"
        yield "x"
        assert flask.g.user == "the source's"

    pools = Pools(1)
    source = Source("flask", generate)
    with app.test_request_context():
        flask.g.user = "alice"
        of_alice = Line(source, pools=pools)
    of_nobody = Line(source, pools=pools)
    pools.close(time.monotonic() + TIMEOUT)
    assert seen == ["alice", None]
    assert of_alice.ended == of_nobody.ended == ("completed", 1)
