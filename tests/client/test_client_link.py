"""A connection's readers, with answers and events in the order that a test wants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

import pytest

from textstream.client.connection import Connection
from textstream.client.link import Link
from textstream.client.reader import Reader
from textstream.errors import Unavailable

INFO = {"source": "text", "unit": "char", "rate": 0, "format": "chunk", "offset": 0}


class ScriptedConnection:
    """Keeps what is asked; the test answers when it likes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Callable[[Any], None]] = []  # of those that are due

    def emit(
        self, event: str, payload: dict[str, Any], on_ack: Callable[[Any], None] | None = None
    ) -> None:
        self.asked.append((event, payload))
        if on_ack:
            self.answers.append(on_ack)

    def wake(self) -> None:
        pass


def new_link(*readers: Reader) -> tuple[Link, ScriptedConnection]:
    connection = ScriptedConnection()

    def running() -> list[Reader]:
        return [reader for reader in readers if not reader.over]

    link = Link(cast("Connection", connection), running, timeout=1.0)
    for reader in readers:
        link.attach(reader)
    return link, connection


def receive_all(link: Link, id_: str, text: str) -> None:
    chunk = {"id": id_, "offset": 0, "next": len(text), "text": text}
    digest = hashlib.sha256(text.encode()).hexdigest()
    end = {"id": id_, "reason": "completed", "offset": len(text), "text_sha256": digest}
    link.receive("stream_chunk", chunk)
    link.receive("stream_end", end)


def answer(connection: ScriptedConnection, number: int, id_: str) -> None:
    connection.answers[number]({"ok": True, "stream": {"id": id_, **INFO}})


def taken(reader: Reader) -> str | None:
    chunk = reader.take()
    return chunk.text if chunk else None


@pytest.mark.parametrize(
    "reader", [Reader(request={"text": "abc"}), Reader(id="s")], ids=["started", "resumed"]
)
def test_the_whole_stream_may_overtake_the_answer_that_attaches_it(reader: Reader) -> None:
    link, connection = new_link(reader)
    receive_all(link, "s", "abc")
    assert not reader.over, "nobody has been handed the stream yet"
    answer(connection, 0, "s")
    assert reader.info
    assert reader.over
    assert reader.result
    assert reader.result.verified
    assert taken(reader) == "abc"


def test_what_overtakes_two_answers_finds_its_reader() -> None:
    one, other = Reader(id="one"), Reader(request={"text": "abc"})
    link, connection = new_link(one, other)
    receive_all(link, "other", "def")
    receive_all(link, "one", "abc")
    answer(connection, 0, "one")
    assert taken(one) == "abc"
    assert one.over
    assert not other.over
    answer(connection, 1, "other")
    assert taken(other) == "def"
    assert other.over


def test_the_place_in_the_line_is_told_until_there_is_text_or_no_connection() -> None:
    reader = Reader(request={"source": "llm", "prompt": "x"})
    link, connection = new_link(reader)
    link.receive("stream_waiting", {"id": "s", "position": 2})
    connection.answers[0]({"ok": True, "stream": {"id": "s", **INFO}, "position": 3})
    assert reader.position == 2, "it has overtaken the answer"
    link.receive("stream_waiting", {"id": "s", "position": 4})
    assert reader.position == 4
    link.receive("stream_chunk", {"id": "s", "offset": 0, "next": 1, "text": "a"})
    assert reader.position == 0
    link.receive("stream_waiting", {"id": "s", "position": 1})
    reader.detached()
    assert reader.position == 0


UNAVAILABLE = {"code": "unavailable", "message": "Later.", "retryable": True}


def test_a_resume_that_nobody_can_answer_now_is_one_more_lost_connection() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    connection.answers[0]({"ok": False, "error": UNAVAILABLE})
    assert link.unserved
    assert not reader.over
    assert reader.error is None


def test_a_start_that_nobody_can_answer_now_has_failed() -> None:
    reader = Reader(request={"text": "abc"})
    link, connection = new_link(reader)
    connection.answers[0]({"ok": False, "error": UNAVAILABLE})
    assert not link.unserved
    assert isinstance(reader.error, Unavailable)
