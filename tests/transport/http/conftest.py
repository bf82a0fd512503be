"""A front around an application of a test; it must have left nothing at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.transport.http.serving import App, Serving, ServingMaker, serving
from textstream.transport.http.wsgi import WsgiApp


@pytest.fixture
def app() -> Iterator[App]:
    one = App()
    yield one
    one.may.set()


@pytest.fixture
def serve(app: App) -> Iterator[ServingMaker]:
    """Serve an application with a front."""
    with ExitStack() as stack:
        # Before the fronts end, which wait for the last answers.
        def start(served: WsgiApp = app, **options: Any) -> Serving:
            one = stack.enter_context(serving(served, **options))
            stack.callback(app.may.set)
            return one

        yield start


@pytest.fixture
def front(serve: ServingMaker) -> Serving:
    """A front that serves `app`."""
    return serve()
