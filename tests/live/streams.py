"""What the live tests ask of a recorded stream."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.support.sio_client import Event, RecordingClient
from tests.support.timing import patient

# One of each kind that a careless server cuts: an emoji family, a flag, a Devanagari conjunct,
# Hangul jamo, a combining accent, CJK, Arabic.
CLUSTERS = [
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "क्ष",
    "\u1112\u1161\u11ab",
    "e\u0301",
    "字",
    "ع",
    "a",
]


def sha256(text: str) -> str:
    """Return what ``text_sha256`` says of this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def ended(events: list[Event]) -> bool:
    """Whether a ``stream_end`` has come."""
    return any(event.name == "stream_end" for event in events)


def chars(client: RecordingClient) -> list[str]:
    """Return the units that came as ``new_char``."""
    return [event.data for event in client.named("new_char")]


def start(client: RecordingClient, payload: Any = None) -> dict[str, Any]:
    """Start a stream; return what the answer says of it, and its key."""
    answer = client.call("start_stream", payload)
    assert answer["ok"], answer
    return {**answer["stream"], "key": answer["key"]}


def named(stream: dict[str, Any]) -> dict[str, Any]:
    """Return what a payload of its owner's names it with."""
    return {"id": stream["id"], "key": stream["key"]}


def endless(*clients: RecordingClient) -> None:
    """Start a stream that outlasts a test for each, and wait for its first character."""
    for client in clients:
        start(client, {"text": "x" * 100_000, "rate": 20})
    for client in clients:
        client.wait_for_event("new_char")


def finish(client: RecordingClient, timeout: float = patient(30.0)) -> dict[str, Any]:
    """Wait for the first ``stream_end``; return it."""
    end: dict[str, Any] = client.wait_for_event("stream_end", timeout=timeout).data
    return end


def measured_rate(client: RecordingClient) -> float:
    """Return the units per second between the first and the last ``new_char``."""
    times = [event.at for event in client.named("new_char")]
    return (len(times) - 1) / (times[-1] - times[0])
