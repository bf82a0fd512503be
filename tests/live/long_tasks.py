"""How long a page keeps a person waiting: its longest task, by the processor's clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass
class LongestTask:
    """Milliseconds that the main thread worked without a pause, known when all is over."""

    ms: float = 0.0


@contextmanager
def longest_task(page: Page) -> Iterator[LongestTask]:
    """Watch the tasks of the page's main thread meanwhile.

    Not with a `PerformanceObserver`: that counts what other processes do in the middle of a task,
    and on a busy machine the longest task is a measure of those. Chromium's own tracing has the
    thread's time as well.
    """
    browser = page.context.browser
    assert browser
    longest = LongestTask()
    browser.start_tracing(page=page, categories=["toplevel"])
    try:
        yield longest
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["tdur"] / 1000
        for event in events
        if event["name"] == "ThreadControllerImpl::RunTask"
        and "tdur" in event  # not of one that had begun before, or was not over
        and (event["pid"], event["tid"]) in main
    ]
    assert tasks, "the browser calls its tasks something else now"
    longest.ms = max(tasks)
