"""Puts the server together: Flask, CORS, Flask-SocketIO, the hub, the sources."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from engineio.payload import Payload
from flask import Flask
from flask_cors import CORS
from flask_socketio import SocketIO

from textstream.dispatcher import Dispatcher
from textstream.hub import Hub
from textstream.log_format import ClientMistakes
from textstream.logs.memory import MemoryLog
from textstream.settings import Settings
from textstream.sources import SourceRegistry, build_registry
from textstream.streams import Limits
from textstream.threads import ThreadPool
from textstream.transport import install
from textstream.transport.bounds import Bounds
from textstream.transport.driver import Transport
from textstream.web.events import Events
from textstream.web.http import pages
from textstream.web.polls import REFUSED_WHOLE, ClosedSessions, OversizedPolls, refuser
from textstream.web.requests import RequestLimits

MAX_PACKETS_PER_POST = 16_384
"""Engine.IO packets that a client may put into one polling request.

Engine.IO's default of 16 drops what a client has sent in one go, with a traceback. The size of
a request is bounded in bytes, and its packets are handled one after the other.
"""

SWITCH_INTERVAL = 0.0005
"""Seconds for which a thread may keep the interpreter when another wants it.

Python's 5 ms are as much as the dispatcher's tick: a request that computes for so long, or a
source, would make every reader's next unit late.
"""

GC_THRESHOLD = 10_000
"""Objects made, and not freed by counting references, before those are looked through.

Python's 700 took a tenth of the time of starting a stream, and found next to nothing.
"""

POLL_SECONDS = 1.0
"""Time for the clients that poll to fetch the end of their streams when the server goes down."""


@dataclass
class Server:
    """The parts of a running server; ``app.extensions["textstream"]``."""

    app: Flask
    socketio: SocketIO
    hub: Hub
    registry: SourceRegistry
    dispatcher: Dispatcher
    transport: Transport | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _task: Any = None
    _pid: int = 0

    def ensure_running(self) -> None:
        """Start the dispatcher's task, once in each process.

        Not when the app is made: a server that loads the app and forks then (gunicorn
        ``--preload``) would leave the task behind.
        """
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                sys.setswitchinterval(SWITCH_INTERVAL)
                # What was imported stays: no need to look through it, for 50 ms each time.
                gc.freeze()
                gc.set_threshold(GC_THRESHOLD, 10, 10)
                self._task = self.socketio.start_background_task(self.dispatcher.run)
                self._pid = os.getpid()

    def close(self, timeout: float = 5.0) -> None:
        """End all streams with ``shutdown``, tell their readers, free the sources."""
        deadline = time.monotonic() + timeout
        self.hub.close(timeout)
        self._flush(deadline)
        self.dispatcher.close()
        if self._task:
            self._task.join(max(0.0, deadline - time.monotonic()))
        self.registry.close()
        self.socketio.server.eio.shutdown()
        if self.transport:
            self.transport.close(max(0.0, deadline - time.monotonic()))

    def _flush(self, deadline: float) -> None:
        """Wait until what was emitted has left the queues.

        Not for long where a client polls: one that is gone never fetches it.
        """
        polling = time.monotonic() + POLL_SECONDS
        while (now := time.monotonic()) < deadline:
            # A copy first, in one go: clients come and go meanwhile.
            sessions = list(self.socketio.server.eio.sockets.values())
            waiting = [session for session in sessions if not session.queue.settled]
            if self.hub.settled and all(
                session.closed or (now > polling and not session.upgraded) for session in waiting
            ):
                return
            self.socketio.sleep(0.02)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the Flask application, for any WSGI server that Flask-SocketIO can run on.

    Raises:
        SourceUnavailable: a source in the settings cannot be imported, or the model not loaded.
        UnknownSource: the default source is none of them.

    """
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    registry = _build_registry(settings)
    CORS(app, origins=list(settings.cors_origins), supports_credentials=False)
    socketio, transport = _make_socketio(app, settings)
    dispatcher = Dispatcher(clock=time.monotonic, sleep=socketio.sleep)
    hub = Hub(
        dispatcher=dispatcher,
        pool=ThreadPool(
            settings.producers,
            "producer",
            cure="New streams wait. If your sources only wait, raise TEXTSTREAM_PRODUCERS.",
        ),
        new_log=lambda: MemoryLog(settings.max_stream_bytes),
        clock=time.monotonic,
        limits=Limits(
            max_streams=settings.max_streams,
            max_streams_per_client=settings.max_streams_per_client,
            lookahead=settings.lookahead,
            grace=settings.grace,
            retention=settings.retention,
            max_total_bytes=settings.max_total_bytes,
        ),
    )
    server = Server(app, socketio, hub, registry, dispatcher, transport)
    Events(
        socketio,
        hub,
        registry,
        default_source=settings.source,
        limits=RequestLimits(settings.max_text, settings.max_prompt, settings.max_rate),
        clock=time.monotonic,
        on_connect=server.ensure_running,
        handed_off=transport is not None,
    ).register()
    app.register_blueprint(pages(hub, registry))
    app.extensions["textstream"] = server
    if settings.preload:
        registry.preload()
    return app


def _build_registry(settings: Settings) -> SourceRegistry:
    key = settings.openai_api_key
    return build_registry(
        default=settings.source,
        user_sources=settings.sources,
        llm_model=settings.llm_model,
        llm_slots=settings.llm_slots,
        llm_context=settings.llm_context,
        llm_threads=settings.llm_threads,
        openai_base_url=settings.openai_base_url,
        openai_api_key=key.get_secret_value() if key else None,
        openai_model=settings.openai_model,
        openai_timeout=settings.openai_timeout,
    )


def _make_socketio(app: Flask, settings: Settings) -> tuple[SocketIO, Transport | None]:
    Payload.max_decode_packets = MAX_PACKETS_PER_POST
    socketio = SocketIO(
        app,
        async_mode="threading",
        async_handlers=False,  # in order, and no thread per event
        cors_allowed_origins=_origin_check(settings.cors_origins),
        cors_credentials=False,
        # The driver refuses first what is over the limit; this is for what gets past it.
        max_http_buffer_size=settings.max_message_bytes,
        ping_interval=settings.ping_interval,
        ping_timeout=settings.ping_timeout,
        logger=_quiet_logger("textstream.socketio"),
        engineio_logger=_quiet_logger("textstream.engineio"),
    )
    on_oversized = refuser(socketio, settings.max_message_bytes)
    transport = install(
        socketio,
        bounds=Bounds(settings.max_message_bytes, REFUSED_WHOLE * settings.max_message_bytes),
        on_oversized=on_oversized,
    )
    app.wsgi_app = OversizedPolls(  # type: ignore[method-assign]  # as Flask documents it
        ClosedSessions(app.wsgi_app, socketio.server.eio),
        limit=settings.max_message_bytes,
        on_oversized=on_oversized,
    )
    return socketio, transport


def _origin_check(allowed: tuple[str, ...]) -> Any:
    """Return what Engine.IO asks: whether a page of that origin may use the server.

    The server's own pages may always; Engine.IO would refuse them when other origins are named.
    """
    if "*" in allowed:
        return "*"

    def is_allowed(origin: str, environ: dict[str, Any]) -> bool:
        return origin in allowed or urlsplit(origin).netloc == environ.get("HTTP_HOST")

    return is_allowed


def _quiet_logger(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    if not logger.filters:
        logger.addFilter(ClientMistakes())
    return logger
