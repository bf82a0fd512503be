"""Trips through the server: what is counted of made-up ones, and all three for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.trip.figures import Event, Figures, Spread, cut, figures, spreads
from benchmarks.trip.tree import draw
from benchmarks.trips import BOUNDS, exceeded, main

REACTOR, WORKER, WRITER = (1, "reactor"), (2, "worker"), (3, "dispatcher")


def call(thread: tuple[int, str], file: str, kind: str = "call") -> Event:
    return Event(thread, kind, file, "f")


def back(thread: tuple[int, str], file: str) -> Event:
    return call(thread, file, "return")


def mark(thread: tuple[int, str], kind: str, data: str = "") -> Event:
    return Event(thread, kind, "", data)


def recording() -> Iterator[Event]:
    """A request that the reactor reads, a worker handles, and the dispatcher answers."""
    yield call(WORKER, "before.py")  # of what was asked before: not of the trip
    yield call(REACTOR, "before.py")
    yield mark(REACTOR, "waited")
    yield call(REACTOR, "a.py")
    yield mark(REACTOR, "received", "start")
    yield call(WORKER, "a.py")
    yield call(WORKER, "b.py")
    yield call(WORKER, "socketio/c.py", "library call")
    yield call(WORKER, "socketio/c.py", "library return")
    yield call(WORKER, "b.py")
    yield back(WORKER, "b.py")
    yield back(WORKER, "b.py")
    yield call(WRITER, "b.py")
    yield mark(WRITER, "wrote", '["start"]')
    yield mark(WRITER, "wrote", '["char"]')
    yield call(WRITER, "after.py")  # the writer is done
    yield call(WORKER, "b.py")  # the worker is still in a.py
    yield back(WORKER, "b.py")
    yield back(WORKER, "a.py")
    yield call(WORKER, "after.py")
    yield mark(REACTOR, "wait")
    yield call(REACTOR, "after.py")  # it has waited since


def test_a_trip_ends_with_the_write_and_with_what_the_others_are_in() -> None:
    trip = cut(list(recording()), '"char"')
    calls = [(event.thread[1], event.file) for event in trip if event.kind == "call"]
    assert calls == [
        ("reactor", "a.py"),
        ("worker", "a.py"),
        ("worker", "b.py"),
        ("worker", "b.py"),
        ("dispatcher", "b.py"),
        ("worker", "b.py"),
    ]


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([], "no bytes were read"),
        ([mark(REACTOR, "received"), mark(REACTOR, "wrote", "what")], 'no "char" was written'),
    ],
)
def test_a_trip_that_cannot_be_seen_is_no_figure(events: list[Event], problem: str) -> None:
    with pytest.raises(RuntimeError, match=problem):
        cut(events, '"char"')


def test_moves_and_re_entries_are_those_of_each_thread() -> None:
    trip = [
        *(call(WORKER, file) for file in ("a.py", "b.py", "b.py", "a.py", "c.py", "b.py")),
        call(WRITER, "a.py"),  # the first of another thread: no move
        call(WRITER, "d.py"),
        back(WRITER, "d.py"),
        call(WRITER, "d.py"),  # coming back by returning is none
        call(WORKER, "engineio/d.py", "library call"),
    ]
    assert figures(trip) == Figures(calls=9, library_calls=1, files=4, moves=5, re_entries=2)


def test_the_median_is_one_that_was_counted() -> None:
    several = [Figures(calls, 0, 0, 0, 0) for calls in (9, 5, 6, 5)]
    assert spreads(several)["calls"] == Spread(median=5, least=5, most=9)


def test_only_what_is_over_its_bound_is_named() -> None:
    counted = {
        trip: {name: Spread(bound, 0, 2 * bound) for name, bound in most.items()}
        for trip, most in BOUNDS.items()
    }
    assert list(exceeded(counted)) == []
    counted["stop"]["calls"] = Spread(BOUNDS["stop"]["calls"] + 1, 0, 0)
    assert [line.split(":")[0] for line in exceeded(counted)] == ["stop"]


def test_the_tree_shows_who_called_whom_and_on_which_thread() -> None:
    trip = [
        call(WORKER, "a.py"),
        call(WORKER, "b.py"),
        call((4, "worker"), "a.py"),
        back(WORKER, "b.py"),
        call(WORKER, "a.py"),
        mark(WORKER, "wrote", "char"),
    ]
    assert draw(trip).splitlines()[2:] == [
        "",
        "[worker]",
        "   1   a.py: f",
        "   2 >   b.py: f",
        "",
        "[worker (2)]",
        "   3   a.py: f",
        "",
        "[worker]",
        "   4 <   a.py: f",
        "           wrote 'char'",
    ]


def test_each_trip_of_a_live_server_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "trips.json"
    answer = CliRunner().invoke(main, ["--rounds", "1", "--json", str(path), "--trace", "start"])
    assert answer.exit_code == 0, answer.output
    counted = json.loads(path.read_text())["ours"]
    assert list(counted) == ["start", "resume", "stop"]
    for trip in counted.values():
        one = {name: spread["median"] for name, spread in trip.items()}
        assert one["calls"] > one["moves"] > one["re_entries"] > 0
        assert 10 < one["files"] <= one["moves"] + 3  # of three threads, each is in one at first
        assert one["library_calls"] > 0
    assert counted["start"]["calls"]["median"] > counted["stop"]["calls"]["median"]
    # Answer, start and first character are one send.
    assert answer.output.index('421["start_stream"') < answer.output.index('431[{"ok":true')
