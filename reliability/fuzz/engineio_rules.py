"""Malformed Engine.IO: packets over WebSocket, requests of a polling session, upgrades."""

from __future__ import annotations

import base64
from random import Random

from reliability.fuzz.frames import BINARY, CLOSE, TEXT, frame
from reliability.fuzz.http_rules import request
from reliability.fuzz.inputs import SID, End, Made, Start, Write, one
from reliability.fuzz.values import encoded, garbage, mutated, nested, string, value

POLL = f"/socket.io/?EIO=4&transport=polling&sid={SID.decode()}"
SOCKET = f"/socket.io/?EIO=4&transport=websocket&sid={SID.decode()}"

TYPES = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "b",
    "-",
    "٣",
    "²",
    "x",
    "\x1e",
    "\0",
    " ",
)

OUT_OF_PLACE = (
    b"0", b'0{"sid":"mine"}', b"2", b"2probe", b"3", b"3probe", b"5", b"5x", b"6", b"6noop", b"4",
    b"40", b"", b"7", b"9", b"44", b"b", b"bAAA", b"b====", b"b!!!", b"b" + b"QQ" * 500,
    b"2" * 300, b"1", b"1x",
)  # fmt: skip


def packet(chance: Random) -> str:
    """Return an Engine.IO packet, mostly of the wrong type, with a payload that is odd."""
    kind = chance.choice(TYPES)
    data = chance.choice(
        (
            "",
            "probe",
            string(chance),
            "\x1e",
            "0",
            '{"a":1}',
            "[" * 20,
            "٣",
            "1e5",
            str(value(chance)),
        )
    )
    if chance.random() < 0.1:
        data = nested(chance)
    return kind + data


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def packets(chance: Random) -> Made:
    count = chance.randint(1, 4)
    data = b"".join(frame(_plain(packet(chance))) for _ in range(count))
    return one(chance.choice((Start.WEBSOCKET, Start.CONNECTED)), data, End.LAST)


def out_of_place(chance: Random) -> Made:
    chosen = [chance.choice(OUT_OF_PLACE) for _ in range(chance.randint(1, 5))]
    start = chance.choice((Start.WEBSOCKET, Start.CONNECTED))
    return one(start, b"".join(map(frame, chosen)), End.LAST)


def binary(chance: Random) -> Made:
    data = chance.choice((b"", b"2probe", b"40", b"\0", garbage(chance, 300), b"4" * 1000))
    start = chance.choice((Start.WEBSOCKET, Start.CONNECTED))
    return one(start, frame(data, BINARY) * chance.choice((1, 3)), End.LAST)


def separators(chance: Random) -> Made:
    """What is a payload of polling means nothing on a WebSocket."""
    parts = [_plain(packet(chance)) for _ in range(chance.randint(2, 6))]
    return one(Start.CONNECTED, frame(b"\x1e".join(parts)), End.LAST)


def many_pongs(chance: Random) -> Made:
    return one(Start.CONNECTED, frame(b"3") * chance.choice((2, 100)), End.LAST)


def after_close(chance: Random) -> Made:
    more = frame(b'42["start_stream"]') + frame(_plain(packet(chance)))
    return one(Start.CONNECTED, frame(b"1") + more, End.LAST)


# Polling.


def post(body: bytes, *, target: str = POLL, head: str = "") -> Write:
    """Return a POST to the session."""
    lines = f"Content-Length: {len(body)}" + (f"\r\n{head}" if head else "")
    return Write(request(target, method="POST", head=lines, body=body))


def poll(*, side: bool = False, query: str = "") -> Write:
    """Return a GET of the session. It may wait for something to fetch."""
    return Write(request(POLL + query), side=side)


def _polling(*writes: Write) -> Made:
    return Made(Start.POLLING, writes, End.CLOSE)


def post_garbage(chance: Random) -> Made:
    body = chance.choice(
        (garbage(chance, 500), b"", b"\x1e", b"\xff\xfe", b"d=", b"d=2%1e", b"\0" * 100)
    )
    return _polling(post(body), post(b"40"))


def post_packets(chance: Random) -> Made:
    parts = [encoded(packet(chance)) for _ in range(chance.randint(1, 8))]
    return _polling(post(b"\x1e".join(parts)))


def post_too_many(chance: Random) -> Made:
    each = chance.choice(
        (b"40", b"2", b"6", b"", b"4", b'42["x"]', b"b" + base64.b64encode(b"x" * 30))
    )
    return _polling(post(b"\x1e".join([each] * chance.choice((16, 17, 300, 17_000)))))


def post_base64(chance: Random) -> Made:
    raw = base64.b64encode(garbage(chance, 100))
    bad = chance.choice((raw, raw[:-1], b"====", b"!", raw + b"\x1eb" + raw, b"\xff", b"Q" * 1001))
    return _polling(post(b"b" + bad), post(b"4" + bad))


def two_polls(chance: Random) -> Made:
    polls = [poll(side=True) for _ in range(chance.randint(2, 3))]
    return _polling(*polls, post(chance.choice((b"40", b"3", b"1", garbage(chance)))))


def after_closing_post(chance: Random) -> Made:
    more = (post(b"40"), poll(), post(b"1"), post(b'42["start_stream"]'))
    return _polling(post(b"1"), *chance.sample(more, chance.randint(1, 3)))


def odd_poll(chance: Random) -> Made:
    queries = (
        "&EIO=3",
        "&transport=websocket",
        "&j=0",
        "&j=x",
        "&j=9%22);alert(1)//",
        "&sid=other",
        "&b64=1",
    )
    other = chance.choice(("PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"))
    writes = (
        poll(side=True, query=chance.choice(queries)),
        Write(request(POLL, method=other)),
        post(b"3", target=POLL + chance.choice(queries)),
        post(
            b"d=" + garbage(chance),
            target=POLL + "&j=1",
            head="Content-Type: text/plain; charset=x",
        ),
    )
    return _polling(*chance.sample(writes, chance.randint(1, 3)))


def mutated_post(chance: Random) -> Made:
    whole = post(b'40\x1e42["start_stream"]').data
    return _polling(Write(mutated(chance, whole)))


def abandoned(chance: Random) -> Made:
    """A poll is left waiting, and never comes back for its answer."""
    return Made(Start.POLLING, (poll(side=True),), End.RESET)


# Upgrades.


def upgrade(chance: Random) -> Made:
    steps = [frame(b"2probe"), frame(b"2probe"), frame(b"5"), frame(b"3probe"), frame(b"2"),
    frame(b"2probex"), frame(b""), frame(b"40"), frame(b"2probe", BINARY), frame(b"5", TEXT),
    frame(b"6"), frame(b"", CLOSE), frame(_plain(packet(chance)))]  # fmt: skip
    chosen = chance.choices(steps, k=chance.randint(1, 5))
    end = chance.choice((End.HALF_CLOSE,) * 5 + (End.CLOSE, End.RESET))
    return Made(Start.PROBING, tuple(map(Write, chosen)), end)


def second_upgrade(chance: Random) -> Made:
    good = (Write(frame(b"2probe")), Write(frame(b"5")))
    odd = (Write(frame(b"5")), Write(frame(b"2probe")), Write(frame(_plain(packet(chance)))))
    return Made(Start.PROBING, (*good, *chance.sample(odd, 2)), End.HALF_CLOSE)


RULES = (
    packets, packets, packets, out_of_place, out_of_place, out_of_place, binary, separators,
    many_pongs, after_close, post_garbage, post_packets, post_packets, post_too_many, post_base64,
    two_polls, after_closing_post, odd_poll, mutated_post, abandoned, upgrade, upgrade,
    second_upgrade,
)  # fmt: skip
