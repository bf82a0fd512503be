"""The event loop behind the source ``openai``: a thread, and a task for each answer.

What it needs is imported there, and takes half a second the first time: nobody else waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textstream.errors import ShuttingDown, SourceFailed, SourceUnavailable, TextStreamError
from textstream.loggable import log_exception
from textstream.sources.arrivals import Arrivals
from textstream.sources.base import Finished
from textstream.sources.openai_exchange import END_SECONDS, Exchanges

if TYPE_CHECKING:
    from textstream.sources.openai_http import ApiHttp

logger = logging.getLogger("textstream.sources.openai")

WINDOW = 256
"""Deltas that wait for the generator, at most; then the response is read no further."""

CLOSE_SECONDS = 10.0

Item = str | Finished | TextStreamError | None
"""What a task hands to its generator; None only wakes it: it was cancelled."""


class Window:
    """Holds a task back when its generator is not iterated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards everything below
        self._waiting = 0  # deltas handed over and not yet taken
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room: asyncio.Event | None = None

    async def enter(self) -> None:
        """Count one delta, after waiting for room. For the task."""
        with self._lock:
            if self._room is None:
                self._loop, self._room = asyncio.get_running_loop(), asyncio.Event()
            self._waiting += 1
            full = self._waiting > WINDOW
            if full:
                self._room.clear()
        if full:
            await self._room.wait()

    def taken(self) -> None:
        """Take one delta off the count. For the generator."""
        with self._lock:
            self._waiting -= 1
            # Half empty: a wake-up for each delta would cost more than the delta.
            if self._waiting == WINDOW // 2 and self._loop and self._room:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._room.set)


class OpenAIClient:
    """Streams chat completions; its thread starts with the first."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str | None,
        timeout: float,
        end_wait: float = END_SECONDS,
    ) -> None:
        """Keep the settings; they are those of `ApiHttp` and `Exchanges`."""
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._end_wait = end_wait
        self._lock = threading.Lock()  # guards everything below
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: ApiHttp | None = None  # the loop's own, as is the next
        self._exchanges: Exchanges | None = None
        self._closed = False

    def submit(self, body: dict[str, Any], deltas: Arrivals[Item], window: Window) -> Future[None]:
        """Ask, and hand what comes back to `deltas`; cancelling the future closes the connection.

        Returns at once.

        Raises:
            ShuttingDown: after `close`.

        """
        with self._lock:
            if self._closed:
                raise ShuttingDown("The server is shutting down.")
            loop = self._loop or self._start()
            return asyncio.run_coroutine_threadsafe(self._answer(body, deltas, window), loop)

    def close(self) -> None:
        """Give up what is running and close all connections. Doing it again does nothing."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            thread = self._thread
        if loop:
            loop.call_soon_threadsafe(loop.stop)
        if thread:
            thread.join(CLOSE_SECONDS)

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(
            target=self._run, args=(loop,), name="openai-requests", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            loop.close()
            raise SourceFailed(f"The request cannot be made: {error}. Try again.") from error
        self._loop, self._thread = loop, thread
        return loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.get_loop().run_forever()
            runner.run(self._disconnect())

    def _connected(self) -> Exchanges:
        """Return what asks the API. In the loop.

        Raises:
            SourceUnavailable: the package does not load, or the settings make no sense to it.

        """
        if self._exchanges is None:
            try:
                from textstream.sources.openai_http import ApiHttp  # noqa: PLC0415  # needs httpx2

                self._http = ApiHttp(
                    base_url=self._base_url, api_key=self._api_key, timeout=self._timeout
                )
            except TextStreamError:
                raise
            except Exception as error:
                raise SourceUnavailable(
                    f"The package httpx2 does not start ({type(error).__name__}: {error})."
                ) from error
            self._exchanges = Exchanges(self._http, timeout=self._timeout, end_wait=self._end_wait)
        return self._exchanges

    async def _disconnect(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _answer(self, body: dict[str, Any], deltas: Arrivals[Item], window: Window) -> None:
        async def say(text: str) -> None:
            await window.enter()
            deltas.put(text)

        ending: Item = None
        try:
            ending = await self._connected().answer(body, say)
        except TextStreamError as error:
            for note in getattr(error, "__notes__", ()):
                logger.warning("no whole answer from the API: %s", note)
            ending = error
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "the source openai has a fault of its own", error=error)
            ending = SourceFailed(f"The API's answer makes no sense ({type(error).__name__}).")
        finally:
            deltas.put(ending)
