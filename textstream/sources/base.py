"""The contract of a source: a callable that takes a request and yields text.

::

    def shout(request: SourceRequest) -> Iterator[str]:
        for word in (request.prompt or "").split():
            yield word.upper() + " "

Closing the generator cancels it. A source that waits for something outside (a model, an
HTTP response) registers how to give it up with ``request.cancel.on_cancel``, so that it is
released even while the generator is waiting. One that is told when it may go on yields a `Wait`
meanwhile, and holds no thread. A generator may ``return "length"`` to say that it stopped at a
limit and not at the natural end of the text.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from textstream.access.account import Holding
from textstream.access.caller import NOBODY, Caller
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
        self._callbacks: list[Callable[[], object]] = []
        self.cancelled = False  # whether the text is no longer wanted

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether it was cancelled meanwhile."""
        with self._lock:
            if self.cancelled:
                return True
            if self._event is None:
                self._event = threading.Event()
        return self._event.wait(timeout)

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call `callback` once when cancelled, in the cancelling thread; now if it already is.

        The callback must not block: it runs in a request handler. It finds the context variables
        as they are now, and not those of whoever cancels. Should it raise, that is logged, and goes
        no further.
        """
        in_context = partial(contextvars.copy_context().run, callback)
        with self._lock:
            if not self.cancelled:
                self._callbacks.append(in_context)
                return
        _call(in_context)

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


class Wait:
    """Yielded in the place of text by a generator that has nothing to do until it is told.

    Meanwhile it holds no thread. It is asked for more when the wait is over, or closed if it is
    cancelled before. Several may wait for one. ``_lock`` guards the callbacks; they are called
    without it.
    """

    __slots__ = ("_callbacks", "_lock", "is_over")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.is_over = False  # whether there is something to do

    def over(self) -> None:
        """End it. Any thread; doing it again does nothing. It returns at once."""
        with self._lock:
            self.is_over = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def then(self, callback: Callable[[], None]) -> None:
        """Call `callback` when it is over; now if it already is. For who runs the generator."""
        with self._lock:
            if not self.is_over:
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], None]) -> None:
        """Do not call `callback`, unless that is under way."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


def _call(callback: Callable[[], object]) -> None:
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
        caller: who asks, for whatever goes round between clients.

    """

    prompt: str | None = None
    params: Any = field(default_factory=NoParams)
    cancel: CancelToken = field(default_factory=CancelToken)
    unit: UnitName = "char"
    holding: Holding | None = None
    caller: Caller = NOBODY


Pieces = Generator[str | Wait, None, str | None]
"""What a source's generator yields: text, or that it waits; and it returns how it ended."""


class SlotQueue(Protocol):
    """Of how many slots of a source are taken, and how many starts wait for one. Any thread."""

    @property
    def running(self) -> int:
        """How many have a slot."""
        ...

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        ...


def runs_anywhere() -> None:
    """Check nothing: for a source that needs nothing."""


def admits_all(request: SourceRequest) -> int:  # noqa: ARG001 (as any other is asked)
    """Refuse nobody, and let nobody wait: for a source without slots."""
    return 0


def nobody_waits() -> Mapping[CancelToken, int | None]:
    """Return no places: for a source without slots."""
    return {}


def has_no_whole(request: SourceRequest) -> None:
    """Return None: for a source whose text is not there before it is asked."""


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
        quick: whether nothing that is given here ever waits, takes more than 0.1 ms, or is a
            user's code, nor what it registers with the `CancelToken`: so that it may run in the
            transport's one thread. A user's source never is, whatever it says.
        whole: returns the whole text, where it is there and short, so that it can be cut into
            units in 0.5 ms; None where it is not, and `generate` is asked. Like that one it waits
            for nothing, and is called in the thread that starts the stream.
        deterministic: whether the same request gives the same text each time, whatever its deltas:
            then another process may go on with it where this one has died.
        contextual: whether its code may look at context variables. ``text`` does not,
            and needs no context: making and entering one takes as long as a short text.
        blocking: whether its generator may keep its thread while it waits. Those that do not,
            because they yield a `Wait`, never stand in line behind those that do.
        needs_prompt: whether a start without a prompt is refused.
        admit: is told of each start before anything is made of it, and returns its place in the
            line, 1 is next, 0: it need not wait; or raises `TooManyStreams` to refuse it. Not
            allowed to wait. What it lets in is generated, or cancelled.
        places: returns the place of each that waits, by the request's token; None for one that it
            has let in and that has not come to wait yet. Those are left out that do not wait, or
            have their turn. Not allowed to wait.
        check: raises `SourceUnavailable`, with the cure, when the source cannot run here.
        preload: loads what is slow to load (a model), so that the first stream is fast.
        close: frees what the source holds.
        queue: how many of its slots are taken, and how many starts wait for one; None: it has
            none, or does not tell.

    """

    name: str
    generate: Callable[[SourceRequest], Iterator[str | Wait]]
    description: str = ""
    params_model: type[BaseModel] = NoParams
    live: bool = True
    immediate: bool = False
    quick: bool = False
    whole: Callable[[SourceRequest], str | None] = has_no_whole
    deterministic: bool = False
    contextual: bool = True
    blocking: bool = True
    needs_prompt: bool = True
    admit: Callable[[SourceRequest], int] = admits_all
    places: Callable[[], Mapping[CancelToken, int | None]] = nobody_waits
    check: Callable[[], None] = runs_anywhere
    preload: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
    queue: SlotQueue | None = None
