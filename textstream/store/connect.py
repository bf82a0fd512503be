"""Connects to the store: TCP, TLS, a Unix socket; behind Sentinel to whoever is primary now.

With the ``redis`` package, which speaks to Valkey as well. Only what comes before the first command
is its: see `textstream.store.link`.
"""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from textstream.errors import SourceUnavailable

TIMEOUT = 2.0
"""Seconds to connect and be known."""

SENTINEL = "redis+sentinel"

INSTALL = "TEXTSTREAM_STORE is set, but the package {} is missing: pip install 'textstream[store]'."


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
        parts = urlsplit(url)
        try:
            self._sentinel = _sentinel(redis, url) if parts.scheme == SENTINEL else None
            self._pool: Any = None if self._sentinel else redis.ConnectionPool.from_url(url)
        except ValueError as error:
            raise SourceUnavailable(f"TEXTSTREAM_STORE: {error}.") from None

    def connect(self) -> socket.socket:
        """Return a connected socket on which RESP3 is spoken, and nothing was asked yet.

        Raises:
            OSError: it cannot be reached, or does not let us in; says why.

        """
        redis = self._redis
        try:
            if self._sentinel:
                sentinel, name, options = self._sentinel
                try:
                    host, port = sentinel.discover_master(name)
                finally:
                    for one in sentinel.sentinels:
                        one.connection_pool.disconnect()
                options = {**options, "host": host, "port": port}
                kind = redis.SSLConnection if options.pop("tls") else redis.Connection
            else:
                kind, options = self._pool.connection_class, dict(self._pool.connection_kwargs)
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
        except redis.RedisError as error:
            raise OSError(str(error) or type(error).__name__) from None
        # Its own: the one attribute of the package that we touch (tests/store/test_link.py). Else
        # a pipeline of a hundred commands costs five times as much of our processor, measured.
        sock: socket.socket = connection._sock
        connection._sock = None
        sock.setblocking(False)
        return sock


def _sentinel(redis: Any, url: str) -> tuple[Any, str, dict[str, Any]]:
    """Return what asks for the primary of ``redis+sentinel://user:pass@host,host:port/name/db``."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    hosts = []
    for part in where.split(","):
        host, _, port = part.partition(":")
        hosts.append((host, int(port or 26_379)))
    name, _, db = parts.path.lstrip("/").partition("/")
    if not name:
        raise ValueError("the name of the primary is missing: redis+sentinel://host:26379/name")
    query = dict(parse_qsl(parts.query))
    options = {
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "db": int(db or 0),
        "tls": query.get("tls") == "1",
    }
    ask = {"socket_timeout": TIMEOUT, "password": query.get("sentinel_password")}
    return redis.sentinel.Sentinel(hosts, sentinel_kwargs=ask), name, options
