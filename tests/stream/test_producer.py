"""From a source to a log, on a bounded number of threads."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stream.line import Line
from tests.support.doubles import ScriptedSource, sha256
from tests.support.timing import patient
from textstream.errors import SourceFailed, SourceUnavailable
from textstream.loggable import fingerprint
from textstream.sources.base import Source, SourceRequest
from textstream.stream.pools import Pools
from textstream.stream.producer import BATCH

TIMEOUT = patient(10.0)


# What becomes of the text


def test_the_text_goes_into_the_log_in_units() -> None:
    line = Line(ScriptedSource("e", "\u0301", "", "字\ud83d", "\ude00").source).run()
    assert line.units == ["e\u0301", "字", "😀"]
    assert line.ended == ("completed", 3)


def test_a_source_may_yield_nothing_at_all() -> None:
    line = Line(ScriptedSource().source).run()
    assert line.stream.ending
    assert (line.stream.ending.reason, line.stream.ending.text_sha256) == ("completed", sha256(""))


def test_tokens_are_the_deltas() -> None:
    line = Line(ScriptedSource("to", " be", "", " or").source, unit="token").run()
    assert line.units == ["to", " be", " or"]


def test_half_a_pair_at_the_end_is_not_lost() -> None:
    assert Line(ScriptedSource("a", "\ud83d").source).run().units == ["a", "\ufffd"]


def test_a_source_may_stop_at_a_limit() -> None:
    assert Line(ScriptedSource("a", outcome="length").source).run().ended == ("length", 1)


def test_any_other_return_value_is_the_natural_end() -> None:
    assert Line(ScriptedSource("a", outcome="stopped").source).run().ended == ("completed", 1)


def test_a_source_need_not_be_a_generator() -> None:
    source = Source("list", lambda request: iter(["a", "b"]))
    assert Line(source).run().ended == ("completed", 2)


# Failures


def test_an_error_half_way_keeps_what_came_before(caplog: pytest.LogCaptureFixture) -> None:
    line = Line(ScriptedSource("ab", "c", error=OSError("the secret text")).source).run()
    assert line.units == ["a", "b", "c"]
    assert line.ended == ("error", 3)
    assert line.error["code"] == "source_failed"
    assert line.error["message"] == (
        "The source script failed (OSError). The server's log says more."
    )
    assert "secret" not in line.error["message"]
    (told,) = caplog.messages
    assert told.endswith("> OSError"), "the operator is told where"
    assert told.startswith(f"stream {fingerprint(line.stream.id)}: ")
    assert "secret" not in told


def test_what_a_source_failed_at_is_told_to_who_debugs(caplog: pytest.LogCaptureFixture) -> None:
    forged = "the prompt\n2026-01-01 INFO forged line\x1b[31m"
    with caplog.at_level(logging.DEBUG, "textstream.producer"):
        Line(ScriptedSource("a", error=ValueError(forged)).source).run()
    (told,) = caplog.messages
    assert told.endswith(r"ValueError: the prompt\n2026-01-01 INFO forged line\x1b[31m")


def test_a_refusal_in_the_words_of_a_user_s_source_may_hold_the_prompt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_request: SourceRequest) -> Iterator[str]:
        raise SourceUnavailable("Not this: the prompt")

    line = Line(Source("picky", refuse)).run()
    assert line.error["message"] == "Not this: the prompt"
    (told,) = caplog.messages
    assert "source_unavailable" in told
    assert "the prompt" not in told


def test_an_error_of_ours_is_passed_on_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    error = SourceUnavailable("Set the key.")
    line = Line(ScriptedSource("a", error=error).source).run()
    assert line.ended == ("error", 1)
    assert line.error == error.to_wire()
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit()], ids=repr)
def test_a_source_that_wants_to_end_the_process_only_fails(error: BaseException) -> None:
    line = Line(ScriptedSource("a", error=error).source).run()
    assert line.ended == ("error", 1)


@pytest.mark.parametrize("wrong", [None, 7, b"bytes", ["list"]])
def test_a_source_must_yield_text(wrong: object) -> None:
    script = ScriptedSource("a", wrong, "b")
    line = Line(script.source).run()
    assert line.ended == ("error", 1)
    assert line.error["message"] == (f"The source script yielded {type(wrong).__name__}, not str.")
    assert script.closed == 1


@pytest.mark.parametrize(
    "generate",
    [lambda request: None, lambda request: 1 / 0, lambda: iter(())],
    ids=["yields nothing", "raises", "takes no request"],
)
def test_a_source_that_is_no_source_fails_the_stream(generate: Callable[..., Any]) -> None:
    assert Line(Source("broken", generate)).run().ended == ("error", 0)


# Back-pressure


def test_a_producer_that_is_far_ahead_leaves_its_generator_and_its_thread() -> None:
    script = ScriptedSource("ab", repeat=True)
    line = Line(script.source, lookahead=10).run()
    assert 10 <= line.log.next <= 12
    assert (script.yielded, script.closed) == (6, 0)
    assert not line.pool.jobs


def test_a_source_is_asked_no_more_when_the_bytes_are_used_up() -> None:
    script = ScriptedSource("字" * 100, repeat=True)
    line = Line(script.source, max_bytes=4096, lookahead=1_000_000).run()
    batch = 3 * (BATCH + 100)  # a source that is not live is moved some at a time
    assert 4096 <= line.kept.total <= 4096 + batch
    assert script.yielded <= (4096 + batch) // 300 + 1


def test_a_live_source_is_asked_for_one_delta_at_a_time() -> None:
    script = ScriptedSource("字" * 100, repeat=True)
    live = dataclasses.replace(script.source, live=True)
    line = Line(live, max_bytes=4096, lookahead=1_000_000).run()
    assert line.kept.total <= 4096 + 300
    assert script.yielded == 14


def test_the_thread_that_starts_a_stream_takes_one_delta() -> None:
    script = ScriptedSource("ab", repeat=True)
    line = Line(dataclasses.replace(script.source, immediate=True))
    assert (script.yielded, line.log.next) == (1, 1)  # the last character is held back
    line.run()
    assert line.log.next > 1000


def test_what_was_gathered_before_a_failure_is_kept() -> None:
    script = ScriptedSource("some ", "text ", error=RuntimeError("scripted"))
    line = Line(script.source).run()
    assert "".join(line.units) == "some text "


# Stopping


def test_stopping_closes_a_held_generator() -> None:
    script = ScriptedSource("ab", repeat=True)
    line = Line(script.source, lookahead=10).run()
    line.stream.stop("stopped")
    line.run()
    assert script.closed == 1
    assert line.cancel.cancelled


def test_stopping_before_the_start_never_asks_the_source() -> None:
    script = ScriptedSource("ab")
    line = Line(script.source)
    line.stream.stop("stopped")
    line.run()
    assert script.yielded == 0


def test_stopping_while_it_generates_closes_the_generator() -> None:
    closed: list[bool] = []

    def generate(request: SourceRequest) -> Iterator[str]:
        try:
            yield "a"
            line.stream.stop("stopped")  # as another thread would
            yield "b"
            yield "c"
        finally:
            closed.append(True)

    line = Line(Source("script", generate))
    line.run()
    assert closed == [True]
    assert line.units == []


@pytest.mark.parametrize("error", [OSError("connection lost"), SourceFailed("upstream broke")])
def test_what_a_cancelled_source_raises_is_no_failure(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def generate(request: SourceRequest) -> Iterator[str]:
        yield "a"
        line.stream.stop("stopped")  # takes the connection away on which it waits
        raise error

    line = Line(Source("script", generate))
    with caplog.at_level(logging.INFO):
        line.run()
    assert line.stream.ending
    assert line.stream.ending.reason == "stopped"
    assert caplog.records == []


# The pool


def test_streams_that_wait_for_their_readers_need_no_threads() -> None:
    """More streams than threads, all endless: each gets its turn."""
    asked = threading.Semaphore(0)
    closed: list[bool] = []

    def generate(request: SourceRequest) -> Iterator[str]:
        try:
            while True:
                asked.release()
                yield "ab"
        finally:
            closed.append(True)

    pool = Pools(2)
    lines = [Line(Source("endless", generate), lookahead=10, pools=pool) for _ in range(20)]
    for _ in range(20 * 6):  # so often until each is ten units ahead
        assert asked.acquire(timeout=TIMEOUT)
    for line in lines:
        line.stream.stop("stopped")
    pool.close(time.monotonic() + TIMEOUT)
    assert len(closed) == 20
    assert not asked.acquire(blocking=False)
