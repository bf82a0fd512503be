"""Too much of what is right: keys, names, fragments, pongs, requests; and odd bytes in names.

Each is as large as the time limit of an input allows; `benchmarks.abuse` has the large ones.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any
from urllib.parse import quote

from reliability.fuzz.engineio_rules import POLL, post
from reliability.fuzz.frames import CONTINUATION, PING, TEXT, frame
from reliability.fuzz.http_rules import request
from reliability.fuzz.inputs import STREAM, End, Made, Start, Write, one
from reliability.fuzz.values import encoded, string
from reliability.fuzz.websocket_rules import GOOD

EVENTS = ("stop_stream", "pause_stream", "set_rate", "resume_stream", "describe_stream")

ADDRESSES = (
    "203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:80", "::1",
    "2001:db8::1", "::ffff:203.0.113.7", "fe80::1%eth0", "127.0.0.1", "unknown", "_hidden", "",
    ",,,", ", ,", "999.1.1.1", "1.2.3", "1.2.3.4.5", "0x7f.1", "01.02.03.04", "[::1", "::1]",
    ":::", "1::2::3", "for=203.0.113.9", '"203.0.113.7"', "a" * 5000, "10.0.0.1," * 900, "é",
    "٣.1.1.1", "\0", "\x1b[31m", "1.2.3.4\tx", "1.2.3.4;5", "-1.2.3.4", "1.2.3.4/8", "localhost",
    "%31.2.3.4", "2001:db8::/64",
)  # fmt: skip

UNPRINTABLE = (
    "\n", "\r\n", "\r\n2026-01-01 INFO forged", "\x1b[31m", "\x1b]52;c;AAAA\x07", "\0", "\x08" * 30,
    "\x7f", "\x85", "\x9b31m", "\u2028", "\u2029", "\u202e", "\x0b", "\x0c", "\ufeff", "\udc80",
)  # fmt: skip


def unprintable(chance: Random) -> str:
    """Return a name with bytes that a terminal, or a reader of logs, would obey."""
    return "name" + chance.choice(UNPRINTABLE) * chance.choice((1, 1, 3)) + string(chance)[:100]


def _packet(text: str) -> Made:
    return one(Start.CONNECTED, frame(text.encode("utf-8", "replace")), End.BARRIER)


# Socket.IO.


def many_keys(chance: Random) -> Made:
    keys = {f"{number:x}": chance.choice((1, "x", None)) for number in range(_many(chance))}
    name = chance.choice(("start_stream", "start_stream", *EVENTS))
    nested: dict[str, Any] = chance.choice(
        (keys, {"params": keys}, {"text": keys}, {"id": STREAM.decode(), **keys}, {"a": [keys]})
    )
    return _packet(f"42{chance.randrange(99)}" + json.dumps([name, nested]))


def _many(chance: Random) -> int:
    return chance.choice((31, 32, 33, 63, 64, 65, 500, 5000))


def many_arguments(chance: Random) -> Made:
    many: list[Any] = [chance.choice((1, {}, [], "x"))] * _many(chance)
    inner: Any = chance.choice((many, [many], [{"text": many}], [{"params": {"a": many}}]))
    return _packet("421" + json.dumps([chance.choice(("start_stream", *EVENTS)), *inner]))


def long_names(chance: Random) -> Made:
    name = chance.choice("nñ\x01") * chance.choice((64, 65, 129, 1000, 40_000, 100_000))
    payload: Any = chance.choice(
        ({name: 1}, {"params": {name: 1}}, {"source": name}, {"request_id": name}, {"unit": name})
    )
    event = chance.choice(("start_stream", "start_stream", "describe_stream", name))
    return _packet("421" + json.dumps([event, payload], ensure_ascii=chance.random() < 0.5))


def large_but_no_start(chance: Random) -> Made:
    """Only a start may be larger than 64 kB."""
    size = chance.choice((60_000, 65_000, 66_000, 200_000))
    name = chance.choice((*EVENTS, "no_such_event", "message"))
    key = chance.choice(("id", "offset", "format", "x"))
    return _packet("421" + json.dumps([name, {key: "x" * size}]))


def large_params(chance: Random) -> Made:
    size = chance.choice((10_000, 16_000, 17_000, 60_000))
    value: Any = chance.choice(("v" * size, ["v" * 100] * (size // 100), {"a": "v" * size}))
    payload = {"text": "a", "params": {chance.choice(("temperature", "stop", "x")): value}}
    return _packet("421" + json.dumps(["start_stream", payload]))


def unprintable_names(chance: Random) -> Made:
    name = unprintable(chance)
    event, payload = chance.choice(
        (
            (name, 1),
            ("start_stream", {"source": name}),
            ("start_stream", {name: 1}),
            ("start_stream", {"text": "a", "params": {name: 1}}),
            ("start_stream", {"text": "a", "request_id": name}),
            ("describe_stream", {"id": name}),
        )
    )
    text = "21" + json.dumps([event, payload], ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.3:
        text = chance.choice((f"0/{name},", f"2/{name},[1]", f"9{name}", f'2["{name}'))
    return _packet("4" + text)


# WebSocket.


def tiny_fragments(chance: Random) -> Made:
    """One message in fragments of a byte or two, with its end or without."""
    filler = "x" * chance.choice((50, 500, 3000))
    text = f'421["describe_stream",{{"id":"{filler}"}}]'.encode()
    size = chance.choice((1, 2))
    parts = [text[place : place + size] for place in range(0, len(text), size)]
    last = len(parts) if chance.random() < 0.3 else len(parts) - 1
    data = b"".join(
        frame(part, CONTINUATION if number else TEXT, fin=number == last)
        for number, part in enumerate(parts)
    )
    if last == len(parts):
        return one(Start.CONNECTED, data, chance.choice((End.HALF_CLOSE, End.CLOSE, End.RESET)))
    return one(Start.CONNECTED, data, End.BARRIER)


def pings_between(chance: Random) -> Made:
    """Pings, full or empty, between the fragments of a message."""
    ping = frame(b"p" * chance.choice((0, 1, 125)), PING)
    first = frame(b'421["describe_', TEXT, fin=False)
    last = frame(b'stream",{"id":"x"}]', CONTINUATION)
    between = ping * chance.choice((1, 9, 30))
    return one(Start.CONNECTED, first + between + last, End.BARRIER)


# Engine.IO.


def unasked_pongs(chance: Random) -> Made:
    pongs = [post(b"\x1e".join([b"3"] * chance.choice((1, 1, 50)))) for _ in range(5)]
    return Made(Start.POLLING, (post(b"40"), *pongs), End.CLOSE)


def small_posts(chance: Random) -> Made:
    """Many requests with one packet each, and no poll for what they are answered with."""
    each = chance.choice((b'421["describe_stream",{"id":"x"}]', b"3", b"6", b'42["x"]'))
    return Made(Start.POLLING, (post(b"40"), *[post(each)] * chance.choice((5, 20, 40))), End.CLOSE)


def unfetched_answers(chance: Random) -> Made:
    count = chance.choice((50, 500, 2500))
    asked = [f'42{n}["describe_stream",{{"id":"nobody"}}]'.encode() for n in range(count)]
    return Made(Start.POLLING, (post(b"40"), post(b"\x1e".join(asked))), End.CLOSE)


# HTTP.


def forwarded_for(chance: Random) -> Made:
    lines = [
        f"X-Forwarded-For: {chance.choice(ADDRESSES)}" for _ in range(chance.choice((1, 1, 2, 5)))
    ]
    target = chance.choice(
        (
            "/socket.io/?EIO=4&transport=polling",
            "/socket.io/?EIO=4&transport=websocket",
            "/api/connection",
            "/healthz",
        )
    )
    if target.endswith("websocket"):
        lines += GOOD
    chance.shuffle(lines)
    data = request(target, head="\r\n".join(lines))
    return one(Start.TCP, data, End.HALF_CLOSE)


def unprintable_request(chance: Random) -> Made:
    name = unprintable(chance)
    quoted = quote(encoded(name))
    target = chance.choice(
        (
            f"/{quoted}",
            f"/socket.io/?EIO=4&transport={quoted}",
            f"/socket.io/?EIO=4&transport=polling&sid={quoted}",
            f"/socket.io/?EIO={quoted}",
            f"/assets/{quoted}.js",
        )
    )
    bare = name.replace("\r", "").replace("\n", "")
    head = f"{chance.choice(('Origin', 'User-Agent', 'Referer', 'Upgrade', 'Host'))}: {bare}"
    return one(Start.TCP, request(target, head=head), End.HALF_CLOSE)


def unprintable_session(chance: Random) -> Made:
    name = quote(encoded(unprintable(chance)))
    odd = Write(request(f"{POLL}&t={name}", method="POST", head="Content-Length: 1", body=b"x"))
    return Made(Start.POLLING, (post(b"40"), odd), End.CLOSE)


SOCKETIO = (
    *(many_keys, many_arguments, long_names, large_but_no_start, large_params),
    *(unprintable_names, unprintable_names),
)
WEBSOCKET = (tiny_fragments, pings_between)
ENGINEIO = (unasked_pongs, small_posts, unfetched_answers, unprintable_session)
HTTP = (forwarded_for, forwarded_for, unprintable_request)
