"""The process's log as the entry point sets it up, in the place of the test runner's."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from textstream.log_format import configure

NOISY = ("werkzeug", "httpx", "httpx2", "httpcore", "openai")


class Written(io.StringIO):
    """A stream that counts how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@contextmanager
def log_restored() -> Iterator[None]:
    """Let the log, and what Python itself would print, be set up anew meanwhile."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # or `configure` would close the test runner's own
    noisy = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in noisy]
    hooks = threading.excepthook, sys.unraisablehook
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        root.handlers, root.level = handlers, level
        for logger, old in zip(noisy, levels, strict=True):
            logger.setLevel(old)


@contextmanager
def own_log(format_: str, level: str = "info") -> Iterator[Written]:
    """Log as a server does meanwhile; yield what is written."""
    written = Written()
    with log_restored(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        configure(level, format_)
        yield written
