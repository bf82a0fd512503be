"""What the workers have done and found, all of them together."""

from __future__ import annotations

import json
import threading
from collections import Counter

from tests.live.streams import sha256
from textstream.loggable import fingerprint

MOST_FAILURES = 20
"""Kept word by word; of more only the number."""


class Wrong(Exception):
    """The server, or a client, did not do what it promises. The message has no streamed text."""


class Tally:
    """Counts and findings; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []
        self._hashes: dict[str, str] = {}

    def count(self, what: str, number: int = 1) -> None:
        """Count something."""
        with self._lock:
            self._counts[what] += number

    def fail(self, what: str) -> None:
        """Note what went wrong."""
        with self._lock:
            self._counts["failures"] += 1
            if len(self._failures) < MOST_FAILURES:
                self._failures.append(what)

    def exact(self, stream: str, got: str, truth: str, text_sha256: str) -> None:
        """Compare a text that was read from its first unit to its last.

        Args:
            stream: its id.
            got: what was assembled.
            truth: what it must be.
            text_sha256: what the server says of the whole.

        Raises:
            Wrong: it is another text.

        """
        if got != truth:
            raise Wrong(f"stream {stream}: {difference(got, truth)}")
        if text_sha256 != sha256(truth):
            raise Wrong(f"stream {stream}: the hash is not that of its text")
        with self._lock:
            self._counts["texts"] += 1
            self._counts["characters"] += len(truth)
            self._hashes[stream] = text_sha256

    @property
    def counts(self) -> Counter[str]:
        """All counts so far."""
        with self._lock:
            return Counter(self._counts)

    @property
    def failures(self) -> list[str]:
        """The first of what went wrong."""
        with self._lock:
            return list(self._failures)

    def compare_with_log(self, log: str) -> list[str]:
        """Return what is wrong with the server's log: tracebacks, and the ends of streams.

        Every stream ends once, and what the server logged as its hash is what readers assembled.
        """
        wrong = [f"the log has a traceback: {line[:300]}" for line in _tracebacks(log)]
        logged: dict[str, list[str]] = {}
        for line in log.splitlines():
            if line.startswith("{") and '"stream ended"' in line:
                entry = json.loads(line)
                logged.setdefault(entry["stream"], []).append(entry["sha256"])
        # The log has fingerprints: of a hundred thousand streams two may well share one.
        twice = sum(len(ends) > len(set(ends)) for ends in logged.values())
        if twice:
            wrong.append(f"{twice} streams ended more than once")
        with self._lock:
            hashes = dict(self._hashes)
        other = sum(
            hash_ not in logged.get(fingerprint(stream), ()) for stream, hash_ in hashes.items()
        )
        if other:
            wrong.append(f"{other} streams ended, says the log, with another hash, or not at all")
        return wrong


def difference(got: str, truth: str) -> str:
    """Say where two texts differ, without a word of them."""
    same = next(
        (n for n, (a, b) in enumerate(zip(got, truth, strict=False)) if a != b),
        min(len(got), len(truth)),
    )
    return f"{len(got)} characters instead of {len(truth)}, the same up to {same}"


def _tracebacks(log: str) -> list[str]:
    return [line for line in log.splitlines() if "traceback" in line.lower()]
