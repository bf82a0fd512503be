"""Looks at the server about once a second, past the faults."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass

from reliability.soak import probe
from reliability.soak.target import Target
from textstream.client import StreamClient
from textstream.errors import TextStreamError

INTERVAL = 1.0


@dataclass(frozen=True)
class Sample:
    """The server at one moment.

    Attributes:
        at: seconds since the first sample.
        resident, anonymous, threads, descriptors, cpu: see `tests.support.usage.Usage`.
        blocks, allocated: what is in use: see `reliability.soak.probe`.
        streams: how many run.

    """

    at: float
    resident: int
    anonymous: int
    threads: int
    descriptors: int
    cpu: float
    blocks: int
    allocated: int
    streams: int


class Sampler:
    """Takes samples in a thread of its own, from the making until `rest`. Close it in the end."""

    def __init__(self, target: Target) -> None:
        """Take the first sample: a server that has served one client, and nothing else.

        Raises:
            ProcessLookupError: the server has ended.
            OSError, TextStreamError: it does not answer.

        """
        self._target = target
        self._client = self._new_client()
        self._began = time.monotonic()
        self._over = threading.Event()
        self.ended = threading.Event()
        """Set when no more samples come."""
        self.failure: str | None = None
        """Why there are no more of them, when the server could not be looked at."""
        self.samples: list[Sample] = []
        try:
            self.sample()  # makes the threads that every server has that was ever used
            self.samples.append(self.sample())
        except BaseException:
            self._client.close()
            raise
        self._thread = threading.Thread(target=self._run, name="sampler")
        self._thread.start()

    def sample(self) -> Sample:
        """Look at the server now: first from outside, since looking inside takes threads.

        Raises:
            ProcessLookupError: it has ended.
            OSError, TextStreamError: it does not answer.

        """
        at, usage = time.monotonic() - self._began, self._target.usage()
        streams = self._target.running_streams()
        return Sample(at=at, streams=streams, **json.loads(self._probe()), **asdict(usage))

    def types(self) -> dict[str, int]:
        """Return how many objects of which type the server has: those it has most of."""
        return dict(json.loads(self._probe("types")))

    def rest(self) -> None:
        """Take no more samples, and hang up: a server with a client does not come to rest."""
        self._over.set()
        self._thread.join()
        self._client.close()
        self._client = self._new_client()  # connects when it is used

    def close(self) -> None:
        """End. Doing it again does nothing."""
        self.rest()

    def _new_client(self) -> StreamClient:
        return StreamClient(self._target.url, transports=["websocket"])

    def _probe(self, prompt: str | None = None) -> str:
        return "".join(self._client.stream(prompt, source=probe.NAME, rate=0))

    def _run(self) -> None:
        try:
            while not self._over.wait(INTERVAL):
                self.samples.append(self.sample())
        except (OSError, TextStreamError) as error:  # requests' errors are OSErrors
            self.failure = f"the server could not be looked at: {error}"
        finally:
            self.ended.set()
