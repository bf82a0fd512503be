"""Why there is no connection: the true reason, and at once where it does not pass by itself."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import socketio
from werkzeug.serving import make_server

from tests.client.asking import Ask
from textstream import errors
from textstream.client import ReconnectPolicy, StreamClient
from textstream.client.failures import (
    cause_of,
    cause_of_response,
    refusal,
    refused_for_good,
)

AT_ONCE = ReconnectPolicy(first_give_up_after=0)


def test_a_name_that_is_not_found_is_said(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    lookups = []

    def not_found(*asked: object, **_more: object) -> list[object]:
        lookups.append(asked)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    with (
        StreamClient("http://no-such-host.example:5002") as client,
        pytest.raises(errors.ServerUnreachable, match=r"\(name not found: .*\). Check the") as no,
    ):
        ask(client)
    assert not no.value.retryable
    assert len(lookups) == 1, "what does not pass by itself is not tried again"


def test_a_server_that_never_answers_timed_out(ask: Ask) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        StreamClient(
            f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2, reconnect=AT_ONCE
        ) as client,
        pytest.raises(errors.ServerUnreachable, match=r"timed out: no answer in 0\.2 s"),
    ):
        ask(client)


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """Serve the same bytes to whoever comes, and close."""

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.recv(65_536)
                peer.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def http_answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


PAGE = b"<!doctype html><title>nginx</title>"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (http_answer("200 OK", PAGE), "not a textstream server"),
        (http_answer("200 OK", b"0{}"), "not a textstream server"),
        (http_answer("404 Not Found", PAGE), "HTTP status 404"),
        (http_answer("301 Moved", b"", "Location: https://h/"), "moved to https://h/"),
        (http_answer("308 Moved", PAGE, "Location: /stream/"), "moved to /stream/"),
        (http_answer("403 Forbidden", PAGE), "refuses the connection (HTTP status 403)"),
        (
            http_answer("421 Misdirected Request", b'{"message": "x is no name of this server."}'),
            "refuses the connection (HTTP status 421: x is no name of this server)",
        ),
        (http_answer("401 Unauthorized", b"null"), "refuses the connection (HTTP status 401)"),
        (http_answer("400 Bad", b'"Not an accepted origin."'), "400: Not an accepted origin)"),
        (http_answer("400 Bad", b'{"message": "No."}'), "(HTTP status 400: No)"),
        (http_answer("400 Bad Request", PAGE), "HTTP status 400"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
    ],
    ids=str,
)
def test_what_is_no_textstream_server_is_told_at_once(raw: bytes, says: str, ask: Ask) -> None:
    with (
        answering(raw) as url,
        StreamClient(url) as client,
        pytest.raises(errors.TextStreamError) as no,
    ):
        ask(client)
    assert says in no.value.message
    assert isinstance(no.value, errors.ServerUnreachable | errors.StreamFailed)
    assert not no.value.retryable


def test_whoever_has_too_many_connections_is_told_so_and_may_come_again(ask: Ask) -> None:
    body = b'{"code": "rate_limited", "message": "This address has 64 connections."}'
    with (
        answering(http_answer("429 Too Many Requests", body)) as url,
        StreamClient(url, reconnect=AT_ONCE) as client,
        pytest.raises(errors.ServerUnreachable) as no,
    ):
        ask(client)
    said = "refuses the connection (HTTP status 429: This address has 64 connections)."
    assert said in no.value.message
    assert no.value.retryable


def test_a_connection_that_is_closed_is_told(ask: Ask) -> None:
    with (
        answering(b"") as url,
        StreamClient(url, reconnect=AT_ONCE) as client,
        pytest.raises(errors.ServerUnreachable, match="closed before an answer came"),
    ):
        ask(client)


def test_the_application_s_own_refusal() -> None:
    plain = refusal("http://h", {"message": "Go away."})
    assert plain.message == "The server at http://h refuses the connection (Go away)."
    coded = {"message": "x", "data": {"code": "unauthorized", "message": "Who are you?"}}
    assert isinstance(refusal("http://h", coded), errors.Unauthorized)
    for nonsense in (None, {}, 3, {"message": 3}, {"data": {"code": "x"}}):
        assert "it gave no reason" in refusal("http://h", nonsense).message
    later = {"data": {"code": "shutting_down", "message": "Later."}}
    assert not refused_for_good(refusal("http://h", later))
    assert refused_for_good(plain)
    assert refused_for_good(refusal("http://h", coded))


def test_a_long_refusal_is_shortened() -> None:
    response = requests.Response()
    response.status_code = 400
    response._content = b'{"message": "%b"}' % (b"no " * 10_000)
    assert len(cause_of_response(response).reason) < 300
    response._content = b"\xff\xfe"
    assert cause_of_response(response).reason == "HTTP status 400"


def test_what_the_network_says() -> None:
    def because(error: BaseException) -> str:
        wrapped = RuntimeError("wrapped")
        wrapped.__cause__ = error
        return cause_of(wrapped, 1.5).reason

    assert because(OSError(errno.ENETUNREACH, "Network is unreachable")) == "network is unreachable"
    assert because(ConnectionResetError()).startswith("the connection was closed")
    assert because(TimeoutError()) == "timed out: no answer in 1.5 s"
    temporary = cause_of(socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), 1)
    assert temporary.passes
    proxied = requests.exceptions.ProxyError(ConnectionRefusedError())
    assert cause_of(proxied, 1).reason == "the HTTP proxy: connection refused"


@contextmanager
def refusing(*reasons: object) -> Iterator[tuple[str, list[object]]]:
    """Serve Socket.IO to whose every connection the application says no, and why."""
    came: list[object] = []
    # Its threads end with a ping that finds nobody.
    refusals = socketio.Server(
        async_mode="threading", monitor_clients=False, ping_interval=0.2, logger=False
    )

    @refusals.on("connect")
    def connect(sid: str, _environ: object, _auth: object = None) -> None:
        came.append(sid)
        raise socketio.exceptions.ConnectionRefusedError(*reasons)

    app = socketio.WSGIApp(refusals)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.live
@pytest.mark.parametrize("transports", [None, ["polling"]], ids=str)
def test_a_refusal_is_not_tried_again(transports: list[str] | None) -> None:
    with (
        refusing("Members only.", {"hint": 1}) as (url, came),
        StreamClient(url, transports=transports) as client,
    ):
        with pytest.raises(errors.ServerUnreachable, match=r"refuses .*\(Members only\)") as no:
            client.stream("x")
        assert not no.value.retryable
        assert len(came) == 1


@pytest.mark.live
def test_a_refusal_with_a_code_of_ours_is_that_error() -> None:
    data = {"code": "unauthorized", "message": "Who are you?"}
    with refusing("no", data) as (url, came), StreamClient(url) as client:
        with pytest.raises(errors.Unauthorized, match="Who are you"):
            client.stream("x")
        assert len(came) == 1
