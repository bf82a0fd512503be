"""The local model's queue: what waits holds no thread, and no slot stands empty."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from tests.sources.conftest import new_model
from tests.sources.endpoint import SLOTS
from tests.sources.test_local_llm import STORY, ask, engine_of, running
from tests.sources.waiting import LONG, texts, wait_until
from tests.stream.line import Line
from textstream.access.caller import Caller
from textstream.errors import ShuttingDown, SourceFailed
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.sources.llama_engine import LlamaEngine
from textstream.sources.llm_chat import params_model
from textstream.sources.local_llm import LocalModel
from textstream.stream.pools import READY_THREADS, Pools

pytestmark = pytest.mark.model


@pytest.fixture
def idle(model: LocalModel) -> Iterator[LocalModel]:
    """The shared model; afterwards nothing runs in it."""
    yield model
    wait_until(lambda: engine_of(model).slots_in_use() == 0 and not running(model))


def test_those_that_wait_for_a_slot_hold_no_thread(idle: LocalModel) -> None:
    pools = Pools(1)
    source = Source("llm", idle.generate, params_model=params_model(2048), blocking=False)
    threads = threading.active_count()
    lines = [
        Line(source, pools=pools, caller=Caller("127.0.0.1", str(n)), prompt=STORY, unit="token")
        for n in range(100)
    ]
    wait_until(lambda: idle.slots.running == SLOTS and idle.slots.waiting == 100 - SLOTS)
    assert threading.active_count() - threads <= READY_THREADS + SLOTS + 1
    wait_until(lambda: any(line.text for line in lines))
    for line in lines:
        line.stream.stop("stopped")
    assert (idle.slots.running <= SLOTS, idle.slots.waiting) == (True, 0)
    pools.close(time.monotonic() + LONG)
    wait_until(lambda: idle.slots.running == 0)


def test_a_slot_that_comes_while_nobody_reads_does_not_stand_empty(idle: LocalModel) -> None:
    holders = [idle.generate(ask(STORY, max_tokens=300)) for _ in range(SLOTS)]
    for holder in holders:
        next(holder)
    paused = idle.generate(ask(STORY, max_tokens=300))
    assert isinstance(next(paused), Wait)
    for holder in holders:
        holder.close()
    # It is not iterated. It generates what is kept for it, and leaves its slot to others.
    wait_until(lambda: idle.slots.running == 0 and idle.slots.waiting == 0)
    assert len(list(itertools.islice(texts(paused), 10))) == 10
    paused.close()


def test_going_down_ends_all_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    model = new_model(slots=1)
    loading, go_on = threading.Event(), threading.Event()

    def load() -> LlamaEngine:
        loading.set()
        go_on.wait(LONG)
        raise ShuttingDown("It was still loading.")

    monkeypatch.setattr(model, "_loaded", load)
    params = params_model(2048)()
    waiting = [model.generate(SourceRequest("Hello", params)) for _ in range(1500)]
    assert all(isinstance(next(generator), Wait) for generator in waiting)
    assert loading.wait(LONG)
    closing = threading.Thread(target=model.close)
    closing.start()
    wait_until(lambda: model._closed)
    go_on.set()
    closing.join()
    for generator in waiting:
        with pytest.raises(ShuttingDown):
            next(texts(generator))
    assert (model.slots.running, model.slots.waiting) == (0, 0)


def test_where_no_thread_can_be_had_the_stream_fails_and_the_slot_is_free(
    idle: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        with pytest.raises(SourceFailed, match=r"can't start new thread\. Try again"):
            next(texts(idle.generate(ask("Hello"))))
    assert idle.slots.running == 0
    assert "".join(texts(idle.generate(ask("Say hello.", max_tokens=4))))
