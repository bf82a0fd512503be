"""A pool of threads that grows when work waits and shrinks when there is none."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from textstream.access.caller import Caller
from textstream.access.rota import Rota, RotaShares

logger = logging.getLogger("textstream.threads")

IDLE_SECONDS = 10.0
"""How long a thread waits for more work before it ends."""

EAGER = 2
"""Threads that are started as soon as there is work for them.

Of four, two only waited for the interpreter: a start cost a tenth more of the processor.
"""

GROW_SECONDS = 0.05
"""How long work must wait before there are more, many if nothing was done meanwhile.

A thousand short jobs at once are done sooner by a few threads than by hundreds, which would spend
their time waiting for the interpreter's lock, and keep others waiting for it. Where nothing is
done in this time, the jobs block, and more threads help.
"""

PATIENCE = 10
"""So many times `GROW_SECONDS` of waiting, and there is one thread more all the same."""

LATE_SECONDS = 1.0
"""A job that waited so long for a thread is worth a word in the log."""

Job = Callable[[], None]


def _turn() -> None:
    """Stand in the queue for whichever job's turn it is when a thread comes to it."""


class ThreadPool:
    """At most `limit` threads that run jobs in the order in which they were submitted.

    Those of callers go round between these, each of whom has its share of the threads at most, so
    that one whose jobs block leaves threads to the others.

    Not ``concurrent.futures``: its threads stay until the process ends, and its exit waits for
    them, also for one that hangs. ``_lock`` guards the counts; jobs run without it.
    """

    def __init__(
        self,
        limit: int,
        name: str,
        *,
        cure: str,
        shares: RotaShares | None = None,
        late: float = LATE_SECONDS,
    ) -> None:
        """Make an empty pool.

        Args:
            limit: threads, at most.
            name: of the threads.
            cure: what to do when a job had to wait; logged once.
            shares: threads that a caller may have; None: no job has a caller.
            late: seconds of waiting that are worth the word.

        """
        self._limit = limit
        self._name = name
        self._cure = cure
        self._late = late
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[float, Job | None]] = queue.SimpleQueue()
        self._rota: Rota[Job] | None = Rota(shares) if shares else None
        self._owed = 0  # jobs of callers for which nothing stands in the queue: they have no room
        self._threads: set[threading.Thread] = set()
        self._busy = 0
        self._done = 0
        self._grower: threading.Thread | None = None
        self._closed = threading.Event()
        self._warned = False

    def submit(self, job: Job, caller: Caller | None = None) -> None:
        """Run `job` soon, or when it is its `caller`'s turn.

        It must not raise. After `close` it is dropped.
        """
        with self._lock:
            if self._closed.is_set():
                return
            if caller is not None and self._rota is not None:
                if not self._rota.add(job, caller):
                    self._owed += 1
                    return
                job = _turn
            self._jobs.put((time.monotonic(), job))
            self._provide()

    def close(self, deadline: float) -> None:
        """Take no more jobs, wait for the running ones until `deadline` (``time.monotonic``)."""
        with self._lock:
            self._closed.set()
            if self._rota is not None:
                self._rota.lift()
            for _ in range(self._owed):
                self._jobs.put((time.monotonic(), _turn))
            self._owed = 0
            threads = list(self._threads)
            if self._grower:
                threads.append(self._grower)
            for _ in threads:
                self._jobs.put((0.0, None))
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def counts(self) -> dict[str, int]:
        """Return how many threads there are, how many work, and how many jobs wait for one."""
        return {
            "threads": len(self._threads),
            "busy": self._busy,
            "queue": self._jobs.qsize() + self._owed,
            "limit": self._limit,
        }

    def _provide(self) -> None:
        """See to it that there are threads for what waits. With the lock held."""
        if self._closed.is_set() or self._lacking() <= 0:
            return
        if len(self._threads) < EAGER:
            self._add_thread()
        elif self._grower is None:
            grower = threading.Thread(target=self._grow, name=f"{self._name} grower", daemon=True)
            if self._begin(grower):
                self._grower = grower

    def _lacking(self) -> int:
        """Return how many threads more would find work. With the lock held."""
        idle = len(self._threads) - self._busy
        return min(self._jobs.qsize() - idle, self._limit - len(self._threads))

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        if self._begin(thread):
            self._threads.add(thread)

    def _begin(self, thread: threading.Thread) -> bool:
        """Start a thread; return whether the system gives one more. If not, those there are work.

        Raises:
            RuntimeError: there are none.

        """
        try:
            thread.start()
        except RuntimeError:  # "can't start new thread"
            if not self._threads:
                raise
            return False
        return True

    def _grow(self) -> None:
        """Double the threads every `GROW_SECONDS` in which work waited and none was done."""
        waited = 0
        while True:
            done = self._done
            self._closed.wait(GROW_SECONDS)
            waited += 1
            with self._lock:
                lacking = 0 if self._closed.is_set() else self._lacking()
                if lacking <= 0:
                    self._grower = None
                    return
                most = len(self._threads) if self._done == done else int(waited > PATIENCE)
                for _ in range(min(lacking, most)):
                    self._add_thread()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            del job  # or an idle thread would keep what it last worked on
            with self._lock:
                self._busy -= 1
                self._done += 1

    def _next(self) -> Job | None:
        """Wait for a job; return None, and be no thread of the pool, when there is none."""
        while True:
            try:
                came, job = self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                came, job = 0.0, None
            with self._lock:
                if job is _turn:
                    job = self._take_turn()
                    if job is None:
                        continue  # whose turn it is has no room
                if job is not None:
                    self._busy += 1
                    # What was submitted since it left the queue has counted on this thread.
                    if self._grower is None and self._lacking() > 0:
                        self._provide()
                    break
                if self._closed.is_set() or self._jobs.empty():
                    self._threads.discard(threading.current_thread())
                    return None
        if time.monotonic() - came > self._late and not self._warned:
            self._warned = True
            logger.warning("all %d %s threads are busy. %s", self._limit, self._name, self._cure)
        return job

    def _take_turn(self) -> Job | None:
        """Return the job whose turn it is, with the lock held; None: its caller has no room."""
        found = self._rota.take() if self._rota is not None else None
        if found is None:
            self._owed += 1
            return None
        job, caller = found
        return lambda: self._run_turn(job, caller)

    def _run_turn(self, job: Job, caller: Caller) -> None:
        job()
        with self._lock:
            assert self._rota is not None  # noqa: S101 (it has had a turn)
            self._rota.done(caller)
            if self._owed:
                self._owed -= 1
                self._jobs.put((time.monotonic(), _turn))
