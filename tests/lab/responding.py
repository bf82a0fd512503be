"""What a client of ``/test`` was answered."""

from __future__ import annotations

from typing import Any

from tests.support.sio_client import Event, RecordingClient

TRANSPORTS = [("websocket",), ("polling",), ("polling", "websocket")]

UNHEARD = "Server generated event"


def responses(client: RecordingClient) -> list[Any]:
    """Return what ``my_response`` said, but what the server said by itself."""
    said = [event.data for event in client.named("my_response")]
    return [data for data in said if data["data"] != UNHEARD]


def wait_for_responses(client: RecordingClient, count: int) -> list[Any]:
    """Wait until so many have come; return them."""
    client.wait_for(lambda events: len(heard(events)) >= count)
    return responses(client)


def heard(events: list[Event]) -> list[Event]:
    return [e for e in events if e.name == "my_response" and e.data["data"] != UNHEARD]
