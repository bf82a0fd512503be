"""Whose address counts behind a proxy, and what a forged header changes: nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.polling import POLLING
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import WEBSOCKET, Client, Ended, frame, handshake

TRUSTED = {"TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.0/8"}
CONNECTIONS = 64
"""What an address that is not loopback may have, as it comes."""

FEW = 32
LIMITED = {"TEXTSTREAM_CONNECTIONS_PER_ADDRESS": str(FEW), "TEXTSTREAM_OPEN": "true"}
"""Open: else nobody is let in who seems to have come through a proxy."""
ATTACKER = "127.0.0.3"

ONE = "203.0.113.7"
SITE, NEXT_SITE = "2001:db8:1:2::{:x}", "2001:db8:1:3::1"

STRANGE = (
    *("", ",", ",,,,", "unknown", "_hidden", "a" * 5000, "1.2.3.4.5", "999.1.1.1", "::1::"),
    *("[::1", "203.0.113.7%eth0", "fe80::1%eth0", "0x7f.1", "127.0.0.1, " * 500, "\x01\x02"),
    *("203.0.113.7;for=x", '"[2001:db8::1]:80"', "for=203.0.113.9", "é", "1.2.3.4\tx", "٣.1.1.1"),
)


class Visits:
    """Connections that stay, and what each was answered with."""

    def __init__(self, target: Target, outcome: Outcome) -> None:
        self._port = target.port
        self._outcome = outcome
        self._clients: list[Client] = []

    async def come(
        self, forwarded: str, *, source: str | None = None, polling: bool = False
    ) -> tuple[str, str]:
        """Connect with an ``X-Forwarded-For``; return status and head of the answer."""
        header = f"X-Forwarded-For: {forwarded}\r\n"
        self._clients.append(client := await Client.connect(self._port, source=source))
        if polling:
            await client.send(
                f"GET {POLLING} HTTP/1.1\r\nHost: a\r\n{header}\r\n".encode("utf-8", "replace")
            )
        else:
            await client.send(handshake(self._port, WEBSOCKET, header))
        try:
            head = await client.take_head()
        except Ended as ended:
            return ended.ending, ""
        status = head.split(" ", 2)[1]
        if status == "101":
            await client.take_open()
            await client.send(frame(b"40"))
            await client.wait_for(b"40")
        self._outcome.endings[f"HTTP {status}"] += 1
        return status, head

    async def all_are(self, wanted: str, addresses: Iterable[str], what: str) -> None:
        """Fail if one of these gets another status."""
        got = [(await self.come(address))[0] for address in addresses]
        wrong = sorted({status for status in got if status != wanted})
        if wrong:
            count = sum(status != wanted for status in got)
            self._outcome.failures.append(f"{what}: {count} got {', '.join(wrong)}, not {wanted}")

    def refused(self, answer: tuple[str, str], what: str) -> None:
        """Fail if an answer is no 429 that says when to come again."""
        status, head = answer
        if status != "429":
            self._outcome.failures.append(f"{what}: {status}, not 429")
        elif not re.search(r"\nretry-after: [1-9]\d*\r", head):
            self._outcome.failures.append(f"{what}: 429 without Retry-After")

    def close(self) -> None:
        """Close all."""
        for client in self._clients:
            client.close()


async def trusted(target: Target) -> Outcome:
    """Come through a trusted proxy: 65 connections of one address, 65 of others, IPv6 sites."""
    outcome = Outcome()
    visits = Visits(target, outcome)
    try:
        await visits.all_are("101", [ONE] * CONNECTIONS, "64 connections of one address")
        visits.refused(await visits.come(ONE), "the 65th of one address")
        visits.refused(await visits.come(ONE, polling=True), "the 65th of one address, polling")
        for same in (f"198.51.100.1, {ONE}", f"198.51.100.2, {ONE}, 127.0.0.1", f"::ffff:{ONE}"):
            visits.refused(await visits.come(same), same)
        await visits.all_are("101", [f"{ONE}, 198.51.100.99"], "one whose proxy is another address")
        others = [f"198.51.100.{number}" for number in range(1, CONNECTIONS + 2)]
        await visits.all_are("101", others, "65 of other addresses")
        site = [SITE.format(number + 1) for number in range(CONNECTIONS)]
        await visits.all_are("101", site, "64 of an IPv6 site")
        visits.refused(await visits.come(SITE.format(9999)), "the 65th of an IPv6 /64")
        await visits.all_are("101", [NEXT_SITE], "one of the next /64")
        await visits.all_are("101", ["198.51.100.200"], "another address, after all that")
    except TimeoutError as error:
        outcome.failures.append(f"a client has no answer: {name_of(error)}")
    finally:
        visits.close()
    return outcome


async def strange(target: Target) -> Outcome:
    """Send an X-Forwarded-For that is none, through a trusted proxy."""
    outcome = Outcome()
    visits = Visits(target, outcome)
    try:
        for forwarded in STRANGE:
            for polling in (False, True):
                await visits.come(forwarded, polling=polling)
    finally:
        visits.close()
    outcome.expect("HTTP 101", "HTTP 200", "HTTP 400", "HTTP 429", "HTTP 431")
    return outcome


async def forged(target: Target) -> Outcome:
    """Make an X-Forwarded-For up for each connection, where no proxy is trusted."""
    outcome = Outcome()
    visits = Visits(target, outcome)
    try:
        for number in range(FEW):
            status, _ = await visits.come(f"198.51.100.{number}", source=ATTACKER)
            if status != "101":
                outcome.failures.append(f"connection {number + 1} of {FEW}: {status}")
        for forwarded in ("198.51.100.100", "2001:db8::1", "127.0.0.9"):
            answer = await visits.come(forwarded, source=ATTACKER)
            visits.refused(answer, f"one more, said to be for {forwarded}")
    finally:
        visits.close()
    return outcome
