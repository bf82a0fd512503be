"""Who asks: the one place that looks at tokens, of a CONNECT and of each HTTP request.

In this order: Socket.IO's ``auth {token}``, ``Authorization: Bearer`` (RFC 6750, 2.1), and a cookie
that the settings name. Never the query of an address: those are in logs and histories.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug.http import parse_cookie

from textstream.access.address import is_loopback
from textstream.access.authorizer import AT_A_TIME, PER_ADDRESS, Authorizer
from textstream.access.credentials import Checker, Credentials
from textstream.access.grants import Grants, guest
from textstream.access.nearby import Nearby
from textstream.access.own_token import OwnToken
from textstream.access.principal import Principal
from textstream.access.rates import Rate, Rates, parse_rate
from textstream.access.revocations import REVOKED, Revocations
from textstream.access.tokens import MAX_TOKEN, TOO_LONG, Tokens, read_keys, read_keys_file
from textstream.errors import RateLimited, SourceUnavailable, Unauthorized
from textstream.settings import Settings
from textstream.sources.loading import check_callable, load_object
from textstream.threads import ThreadPool
from textstream.web.listening import Whom
from textstream.web.origins import OriginPolicy

WRONG_TOKENS = "10/minute"
LOCAL_WRONG_TOKENS = "600/minute"
"""On loopback, where a proxy may stand for everybody."""

MISSING = (
    "This server asks who you are. Send a token: auth {token} of Socket.IO, or the header "
    "Authorization: Bearer."
)

FOREIGN_COOKIE = (
    "The cookie does not count here: the request has no Origin of this server's pages. Send the "
    "token in Socket.IO's auth, or have the origin named in TEXTSTREAM_CORS_ORIGINS."
)

SAFE = {"GET", "HEAD"}


class Identity:
    """Says who asks. Any thread; where it is `blocking`, one that may wait."""

    def __init__(
        self,
        checker: Checker,
        origins: OriginPolicy,
        *,
        cookie: str | None = None,
        grants: Grants | None = None,
        wrong: Callable[[str], Rate] = lambda _: (),
        rates: Rates | None = None,
        asks: Callable[[dict[str, Any]], bool] = lambda _: True,
        missing: str = MISSING,
        revocations: Revocations | None = None,
    ) -> None:
        """Have `checker` say whose credentials are.

        Args:
            checker: asked for each CONNECT, and each HTTP request.
            origins: whose pages may use the server, and so its cookie.
            cookie: the name of one that may hold the token.
            grants: reads those that links to streams have: who has nothing else is a guest.
            wrong: tells how often an address may show a wrong token.
            rates: counts that.
            asks: tells, of a request's environ, whether who makes it has to say who that is.
            missing: is told to who shows nothing.
            revocations: know what was taken back; None: nothing was.

        """
        self.asks = asks
        self._missing = missing
        self._checker = checker
        self._origins = origins
        self._cookie = cookie
        self._grants = grants
        self._wrong = wrong
        self._rates = rates or Rates()
        self.blocking = checker.blocking
        self._revocations = Revocations() if revocations is None else revocations
        self.close: Callable[[float], None] = lambda _deadline: None

    def of_connect(self, environ: dict[str, Any], auth: object, address: str) -> Principal:
        """Return who connects.

        Args:
            environ: of the connection's first request.
            auth: what came with the CONNECT, or with ``authenticate``.
            address: whose the connection is.

        Raises:
            Unauthorized: it cannot be said, for want of a token or with this one.
            Forbidden: it has shown a grant in its place, which is none, or has expired.
            RateLimited: too many wrong ones came from there.

        """
        token = auth.get("token") if isinstance(auth, dict) else None
        if token is not None and not isinstance(token, str):
            raise Unauthorized("auth.token is a text.")
        token = token or self._token_in(environ, is_connect=True)
        grant = auth.get("grant") if isinstance(auth, dict) and token is None else None
        if isinstance(grant, str) and self._grants is not None:
            return guest(self._grants.read(grant))
        return self._check(token, environ, address)

    def of_request(self, environ: dict[str, Any], address: str) -> Principal:
        """Return who makes an HTTP request.

        Raises:
            Unauthorized, RateLimited: see `of_connect`.

        """
        return self._check(self._token_in(environ, is_connect=False), environ, address)

    def _check(self, token: str | None, environ: dict[str, Any], address: str) -> Principal:
        checker, rate = self._checker, self._wrong(address)
        if token is None and not checker.blocking:
            raise Unauthorized(self._missing)
        if token is not None and len(token) > MAX_TOKEN:
            raise Unauthorized(TOO_LONG)
        # What is signed cannot be guessed, and who shares an address with others is not locked out
        # by them. A callable may go by what can, and its own work is to be spared.
        if checker.blocking and (wait := self._rates.wait(rate, "token", address)):
            raise _too_many(wait)
        shown = Credentials(token, _headers(environ), environ.get("HTTP_ORIGIN"), address)
        try:
            principal = checker.principal_of(shown)
        except Unauthorized as error:
            if token is None or error.reason:
                raise  # none, or one that was right, or nobody knows
            if wait := self._rates.take(rate, "token", address):
                raise _too_many(wait) from None
            raise
        if self._revocations.cover(principal):
            raise Unauthorized(REVOKED)
        return principal

    def _token_in(self, environ: dict[str, Any], *, is_connect: bool) -> str | None:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return str(token.strip())
        if self._cookie is None:
            return None
        cookie = parse_cookie(environ).get(self._cookie)
        if cookie and not self._is_own_page(environ, is_connect=is_connect):
            raise Unauthorized(FOREIGN_COOKIE)
        return cookie or None

    def _is_own_page(self, environ: dict[str, Any], *, is_connect: bool) -> bool:
        """Return whether one of our own pages asks: a browser sends cookies for any.

        It names the origin of who asks; not with a GET for the page's own site, of which it says
        so in ``Sec-Fetch-Site``, where the connection is safe (W3C, Fetch Metadata). What only
        reads is not let others' pages read.
        """
        origin = environ.get("HTTP_ORIGIN")
        if origin:
            return self._origins.allows(origin, environ)
        if environ.get("HTTP_SEC_FETCH_SITE") in {"same-origin", "none"}:
            return True
        return not is_connect and environ["REQUEST_METHOD"] in SAFE


def identity_of(
    settings: Settings,
    origins: OriginPolicy,
    grants: Grants,
    whom: Whom,
    nearby: Nearby,
    *,
    revocations: Revocations,
) -> Identity | None:
    """Return what says who asks, by the settings; None: nobody is asked.

    Raises:
        SourceUnavailable: the callable cannot be imported; names the setting and the cure.
        BadKey: the file of the keys has changed since the settings were read.

    """
    if whom is Whom.NOBODY:
        return None
    given = settings.wrong_tokens_per_address
    most = [parse_rate(given or default) for default in (LOCAL_WRONG_TOKENS, WRONG_TOKENS)]

    def wrong(address: str) -> Rate:
        return most[0] if is_loopback(address) else most[1]

    make = partial(
        Identity,
        origins=origins,
        cookie=settings.auth_cookie,
        grants=grants,
        wrong=wrong,
        revocations=revocations,
    )
    if whom is Whom.ELSEWHERE:
        make = partial(make, asks=nearby.is_elsewhere)
    if settings.authorize is not None:
        return _asking(settings.authorize, make)
    if settings.auth_keys is not None:
        keys = read_keys(settings.auth_keys.get_secret_value())
    elif settings.auth_keys_file is not None:
        keys = read_keys_file(settings.auth_keys_file)
    else:
        token = settings.token.get_secret_value() if settings.token else None
        own = OwnToken(token)
        return make(own, missing=own.missing)
    return make(KeyChecker(Tokens(keys, audience=settings.audience)))


class KeyChecker:
    """Checks tokens by keys."""

    blocking = False

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def principal_of(self, credentials: Credentials) -> Principal:
        """Return whose the token is."""
        return self._tokens.principal_of(credentials.token)


def _asking(target: str, make: Callable[[Checker], Identity]) -> Identity:
    def complain(problem: str) -> SourceUnavailable:
        return SourceUnavailable(f'TEXTSTREAM_AUTHORIZE, "{target}": {problem}.')

    module, _, attribute = (part.strip() for part in target.partition(":"))
    found = load_object(complain, module, attribute)
    cure = "Write a function that returns a Principal, or None"
    check_callable(complain, attribute, found, Credentials(), cure=cure, takes="the credentials")
    pool = ThreadPool(AT_A_TIME, "authorize", cure="TEXTSTREAM_AUTHORIZE takes long.")

    def per_address(address: str) -> int:
        return AT_A_TIME if is_loopback(address) else PER_ADDRESS

    identity = make(Authorizer(found, submit=pool.submit, per_address=per_address))
    identity.close = pool.close
    return identity


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    return {
        key[5:].lower().replace("_", "-"): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and key not in {"HTTP_COOKIE", "HTTP_AUTHORIZATION"}
    }


def _too_many(wait: float) -> RateLimited:
    return RateLimited(
        "Too many wrong tokens have come from your address. Get a right one, and try again then.",
        retry_after=wait,
        scope="address",
    )
