"""Where a source is busy, a person is told which place the stream has, and a program can ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.terminal import Terminal
from tests.conftest import StartServer
from tests.support.running_server import RunningServer
from tests.support.slow_api import SlowApi
from textstream.cli.output import ordinal
from textstream.client import StreamClient


@pytest.fixture(scope="module")
def api() -> Iterator[SlowApi]:
    one = SlowApi()
    yield one
    one.close()


@pytest.fixture(scope="module")
def busy(start_server: StartServer, api: SlowApi) -> RunningServer:
    return start_server("--openai-slots", "1", "--source", "openai", env=api.env)


@pytest.mark.live
def test_the_place_in_the_line_is_told_in_words_and_in_numbers(
    busy: RunningServer, api: SlowApi
) -> None:
    told: list[tuple[str, int | None]] = []
    with StreamClient(busy.url, on_position=lambda *one: told.append(one)) as client:
        first = client.stream("first", source="openai")
        assert api.next_asked() == "first"
        second = client.stream("second", source="openai")
        assert (first.position, second.position) == (None, 1)
        with Terminal(busy, "--source", "openai", "third") as terminal:
            # Of another connection, but of the same address: it comes behind the first to wait.
            terminal.wait_for(r"\[waiting, (first|second) in line\]")
            api.finish("first")
            for _ in range(2):
                api.finish(api.next_asked())
            assert terminal.finish() == 0
            assert terminal.text.endswith("THIRD\r\n")
        assert "".join(second) == "SECOND"
        assert "".join(first) == "FIRST"
    assert second.position is None
    assert {stream_id for stream_id, _ in told} == {second.id}
    assert told[0][1] == 1
    assert told[-1][1] is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (3, "third"),
        (10, "tenth"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (24, "24th"),
        (101, "101st"),
        (111, "111th"),
    ],
)
def test_a_place_in_words(number: int, words: str) -> None:
    assert ordinal(number) == words
