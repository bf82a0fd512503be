"""The fields of a head: names, values, and what they say about the body. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from textstream.transport.http.bad_head import BadHead, echo

MAX_LENGTH = 10**15
"""Bytes that Content-Length may declare. What a body may have says whoever reads it."""

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2

_VISIBLE = bytes(set(range(256)) - {*range(0x20), 0x7F} | {0x09})
"""What may stand in a line: all but control characters; the tab is white space (RFC 9110, 5.5)."""

_MAX_DIGITS = 19
_HOST = re.compile(  # RFC 9110, 7.2; RFC 3986, 3.2.2
    r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?"
)
_ONCE = {"HTTP_HOST": "Host", "CONTENT_LENGTH": "Content-Length"}
"""Fields whose repetition says nothing good (RFC 9112, 3.2 and 6.3)."""

_FOLDED = "A field goes on in a second line (RFC 9112, 5.2). Send it in one."
_BAD = HTTPStatus.BAD_REQUEST


def has_controls(data: bytes | bytearray) -> bool:
    """Return whether `data` has control characters that are neither a tab nor part of a CR LF."""
    # If there are as many pairs as half of them, they are all in pairs.
    return len(data.translate(None, _VISIBLE)) != 2 * data.count(b"\r\n")


class EnvironKeys(dict[str, str]):
    """Names of fields, as sent, to keys of a WSGI environ. Those that are new are verified.

    It stops growing, so that made-up names take only so much memory, and it has the usual ones
    from the beginning, so that made-up ones do not keep them out.
    """

    MOST = 1_024
    LONGEST = 64

    def __missing__(self, name: str) -> str:
        """Return the key of a name.

        Raises:
            BadHead: it is no name, or one that would be taken for another.

        """
        if not TOKEN.fullmatch(name):
            if name[:1] in {" ", "\t"}:
                cure = _FOLDED
            else:
                cure = f"The name of a field, {echo(name)}, is no token (RFC 9110, 5.1)."
            raise BadHead(_BAD, cure)
        if "_" in name:
            cure = f"The field {echo(name)} has '_', which WSGI takes for '-'. Send it with '-'."
            raise BadHead(_BAD, cure)
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        if len(self) < self.MOST and len(name) <= self.LONGEST:
            self[name] = key
        return key


ENVIRON_KEYS = EnvironKeys()
_USUAL = (
    "Accept Accept-Encoding Accept-Language Access-Control-Request-Headers "
    "Access-Control-Request-Method Authorization Cache-Control Connection Content-Length "
    "Content-Type Cookie Expect Host If-None-Match Origin Pragma Referer Sec-Fetch-Dest "
    "Sec-Fetch-Mode Sec-Fetch-Site Sec-WebSocket-Extensions Sec-WebSocket-Key "
    "Sec-WebSocket-Protocol Sec-WebSocket-Version Transfer-Encoding Upgrade User-Agent Via "
    "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP"
)
for _name in _USUAL.split():
    # Browsers write them so, and in lower case what comes by HTTP/2 and many libraries.
    ENVIRON_KEYS[_name] = ENVIRON_KEYS[_name.lower()]


def parse_fields(lines: Iterable[str]) -> dict[str, str]:
    """Return fields, or trailers, by their keys in an environ. For characters see `has_controls`.

    Raises:
        BadHead: with 400: one is none, or comes twice and must not.

    """
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _no_field(line)
        key = ENVIRON_KEYS[name]
        value = value.strip(" \t")
        if key in fields:
            value = _join(key, fields[key], value)
        fields[key] = value
    return fields


def _no_field(line: str) -> BadHead:
    if line[:1] in {" ", "\t"}:
        return BadHead(_BAD, _FOLDED)
    return BadHead(_BAD, f"The line {echo(line)} has no colon: it is no field.")


def _join(key: str, before: str, value: str) -> str:
    """Return the value of a field that came before (RFC 9110, 5.3; RFC 9113, 8.2.3)."""
    if key in _ONCE:
        raise BadHead(_BAD, f"{_ONCE[key]} comes twice. Send it once.")
    return f"{before}; {value}" if key == "HTTP_COOKIE" else f"{before}, {value}"


def body_framing(fields: dict[str, str], *, http11: bool) -> tuple[int, bool]:
    """Return how many bytes of body are declared, and whether it comes in chunks (RFC 9112, 6.3).

    Raises:
        BadHead: with 400, 413 (too long to be meant) or 501 (another coding than chunked).

    """
    length = fields.get("CONTENT_LENGTH")
    coding = fields.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if not http11:
            cure = "HTTP/1.0 has no Transfer-Encoding. Send Content-Length, or HTTP/1.1."
            raise BadHead(_BAD, cure)
        if length is not None:
            cure = "Content-Length and Transfer-Encoding are both there. Send one of them."
            raise BadHead(_BAD, cure)
        if coding.lower() != "chunked":
            cure = f"Transfer-Encoding {echo(coding)} is not known here. Send chunked alone."
            raise BadHead(HTTPStatus.NOT_IMPLEMENTED, cure)
        return 0, True
    if length is None:
        return 0, False
    if not (length.isascii() and length.isdigit()):
        cure = f"Content-Length {echo(length)} is no number. Send one, in plain digits."
        raise BadHead(_BAD, cure)
    # Zeros before it are none that anybody sends, and int() takes no more than 4,300 digits.
    if len(length) > _MAX_DIGITS or int(length) > MAX_LENGTH:
        cure = f"Content-Length {echo(length)} is too large. Send less."
        raise BadHead(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, cure)
    return int(length), False


def verify_host(host: str | None, *, http11: bool) -> None:
    """Refuse a Host that is missing or none (RFC 9112, 3.2).

    Raises:
        BadHead: with 400.

    """
    if host is None:
        if http11:
            raise BadHead(_BAD, "Host is missing. Send it once.")
    elif not _HOST.fullmatch(host):
        raise BadHead(_BAD, f"Host {echo(host)} is no host. Send a name and, if need be, a port.")


_USUAL_ALIVE = frozenset({None, "Upgrade", "keep-alive", "Keep-Alive", "keep-alive, Upgrade"})
"""What nearly all requests of HTTP/1.1 that keep their connection have in ``Connection``."""


def keeps_alive(connection: str | None, *, http11: bool) -> bool:
    """Return whether the connection serves a further request (RFC 9112, 9.3)."""
    if http11 and connection in _USUAL_ALIVE:
        return True
    if connection is None:
        return False
    options = [option.strip(" \t") for option in connection.lower().split(",")]
    return "close" not in options and (http11 or "keep-alive" in options)


def expects_continue(expect: str | None, *, http11: bool) -> bool:
    """Return whether the client wants to be told to go on (RFC 9110, 10.1.1).

    Raises:
        BadHead: with 417: it expects something else.

    """
    if expect is None or not http11:
        return False
    if expect.lower() != "100-continue":
        cure = f"Expect {echo(expect)} cannot be met. Send 100-continue, or none."
        raise BadHead(HTTPStatus.EXPECTATION_FAILED, cure)
    return True
