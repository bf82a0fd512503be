"""Clients that start texts, read what others have started, and are cut off at random."""

from __future__ import annotations

import hashlib
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from textstream.client import ReconnectPolicy, StreamClient, TextStream
from textstream.errors import ShuttingDown, SourceFailed, TextStreamError
from textstream.loggable import fingerprint

POOL = [*"abcdefghijklmnopqrst uvwxyz\n", "中", "文", "é", "👨‍👩‍👧‍👦", "🇩🇪", "क्ष"]

TRANSPORTS = (["websocket"], ["websocket"], ["polling"], ["polling", "websocket"])

QUICK = ReconnectPolicy(initial=0.1, maximum=1.0, give_up_after=60, first_give_up_after=30)

JOIN_AFTER = 20
"""Pieces after which others read it, too."""

PATIENCE = 120.0
"""Seconds for one text, or it is counted as hanging."""


@dataclass
class Tally:
    """What became of the streams. ``_lock`` guards it."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    failed_after: list[float] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        """Count something."""
        with self._lock:
            self.counts[what] += number

    def complain(self, what: str) -> None:
        """Note what is wrong."""
        with self._lock:
            self.wrong.append(what)

    def note(self, text: str, *, units: int, gap: float) -> None:
        """Note a stream that is right."""
        with self._lock:
            self.counts[f"{text} exact"] += 1
            self.counts["units"] += units
            self.gaps.append(gap)


class Crowd:
    """So many clients, until they are told to end."""

    def __init__(self, url: str, tally: Tally, *, seed: int, rate: tuple[int, int]) -> None:
        """Read from `url`, at `rate` units a second at least and at most."""
        self._url = url
        self._tally = tally
        self._seed = seed
        self._rate = rate
        self._until = 0.0
        self._threads: list[threading.Thread] = []

    def begin(self, clients: int, seconds: float) -> None:
        """Let them start texts for so long, and read them to their end."""
        self._until = time.monotonic() + seconds
        for number in range(clients):
            one = threading.Thread(target=self._live, args=(number,), daemon=True)
            self._threads.append(one)
            one.start()

    def join(self, timeout: float) -> int:
        """Wait for all; return how many hang."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return sum(thread.is_alive() for thread in self._threads)

    def _live(self, number: int) -> None:
        chance = random.Random(f"{self._seed} {number}")
        while time.monotonic() < self._until:
            try:
                if number % 5 == 4:
                    self._generate(chance)
                else:
                    self._text(chance, with_viewer=number % 3 == 0)
            except TextStreamError:
                continue  # it was complained of

    @contextmanager
    def _named(self, reading: Reading) -> Iterator[None]:
        """Complain of what fails, and say of which stream."""
        try:
            yield
        except TextStreamError as error:
            what = f"{type(error).__name__} ({error.code}): {error}"
            shown = fingerprint(reading.id) if reading.id else "not started"
            self._tally.complain(f"stream {shown} after {len(reading.text)}: {what}")
            raise

    def _text(self, chance: random.Random, *, with_viewer: bool) -> None:
        """Stream a text that must come back as it is."""
        units = [chance.choice(POOL) for _ in range(chance.randint(3000, 6000))]
        text, rate = "".join(units), chance.randint(*self._rate)
        reading = Reading()
        with self._client(chance) as client, self._named(reading):
            stream = begin(client, text=text, rate=rate)
            reading.read(stream, lambda: [self._view(stream)] if with_viewer else [])
        self._tally.count("texts")
        result = stream.result
        if reading.text == text and result and result.verified and result.reason == "completed":
            self._tally.note("texts", units=len(units), gap=reading.gap)
        else:
            self._tally.complain(f"text {stream.id}: {len(reading.text)} of {len(text)}, {result}")
        for viewer in reading.viewers:
            viewer.check(text, self._tally)

    def _generate(self, chance: random.Random) -> None:
        """Stream what nobody can make again: it may end with its server, and is right till then."""
        reading, failed = Reading(), False
        with self._client(chance) as client, self._named(reading):
            stream = begin(client, prompt=str(chance.randint(100, 400)), source="drip")
            try:
                reading.read(stream, lambda: [self._view(stream)])
            except SourceFailed:
                failed = True
        self._tally.count("generated")
        result = stream.result
        texts = [reading.text, *(viewer.wait() for viewer in reading.viewers)]
        whole = max(texts, key=len)
        told = hashlib.sha256(whole.encode()).hexdigest()
        # One that goes down tells all at once, as with a stop: who was behind has the beginning.
        ends = {"error"} if failed else {"completed", "shutdown"}
        if (
            result
            and result.reason in ends
            and result.text_sha256 == told
            and (result.reason == "shutdown" or result.verified)
            and all(whole.startswith(text) for text in texts)
        ):
            self._tally.note("generated", units=len(reading.text), gap=reading.gap)
        else:
            self._tally.complain(f"generated {stream.id}: {[*map(len, texts)]}, {result}")
        if failed:
            self._tally.count("generated, and told that its server died")

    def _view(self, stream: TextStream) -> Viewer:
        return Viewer(self._url, stream.id)

    def _client(self, chance: random.Random) -> StreamClient:
        return StreamClient(self._url, transports=chance.choice(TRANSPORTS), reconnect=QUICK)


def begin(client: StreamClient, **asked: Any) -> TextStream:
    """Start a stream; again, with the same name, where the server goes down."""
    request_id, deadline = str(uuid.uuid4()), time.monotonic() + PATIENCE
    while True:
        try:
            return client.stream(**asked, request_id=request_id)
        except ShuttingDown:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class Viewer:
    """Somebody else who reads a stream from its start, on whichever server."""

    def __init__(self, url: str, stream_id: str) -> None:
        """Begin to read."""
        self.text = ""
        self.error = ""
        self._url = url
        self._id = stream_id
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self) -> str:
        """Return what it has read, at its end."""
        self._thread.join(PATIENCE)
        return self.text

    def check(self, text: str, tally: Tally) -> None:
        """Compare what it has read with what the other reader has."""
        tally.count("viewers")
        if text == self.wait() and not self.error:
            tally.count("viewers exact")
        else:
            tally.complain(f"viewer of {self._id}: {len(self.text)} characters; {self.error}")

    def _read(self) -> None:
        pieces: list[str] = []
        try:
            with StreamClient(self._url, reconnect=QUICK) as client:
                for piece in client.resume(self._id, 0, rate=0):
                    pieces.append(piece)  # noqa: PERF402 (what came before an error is kept)
        except SourceFailed:
            pass  # as the other reader
        except TextStreamError as error:
            self.error = f"{type(error).__name__} ({error.code}): {error}"
        self.text = "".join(pieces)


class Reading:
    """What has come of a stream.

    Attributes:
        id: of the stream; "" before it is known.
        text: so far.
        gap: the longest time without any, in seconds.
        viewers: who reads it, too.

    """

    def __init__(self) -> None:
        self.id = ""
        self.text = ""
        self.gap = 0.0
        self.viewers: list[Viewer] = []

    def read(self, stream: TextStream, view: Callable[[], list[Viewer]]) -> None:
        """Read to the end; have others read it, too, when it has begun."""
        self.id = stream.id
        pieces: list[str] = []
        last = time.monotonic()
        try:
            for piece in stream:
                now = time.monotonic()
                self.gap, last = max(self.gap, now - last), now
                pieces.append(piece)
                if len(pieces) == JOIN_AFTER:
                    self.viewers = view()
        finally:
            self.text = "".join(pieces)
