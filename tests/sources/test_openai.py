"""The source ``openai``: its errors, its cancelling, and what it keeps to itself."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sources.api_double import DONE, ApiDouble, Exchange, event
from tests.sources.waiting import LONG, Consumer, texts
from tests.support.timing import patient
from textstream.errors import InvalidRequest, ShuttingDown, SourceFailed, SourceUnavailable
from textstream.sources.base import Source, SourceRequest
from textstream.sources.openai_client import WINDOW
from textstream.sources.openai_compatible import openai_source
from textstream.sources.openai_params import OpenAIParams

KEY = "sk-very-secret-0123456789"
SECRET_PROMPT = "the-secret-prompt"

Start = Callable[[Callable[[Exchange], None]], tuple[Source, ApiDouble]]


def new_source(base_url: str | None, *, key: str | None = KEY, timeout: float = 30.0) -> Source:
    return openai_source(base_url=base_url, api_key=key, model="m", timeout=timeout)


def ask(**params: Any) -> SourceRequest:
    return SourceRequest(SECRET_PROMPT, OpenAIParams(**params))


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a source and the scripted API that it asks."""
    opened: list[tuple[Source, ApiDouble]] = []

    def begin(script: Callable[[Exchange], None]) -> tuple[Source, ApiDouble]:
        double = ApiDouble(script)
        opened.append((new_source(double.base_url), double))
        return opened[-1]

    yield begin
    for source, double in opened:
        source.close()
        double.close()


def test_sends_what_was_asked_and_yields_what_came(start: Start) -> None:
    text = event(role="assistant") + event("Good ") + event("morning") + event(finish="stop")
    source, double = start(lambda exchange: exchange.answer(text + DONE))
    request = ask(temperature=0.5, max_tokens=9, seed=3, system="Be kind.")
    assert list(texts(source.generate(request))) == ["Good ", "morning"]
    (exchange,) = double.exchanges
    assert exchange.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": SECRET_PROMPT},
        ],
        "stream": True,
        "temperature": 0.5,
        "max_tokens": 9,
        "seed": 3,
    }
    assert exchange.headers["authorization"] == f"Bearer {KEY}"


def test_what_is_not_given_is_not_sent(start: Start) -> None:
    source, double = start(lambda exchange: exchange.answer(event("x") + DONE))
    list(texts(source.generate(ask())))
    assert double.exchanges[0].body.keys() == {"model", "messages", "stream"}


def test_reasoning_is_left_out(start: Start) -> None:
    text = event(reasoning_content="Hmm.") + event(reasoning="Hm.") + event("Yes") + DONE
    source, _ = start(lambda exchange: exchange.answer(text))
    assert list(texts(source.generate(ask()))) == ["Yes"]


def test_chunks_without_choices_are_skipped(start: Start) -> None:
    usage = {"id": "1", "object": "x", "created": 1, "model": "m", "choices": []}
    text = event("Yes", "length") + f"data: {json.dumps(usage)}\n\n" + DONE
    source, _ = start(lambda exchange: exchange.answer(text))
    consumer = Consumer(source.generate(ask()))
    assert consumer.finish() == "Yes"
    assert consumer.result == "length"


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, SourceFailed, "TEXTSTREAM_OPENAI_API_KEY"),
        (403, SourceFailed, "TEXTSTREAM_OPENAI_API_KEY"),
        (404, SourceFailed, "TEXTSTREAM_OPENAI_MODEL"),
        (429, SourceFailed, "Try again later"),
        (500, SourceFailed, "HTTP 500"),
        (503, SourceFailed, "HTTP 503"),
        (400, InvalidRequest, "HTTP 400, context_length_exceeded"),
        (422, InvalidRequest, "HTTP 422"),
    ],
)
def test_a_refusal_is_explained_without_secrets(
    start: Start, status: int, error: type[Exception], says: str
) -> None:
    body = {
        "error": {
            "message": f"No: {KEY} asked {SECRET_PROMPT}",
            "code": "context_length_exceeded",
            "type": f"what about {SECRET_PROMPT}",
        }
    }
    source, _ = start(
        lambda exchange: exchange.answer(json.dumps(body), status, "application/json")
    )
    with pytest.raises(error, match=says) as caught:
        list(texts(source.generate(ask())))
    assert KEY not in str(caught.value)
    assert SECRET_PROMPT not in str(caught.value)


def broken_off(exchange: Exchange) -> None:
    exchange.begin()
    exchange.send(event("half"))
    exchange.send('data: {"error": {"message": "no", "code": "overloaded"}}\n\n')


def truncated(exchange: Exchange) -> None:
    exchange.socket.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
        + event("half").encode()
    )
    exchange.socket.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("script", "before", "says"),
    [
        (broken_off, ["half"], "overloaded"),
        (truncated, ["half"], "dropped the connection"),
        (lambda exchange: exchange.answer("data: {not json\n\n"), [], "makes no sense"),
        (lambda exchange: exchange.answer("<html>", 200, "text/html"), [], "BASE_URL"),
        (lambda exchange: exchange.socket.shutdown(socket.SHUT_RDWR), [], "BASE_URL"),
        (lambda exchange: exchange.answer(event("a", "content_filter")), ["a"], "filter"),
    ],
)
def test_an_answer_that_breaks_off_keeps_what_came(
    start: Start, script: Callable[[Exchange], None], before: list[str], says: str
) -> None:
    source, _ = start(script)
    consumer = Consumer(source.generate(ask()))
    with pytest.raises(SourceFailed, match=says):
        consumer.finish()
    assert consumer.pieces == before


def test_nothing_listens_there(at_close: list[Source]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    at_close.append(new_source(f"http://127.0.0.1:{port}/v1"))
    with pytest.raises(SourceFailed, match=r"cannot be reached.*TEXTSTREAM_OPENAI_BASE_URL"):
        list(texts(at_close[0].generate(ask())))


def test_silence_ends_after_the_timeout(start: Start, at_close: list[Source]) -> None:
    _, double = start(lambda exchange: exchange.wait_for_close())
    at_close.append(new_source(double.base_url, timeout=0.2))
    with pytest.raises(SourceFailed, match="TEXTSTREAM_OPENAI_TIMEOUT"):
        list(texts(at_close[0].generate(ask())))
    at_close[0].close()


def test_cancelling_before_the_first_byte_closes_the_connection(start: Start) -> None:
    closed = threading.Event()

    def never_answer(exchange: Exchange) -> None:
        exchange.wait_for_close()
        closed.set()

    source, double = start(never_answer)
    request = ask()
    consumer = Consumer(source.generate(request))
    assert double.asked.wait(30)
    cancelled_at = time.monotonic()
    request.cancel.cancel()
    assert closed.wait(LONG)
    assert consumer.finish() == ""
    assert consumer.ended_at - cancelled_at < patient(1.0)


def test_closing_the_generator_half_way_closes_the_connection(start: Start) -> None:
    closed = threading.Event()

    def answer_a_little(exchange: Exchange) -> None:
        exchange.begin()
        exchange.send(event("One"))
        exchange.wait_for_close()
        closed.set()

    source, _ = start(answer_a_little)
    generator = texts(source.generate(ask()))
    assert next(generator) == "One"
    generator.close()
    assert closed.wait(LONG)


def test_a_generator_that_is_not_iterated_stops_the_reading(start: Start) -> None:
    stalled = threading.Event()

    def answer_without_end(exchange: Exchange) -> None:
        exchange.begin()
        exchange.socket.settimeout(1.0)
        try:
            while True:
                exchange.send(event("word " * 200))
        except TimeoutError:
            stalled.set()
            exchange.wait_for_close()

    source, _ = start(answer_without_end)
    generator = texts(source.generate(ask()))
    next(generator)
    assert stalled.wait(60)
    # It goes on when it is iterated again, past what had been handed over.
    assert all(next(generator) == "word " * 200 for _ in range(2 * WINDOW))
    generator.close()


def test_close_ends_what_runs_and_leaves_no_thread(start: Start) -> None:
    source, double = start(lambda exchange: exchange.wait_for_close())
    consumer = Consumer(source.generate(ask()))
    assert double.asked.wait(30)
    source.close()
    source.close()
    with pytest.raises(ShuttingDown):
        consumer.finish()
    assert not [t for t in threading.enumerate() if t.name == "openai-requests"]
    with pytest.raises(ShuttingDown):
        next(texts(source.generate(ask())))


def test_without_a_thread_a_request_fails_and_the_next_is_made(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = start(lambda exchange: exchange.answer(event("x") + DONE))

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        with pytest.raises(SourceFailed, match=r"can't start new thread\. Try again"):
            next(texts(source.generate(ask())))
    assert list(texts(source.generate(ask()))) == ["x"]


def test_the_environment_sends_nothing_elsewhere(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-somebody")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-somebody")
    _, double = start(lambda exchange: exchange.answer(event("x") + DONE))
    source = new_source(double.base_url, key=None)
    assert list(texts(source.generate(ask()))) == ["x"]
    assert "of-somebody" not in str(double.exchanges[0].headers)
    assert "authorization" not in double.exchanges[0].headers
    source.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"base_url": None}, "TEXTSTREAM_OPENAI_BASE_URL"),
        ({"model": None}, "TEXTSTREAM_OPENAI_MODEL"),
        ({"base_url": "example.org/v1"}, "http://"),
        ({"base_url": "http:///v1"}, "http://"),
        ({"base_url": "http://[::1/v1"}, "no address"),
        ({"base_url": "http://a:port/v1"}, "no address"),
        ({"base_url": "http://a/v1#b"}, "behind #"),
        ({"base_url": "http://a/v 1"}, "%20"),
        ({"base_url": "http://a/v1/chat/completions?x=1"}, "end before /chat/completions"),
        ({"api_key": "sk-\n"}, "TEXTSTREAM_OPENAI_API_KEY"),
        ({"api_key": "clé"}, "TEXTSTREAM_OPENAI_API_KEY"),
    ],
)
def test_what_is_not_configured_is_named(settings: dict[str, Any], says: str) -> None:
    complete = {"base_url": "http://127.0.0.1:1/v1", "api_key": KEY, "model": "m", "timeout": 1.0}
    source = openai_source(**{**complete, **settings})
    with pytest.raises(SourceUnavailable, match=says):
        source.check()
    with pytest.raises(SourceUnavailable, match=says):
        next(texts(source.generate(ask())))


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SourceUnavailable, match=r"pip install 'textstream\[openai\]'"):
        new_source("http://127.0.0.1:1/v1").check()
