"""What an address and a user may, out of the settings."""

from __future__ import annotations

from textstream.access.address import is_loopback
from textstream.access.quotas import Quota, Quotas
from textstream.access.rates import Rate, parse_rate
from textstream.access.shares import Share, Shares
from textstream.settings import Settings

HANDSHAKES = "120/minute"
STARTS = "60/minute; 1000/day"
CONNECTIONS = 64
STREAMS = 64
KEPT = 1024
"""Ended streams that are kept for an address: some for each that it may run."""

USER_CONNECTIONS = 16
USER_STREAMS = 32
USER_KEPT = 512
"""Of a user: half as much."""


def shares_of(settings: Settings) -> Shares:
    """Return what everybody may. Loopback may have most of all: a proxy may stand there."""
    total = settings.max_total_bytes
    local = Share(
        connections=_given(settings.connections_per_address, settings.max_connections * 3 // 4),
        handshakes=_rate(settings.handshakes_per_address, "0"),
        starts=_rate(settings.starts_per_address, "0"),
        streams=_given(settings.streams_per_address, max(1, settings.max_streams * 3 // 4)),
        kept=max(1, settings.max_streams * 3 // 4),
        nbytes=_given(settings.bytes_per_address, total * 3 // 4),
        waiting=_given(settings.waiting_per_address, total // 64),
        connection_bytes=_given(settings.bytes_per_connection, total // 4),
        connection_starts=_rate(settings.starts_per_connection, "0"),
    )
    remote = Share(
        connections=_given(settings.connections_per_address, CONNECTIONS),
        handshakes=_rate(settings.handshakes_per_address, HANDSHAKES),
        starts=_rate(settings.starts_per_address, STARTS),
        streams=_given(settings.streams_per_address, STREAMS),
        kept=min(KEPT, local.kept),
        nbytes=_given(settings.bytes_per_address, total // 8),
        waiting=local.waiting,
        connection_bytes=_given(settings.bytes_per_connection, total // 16),
        connection_starts=local.connection_starts,
    )
    return Shares(
        of=lambda address: local if is_loopback(address) else remote,
        connections=settings.max_connections,
        nbytes=total,
    )


def quotas_of(settings: Settings) -> Quotas:
    """Return what a user may that comes from an address; on loopback half of all there is."""
    total = settings.max_total_bytes
    half = max(1, settings.max_streams // 2)
    local = Quota(
        connections=_given(settings.connections_per_principal, settings.max_connections // 2),
        starts=_rate(settings.starts_per_principal, "0"),
        streams=_given(settings.streams_per_principal, half),
        running=settings.source_running_per_principal,
        waiting=settings.source_waiting_per_principal,
        nbytes=_given(settings.bytes_per_principal, total // 2),
        kept=half,
    )
    remote = Quota(
        connections=_given(settings.connections_per_principal, USER_CONNECTIONS),
        starts=_rate(settings.starts_per_principal, STARTS),
        streams=_given(settings.streams_per_principal, USER_STREAMS),
        running=local.running,
        waiting=local.waiting,
        nbytes=_given(settings.bytes_per_principal, total // 8),
        kept=min(USER_KEPT, half),
    )
    return Quotas(lambda address: local if is_loopback(address) else remote)


def _given(setting: int | None, default: int) -> int:
    return default if setting is None else setting


def _rate(setting: str | None, default: str) -> Rate:
    return parse_rate(default if setting is None else setting)
