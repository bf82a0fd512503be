"""What the source ``openai`` makes of what endpoints put on the wire: the whole table of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from tests.sources.waiting import Consumer, texts, wait_until
from tests.sources.wire_bodies import BODIES, CONTENT, STATUSES
from tests.sources.wire_endings import ENDS, ERRORS, FINISH, FRAMING
from tests.sources.wire_endpoint import HOLD, PING, Script, WireEndpoint
from tests.sources.wire_rows import DONE, HI, JSON, OK, Row, head, say, whole
from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from textstream.errors import TextStreamError
from textstream.sources.base import Source, SourceRequest
from textstream.sources.openai_compatible import openai_source
from textstream.sources.openai_params import OpenAIParams

TABLE = [*ENDS, *FINISH, *FRAMING, *ERRORS, *CONTENT, *BODIES, *STATUSES]


@pytest.fixture(scope="module")
def wire() -> Iterator[WireEndpoint]:
    endpoint = WireEndpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def sources(wire: WireEndpoint, leak_guard: LeakGuard) -> Iterator[dict[bool, Source]]:
    """Sources by whether they are hasty. Neither waits long for an end behind a finish_reason."""
    wire.script = [OK, say("x"), DONE]
    made = {
        hasty: openai_source(
            base_url=wire.base_url, api_key=None, model="m", timeout=timeout, end_wait=0.05
        )
        for hasty, timeout in ((True, patient(0.4)), (False, patient(30.0)))
    }
    for source in made.values():
        assert list(texts(source.generate(SourceRequest("Hi", OpenAIParams())))) == ["x"]
    leak_guard.allow_all_there_is()
    yield made
    for source in made.values():
        source.close()


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in TABLE])
def test_the_table(
    row: Row, wire: WireEndpoint, sources: dict[bool, Source], caplog: pytest.LogCaptureFixture
) -> None:
    wire.script = row.steps
    consumer = Consumer(sources[row.hasty].generate(SourceRequest("Hi", OpenAIParams())))
    if row.reason == "error":
        with pytest.raises(TextStreamError) as caught:
            consumer.finish()
        assert row.says in caught.value.message
        assert caught.value.code == row.code
    else:
        consumer.finish()
        assert (consumer.result or "completed") == row.reason
    assert "".join(consumer.pieces) == row.text
    assert not [r for r in caplog.records if r.exc_info or r.levelno > logging.WARNING]


def test_every_row_has_a_name_of_its_own() -> None:
    assert len(TABLE) > 100
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([HOLD], id="before its first byte"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", HOLD], id="in its head"),
        pytest.param([OK, HOLD], id="before its first event"),
        pytest.param([OK, HI, HOLD], id="between two events"),
        pytest.param([OK, HI, PING], id="between two pings"),
        pytest.param([OK, HI, say(finish="stop"), HOLD], id="before its end"),
        pytest.param([JSON, whole(content="Hi")[:9], HOLD], id="within a document"),
        pytest.param([head(None, status="500 Oh"), b"Oh", HOLD], id="within a refusal"),
    ],
)
def test_a_stop_releases_the_request(steps: Script, wire: WireEndpoint) -> None:
    wire.script, wire.closed = steps, threading.Event()
    asked = len(wire.requests)
    source = openai_source(
        base_url=wire.base_url, api_key=None, model="m", timeout=patient(30), end_wait=patient(30)
    )
    request = SourceRequest("Hi", OpenAIParams())
    consumer = Consumer(source.generate(request))
    wait_until(lambda: len(wire.requests) > asked)
    if HI in steps:
        wait_until(lambda: bool(consumer.pieces))
    request.cancel.cancel()
    assert wire.closed.wait(patient(1.0))
    consumer.finish()
    assert consumer.pieces == (["Hi "] if HI in steps else [])
    source.close()


def test_what_arrives_is_yielded_at_once(wire: WireEndpoint, sources: dict[bool, Source]) -> None:
    wire.script = [OK, HI, HOLD]
    generator = texts(sources[False].generate(SourceRequest("Hi", OpenAIParams())))
    assert next(generator) == "Hi "
    generator.close()
