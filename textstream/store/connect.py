"""Connects to the store: TCP, TLS, a Unix socket, the primary behind Sentinel, those of a cluster.

With the ``redis`` package, which speaks to Valkey as well. Only what comes before the first command
is its: see `textstream.store.link`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from textstream.errors import SourceUnavailable
from textstream.store.link import Route
from textstream.store.slots import Address, Slots

TIMEOUT = 2.0
"""Seconds to connect and be known."""

SENTINEL, CLUSTER = "redis+sentinel", "redis+cluster"

PORTS = {SENTINEL: 26_379, CLUSTER: 6_379}

INSTALL = "TEXTSTREAM_STORE is set, but the package {} is missing: pip install 'textstream[store]'."

Options = Mapping[str, Any]


class Connector:
    """Makes connections to the store of a URL."""

    def __init__(self, url: str) -> None:
        """Connect to `url` when asked.

        Raises:
            SourceUnavailable: ``redis`` or ``hiredis`` is not installed, or the URL is not one.

        """
        try:
            import hiredis  # noqa: F401, PLC0415 (optional)
            import redis  # noqa: PLC0415
            import redis.sentinel  # noqa: PLC0415
        except ImportError as error:
            raise SourceUnavailable(INSTALL.format(error.name)) from None
        self._redis: Any = redis
        self._scheme = urlsplit(url).scheme
        try:
            if self._scheme in PORTS:
                self._hosts, self._name, self._options, self._sentinel_options = _several(url)
            else:
                pool = redis.ConnectionPool.from_url(url)
                self._kind: Any = pool.connection_class
                self._options = dict(pool.connection_kwargs)
        except ValueError as error:
            raise SourceUnavailable(f"TEXTSTREAM_STORE: {error}.") from None

    def connect(self) -> Route:
        """Return connections to all servers that have some of the store.

        Raises:
            OSError: one cannot be reached, or does not let us in; says why.

        """
        try:
            if self._scheme == CLUSTER:
                return self._connect_cluster()
            if self._scheme == SENTINEL:
                return Route([_taken(self._open(self._primary()))])
            return Route([_taken(self._connected(self._kind, self._options))])
        except self._redis.RedisError as error:
            raise OSError(str(error) or type(error).__name__) from None

    def _primary(self) -> Address:
        """Ask the sentinels who is primary."""
        sentinel = self._redis.sentinel.Sentinel(
            self._hosts, sentinel_kwargs=self._sentinel_options
        )
        try:
            host, port = sentinel.discover_master(self._name)
        finally:
            for one in sentinel.sentinels:
                one.connection_pool.disconnect()
        return host, port

    def _connect_cluster(self) -> Route:
        slots = self._slots()
        with ExitStack() as stack:  # closes those that there are, where one is missing
            sockets = []
            for address in slots.primaries:
                sockets.append(_taken(self._open(address)))
                stack.callback(sockets[-1].close)
            stack.pop_all()
        return Route(sockets, slots.shard_of)

    def _slots(self) -> Slots:
        """Ask the first server that answers which one has what."""
        failed: Exception = OSError("the cluster has no servers")
        for address in self._hosts:
            try:
                connection = self._open(address)
                try:
                    connection.send_command("CLUSTER", "SLOTS")
                    return Slots(connection.read_response(), address[0])
                finally:
                    connection.disconnect()
            except (self._redis.RedisError, ValueError) as error:
                failed = error
        raise OSError(str(failed) or type(failed).__name__)

    def _open(self, address: Address) -> Any:
        options = dict(self._options)
        kind = self._redis.SSLConnection if options.pop("tls") else self._redis.Connection
        return self._connected(kind, {**options, "host": address[0], "port": address[1]})

    @staticmethod
    def _connected(kind: Any, options: Options) -> Any:
        options = dict(options)
        for name in ("maint_notifications_config", "maint_notifications_pool_handler"):
            options.pop(name, None)
        connection = kind(
            **options
            | {
                "protocol": 3,
                "socket_timeout": TIMEOUT,
                "socket_connect_timeout": TIMEOUT,
                "client_name": f"textstream-{os.getpid()}",
            }
        )
        connection.connect()
        return connection


def _taken(connection: Any) -> socket.socket:
    """Return a connection's socket, which is nobody else's any more.

    Its own: the one attribute of the package that we touch (tests/store/test_link.py). Else a
    pipeline of a hundred commands costs five times as much of our processor, measured.
    """
    sock: socket.socket = connection._sock
    connection._sock = None
    sock.setblocking(False)
    return sock


def _several(url: str) -> tuple[list[Address], str, dict[str, Any], dict[str, Any]]:
    """Read the URL of several servers.

    ``redis+sentinel://user:password@host,host:26379/name/db?tls=1&sentinel_password=…``, and
    ``redis+cluster://user:password@host,host:6379?tls=1``.

    Returns:
        They; the name of the primary, or ""; what to connect with; what to ask sentinels with.

    Raises:
        ValueError: it is none; says why.

    """
    parts = urlsplit(url)
    hosts = [
        _address(part, PORTS[parts.scheme]) for part in parts.netloc.rpartition("@")[2].split(",")
    ]
    name, _, db = parts.path.lstrip("/").partition("/")
    if parts.scheme == SENTINEL and not name:
        raise ValueError("the name of the primary is missing: redis+sentinel://host:26379/name")
    if parts.scheme == CLUSTER and name not in {"", "0"}:
        raise ValueError("a cluster has no databases: redis+cluster://host:6379,host:6379")
    query = dict(parse_qsl(parts.query))
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    options = {
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "db": int(db or 0),
        "tls": query.pop("tls", "") == "1",
    }
    ask = {"socket_timeout": TIMEOUT, "password": query.pop("sentinel_password", None)}
    for file in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        if file in query:
            options[file] = query.pop(file)
    if len(options) > len(("username", "password", "db", "tls")) and not options["tls"]:
        raise ValueError("certificates are for tls=1")
    if query:
        raise ValueError(f"{', '.join(query)}: not known here")
    return hosts, name, options, ask


def _address(text: str, port: int) -> Address:
    """Read ``host``, ``host:port``, ``[::1]:port``."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f'"{text}" is no host')
    return parts.hostname, parts.port or port
