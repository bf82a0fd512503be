"""Finds the threads and file descriptors (sockets, pipes, files) that a test leaves behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.timing import patient

GRACE_SECONDS = patient(5.0)
"""How long what a test has told to end may take to do so, on a busy machine."""

POLL_SECONDS = 0.02

_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Snapshot:
    """What is there: threads, and descriptors with what they point to."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[tuple[int, str]]


class LeakGuard:
    """Compares before and after. What outlives a test by design is allowed by name."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._descriptors: set[tuple[int, str]] = set()

    def allow_thread(self, thread: threading.Thread) -> None:
        """Let a thread outlive the tests that see it."""
        self._threads.add(thread)

    def allow_descriptor(self, number: int) -> None:
        """Let a file descriptor outlive the tests that see it."""
        self._descriptors.add((number, str((_DESCRIPTORS / str(number)).readlink())))

    def allow_all_there_is(self) -> None:
        """Let everything that is there now outlive the test.

        For what is made once, on first use, and kept: a loaded model, a browser.
        """
        now = self.snapshot()
        self._threads |= now.threads
        self._descriptors |= now.descriptors

    def snapshot(self) -> Snapshot:
        """Return what is there now."""
        return Snapshot(frozenset(threading.enumerate()), frozenset(_open_descriptors()))

    def left_since(self, before: Snapshot, grace: float = GRACE_SECONDS) -> list[str]:
        """Return a line for each thing that is new since `before` and does not go by itself."""
        deadline = time.monotonic() + grace
        for thread in self._new_threads(before):
            thread.join(max(0.0, deadline - time.monotonic()))
        descriptors = self._new_descriptors(before)
        if descriptors:
            gc.collect()  # names what was dropped without being closed: a ResourceWarning
        while (descriptors := self._new_descriptors(before)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)  # the kernel tells nobody that a descriptor was closed
        threads = [f"thread {t.name!r}" for t in self._new_threads(before)]
        return threads + [f"descriptor {number}: {target}" for number, target in descriptors]

    def _new_threads(self, before: Snapshot) -> list[threading.Thread]:
        known = before.threads | self._threads
        return [thread for thread in threading.enumerate() if thread not in known]

    def _new_descriptors(self, before: Snapshot) -> list[tuple[int, str]]:
        known = before.descriptors | self._descriptors
        return sorted(entry for entry in _open_descriptors() if entry not in known)


def _open_descriptors() -> list[tuple[int, str]]:
    found = []
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 (names are all that is wanted)
        try:
            found.append((int(name), str((_DESCRIPTORS / name).readlink())))
        except FileNotFoundError:  # the one that listed the folder
            continue
    return found
