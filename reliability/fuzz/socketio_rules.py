"""Malformed Socket.IO packets, and events of our protocol with payloads that are not right."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from reliability.fuzz.engineio_rules import post
from reliability.fuzz.frames import BINARY, frame
from reliability.fuzz.inputs import STREAM, End, Made, Start, Write, one
from reliability.fuzz.values import (
    encoded,
    garbage,
    json_text,
    mutated,
    nested,
    string,
    value,
)

EVENTS = (
    "start_stream",
    "stop_stream",
    "pause_stream",
    "continue_stream",
    "set_rate",
    "resume_stream",
)

IDS = (
    "",
    "0",
    "1",
    "7",
    "7",
    "-1",
    "1.5",
    "9" * 18,
    "9" * 99,
    "9" * 100,
    "9" * 101,
    "٣",
    "²",
    "1e3",
    "x",
)

NAMESPACES = (
    "/", "/,", "/nobody,", "/nobody", "/nobody?a=b,", "//,", "/" + "n" * 5000 + ",", "/\0,",
    "/é,", "/,/,", "/-1,", "/[],", "nobody,", "/*,", "/admin,/admin,", "/ ,",
)  # fmt: skip

NAMES = ("connect", "disconnect", "message", "*", "error", "connect_error", "new_char",
"stream_end", "", "__init__", "ping", "x" * 3000, "start_stream ", "START_STREAM")  # fmt: skip

HUGE = (
    "9" * 5000,
    "-" + "9" * 400,
    "1e400",
    "-1E+999",
    "0." + "0" * 2000 + "1",
    "NaN",
    "-Infinity",
    "1e",
    "01",
)

FIELDS: dict[str, tuple[Any, ...]] = {
    "id": (STREAM.decode(), "nobody", "n" * 200),
    "offset": (0, 1, 3, -1, 10**6, 2**53, 2**60, 0.5, "0"),
    "rate": (0, 1, 50, "auto", -1, 100_001, 1e308, 10**400, True, "fast"),
    "format": ("char", "chunk", "xml"),
    "unit": ("char", "word", "token", "line"),
    "source": ("text", "text", "llm", "nowhere", ""),
    "text": ("abc", "é" * 300, "x" * 2000, "👨‍👩‍👧‍👦" * 100, "NUL \0", "\ud800", ""),
    "prompt": ("why", " ", "p" * 33_000),
    "params": ({}, {"temperature": 1}, [], {"": None}),
    "request_id": ("r", "the-same-one-for-everybody", "r" * 129, "\0"),
}  # fmt: skip

EXPECTED: dict[str, tuple[str, ...]] = {
    "start_stream": ("text", "rate", "format", "unit", "source", "prompt", "params", "request_id"),
    "stop_stream": ("id",),
    "pause_stream": ("id",),
    "continue_stream": ("id",),
    "set_rate": ("id", "rate"),
    "resume_stream": ("id", "offset", "rate", "format"),
}


def _message(text: str) -> bytes:
    return frame(text.encode("utf-8", "replace"))


def _packet(chance: Random, text: str, start: Start = Start.CONNECTED) -> Made:
    if chance.random() < 0.04:
        return Made(Start.POLLING, (post(b"40"), post(encoded("4" + text))), End.CLOSE)
    end = End.BARRIER if start is Start.CONNECTED else End.LAST
    return one(start, _message("4" + text), end)


def payload(chance: Random, event: str) -> Any:
    """Return a payload of an event of ours: some keys right, some not."""
    if chance.random() < 0.15:
        return value(chance)
    made: dict[str, Any] = {}
    for key in EXPECTED[event]:
        if chance.random() < (0.95 if key in {"id", "offset"} else 0.35):
            made[key] = chance.choice(FIELDS[key]) if chance.random() < 0.85 else value(chance)
    if chance.random() < 0.15:
        made[string(chance)] = value(chance)
    return made


def event_of_ours(chance: Random) -> Made:
    name = chance.choice(EVENTS)
    arguments = (
        [payload(chance, name)] if chance.random() < 0.9 else [value(chance) for _ in range(3)]
    )
    text = (
        json_text(chance, [name, *arguments])
        if chance.random() < 0.2
        else json.dumps([name, *arguments])
    )
    return _packet(chance, "2" + str(chance.randrange(1000)) + text)


def valid_start(chance: Random) -> Made:
    """Nothing is wrong with it, but that nobody will read it to its end."""
    request = {
        "text": "abc" * chance.choice((1, 100, 3000)),
        "rate": chance.choice((0, 1, 200)),
        "format": chance.choice(("char", "chunk")),
    }
    return _packet(chance, f"2{chance.randrange(1000)}" + json.dumps(["start_stream", request]))


def packet_type(chance: Random) -> Made:
    kind = chance.choice(("7", "8", "9", "4", "", "-", "x", "٣", "²", "\0", "10", "3", "0", "2"))
    data = chance.choice(
        ("", "[]", '["x"]', "{}", "1", "null", '"x"', json_text(chance, value(chance)))
    )
    return _packet(chance, kind + data)


def ack_id(chance: Random) -> Made:
    name = chance.choice(EVENTS)
    return _packet(chance, "2" + chance.choice(IDS) + json.dumps([name, payload(chance, name)]))


def client_ack(chance: Random) -> Made:
    """Acknowledge what was never asked, again and again."""
    text = "3" + chance.choice(IDS) + json_text(chance, [value(chance)])
    return one(Start.CONNECTED, _message("4" + text) * chance.choice((1, 3)), End.BARRIER)


def bad_json(chance: Random) -> Made:
    what: Any = [chance.choice(EVENTS), value(chance)]
    if chance.random() < 0.3:
        what = chance.choice((what[:1], [], {}, [[], 1], [{}, 1], [None], [1, 2], "x", 5, None))
    return _packet(chance, "2" + json_text(chance, what))


def deep(chance: Random) -> Made:
    inner = nested(chance)
    text = chance.choice((inner, f'["start_stream",{inner}]', f'["set_rate",{{"id":{inner}}}]'))
    return _packet(chance, chance.choice(("2", "21", "0", "3", "")) + text)


def huge_number(chance: Random) -> Made:
    number = chance.choice(HUGE)
    key = chance.choice(("rate", "offset", "text", "id"))
    name = chance.choice(EVENTS)
    return _packet(chance, f'25["{name}",{{"id":"{STREAM.decode()}","{key}":{number}}}]')


def namespace(chance: Random) -> Made:
    text = chance.choice("0123456") + chance.choice(NAMESPACES)
    text += chance.choice(("", "{}", '["start_stream"]', '5["stop_stream"]', "null", '{"token":1}'))
    return _packet(chance, text, chance.choice((Start.WEBSOCKET, Start.CONNECTED)))


def connect_again(chance: Random) -> Made:
    auth = chance.choice(("", "{}", json_text(chance, value(chance)), nested(chance)))
    again = _message("40" + auth) * chance.choice((1, 2, 5))
    return one(chance.choice((Start.WEBSOCKET, Start.CONNECTED)), again, End.LAST)


def before_connect(chance: Random) -> Made:
    name = chance.choice(EVENTS)
    data = json.dumps([name, payload(chance, name)])
    return _packet(chance, chance.choice(("2", "21", "51-", "3", "61-")) + data, Start.WEBSOCKET)


def after_disconnect(chance: Random) -> Made:
    again = chance.choice((b"", _message("40")))
    events = _message('421["start_stream"]') * chance.choice((1, 3))
    return one(Start.CONNECTED, _message("41") + again + events, End.LAST)


def odd_name(chance: Random) -> Made:
    arguments = [value(chance) for _ in range(chance.randrange(3))]
    odd = _message("421" + json.dumps([chance.choice(NAMES), *arguments]))
    return one(Start.CONNECTED, odd + _message('422["start_stream",{"rate":0}]'), End.LAST)


def attachments(chance: Random) -> Made:
    count = chance.choice(
        ("", "0", "1", "2", "5", "16", "17", "1000", "9999999999", "99999999999", "-1")
    )
    holder: dict[str, Any] = {
        "_placeholder": True,
        "num": chance.choice((0, 0, 1, -1, 5, 2**40, "0", None, [], 0.5, True)),
    }
    what = [
        chance.choice(EVENTS),
        chance.choice((holder, {"text": holder}, [holder, holder], {"id": holder})),
    ]
    head = _message(
        f"4{chance.choice('55556')}{count}-{chance.choice(('', '3'))}" + json.dumps(what)
    )
    follow = chance.choice(
        (frame(b"", BINARY), frame(garbage(chance, 200), BINARY), _message('42["x"]'), b"")
    )
    return one(Start.CONNECTED, head + follow * chance.choice((1, 1, 2, 6, 20)), End.LAST)


def binary_alone(chance: Random) -> Made:
    return one(Start.CONNECTED, frame(garbage(chance, 100), BINARY) * 2, End.BARRIER)


def mutated_packet(chance: Random) -> Made:
    name = chance.choice(EVENTS)
    whole = encoded("42" + str(chance.randrange(99)) + json.dumps([name, payload(chance, name)]))
    return one(Start.CONNECTED, frame(mutated(chance, whole)), End.BARRIER)


def flood(chance: Random) -> Made:
    name = chance.choice(EVENTS)
    each = _message(f"42{chance.randrange(9)}" + json.dumps([name, payload(chance, name)]))
    return Made(Start.CONNECTED, (Write(each * chance.choice((20, 100))),), End.BARRIER)


RULES = (
    event_of_ours, event_of_ours, event_of_ours, event_of_ours, event_of_ours, event_of_ours,
    valid_start, packet_type, ack_id, ack_id, client_ack, bad_json, bad_json, deep, huge_number,
    namespace, namespace, connect_again, before_connect, after_disconnect, odd_name, attachments,
    attachments, binary_alone, mutated_packet, mutated_packet, flood,
)  # fmt: skip
