"""Requests that are mutated at random."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.transport.http.heads import get, post

CHUNKS = post("Transfer-Encoding: chunked") + b"5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n"

WHOLE = (
    get("Connection: Upgrade", "Upgrade: websocket", "Origin: http://x", target="/socket.io/?a=b"),
    get("Accept: a", "Cookie: b=1", "accept: c", "cookie: d=2", "Connection: close"),
    get(version="HTTP/1.0", host=""),
    get(target="http://y/a%20b?c"),
    get(target="*").replace(b"GET", b"OPTIONS"),
    post("Content-Length: 5") + b"hello",
    post("Expect: 100-continue", "Content-Length: 2", "Content-Type: a") + b"hi" + get(),
    post("Connection: keep-alive", "Content-Length: 0"),
    CHUNKS + b"\r\n",
    CHUNKS + b"X: y\r\nA-B: c\r\n\r\n" + get(),
    post("Transfer-Encoding: chunked", "Expect: 100-continue") + b"00a\r\n0123456789\r\n0\r\n\r\n",
)

PARTS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"\n\r\n", b"\r\n ", b"\r\n\t", b"\0", b"\t", b" ",
    b":", b": ", b" :", b",", b";", b"_", b"-", b"%", b"%0d%0a", b"#", b"?", b"/", b"*", b"\x7f",
    b"\x80", b"\x85", b"\xa0", b"\xff", b"\x0b", b"\x1f", b'"', b"(", b"@", b"0", b"5",
    b"9" * 20, b"f" * 9, b"+",
    b"Host: x\r\n", b"Host: y\r\n", b"host:\r\n", b"Content-Length: 5\r\n", b"content-length:3\r\n",
    b"Content-Length: 5, 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n",
    b"transfer-encoding:\tCHUNKED \r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n", b"X_Y: z\r\n", b"X: y\r\n", b"Upgrade: websocket\r\n",
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"CONNECT ", b"OPTIONS ", b"HEAD ",
    b"x", b"http://z", b"https://", b"z:80", b"0\r\n\r\n", b"1\r\na\r\n", b"5;a=b\r\n", b"5 \r\n",
)  # fmt: skip
"""What hurts: inserted, or put in the place of something."""


def mutated(chance: random.Random) -> bytes:
    """Return a request after up to five mutations, or none."""
    data = chance.choice(WHOLE)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        data = chance.choice(MUTATIONS)(chance, data)
    return data


def pieces(chance: random.Random, data: bytes) -> Iterator[bytes]:
    """Yield `data` in pieces of random sizes."""
    size = chance.choice((1, 5, 50, 100_000))
    at = 0
    while at < len(data):
        step = chance.randint(1, size)
        yield data[at : at + step]
        at += step


def _insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(PARTS) + data[at:]


def _replace(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    part = chance.choice(PARTS)
    return data[:at] + part + data[at + chance.choice((1, 2, len(part))) :]


def _change(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _leave_out(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 4) :]


def _add_line(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    part = chance.choice(PARTS).strip(b"\r\n")
    lines.insert(chance.randint(0, len(lines)), chance.choice((part, chance.choice(lines))))
    return b"\r\n".join(lines)


def _leave_out_line(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _repeat(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    end = at + chance.randint(1, 30)
    return data[:end] + data[at:end] * chance.choice((1, 1, 1, 120)) + data[end:]


def _splice(chance: random.Random, data: bytes) -> bytes:
    other = chance.choice(WHOLE)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


MUTATIONS = (
    _insert, _replace, _change, _leave_out, _add_line, _add_line, _leave_out_line, _repeat, _splice,
)  # fmt: skip
