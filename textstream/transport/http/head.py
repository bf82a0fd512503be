"""Heads of HTTP/1.1 requests, from bytes to what a WSGI application asks for. No I/O.

RFC 9112, and stricter: what two parsers could read in two ways is refused, since a proxy before
this server may have read it in the other way (request smuggling; RFC 9112, 11.2). A library's
parser is not used because of its time: for the head of a browser's WebSocket handshake (13 fields,
644 bytes) h11 0.16 takes 39 µs, Werkzeug 3.1 59, `find_end` and `parse_head` 8.5 (CPython 3.11, the
same run). That h11 understands the same is tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from textstream.transport.http.bad_head import BadHead, echo
from textstream.transport.http.fields import (
    body_framing,
    expects_continue,
    has_controls,
    keeps_alive,
    parse_fields,
    verify_host,
)
from textstream.transport.http.request_line import (
    MAX_LINE,
    parse_request_line,
    split_target,
    target_too_long,
)

__all__ = ["MAX_FIELDS", "MAX_HEAD", "BadHead", "Head", "find_end", "parse_head"]

MAX_HEAD = 16_384
"""Bytes of a head, from the request line to the empty line behind the fields."""

MAX_FIELDS = 100

MAX_EMPTY_LINES = 4
"""Before a request line. Old clients send one behind a body (RFC 9112, 2.2)."""

_SPACE = 0x20
_TLS = b"\x16\x03"
"""How a client of TLS begins (RFC 8446, 5.1)."""

_BAD = HTTPStatus.BAD_REQUEST


@dataclass(slots=True)
class Head:
    """A request without its body.

    Attributes:
        method: a token, as sent; its case matters.
        target: as sent.
        path: ``PATH_INFO``: what stood before the query, each %-escape as the byte it means, and
            each byte as a character of Latin-1 (PEP 3333). ``*`` of OPTIONS stays.
        query: ``QUERY_STRING``, as sent.
        version: ``HTTP/1.1`` or ``HTTP/1.0``.
        fields: by their names in a WSGI environ. Repeated ones are joined (RFC 9110, 5.3).
            ``HTTP_HOST`` is the one of an absolute target, if there is one (RFC 9112, 3.2.2).
        length: bytes of body that Content-Length declares, 0 to 10**15; 0: none.
        chunked: the body comes in chunks.
        keep_alive: the connection serves a further request (RFC 9112, 9.3).
        expects_continue: the client waits for 100 before it sends its body (RFC 9110, 10.1.1).

    """

    method: str
    target: str
    path: str
    query: str
    version: str
    fields: dict[str, str]
    length: int
    chunked: bool
    keep_alive: bool
    expects_continue: bool


def find_end(data: bytes | bytearray, start: int = 0) -> int:
    """Return the index just behind the head that `data` begins with, -1 if it is not whole yet.

    Where it shows already that no head will come of it, the length of `data` is returned, so that
    `parse_head` says at once what is wrong: another protocol such as TLS, more than `MAX_HEAD`
    bytes. A head whose lines end in LF alone has an end too, for the same reason.

    Args:
        data: all that has come since the request before.
        start: how much of it was searched before, so that pieces cost no more than the whole.

    """
    begin = 0
    if data and data[0] <= _SPACE:  # no method begins so
        while data.startswith(b"\r\n", begin) and begin <= 2 * MAX_EMPTY_LINES:
            begin += 2
        first = data[begin : begin + 2]
        if first and first != b"\r" and first[0] <= _SPACE:
            return len(data)
    since = max(begin, start - 2)
    end = data.find(b"\n\r\n", since)
    if end >= 0:
        return end + 3
    bare = data.find(b"\n\n", since)
    if bare >= 0:
        return bare + 2
    return len(data) if len(data) > MAX_HEAD else -1


def parse_head(data: bytes | bytearray) -> Head:
    """Return what the head `data` says; it ends where `find_end` says.

    Raises:
        BadHead: with 400, or 413 (Content-Length), 414 (target), 417 (Expect), 431 (size, number
            of fields), 501 (Transfer-Encoding, CONNECT), 505 (version).

    """
    if len(data) > MAX_HEAD:
        raise _too_large(data)
    if has_controls(data):
        raise _control(data)
    lines = data.decode("latin-1").split("\r\n")
    if not lines[0]:
        lines = _skip_empty(lines)
    if lines[-2:] != ["", ""]:
        raise BadHead(_BAD, "The head has no end. Send an empty line behind the fields.")
    if len(lines) - 3 > MAX_FIELDS:
        cure = f"There are {len(lines) - 3} fields. Send at most {MAX_FIELDS}."
        raise BadHead(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, cure)
    method, target, version = parse_request_line(lines[0])
    http11 = version == "HTTP/1.1"
    fields = parse_fields(lines[1:-2])
    host, path, query = split_target(method, target)
    verify_host(fields.get("HTTP_HOST"), http11=http11)
    if host is not None:
        verify_host(host, http11=http11)
        fields["HTTP_HOST"] = host
    length, chunked = body_framing(fields, http11=http11)
    alive = keeps_alive(fields.get("HTTP_CONNECTION"), http11=http11)
    expects = expects_continue(fields.get("HTTP_EXPECT"), http11=http11)
    waits = expects and (chunked or length > 0)  # without a body there is nothing to wait for
    # By position: by keyword it takes half a microsecond more.
    return Head(method, target, path, query, version, fields, length, chunked, alive, waits)


def _too_large(data: bytes | bytearray) -> BadHead:
    line = bytes(data[: MAX_HEAD + 1]).lstrip(b"\r\n").split(b"\r\n", 1)[0]
    if len(line) > MAX_LINE:
        return target_too_long()
    cure = f"The head is too large. Send at most {MAX_HEAD} bytes, cookies included."
    return BadHead(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, cure)


def _skip_empty(lines: list[str]) -> list[str]:
    empty = next((number for number, line in enumerate(lines) if line), len(lines))
    if empty > MAX_EMPTY_LINES or empty == len(lines):
        raise BadHead(_BAD, "There is no request line, only empty ones. Send one.")
    return lines[empty:]


def _control(data: bytes | bytearray) -> BadHead:
    """Return what is wrong with a head that has control characters."""
    if data.startswith(_TLS):
        return BadHead(_BAD, "This is TLS, and plain HTTP is spoken here. Use http:// or ws://.")
    first = re.sub(rb"\r\n|[^\x00-\x08\x0a-\x1f\x7f]", b"", data)[:1]
    if first == b"\n":
        return BadHead(_BAD, "A line ends in LF alone. End each line of the head in CR LF.")
    if first == b"\r":
        return BadHead(_BAD, "A CR stands alone. End each line of the head in CR LF.")
    cure = f"The control character {echo(first.decode('latin-1'))} is in the head. Leave it out."
    return BadHead(_BAD, cure)
