"""The event loop behind the source ``openai``: the only module that imports ``openai``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from textstream.errors import (
    InvalidRequest,
    ShuttingDown,
    SourceFailed,
    SourceUnavailable,
    TextStreamError,
)
from textstream.sources.base import Finished

logger = logging.getLogger("textstream.sources.openai")

WINDOW = 256
"""Deltas that wait for the generator, at most; then the response is read no further."""

CONNECT_SECONDS = 10.0
"""How long connecting may take, at most."""

CLOSE_SECONDS = 10.0

_HTTP_REQUEST_ERRORS = frozenset({400, 409, 413, 422})


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

    def __init__(self, *, base_url: str, api_key: str | None, timeout: float) -> None:
        """Keep the settings; `timeout` is in seconds of silence."""
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._lock = threading.Lock()  # guards everything below; held while the loop starts
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self._closed = False

    def submit(
        self, body: dict[str, Any], deltas: SimpleQueue[Item], window: Window
    ) -> Future[None]:
        """Ask, and hand what comes back to `deltas`; cancelling the future closes the connection.

        Raises:
            SourceUnavailable: the package does not load, or the settings make no sense to it.
            ShuttingDown: after `close`.

        """
        with self._lock:
            if self._closed:
                raise ShuttingDown("The server is shutting down.")
            if self._loop is None:
                self._start()
            assert self._loop is not None  # noqa: S101  # for the type checker
            return asyncio.run_coroutine_threadsafe(self._answer(body, deltas, window), self._loop)

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

    def _start(self) -> None:
        ready: Future[asyncio.AbstractEventLoop] = Future()
        thread = threading.Thread(
            target=self._run, args=(ready,), name="openai-requests", daemon=True
        )
        thread.start()
        try:
            self._loop = ready.result()
        except Exception as error:
            raise SourceUnavailable(
                f"The package openai does not start ({type(error).__name__}: {error})."
            ) from error
        self._thread = thread

    def _run(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            try:
                self._client = runner.run(self._connect())
            except Exception as error:  # noqa: BLE001  # raised again where it is waited for
                ready.set_exception(error)
                return
            ready.set_result(loop)
            loop.run_forever()
            runner.run(self._disconnect())

    async def _connect(self) -> Any:
        import openai  # noqa: PLC0415  # optional, and takes half a second

        return openai.AsyncOpenAI(
            base_url=self._base_url,
            # Without one, the package would take OPENAI_API_KEY and send it to this address.
            api_key=self._api_key or "none",
            # The reader tries again, if it wants to: here it would multiply the silence.
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=openai.Timeout(
                    self._timeout, connect=min(self._timeout, CONNECT_SECONDS), pool=None
                ),
                # Settings come from TEXTSTREAM_* only. A proxy in the environment would see
                # prompts, and would break an API on this machine.
                trust_env=False,
            ),
        )

    async def _disconnect(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _answer(
        self, body: dict[str, Any], deltas: SimpleQueue[Item], window: Window
    ) -> None:
        ending: Item = None
        try:
            ending = await self._stream(body, deltas, window)
        except Exception as error:  # noqa: BLE001  # whatever it is, the generator must hear of it
            ending = _explain(error)
        finally:
            deltas.put(ending)

    async def _stream(
        self, body: dict[str, Any], deltas: SimpleQueue[Item], window: Window
    ) -> Item:
        reason, answered = None, False
        async with await self._client.chat.completions.create(**body, stream=True) as stream:
            async for chunk in stream:
                answered = True
                for choice in chunk.choices or ():
                    if choice.delta and choice.delta.content:
                        await window.enter()
                        deltas.put(choice.delta.content)
                    reason = choice.finish_reason or reason
        if not answered:
            return SourceFailed(
                "What answers is no OpenAI-compatible API. Check TEXTSTREAM_OPENAI_BASE_URL."
            )
        if reason == "content_filter":
            return SourceFailed("The API's content filter cut the answer off.")
        return Finished("length" if reason == "length" else None)


def _explain(error: Exception) -> TextStreamError:
    """Turn an error of the package into ours. Never quotes it: it may hold key or prompt."""
    import openai  # noqa: PLC0415  # loaded by now

    if isinstance(error, openai.APIStatusError):
        return _explain_status(error.status_code, _kind(error))
    if isinstance(error, openai.APITimeoutError):
        return SourceFailed("The API did not answer in time (TEXTSTREAM_OPENAI_TIMEOUT).")
    if isinstance(error, openai.APIConnectionError):
        return SourceFailed(
            "The API cannot be reached, or dropped the connection. "
            "Check TEXTSTREAM_OPENAI_BASE_URL."
        )
    if isinstance(error, openai.APIError):
        return SourceFailed(f"The API broke off with an error{_kind(error)}.")
    logger.warning("unexpected %s from the package openai", type(error).__name__)
    return SourceFailed(f"The API's answer makes no sense ({type(error).__name__}).")


def _explain_status(status: int, kind: str) -> TextStreamError:
    if status in {401, 403}:
        return SourceFailed(
            f"The API refused the key (HTTP {status}). Check TEXTSTREAM_OPENAI_API_KEY."
        )
    if status == 404:  # noqa: PLR2004  # a name would say less
        return SourceFailed(
            "The API knows no such address or model (HTTP 404). "
            "Check TEXTSTREAM_OPENAI_BASE_URL and TEXTSTREAM_OPENAI_MODEL."
        )
    if status == 429:  # noqa: PLR2004
        return SourceFailed("The API takes no more requests for now (HTTP 429). Try again later.")
    if status in _HTTP_REQUEST_ERRORS:
        return InvalidRequest(
            f"The API refused the request (HTTP {status}{kind}). Change the prompt or the params."
        )
    return SourceFailed(f"The API failed (HTTP {status}{kind}). Try again later.")


def _kind(error: Any) -> str:
    """Return the API's own names for the error, if they are names and not sentences."""
    names = [error.code, error.type, error.param]
    plain = [
        name for name in names if isinstance(name, str) and re.fullmatch(r"[\w.-]{1,64}", name)
    ]
    return "".join(f", {name}" for name in dict.fromkeys(plain))
