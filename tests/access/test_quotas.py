"""What a claim may say of a quota, and what a user has then."""

from __future__ import annotations

import pytest

from textstream.access.principal import ANYBODY, Principal, principal_of, user
from textstream.access.quotas import BadQuota, Claim, Quota, Quotas, read_claim
from textstream.access.rates import parse_rate

PLAIN = Quota(connections=4, starts=parse_rate("60/minute"), streams=8, nbytes=1000, kept=16)


def test_a_claim_comes_before_what_everybody_has_upwards_too() -> None:
    claim = read_claim({"starts": "600/minute", "streams": 100, "running": 1, "bytes": 10})
    quota = Quotas(lambda _: PLAIN).of(claim, "192.0.2.1")
    assert (quota.starts, quota.streams) == (parse_rate("600/minute"), 100)
    assert (quota.running, quota.waiting, quota.nbytes) == (1, None, 10)
    assert (quota.connections, quota.kept) == (4, 16)
    assert quota.given == {"starts", "streams", "running", "bytes"}


@pytest.mark.parametrize("claim", [None, Claim(), read_claim({})])
def test_without_one_it_is_as_everybody_s(claim: Claim | None) -> None:
    assert Quotas(lambda _: PLAIN).of(claim, "192.0.2.1") is PLAIN


def test_it_goes_by_where_the_user_comes_from() -> None:
    quotas = Quotas(lambda address: PLAIN if address == "a" else Quota(streams=1))
    assert quotas.of(None, "b").streams == 1
    assert quotas.of(read_claim({"running": 2}), "a").streams == 8


@pytest.mark.parametrize("zero", [{"starts": "0"}, {"starts": ""}])
def test_nothing_is_no_limit(zero: dict[str, object]) -> None:
    claim = read_claim(zero | {"streams": 0})
    quota = Quotas(lambda _: PLAIN).of(claim, "a")
    assert (quota.starts, quota.streams) == ((), 0)


@pytest.mark.parametrize(
    "value",
    [
        "60/minute",
        7,
        [],
        ["streams"],
        {"stream": 1},
        {"streams": 1, "kept": 2},
        {"given": 1},
        {"nbytes": 1},
        {"streams": -1},
        {"streams": 1.0},
        {"streams": "1"},
        {"streams": True},
        {"streams": None},
        {"streams": 2**53},
        {"bytes": [1]},
        {"starts": 60},
        {"starts": "often"},
        {"starts": "0/minute"},
        {"starts": "-1/minute"},
        {"starts": "1/minute; often"},
        {"starts": "100001/minute"},
        {"starts": "1/minute;" * 20},
    ],
)
def test_what_makes_no_sense_is_refused_without_its_value(value: object) -> None:
    with pytest.raises(BadQuota, match=r"^quota[. ]") as error:
        read_claim(value)
    assert "often" not in str(error.value)


def test_who_has_a_quota() -> None:
    assert user("alice").is_user
    for other in (ANYBODY, principal_of({"client_key": "x" * 32}), Principal("alice")):
        assert not other.is_user
