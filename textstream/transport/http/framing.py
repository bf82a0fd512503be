"""The head of an application's answer, and how its body is framed (RFC 9112, 6)."""

from __future__ import annotations

import re
from typing import NamedTuple

from textstream.transport.http.answers import head as answer_head
from textstream.transport.http.head import Head

Headers = list[tuple[str, str]]

_STATUS = re.compile(r"[2-9][0-9]{2} .*")
"""A final one. What comes before it (1xx) is the server's to say."""

_OURS = frozenset({"connection", "content-length", "transfer-encoding"})
"""Fields that say how the connection goes on. Of the application's, the last means nothing here:
it has no say in that (PEP 3333, "Other HTTP Features")."""


class Framing(NamedTuple):
    """How an answer is sent.

    Attributes:
        head: its head.
        has_body: whether a body may follow.
        length: bytes of the body, if that is known.
        chunked: whether it comes in chunks. If neither, its end is the connection's.
        keep: whether another request may follow.

    """

    head: bytes
    has_body: bool
    length: int | None
    chunked: bool
    keep: bool


def frame(
    request: Head,
    status: str,
    headers: Headers,
    *,
    size: int | None,
    keep: bool,
    may_chunk: bool = True,
) -> Framing:
    """Return how to send an answer.

    Args:
        request: what is answered.
        status: as the application has it, ``200 OK``.
        headers: the application's.
        size: bytes of the body, where all of it is there.
        keep: whether another request may follow, if nothing speaks against it.
        may_chunk: whether a body of unknown size can be sent in chunks.

    Raises:
        RuntimeError: status or Content-Length are none, or the body has another length.
        ValueError: a header has a line break, or what is not Latin-1.

    """
    if not _STATUS.fullmatch(status):
        raise RuntimeError(f"{status!r} is no status of an answer")
    http11 = request.version == "HTTP/1.1"
    has_body = request.method != "HEAD" and status[:3] not in {"204", "304"}
    length = _length(headers)
    if has_body:
        if size is not None and length is not None and size != length:
            raise RuntimeError(f"Content-Length is {length}, the body has {size} bytes")
        length = size if size is not None else length
    chunked = has_body and length is None and http11 and may_chunk
    keep = keep and (chunked or length is not None or not has_body)  # or its end is the body's
    options, keep = _connection_options(headers, keep=keep, http11=http11)
    sent = [(name, value) for name, value in headers if name.lower() not in _OURS]
    if options:
        sent.append(("Connection", ", ".join(options)))
    if chunked:
        sent.append(("Transfer-Encoding", "chunked"))
    elif length is not None and status[:3] != "204":  # which has none (RFC 9110, 8.6)
        sent.append(("Content-Length", str(length)))
    return Framing(answer_head(status, sent), has_body, length, chunked, keep)


def _connection_options(headers: Headers, *, keep: bool, http11: bool) -> tuple[list[str], bool]:
    """Return what ``Connection`` says, and whether another request may follow."""
    options = [value for name, value in headers if name.lower() == "connection"]
    if any(option.strip().lower() == "close" for one in options for option in one.split(",")):
        return options, False
    if not keep:
        options.append("close")
    elif not http11:
        options.append("keep-alive")
    return options, keep


def _length(headers: Headers) -> int | None:
    """Return the length that an application has announced."""
    values = {value.strip() for name, value in headers if name.lower() == "content-length"}
    if not values:
        return None
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()):
        raise RuntimeError(f"Content-Length {value!r} is none")
    return int(value)


def chunk(data: bytes) -> bytes:
    """Return `data`, of at least one byte, as a chunk (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
