"""The events of who may: a newer token, and who else may read a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textstream.access.caller import Caller
from textstream.hub.hub import Hub
from textstream.protocol import (
    AUTHENTICATE,
    SHARE_STREAM,
    UNSHARE_STREAM,
    Authenticate,
    OwnStream,
    ShareStream,
    parse,
)
from textstream.web.sign_in import SignIn
from textstream.web.watch import Watch

Answer = dict[str, Any]


class AccessEvents:
    """Handles them, as `Events` does the others."""

    def __init__(
        self,
        hub: Hub,
        sign_in: SignIn | None,
        *,
        address_of: Callable[[str], str],
        environ_of: Callable[[str], dict[str, Any] | None],
        watch: Watch,
    ) -> None:
        """Ask `hub`, and `sign_in` where the server asks who somebody is.

        Args:
            hub: has the streams.
            sign_in: None: everybody may connect.
            address_of: tells whose a connection is.
            environ_of: tells of its first request.
            watch: sees who shares what.

        """
        self._hub = hub
        self._sign_in = sign_in
        self._address_of = address_of
        self._environ_of = environ_of
        self._watch = watch
        self.handlers: dict[str, Callable[[str, Any], Answer]] = {
            AUTHENTICATE: self.authenticate,
            SHARE_STREAM: self.share,
            UNSHARE_STREAM: self.unshare,
        }

    def authenticate(self, sid: str, payload: Any) -> Answer:
        """``authenticate``: it goes on, with a newer token."""
        asked = parse(Authenticate, payload)
        environ = self._environ_of(sid) or {"REQUEST_METHOD": "GET"}
        if self._sign_in is None or not self._sign_in.asks(environ):
            return {}
        return self._sign_in.renew(sid, environ, asked.model_dump(), self._address_of(sid))

    def share(self, sid: str, payload: Any) -> Answer:
        """``share_stream``: what lets others read it."""
        asked = parse(ShareStream, payload)
        told = self._hub.sharing.share(asked.id, sid, key=asked.key, expires=asked.expires)
        self._watch.share(Caller(self._address_of(sid), sid), asked.id, asked.expires)
        return told

    def unshare(self, sid: str, payload: Any) -> Answer:
        """``unshare_stream``: nobody else may read it any more."""
        asked = parse(OwnStream, payload)
        told = self._hub.sharing.unshare(asked.id, sid, asked.key)
        self._watch.share(Caller(self._address_of(sid), sid), asked.id, None)
        return told
