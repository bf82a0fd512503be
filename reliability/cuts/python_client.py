"""The Python client, as a reader of one stream."""

from __future__ import annotations

import threading
import time
import uuid

import regex

from reliability.cuts.case import TransportName, Trial
from reliability.cuts.verdict import Reading
from textstream.chaos.address import Address, format_address
from textstream.client import ReconnectPolicy, StreamClient, TextStream
from textstream.errors import ServerUnreachable, TextStreamError

TRANSPORTS = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgrade": ["polling", "websocket"],
}

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=60)


def read(url: str, transport: TransportName, trial: Trial) -> Reading:
    """Stream what the trial says, to its end or for as long as it may take."""
    pieces: list[str] = []
    stream: TextStream | None = None
    error = ""
    with StreamClient(url, transports=TRANSPORTS[transport], reconnect=QUICK) as client:
        too_late = threading.Timer(trial.patience, client.close)  # ends the iteration, too
        too_late.start()
        try:
            stream = _start(client, trial)
            pieces.extend(stream)
        except TextStreamError as failed:
            error = f"{type(failed).__name__} after {len(pieces)} pieces: {failed}"
        finally:
            too_late.cancel()
            too_late.join()
    result = stream.result if stream else None
    if not result and not error:
        error = f"not done after {trial.patience:g} s"
    return Reading(
        id=stream.id if stream else "",
        units=split("".join(pieces)),
        sha256=result.text_sha256 if result else "",
        reason=result.reason if result else "",
        error=error,
    )


def replay(address: Address, id_: str) -> list[str]:
    """Read a stream that has ended once more, straight from the server; return its units."""
    with StreamClient(f"http://{format_address(address)}") as client:
        return split("".join(client.resume(id_, 0, rate=0)))


def split(text: str) -> list[str]:
    r"""Return the extended grapheme clusters (UAX #29), by the pattern ``\X``."""
    found: list[str] = regex.findall(r"\X", text)
    return found


def _start(client: StreamClient, trial: Trial) -> TextStream:
    # A first handshake that is cut is not tried again by the client: nobody may be there.
    deadline = time.monotonic() + trial.patience
    request_id = str(uuid.uuid4())
    while True:
        try:
            return client.stream(**trial.request, request_id=request_id)
        except ServerUnreachable:
            if time.monotonic() > deadline:
                raise
