"""What applications answer, and how it comes to the client: all ways of PEP 3333."""

from __future__ import annotations

import gzip
import io
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.waiting import wait_until
from tests.transport.http.serving import TIMEOUT, Client, Serving, ServingMaker
from textstream.transport.http.files import FileBody
from textstream.transport.http.wsgi import SMALL, WsgiApp

LARGE = b"0123456789abcdef" * (1 << 18)  # 4 MB: more than all buffers take

OK = "200 OK"
Headers = list[tuple[str, str]]


def answering(
    body: Callable[[], Iterable[bytes]], headers: Headers | None = None, status: str = OK
) -> WsgiApp:
    """Return an application that answers each request so."""

    def app(_: Any, start_response: Any) -> Iterable[bytes]:
        start_response(status, list(headers or []))
        return body()

    return app


def pieces(*parts: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: (part for part in parts)


BIG_PIECES = pieces(*[b"x" * SMALL] * 3, b"end")
BIG = b"x" * (3 * SMALL) + b"end"


@pytest.mark.parametrize(
    ("served", "body", "framing"),
    [
        (answering(lambda: [b"ab", b"", b"c"]), b"abc", ("content-length", "3")),
        (answering(list), b"", ("content-length", "0")),
        (answering(lambda: [LARGE]), LARGE, ("content-length", str(len(LARGE)))),
        (answering(pieces(b"a", b"", b"bc")), b"abc", ("content-length", "3")),
        (answering(BIG_PIECES), BIG, ("transfer-encoding", "chunked")),
        (answering(BIG_PIECES, [("Transfer-Encoding", "gzip")]), BIG,
         ("transfer-encoding", "chunked")),
        (answering(BIG_PIECES, [("content-length", str(len(BIG)))]), BIG,
         ("content-length", str(len(BIG)))),
    ],
)  # fmt: skip
def test_bodies(
    serve: ServingMaker, served: WsgiApp, body: bytes, framing: tuple[str, str]
) -> None:
    client = serve(served).connect()
    for _ in range(2):  # the connection goes on behind each
        status, got, fields = client.ask()
        assert (status, got) == (200, body)
        assert fields[framing[0]] == framing[1]
        assert len({"content-length", "transfer-encoding"} & fields.keys()) == 1


def test_a_body_of_unknown_length_ends_a_connection_of_http_1_0(serve: ServingMaker) -> None:
    client = serve(answering(BIG_PIECES)).connect()
    client.get("/", "Connection: keep-alive", version="HTTP/1.0")
    head, _, body = client.rest().partition(b"\r\n\r\n")
    assert body == BIG
    assert b"Connection: close" in head
    assert b"chunked" not in head


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("body", [lambda: [b"no"], BIG_PIECES])
def test_answers_without_a_body(
    serve: ServingMaker, status: str, body: Callable[[], Iterable[bytes]]
) -> None:
    client = serve(answering(body, [("Content-Length", "2")], status)).connect()
    for _ in range(2):
        client.get()
        code, got, fields = client.answer()
        assert (code, got) == (int(status[:3]), b"")
        assert "transfer-encoding" not in fields
        assert ("content-length" in fields) == (code == 304)


@pytest.mark.parametrize(
    "body", [lambda: [b"body"], BIG_PIECES, lambda: FileBody(io.BytesIO(b"body"))]
)
def test_head_has_no_body(serve: ServingMaker, body: Callable[[], Iterable[bytes]]) -> None:
    client = serve(answering(body, [("Content-Length", "4")])).connect()
    for _ in range(2):
        client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        status, got, fields = client.answer("HEAD")
        assert (status, got, fields["content-length"]) == (200, b"", "4")


# What goes wrong.


def raising(error: BaseException, *, started: bool = False) -> WsgiApp:
    def app(_: Any, start_response: Any) -> Iterable[bytes]:
        if started:
            start_response(OK, [("Content-Length", "1000")])
        raise error

    return app


def no_start(_: Any, __: Any) -> list[bytes]:
    return [b"never started"]


def starts_twice(_: Any, start_response: Any) -> list[bytes]:
    start_response(OK, [])
    start_response(OK, [])
    return []


def late() -> Iterator[bytes]:
    yield b"some"
    raise KeyError("late")


BROKEN: dict[str, WsgiApp] = {
    "raises": raising(ValueError("secret")),
    "raises when it has started": raising(ValueError("secret"), started=True),
    "raises what a connection raises": raising(ConnectionRefusedError("of a database")),
    "exits": raising(SystemExit(3)),
    "never starts": no_start,
    "starts twice": starts_twice,
    "a generator raises": answering(late),
    "text, no bytes": answering(lambda: ["text"]),  # type: ignore[list-item]
    "shorter than its length": answering(lambda: [b"ab"], [("Content-Length", "3")]),
    "longer than its length": answering(lambda: [b"abcd"], [("Content-Length", "3")]),
    "a length that is none": answering(lambda: [b"abcd"], [("Content-Length", "four")]),
    "two lengths": answering(list, [("Content-Length", "1"), ("Content-Length", "2")]),
    "a line break in a header": answering(list, [("X", "a\r\nSet-Cookie: b")]),
    "not Latin-1": answering(list, [("X", "\u20ac")]),
    "no status": answering(list, [], "fine"),
    "a status that is none of an answer": answering(list, [], "101 Switching Protocols"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_fails_before_anything_is_sent_is_answered(
    serve: ServingMaker, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(BROKEN[name]).connect()
    for _ in range(2):
        status, body, _ = client.ask()
        assert status == 500
        assert b"secret" not in body
    client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.answer("HEAD")
    client.get()
    assert client.answer()[0] == 500
    assert "the application failed at a request" in caplog.text


def failing_later(error: BaseException, count: int = 3) -> Callable[[], Iterator[bytes]]:
    def body() -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * SMALL
        raise error

    return body


@pytest.mark.parametrize(
    "served",
    [
        answering(failing_later(ValueError("later"))),
        answering(failing_later(ConnectionResetError("of a database"))),
        answering(BIG_PIECES, [("Content-Length", str(len(BIG) + 1))]),
        answering(BIG_PIECES, [("Content-Length", str(len(BIG) - 1))]),
    ],
)
def test_what_fails_later_ends_the_connection(
    serve: ServingMaker, served: WsgiApp, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(served).connect()
    client.get()
    received = client.rest()
    assert received.count(b"HTTP/1.1") == 1
    assert not received.endswith(b"0\r\n\r\n"), "it would look whole"
    assert "the application failed at a request" in caplog.text


def test_an_error_page_takes_the_place_of_what_was_begun(serve: ServingMaker) -> None:
    def app(_: Any, start_response: Any) -> list[bytes]:
        write = start_response(OK, [("X-First", "1")])
        write(b"begun")
        start_response("503 Later", [], (ValueError, ValueError(), None))
        return [b"sorry"]

    status, body, fields = serve(app).connect().ask()
    assert (status, body) == (503, b"sorry")
    assert "x-first" not in fields


def test_an_error_page_that_comes_too_late_raises(serve: ServingMaker) -> None:
    def app(_: Any, start_response: Any) -> Iterator[bytes]:
        start_response(OK, [])
        yield b"x" * SMALL
        yield b"x" * SMALL
        start_response("500 Bad", [], (KeyError, KeyError("too late"), None))

    client = serve(app).connect()
    client.get()
    assert client.rest().count(b"HTTP/1.1") == 1


class Closing:
    """A body that notes that it was closed, and may fail at that."""

    def __init__(self, error: Exception | None = None) -> None:
        self.closed = threading.Event()
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"

    def close(self) -> None:
        self.closed.set()
        if self._error:
            raise self._error


def test_a_body_is_closed(serve: ServingMaker) -> None:
    body = Closing()
    assert serve(answering(lambda: body)).connect().ask()[1] == b"body"
    assert body.closed.wait(TIMEOUT)


def test_a_body_that_fails_when_it_is_closed_has_one_answer(
    serve: ServingMaker, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(answering(lambda: Closing(ValueError("closing")))).connect()
    for _ in range(3):
        assert client.ask()[:2] == (200, b"body")
    wait_until(lambda: caplog.text.count("failed after a request") == 3)


def test_what_is_written_comes_before_what_is_returned(serve: ServingMaker) -> None:
    def app(_: Any, start_response: Any) -> list[bytes]:
        write = start_response(OK, [])
        write(b"first, ")
        write(b"then, ")
        return [b"last"]

    assert serve(app).connect().ask()[1] == b"first, then, last"


# Files.


def files(path: Path, headers: Headers | None = None) -> WsgiApp:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(OK, list(headers or []))
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](path.open("rb"))
        return wrapped

    return app


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


def test_a_file(serve: ServingMaker, large_file: Path) -> None:
    client = serve(files(large_file, [("Content-Length", str(len(LARGE)))])).connect()
    for _ in range(2):
        assert client.ask()[:2] == (200, LARGE)


def test_a_file_ends_with_its_length(serve: ServingMaker, large_file: Path) -> None:
    client = serve(files(large_file, [("Content-Length", "100000")])).connect()
    for _ in range(2):
        assert client.ask()[:2] == (200, LARGE[:100_000])


def test_a_file_of_no_length_ends_with_the_connection(
    serve: ServingMaker, large_file: Path
) -> None:
    status, body, fields = serve(files(large_file)).connect().ask()
    assert (status, body, fields["connection"]) == (200, LARGE, "close")


def test_a_file_that_is_too_short_ends_the_connection(
    serve: ServingMaker, large_file: Path
) -> None:
    client = serve(files(large_file, [("Content-Length", str(len(LARGE) + 1))])).connect()
    client.get()
    assert client.rest().endswith(LARGE[-100:])


def hold(one: Serving) -> Client:
    """Ask as a client that does not read."""
    client = one.connect(buffer=4_096)
    client.get()
    one.wait_for(writing=1)
    return client


def test_who_does_not_read_a_file_holds_no_thread(serve: ServingMaker, large_file: Path) -> None:
    one = serve(files(large_file, [("Content-Length", str(len(LARGE)))]))
    for _ in range(3):
        client = one.connect(buffer=4_096)
        client.get()
    one.wait_for(writing=3)
    wait_until(lambda: one.front.counts()["requests"]["busy"] == 0)
    assert client.answer()[1] == LARGE


def test_who_reads_no_file_is_closed_and_so_is_the_file(
    serve: ServingMaker, large_file: Path
) -> None:
    one = serve(files(large_file, [("Content-Length", str(len(LARGE)))]))
    client = hold(one)
    one.advance(16)
    with pytest.raises(ConnectionResetError):
        client.rest()
    one.wait_for(writing=0)


def test_who_reads_no_generator_frees_its_thread(serve: ServingMaker) -> None:
    ended = threading.Event()

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * SMALL
        finally:
            ended.set()

    one = serve(answering(body))
    hold(one)
    assert one.front.counts()["requests"]["busy"] == 1
    assert not ended.is_set()
    one.advance(16)
    assert ended.wait(TIMEOUT)
    wait_until(lambda: one.front.counts()["requests"]["busy"] == 0)


def test_a_file_that_may_wait_is_read_by_a_thread(serve: ServingMaker) -> None:
    read, write = os.pipe()
    with open(write, "wb") as there:  # noqa: PTH123 (of a descriptor)

        def app(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response(OK, [])
            wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](open(read, "rb"))  # noqa: PTH123, SIM115
            return wrapped

        one = serve(app)
        client = one.connect()
        client.get()
        one.wait_for(working=1)
        one.settle()  # the reactor does not wait for the pipe
        there.write(b"at last")
    assert client.answer()[1] == b"at last"


def test_which_files_may_be_read_by_the_reactor(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(b"data")
    with path.open("rb") as plain, gzip.open(path) as unpacked, path.open("rb", 0) as raw:
        assert FileBody(plain).is_plain
        assert FileBody(raw).is_plain
        assert FileBody(io.BytesIO()).is_plain
        assert not FileBody(unpacked).is_plain
    assert not FileBody(plain).is_plain, "it is closed"
    read, write = os.pipe()
    os.close(write)
    with open(read, "rb") as pipe:  # noqa: PTH123
        assert not FileBody(pipe).is_plain


def test_what_is_asked_is_logged_at_debug_only(
    serve: ServingMaker, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(answering(list)).connect()
    with caplog.at_level(logging.DEBUG, "textstream.http"):
        client.ask("/socket.io/?sid=secret")
    assert "GET /socket.io/" in caplog.text
    assert "secret" not in caplog.text
