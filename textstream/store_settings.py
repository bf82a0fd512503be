"""The settings of streams that several processes share: see `textstream.settings`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")


class StoreSettings(BaseSettings):
    """Where the store is, and how long it may take."""

    store: SecretStr | None = Field(
        None,
        description="Valkey or Redis that several servers share their streams in: "
        "redis://host:6379/0, rediss:// with TLS, redis+sentinel://host:26379/name, "
        "redis+cluster://host:6379, unix:///path. "
        "Without it each keeps its own.",
    )
    name: str = Field(
        "",
        description="Name of this server among those behind one proxy: its session ids begin with "
        "it and a dot, so that the proxy can tell whose they are.",
    )
    store_prefix: str = Field("ts", description="What all names in the store begin with.")
    store_wait: float = Field(
        2.0, gt=0, le=30, description="Seconds that a start waits for the store, at most."
    )
    lease: float = Field(
        5.0,
        ge=1,
        le=60,
        description="Seconds without a word after which a server is dead to the others, which go "
        "on with its streams.",
    )

    @field_validator("store")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise ValueError(f"the address of a store begins with one of {known}")
        return value

    @field_validator("name")
    @classmethod
    def _label(cls, value: str) -> str:
        if not re.fullmatch(r"[\w-]{0,16}", value, re.ASCII):
            raise ValueError(
                'a name is like "a" or "stream-2": at most 16 letters, digits, - and _'
            )
        return value

    @field_validator("store_prefix")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[\w.:-]{1,64}", value, re.ASCII):
            raise ValueError('a prefix is like "ts": letters, digits, and . : _ -')
        return value
