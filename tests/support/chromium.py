"""The system's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect, sync_playwright

from tests.support.requirement import require
from tests.support.running_server import ROOT
from tests.support.timing import patient

STATIC = ROOT / "textstream" / "web" / "static"
LIBRARY = ROOT / "frontend" / "dist" / "lib"

PATIENCE_MS = patient(20_000)
"""How long a page may take to show what it must, on a machine under load."""

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The shell first: it has no windows, and opens a page for a third of the work."""

_FLAGS = (
    "--no-sandbox",  # the tests may run as root, as in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names that lead here, and are not the server's (RFC 6761, 6.2), as DNS rebinding makes them.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser. Skips the test where there is none, or fails it in CI.

    Playwright keeps an event loop in the thread of the tests for as long as it runs: until then,
    nothing else may run one there.
    """
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        require("Chromium (Debian: apt-get install chromium-headless-shell)")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def turn_up_until(shown: Locator) -> None:
    """Turn the wheel up, and once more each two seconds until `shown` is visible.

    As a person does: while much text comes to a busy machine, a turn may be lost.
    """
    while True:
        shown.page.mouse.wheel(0, -400)
        try:
            return expect(shown).to_be_visible(timeout=2000)
        except AssertionError:
            continue  # for as long as pytest lets a test go on


def built_page() -> Path:
    """Return where Vite put the pages; skips the test, or fails it in CI, when it did not."""
    if not (STATIC / "demo.html").is_file():
        require("the built page (npm ci && npm run build, in frontend/)")
    return STATIC


def built_library() -> Path:
    """Return where Vite put the client library; skips the test, or fails it in CI, without."""
    if not (LIBRARY / "client" / "index.js").is_file():
        require("the built client library (npm ci && npm run build:lib, in frontend/)")
    return LIBRARY


def node_module(path: str) -> Path:
    """Return a file of ``frontend/node_modules``; skips the test, or fails it in CI, without."""
    found = ROOT / "frontend" / "node_modules" / path
    if not found.exists():
        require("the packages of the front end (npm ci, in frontend/)")
    return found
