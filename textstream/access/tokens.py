"""Tokens that somebody else has made, checked: JSON Web Tokens (RFC 7519), as RFC 8725 advises.

A key says by itself with which algorithm it is used: what a token says of that counts for nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jwt

from textstream.access.policy import EXPIRED
from textstream.access.principal import LEEWAY, MAX_SUBJECT, Principal, user
from textstream.access.quotas import BadQuota, read_claim
from textstream.errors import Unauthorized

AUDIENCE = "textstream"
"""What a token has to be made for (``aud``): one for another service opens nothing here."""

MAX_TOKEN = 8192
"""The longest token that is looked at, in characters."""

MIN_SECRET = 32
"""Bytes of a secret, at least: as many as its hash has (RFC 7518, 3.2)."""

ALGORITHMS = {"oct": "HS256", "RSA": "RS256", "EC": "ES256"}
"""Which one keys of a type are for."""

_OPTIONS: Any = {
    "require": ["exp", "sub", "aud"],
    # Times are looked at here: by a clock that can be set.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


_BROKEN = (jwt.PyJWTError, ValueError, RecursionError)
"""What reading one raises that is none."""

TOO_LONG = f"A token is a text of at most {MAX_TOKEN} characters."
UNKNOWN = "That is no token of this server's. Get one from whoever runs it."


class BadKey(ValueError):
    """A key cannot be used; says why, and never what it is."""


class Key(NamedTuple):
    """What tokens are checked with.

    Attributes:
        kid: its name, as tokens give it; "": it has none.
        algorithm: the one it is for.
        key: it.

    """

    kid: str
    algorithm: str
    key: Any


def read_keys(text: str) -> tuple[Key, ...]:
    """Return the keys in a setting or a file.

    Args:
        text: a set of keys (RFC 7517: ``{"keys": [{"kty", "kid", …}]}``), a public key in PEM, or a
            secret.

    Raises:
        BadKey: there is none, or one is too short, or of a type that is not known.

    """
    text = text.strip()
    if not text:
        raise BadKey("there is no key")
    if text.startswith("{"):
        try:
            listed = json.loads(text)["keys"]
        except (ValueError, KeyError, TypeError):
            raise BadKey('no set of keys: {"keys": [{"kty": "oct", "kid": …, "k": …}]}') from None
        if not isinstance(listed, list) or not listed:
            raise BadKey("the set has no keys")
        keys = tuple(_of_jwk(one) for one in listed)
        if len({key.kid for key in keys}) < len(keys):
            raise BadKey("two keys have the same kid, or none: give each its own")
        return keys
    if text.startswith("-----BEGIN"):
        return (_of_pem(text),)
    return (Key("", "HS256", check_secret(text.encode())),)


def read_keys_file(path: Path) -> tuple[Key, ...]:
    """Return the keys in a file, see `read_keys`.

    Raises:
        BadKey: the same, or the file cannot be read.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadKey(f"{path} cannot be read: {why}") from None
    return read_keys(text)


def _of_jwk(one: object) -> Key:
    if not isinstance(one, dict) or one.get("kty") not in ALGORITHMS:
        raise BadKey(f"a key's kty is one of {', '.join(ALGORITHMS)}")
    algorithm = ALGORITHMS[one["kty"]]
    if one.get("alg", algorithm) != algorithm:
        raise BadKey(f"a key of kty {one['kty']} is for {algorithm}")
    if "d" in one:
        raise BadKey("that is a private key: the server needs the public one")
    try:
        key = jwt.PyJWK(one, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise BadKey(f"a key of kty {one['kty']} cannot be read") from None
    if algorithm == "HS256":
        key = check_secret(key)
    return Key(str(one.get("kid", "")), algorithm, key)


def _of_pem(text: str) -> Key:
    if "PRIVATE KEY" in text:
        raise BadKey("that is a private key: the server needs the public one")
    for algorithm in ("RS256", "ES256"):
        try:
            key = jwt.get_algorithm_by_name(algorithm).prepare_key(text)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return Key("", algorithm, key)
    raise BadKey("the PEM is no public key of RSA, or of the curve P-256")


def check_secret(secret: bytes) -> bytes:
    """Return a secret that is long enough.

    Raises:
        BadKey: it is not.

    """
    if len(secret) < MIN_SECRET:
        raise BadKey(f"a secret of {len(secret)} bytes is too short: take {MIN_SECRET} at least")
    return secret


class Tokens:
    """Says whose a token is. Any thread; it waits for nothing."""

    def __init__(
        self,
        keys: Sequence[Key],
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take tokens that one of `keys` has signed; `clock` is in seconds since 1970."""
        self._keys = tuple(keys)
        self._audience = audience
        self._clock = clock

    def principal_of(self, token: object) -> Principal:
        """Return whose a token is.

        Raises:
            Unauthorized: it is none, or has expired, or is for somebody else, or nobody known has
                made it. What it says is told to nobody.

        """
        if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN:
            raise Unauthorized(TOO_LONG)
        claims = self._claims_of(token)
        subject, scope = claims["sub"], claims.get("scope", "")
        if not 0 < len(subject) <= MAX_SUBJECT or not isinstance(scope, str):
            raise Unauthorized(
                "The token has no sub of 1 to 128 characters, or a scope that is no text."
            )
        scopes = frozenset(scope.split()) if "scope" in claims else None
        try:
            quota = read_claim(claims.get("quota"))
        except BadQuota as error:
            raise Unauthorized(f"The token's {error}. Whoever made it has to mend it.") from None
        name = claims.get("jti", "")
        return user(
            subject,
            scopes,
            float(claims["exp"]),
            quota,
            issued=_number(claims.get("iat")),
            token=name if isinstance(name, str) else "",
        )

    def _claims_of(self, token: str) -> dict[str, Any]:
        for key in self._candidates(token):
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    audience=self._audience,
                    options=_OPTIONS,
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidAudienceError:
                raise Unauthorized(f"The token is not for {self._audience} (aud).") from None
            except jwt.MissingRequiredClaimError as missing:
                raise Unauthorized(f"The token has no {missing.claim}.") from None
            except _BROKEN:
                raise Unauthorized(UNKNOWN) from None
            self._check_time(claims)
            return claims
        raise Unauthorized(UNKNOWN)

    def _candidates(self, token: str) -> tuple[Key, ...]:
        """Return the keys that may have signed it: the one it names, or all that have no name."""
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
        except _BROKEN:
            raise Unauthorized(UNKNOWN) from None
        return tuple(key for key in self._keys if key.kid in (kid, ""))

    def _check_time(self, claims: dict[str, Any]) -> None:
        now = self._clock()
        begins, ends = _number(claims.get("nbf", 0.0)), _number(claims["exp"])
        if begins is None or ends is None:
            raise Unauthorized("The token's times are no numbers.")
        if not now < ends + LEEWAY:
            raise Unauthorized(EXPIRED, reason="expired")
        if begins - LEEWAY > now:
            raise Unauthorized("The token is not valid yet.")


def _number(value: object) -> float | None:
    """Return a time in a claim; None: it is none. An integer of JSON has any number of digits."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
