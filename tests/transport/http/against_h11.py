"""h11 as the judge of our parsers: requests that are mutated at random, read by both.

What ours takes h11 takes too, and understands the same. What h11 takes and ours does not, one of
`STRICTER` must explain. Run as a program for more of it than the suite has time for::

    python -m tests.transport.http.against_h11 100000
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import NamedTuple

import h11

from tests.transport.http.mutations import mutated, pieces
from tests.transport.http.stricter import STRICTER, Taken
from textstream.transport.http.body import Body
from textstream.transport.http.head import MAX_EMPTY_LINES, BadHead, find_end, parse_head

MOST = 100_000
"""Bytes of a body. Larger than whatever is sent."""


class Waiting(Exception):
    """The request is not whole."""


class Request(NamedTuple):
    """What both understand. `alive` and `waits` are None where h11 does not say."""

    method: str
    target: str
    version: str
    fields: dict[str, str]
    body: bytes
    behind: bytes
    alive: bool | None
    waits: bool | None


def read_ours(chance: random.Random, data: bytes) -> Request:
    """Return what our parsers read, from pieces of random sizes.

    Raises:
        BadHead: it is refused.
        Waiting: it is not whole.

    """
    came = bytearray()
    rest = pieces(chance, data)
    end = -1
    for piece in rest:
        searched = len(came)
        came += piece
        if (end := find_end(came, searched)) >= 0:
            break
    if end < 0:
        raise Waiting
    head = parse_head(bytes(came[:end]))
    body = Body(head, MOST)
    behind = body.feed(bytes(came[end:]))
    for piece in rest:
        behind += body.feed(piece)
    if not body.complete:
        raise Waiting
    content = bytes(body.content)
    return Request(head.method, head.target, head.version, head.fields, content, behind,
                   head.keep_alive, head.expects_continue)  # fmt: skip


def read_h11(data: bytes) -> tuple[Request, Taken]:
    """Return what h11 reads, and what `STRICTER` judges.

    Raises:
        h11.RemoteProtocolError: it is refused.
        Waiting: it is not whole.

    """
    for _ in range(MAX_EMPTY_LINES):  # h11 takes none, as strict as RFC 9112, 2.2 lets it be
        data = data.removeprefix(b"\r\n")
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    if not isinstance(request, h11.Request):
        raise Waiting
    head = data[: len(data) - len(server.trailing_data[0])]
    waits = server.they_are_waiting_for_100_continue
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    if not isinstance(event, h11.EndOfMessage):
        raise Waiting
    behind = server.trailing_data[0]
    fields: dict[str, str] = {}
    for name, value in request.headers:
        key = name.decode("ascii").upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        between = "; " if name == b"cookie" else ", "
        known = key in fields
        fields[key] = (fields[key] + between if known else "") + value.decode("latin-1")
    version = f"HTTP/{request.http_version.decode('ascii')}"
    # Of HTTP/1.0, and of what asks for another protocol, h11 does not say it.
    says = version == "HTTP/1.1" and server.their_state in {h11.DONE, h11.MUST_CLOSE}
    taken = Taken(request, head, data[len(head) : len(data) - len(behind)])
    return Request(
        request.method.decode("latin-1"), request.target.decode("latin-1"), version, fields, body,
        behind, server.their_state is h11.DONE if says else None, waits if body else None,
    ), taken  # fmt: skip


def judge(chance: random.Random, data: bytes) -> str:
    """Read `data` with both. Return how it went; whatever should not be is an AssertionError."""
    try:
        theirs: tuple[Request, Taken] | str = read_h11(data)
    except Waiting:
        theirs = "h11 waits"
    except h11.RemoteProtocolError:
        theirs = "h11 refuses"
    try:
        ours = read_ours(chance, data)
    except Waiting:
        assert isinstance(theirs, str), data
        return f"we wait, {theirs}"
    except BadHead as bad:
        cure = bad.cure
    else:
        assert not isinstance(theirs, str), (theirs, data)
        compare(ours, theirs[0])
        return "both take"
    assert len(cure) <= 120, cure
    assert cure.isascii(), cure
    assert cure.isprintable(), cure
    if isinstance(theirs, str):
        return f"we refuse, {theirs}"
    reasons = [name for name, holds in STRICTER.items() if holds(theirs[1])]
    assert reasons, (data, cure)
    return f"we are stricter: {reasons[0]}"


def compare(ours: Request, theirs: Request) -> None:
    """Compare what both take: in all that h11 says, and that ours says as it is sent."""
    fields, judged = dict(ours.fields), dict(theirs.fields)
    if not ours.target.startswith(("/", "*")):  # an absolute one, whose host is the request's
        assert fields.pop("HTTP_HOST") in ours.target
        judged.pop("HTTP_HOST", None)
    if "HTTP_TRANSFER_ENCODING" in fields:  # which h11 has in lower case
        fields["HTTP_TRANSFER_ENCODING"] = fields["HTTP_TRANSFER_ENCODING"].lower()
    assert ours._replace(
        fields=fields,
        alive=None if theirs.alive is None else ours.alive,
        waits=None if theirs.waits is None else ours.waits,
    ) == theirs._replace(fields=judged)


def run(seed: int, count: int) -> Counter[str]:
    """Judge `count` mutated requests; return how often it went which way."""
    chance = random.Random(seed)
    return Counter(judge(chance, mutated(chance)) for _ in range(count))


if __name__ == "__main__":
    for verdict, times in run(random.randrange(1 << 32), int(sys.argv[1])).most_common():
        print(f"{times:8} {verdict}")
