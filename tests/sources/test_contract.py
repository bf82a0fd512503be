"""What every source must do, checked on each: text, llm, openai and a user's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sources.endpoint import SLOTS, Endpoint
from tests.sources.waiting import Consumer, texts, wait_until
from tests.support.timing import patient
from textstream.errors import InvalidRequest
from textstream.sources import SourceRegistry
from textstream.sources.base import CancelToken, Source, SourceRequest
from textstream.sources.llm_chat import params_model
from textstream.sources.local_llm import LocalModel
from textstream.sources.openai_compatible import openai_source
from textstream.sources.text import text_source

ALL = ["text", "user", "llm", "openai"]
WAITING = ["user", "llm", "openai"]
"""Those that wait for something; ``text`` never does."""

MODEL = {"llm", "openai"}

SHORT = {"max_tokens": 12, "system": "You are a helpful assistant."}
CAPITAL = "Complete the sentence: The capital of {} is"
"""The small model answers this with the same sentence and its end, whatever runs beside it."""


class UserSource:
    """As a user writes one: repeats the prompt, each word once `SLOTS` callers may go on.

    It counts whom it serves, as a service with a bounded number of connections does.
    """

    live = True

    def __init__(self) -> None:
        self._places = threading.Semaphore(SLOTS)
        self.in_use = 0

    def __call__(self, request: SourceRequest) -> Iterator[str]:
        """Repeat the prompt."""
        given_up = threading.Event()
        request.cancel.on_cancel(given_up.set)
        while not self._places.acquire(timeout=0.01):
            if given_up.is_set():
                return
        self.in_use += 1
        try:
            for word in (request.prompt or "").split():
                yield word + " "
        finally:
            self.in_use -= 1
            self._places.release()


@dataclass
class Case:
    """A source under test, how to look at what it holds, and what keeps its answers short."""

    source: Source
    in_use: Callable[[], int]
    params: dict[str, Any] = field(default_factory=dict)
    short: dict[str, Any] = field(default_factory=dict)

    def start(self, prompt: str, **params: Any) -> tuple[Iterator[str], CancelToken]:
        """Return a generator, and what cancels it."""
        registry = SourceRegistry([self.source], preferred=self.source.name)
        checked = registry.parse_params(self.source, {**self.params, **params})
        request = SourceRequest(prompt, checked, unit="token")  # small deltas, from all of them
        return texts(self.source.generate(request)), request.cancel


def llm_case(request: pytest.FixtureRequest) -> Case:
    model: LocalModel = request.getfixturevalue("model")
    source = Source("llm", model.generate, params_model=params_model(2048), check=model.check)

    def in_use() -> int:
        return model.engine.slots_in_use() if model.engine else 0

    return Case(source, in_use, {"temperature": 0.0}, SHORT)


def openai_case(request: pytest.FixtureRequest) -> Case:
    endpoint: Endpoint = request.getfixturevalue("endpoint")
    source = openai_source(
        base_url=endpoint.base_url, api_key=endpoint.key, model="any", timeout=60.0
    )
    request.addfinalizer(source.close)
    params = {"temperature": 0.0, "max_tokens": 512}
    return Case(source, endpoint.slots_in_use, params, SHORT)


def user_case(_request: pytest.FixtureRequest) -> Case:
    function = UserSource()
    return Case(Source("user", function), lambda: function.in_use)


def text_case(_request: pytest.FixtureRequest) -> Case:
    return Case(text_source(), lambda: 0)


def cases(names: list[str]) -> pytest.MarkDecorator:
    marked = [pytest.param(n, marks=pytest.mark.model if n in MODEL else ()) for n in names]
    return pytest.mark.parametrize("case", marked, indirect=True)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    makers = {"text": text_case, "user": user_case, "llm": llm_case, "openai": openai_case}
    made = makers[request.param](request)
    yield made
    wait_until(lambda: made.in_use() == 0)


LONG_ANSWER = "Write a long story about the sea, with many details, in ten chapters."


@cases(ALL)
def test_yields_strings_only_none_of_them_empty(case: Case) -> None:
    generator, _ = case.start(CAPITAL.format("France"), **case.short)
    pieces = list(generator)
    assert len(pieces) > 1
    assert all(type(piece) is str and piece for piece in pieces)


@cases(ALL)
def test_a_generator_that_never_ran_holds_nothing(case: Case) -> None:
    generator, _ = case.start(LONG_ANSWER)
    generator.close()  # type: ignore[attr-defined]
    assert case.in_use() == 0


@cases(ALL)
def test_closing_half_way_releases_what_it_holds(case: Case) -> None:
    started = []
    for _ in range(SLOTS):
        generator, _cancel = case.start(LONG_ANSWER)
        next(generator)
        started.append(generator)
    for generator in started:
        before = time.monotonic()
        generator.close()  # type: ignore[attr-defined]
        assert time.monotonic() - before < patient(1.0)
    wait_until(lambda: case.in_use() == 0)


@cases(WAITING)
def test_cancelling_ends_the_wait_for_a_slot(case: Case) -> None:
    holders = [case.start(LONG_ANSWER) for _ in range(SLOTS)]
    for holder, _cancel in holders:
        next(holder)
    generator, cancel = case.start("Hello")
    waiting = Consumer(generator)
    cancelled_at = time.monotonic()
    cancel.cancel()
    assert waiting.finish() == ""
    assert waiting.ended_at - cancelled_at < patient(1.0)
    for holder, _cancel in holders:
        holder.close()  # type: ignore[attr-defined]


@cases(WAITING)
def test_a_cancelled_generation_makes_room_for_another(case: Case) -> None:
    holders = [case.start(LONG_ANSWER) for _ in range(SLOTS)]
    for holder, _cancel in holders:
        next(holder)
    assert case.in_use() == SLOTS
    consumers = [Consumer(generator) for generator, _cancel in holders[1:]]
    generator, cancel = case.start("Hello there, how are you?")
    following = Consumer(generator)
    holders[0][1].cancel()
    holders[0][0].close()  # type: ignore[attr-defined]
    wait_until(lambda: bool(following.pieces))
    for token in [cancel, *(cancel for _generator, cancel in holders)]:
        token.cancel()
    for consumer in [following, *consumers]:
        consumer.join()


@cases(ALL)
def test_two_at_a_time_do_not_mix(case: Case) -> None:
    ask = CAPITAL
    france = Consumer(case.start(ask.format("France"), **case.short)[0])
    italy = Consumer(case.start(ask.format("Italy"), **case.short)[0])
    assert "France" in france.finish()
    assert "Italy" in italy.finish()
    assert "Italy" not in "".join(france.pieces)
    assert "France" not in "".join(italy.pieces)


@cases(ALL)
def test_may_be_resumed_by_one_thread_after_another(case: Case) -> None:
    generator, _ = case.start(CAPITAL.format("France"), **case.short)
    pieces: list[str] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: pieces.append(next(generator)))
        thread.start()
        thread.join()
    pieces += list(generator)
    assert "capital of France" in "".join(pieces)


@cases(ALL)
def test_cancelled_before_it_began(case: Case) -> None:
    generator, cancel = case.start(LONG_ANSWER)
    cancel.cancel()
    consumer = Consumer(generator)
    consumer.finish()
    assert case.in_use() == 0


@cases(ALL)
def test_unknown_params_are_refused(case: Case) -> None:
    with pytest.raises(InvalidRequest, match="no_such_param: unknown key"):
        case.start("Hello", no_such_param=1)


@pytest.mark.model
@pytest.mark.parametrize("case", sorted(MODEL), indirect=True)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("temperature", "0.5"),
        ("temperature", float("nan")),
        ("temperature", -0.1),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", True),
        ("max_tokens", 10**9),
        ("seed", -1),
        ("seed", 2**32 - 1),
        ("system", "\0"),
        ("system", "x" * 20_000),
        ("system", "\ud800"),
    ],
)
def test_params_out_of_range_are_refused(case: Case, key: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=key):
        case.start("Hello", **{key: value})


@pytest.mark.model
@pytest.mark.parametrize("case", sorted(MODEL), indirect=True)
def test_a_limit_of_tokens_is_told(case: Case) -> None:
    generator, _ = case.start(LONG_ANSWER, max_tokens=5)
    consumer = Consumer(generator)
    assert consumer.finish()
    assert len(consumer.pieces) <= 5
    assert consumer.result == "length"


@pytest.mark.model
@pytest.mark.parametrize("case", sorted(MODEL), indirect=True)
def test_a_natural_end_is_told(case: Case) -> None:
    generator, _ = case.start(CAPITAL.format("France"))
    consumer = Consumer(generator)
    assert "Paris" in consumer.finish()
    assert consumer.result is None


@pytest.mark.model
@pytest.mark.parametrize("case", sorted(MODEL), indirect=True)
def test_without_a_prompt_it_says_so(case: Case) -> None:
    params = case.source.params_model()
    with pytest.raises(InvalidRequest, match="needs a prompt"):
        next(texts(case.source.generate(SourceRequest(None, params))))


@pytest.mark.model
@pytest.mark.parametrize("case", sorted(MODEL), indirect=True)
def test_a_prompt_that_is_too_long_is_refused(case: Case) -> None:
    generator, _ = case.start("a long prompt " * 2000)
    with pytest.raises(InvalidRequest):
        next(generator)


@cases(ALL)
def test_params_have_a_schema_that_allows_no_other_keys(case: Case) -> None:
    schema = case.source.params_model.model_json_schema()
    assert schema["additionalProperties"] is False
