"""Counts and histograms: exact, whoever counts, and as Prometheus wants them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from textstream.observe.figures import SECONDS, Counts, Histogram, Histograms, buckets
from textstream.observe.streams import StreamFigures


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_nothing_that_several_threads_count_is_lost(hasty_threads: None) -> None:
    counts = Counts()

    def count() -> None:
        for _ in range(5_000):
            counts.add("a", "b")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.items() == {("a", "b"): 20_000}


def test_what_is_read_is_a_copy() -> None:
    counts = Counts()
    counts.add("a")
    read = counts.items()
    counts.add("a")
    counts.add()
    assert read == {("a",): 1}
    assert counts.items() == {("a",): 2, (): 1}


def test_a_figure_is_in_the_first_bucket_that_it_is_not_above() -> None:
    histogram = Histogram((0.1, 0.5))
    for figure in (0.0, 0.1, 0.2, 0.5, 0.6, 100.0):
        histogram.observe(figure)
    found, total = histogram.read()
    assert found == [("0.1", 2.0), ("0.5", 4.0), ("+Inf", 6.0)]
    assert total == pytest.approx(101.4)


def test_what_was_counted_elsewhere_is_in_the_lowest_bucket() -> None:
    histogram = Histogram((0.1, 0.5))
    histogram.observe(0.3)
    assert histogram.read(2, 0.15) == ([("0.1", 2.0), ("0.5", 3.0), ("+Inf", 3.0)], 0.3 + 0.15)
    assert histogram.read() == ([("0.1", 0.0), ("0.5", 1.0), ("+Inf", 1.0)], 0.3)


def test_bounds_are_in_order_and_written_as_prometheus_does() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))
    assert buckets((1, 2.5), (0, 0, 0)) == [("1.0", 0.0), ("2.5", 0.0), ("+Inf", 0.0)]


def test_each_name_has_its_histogram() -> None:
    histograms = Histograms()
    histograms["text"].observe(0.2)
    histograms["text"].observe(0.3)
    histograms["llm"].observe(1.0)
    assert {name: one.read()[0][-1][1] for name, one in histograms.items()} == {"text": 2, "llm": 1}


def test_what_runs_is_what_has_started_and_not_ended() -> None:
    figures = StreamFigures()
    for source in ("text", "text", "llm"):
        figures.started.add(source)
    assert figures.running() == {"text": 2, "llm": 1}
    figures.ended.add("text", "stopped")
    figures.ended.add("llm", "completed")
    assert figures.running() == {"text": 1, "llm": 0}
