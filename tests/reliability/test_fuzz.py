"""The fuzzer: what it makes, and that it can tell when something is wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from reliability.fuzz import answers, grammar
from reliability.fuzz.__main__ import main
from reliability.fuzz.attack import UNFAIR, Attack, Tally
from reliability.fuzz.bystanders import Bystander
from reliability.fuzz.inputs import SHOWN, End, Input, Layer, Start, Write
from reliability.fuzz.report import MOST_AT_ONCE, MOST_GROWTH, Report
from reliability.fuzz.run import shares
from reliability.fuzz.target import Footprint

# The inputs.


@pytest.mark.parametrize("layer", Layer)
def test_the_same_seed_makes_the_same_inputs(layer: Layer) -> None:
    first = [grammar.make(7, layer, number) for number in range(300)]
    assert [grammar.make(7, layer, number) for number in reversed(range(300))] == first[::-1]
    assert [grammar.make(8, layer, number) for number in range(300)] != first


@pytest.mark.parametrize("layer", Layer)
def test_every_rule_of_a_layer_comes_and_makes_many_inputs(layer: Layer) -> None:
    entries = [grammar.make(1, layer, number) for number in range(2000)]
    assert {entry.kind for entry in entries} == {rule.__name__ for rule in grammar.RULES[layer]}
    assert len({entry.data for entry in entries}) > 1200


def test_an_input_says_where_it_comes_from_and_not_all_of_a_long_one() -> None:
    writes = (Write(b"\0" * SHOWN), Write(b"abc"))
    shown = str(Input(Layer.HTTP, 4711, "noise", Start.TCP, writes, End.CLOSE))
    assert "http 4711 (noise" in shown
    assert shown.endswith("00…")


def test_the_shares_of_the_layers() -> None:
    assert {layer: len(part) for layer, part in shares(10, list(Layer)).items()} == dict(
        zip(Layer, (3, 3, 2, 2), strict=True)
    )


# The verdict.

BEFORE = Footprint(memory=60_000_000, threads=6, descriptors=7, streams=0)

GOOD = Report(
    command="",
    tallies=[Tally(Layer.HTTP, inputs=1)],
    before=BEFORE,
    after=dataclasses.replace(BEFORE, threads=5),
    log="12:00:00 WARNING closed a connection: empty packet\n",
    running=True,
    exit_code=0,
    bystanders=[Bystander("websocket", 0, streams=3)],
)


def test_a_good_run_has_no_failures() -> None:
    assert GOOD.failures == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"log": "12:00:00 ERROR a.py:7 run > Traceback: KeyError\n"}, "1 tracebacks"),
        ({"log": "12:00:00 INFO bad packet\nINFO forged\n"}, "'INFO forged'"),
        ({"log": "12:00:00 INFO bad packet \x1b[31m\n"}, "control characters"),
        ({"peak": BEFORE.memory + MOST_AT_ONCE + 1}, "at its peak"),
        ({"running": False}, "the server's process has ended"),
        ({"exit_code": 1}, "exit code is 1"),
        ({"after": dataclasses.replace(BEFORE, threads=7)}, "1 threads are left"),
        ({"after": dataclasses.replace(BEFORE, descriptors=9)}, "2 descriptors are left"),
        ({"after": dataclasses.replace(BEFORE, streams=3)}, "3 streams are left"),
        ({"after": dataclasses.replace(BEFORE, memory=BEFORE.memory + MOST_GROWTH + 1)}, "memory"),
        ({"bystanders": [Bystander("polling", 5)]}, "polling, 5 units/s: read no stream"),
        ({"bystanders": [Bystander("polling", 0, streams=1, wrong=["lost"])]}, "unpaced: lost"),
        ({"tallies": [Tally(Layer.HTTP, failures=["HTTP 500: …"])]}, "HTTP 500"),
    ],
)
def test_whatever_is_wrong_is_a_failure(change: dict[str, object], said: str) -> None:
    bad = dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]
    assert len(bad.failures) == 1
    assert said in bad.failures[0]
    assert said in str(bad)


@pytest.mark.parametrize("told", ['430[{"ok":false,"error":%s}]', '42["stream_error",%s]'])
def test_an_error_whose_sentence_is_too_long_is_unfair(told: str) -> None:
    def answer(size: int) -> str | None:
        told_error = {"code": "invalid_request", "message": "m" * size}
        error = json.dumps(told_error, separators=(",", ":"))
        return answers.of_socketio((told % error).encode())

    assert answer(300) == "error invalid_request"
    too_long = answer(301)
    assert too_long == "too long, 301 characters: error invalid_request"
    assert too_long.startswith(UNFAIR)
    assert answers.most_telling(["ok", "error x", too_long]) == too_long


class _Failing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 (the base's)


@pytest.fixture
def failing_port() -> Iterator[int]:
    """The port of a server that answers each GET with 500."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Failing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def attacked(port: int, log_text: Callable[[], str], count: int = 40) -> list[str]:
    """Send some inputs to a port; return what was wrong."""
    attack = Attack(port, 1, log_text, print)
    return asyncio.run(attack.run(Layer.HTTP, range(count))).failures


def test_an_answer_of_500_is_reported_with_its_input(failing_port: int) -> None:
    failures = attacked(failing_port, str)
    assert failures
    assert all(failure.startswith("HTTP 500: http ") for failure in failures)


def test_a_server_that_has_gone_is_reported(failing_port: int) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Failing) as closed:
        port = closed.server_port
    assert len(attacked(port, str)) == 40


def test_the_input_behind_a_traceback_is_found(failing_port: int) -> None:
    """The log grows by a traceback whenever it is looked at: by each suspect alone too."""
    looks = itertools.count(1)
    failures = attacked(failing_port, lambda: "Traceback\n" * next(looks), 3)
    assert any(failure.startswith("traceback: http ") for failure in failures)


def test_numbers_need_a_layer() -> None:
    answer = CliRunner().invoke(main, ["--only", "5"])
    assert answer.exit_code == 2
    assert "--only needs --layer" in answer.output
