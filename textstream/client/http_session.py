"""The HTTP session of the client, for long-polling and for what is no stream."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from textstream.client.address import ServerAddress


class HttpSession(requests.Session):
    """A session that keeps how its last request went: Engine.IO's client tells only in words.

    An empty answer raises ``requests.ConnectionError``. ``http.client`` takes a connection that
    ends within the head for the end of the head: with ``Content-Length`` lost, that is a complete
    answer with nothing in it. Engine.IO's client polls on then, and what was in the answer is
    lost without a word, be it the end of a stream. The protocol knows no empty answer: a poll has
    a packet at least, a post gets an ``ok``. An answer with its length lets urllib3 see that it
    was cut.

    Redirects are not followed: a post would become a get (RFC 9110, 15.4.2), and WebSockets do
    not follow. Who was sent elsewhere is told so, and gives that address.

    Attributes:
        last: the answer to the last request, or why there is none.
        trust: whose certificates are trusted, by WebSockets too; None: it is no https.

    """

    def __init__(self, address: ServerAddress) -> None:
        """Make a session for the server at `address`."""
        super().__init__()
        self.last: requests.Response | requests.RequestException | None = None
        self.hooks["response"].append(_refuse_empty)
        if address.authorization is not None:
            self.auth = Authorization(address.authorization)
        self.trust = _trust() if address.origin.startswith("https:") else None
        for scheme in ("http://", "https://"):
            self.mount(scheme, ClosingAdapter(self.trust))

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:  # type: ignore[override]  # nobody hands it bytes
        """Send a request as ``requests`` does, and keep how it went."""
        options["allow_redirects"] = False
        try:
            self.last = super().request(method, url, *args, **options)
        except requests.RequestException as error:
            self.last = error
            raise
        return self.last


class Authorization(requests.auth.AuthBase):
    """What a request shows in the header of that name."""

    # Not a header of the session: the user's .netrc would replace that.
    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it to a request."""
        request.headers["Authorization"] = self._value
        return request


class ClosingAdapter(HTTPAdapter):
    """An adapter whose connections are closed when its session is."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        """Make it; `trust` is for https, None: as requests does."""
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make what makes the pools."""
        if self._trust is not None:
            options["ssl_context"] = self._trust
        super().init_poolmanager(*args, **options)

    def close(self) -> None:
        """Close the connections that were kept alive, too.

        urllib3 leaves that to the garbage collector: whatever holds a frame of a request, as a
        record of the log does, would hold them open.
        """
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 (they cannot be gone through otherwise)
                if pool := manager.pools.get(key):
                    pool.close()
        super().close()


def _trust() -> ssl.SSLContext:
    """Return whom to trust: the system, SSL_CERT_FILE and SSL_CERT_DIR, and what requests does.

    ``requests`` by itself leaves out the first three, a WebSocket the last.
    """
    trust = ssl.create_default_context()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle and Path(bundle).is_file():
        trust.load_verify_locations(bundle)
    return trust


def _refuse_empty(response: requests.Response, **_options: Any) -> None:
    if response.ok and not response.is_redirect and not response.content:
        raise requests.ConnectionError("the answer was cut short", response=response)
