"""What every work of the crowd needs: a server to load, a loop, the server's CPU clock."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter

import jwt
import psutil

from benchmarks.cpu import busy_seconds, cpu_seconds
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.poller import Poller
from benchmarks.crowd.reader import Reader
from benchmarks.crowd.session import CONNECT, Seen, Session, Told
from benchmarks.workloads import RATE

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
PATIENCE = 60.0
"""Seconds that a server may take beyond those that a work lasts by itself."""

REST = 0.3
"""Seconds that a server gets for what is left to do, before its clock is read."""

PRIMING = 200
"""Lives before anything is measured: for imports and first allocations, and for what compiles
while it runs. 50 at a time, as the storms."""

AT_A_TIME = 50

TOKEN_SECONDS = 3600.0
"""For which a token is good: longer than any work."""

LOOK_EVERY = 0.2


def text_of(number: int, characters: int) -> str:
    """Return the text of a client: each another, so that one that gets another's is found out.

    ASCII without what JSON escapes, so that each ``new_char`` has the same size.
    """
    start = number % len(SENTENCE)
    return (SENTENCE * (characters // len(SENTENCE) + 2))[start : start + characters]


class Tally:
    """Counts sessions that have come so far: a callback, and whether it was called for all."""

    def __init__(self, wanted: int) -> None:
        self.count = 0
        self._wanted = wanted

    def __call__(self, _: Session) -> None:
        self.count += 1

    def full(self) -> bool:
        """Return whether all have."""
        return self.count >= self._wanted


class Scene:
    """A server under load of this process."""

    def __init__(self, port: int, pid: int, loop: Loop, secret: str = "") -> None:
        """Load the server at `port`, whose first process is `pid`.

        Where it asks for tokens, `secret` is what it checks them with.
        """
        self.port = port
        self._secret = secret
        self._users = itertools.count()
        self.loop = loop
        self.seen = Seen()
        self.most_threads = 0
        self._lost = 0
        self._parent = psutil.Process(pid)
        self._processes = [self._parent]

    def cpu(self) -> float:
        """Return the seconds of CPU that the server took so far."""
        return sum(cpu_seconds(process.pid) for process in self._processes)

    def threads(self) -> int:
        """Return how many threads the server has."""
        return sum(process.num_threads() for process in self._processes)

    def memory(self) -> int:
        """Return its resident bytes."""
        return sum(process.memory_info().rss for process in self._processes)

    def watch_threads(self) -> None:
        """Keep the most threads that are seen from now on, five times a second."""
        self.most_threads = max(self.most_threads, self.threads())
        self.loop.at(perf_counter() + LOOK_EVERY, self.watch_threads)

    def readers(self, count: int, characters: int = 0, seen: Seen | None = None) -> list[Reader]:
        """Return readers, not yet connected, of texts of so many characters."""
        seen = seen or self.seen
        made = [
            Reader(self.loop, self.port, seen, text_of(number, characters))
            for number in range(count)
        ]
        self._sign_in(made)
        return made

    def pollers(self, count: int, characters: int = 0) -> list[Poller]:
        """Return the same over polling."""
        made = [
            Poller(self.loop, self.port, self.seen, text_of(number, characters))
            for number in range(count)
        ]
        self._sign_in(made)
        return made

    def _sign_in(self, sessions: Sequence[Session]) -> None:
        """Give each a token of a user of its own, if the server asks for one."""
        if self._secret:
            for session, number in zip(sessions, self._users, strict=False):
                session.connect = CONNECT + json.dumps({"token": self._token(number)}).encode()

    def _token(self, number: int) -> str:
        until = time.time() + TOKEN_SECONDS
        claims = {"sub": f"reader {number}", "aud": "textstream", "exp": until}
        return jwt.encode(claims, self._secret)

    def wait(self, until: Callable[[], bool], what: str, seconds: float = 0.0) -> None:
        """Run until something is so.

        Raises:
            RuntimeError: it is not, `seconds` and `PATIENCE` later; or a connection was lost
                that is to last. The message says what was seen.

        """
        so = self.loop.run(lambda: self._lost > 0 or until(), seconds + PATIENCE)
        if self._lost or not so:
            told = ", ".join(f"{why} ({often})" for why, often in self.seen.errors.most_common(3))
            raise RuntimeError(f"not all {what}" + (f": {told}" if told else ""))

    def spread(
        self, sessions: Sequence[Session], times: Sequence[float], do: Callable[[Session], None]
    ) -> None:
        """Do something with each, at so many seconds from now."""
        now = perf_counter()
        for session, when in zip(sessions, times, strict=True):
            self.loop.at(now + when, partial(do, session))

    def open(self, sessions: Sequence[Session]) -> None:
        """Connect all of them, so many at a time.

        Raises:
            RuntimeError: one could not.

        """

        def lost(_: Session) -> None:
            self._lost += 1

        def one(session: Session, done: Told) -> None:
            session.on_ready, session.on_gone = done, lost
            session.open()

        self._in_turn(sessions, one, "connected")

    def close(self, sessions: Sequence[Session]) -> None:
        """Let all of them say goodbye, so many at a time.

        Raises:
            RuntimeError: the server did not close all.

        """

        def one(session: Session, done: Told) -> None:
            session.on_gone = done
            session.leave()

        self._in_turn(sessions, one, "closed")

    def _in_turn(
        self,
        sessions: Sequence[Session],
        one: Callable[[Session, Told], None],
        what: str,
    ) -> None:
        left, finished = iter(sessions), Tally(len(sessions))

        def another(_: Session | None = None) -> None:
            if session := next(left, None):
                one(session, done)

        def done(session: Session) -> None:
            finished(session)
            another()

        for _ in range(AT_A_TIME):
            another()
        self.wait(finished.full, what)

    def stream(self, sessions: Sequence[Session], seconds: float, rate: float = RATE) -> Tally:
        """Let all start their streams, spread over a time from now on; return who has ended."""
        ended = Tally(len(sessions))
        for session in sessions:
            session.on_end = ended
        times = [number * seconds / len(sessions) for number in range(len(sessions))]
        self.spread(sessions, times, lambda session: session.start(rate))
        return ended

    def prime(self, most: int) -> None:
        """Let `PRIMING` readers, or `most`, live a short life, and forget what was seen of it."""
        readers = self.readers(min(PRIMING, most), 6)
        self.open(readers)
        self.wait(self.stream(readers, REST).full, "primed")
        self.close(readers)
        self.loop.rest(REST)
        self.seen.clear()
        # Not before: a parent may listen before it has made the child that answers.
        self._processes = [self._parent, *self._parent.children(recursive=True)]


class Stretch:
    """A stretch of time, in seconds.

    Attributes:
        server: CPU of the server.
        own: of this process.
        others: of all others on the machine.
        seconds: by the clock.

    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._server, self._own, self._busy = scene.cpu(), time.process_time(), busy_seconds()
        self._began = perf_counter()
        self.server = self.own = self.others = self.seconds = 0.0

    def end(self) -> None:
        """Read the clocks."""
        self.seconds = perf_counter() - self._began
        self.server = self._scene.cpu() - self._server
        self.own = time.process_time() - self._own
        self.others = max(0.0, busy_seconds() - self._busy - self.server - self.own)
