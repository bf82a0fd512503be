"""Where a server is: what people write, and what each request of the client goes to. No I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from textstream.errors import InvalidRequest

DEFAULT_URL = "http://127.0.0.1:5002"

SOCKETIO = "socket.io"

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}

# What a server has of its own: whoever pastes one of these addresses means the server.
_OWN_PATHS = (
    ("app", "index.html"),
    ("app",),
    ("lab",),
    ("index.html",),
    (SOCKETIO,),
    ("api", "sources"),
    ("api", "connection"),
    ("healthz",),
    ("readyz",),
    ("metrics",),
)

_ENGINEIO_KEYS = {"EIO", "transport", "sid", "t", "b64", "j"}

# RFC 3986, 3.3 and 3.4: what may stand there as it is, and % for what is escaped already.
_SAFE = "/%:@!$&'()*+,;=~?-._"

_HOST = re.compile(r"[^\s\x00-\x1f\x7f<>\"\\^`{|}%]+")


@dataclass(frozen=True)
class ServerAddress:
    """The address of a server, taken apart.

    Attributes:
        origin: scheme, host and port: ``http://127.0.0.1:5002``.
        prefix: the path in front of everything of the server, ``/stream``; "" for none.
        socketio_path: the path of Socket.IO, without the slashes at its ends.
        query: sent with every request; "" for none.
        authorization: the value of that header, from ``user:password@``; None for none.

    """

    origin: str
    prefix: str
    socketio_path: str
    query: str
    authorization: str | None = field(repr=False)

    @property
    def url(self) -> str:
        """The address as people should read it: without password and query."""
        return self.origin + self.prefix

    @property
    def socketio_url(self) -> str:
        """What python-socketio is to connect to, beside `socketio_path`."""
        return self.origin + self._question

    def at(self, path: str) -> str:
        """Return the URL of `path` on the server, which begins with a slash."""
        return f"{self.url}{path}{self._question}"

    @property
    def _question(self) -> str:
        return f"?{self.query}" if self.query else ""


def parse_address(url: str, path: str | None = None) -> ServerAddress:
    """Take an address apart.

    A path in it is where a proxy has the server: ``https://example.org/stream/``. The last part
    goes where it is a page or an endpoint of the server's own (``/app/``, ``/lab/``,
    ``/socket.io/``, ``/api/sources``, ``/healthz``), so that the address of the page can be
    pasted. A server that a proxy has under ``/app/`` is written ``/app/socket.io/``.

    Args:
        url: ``http``, ``https``, ``ws`` or ``wss``; ``host:port`` alone is http (443: https).
            ``user:password@`` is sent as HTTP Basic authentication (RFC 7617), a query with
            every request; a fragment is dropped, and the dot of the root behind a name.
        path: the path of Socket.IO on the host, where it is not ``socket.io`` behind that of
            `url`. Where `url` has no path and this ends in ``/socket.io``, what is in front of
            that is the prefix of all other requests too.

    Raises:
        InvalidRequest: it is no address; the message shows how one looks.

    """
    parts = _split(url)
    prefix = _prefix(parts.path)
    if path is None:
        socketio = [*prefix, SOCKETIO]
    else:
        socketio = _segments(path)
        if not socketio or set(path) & set("?#"):
            raise InvalidRequest(f'path: a path looks like "/{SOCKETIO}", not "{path}"')
        if not prefix and socketio[-1] == SOCKETIO:
            prefix = socketio[:-1]
    query = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if pair[0] not in _ENGINEIO_KEYS
    ]
    return ServerAddress(
        origin=f"{_SCHEMES[parts.scheme]}://{_host_and_port(parts)}",
        prefix="".join(f"/{segment}" for segment in prefix),
        socketio_path="/".join(socketio),
        query=urlencode(query),
        authorization=_basic(parts),
    )


def _split(url: str) -> SplitResult:
    text = url.strip()
    try:
        if "://" not in text:
            parts = urlsplit(f"http://{text}")
            # A name alone may be a slip of the pen: which port was meant is not known.
            valid = parts.port is not None
            if parts.port == 443:  # noqa: PLR2004 (https, RFC 9110)
                parts = parts._replace(scheme="https")
        else:
            parts = urlsplit(text)
            valid = parts.scheme in _SCHEMES and parts.port != 0  # raises when it is no number
        valid = valid and _HOST.fullmatch(parts.hostname or "") is not None
    except ValueError:
        valid = False
    if not valid:
        shown = re.sub(r"(?<=//)[^/@]*@|^[^/@]*@", "", text)  # not the password
        raise InvalidRequest(f'url: an address looks like "{DEFAULT_URL}", not "{shown}"')
    return parts


def _host_and_port(parts: SplitResult) -> str:
    # Without the dot of the root: no certificate has it, nor the Host that proxies look for, and
    # neither /etc/hosts nor "localhost" is found with it.
    return re.sub(r"\.(?=:\d*$|$)", "", parts.netloc.rpartition("@")[2])


def _prefix(path: str) -> list[str]:
    segments = _segments(path)
    for own in _OWN_PATHS:
        if tuple(segments[-len(own) :]) == own:
            return segments[: -len(own)]
    return segments


def _segments(path: str) -> list[str]:
    """Return the parts of a path, without empty ones, ``.`` and ``..`` (RFC 3986, 5.2.4)."""
    segments: list[str] = []
    for segment in quote(path, safe=_SAFE).split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    return segments


def _basic(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()
