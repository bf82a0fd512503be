"""The bodies of polling requests, before and while their packets are handled."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from engineio.exceptions import ContentTooLongError

from tests.transport.manual_reactor import ManualReactor
from textstream.transport.bounds import LARGE, Bounds, Limit, Parts
from textstream.transport.large import Large
from textstream.transport.packets import MalformedPacketError
from textstream.transport.posts import READ, dismiss, length_of, measured, read, split
from textstream.transport.reactor import Timer


@pytest.mark.parametrize("length", ["-5", "x", "11"])
def test_a_length_that_makes_no_sense_is_refused_before_anything_is_read(length: str) -> None:
    with pytest.raises((ValueError, ContentTooLongError)):
        length_of({"CONTENT_LENGTH": length}, 10)


def test_separators_are_counted_before_there_are_packets() -> None:
    assert split(bytearray(b"a\x1eb"), 2) == [b"a", b"b"]
    with pytest.raises(MalformedPacketError, match="more than 2 packets"):
        split(bytearray(b"\x1e" * 2_000_000), 2)


def never(_seconds: float, _callback: Callable[[], None]) -> Timer:
    raise AssertionError("nothing is waited for")


def test_a_body_is_read_whole_where_nobody_has_its_socket() -> None:
    assert read({"wsgi.input": io.BytesIO(b"abcdef")}, 5, 1, never) == b"abcde"


@pytest.mark.parametrize("key", ["werkzeug.socket", "gunicorn.socket"])
def test_a_body_that_comes_byte_by_byte_has_its_time_in_all(key: str) -> None:
    reactor = ManualReactor()
    with closing_pair() as (theirs, ours), ours.makefile("rb") as stream:
        environ = {"wsgi.input": stream, key: ours}
        theirs.sendall(b"ab")
        passing = threading.Thread(target=lambda: reactor.advance(30))

        def call_later(seconds: float, callback: Callable[[], None]) -> Timer:
            timer = reactor.call_later(seconds, callback)
            passing.start()
            return timer

        with pytest.raises(MalformedPacketError, match="took longer than 30 s"):
            read(environ, 5, 30, call_later)
        passing.join()
        assert not reactor.waiting


@contextmanager
def closing_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield theirs, ours


def test_a_body_that_is_there_is_read_without_regard_to_the_time() -> None:
    reactor = ManualReactor()
    with closing_pair() as (theirs, ours), ours.makefile("rb") as stream:
        theirs.sendall(b"abcdef")
        environ = {"wsgi.input": stream, "gunicorn.socket": ours}
        assert read(environ, 5, 30, reactor.call_later) == b"abcde"
        assert not reactor.waiting
        assert READ in environ


def test_what_was_not_read_of_a_refused_request_is_not_waited_for() -> None:
    with closing_pair() as (theirs, ours):
        environ = {"gunicorn.socket": ours, "CONTENT_LENGTH": "100"}
        theirs.sendall(b"a part")
        dismiss({**environ, READ: True})
        assert ours.recv(1, socket.MSG_PEEK) == b"a"
        for length in ("-3", "abc", "1e3", "²", " 3", "", "0x3"):  # Werkzeug hands on what came
            dismiss({**environ, "CONTENT_LENGTH": length})
        dismiss({**environ, "CONTENT_LENGTH": "0"})
        assert ours.recv(1, socket.MSG_PEEK) == b"a"
        dismiss(environ)
        assert ours.recv(100) == b"", "the end, and no wait for it"
        ours.sendall(b"an answer")
        assert theirs.recv(100) == b"an answer"


def measure(
    *packets: str, **bounds: Any
) -> tuple[list[str | bytes], list[tuple[str, str, int, Limit]]]:
    told: list[tuple[str, str, int, Limit]] = []
    given = [bytearray(packet.encode()) for packet in packets]
    taken = list(measured("sid", given, Bounds(**bounds), lambda *what: told.append(what)))
    assert given == []
    return [one.take() if isinstance(one, Large) else one for one in taken], told


def test_a_packet_that_is_too_large_is_told_and_the_others_are_handled() -> None:
    plain = '42["describe_stream","' + "é" * 200 + '"]'
    taken, told = measure("40", plain, '42["b"]', max_plain=300)
    assert taken == ["40", '42["b"]']
    assert told == [("sid", plain, len(plain.encode()), Limit.PLAIN)]


def test_a_large_packet_of_many_parts_is_told() -> None:
    keys = '42["start_stream",{' + ",".join(f'"{n}":1' for n in range(20_000)) + "}]"
    text = '42["start_stream",{"text":"' + "x" * LARGE + '"}]'
    taken, told = measure(keys, text, max_parts=Parts())
    assert taken == [text]
    assert [limit for *_, limit in told] == [Limit.PARTS]


def test_a_large_binary_packet_ends_the_session() -> None:
    small, large = "b" + "A" * 400, "b" + "A" * 404
    assert measure(small, max_plain=300) == ([small], [])
    assert measure(large) == ([large], [])
    with pytest.raises(MalformedPacketError, match="303 bytes"):
        measure(large, max_plain=300)
