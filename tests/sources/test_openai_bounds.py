"""What the operator bounds of a paid API: tokens, requests at a time, which params; and threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sources.api_double import DONE, ApiDouble, Exchange, event
from tests.sources.waiting import Consumer, texts, wait_until
from tests.stream.line import Line
from tests.support.timing import patient
from textstream.access.caller import Caller
from textstream.access.source_shares import SourceShares
from textstream.errors import InvalidRequest, SourceUnavailable, TooManyStreams
from textstream.sources import SourceRegistry
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.sources.openai_compatible import openai_source
from textstream.sources.openai_params import params_model
from textstream.stream.pools import READY_THREADS, Pools

TIMEOUT = patient(10.0)
ANSWER = event("Yes. ") + event(finish="stop") + DONE

Start = Callable[..., tuple[Source, ApiDouble]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a source with the bounds that are given, and the scripted API that it asks."""
    opened: list[tuple[Source, ApiDouble]] = []

    def begin(
        script: Callable[[Exchange], None] = lambda exchange: exchange.answer(ANSWER),
        **bounds: Any,
    ) -> tuple[Source, ApiDouble]:
        double = ApiDouble(script)
        source = openai_source(
            base_url=double.base_url, api_key="k", model="m", timeout=30.0, **bounds
        )
        opened.append((source, double))
        return opened[-1]

    yield begin
    for source, double in opened:
        source.close()
        double.close()


def asked_for(start: Start, given: dict[str, Any], **bounds: Any) -> dict[str, Any]:
    """Return what arrives at the API of what a client gives."""
    source, double = start(**bounds)
    registry = SourceRegistry([source], preferred="openai")
    request = SourceRequest("Hi", registry.parse_params(source, given))
    assert list(texts(source.generate(request))) == ["Yes. "]
    body: dict[str, Any] = double.exchanges[0].body
    return {name: value for name, value in body.items() if name not in {"model", "stream"}}


NEWER = "max_completion_tokens"


@pytest.mark.parametrize(
    ("most", "given", "sent"),
    [
        (None, {}, {}),
        (None, {"max_tokens": 9}, {"max_tokens": 9}),
        (None, {"max_tokens": 1_000_000}, {"max_tokens": 32_768}),
        (None, {NEWER: 1_000_000}, {NEWER: 32_768}),
        (100, {}, {"max_tokens": 100}),
        (100, {"max_tokens": 9}, {"max_tokens": 9}),
        (100, {"max_tokens": 101}, {"max_tokens": 100}),
        (100, {NEWER: 1_000_000}, {NEWER: 100}),
        (50_000, {"max_tokens": 1_000_000}, {"max_tokens": 50_000}),
    ],
)
def test_no_answer_is_longer_than_the_operator_pays_for(
    start: Start, most: int | None, given: dict[str, int], sent: dict[str, int]
) -> None:
    assert asked_for(start, given, max_tokens=most) == {
        "messages": [{"role": "user", "content": "Hi"}],
        **sent,
    }


def test_the_bound_goes_with_the_request_though_no_client_may_set_it(start: Start) -> None:
    sent = asked_for(start, {"seed": 3}, max_tokens=100, params=["seed"])
    assert (sent["max_tokens"], sent["seed"]) == (100, 3)


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        (["*"], {"temperature", "max_tokens", NEWER, "seed", "system"}),
        (["seed", "max_tokens"], {"seed", "max_tokens"}),
        (["none"], set()),
    ],
)
def test_params_that_a_client_may_not_set_are_refused_and_in_no_schema(
    start: Start, allowed: list[str], left: set[str]
) -> None:
    source, _double = start(params=allowed)
    registry = SourceRegistry([source], preferred="openai")
    (described,) = registry.describe()["sources"]
    assert described["params"]["properties"].keys() == left
    assert described["params"]["additionalProperties"] is False
    values = {"temperature": 0.5, "max_tokens": 9, "seed": 3, "system": "Be kind."}
    for name, value in values.items():
        if name in left:
            registry.parse_params(source, {name: value})
            continue
        with pytest.raises(InvalidRequest, match=f"{name}: the operator of this server") as refused:
            registry.parse_params(source, {name: value})
        assert str(value) not in refused.value.message
    with pytest.raises(InvalidRequest, match="nonsense: unknown key"):
        registry.parse_params(source, {"nonsense": 1})


@pytest.mark.parametrize(("most", "bound"), [(None, 32_768), (100, 100)])
def test_the_schema_says_what_more_is_taken_as(start: Start, most: int | None, bound: int) -> None:
    source, _double = start(max_tokens=most)
    for name in ("max_tokens", NEWER):
        said = source.params_model.model_json_schema()["properties"][name]["description"]
        assert said.endswith(f" More than {bound} is taken as {bound}.")


def test_a_param_that_there_is_not_is_a_mistake_of_the_operator_s() -> None:
    with pytest.raises(SourceUnavailable, match=r"OPENAI_PARAMS names sytem\. There are: temper"):
        params_model(["seed", "sytem"])


class Api:
    """An API that answers when a test lets it."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Exchange] = queue.SimpleQueue()
        self.go = threading.Semaphore(0)

    def __call__(self, exchange: Exchange) -> None:
        self.asked.put(exchange)
        assert self.go.acquire(timeout=TIMEOUT)
        exchange.answer(ANSWER)


def test_so_many_requests_run_at_a_time_and_the_others_hold_no_thread(start: Start) -> None:
    api, pools, count = Api(), Pools(1), 40
    source, _double = start(api, slots=3)
    lines = [
        Line(source, pools=pools, caller=Caller("127.0.0.1", str(n)), prompt="Hi", unit="token")
        for n in range(count)
    ]
    for _ in range(3):
        api.asked.get(timeout=TIMEOUT)
    ran = threading.Event()

    def other(_request: SourceRequest) -> Iterator[str]:
        ran.set()
        yield "x"

    Line(Source("other", other, blocking=False), pools=pools, caller=Caller("127.0.0.1", "other"))
    assert ran.wait(TIMEOUT)
    assert api.asked.empty()
    assert sum("producer" in thread.name for thread in threading.enumerate()) <= READY_THREADS
    for _ in range(count - 3):
        api.go.release()
        api.asked.get(timeout=TIMEOUT)
    for _ in range(3):
        api.go.release()
    wait_until(lambda: all(line.stream.life.outcome for line in lines))
    assert {line.text for line in lines} == {"Yes. "}
    pools.close(time.monotonic() + TIMEOUT)


def test_one_that_waits_for_a_slot_is_given_up_without_having_been_asked(start: Start) -> None:
    api = Api()
    source, double = start(api, slots=1)
    first = Consumer(source.generate(SourceRequest("Hi", source.params_model())))
    api.asked.get(timeout=TIMEOUT)
    request = SourceRequest("Hi", source.params_model())
    waiting = source.generate(request)
    assert isinstance(next(waiting), Wait)
    request.cancel.cancel()
    assert list(texts(waiting)) == []
    api.go.release()
    assert first.finish() == "Yes. "
    assert len(double.exchanges) == 1


def test_a_request_that_is_given_up_leaves_its_slot(start: Start) -> None:
    api = Api()
    source, _double = start(api, slots=1)
    request = SourceRequest("Hi", source.params_model())
    first = Consumer(source.generate(request))
    api.asked.get(timeout=TIMEOUT)
    second = Consumer(source.generate(SourceRequest("Hi", source.params_model())))
    request.cancel.cancel()
    assert first.finish() == ""
    api.asked.get(timeout=TIMEOUT)
    api.go.release()
    api.go.release()
    assert second.finish() == "Yes. "


def test_a_fault_leaves_its_slot(start: Start) -> None:
    source, _double = start(lambda exchange: exchange.answer("no", status=500), slots=1)
    for _ in range(3):
        consumer = Consumer(source.generate(SourceRequest("Hi", source.params_model())))
        with pytest.raises(Exception, match="500"):
            consumer.finish()


def test_more_than_an_address_may_is_refused_when_it_is_started(start: Start) -> None:
    source, _double = start(slots=16, shares=SourceShares())
    for _ in range(2 + 4):
        source.admit(SourceRequest("Hi", caller=Caller("192.0.2.1", "c")))
    with pytest.raises(TooManyStreams):
        source.admit(SourceRequest("Hi", caller=Caller("192.0.2.1", "d")))
