"""Lines of the log that need not be written at once: many share a write.

At a thousand streams a second a line for the end of each took a tenth of what a start costs: a
record, an object in between for whatever handler, and a call of the system. Here a line waits for
0.2 s at most, unless another one comes: the order of the log is that of the lines, and each has the
time of what it tells.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, TextIO

HELD_SECONDS = 0.2
"""How long a line may wait. Whoever has it wait sees to it that it is written then."""

SOON = float("-inf")
"""When a call is due that is to be made as soon as no lock is held: it has been due for ever."""

CallAt = Callable[[float, Callable[[], None]], None]
"""Calls back at a time of a clock, or later, with no lock held."""


class Line(NamedTuple):
    """A line of level info.

    Attributes:
        created: when, as ``time.time`` has it.
        logger: its logger's name.
        message: what is said, without places for anything.
        extras: returns what it carries beyond that, when it is written.

    """

    created: float
    logger: str
    message: str
    extras: Callable[[], dict[str, Any]]


class LineFormatter(Protocol):
    """A `logging.Formatter` that writes records and lines alike."""

    def line(self, line: Line) -> str:
        """Return a line as the log has it."""
        ...


class LinesHandler(logging.StreamHandler[TextIO]):
    """Writes records at once, and before each the lines that were held. Any thread."""

    def __init__(self, stream: TextIO, formatter: LineFormatter) -> None:
        """Write to `stream`."""
        super().__init__(stream)
        self.setFormatter(formatter)  # type: ignore[arg-type]  # a `logging.Formatter` too
        self._line = formatter.line
        self._held: list[Line] = []
        self._holding = threading.Lock()  # guards _held; not the handler's own: that one writes

    def hold(self, line: Line) -> bool:
        """Keep a line; return whether it is the first: `flush` has to be called for it in time.

        It returns at once, whatever locks are held.
        """
        with self._holding:
            self._held.append(line)
            return len(self._held) == 1

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is held, and a record, in one go."""
        try:
            line = self.format(record)  # first: if it cannot be, what is held is not lost with it
            self._write(self._take() + line + self.terminator)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 (as every handler does)
            self.handleError(record)

    def flush(self) -> None:
        """Write what is held."""
        self.acquire()
        try:
            if told := self._take():
                self._write(told)
            else:
                super().flush()
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 (as in `emit`)
            self.handleError(logging.makeLogRecord({"msg": "lines that were held"}))
        finally:
            self.release()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        super().flush()

    def _take(self) -> str:
        """Return what is held as the log has it, and hold it no longer. With the lock held."""
        with self._holding:
            held, self._held = self._held, []
        return "".join(self._line(one) + self.terminator for one in held)


def holder_of(logger: logging.Logger) -> LinesHandler | None:
    """Return what can hold lines of a logger: the one handler that they go to, if it can.

    None where others read along, or another program has its own logging: then a record each is
    due.
    """
    one: logging.Logger | None = logger
    while one is not None and one is not logging.root:
        if one.handlers or one.filters or not one.propagate:
            return None
        one = one.parent
    handlers = logging.root.handlers
    if len(handlers) != 1 or not isinstance(handlers[0], LinesHandler) or handlers[0].filters:
        return None
    return handlers[0]


class SoonLines:
    """Writes lines of one logger, soon. Any thread, whatever locks are held: nothing blocks."""

    def __init__(
        self, logger: logging.Logger, *, call_at: CallAt, clock: Callable[[], float]
    ) -> None:
        """Write to `logger`.

        Args:
            logger: whose lines they are.
            call_at: has the writing done.
            clock: the one that `call_at` goes by, in seconds.

        """
        self._logger = logger
        self._call_at = call_at
        self._clock = clock

    @property
    def wanted(self) -> bool:
        """Whether anybody would read a line."""
        return self._logger.isEnabledFor(logging.INFO)

    def add(self, said: str, extras: Callable[[], dict[str, Any]]) -> None:
        """Write a line of level info; `extras` returns what it carries, when it is written."""
        holder = holder_of(self._logger)
        if holder is None:
            self._call_at(SOON, partial(self._log, said, extras))
        elif holder.hold(Line(time.time(), self._logger.name, said, extras)):
            self._call_at(self._clock() + HELD_SECONDS, holder.flush)

    def _log(self, said: str, extras: Callable[[], dict[str, Any]]) -> None:
        # Not by `info`: that looks through the stack for who calls it, for each line.
        logger = self._logger
        logger.handle(
            logger.makeRecord(
                logger.name, logging.INFO, __file__, 0, said, (), None, "_log", extras()
            )
        )
