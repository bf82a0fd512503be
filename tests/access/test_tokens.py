"""Tokens: whose they are, and what is none, whatever it says of itself."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.clock import ManualClock
from textstream.access.principal import LEEWAY, Principal
from textstream.access.tokens import MAX_TOKEN, BadKey, Tokens, read_keys
from textstream.errors import Unauthorized

SECRET = "a secret of more than thirty-two bytes"
OTHER = "another secret of more than thirty-two bytes"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
CLAIMS: dict[str, Any] = {"sub": "alice", "aud": "textstream", "exp": 1000}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def oct_key(secret: str, **more: str) -> dict[str, str]:
    encoded = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return {"kty": "oct", "k": encoded, **more}


def keys(*listed: Any) -> str:
    return json.dumps({"keys": listed})


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.now = 900.0
    return made


def tokens(text: str, clock: ManualClock) -> Tokens:
    return Tokens(read_keys(text), clock=clock)


def token(claims: dict[str, Any] | None = None, key: Any = SECRET, **options: Any) -> str:
    return jwt.encode(
        CLAIMS if claims is None else claims, key, **{"algorithm": "HS256", **options}
    )


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def test_whose_it_is(clock: ManualClock) -> None:
    made = tokens(SECRET, clock)
    assert made.principal_of(token()) == Principal("user:alice", None, 1000.0)
    scoped = made.principal_of(token(CLAIMS | {"scope": "read  start:llm"}))
    assert scoped.scopes == frozenset(("read", "start:llm"))
    assert made.principal_of(token(CLAIMS | {"scope": ""})).scopes == frozenset()
    assert made.principal_of(token(CLAIMS | {"aud": ["other", "textstream"]})).known


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")], ids=["RS256", "ES256"]
)
def test_what_a_public_key_checks(clock: ManualClock, key: Any, algorithm: str) -> None:
    made = tokens(pem(key), clock)
    assert made.principal_of(token(key=key, algorithm=algorithm)).id == "user:alice"
    # The old one: the public key, which everybody has, taken for a secret.
    forged = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(CLAIMS)}"
    signature = jwt.get_algorithm_by_name("HS256").sign(forged.encode(), pem(key).encode())
    with pytest.raises(Unauthorized):
        made.principal_of(f"{forged}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def _part(of: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(of).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        17,
        "",
        "x",
        "a.b.c",
        "....",
        "\ud83d.\ud83d.x",
        token(key=OTHER),
        token(key=SECRET * 2, algorithm="HS512"),
        f"{_part({'alg': 'none'})}.{_part(CLAIMS)}.",
        f"{_part({'alg': 'HS256', 'kid': 7})}.{_part(CLAIMS)}.x",
        f"{_part({'alg': 'HS256', 'kid': ['a']})}.{_part(CLAIMS)}.x",
        token()[:-4] + "AAAA",
        token(CLAIMS | {"sub": ""}),
        token(CLAIMS | {"sub": "x" * 129}),
        token(CLAIMS | {"aud": "another"}),
        token(CLAIMS | {"scope": ["read"]}),
        token(CLAIMS | {"exp": "tomorrow"}),
        token(CLAIMS | {"exp": float("nan")}),
        token(CLAIMS | {"nbf": 950}),
        token(without("sub")),
        token(without("exp")),
        token(without("aud")),
        "x" * (MAX_TOKEN + 1),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_none(clock: ManualClock, wrong: object) -> None:
    with pytest.raises(Unauthorized) as refused:
        tokens(SECRET, clock).principal_of(wrong)
    assert "alice" not in refused.value.message


def test_its_time(clock: ManualClock) -> None:
    made, one = tokens(SECRET, clock), token()
    clock.now = 1000 + LEEWAY - 0.1
    made.principal_of(one)
    clock.now = 1000 + LEEWAY
    with pytest.raises(Unauthorized, match="expired"):
        made.principal_of(one)


def test_keys_that_take_turns(clock: ManualClock) -> None:
    old, new = oct_key(SECRET, kid="2025"), oct_key(OTHER, kid="2026")
    both, one = tokens(keys(old, new), clock), tokens(keys(new), clock)
    by_old = token(headers={"kid": "2025"})
    by_new = token(key=OTHER, headers={"kid": "2026"})
    for made, taken, refused in ((both, [by_old, by_new], []), (one, [by_new], [by_old])):
        for good in taken:
            assert made.principal_of(good).known
        for bad in (*refused, token(headers={"kid": "2026"}), token(), token(headers={"kid": "x"})):
            with pytest.raises(Unauthorized):
                made.principal_of(bad)


def test_keys_of_several_kinds(clock: ManualClock) -> None:
    listed = [
        json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(RSA.public_key())) | {"kid": "r"},
        json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(EC.public_key())) | {"kid": "e"},
        oct_key(SECRET, kid="s", alg="HS256"),
    ]
    made = tokens(keys(*listed), clock)
    for key, algorithm, kid in ((RSA, "RS256", "r"), (EC, "ES256", "e"), (SECRET, "HS256", "s")):
        one = token(key=key, algorithm=algorithm, headers={"kid": kid})
        assert made.principal_of(one).id == "user:alice"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no key"),
        ("short", "too short"),
        ("{}", "no set of keys"),
        ("{", "no set of keys"),
        (keys(), "no keys"),
        (keys("x"), "kty"),
        (keys({"kty": "OKP"}), "kty"),
        (keys(oct_key("short")), "too short"),
        (keys(oct_key(SECRET, alg="HS512")), "is for HS256"),
        (keys({"kty": "RSA", "n": "x"}), "cannot be read"),
        (keys({"kty": "oct"}), "cannot be read"),
        (keys(oct_key(SECRET), oct_key(OTHER)), "kid"),
        (keys({"kty": "EC", "crv": "P-256", "d": "x"}), "private"),
        (private_pem(RSA), "private"),
        ("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "no public key"),
    ],
    ids=lambda value: str(value)[:24].replace("\n", " "),
)
def test_what_is_no_key(text: str, why: str) -> None:
    with pytest.raises(BadKey, match=why) as refused:
        read_keys(text)
    assert len(str(refused.value)) < 120


def signed(header: str, claims: str) -> str:
    """Return a token of any header and claims, rightly signed."""
    parts = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(SECRET.encode(), b".".join(parts), "sha256")
    return b".".join((*parts, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ("[" * 3000, "{}"),
        ('{"alg":"HS256"}', "[" * 3000),
        ('{"alg":"HS256","kid":[[[]]]}', "{}"),
        ("null", "{}"),
        ('{"alg":"HS256"}', "[]"),
        ('{"alg":"HS256"}', '{"sub":"a","aud":"textstream","exp":Infinity}'),
        ('{"alg":"HS256"}', '{"sub":"a","aud":"textstream","exp":NaN}'),
        ('{"alg":"HS256"}', '{"sub":"a","aud":"textstream","exp":1e999}'),
        ('{"alg":"HS256"}', '{"sub":"a","aud":"textstream","exp":%s}' % ("9" * 400)),
        ('{"alg":"HS256"}', '{"sub":"a","aud":"textstream","exp":[1000]}'),
        ('{"alg":"HS256"}', '{"sub":7,"aud":"textstream","exp":1000}'),
        ('{"alg":"HS256"}', '{"sub":"a","aud":{"textstream":1},"exp":1000}'),
        ('{"alg":"HS256","crit":["x"],"x":1}', '{"sub":"a","aud":"textstream","exp":1000}'),
        ('{"alg":"HS256","b64":false,"crit":["b64"]}', '{"sub":"a","aud":"x","exp":1000}'),
    ],
)
def test_what_cannot_be_read_is_no_token(clock: ManualClock, header: str, claims: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        tokens(SECRET, clock).principal_of(signed(header, claims))
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("said", "issued"),
    [("900", 900.0), ("9" * 400, None), ("NaN", None), ("Infinity", None), ("[900]", None)],
)
def test_when_it_was_issued_is_a_time_or_nothing(
    clock: ManualClock, said: str, issued: float | None
) -> None:
    claims = '{"sub":"a","aud":"textstream","exp":1000,"iat":' + said + "}"
    assert tokens(SECRET, clock).principal_of(signed('{"alg":"HS256"}', claims)).issued == issued


def test_one_that_has_expired_says_so_and_may_be_renewed(clock: ManualClock) -> None:
    made = tokens(SECRET, clock)
    clock.now = 1000 + LEEWAY
    with pytest.raises(Unauthorized, match="new one") as caught:
        made.principal_of(token())
    assert caught.value.to_wire() | {"message": ""} == {
        "code": "unauthorized", "message": "", "retryable": True, "reason": "expired",
    }  # fmt: skip
    with pytest.raises(Unauthorized) as caught:
        made.principal_of(token(key=OTHER))
    assert "reason" not in caught.value.to_wire()
