"""The app, for whatever WSGI server: ``gunicorn -w 1 --threads 16 textstream.wsgi:app``.

Settings are ``TEXTSTREAM_*`` in the environment. Importing this makes the app, and tunes the
process for it; what cannot be made is said in one line, and ends the process. What each server
gives is in ``docs/deployment.md``.
"""

from __future__ import annotations

import sys
from functools import partial

from flask import Flask

import textstream.lean  # noqa: F401 (first: see there)
from textstream import log_format
from textstream.access.address import Proxies
from textstream.errors import TextStreamError
from textstream.settings import BadSettings, read_settings
from textstream.web.app import create_app
from textstream.web.gunicorn import drain_under_gunicorn
from textstream.web.metrics_port import MetricsPort, has_port, warn_of_no_port
from textstream.web.process import tune_process
from textstream.web.request_kinds import Routes
from textstream.web.server import Server
from textstream.web.workers import warn_under_uwsgi

EXIT_CANNOT_BOOT = 3
"""What gunicorn's master gives up on; at any other code it starts the worker again, for ever."""


def _make() -> Flask:
    settings = read_settings()
    log_format.configure(settings.log_level, settings.log_format)
    made = create_app(settings)
    parts = made.extensions["textstream"]
    tune_process(parts)
    routes = Routes(settings.prefix, Proxies(settings.trusted_proxies))
    begin = partial(_begin, parts, settings.metrics)
    if not drain_under_gunicorn(parts, settings.drain, routes, begin):
        warn_of_no_port(settings.metrics)
    warn_under_uwsgi()
    return made


def _begin(parts: Server, metrics: str, workers: int) -> None:
    """Do what a worker does before anybody connects."""
    if parts.node is not None:
        parts.ensure_running()  # others' streams may want a process to go on with them
    if has_port(metrics):
        parts.beside = port = MetricsPort(parts, metrics, workers=workers)
        port.open_when_free()


# A plain attribute: uWSGI and Hypercorn look into the module's dictionary, past its __getattr__.
try:
    app = _make()
except (BadSettings, TextStreamError) as error:
    print(f"textstream: {error}", file=sys.stderr)  # noqa: T201 (a log may not be there yet)
    sys.exit(EXIT_CANNOT_BOOT)
