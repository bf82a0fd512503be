"""The contract of a source: a callable that takes a request and yields text.

::

    def shout(request: SourceRequest) -> Iterator[str]:
        for word in (request.prompt or "").split():
            yield word.upper() + " "

Closing the generator cancels it. A source that waits for something outside (a model, an
HTTP response) registers how to give it up with ``request.cancel.on_cancel``, so that it is
released even while the generator is waiting. A generator may ``return "length"`` to say
that it stopped at a limit and not at the natural end of the text.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from textstream.access.account import Holding
from textstream.loggable import log_exception
from textstream.protocol import UnitName

logger = logging.getLogger("textstream.sources")


class NoParams(BaseModel):
    """The params of a source that has none: any key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CancelToken:
    """Says once, to whoever asks or has registered, that the text is no longer wanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the rest
        self._event: threading.Event | None = None  # made for who waits: most sources do not
        self._callbacks: list[Callable[[], None]] = []
        self.cancelled = False  # whether the text is no longer wanted

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether it was cancelled meanwhile."""
        with self._lock:
            if self.cancelled:
                return True
            if self._event is None:
                self._event = threading.Event()
        return self._event.wait(timeout)

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when cancelled, in the cancelling thread; now if it already is.

        The callback must not block: it runs in a request handler. Should it raise, that is logged,
        and goes no further.
        """
        with self._lock:
            if not self.cancelled:
                self._callbacks.append(callback)
                return
        _call(callback)

    def cancel(self) -> None:
        """Cancel. Doing it again does nothing."""
        with self._lock:
            if self.cancelled:
                return
            self.cancelled = True
            if self._event:
                self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            _call(callback)


def _call(callback: Callable[[], None]) -> None:
    # Whoever cancels (a stop, a timer, the server that goes down) is not to fail, nor are the other
    # callbacks to be left out, for what is a bug of one source.
    try:
        callback()
    except Exception as error:  # noqa: BLE001 (of whatever kind)
        said = "a source's on_cancel callback failed"
        log_exception(logger, said, error=error, level=logging.WARNING)


@dataclass(frozen=True)
class SourceRequest:
    """What a source is asked for.

    Attributes:
        prompt: the prompt, or for ``text`` the text itself; None when nothing was given.
        params: an instance of the source's params model.
        cancel: set when the text is no longer wanted.
        unit: what the stream counts: a source whose text is there already need not cut it into
            tokens for a stream of characters.
        holding: what counts a long prompt for its client until the stream has ended; a source
            that keeps less of it tells by ``holding.set``. None for a short one.

    """

    prompt: str | None = None
    params: Any = field(default_factory=NoParams)
    cancel: CancelToken = field(default_factory=CancelToken)
    unit: UnitName = "char"
    holding: Holding | None = None


def runs_anywhere() -> None:
    """Check nothing: for a source that needs nothing."""


@dataclass(frozen=True)
class Finished:
    """The end of a model's answer, as those who generate it tell those who iterate it.

    `reason` is "length" when it was cut at a limit, else None: what the generator returns.
    """

    reason: str | None


@dataclass(frozen=True)
class Source:
    """A named source, as the registry keeps it.

    Attributes:
        name: what a client puts into ``source``.
        generate: makes the generator of the text; may ``return "length"``.
        description: one line for people, shown by pages and the command line.
        params_model: a pydantic model that refuses unknown keys.
        live: whether the text arrives while it is generated; sets the default pace
            (``"auto"`` if it does, 30 units/s if not).
        immediate: whether `generate` never waits and computes nothing, so that its first text may
            be taken in the thread that starts the stream.
        needs_prompt: whether a start without a prompt is refused.
        check: raises `SourceUnavailable`, with the cure, when the source cannot run here.
        preload: loads what is slow to load (a model), so that the first stream is fast.
        close: frees what the source holds.

    """

    name: str
    generate: Callable[[SourceRequest], Iterator[str]]
    description: str = ""
    params_model: type[BaseModel] = NoParams
    live: bool = True
    immediate: bool = False
    needs_prompt: bool = True
    check: Callable[[], None] = runs_anywhere
    preload: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
