"""Puts the server together: Flask, CORS, Flask-SocketIO, the hub, the sources."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_socketio import SocketIO

from textstream.access.address import Proxies
from textstream.access.caller import Caller
from textstream.access.clients import Clients
from textstream.access.grants import Grants
from textstream.access.policy import Policy
from textstream.access.principal import user_name
from textstream.access.rates import parse_rate
from textstream.access.source_shares import SourceShares
from textstream.hub.hub import Hub, Limits
from textstream.lab import Audience, Lab, LabLimits
from textstream.log_format import ClientMistakes, OneLineExceptions
from textstream.observe.audit import AuditLog
from textstream.reading.dispatcher import Dispatcher
from textstream.settings import Settings
from textstream.sources import SourceRegistry, build_registry
from textstream.stream.log import NewLog
from textstream.stream.memory_log import MemoryLog
from textstream.stream.pools import Pools
from textstream.transport import Transport, install
from textstream.transport.driver import MAX_WORKERS
from textstream.web.admin import Admin, admin_routes, shows_admin
from textstream.web.admission import Admission
from textstream.web.api_guard import guard_api
from textstream.web.bounds import bounds_of
from textstream.web.client_files import serve_client
from textstream.web.events import Events
from textstream.web.headers import send_headers
from textstream.web.identity import identity_of
from textstream.web.listening import KnownHosts, Whom, nearby_of, tell_whom, whom_to_ask
from textstream.web.operators import closed_on, operator_pages
from textstream.web.origins import OriginPolicy
from textstream.web.oversized import measure_packets, refuser
from textstream.web.prefix import under_prefix
from textstream.web.routes import STATIC, pages
from textstream.web.server import Server
from textstream.web.shared import share_streams
from textstream.web.shared_events import share_events
from textstream.web.shares import quotas_of, shares_of
from textstream.web.sign_in import SignIn
from textstream.web.starts import RequestLimits
from textstream.web.watch import CONNECT, Watch

if TYPE_CHECKING:
    from textstream.store.node import Node

WAITING_WORKERS = 256
"""Threads for handlers that may wait for the store: hundreds come back when a server has died, and
wait until another one goes on with what they read."""


def create_app(
    settings: Settings | None = None,
    *,
    host: str | None = None,
    lab_limits: LabLimits | None = None,
) -> Flask:
    """Make the Flask application, for any WSGI server that Flask-SocketIO can run on.

    Args:
        settings: by default those of the environment.
        host: name or address that the WSGI server listens on, where it is known: what the setting
            ``lab`` goes by when it is ``auto``.
        lab_limits: bounds and times of the connection lab.

    Raises:
        SourceUnavailable: a source in the settings cannot be imported, or the model not loaded.
        UnknownSource: the default source is none of them.

    """
    settings = settings or Settings()
    app = _make_flask()
    registry = _build_registry(settings)
    clients = Clients(shares_of(settings), quotas=quotas_of(settings))
    proxies = Proxies(settings.trusted_proxies)
    watch = Watch()
    whom = whom_to_ask(settings, host)
    tell_whom(settings, whom)
    nearby = nearby_of(settings, host, proxies)
    refused = partial(_origin_refused, watch, proxies)
    is_visitor = nearby.is_visitor if whom is Whom.ELSEWHERE else lambda _: False
    origins = OriginPolicy(settings.cors_origins, refused, is_visitor=is_visitor)
    origins.send_headers(app)
    send_headers(app)
    admission = Admission(
        clients, proxies, watch, wrong_ids=parse_rate(settings.wrong_ids_per_address)
    )
    socketio, transport = _make_socketio(app, settings, origins, admission)
    grants = _make_grants(settings)
    policy = Policy(private=whom is Whom.EVERYBODY)
    identity = identity_of(settings, origins, grants, whom, nearby, revocations=policy.revocations)
    dispatcher = Dispatcher(clock=time.monotonic, sleep=socketio.sleep)
    if settings.audit:
        watch.audit = AuditLog(call_at=dispatcher.call_at, clock=time.monotonic)
    hub, node = _make_hub(
        settings, dispatcher, clients, policy, grants, registry=registry, socketio=socketio
    )
    known_hosts = KnownHosts(nearby, admission.tell_of)
    server = Server(
        app,
        socketio,
        hub,
        registry,
        dispatcher,
        transport,
        clients,
        watch,
        known_hosts,
        node=node,
    )
    sign_in: SignIn | None = None
    if identity is not None:
        sign_in = SignIn(identity, hub.connections, socketio, call_at=dispatcher.call_at)
        guard_api(app, identity, admission)
        server.on_closed = identity.close
    Events(
        socketio,
        hub,
        registry,
        limits=RequestLimits(settings.max_text, settings.max_prompt, settings.max_rate),
        clock=time.monotonic,
        on_connect=server.ensure_running,
        draining=server.draining,
        handed_off=transport is not None,
        admission=admission,
        sign_in=sign_in,
        watch=watch,
    ).register(transport.quick if transport else None)
    # It asks nobody who they are: where somebody does, it is there for who asks for it.
    lab = "off" if settings.lab == "auto" and whom is Whom.EVERYBODY else settings.lab
    audience = Audience(lab, host, address_of=proxies.address_of)
    if audience.anybody:
        begin = server.ensure_running
        server.lab = Lab(socketio, dispatcher, audience, on_connect=begin, limits=lab_limits)
    watch.user_of = lambda connection: user_name(hub.connections.principal(connection))
    turn_out = sign_in.turn_out if sign_in else lambda _: None
    admin = Admin(hub, policy.revocations, turn_out=turn_out, watch=watch)
    app.register_blueprint(admin_routes(admin, policy, identity, admission))
    serve_client(app, STATIC / "socket.io")
    app.register_blueprint(pages(registry, has_lab=audience.admits, is_allowed=origins.allows))
    is_admin = partial(shows_admin, identity, policy, admission)
    app.register_blueprint(operator_pages(server, closed_on(settings.metrics, is_admin)))
    # Last, around Socket.IO too.
    served = under_prefix(app.wsgi_app, settings.prefix)
    app.wsgi_app = known_hosts.around(served)  # type: ignore[method-assign, assignment]
    app.extensions["textstream"] = server
    if settings.preload:
        registry.preload()
    return app


def _make_flask() -> Flask:
    app = Flask(__name__, static_folder=None)
    _filter(logging.getLogger(app.name), OneLineExceptions())  # what Flask logs of a view
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    # It would redirect //app/ to an absolute address: out of the prefix of a proxy.
    app.url_map.merge_slashes = False
    return app


def _make_grants(settings: Settings) -> Grants:
    secret = settings.grant_secret
    return Grants(secret.get_secret_value().encode() if secret else None)


def _make_hub(
    settings: Settings,
    dispatcher: Dispatcher,
    clients: Clients,
    policy: Policy,
    grants: Grants,
    *,
    registry: SourceRegistry,
    socketio: SocketIO,
) -> tuple[Hub, Node | None]:
    """Return the hub, and what shares its streams with other processes, if they are to be."""
    pools, limits = Pools(settings.producers), _limits_of(settings)
    shared = share_streams(
        settings, registry=registry, pools=pools, dispatcher=dispatcher, limits=limits
    )
    new_log: NewLog = partial(MemoryLog, max_bytes=settings.max_stream_bytes)
    hub = Hub(
        dispatcher=dispatcher,
        pools=pools,
        new_log=shared.new_log if shared else new_log,
        clock=time.monotonic,
        limits=limits,
        clients=clients,
        policy=policy,
        grants=grants,
        directory=shared.directory if shared else None,
    )
    if shared is None:
        return hub, None
    share_events(socketio.server.manager, shared.node, settings.name)
    return hub, shared.node


def _limits_of(settings: Settings) -> Limits:
    return Limits(
        max_streams=settings.max_streams,
        max_streams_per_client=settings.max_streams_per_client,
        lookahead=settings.lookahead,
        grace=settings.grace,
        retention=settings.retention,
        max_duration=settings.max_duration,
        max_units=settings.max_units,
    )


def _origin_refused(watch: Watch, proxies: Proxies, environ: dict[str, Any], origin: str) -> None:
    watch.refuse(CONNECT, Caller(proxies.address_of(environ)), {"code": "origin"}, origin=origin)


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
        openai_max_tokens=settings.openai_max_tokens,
        openai_slots=settings.openai_slots,
        openai_params=settings.openai_params,
        shares=SourceShares(
            settings.source_running_per_address, settings.source_waiting_per_address
        ),
    )


def _make_socketio(
    app: Flask, settings: Settings, origins: OriginPolicy, admission: Admission
) -> tuple[SocketIO, Transport | None]:
    socketio = SocketIO(
        app,
        async_mode="threading",
        async_handlers=False,  # in order, and no thread per event
        cors_allowed_origins=origins.admits,
        cors_credentials=False,
        # The driver refuses first what is over the limit; this is for what gets past it.
        max_http_buffer_size=settings.max_message_bytes,
        ping_interval=settings.ping_interval,
        ping_timeout=settings.ping_timeout,
        logger=_quiet_logger("textstream.socketio"),
        engineio_logger=_quiet_logger("textstream.engineio"),
    )
    bounds = bounds_of(settings)
    on_oversized = refuser(socketio, bounds)
    transport = install(
        socketio,
        workers=MAX_WORKERS if settings.store is None else WAITING_WORKERS,
        bounds=bounds,
        on_oversized=on_oversized,
        admit=admission.admit,
        name=settings.name,
    )
    measure_packets(socketio.server)
    return socketio, transport


def _quiet_logger(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    _filter(logger, ClientMistakes())
    return logger


def _filter(logger: logging.Logger, added: logging.Filter) -> None:
    """Add a filter, unless an app before this one has."""
    if not logger.filters:
        logger.addFilter(added)
