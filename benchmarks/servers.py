"""The servers, and how each is started. All pick a free port and say which."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import javascript
from benchmarks.load.messages import Dialect

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Server:
    """A server.

    Attributes:
        name: as on the command line.
        title: as in the table.
        command: starts it, in `root`.
        env: added to the environment.
        dialect: how viewers join a shared stream.
        broadcasts: whether it can send one stream to many.
        http: whether it serves ``/healthz``.
        secret: what it checks tokens with; "": it asks for none.
        crowds: whether clients that come and go in numbers are put on it. Those that are late
            with some hundred readers are not asked, nor one that does not see when they go.
        root: the checkout that it runs in.
        missing: tells what is missing to run it, and the cure; None: nothing.

    """

    name: str
    title: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = "peer"
    broadcasts: bool = True
    http: bool = True
    secret: str = ""
    crowds: bool = True
    root: Path = ROOT
    missing: Callable[[], str | None] = field(default=lambda: None, repr=False)


REFERENCE = "node"
FASTEST = "bun"
"""The fastest of those that can be had."""

OURS = ("ours", "ours-gunicorn", "ours-tokens")

OF_TREE = "@"
"""Between the name of one of ours and the label of the checkout that it is of, if not of this."""

# -u: what a server says of its port must not wait in a buffer.
_PYTHON = (sys.executable, "-u")
_QUIET = {"TEXTSTREAM_LOG_LEVEL": "warning"}
_SECRET = "a secret of the benchmark's, which opens nothing else"

SERVERS = (
    Server(
        "ours",
        "textstream",
        (*_PYTHON, "stream_server.py", "--port", "0"),
        env=_QUIET,
        dialect="textstream",
    ),
    Server(
        "ours-gunicorn",
        "textstream, gunicorn",
        (
            *(*_PYTHON, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread"),
            *("-w", "1", "--threads", "16", "--bind", "127.0.0.1:0", "textstream.wsgi:app"),
        ),
        env=_QUIET,
        dialect="textstream",
    ),
    Server(
        "ours-tokens",
        "textstream, tokens",
        (*_PYTHON, "stream_server.py", "--port", "0"),
        env={**_QUIET, "TEXTSTREAM_AUTH_KEYS": _SECRET},
        dialect="textstream",
        secret=_SECRET,
    ),
    Server(
        "flask-loop",
        "Flask-SocketIO loop",
        (*_PYTHON, "-m", "benchmarks.peers.flask_loop"),
        crowds=False,
    ),
    Server(
        "uvicorn",
        "python-socketio, uvicorn",
        (*_PYTHON, "-m", "benchmarks.peers.asgi"),
        crowds=False,
    ),
    Server(
        REFERENCE,
        "Node socket.io",
        ("node", "benchmarks/node/server.mjs"),
        missing=javascript.node_lacks,
    ),
    Server(
        FASTEST,
        "Bun socket.io",
        (str(javascript.bun()), "benchmarks/bun/server.mjs"),
        missing=javascript.bun_lacks,
    ),
    Server(
        "floor",
        "bare sock.send",
        (*_PYTHON, "-m", "benchmarks.peers.bare_send"),
        broadcasts=False,
        http=False,
        crowds=False,
    ),
)


def find(name: str) -> Server:
    """Return the server of a name.

    Raises:
        ValueError: there is none.

    """
    for server in SERVERS:
        if server.name == name:
            return server
    raise ValueError(
        f"no server {name!r}; there are " + ", ".join(server.name for server in SERVERS)
    )


def title(name: str) -> str:
    """Return what a server is called in tables, that of another checkout with its label.

    Raises:
        ValueError: there is none.

    """
    server, _, label = name.partition(OF_TREE)
    return f"{find(server).title} ({label})" if label else find(server).title
