"""What clients without our library do: read single characters, be wrong, leave without a word."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from reliability.soak.bare import BareClient, Cut, Transport
from reliability.soak.tally import Wrong
from reliability.soak.target import RETENTION
from reliability.soak.visit import HANDSHAKES, RATES, Visit

CUTS = 200
"""Connections in a row that one text may take: some, as cuts go, but not for ever."""

BAD_REQUESTS: tuple[tuple[str, object, str], ...] = (
    ("start_stream", {"text": 5}, "invalid_request"),
    ("start_stream", {"text": "a", "colour": "red"}, "invalid_request"),
    ("start_stream", {"text": "a", "rate": -1}, "invalid_request"),
    ("start_stream", {"text": "a", "unit": "page"}, "invalid_request"),
    ("start_stream", [1, 2], "invalid_request"),
    ("start_stream", {"text": "a\0b"}, "invalid_request"),
    ("start_stream", {"source": "nowhere"}, "unknown_source"),
    ("resume_stream", {"id": "none", "offset": 0}, "unknown_stream"),
    ("resume_stream", {"id": "none", "offset": -1}, "invalid_request"),
    ("set_rate", {"id": "none", "rate": 5}, "unknown_stream"),
    ("pause_stream", {"id": "none"}, "unknown_stream"),
    ("continue_stream", None, "invalid_request"),
    ("stop_stream", {"id": 5}, "invalid_request"),
)


class TooLate(Exception):
    """Faults have kept a client away for longer than an ended stream is kept."""


@dataclass
class Copy:
    """What a bare reader has of a stream: the ten lines of ``docs/protocol.md``.

    Attributes:
        asked: when it was asked for last, in monotonic seconds.
        there: when it was asked for and there. From then on it may have been sent to its end, all
            of which may be on its way still: only later than that does the server forget it.

    """

    request: dict[str, Any]
    id: str | None = None
    units: list[str] = field(default_factory=list)
    end: dict[str, Any] | None = None
    asked: float = 0.0
    there: float = field(default_factory=time.monotonic)

    def attach(self, client: BareClient) -> str:
        """Start it, or resume it; return the name of the answer."""
        self.asked = time.monotonic()
        if self.id is None:
            return client.emit("start_stream", self.request)
        where = {"id": self.id, "offset": len(self.units)}
        return client.emit("resume_stream", {**where, "rate": self.request["rate"]})

    def take(self, name: str, data: Any) -> None:
        """Take an event."""
        if name == "stream_start":
            self.id, self.there = data["id"], self.asked
            del self.units[data["offset"] :]
        elif name == "new_char":
            self.units.append(data)
        elif name == "stream_end" and data["id"] == self.id:
            self.end = data
        elif name == "stream_error":
            away = time.monotonic() - self.there
            if data["code"] == "unknown_stream" and away >= RETENTION:
                raise TooLate
            raise Wrong(f"stream {self.id}: {data['code']}, {away:.1f} s after it was there")


def characters(visit: Visit) -> None:
    """Read a text character by character, and resume it whenever the connection is cut."""
    text = visit.text()
    copy = Copy(_request(visit, text=text, rate=visit.choose.choice(RATES)))
    transport: Transport = visit.choose.choice(("websocket", "websocket", "polling"))
    visit.tally.count("streams")
    for _ in range(CUTS):
        try:
            with BareClient(visit.url, transport) as client:
                copy.attach(client)
                while copy.end is None:
                    copy.take(*client.next_event())
        except Cut:
            if copy.end is None:
                visit.tally.count("reconnections")
                continue
        except TooLate:
            visit.tally.count("came back too late")
            return
        break
    if copy.end is None or copy.id is None:
        raise Wrong(f"stream {copy.id}: not read to its end over {CUTS} connections")
    if copy.end["offset"] != len(copy.units):
        raise Wrong(f"stream {copy.id}: {len(copy.units)} units of {copy.end['offset']}")
    visit.tally.exact(copy.id, "".join(copy.units), text, copy.end["text_sha256"])
    visit.finished(copy.id)


def same_request(visit: Visit) -> None:
    """Start with the same request id over two connections of one client: one stream."""
    request = _request(visit, text=visit.text(), rate=50)
    visit.tally.count("streams")
    client_key = visit.request_id()
    ids = set()
    for _ in range(2):
        answer = _answered(visit, "start_stream", request, client_key)
        ids.add(answer["stream"]["id"])
    if len(ids) != 1:
        raise Wrong(f"one request id, {len(ids)} streams")
    _answered(visit, "stop_stream", {"id": ids.pop()}, client_key)
    visit.tally.count("repeated starts")


def mistakes(visit: Visit) -> None:
    """Ask for what cannot be; each answer says what is wrong, and the connection is still good."""
    wrong = visit.choose.sample(BAD_REQUESTS, 5)
    with contextlib.suppress(Cut), BareClient(visit.url) as client:
        for event, payload, code in wrong:
            answer = client.answer(event, payload)
            if answer.get("ok") is not False or answer["error"]["code"] != code:
                raise Wrong(f"{event} {json.dumps(payload)}: {answer} instead of {code}")
            visit.tally.count("mistakes")
    characters(visit)


def replaced(visit: Visit) -> None:
    """Start a second stream of characters over one connection: the first one ends for it."""
    text = visit.text((100, 200))
    first, second = (Copy(_request(visit, text=text, rate=rate)) for rate in (100, 3000))
    with contextlib.suppress(Cut), BareClient(visit.url) as client:
        visit.tally.count("streams", 2)
        first.attach(client)
        while len(first.units) < 3:
            first.take(*client.next_event())
        second.attach(client)
        while first.end is None or second.end is None:
            name, data = client.next_event()
            # Characters carry no id: they are of the stream that was started last.
            starting = name == "stream_start" and data["id"] != first.id
            ending = name == "stream_end" and data["id"] == first.id
            reader = first if ending or (second.id is None and not starting) else second
            reader.take(name, data)
        if first.end["reason"] != "replaced" or not text.startswith("".join(first.units)):
            raise Wrong(f"stream {first.id}: ended as {first.end['reason']}, not as replaced")
        visit.tally.exact(str(second.id), "".join(second.units), text, second.end["text_sha256"])
        visit.tally.count("replaced streams")


def left(visit: Visit) -> None:
    """Leave in the middle: with a reset, or, when polling, by polling no more."""
    transport: Transport = visit.choose.choice(("websocket", "polling"))
    copy = Copy(_request(visit, text=visit.text((100, 300)), rate=100))
    with contextlib.suppress(Cut):
        client = BareClient(visit.url, transport)
        visit.tally.count("streams")
        try:
            copy.attach(client)
            while len(copy.units) < 3:
                copy.take(*client.next_event())
        finally:
            client.wire.close(rudely=True)
        visit.tally.count("left without a word")


def _request(visit: Visit, **fields: Any) -> dict[str, Any]:
    return {"source": "text", "request_id": visit.request_id(), **fields}


def _answered(visit: Visit, event: str, payload: dict[str, Any], client_key: str) -> dict[str, Any]:
    """Ask until an answer comes through; it must be a good one."""
    for _ in range(HANDSHAKES):
        with contextlib.suppress(Cut), BareClient(visit.url, client_key=client_key) as client:
            answer = client.answer(event, payload)
            if answer.get("ok") is not True:
                raise Wrong(f"{event}: {answer['error']['code']}")
            return answer
    raise Wrong(f"{event}: no answer over {HANDSHAKES} connections")
