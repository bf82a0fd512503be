"""The request line of a head (RFC 9112, 3). No I/O."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from textstream.transport.http.bad_head import BadHead, echo
from textstream.transport.http.fields import TOKEN

MAX_TARGET = 8_192
"""Bytes of a target. At least 8,000 should be taken for the whole line (RFC 9112, 3)."""

MAX_METHOD = 20
"""Characters of a method. The longest that is registered (RFC 9110, 18.2) has 17."""

MAX_LINE = MAX_METHOD + MAX_TARGET + len("  HTTP/1.1")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_VERSION = re.compile(r"HTTP/[0-9](?:\.[0-9])?")
_ABSOLUTE = re.compile(r"https?://([^/?:][^/?]*)(.*)", re.IGNORECASE)

_BAD = HTTPStatus.BAD_REQUEST


def parse_request_line(line: str) -> tuple[str, str, str]:
    """Return method, target and version, each as sent.

    Raises:
        BadHead: with 400, 501 (CONNECT) or 505.

    """
    try:
        method, target, version = line.split(" ")
    except ValueError:
        cure = f"The request line {echo(line)} is none. Send one such as GET / HTTP/1.1."
        raise BadHead(_BAD, cure) from None
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        if not _VERSION.fullmatch(version):
            raise BadHead(_BAD, f"{echo(version)} is no version of HTTP. Send HTTP/1.1.")
        cure = f"{version} is not spoken here. Send HTTP/1.1."
        raise BadHead(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, cure)
    if method not in _METHODS:
        if method == "CONNECT":
            cure = "This server is no proxy: it has no CONNECT. Send the request itself."
            raise BadHead(HTTPStatus.NOT_IMPLEMENTED, cure)
        if len(method) > MAX_METHOD or not TOKEN.fullmatch(method):
            raise BadHead(_BAD, f"{echo(method)} is no method. Send one such as GET.")
    return method, target, version


def split_target(method: str, target: str) -> tuple[str | None, str, str]:
    """Return the host that a target names, if it is an absolute one; path; and query.

    Raises:
        BadHead: with 400 or 414.

    """
    if len(target) > MAX_TARGET:
        raise target_too_long()
    if not target.isascii() or "\t" in target or "#" in target:
        cure = f"The target {echo(target)} is none. Escape it with %, and send no fragment."
        raise BadHead(_BAD, cure)
    host = None
    if target[:1] != "/":
        if target == "*" and method == "OPTIONS":
            return None, target, ""
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            cure = f"The target {echo(target)} is none. Send the path, from its first slash."
            raise BadHead(_BAD, cure)
        host, target = absolute.groups()
    path, _, query = target.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    return host, path or "/", query


def target_too_long() -> BadHead:
    """Return the refusal of a target of more than `MAX_TARGET` bytes."""
    cure = f"The target is too long. Send at most {MAX_TARGET} bytes; more fits in a body."
    return BadHead(HTTPStatus.REQUEST_URI_TOO_LONG, cure)
