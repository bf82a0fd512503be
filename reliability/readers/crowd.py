"""Hundreds of readers in one thread, each of which looks at every unit that it gets."""

from __future__ import annotations

import hashlib
import json
import selectors
import time
from array import array
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Literal

from tests.transport.raw import OPCODES, RawWebSocket

Format = Literal["char", "chunk"]
Rate = float | Literal["auto"]

_TURN_SECONDS = 0.05


class Viewer:
    """One connection that reads one stream, and what it saw.

    Attributes:
        stream: what ``stream_start`` said; None: it has not come.
        first: the offset it began at.
        next: the offset of the unit that is due.
        text: the units so far.
        times: when each event with units came, in seconds of ``time.perf_counter``.
        sizes: units in each event with units.
        end: what ``stream_end`` said; None: it has not come.
        problems: what must not happen, in words.

    """

    def __init__(self, port: int, *, rate: Rate | None = None, format_: Format = "char") -> None:
        """Connect, through the Socket.IO handshake.

        Args:
            port: of the server, or of a proxy before it.
            rate: the pace to ask for; None: the stream's own.
            format_: the format to ask for.

        """
        self.rate = rate
        self.format = format_
        self.stream: dict[str, Any] | None = None
        self.first = self.next = 0
        self.text: list[str] = []
        self.times = array("d")
        self.sizes = array("L")
        self.end: dict[str, Any] | None = None
        self.problems: list[str] = []
        self.socket = RawWebSocket(port)
        self.socket.send("40")
        connected = next((m for m in self.socket.messages() if m.startswith("40")), None)
        if connected is None:
            raise ConnectionError("the server closed the connection")
        self.socket.sock.setblocking(False)

    def start(self, **request: Any) -> None:
        """Start a stream and read it."""
        self._ask("start_stream", request)

    def join(self, stream_id: str, offset: int = 0) -> None:
        """Read a stream that exists, from `offset` on."""
        self._ask("resume_stream", {"id": stream_id, "offset": offset})

    def take(self) -> bool:
        """Take what has arrived; return whether the connection stands."""
        frames = self.socket.arrived()
        if frames is None:
            if self.end is None:
                self.problems.append("the connection ended before the stream")
            return False
        for opcode, payload in frames:
            if payload == b"2":
                self.socket.send("3")
            elif opcode == OPCODES["text"] and payload.startswith(b"42"):
                self._event(*json.loads(payload[2:]))
        return True

    def verdict(self, characters: list[str], reason: str = "completed") -> list[str]:
        """Return what is wrong with what it got of a text of these `characters`."""
        wrong = list(self.problems)
        if self.end is None:
            return [*wrong, "no stream_end"]
        if "".join(self.text) != "".join(characters[self.first :]):
            wrong.append("the text is not exact")
        if self.next != len(characters):
            wrong.append(f"{self.next} units, not {len(characters)}")
        expected = {
            "id": self.end["id"],
            "reason": reason,
            "offset": len(characters),
            "text_sha256": hashlib.sha256("".join(characters).encode()).hexdigest(),
        }
        if self.end != expected:
            wrong.append("stream_end says something else")
        return wrong

    @property
    def units_per_second(self) -> float:
        """The rate from the first event with units to the last."""
        if len(self.times) < 2:
            return 0.0
        return sum(self.sizes[1:]) / (self.times[-1] - self.times[0])

    def _ask(self, event: str, payload: dict[str, Any]) -> None:
        if self.rate is not None:
            payload["rate"] = self.rate
        self.socket.send("42" + json.dumps([event, {**payload, "format": self.format}]))

    def _event(self, name: str, data: Any) -> None:
        if self.end is not None:
            self.problems.append(f"{name} after stream_end")
        elif name == "stream_start":
            self.stream = data
            self.first = self.next = data["offset"]
        elif self.stream is None:
            self.problems.append(f"{name} before stream_start")
        elif name == "new_char":
            self._units(data, 1)
        elif name == "stream_chunk":
            if data["offset"] != self.next:
                self.problems.append(f"offset {data['offset']} where {self.next} was due")
            self._units(data["text"], data["next"] - data["offset"])
        elif name == "stream_end":
            self.end = data
        else:
            self.problems.append(f"{name}: {data.get('code')}")

    def _units(self, text: str, count: int) -> None:
        self.text.append(text)
        self.next += count
        self.sizes.append(count)
        self.times.append(time.perf_counter())


class Crowd:
    """Viewers, served by the thread that calls `run`. A context manager: closes them."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self._selector = selectors.DefaultSelector()

    def add(self, viewers: Iterable[Viewer]) -> list[Viewer]:
        """Take viewers in; return them."""
        added = []
        for viewer in viewers:
            self.viewers.append(viewer)
            added.append(viewer)
            self._selector.register(viewer.socket.sock, selectors.EVENT_READ, viewer)
        return added

    def run(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Let them read for `seconds`, or until something is true; return whether it is."""
        deadline = time.monotonic() + seconds
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self._selector.select(min(left, _TURN_SECONDS)):
                viewer: Viewer = key.data
                if not viewer.take():
                    self._selector.unregister(key.fileobj)
        return True

    def run_to_the_end(self, seconds: float) -> bool:
        """Let all read to their ends, `seconds` at most; return whether they came to them."""
        return self.run(seconds, lambda: all(v.end or v.problems for v in self.viewers))

    def close(self) -> None:
        """Close all connections."""
        self._selector.close()
        for viewer in self.viewers:
            viewer.socket.close()

    def __enter__(self) -> Crowd:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
